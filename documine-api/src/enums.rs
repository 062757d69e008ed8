//! Open enums: an unknown value is kept unchanged and is not an error; a number is read as its digits.
//!
//! The enums and their values come from the OpenAPI document, so a newer document adds its values.
//!
//! ```
//! use documine_api::enums::DownloadState;
//!
//! assert_eq!(DownloadState::from("READY"), DownloadState::Ready);
//! let new: DownloadState = serde_json::from_str(r#""PAUSED""#)?;
//! assert_eq!(new, DownloadState::Unknown("PAUSED".into()));
//! assert_eq!(serde_json::to_string(&new)?, r#""PAUSED""#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::convert::Infallible;
use std::fmt;

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $value, "`")]
                $variant,
            )*
            /// A value unknown to this version, unchanged. Conversions never put a known value here.
            Unknown(String),
        }

        impl $name {
            /// The known values, as sent to the service.
            pub const KNOWN: &'static [&'static str] = &[$($value),*];

            /// Returns the value as sent to the service.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }

            /// Returns `true` if this version knows the value.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }

            fn known(value: &str) -> Option<Self> {
                match value {
                    $($value => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self::known(value).unwrap_or_else(|| Self::Unknown(String::from(value)))
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self::known(&value).unwrap_or(Self::Unknown(value))
            }
        }

        impl std::str::FromStr for $name {
            type Err = Infallible;

            fn from_str(value: &str) -> Result<Self, Infallible> {
                Ok(Self::from(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::scalars::read(deserializer).map(|value: crate::scalars::FromText<Self>| value.0)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            /// A string with the known values as examples, because the enum is open.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "examples": Self::KNOWN})
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/enums.rs"));

#[cfg(test)]
mod tests {
    use super::{ProcessingStatus, WorkflowStatus};

    #[test]
    fn preserves_known_and_unknown_values() {
        for value in ProcessingStatus::KNOWN.iter().copied().chain(["NEW_ONE", "", "processed"]) {
            let json = serde_json::to_string(value).expect("writes");
            let read: ProcessingStatus = serde_json::from_str(&json).expect("reads");
            assert_eq!(serde_json::to_string(&read).expect("writes"), json);
            assert_eq!(read.to_string(), value);
            assert_eq!(read.is_known(), ProcessingStatus::KNOWN.contains(&value));
            assert_eq!(ProcessingStatus::from(String::from(value)), read);
        }
    }

    #[test]
    fn reads_values_of_other_types_as_unknown() {
        for (json, text) in [("3", "3"), ("true", "true"), (r#"{"code":"A"}"#, r#"{"code":"A"}"#)] {
            let read: ProcessingStatus = serde_json::from_str(json).expect("reads");
            assert_eq!(read, ProcessingStatus::Unknown(text.into()));
        }
    }

    #[test]
    fn converts_known_values_to_their_variants() {
        assert_eq!(WorkflowStatus::from("UNDER_REVIEW"), WorkflowStatus::UnderReview);
        assert_eq!("APPROVED".parse(), Ok(WorkflowStatus::Approved));
    }
}
