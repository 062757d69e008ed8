//! A secret text: wiped from memory when dropped, never shown.
//!
//! `Zeroizing` does the wiping. The crate `secrecy` is not used: its `SecretString` moves the text into a `Box<str>`, which can leave an unwiped
//! copy of it behind, and this wrapper would still be needed to keep a foreign type out of public signatures.

use std::fmt;

use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A text that is never shown: [`Debug`](fmt::Debug) prints `[redacted]`, there is no `Display`, and its memory is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text itself. Handle with care.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares the secret with a text in constant time, so that the duration does not reveal a matching prefix.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.expose().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// `Deserialize` without `Serialize`: a secret is read from its text only by [`expose`](Secret::expose).
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
