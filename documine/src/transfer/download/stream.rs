//! A package's bytes for whoever takes them one by one, each of them once, however often the service has to be asked.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::fetch::{Fetch, Step};
use super::sum::Sum;
use crate::error::{Error, ErrorKind, Result};

/// A package's bytes as they arrive. Where the service breaks off they go on where they stopped, by the call's
/// [`RetryPolicy`](crate::RetryPolicy); the stream ends with an error where that does not help, and where fewer or more bytes came than were
/// announced. Whether they are a whole ZIP is for their taker to see.
pub struct PackageStream {
    pieces: Pieces,
    about: About,
}

type Pieces = Pin<Box<dyn Stream<Item = Result<(Bytes, About)>> + Send>>;

/// The package's length and name, as stated by the latest response that began the package.
#[derive(Clone)]
struct About {
    length: Option<u64>,
    name: Option<Arc<str>>,
}

impl About {
    fn of(fetch: &Fetch) -> Self {
        Self { length: fetch.length(), name: fetch.name().map(Arc::from) }
    }
}

impl PackageStream {
    pub(crate) fn new(fetch: Fetch) -> Self {
        let about = About::of(&fetch);
        let state = Some(Once { about: about.clone(), fetch, given: Sum::default(), again: None });
        let pieces = stream::unfold(state, |state| async move {
            let mut once = state?;
            match once.next().await {
                Ok(Some(piece)) => Some((Ok((piece, once.about.clone())), Some(once))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Self { pieces: Box::pin(pieces), about }
    }

    /// Returns the announced length in bytes, where the service announces one. A package that changes before its first byte changes it.
    pub fn length(&self) -> Option<u64> {
        self.about.length
    }

    /// Returns the file name that the service suggests (`Content-Disposition`), where it suggests one. The name is decoded and not safe as a path.
    pub fn suggested_name(&self) -> Option<&str> {
        self.about.name.as_deref()
    }
}

impl Stream for PackageStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = std::task::ready!(self.pieces.as_mut().poll_next(context));
        Poll::Ready(piece.map(|piece| {
            let (piece, about) = piece?;
            self.about = about;
            Ok(piece)
        }))
    }
}

impl std::fmt::Debug for PackageStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageStream").field("length", &self.about.length).finish_non_exhaustive()
    }
}

/// Gives each byte once. What comes again after a restart is left out, if it is the same.
struct Once {
    fetch: Fetch,
    about: About,
    given: Sum,
    /// What has come again since the restart, while that is less than was given.
    again: Option<Sum>,
}

impl Once {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let mut piece = match self.fetch.next().await? {
                Step::Piece(piece) => piece,
                Step::Restart => {
                    self.about = About::of(&self.fetch);
                    self.again = (self.given.bytes > 0).then(Sum::default);
                    continue;
                }
                Step::Resumed => continue,
                Step::End if self.again.is_some() => return Err(changed()),
                Step::End => return Ok(None),
            };
            if let Some(again) = &mut self.again {
                let missing = usize::try_from(self.given.bytes - again.bytes).unwrap_or(usize::MAX);
                let known = piece.split_to(missing.min(piece.len()));
                again.add(&known);
                if again.bytes < self.given.bytes {
                    continue;
                }
                if *again != self.given {
                    return Err(changed());
                }
                self.again = None;
                if piece.is_empty() {
                    continue;
                }
            }
            self.given.add(&piece);
            return Ok(Some(piece));
        }
    }
}

fn changed() -> Error {
    Error::new(ErrorKind::Integrity, "the package became another one while it was fetched; fetch it again")
        .with_operation("downloadPackage")
        .repeatable(true)
}
