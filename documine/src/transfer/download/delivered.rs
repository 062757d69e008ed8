//! The bytes that a stream has delivered, and their comparison with a response that sends them again.
//!
//! Responses with the same strong validator are the same version (RFC 9110 section 8.8.1), so a checksum is not needed. The last bytes are
//! compared nevertheless, in case the validator is wrong. Without a strong validator, only a checksum of all bytes proves that they belong to
//! the new response, and the checksum must be computed from the first byte on.

use std::collections::VecDeque;

use bytes::Bytes;

use super::checksum::Checksum;
use super::error::changed;
use super::package_meta::PackageMeta;
use crate::error::Result;

/// Length up to which all delivered bytes are kept, so that they can be compared without a validator.
const WHOLE_SIZE: usize = 128 * 1024;
/// Length of the last bytes that are kept of more. They are copied: chunks that are kept longer than their caller needs them cost the allocator
/// more than the copy.
const TAIL_SIZE: usize = 8 * 1024;

/// The delivered bytes of a stream.
pub(super) struct Delivered {
    bytes: u64,
    /// The metadata of the response that delivered the bytes.
    meta: PackageMeta,
    evidence: Evidence,
    /// The comparison with a response that started at byte 0.
    comparison: Option<Comparison>,
}

/// The part of the delivered bytes that can be compared.
enum Evidence {
    /// The checksum of all bytes.
    Checksum(Checksum),
    /// The last bytes of a version with a strong validator.
    Tail(VecDeque<u8>),
}

/// A comparison in progress.
struct Comparison {
    /// The metadata of the response that repeats the bytes.
    meta: PackageMeta,
    /// Bytes repeated so far.
    bytes: u64,
    /// The checksum of the repeated bytes, or the kept bytes that were not repeated yet.
    evidence: Evidence,
}

impl Delivered {
    /// Creates the state of a stream that has delivered nothing yet.
    pub(super) fn new(meta: &PackageMeta) -> Self {
        let evidence = match meta.validator {
            None => Evidence::Checksum(Checksum::default()),
            Some(_) => Evidence::Tail(VecDeque::new()),
        };
        Self { bytes: 0, meta: meta.clone(), evidence, comparison: None }
    }

    /// Starts the comparison with a response that starts at byte 0.
    ///
    /// # Errors
    /// The response may be another version of the package.
    pub(super) fn restart(&mut self, meta: &PackageMeta) -> Result<()> {
        let evidence = match &self.evidence {
            _ if self.bytes == 0 => {
                *self = Self::new(meta);
                return Ok(());
            }
            Evidence::Checksum(_) => Evidence::Checksum(Checksum::default()),
            // A tail that holds all delivered bytes needs no validator.
            Evidence::Tail(tail) if tail.len() as u64 == self.bytes || is_same_version(&self.meta, meta) => {
                Evidence::Tail(tail.clone())
            }
            Evidence::Tail(_) => return Err(changed()),
        };
        self.comparison = Some(Comparison { meta: meta.clone(), bytes: 0, evidence });
        Ok(())
    }

    /// Returns whether the response was compared up to the end of the delivered bytes.
    pub(super) fn is_confirmed(&self) -> bool {
        self.comparison.is_none()
    }

    /// Takes the next chunk of the response. Returns the bytes that were not delivered before.
    ///
    /// # Errors
    /// The repeated bytes differ from the delivered ones.
    pub(super) fn accept(&mut self, mut chunk: Bytes) -> Result<Bytes> {
        if let Some(mut comparison) = self.comparison.take() {
            let missing = usize::try_from(self.bytes - comparison.bytes).unwrap_or(usize::MAX);
            let repeated = chunk.split_to(missing.min(chunk.len()));
            if !self.matches(&mut comparison, &repeated) {
                return Err(changed());
            }
            if comparison.bytes < self.bytes {
                self.comparison = Some(comparison);
                return Ok(chunk);
            }
            self.meta = comparison.meta;
            if let Evidence::Tail(tail) = &self.evidence
                && self.meta.validator.is_none()
            {
                // Without a validator, only a tail that holds all bytes is compared.
                let mut checksum = Checksum::default();
                let (first, last) = tail.as_slices();
                checksum.update(first);
                checksum.update(last);
                self.evidence = Evidence::Checksum(checksum);
            }
        }
        self.bytes += chunk.len() as u64;
        match &mut self.evidence {
            Evidence::Checksum(checksum) => checksum.update(&chunk),
            Evidence::Tail(tail) => push(tail, &chunk, self.bytes),
        }
        Ok(chunk)
    }

