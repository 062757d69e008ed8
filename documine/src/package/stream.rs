//! Streams one entry without a file in between.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::Stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::archive::Archive;
use super::entry::Entry;
use super::error::PackageError;
use super::positioned_file::PositionedFile;
use crate::error::Result;

/// Chunks that are buffered for the consumer.
const BUFFERED_CHUNKS: usize = 4;

/// A stream of an entry's bytes. It ends with an error if the bytes do not match the checksum of the entry.
///
/// `tokio_util::io::StreamReader` turns it into an `AsyncRead`. It occupies a thread of the blocking pool until it ends or is dropped.
#[derive(Debug)]
#[must_use = "a stream does nothing until it is polled"]
pub struct EntryStream {
    chunks: mpsc::Receiver<Result<Bytes>>,
}

impl EntryStream {
    pub(super) fn new(
        archive: Arc<Archive<PositionedFile>>,
        entry: Entry,
        package: Arc<str>,
    ) -> Result<Self, PackageError> {
        let runtime = Handle::try_current()
            .map_err(|_| PackageError::Input("streaming an entry requires a tokio runtime".to_owned()))?;
        let (sender, chunks) = mpsc::channel(BUFFERED_CHUNKS);
        runtime.spawn_blocking(move || {
            let result = archive.unpack(&entry, &AtomicBool::new(false), |chunk| {
                sender.blocking_send(Ok(Bytes::copy_from_slice(chunk))).map_err(|_| PackageError::Cancelled)
            });
            if let Err(error) = result {
                // Fails if the stream was dropped, which needs no error.
                let _ = sender.blocking_send(Err(error.into_error(&package)));
            }
        });
        Ok(Self { chunks })
    }
}

impl Stream for EntryStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_recv(context)
    }
}
