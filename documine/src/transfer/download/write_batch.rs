//! Chunks of a download that are written to the file together.

use bytes::{Bytes, BytesMut};

/// Size below which chunks are copied into one, because a write of its own costs more than the copy.
const COPIED_SIZE: usize = 16 * 1024;

/// Bytes that are not written yet. Large chunks are not copied.
#[derive(Debug, Default)]
pub(super) struct WriteBatch {
    chunks: Vec<Bytes>,
    /// Small chunks after the last of `chunks`.
    copied: BytesMut,
    bytes: usize,
}

impl WriteBatch {
    /// Returns the number of bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        if chunk.len() < COPIED_SIZE {
            self.copied.extend_from_slice(&chunk);
        } else {
            self.end_copied();
            self.chunks.push(chunk);
        }
    }

    /// Returns the bytes in order; no chunk is empty.
    pub(super) fn into_chunks(mut self) -> Vec<Bytes> {
        self.end_copied();
        self.chunks
    }

    fn end_copied(&mut self) {
        if !self.copied.is_empty() {
            self.chunks.push(self.copied.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_joins_small_chunks() {
        let sizes = [3, 0, 5, COPIED_SIZE, COPIED_SIZE - 1, 1, COPIED_SIZE + 1, 7];
        let mut batch = WriteBatch::default();
        let mut expected = Vec::new();
        for (size, fill) in sizes.into_iter().zip(1..) {
            batch.push(vec![fill; size].into());
            expected.resize(expected.len() + size, fill);
        }
        assert_eq!(batch.bytes(), expected.len());
        let chunks = batch.into_chunks();
        let lengths: Vec<_> = chunks.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [8, COPIED_SIZE, COPIED_SIZE, COPIED_SIZE + 1, 7]);
        assert_eq!(chunks.concat(), expected);
        assert!(WriteBatch::default().into_chunks().is_empty());
    }
}
