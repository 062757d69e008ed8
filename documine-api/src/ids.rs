//! Identifiers: a type for each kind of thing, so that a file's id can't stand where a dossier's belongs.
//!
//! All of them are texts that the service hands out. They become segments of request paths, and a path with an empty or dotted
//! segment is another path (`…/files/..` is the dossier), and URLs read a backslash as a slash; so such texts are refused when an id
//! is made, also when it is read from an answer.
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

/// A text that can't be an identifier.
///
/// Its message names the kind of identifier and what is wrong. The text itself is shown escaped and shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
    reason: &'static str,
    text: String,
}

/// How much of a refused text a message shows, in characters.
const SHOWN: usize = 40;

impl InvalidId {
    fn new(kind: &'static str, reason: &'static str, text: &str) -> Self {
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self { kind, reason, text: shown }
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no {}: {}", self.text, self.kind, self.reason)
    }
}

impl std::error::Error for InvalidId {}

/// Why `text` can't be a segment of a path that stays that very segment.
fn fault(text: &str) -> Option<&'static str> {
    // What nearly all ids are; a list of many files has three for each.
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return None;
    }
    match text {
        "" => Some("it is empty"),
        "." | ".." => Some("it would change the path of the request"),
        _ if text.trim().is_empty() => Some("it is blank"),
        _ if text.chars().any(char::is_control) => Some("it holds control characters"),
        // The generated client encodes `/`, but not this.
        _ if text.contains('\\') => Some("it holds a backslash, which a URL takes for a slash"),
        _ => {
            // Dots that are percent-encoded are dots again in a path that nobody encodes a second time.
            let decoded = text.to_ascii_lowercase().replace("%2e", ".");
            (decoded == "." || decoded == "..").then_some("it would change the path of the request")
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// Refuses a text that is empty, blank, `.` or `..`, or holds control characters or a backslash.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Makes one of a text.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                match fault(&text) {
                    None => Ok(Self(text)),
                    Some(reason) => Err(InvalidId::new($kind, reason, &text)),
                }
            }

            /// The text, as the service wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, as the service wrote it.
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
                Self::new(crate::text::word(deserializer)?).map_err(serde::de::Error::custom)
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
    /// Names a dossier template.
    DossierTemplateId,
    "dossier template id"
);
id!(
    /// Names a dossier.
    DossierId,
    "dossier id"
);
id!(
    /// Names a file of a dossier.
    FileId,
    "file id"
);
id!(
    /// Names a download, also called result package.
    DownloadId,
    "download id"
);
id!(
    /// Names a user of the workspace.
    UserId,
    "user id"
);
id!(
    /// Names a report template, by which a package gets an extraction report.
    ReportTemplateId,
    "report template id"
);
id!(
    /// Any other segment of a path that a document leaves to the caller.
    PathSegment,
    "path segment"
);

#[cfg(test)]
mod tests {
    use super::{DossierId, FileId};

    #[test]
    fn texts_that_change_the_path_are_refused_however_they_are_made() {
        for text in ["", " ", ".", "..", "%2e%2E", ".%2e", "%2e", "a\\..\\..", "\\", "a\nb", "a\u{0}", "\u{85}"] {
            assert!(FileId::new(text).is_err(), "{text:?}");
            assert!(text.parse::<FileId>().is_err(), "{text:?}");
            assert!(FileId::try_from(text).is_err(), "{text:?}");
            let json = serde_json::to_string(text).expect("writes");
            assert!(serde_json::from_str::<FileId>(&json).is_err(), "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_kept_as_they_are() {
        for text in ["9a2f", "a/b", "a b", "...", "ä", "..x", "a?b#c", "%2e%2e%2e"] {
            let id = FileId::new(text).expect("accepted");
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).expect("writes");
            assert_eq!(serde_json::from_str::<FileId>(&json).expect("reads"), id);
        }
    }

    #[test]
    fn whole_numbers_are_read_as_ids() {
        let id: FileId = serde_json::from_str("4711").expect("reads");
        assert_eq!(id.as_str(), "4711");
        for json in ["true", "4711.5", "[1]", "{}", "null"] {
            serde_json::from_str::<FileId>(json).expect_err(json);
        }
    }

    #[test]
    fn a_refusal_names_the_kind_and_shows_no_more_than_a_little() {
        let error = DossierId::new("..").expect_err("refused");
        assert_eq!(error.to_string(), "\"..\" is no dossier id: it would change the path of the request");
        let error = FileId::new(format!("\u{1b}{}", "x".repeat(5000))).expect_err("refused");
        assert!(error.to_string().len() < 120, "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}
