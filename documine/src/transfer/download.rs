//! Fetching a package: as a stream, or into a file that appears under its name only when it is whole.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::header;
use tokio::time::Instant;

use super::part_file::PartFile;
use super::progress::Progress;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::transport::Answered;
use crate::transport::classify::{Evidence, classify};
use crate::transport::timeout::within;

/// A file that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A package's bytes as they arrive. It ends with an error where fewer or more bytes came than were announced.
pub struct PackageStream {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    length: Option<u64>,
}

impl PackageStream {
    pub(crate) fn new(answered: Answered, idle: Duration, until: Option<Instant>) -> Self {
        let begun = Instant::now();
        let (body, facts) = answered.stream();
        let (headers, attempts, elapsed) = (facts.headers, facts.attempts, facts.elapsed);
        // Fetching it again does nothing twice.
        let broken = move |error: Error| {
            let elapsed = elapsed.saturating_add(begun.elapsed());
            error.with_operation("downloadPackage").repeatable(true).with_effort(attempts, elapsed)
        };
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let state = Some((Box::pin(body.bytes_stream()), 0));
        let pieces = stream::unfold(state, move |state| async move {
            let (mut body, got) = state?;
            // Only a caller's own deadline ends a transfer that moves.
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let (limit, phase) = match left {
                Some(left) if left < idle => (left, TimeoutPhase::Operation),
                _ => (idle, TimeoutPhase::Idle),
            };
            match within(body.next(), limit, phase).await {
                Err(error) => Some((Err(broken(error)), None)),
                Ok(Some(Ok(piece))) => {
                    let got = got + piece.len() as u64;
                    if length.is_some_and(|length| got > length) {
                        return Some((Err(broken(wrong_length(got, length))), None));
                    }
                    Some((Ok(piece), Some((body, got))))
                }
                Ok(Some(Err(error))) => Some((Err(broken(classify(Evidence::NoAnswer(&error)))), None)),
                Ok(None) if length.is_some_and(|length| got != length) => {
                    Some((Err(broken(wrong_length(got, length))), None))
                }
                Ok(None) => None,
            }
        });
        Self { pieces: Box::pin(pieces), length }
    }

    /// How many bytes the service announced, where it did.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Writes everything into `part`, and gives it its name when it is whole and safe on disk.
    pub(crate) async fn save_to(mut self, mut part: PartFile, progress: Option<Arc<dyn Progress>>) -> Result<Saved> {
        let mut bytes = 0;
        while let Some(piece) = self.next().await {
            let piece = piece?;
            part.write(&piece).await?;
            bytes += piece.len() as u64;
            if let Some(progress) = &progress {
                progress.moved(bytes, self.length);
            }
        }
        Ok(Saved { path: part.finish().await?, bytes })
    }
}

impl Stream for PackageStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for PackageStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageStream").field("length", &self.length).finish_non_exhaustive()
    }
}

fn wrong_length(got: u64, announced: Option<u64>) -> Error {
    Error::new(
        ErrorKind::Integrity,
        format!("{got} bytes came, {} were announced; fetch the package again", announced.unwrap_or_default()),
    )
}