    /// Compares the next repeated bytes.
    fn matches(&self, comparison: &mut Comparison, repeated: &[u8]) -> bool {
        let position = comparison.bytes;
        comparison.bytes += repeated.len() as u64;
        match (&self.evidence, &mut comparison.evidence) {
            (Evidence::Checksum(delivered), Evidence::Checksum(checksum)) => {
                checksum.update(repeated);
                comparison.bytes < self.bytes || checksum == delivered
            }
            (Evidence::Tail(delivered), Evidence::Tail(expected)) => {
                let tail_start = self.bytes - delivered.len() as u64;
                let before = usize::try_from(tail_start.saturating_sub(position)).unwrap_or(usize::MAX);
                let repeated = repeated.get(before..).unwrap_or_default();
                expected.len() >= repeated.len() && expected.drain(..repeated.len()).eq(repeated.iter().copied())
            }
            _ => false,
        }
    }
}

/// Adds a chunk to the last bytes. `total` is the number of delivered bytes, including the chunk.
fn push(tail: &mut VecDeque<u8>, chunk: &[u8], total: u64) {
    let limit = if total <= WHOLE_SIZE as u64 { WHOLE_SIZE } else { TAIL_SIZE };
    let chunk = &chunk[chunk.len().saturating_sub(limit)..];
    tail.drain(..(tail.len() + chunk.len()).saturating_sub(limit));
    tail.extend(chunk);
}

