//! Typed identifiers: one type per resource, so that a file id cannot be used as a dossier id.
//!
//! Ids are strings assigned by the service and become segments of request paths. An empty or dotted segment changes the path
//! (`…/files/..` is the dossier), and URLs treat a backslash as a slash. Creating an id from such a string fails, also when
//! reading a response.
//!
//! ```
//! use documine_api::ids::{DossierId, FileId};
//!
//! let file = FileId::new("9a2f4c6e-7b1d-4830-a5e9-c0d8f6b3e140")?;
//! assert_eq!(file.as_str(), "9a2f4c6e-7b1d-4830-a5e9-c0d8f6b3e140");
//! assert!(DossierId::new("..").is_err());
//! # Ok::<(), documine_api::ids::InvalidId>(())
//! ```

use std::fmt;

/// An error for a string that is not a valid identifier.
///
/// The message names the kind of identifier and the reason, and shows the string escaped and shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
    reason: &'static str,
    text: String,
}

/// Maximum length of the string shown in a message, in characters.
const MAX_SHOWN_CHARS: usize = 40;

impl InvalidId {
    fn new(kind: &'static str, reason: &'static str, text: &str) -> Self {
        let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self { kind, reason, text: shown }
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid {} {:?}: {}", self.kind, self.text, self.reason)
    }
}

impl std::error::Error for InvalidId {}

/// Returns the reason why `text` cannot be a path segment, if there is one.
fn find_fault(text: &str) -> Option<&'static str> {
    // The fast path for nearly all ids: a list of files contains three per file.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return None;
    }
    match text {
        "" => Some("it is empty"),
        "." | ".." => Some("it would change the path of the request"),
        _ if text.trim().is_empty() => Some("it is blank"),
        _ if text.chars().any(char::is_control) => Some("it contains control characters"),
        // The generated client encodes `/`, but not `\\`.
        _ if text.contains('\\') => Some("it contains a backslash, which URLs treat as a slash"),
        _ => {
            // A server decodes percent-encoded dots in a path that is not encoded a second time.
            let decoded = text.to_ascii_lowercase().replace("%2e", ".");
            (decoded == "." || decoded == "..").then_some("it would change the path of the request")
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// Rejects strings that are empty, blank, `.` or `..`, or contain control characters or a backslash.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Creates an id from a string.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                match find_fault(&text) {
                    None => Ok(Self(text)),
                    Some(reason) => Err(InvalidId::new($kind, reason, &text)),
                }
            }

            /// Returns the id as a string slice.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Converts the id into a string.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = InvalidId;

            fn try_from(text: &String) -> Result<Self, InvalidId> {
                Self::new(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: crate::scalars::IdText = crate::scalars::read(deserializer)?;
                Self::new(text.0).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "minLength": 1})
            }
        }
    };
}

id!(
    /// The id of a dossier template.
    DossierTemplateId,
    "dossier template id"
);
id!(
    /// The id of a dossier.
    DossierId,
    "dossier id"
);
id!(
    /// The id of a file in a dossier.
    FileId,
    "file id"
);
id!(
    /// The id of a download, also called result package.
    DownloadId,
    "download id"
);
id!(
    /// The id of a user of the workspace.
    UserId,
    "user id"
);
id!(
    /// The id of a report template, which adds an extraction report to a package.
    ReportTemplateId,
    "report template id"
);
id!(
    /// Any other path segment that an operation of the document takes from the caller.
    PathSegment,
    "path segment"
);

#[cfg(test)]
mod tests {
    use super::{DossierId, FileId};

    #[test]
    fn rejects_strings_that_change_the_path_in_every_conversion() {
        for text in ["", " ", ".", "..", "%2e%2E", ".%2e", "%2e", "a\\..\\..", "\\", "a\nb", "a\u{0}", "\u{85}"] {
            assert!(FileId::new(text).is_err(), "{text:?}");
            assert!(text.parse::<FileId>().is_err(), "{text:?}");
            assert!(FileId::try_from(text).is_err(), "{text:?}");
            let json = serde_json::to_string(text).expect("writes");
            assert!(serde_json::from_str::<FileId>(&json).is_err(), "{text:?}");
        }
    }

    #[test]
    fn keeps_other_strings_unchanged() {
        for text in ["9a2f", "a/b", "a b", "...", "ä", "..x", "a?b#c", "%2e%2e%2e"] {
            let id = FileId::new(text).expect("accepted");
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).expect("writes");
            assert_eq!(serde_json::from_str::<FileId>(&json).expect("reads"), id);
        }
    }

    #[test]
    fn reads_integers_as_ids_and_rejects_other_types() {
        assert_eq!(serde_json::from_str::<FileId>("4711").expect("reads").as_str(), "4711");
        for json in ["7.0", "7.5", "true", "null", "[7]", "{}"] {
            assert!(serde_json::from_str::<FileId>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn error_names_the_kind_and_shortens_the_string() {
        let error = DossierId::new("..").expect_err("rejected");
        assert_eq!(error.to_string(), "invalid dossier id \"..\": it would change the path of the request");
        let error = FileId::new(format!("\u{1b}{}", "x".repeat(5000))).expect_err("rejected");
        assert!(error.to_string().len() < 120, "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}
