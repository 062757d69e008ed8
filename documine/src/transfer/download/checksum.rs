//! Byte count and CRC-32 of a byte sequence.
//!
//! The checksum detects a different package and lost bytes. It does not protect against manipulation: an attacker who could forge a matching
//! package could also have sent the forged package first.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// Bytes that are read at a time.
const CHUNK_SIZE: usize = 64 * 1024;

/// The number of bytes and their CRC-32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) bytes: u64,
    crc32: u32,
}

impl Checksum {
    /// Computes the checksum of all bytes of a reader.
    pub(crate) fn of(mut reader: impl Read) -> io::Result<Self> {
        let (mut checksum, mut chunk) = (Self::default(), vec![0; CHUNK_SIZE]);
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(checksum),
                length => checksum.update(&chunk[..length]),
            }
        }
    }

    /// Appends the checksum of the following bytes.
    pub(crate) fn append(&mut self, following: Self) {
        let mut hasher = crc32fast::Hasher::new_with_initial_len(self.crc32, self.bytes);
        hasher.combine(&crc32fast::Hasher::new_with_initial_len(following.crc32, following.bytes));
        (self.bytes, self.crc32) = (self.bytes + following.bytes, hasher.finalize());
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc32);
        hasher.update(chunk);
        self.crc32 = hasher.finalize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_depend_on_chunk_boundaries() {
        let mut whole = Checksum::default();
        whole.update(b"foobar");
        assert_eq!((whole.bytes, whole.crc32), (6, 0x9ef6_1f95), "the standard CRC-32");
        let mut chunks = Checksum::default();
        b"foobar".iter().for_each(|byte| chunks.update(&[*byte]));
        assert_eq!(chunks, whole);
        assert_eq!(Checksum::of(b"foobar".as_slice()).ok(), Some(whole));
        for at in 0..=6 {
            let (first, second) = b"foobar".split_at(at);
            let mut joined = Checksum::default();
            joined.update(first);
            joined.append(Checksum::of(second).unwrap_or_default());
            assert_eq!(joined, whole, "joined at {at}");
        }
        let mut other = Checksum::default();
        other.update(b"foobaz");
        assert_ne!(other, whole);
    }
}
