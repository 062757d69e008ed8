//! The error of typed extraction: which file, which component, which field, which value, and what was expected instead.

use std::fmt::{self, Display};

use super::NamedValues;
use super::failure::{Failure, Found, Kind, list, shortened, shown};
use super::suggest::suggest;

/// NamedValues could not be read into the type that was asked for.
///
/// `Display` is one line with everything a person needs; the accessors give its parts. The offending value is shortened, and control
/// characters in it are blanks.
///
/// # Troubleshooting
///
/// - *is missing*: the name of the field is no component of the template. Compare the names (the message says which one is close), rename
///   the field with `#[serde(rename = "…")]`, or make it an `Option`.
/// - *has no value*: the component is there, and nothing was found in this file. An `Option`, a list or `#[serde(default)]` takes that.
/// - *has 3 values where one is expected*: make the field a `Vec`, or tighten the rules of the template.
/// - *expected …, found …*: the text does not look like the field's type. Numbers with units and dates in words are read by
///   [`with`](super::with), or by a function of yours under `#[serde(deserialize_with = "…")]`.
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
pub struct ExtractError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    file_name: Option<String>,
    file_id: Option<String>,
    field: String,
    /// Another component that was probably meant.
    similar: Option<String>,
    /// What the file has, for when nothing is similar.
    given: String,
    failure: Failure,
}

/// How much of a value is kept, in characters.
const KEPT: usize = 200;

impl ExtractError {
    pub(super) fn new<T>(mut failure: Failure, components: &NamedValues<'_>) -> Self {
        let type_name = short_name(std::any::type_name::<T>());
        let field = match (&failure.component, failure.index) {
            (Some(component), Some(index)) => format!("{type_name}.{component}[{index}]"),
            (Some(component), None) => format!("{type_name}.{component}"),
            (None, _) => type_name.to_owned(),
        };
        let similar = match &failure.kind {
            Kind::Missing(name) => suggest(name, components.names()),
            Kind::Unknown { name, known } => suggest(name, known.iter().copied()),
            _ => None,
        };
        if let Kind::Mismatch { found: Found::Text(text), .. } | Kind::Refused { found: Found::Text(text), .. } =
            &mut failure.kind
        {
            *text = shortened(text, KEPT);
        }
        failure.value = failure.value.take().map(|value| shortened(&value, KEPT));
        Self(Box::new(Inner {
            file_name: components.file_name.map(str::to_owned),
            file_id: components.file_id.map(str::to_owned),
            field,
            similar: similar.map(str::to_owned),
            given: list(&components.names().collect::<Vec<_>>()),
            failure,
        }))
    }

    /// The name of the file, or its id when no name is known.
    pub fn file(&self) -> Option<&str> {
        self.0.file_name.as_deref().or(self.0.file_id.as_deref())
    }

    /// The id of the file.
    pub fn file_id(&self) -> Option<&str> {
        self.0.file_id.as_deref()
    }

    /// The component. Not known when the type itself refused (an enum at the top), or when several components hold the same text behind a
    /// `#[serde(flatten)]`.
    pub fn component(&self) -> Option<&str> {
        self.0.failure.component.as_deref()
    }

    /// The type and its field under the name serde knows it by, and which of several values: `Study.Dose_Levels[2]`.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// The offending value, shortened; for several values where one is expected, all of them in quotes.
    pub fn value(&self) -> Option<&str> {
        self.0.failure.value.as_deref()
    }

    /// What the field expected, where that can be said in a few words.
    pub fn expected(&self) -> Option<&str> {
        match &self.0.failure.kind {
            Kind::Mismatch { expected, .. }
            | Kind::Refused { expected, .. }
            | Kind::Ambiguous { expected }
            | Kind::Count { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// True when a needed component is not listed, or is listed without a value.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.failure.kind, Kind::Missing(_) | Kind::NoValue)
    }
}

impl Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { field, similar, given, failure, .. } = &*self.0;
        if let Some(file) = self.file() {
            write!(f, "{}: ", shortened(file, KEPT))?;
        }
        // A reason that begins with a verb goes on with the sentence.
        let verb = matches!(failure.kind, Kind::Missing(_) | Kind::NoValue | Kind::Count { .. } | Kind::Unknown { .. });
        let gap = if verb { " " } else { ": " };
        match &failure.component {
            Some(component) => {
                write!(f, "component {} (field {}){gap}{failure}", shown(component), shortened(field, KEPT))?;
            }
            None => write!(f, "components for {}: {failure}", shortened(field, KEPT))?,
        }
        match (&failure.kind, similar) {
            (Kind::Missing(_), Some(similar)) => write!(f, "; the file has {}", shown(similar)),
            (Kind::Missing(_), None) => write!(f, "; the file has {given}"),
            (Kind::Unknown { .. }, Some(similar)) => write!(f, "; {} is close", shown(similar)),
            (Kind::Count { .. }, _) => match self.value() {
                Some(values) => write!(f, ": {values}"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ExtractError {}

/// `a::b::Study<c::D>` as `Study`.
fn short_name(full: &str) -> &str {
    let bare = full.split('<').next().unwrap_or(full);
    bare.rsplit("::").next().unwrap_or(bare)
}