/// Returns whether two responses have the same strong validator.
fn is_same_version(one: &PackageMeta, other: &PackageMeta) -> bool {
    let same_length = one.length.is_none() || other.length.is_none() || one.length == other.length;
    one.validator.is_some() && one.validator == other.validator && same_length
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::super::validator::Validator;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const SIZE: usize = 400_000;

    fn meta(tag: Option<&str>) -> PackageMeta {
        let validator = tag.map(|tag| Validator::Etag(format!("\"{tag}\"")));
        PackageMeta { length: Some(SIZE as u64), validator, name: None }
    }

    fn package() -> Bytes {
        (0..251).cycle().take(SIZE).collect::<Vec<u8>>().into()
    }

    /// Delivers the first `bytes` bytes of the package, in chunks of this size.
    fn delivered(tag: Option<&str>, bytes: usize, chunk_size: usize) -> Delivered {
        let mut delivered = Delivered::new(&meta(tag));
        accept(&mut delivered, &package()[..bytes], chunk_size).unwrap();
        delivered
    }

    /// Returns the number of bytes that were not delivered before.
    fn accept(delivered: &mut Delivered, bytes: &[u8], chunk_size: usize) -> Result<usize> {
        let chunks = bytes.chunks(chunk_size).map(|chunk| delivered.accept(Bytes::copy_from_slice(chunk)));
        chunks.map(|chunk| chunk.map(|chunk| chunk.len())).sum()
    }

    /// Returns the number of new bytes in a whole response after 300,000 delivered bytes. `None`: the response is refused.
    fn repeat(first: Option<&str>, second: Option<&str>, change: Option<usize>) -> Option<usize> {
        let mut delivered = delivered(first, 300_000, 10_000);
        delivered.restart(&meta(second)).ok()?;
        let mut bytes = package().to_vec();
        if let Some(at) = change {
            bytes[at] ^= 1;
        }
        let new = accept(&mut delivered, &bytes, 7_001).ok()?;
        assert!(delivered.is_confirmed());
        Some(new)
    }

    #[test]
    fn accepts_repeated_bytes_only_with_proof() {
        let accepted = Some(SIZE - 300_000);
        assert_eq!(repeat(Some("a"), Some("a"), None), accepted);
        assert_eq!(repeat(None, None, None), accepted);
        assert_eq!(repeat(None, Some("a"), None), accepted, "the checksum covers all bytes");
        for (first, second) in [(Some("a"), Some("b")), (Some("a"), None)] {
            assert_eq!(repeat(first, second, None), None, "{first:?}, {second:?}: nothing proves the first bytes");
        }
    }

    #[test]
    fn detects_changed_bytes() {
        for at in [0, 1, 150_000, 299_999] {
            assert_eq!(repeat(None, None, Some(at)), None, "without a validator, changed at {at}");
            assert_eq!(repeat(None, Some("a"), Some(at)), None, "without a first validator, changed at {at}");
        }
        for at in [300_000 - TAIL_SIZE, 295_000, 299_999] {
            assert_eq!(repeat(Some("a"), Some("a"), Some(at)), None, "wrong validator, changed at {at}");
        }
        assert!(repeat(None, None, Some(300_000)).is_some(), "bytes that were not delivered");
    }

    #[test]
    fn compares_few_delivered_bytes_completely() {
        let bytes = package();
        for second in [Some("a"), Some("b"), None] {
            let mut delivered = delivered(Some("a"), WHOLE_SIZE, 999);
            // Interrupted during the comparison.
            delivered.restart(&meta(Some("c"))).unwrap();
            assert_eq!(accept(&mut delivered, &bytes[..WHOLE_SIZE / 2], 1_000).unwrap(), 0);
            assert!(!delivered.is_confirmed());
            delivered.restart(&meta(second)).unwrap();
            assert_eq!(accept(&mut delivered, &bytes[..200_000], 5_000).unwrap(), 200_000 - WHOLE_SIZE, "{second:?}");
            // The version of the second response counts from now on.
            assert_eq!(delivered.restart(&meta(Some("a"))).is_ok(), second != Some("b"), "{second:?}");
            if second.is_none() {
                assert_eq!(accept(&mut delivered, &bytes, 5_000).unwrap(), SIZE - 200_000, "the checksum is complete");
            }
        }
    }

    #[test]
    fn another_length_is_another_version() {
        let mut delivered = delivered(Some("a"), 300_000, 10_000);
        let length = |length| PackageMeta { length, ..meta(Some("a")) };
        assert!(delivered.restart(&length(None)).is_ok());
        assert!(delivered.restart(&length(Some(SIZE as u64 + 1))).is_err());
    }

    #[test]
    fn keeps_the_last_bytes_only() {
        for (bytes, kept) in [(WHOLE_SIZE, WHOLE_SIZE), (WHOLE_SIZE + 1, TAIL_SIZE), (300_000, TAIL_SIZE)] {
            for chunk_size in [1, 5_000, 300_000] {
                let Evidence::Tail(tail) = delivered(Some("a"), bytes, chunk_size).evidence else {
                    unreachable!("there is a validator")
                };
                assert!(tail == &package()[bytes - kept..bytes], "{bytes} bytes in chunks of {chunk_size}");
            }
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(64))]

        #[test]
        fn delivers_each_byte_once(
            tag in prop::option::of(Just("a")),
            cuts in vec(0..SIZE, 0..5),
            chunk_size in 1_000..100_000_usize,
        ) {
            let bytes = package();
            let mut delivered = Delivered::new(&meta(tag));
            let mut received = Vec::new();
            for cut in cuts.into_iter().chain([SIZE]) {
                delivered.restart(&meta(tag)).unwrap();
                for chunk in bytes[..cut].chunks(chunk_size) {
                    received.extend_from_slice(&delivered.accept(Bytes::copy_from_slice(chunk)).unwrap());
                }
            }
            prop_assert!(delivered.is_confirmed() && received == bytes);
        }
    }
}
