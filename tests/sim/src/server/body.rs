//! Bodies on their way: counted, copied up to a limit, or cut.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
    let stream = body.into_data_stream().inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            watcher.note(chunk, keep);
        }
    });
    (Body::from_stream(stream), passed)
}

/// The first `limit` bytes of a body, then a broken connection.
pub(crate) fn cut(body: Body, limit: u64) -> Body {
    let stream = body.into_data_stream().map(|chunk| chunk.map_err(std::io::Error::other));
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut over = false;
    let stream = futures_util::stream::StreamExt::flat_map(stream, move |chunk| {
        let mut out = Vec::new();
        match chunk {
            _ if over => {}
            Ok(chunk) if chunk.len() < left => {
                left -= chunk.len();
                out.push(Ok(chunk));
            }
            Ok(chunk) => {
                over = true;
                out.push(Ok(chunk.slice(..left)));
                out.push(Err(std::io::Error::other("cut by a fault")));
            }
            Err(error) => out.push(Err(error)),
        }
        futures_util::stream::iter(out)
    });
    Body::from_stream(stream)
}

/// Reads what is left of a request, so that a client that is still sending gets the answer instead of a broken pipe.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(_)) = stream.next().await {}
}
