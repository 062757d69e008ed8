//! Ids in the form of UUIDs, derived from the seed: two runs with the same seed and calls produce the same ids.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Returns the id of the `number`-th item of `kind`.
pub(crate) fn id(seed: u64, kind: &str, number: u64) -> String {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    digest.update(kind.as_bytes());
    digest.update(number.to_be_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    // Version 4, variant 1, for readers that check the form.
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_depend_on_the_seed() {
        assert_eq!(super::id(1, "file", 1), super::id(1, "file", 1));
        assert_ne!(super::id(1, "file", 1), super::id(2, "file", 1));
        assert_ne!(super::id(1, "file", 1), super::id(1, "file", 2));
        assert_eq!(super::id(1, "file", 1).len(), 36);
    }
}
