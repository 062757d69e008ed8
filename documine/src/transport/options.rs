//! The options of one call.

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;

use super::retry::{RetryMode, RetryPolicy};
use super::retry_after_hint::RetryAfterHint;
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::timeout::Activity;

/// The options of one call, each in place of the client's default. Large ones are boxed, because most calls set none.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    /// The per-attempt timeout, up to the response headers.
    pub(crate) timeout: Option<Duration>,
    /// The timeout between two chunks of a body.
    pub(crate) idle_timeout: Option<Duration>,
    /// The deadline of the whole call, transfers included.
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: Option<RetryMode>,
    pub(crate) retry_policy: Option<Box<RetryPolicy>>,
    pub(crate) rate_limited: Option<bool>,
    /// Additional headers.
    pub(crate) headers: Option<Box<HeaderMap>>,
    /// Leaves the response body as a stream of any length.
    pub(crate) stream_body: bool,
    /// Receives the `Retry-After` of successful responses.
    pub(crate) retry_after_hint: Option<RetryAfterHint>,
    /// Replaces the generated request body.
    pub(crate) body: Option<Arc<dyn RequestBody>>,
}

/// A request body that is built for each attempt.
pub(crate) trait RequestBody: Send + Sync {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>>;

    /// Returns whether the body can be opened for another attempt.
    fn is_reusable(&self) -> bool;
}
