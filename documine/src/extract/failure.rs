//! What went wrong while values were read, with its parts kept apart. It never leaves this module: [`super::ExtractError`] is made from it,
//! and [`super::plan`] learns from it how to read a component that serde buffered.

use std::fmt::{self, Display, Write as _};
use std::ops::{Deref, DerefMut};

use serde::de::{self, Expected, Unexpected};

/// Boxed, so that the `Ok` of every step stays small.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure(Box<Details>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Details {
    /// Known when the failure happened while a component's own value was read; not known behind serde's buffer.
    pub(super) component: Option<String>,
    /// Which of several values, from 0.
    pub(super) index: Option<usize>,
    /// The offending text.
    pub(super) value: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Another type was wanted.
    Mismatch { found: Found, expected: String },
    /// The right type, but not this value.
    Refused { found: Found, expected: String },
    /// A number that has two readings.
    Ambiguous { expected: String },
    /// `count` values where `expected` were wanted.
    Count { count: usize, expected: String },
    /// No value where one is needed.
    NoValue,
    /// The type needs a component that was not there.
    Missing(String),
    /// The type refuses what it does not know.
    Unknown { name: String, known: &'static [&'static str] },
    /// Not one of the enum's names.
    Variant { known: &'static [&'static str] },
    /// What a type of the caller's said.
    Other(String),
}

/// What a visitor was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Text(String),
    /// A number or a boolean that was made from a text.
    Parsed(String),
    List,
    Nothing,
    Else,
}

impl Failure {
    pub(super) fn new(kind: Kind) -> Self {
        Self(Box::new(Details { component: None, index: None, value: None, kind }))
    }

    /// Fills in the place, where a deeper level has not done so already.
    pub(super) fn at(mut self, component: &str) -> Self {
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
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl From<Unexpected<'_>> for Found {
    fn from(unexpected: Unexpected<'_>) -> Self {
        match unexpected {
            Unexpected::Str(text) => Self::Text(text.to_owned()),
            Unexpected::Unsigned(number) => Self::Parsed(number.to_string()),
            Unexpected::Signed(number) => Self::Parsed(number.to_string()),
            Unexpected::Float(number) => Self::Parsed(number.to_string()),
            Unexpected::Bool(truth) => Self::Parsed(truth.to_string()),
            Unexpected::Char(c) => Self::Text(c.to_string()),
            Unexpected::Seq => Self::List,
            Unexpected::Unit | Unexpected::Option => Self::Nothing,
            _ => Self::Else,
        }
    }
}

impl de::Error for Failure {
    fn custom<M: Display>(message: M) -> Self {
        Self::new(Kind::Other(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::Mismatch { found: found.into(), expected: expected.to_string() })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::Refused { found: found.into(), expected: expected.to_string() })
    }

    fn invalid_length(count: usize, expected: &dyn Expected) -> Self {
        Self::new(Kind::Count { count, expected: expected.to_string() })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Variant { known }).with_value(variant)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown { name: name.to_owned(), known }).at(name)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Kind::Missing(name.to_owned())).at(name)
    }
}

/// The reason alone; whoever shows it names the place.
impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = |found: &Found| match (&self.value, found) {
            (Some(text), _) | (None, Found::Text(text) | Found::Parsed(text)) => shown(text),
            (None, Found::List) => "several values".to_owned(),
            (None, Found::Nothing) => "no value".to_owned(),
            (None, Found::Else) => "something else".to_owned(),
        };
        match &self.kind {
            Kind::Mismatch { found: what, expected } | Kind::Refused { found: what, expected } => {
                write!(f, "expected {}, found {}", one_line(expected), found(what))
            }
            Kind::Ambiguous { expected } => write!(
                f,
                "expected {}, found {}, whose comma may group thousands or begin the decimals",
                one_line(expected),
                self.value.as_deref().map_or_else(|| "a number".to_owned(), shown)
            ),
            Kind::Count { count, expected } => {
                let values = if *count == 1 { "value" } else { "values" };
                let are = if expected.parse::<usize>().is_ok_and(|number| number != 1) { "are" } else { "is" };
                write!(f, "has {count} {values} where {} {are} expected", one_line(expected))
            }
            Kind::NoValue => f.write_str("has no value"),
            Kind::Missing(_) => f.write_str("is missing"),
            Kind::Unknown { known, .. } => write!(f, "is not expected here; known are {}", list(known)),
            Kind::Variant { known } => {
                let text = self.value.as_deref().map_or_else(|| "the value".to_owned(), shown);
                write!(f, "{text} is none of {}", list(known))
            }
            Kind::Other(message) => match &self.value {
                Some(text) if !message.contains(text.as_str()) => {
                    write!(f, "{} was not accepted: {}", shown(text), one_line(message))
                }
                _ => f.write_str(&one_line(message)),
            },
        }
    }
}

impl std::error::Error for Failure {}

/// How much of a text an error shows, in characters.
const SHOWN: usize = 80;
/// How many names an error lists.
const LISTED: usize = 12;

/// A text in quotes, on one line and not too long.
pub(super) fn shown(text: &str) -> String {
    format!("\"{}\"", shortened(text, SHOWN))
}

fn one_line(text: &str) -> String {
    shortened(text, 3 * SHOWN)
}

/// The text without control characters and hidden ones, cut after `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let mut out = crate::text::printable(&text.chars().take(most).collect::<String>());
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// Names in quotes, not too many of them.
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    let mut out = names.iter().take(LISTED).map(|name| shown(name.as_ref())).collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        out.push_str("none");
    } else if names.len() > LISTED {
        let _ = write!(out, " and {} more", names.len() - LISTED);
    }
    out
}
