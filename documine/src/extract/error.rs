//! The error of typed extraction: file, component, field, value, and the expected type.

use std::fmt::{self, Display};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::failure::{Failure, FailureKind, ReceivedValue, quoted, quoted_list, truncated};
use super::named_values::{NamedValues, Terms};
use super::suggest::suggest;

/// The components could not be deserialized into the requested type.
///
/// `Display` is one line with all details; the accessors return the parts. The invalid value is truncated, and its control characters are replaced
/// by spaces. Serializes to an object with the file, component, field, value, expected value, and the message.
///
/// # Troubleshooting
///
/// - *is missing*: the template has no component of that name. Compare the names (the message suggests a similar one), rename the field with
///   `#[serde(rename = "…")]`, or make it an `Option`.
/// - *has no value*: the component has no value in this file. Use an `Option`, a list or `#[serde(default)]`.
/// - *has 3 values where one is expected*: make the field a `Vec`, or tighten the rules of the template.
/// - *expected …, found …*: the text does not fit the type of the field. Functions in [`with`](super::with), or your own under
///   `#[serde(deserialize_with = "…")]`, read numbers with units and dates in words.
///
/// ```
/// # use documine::extract::NamedValues;
/// #[derive(Debug, serde::Deserialize)]
/// struct Study { animals: u32 }
///
/// let values = ["fifteen".to_owned()];
/// let error = NamedValues::new([("animals", &values[..])]).of_file(Some("a.pdf"), None).extract::<Study>().unwrap_err();
/// assert_eq!(error.component(), Some("animals"));
/// assert_eq!(error.value(), Some("fifteen"));
/// assert_eq!(
///     error.to_string(),
///     "a.pdf: component \"animals\" (field Study.animals): expected a whole number from 0 to 4294967295, found \"fifteen\""
/// );
/// ```
#[derive(Debug, Clone)]
pub struct ExtractError(Box<ExtractErrorDetails>);

#[derive(Debug, Clone)]
struct ExtractErrorDetails {
    file_name: Option<String>,
    file_id: Option<String>,
    terms: &'static Terms,
    field: String,
    /// A component with a similar name.
    similar: Option<String>,
    /// The components of the file, shown if no name is similar.
    given: String,
    failure: Failure,
}

/// The limit on a value kept in the error, in characters.
const MAX_VALUE: usize = 200;

impl ExtractError {
    pub(super) fn new<T>(mut failure: Failure, components: &NamedValues<'_>) -> Self {
        let type_name = short_name(std::any::type_name::<T>());
        let field = match (&failure.component, failure.index) {
            (Some(component), Some(index)) => format!("{type_name}.{component}[{index}]"),
            (Some(component), None) => format!("{type_name}.{component}"),
            (None, _) => type_name.to_owned(),
        };
        let similar = match &failure.kind {
            FailureKind::Missing(name) => suggest(name, components.names()),
            FailureKind::Unknown { name, known } => suggest(name, known.iter().copied()),
            _ => None,
        };
        if let FailureKind::InvalidType { found: ReceivedValue::Text(text), .. }
        | FailureKind::InvalidValue { found: ReceivedValue::Text(text), .. } = &mut failure.kind
        {
            *text = truncated(text, MAX_VALUE);
        }
        failure.value = failure.value.take().map(|value| truncated(&value, MAX_VALUE));
        Self(Box::new(ExtractErrorDetails {
            file_name: components.file_name.map(str::to_owned),
            file_id: components.file_id.map(str::to_owned),
            terms: components.terms,
            field,
            similar: similar.map(str::to_owned),
            given: quoted_list(&components.names().collect::<Vec<_>>()),
            failure,
        }))
    }

    /// Returns the name of the file, or its id if the name is not known; for a row of a report, the sheet and the row.
    pub fn file(&self) -> Option<&str> {
        self.0.file_name.as_deref().or(self.0.file_id.as_deref())
    }

    /// Returns the id of the file.
    pub fn file_id(&self) -> Option<&str> {
        self.0.file_id.as_deref()
    }

    /// Returns the component; for a row of a report, the column.
    ///
    /// `None` if the type itself was rejected (an enum at the top level), or if several components have the same text behind a `#[serde(flatten)]`.
    pub fn component(&self) -> Option<&str> {
        self.0.failure.component.as_deref()
    }

    /// Returns the type and its field by serde's name, with the index among several values: `Study.Dose_Levels[2]`.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// Returns the invalid value, truncated; if several values stand where one is expected, all of them in quotes.
    pub fn value(&self) -> Option<&str> {
        self.0.failure.value.as_deref()
    }

    /// Returns a description of the expected value, if there is a short one.
    pub fn expected(&self) -> Option<&str> {
        match &self.0.failure.kind {
            FailureKind::InvalidType { expected, .. }
            | FailureKind::InvalidValue { expected, .. }
            | FailureKind::Ambiguous { expected }
            | FailureKind::Count { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// Returns true if a required component is not listed or has no value.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.failure.kind, FailureKind::Missing(_) | FailureKind::NoValue)
    }
}

impl ExtractError {
    /// Writes the error without the file.
    pub(super) fn write_reason(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExtractErrorDetails { field, similar, given, failure, terms, .. } = &*self.0;
        let (item, container) = (terms.item, terms.container);
        // A reason that starts with a verb continues the sentence.
        let continues_sentence = matches!(
            failure.kind,
            FailureKind::Missing(_) | FailureKind::NoValue | FailureKind::Count { .. } | FailureKind::Unknown { .. }
        );
        let separator = if continues_sentence { " " } else { ": " };
        match &failure.component {
            Some(component) => {
                let field = truncated(field, MAX_VALUE);
                write!(f, "{item} {} (field {field}){separator}{failure}", quoted(component))?;
            }
            None => write!(f, "{item}s for {}: {failure}", truncated(field, MAX_VALUE))?,
        }
        match (&failure.kind, similar) {
            (FailureKind::Missing(_), Some(similar)) => write!(f, "; the {container} has {}", quoted(similar)),
            (FailureKind::Missing(_), None) => write!(f, "; the {container} has {given}"),
            (FailureKind::Unknown { .. }, Some(similar)) => write!(f, "; did you mean {}?", quoted(similar)),
            (FailureKind::Count { .. }, _) => match self.value() {
                Some(values) => write!(f, ": {values}"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = self.file() {
            write!(f, "{}: ", truncated(file, MAX_VALUE))?;
        }
        self.write_reason(f)
    }
}

impl Serialize for ExtractError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ExtractError", 6)?;
        fields.serialize_field("file", &self.file())?;
        fields.serialize_field("component", &self.component())?;
        fields.serialize_field("field", self.field())?;
        fields.serialize_field("value", &self.value())?;
        fields.serialize_field("expected", &self.expected())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

impl std::error::Error for ExtractError {}

/// Shortens `a::b::Study<c::D>` to `Study`.
pub(super) fn short_name(full: &str) -> &str {
    let bare = full.split('<').next().unwrap_or(full);
    bare.rsplit("::").next().unwrap_or(bare)
}
