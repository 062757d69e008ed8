//! How many bytes, and a checksum of them (FNV-1a): enough to see that a package is another one or has lost something, and no proof against one made to
//! look the same, whose maker could as well have sent it first.

use serde::{Deserialize, Serialize};

/// So many bytes with this checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) hash: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { bytes: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Sum {
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        for byte in piece {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_know_where_pieces_end() {
        let mut whole = Sum::default();
        whole.add(b"foobar");
        assert_eq!((whole.bytes, whole.hash), (6, 0x8594_4171_f739_67e8), "as its authors publish it");
        let mut pieces = Sum::default();
        b"foobar".iter().for_each(|byte| pieces.add(&[*byte]));
        assert_eq!(pieces, whole);
        let mut other = Sum::default();
        other.add(b"foobaz");
        assert_ne!(other, whole);
    }
}
