//! Ids, codes and secrets derived from the seed, so that two runs with the same seed produce the same values.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Letters of user codes: no vowels, which could form words, and no letters that resemble digits.
const USER_CODE_LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Derives ids, codes and secrets from a seed.
#[derive(Clone, Copy)]
pub(super) struct IdGenerator {
    seed: u64,
}

impl IdGenerator {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns 32 bytes for a kind and a name.
    pub(super) fn bytes(self, kind: &str, name: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        // Length prefixes keep different pairs of kind and name apart.
        for part in [kind, name] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    /// Returns a UUID in the form of version 4.
    pub(super) fn uuid(self, kind: &str, name: &str) -> String {
        let number =
            self.bytes(kind, name).into_iter().take(16).fold(0_u128, |number, byte| (number << 8) | u128::from(byte));
        let hex = format!("{number:032x}");
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// Returns a short opaque id, as for sessions.
    pub(super) fn short(self, kind: &str, name: &str) -> String {
        URL_SAFE_NO_PAD.encode(&self.bytes(kind, name)[..18])
    }

    /// Returns a long opaque id, as for device codes.
    pub(super) fn long(self, kind: &str, name: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes(kind, name))
    }

    /// Returns a code for users to type: `BCDF-GHJK`.
    pub(super) fn user_code(self, name: &str) -> String {
        let bytes = self.bytes("user-code", name);
        let letters: Vec<char> = bytes
            .iter()
            .take(8)
            .map(|byte| char::from(USER_CODE_LETTERS[usize::from(*byte) % USER_CODE_LETTERS.len()]))
            .collect();
        let (left, right) = letters.split_at(4);
        format!("{}-{}", String::from_iter(left), String::from_iter(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_the_realm_seed() {
        let (one, two) = (IdGenerator::new(1), IdGenerator::new(2));
        assert_eq!(one.uuid("session", "4"), IdGenerator::new(1).uuid("session", "4"));
        assert_ne!(one.uuid("session", "4"), two.uuid("session", "4"));
        assert_ne!(one.uuid("ab", "c"), one.uuid("a", "bc"));
    }

    #[test]
    fn ids_have_the_expected_form() {
        let ids = IdGenerator::new(7);
        let uuid = ids.uuid("x", "1");
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        let code = ids.user_code("1");
        assert_eq!(code.len(), 9);
        assert_eq!(code.find('-'), Some(4));
        assert_eq!(ids.short("session", "1").len(), 24);
    }
}
