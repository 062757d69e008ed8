//! Small things about reqwest that everybody who talks HTTP here needs: what a failure means, and bounded bodies.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::error::{ErrorKind, Sent};
use crate::text::one_line;

/// Reads a body up to `limit` bytes and leaves the rest.
pub(crate) async fn read_bounded(response: reqwest::Response, limit: usize) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == limit {
            break;
        }
    }
    Ok(body.freeze())
}

/// What a transport error is, and whether the other side may have seen the request.
///
/// Looking up the name, connecting and the TLS handshake come before the first byte of a request; what breaks later may have been seen.
pub(crate) fn fate(error: &reqwest::Error) -> (ErrorKind, Sent) {
    if error.is_builder() {
        (ErrorKind::Input, Sent::No)
    } else if error.is_connect() {
        (if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Connect }, Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Sent::Maybe)
    } else {
        (ErrorKind::Interrupted, Sent::Maybe)
    }
}

/// An error and those behind it, from the outermost to the innermost.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// The innermost cause: the one that says something. reqwest's own texts hold the URL, which may hold ids, so they are not shown.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    match causes(error).skip(1).last() {
        Some(cause) => one_line(&cause.to_string()),
        None if error.is_timeout() => "time limit".into(),
        None => "no further reason given".into(),
    }
}
