//! Numbers of any type, in the notations of documents.

use std::any::Any;
use std::fmt::{self, Display};
use std::str::FromStr;

use super::failure::quoted;
use super::text::{self, NotANumber, Notation};

/// Parses a number of any type in every unambiguous notation: `1.234,50`, `1,234.50`, `1 234,5`, `1'234`, `(12.50)`, `12.50-`.
///
/// A single dot is a decimal point: `1.234` is 1.234. A single comma before three digits (`1,234`) is ambiguous and an error.
/// [`number_strict`] rejects `1.234` as well. `N` is any type that parses from digits with a point: integers, `f64`, `rust_decimal::Decimal`.
/// [`with::number`](super::with::number) does the same for a field.
///
/// # Errors
/// [`NumberError`] if the text is not a number, is ambiguous, has a unit or a currency, or does not fit the type.
///
/// ```
/// use documine::extract;
///
/// assert_eq!(extract::number::<f64>("1.234,50")?, 1234.5);
/// assert_eq!(extract::number::<i64>("\u{2212}1 234")?, -1234);
/// assert_eq!(extract::number::<rust_decimal::Decimal>("1,234.50")?.to_string(), "1234.50");
/// assert!(extract::number::<f64>("1,234").unwrap_err().is_ambiguous());
/// # Ok::<(), extract::NumberError>(())
/// ```
pub fn number<N: FromStr + Any>(text: &str) -> Result<N, NumberError> {
    parse(text, Notation::Evident)
}

/// Parses a number like [`number()`], but rejects every text that has two readings: `1.234` as well as `1,234`.
///
/// # Errors
/// See [`number()`].
///
/// ```
/// use documine::extract;
///
/// assert_eq!(extract::number_strict::<f64>("1.234,56")?, 1234.56);
/// let error = extract::number_strict::<f64>("1.234").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cannot parse the number \"1.234\": ambiguous, since the mark may separate thousands or decimals; \
///      with::decimal_point or with::decimal_comma states the notation"
/// );
/// # Ok::<(), extract::NumberError>(())
/// ```
pub fn number_strict<N: FromStr + Any>(text: &str) -> Result<N, NumberError> {
    parse(text, Notation::Strict)
}

fn parse<N: FromStr + Any>(text: &str, notation: Notation) -> Result<N, NumberError> {
    let error = |kind| NumberError { text: text.chars().take(MAX_TEXT).collect(), kind };
    let plain = plain(text, notation).map_err(|why| error(NumberErrorKind::NotANumber(why, notation)))?;
    let number: N = plain.parse().map_err(|_| error(NumberErrorKind::OutOfRange))?;
    // Floats parse what exceeds their range as infinity.
    let any: &dyn Any = &number;
    let is_infinite = any.downcast_ref::<f64>().is_some_and(|number| number.is_infinite())
        || any.downcast_ref::<f32>().is_some_and(|number| number.is_infinite());
    if is_infinite { Err(error(NumberErrorKind::OutOfRange)) } else { Ok(number) }
}

/// Converts a number to the syntax of Rust's parsers, with the negative forms of accounting.
pub(super) fn plain(text: &str, notation: Notation) -> Result<String, NotANumber> {
    let ascii = text::in_ascii(text);
    let (negative, unsigned) = text::sign(ascii.trim())?;
    if unsigned.starts_with(['-', '+']) {
        return Err(NotANumber::Malformed);
    }
    text::plain(unsigned, notation).map(|number| if negative { format!("-{number}") } else { number })
}

/// Returns the reason in words.
pub(super) fn reason(why: NotANumber, notation: Notation) -> &'static str {
    match (why, notation) {
        (NotANumber::Ambiguous, _) => {
            "ambiguous, since the mark may separate thousands or decimals; with::decimal_point or with::decimal_comma states the notation"
        }
        (NotANumber::Malformed, Notation::Comma) => "expected a number such as 1.234,5",
        (NotANumber::Malformed, _) => "expected a number such as 1,234.5",
    }
}

/// The limit on the text kept in an error, in characters.
const MAX_TEXT: usize = 200;

/// A text could not be parsed as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberError {
    text: String,
    kind: NumberErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberErrorKind {
    NotANumber(NotANumber, Notation),
    OutOfRange,
}

impl NumberError {
    /// Returns the text, truncated.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the text has two readings as a number.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.kind, NumberErrorKind::NotANumber(NotANumber::Ambiguous, _))
    }
}

impl Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            NumberErrorKind::NotANumber(why, notation) => reason(why, notation),
            NumberErrorKind::OutOfRange => "the number does not fit the type",
        };
        write!(f, "cannot parse the number {}: {reason}", quoted(&self.text))
    }
}

impl std::error::Error for NumberError {}
