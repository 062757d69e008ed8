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

/// What a transport error is, and whether the service may have seen the request.
pub(crate) fn transport_error(error: &reqwest::Error) -> (ErrorKind, Sent) {
    if error.is_builder() {
        (ErrorKind::Input, Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Connect, Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Sent::Maybe)
    } else {
        (ErrorKind::Interrupted, Sent::Maybe)
    }
}

/// The innermost cause: the one that says something. reqwest's own texts hold the URL, which may hold ids, so they are not shown.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.source().is_none() && std::ptr::addr_eq(cause, std::ptr::from_ref(error)) {
        return if error.is_timeout() { "time limit".into() } else { "no further reason given".into() };
    }
    one_line(&cause.to_string())
}
