//! How many bytes, and a checksum of them (CRC-32): enough to see that a package is another one or has lost something, and no proof against one made to
//! look the same, whose maker could as well have sent it first.

use serde::{Deserialize, Serialize};

/// So many bytes with this checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    crc32: u32,
}

impl Sum {
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let mut checksum = crc32fast::Hasher::new_with_initial(self.crc32);
        checksum.update(piece);
        self.crc32 = checksum.finalize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_know_where_pieces_end() {
        let mut whole = Sum::default();
        whole.add(b"foobar");
        assert_eq!((whole.bytes, whole.crc32), (6, 0x9ef6_1f95), "as others reckon it");
        let mut pieces = Sum::default();
        b"foobar".iter().for_each(|byte| pieces.add(&[*byte]));
        assert_eq!(pieces, whole);
        let mut other = Sum::default();
        other.add(b"foobaz");
        assert_ne!(other, whole);
    }
}
