//! The failure of one deserialization attempt, by its parts. Internal: [`super::ExtractError`] is built from it, and [`super::plan`] adapts to it.

use std::cell::RefCell;
use std::fmt::{self, Display, Write as _};
use std::ops::{Deref, DerefMut};

use serde::de::{self, Expected, Unexpected};

/// A failed attempt; boxed, so that `Result`s stay small.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure(Box<FailureDetails>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailureDetails {
    /// The component, if the failure occurred while its own value was read; unknown behind serde's buffer.
    pub(super) component: Option<String>,
    /// The index among several values.
    pub(super) index: Option<usize>,
    /// The invalid text.
    pub(super) value: Option<String>,
    pub(super) kind: FailureKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum FailureKind {
    /// Another type was expected.
    InvalidType { found: ReceivedValue, expected: String },
    /// The right type, but an invalid value.
    InvalidValue { found: ReceivedValue, expected: String },
    /// An ambiguous number.
    Ambiguous { expected: String },
    /// `count` values where `expected` were expected.
    Count { count: usize, expected: String },
    /// No value where one is required.
    NoValue,
    /// A required component is not listed.
    Missing(String),
    /// A component that the type does not accept.
    Unknown { name: String, known: &'static [&'static str] },
    /// Not a variant of the enum.
    Variant { known: &'static [&'static str] },
    /// The error of a custom type or function.
    Other(String),
}

/// The value that a visitor received.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReceivedValue {
    Text(String),
    /// A number or boolean parsed from a text.
    Scalar(String),
    List,
    Unit,
    Other,
}

impl Failure {
    pub(super) fn new(kind: FailureKind) -> Self {
        Self(Box::new(FailureDetails { component: None, index: None, value: None, kind }))
    }

    /// Sets the component, unless a deeper level has set it.
    pub(super) fn in_component(mut self, component: &str) -> Self {
        self.component.get_or_insert_with(|| component.to_owned());
        self
    }

    pub(super) fn with_index(mut self, index: usize) -> Self {
        self.index.get_or_insert(index);
        self
    }

    pub(super) fn with_value(mut self, value: &str) -> Self {
        self.value.get_or_insert_with(|| value.to_owned());
        self
    }
}

impl Deref for Failure {
    type Target = FailureDetails;

    fn deref(&self) -> &FailureDetails {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut FailureDetails {
        &mut self.0
    }
}

impl From<Unexpected<'_>> for ReceivedValue {
    fn from(unexpected: Unexpected<'_>) -> Self {
        match unexpected {
            Unexpected::Str(text) => Self::Text(text.to_owned()),
            Unexpected::Unsigned(number) => Self::Scalar(number.to_string()),
            Unexpected::Signed(number) => Self::Scalar(number.to_string()),
            Unexpected::Float(number) => Self::Scalar(number.to_string()),
            Unexpected::Bool(value) => Self::Scalar(value.to_string()),
            Unexpected::Char(c) => Self::Text(c.to_string()),
            Unexpected::Seq => Self::List,
            Unexpected::Unit | Unexpected::Option => Self::Unit,
            _ => Self::Other,
        }
    }
}

thread_local! {
    /// The failure that [`Failure::into_other_error`] passes through `serde::de::Error::custom`, which takes a text only.
    static PASSED: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

impl Failure {
    /// Converts a failure in a helper into the error of the deserializer that called it. A `Failure` keeps the index and the text.
    pub(super) fn into_other_error<E: de::Error>(mut self) -> E {
        let message = match &self.kind {
            FailureKind::Other(message) => message.clone(),
            _ => self.to_string(),
        };
        // The other kinds are about the converted text, which the plan does not know.
        if self.kind != FailureKind::NoValue {
            self.kind = FailureKind::Other(message.clone());
        }
        PASSED.set(Some(self));
        let error = E::custom(message);
        // Left by an error of another format.
        PASSED.take();
        error
    }
}

impl de::Error for Failure {
    fn custom<M: Display>(message: M) -> Self {
        PASSED.take().unwrap_or_else(|| Self::new(FailureKind::Other(message.to_string())))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(FailureKind::InvalidType { found: found.into(), expected: expected.to_string() })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(FailureKind::InvalidValue { found: found.into(), expected: expected.to_string() })
    }

    fn invalid_length(count: usize, expected: &dyn Expected) -> Self {
        Self::new(FailureKind::Count { count, expected: expected.to_string() })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(FailureKind::Variant { known }).with_value(variant)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(FailureKind::Unknown { name: name.to_owned(), known }).in_component(name)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(FailureKind::Missing(name.to_owned())).in_component(name)
    }
}

/// Shows the reason without the location.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = |found: &ReceivedValue| match (&self.value, found) {
            (Some(text), _) | (None, ReceivedValue::Text(text) | ReceivedValue::Scalar(text)) => quoted(text),
            (None, ReceivedValue::List) => "several values".to_owned(),
            (None, ReceivedValue::Unit) => "no value".to_owned(),
            (None, ReceivedValue::Other) => "something else".to_owned(),
        };
        match &self.kind {
            FailureKind::InvalidType { found: received, expected }
            | FailureKind::InvalidValue { found: received, expected } => {
                write!(f, "expected {}, found {}", one_line(expected), found(received))
            }
            FailureKind::Ambiguous { expected } => write!(
                f,
                "expected {}, found {}, whose comma may separate thousands or decimals",
                one_line(expected),
                self.value.as_deref().map_or_else(|| "a number".to_owned(), quoted)
            ),
            FailureKind::Count { count, expected } => {
                let values = if *count == 1 { "value" } else { "values" };
                let are = if expected.parse::<usize>().is_ok_and(|number| number != 1) { "are" } else { "is" };
                write!(f, "has {count} {values} where {} {are} expected", one_line(expected))
            }
            FailureKind::NoValue => f.write_str("has no value"),
            FailureKind::Missing(_) => f.write_str("is missing"),
            FailureKind::Unknown { known, .. } => write!(f, "is not expected; known names: {}", quoted_list(known)),
            FailureKind::Variant { known } => {
                let text = self.value.as_deref().map_or_else(|| "the value".to_owned(), quoted);
                write!(f, "{text} is none of {}", quoted_list(known))
            }
            FailureKind::Other(message) => match &self.value {
                Some(text) if !message.contains(text.as_str()) => {
                    write!(f, "{} was not accepted: {}", quoted(text), one_line(message))
                }
                _ => f.write_str(&one_line(message)),
            },
        }
    }
}

impl std::error::Error for Failure {}

/// The limit on a text in an error, in characters.
const MAX_SHOWN: usize = 80;
/// The limit on names in an error.
const MAX_LISTED: usize = 12;

/// Quotes a text on one line, truncated.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", truncated(text, MAX_SHOWN))
}

fn one_line(text: &str) -> String {
    truncated(text, 3 * MAX_SHOWN)
}

/// Removes control and hidden characters and truncates the text after `max` characters.
pub(super) fn truncated(text: &str, max: usize) -> String {
    let mut out = crate::text::printable(&text.chars().take(max).collect::<String>());
    if text.chars().nth(max).is_some() {
        out.push('…');
    }
    out
}

/// Quotes names, up to a limit.
pub(super) fn quoted_list<S: AsRef<str>>(names: &[S]) -> String {
    let mut out = names.iter().take(MAX_LISTED).map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        out.push_str("none");
    } else if names.len() > MAX_LISTED {
        let _ = write!(out, " and {} more", names.len() - MAX_LISTED);
    }
    out
}
