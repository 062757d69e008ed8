//! One entry piece by piece, without a file in between.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::Stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::archive::Archive;
use super::at::At;
use super::entry::Entry;
use super::trouble::Trouble;
use crate::error::Result;

/// How many pieces wait for who takes them.
const WAITING: usize = 4;

/// An entry's bytes. It ends with an error where they are not those that were packed.
///
/// For an `AsyncRead`, see `tokio_util::io::StreamReader`. It holds one of the runtime's threads for blocking work until it ends or is dropped.
#[derive(Debug)]
#[must_use = "a stream does nothing until it is read"]
pub struct EntryStream {
    pieces: mpsc::Receiver<Result<Bytes>>,
}

impl EntryStream {
    pub(super) fn new(archive: Arc<Archive<At>>, entry: Entry, package: Arc<str>) -> Result<Self, Trouble> {
        let runtime = Handle::try_current().map_err(|_| {
            Trouble::Input("an entry is streamed within a tokio runtime; there is none here".to_owned())
        })?;
        let (sender, pieces) = mpsc::channel(WAITING);
        runtime.spawn_blocking(move || {
            let done = archive.unpack(&entry, &AtomicBool::new(false), |piece| {
                sender.blocking_send(Ok(Bytes::copy_from_slice(piece))).map_err(|_| Trouble::Stopped)
            });
            if let Err(trouble) = done {
                // Who has gone away needs no answer.
                let _ = sender.blocking_send(Err(trouble.into_error(&package)));
            }
        });
        Ok(Self { pieces })
    }
}

impl Stream for EntryStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_recv(context)
    }
}
