//! How many bytes, and a checksum of them (CRC-32): enough to see that a package is another one or has lost something, and no proof against one made to
//! look the same, whose maker could as well have sent it first.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// The number of bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// So many bytes with this checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    crc32: u32,
}

impl Sum {
    /// Counts everything that `reader` still gives.
    pub(crate) fn of(mut reader: impl Read) -> io::Result<Self> {
        let (mut sum, mut piece) = (Self::default(), vec![0; PIECE]);
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(sum),
                count => sum.add(&piece[..count]),
            }
        }
    }

    /// Adds what follows, by its own checksum.
    pub(crate) fn append(&mut self, behind: Self) {
        let mut checksum = crc32fast::Hasher::new_with_initial_len(self.crc32, self.bytes);
        checksum.combine(&crc32fast::Hasher::new_with_initial_len(behind.crc32, behind.bytes));
        (self.bytes, self.crc32) = (self.bytes + behind.bytes, checksum.finalize());
    }

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
        assert_eq!(Sum::of(b"foobar".as_slice()).ok(), Some(whole));
        for at in 0..=6 {
            let (before, behind) = b"foobar".split_at(at);
            let mut joined = Sum::default();
            joined.add(before);
            joined.append(Sum::of(behind).unwrap_or_default());
            assert_eq!(joined, whole, "joined at {at}");
        }
        let mut other = Sum::default();
        other.add(b"foobaz");
        assert_ne!(other, whole);
    }
}
