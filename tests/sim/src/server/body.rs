//! Bodies on their way: counted, copied up to a limit, or cut.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

/// Bodies that are bigger are not copied for the check.
const BIGGEST_COPY: usize = 2 * 1024 * 1024;

/// What has gone through a body so far.
#[derive(Clone, Default)]
pub(crate) struct Passed {
    bytes: Arc<AtomicU64>,
    copy: Arc<Mutex<Copy>>,
}

#[derive(Default)]
struct Copy {
    kept: BytesMut,
    given_up: bool,
}

impl Passed {
    /// The number of bytes so far, also while they still flow.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// The bytes, unless they were too many.
    #[cfg(feature = "check")]
    pub(crate) fn copy(&self) -> Option<Bytes> {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        (!copy.given_up).then(|| Bytes::copy_from_slice(&copy.kept))
    }

    /// A body that broke off is no body to be judged.
    fn give_up(&self) {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy.given_up = true;
        copy.kept = BytesMut::new();
    }

    fn note(&self, chunk: &Bytes, keep: bool) {
        self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if keep {
            let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
            if copy.kept.len() + chunk.len() > BIGGEST_COPY {
                copy.given_up = true;
                copy.kept = BytesMut::new();
            }
            if !copy.given_up {
                copy.kept.extend_from_slice(chunk);
            }
        }
    }
}

/// The same body, watched; `keep` copies it.
pub(crate) fn watched(body: Body, keep: bool) -> (Body, Passed) {
    let passed = Passed::default();
    let watcher = passed.clone();
    let stream = body.into_data_stream().inspect(move |chunk| match chunk {
        Ok(chunk) => watcher.note(chunk, keep),
        Err(_) => watcher.give_up(),
    });
    (Body::from_stream(stream), passed)
}

/// The first `limit` bytes of a body, then a broken connection.
pub(crate) fn cut(body: Body, limit: u64) -> Body {
    let left = usize::try_from(limit).unwrap_or(usize::MAX);
    let start = (body.into_data_stream(), left, false);
    let pieces = futures_util::stream::unfold(start, |(mut body, left, over)| async move {
        if over {
            // A moment, so that the head and the first bytes are on their way before the connection breaks.
            tokio::time::sleep(Duration::from_millis(20)).await;
            return Some((Err(std::io::Error::other("cut by a fault")), (body, 0, true)));
        }
        let piece = body.next().await?.map_err(std::io::Error::other);
        let (piece, left, over) = match piece {
            Ok(piece) if piece.len() < left => {
                let left = left - piece.len();
                (Ok(piece), left, false)
            }
            Ok(piece) => (Ok(piece.slice(..left)), 0, true),
            Err(error) => (Err(error), left, false),
        };
        Some((piece, (body, left, over)))
    });
    Body::from_stream(pieces)
}

/// Reads what is left of a request, so that a client that is still sending gets the answer instead of a broken pipe.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(_)) = stream.next().await {}
}
