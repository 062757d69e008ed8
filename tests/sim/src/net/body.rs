//! Body streams: metered, copied up to a limit, and truncated, stalled, throttled or padded by a fault.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::watch;

use super::socket::Connection;

/// Maximum size of a body that is copied for the check.
const MAX_COPY_BYTES: usize = 2 * 1024 * 1024;

/// The bytes that have passed through a body so far.
#[derive(Clone, Default)]
pub(crate) struct BodyMeter {
    bytes: Arc<AtomicU64>,
    copy: Arc<Mutex<BodyCopy>>,
}

#[derive(Default)]
struct BodyCopy {
    bytes: BytesMut,
    discarded: bool,
}

impl BodyMeter {
    /// Returns the byte count, which is updated while the body flows.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Returns the copied bytes, unless the body was too large.
    #[cfg(feature = "check")]
    pub(crate) fn copy(&self) -> Option<Bytes> {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        (!copy.discarded).then(|| Bytes::copy_from_slice(&copy.bytes))
    }

    /// Discards the copy: an incomplete body cannot be checked.
    fn discard_copy(&self) {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy.discarded = true;
        copy.bytes = BytesMut::new();
    }

    fn record(&self, chunk: &Bytes, keep: bool) {
        self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if keep {
            let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
            if copy.bytes.len() + chunk.len() > MAX_COPY_BYTES {
                copy.discarded = true;
                copy.bytes = BytesMut::new();
            }
            if !copy.discarded {
                copy.bytes.extend_from_slice(chunk);
            }
        }
    }
}

/// Meters a body and, if `keep` is set, copies it.
pub(crate) fn metered(body: Body, keep: bool) -> (Body, BodyMeter) {
    let meter = BodyMeter::default();
    let recorder = meter.clone();
    let stream = body.into_data_stream().inspect(move |chunk| match chunk {
        Ok(chunk) => recorder.record(chunk, keep),
        Err(_) => recorder.discard_copy(),
    });
    (Body::from_stream(stream), meter)
}

/// The end of a truncated body.
pub(crate) enum TruncatedEnd {
    /// The connection is closed.
    Cut,
    /// Nothing follows until the simulator stops or the client gives up.
    Stall(watch::Receiver<bool>),
}

/// Returns the first `limit` bytes of a body, followed by the given end.
pub(crate) fn truncated(body: Body, limit: u64, end: TruncatedEnd) -> Body {
    let left = usize::try_from(limit).unwrap_or(usize::MAX);
    let start = (body.into_data_stream(), left, left == 0, end);
    let pieces = futures_util::stream::unfold(start, |(mut body, left, over, mut end)| async move {
        if over {
            let error = match &mut end {
                TruncatedEnd::Cut => {
                    // Gives the head and the first bytes time to leave before the connection is closed.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    "cut by a fault"
                }
                TruncatedEnd::Stall(stop) => {
                    until_stopped(stop).await;
                    "stalled by a fault until the simulator stopped"
                }
            };
            return Some((Err(std::io::Error::other(error)), (body, 0, true, end)));
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
        Some((piece, (body, left, over, end)))
    });
    Body::from_stream(pieces)
}

/// Returns the body in chunks of `bytes`, with a pause before every chunk except the first. Fails when the simulator stops.
pub(crate) fn throttled(body: Body, bytes: u64, pause: Duration, stop: watch::Receiver<bool>) -> Body {
    let drop = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
    let start = (body.into_data_stream(), Bytes::new(), false, stop);
    let drops = futures_util::stream::unfold(start, move |(mut body, mut left, later, mut stop)| async move {
        while left.is_empty() {
            left = match body.next().await? {
                Ok(piece) => piece,
                Err(error) => return Some((Err(std::io::Error::other(error)), (body, left, later, stop))),
            };
        }
        if later && !sleep_or_stop(pause, &mut stop).await {
            let error = std::io::Error::other("throttled by a fault until the simulator stopped");
            return Some((Err(error), (body, left, later, stop)));
        }
        let drop = left.split_to(drop.min(left.len()));
        Some((Ok(drop), (body, left, true, stop)))
    });
    Body::from_stream(drops)
}

/// Returns the first `limit` bytes as the whole body. The remaining bytes are sent after the response, below HTTP.
pub(crate) fn with_excess(body: Body, limit: u64, connection: Connection) -> Body {
    let start = (body.into_data_stream(), usize::try_from(limit).unwrap_or(usize::MAX));
    let pieces = futures_util::stream::unfold(start, move |(mut body, left)| {
        let connection = connection.clone();
        async move {
            let mut piece = match body.next().await? {
                Ok(piece) => piece,
                Err(error) => return Some((Err(std::io::Error::other(error)), (body, left))),
            };
            if piece.len() < left {
                let left = left - piece.len();
                return Some((Ok(piece), (body, left)));
            }
            let mut rest = BytesMut::from(piece.split_off(left));
            while let Some(Ok(piece)) = body.next().await {
                rest.extend_from_slice(&piece);
            }
            connection.send_after_response(rest.freeze());
            Some((Ok(piece), (body, 0)))
        }
    });
    Body::from_stream(pieces)
}

/// Returns a JSON object with an additional text field of `bytes` bytes, and its length. `None` if the JSON is not an object.
pub(crate) fn padded(json: &Bytes, bytes: u64) -> Option<(Body, u64)> {
    const CHUNK: &[u8] = &[b'x'; 16 * 1024];
    let start = json.iter().position(|byte| !byte.is_ascii_whitespace()).filter(|at| json[*at] == b'{')? + 1;
    let more = json[start..].iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'}');
    let head = Bytes::from_static(b"{\"xPadding\":\"");
    let tail = Bytes::from([if more { &b"\","[..] } else { b"\"" }, &json[start..]].concat());
    let length = bytes.saturating_add((head.len() + tail.len()) as u64);
    let chunk = CHUNK.len() as u64;
    let filling = futures_util::stream::unfold(bytes, move |left| async move {
        let size = left.min(chunk);
        let piece = Bytes::from_static(&CHUNK[..usize::try_from(size).unwrap_or(0)]);
        (size > 0).then_some((piece, left - size))
    });
    let one = |piece| futures_util::stream::once(std::future::ready(piece));
    let pieces = one(head).chain(filling).chain(one(tail)).map(Ok::<_, std::convert::Infallible>);
    Some((Body::from_stream(pieces), length))
}

/// Sleeps in real time. Returns `false` if the simulator stops first.
pub(crate) async fn sleep_or_stop(time: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = until_stopped(stop) => false,
    }
}

/// Returns when the simulator stops.
pub(crate) async fn until_stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means that the simulator is gone.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Reads the rest of a request, so that a client that is still sending receives the response instead of a broken pipe.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(_)) = stream.next().await {}
}
