//! A stream of a package that yields each byte once, across any number of responses.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::delivered::Delivered;
use super::error::changed;
use super::fetch::{Fetch, FetchEvent};
use super::package_meta::PackageMeta;
use crate::error::{Error, Result};

/// A stream of a package's bytes. An interrupted response is resumed at the same position, according to the
/// [`RetryPolicy`](crate::retry::RetryPolicy) of the call.
///
/// Where the service sends the package from its first byte again, the bytes already delivered are skipped. They must belong to the same
/// version: by a strong validator (`ETag`, `Last-Modified`) and their last bytes, or without a validator by the checksum of them all.
///
/// The stream ends with an error if resuming fails, if the package has changed, and if the number of bytes differs from the announced length.
/// The ZIP structure is not verified.
pub struct PackageStream {
    chunks: PackageChunkStream,
    meta: Arc<PackageMeta>,
}

/// Chunks with the metadata that was valid when the chunk arrived.
type PackageChunkStream = Pin<Box<dyn Stream<Item = Result<(Bytes, Arc<PackageMeta>)>> + Send>>;

impl PackageStream {
    pub(crate) fn new(fetch: Fetch) -> Self {
        let state = Deduplicated::new(fetch);
        let meta = Arc::clone(&state.meta);
        let state = Some(state);
        let chunks = stream::unfold(state, |state| async move {
            let mut state = state?;
            match state.next().await {
                Ok(Some(chunk)) => Some((Ok((chunk, Arc::clone(&state.meta))), Some(state))),
                Ok(None) => None,
                Err(error) => Some((Err(state.with_missing_context(error)), None)),
            }
        });
        Self { chunks: Box::pin(chunks), meta }
    }

    /// Returns the length in bytes, if the service announces one. A package that changes before its first byte arrives can change the length.
    pub fn length(&self) -> Option<u64> {
        self.meta.length
    }

    /// Returns the file name suggested by the service (`Content-Disposition`), if any. The name is decoded but not safe as a path.
    pub fn suggested_name(&self) -> Option<&str> {
        self.meta.name.as_deref()
    }
}

impl Stream for PackageStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = std::task::ready!(self.chunks.as_mut().poll_next(context));
        Poll::Ready(chunk.map(|chunk| {
            let (chunk, meta) = chunk?;
            self.meta = meta;
            Ok(chunk)
        }))
    }
}

impl std::fmt::Debug for PackageStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageStream").field("length", &self.meta.length).finish_non_exhaustive()
    }
}

/// Yields each byte once. After a restart, the bytes already delivered are compared and skipped.
pub(super) struct Deduplicated {
    fetch: Fetch,
    meta: Arc<PackageMeta>,
    delivered: Delivered,
}

impl Deduplicated {
    pub(super) fn new(fetch: Fetch) -> Self {
        let meta = Arc::new(fetch.meta().clone());
        Self { delivered: Delivered::new(&meta), meta, fetch }
    }

    /// Returns the length in bytes, if the service announces one.
    pub(super) fn length(&self) -> Option<u64> {
        self.meta.length
    }

    /// Adds the context of the download to an error that did not come from a request.
    pub(super) fn with_missing_context(&self, error: Error) -> Error {
        self.fetch.with_missing_context(error)
    }

    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.fetch.next().await? {
                FetchEvent::Chunk(chunk) => {
                    let chunk = self.delivered.accept(chunk)?;
                    if !chunk.is_empty() {
                        return Ok(Some(chunk));
                    }
                }
                FetchEvent::Restarted => {
                    self.meta = Arc::new(self.fetch.meta().clone());
                    self.delivered.restart(&self.meta)?;
                }
                FetchEvent::Resumed => {}
                FetchEvent::End if !self.delivered.is_confirmed() => return Err(changed()),
                FetchEvent::End => return Ok(None),
            }
        }
    }
}
