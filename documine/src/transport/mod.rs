//! The one stack every request passes, whoever made it: the facade, [`Client::raw`](crate::Client::raw), [`Client::request`](crate::Client::request).
//!
//! ```text
//! call        the operation's deadline, its span, its observer      call.rs, telemetry.rs, observer.rs
//! auth        a token; 401 → another token → once more              auth.rs
//! retry       what may be repeated is repeated                      retry/
//! pace        not more at once, not faster, than the service takes  pace.rs
//! attempt     body and headers made anew, time limits, redirects    attempt.rs, timeout.rs
//! HTTP        one request, one answer                               http.rs, connection.rs
//! answer      read whole and bounded, or left to stream             answer.rs, coding.rs
//! again       a streamed body that broke off is asked for again     again.rs, transfer/download/
//! classify    answer or trouble → one Error                         classify.rs, error_body.rs
//! ```
//!
//! Why in this order: the deadline holds for everything below it. A refresh is no failed attempt, so auth stands above retry, and what it
//! runs again has the retries that are left. A pause between attempts must not hold a place among the requests under way, so pace stands below retry. Each attempt
//! is judged before retry decides, so classify stands at the bottom and is the only one who looks at statuses.

mod again;
pub(crate) mod answer;
mod attempt;
mod auth;
mod call;
pub(crate) mod classify;
mod coding;
mod connection;
mod error_body;
mod http;
mod observer;
mod pace;
mod retry;
mod retry_after_hint;
mod telemetry;
#[cfg(test)]
mod tests;
mod unpublished;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use documine_api::operations::Operation;
use url::Url;

use crate::auth::{Authenticator, TokenSet};
use crate::clock::{BoxFuture, Clock};
use crate::error::{Error, Result};
use crate::timeout::{Activity, Timeouts};

pub(crate) use again::Broken;
pub(crate) use answer::RawResponse;
pub(crate) use call::{Call, Raw};
pub(crate) use coding::codings;
pub(crate) use connection::{Connection, ProxyChoice};
pub(crate) use http::Http;
pub use observer::{CallEnded, Observer, Retrying};
pub(crate) use pace::Pacer;
pub use pace::Pacing;
pub(crate) use retry::RetryBudget;
pub use retry::{Retry, RetryPolicy};
pub(crate) use retry_after_hint::RetryAfterHint;

/// The workspace's header (guide, step 3).
pub(crate) const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tenant-id");

/// What all calls of a client share.
pub(crate) struct Pipeline {
    /// Makes requests.
    pub(crate) client: reqwest::Client,
    /// Sends them.
    pub(crate) http: Arc<dyn Http>,
    /// Fetches packages from other origins that the service redirects to. `None`: such redirects are not followed.
    pub(crate) elsewhere: Option<Arc<dyn Http>>,
    pub(crate) base: Arc<Url>,
    pub(crate) tenant: HeaderValue,
    pub(crate) auth: Authenticator,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) pacer: Pacer,
    /// Whether calls that don't say pass the pacer.
    pub(crate) paced: bool,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// A JSON or XML answer larger than this, unpacked, is refused before it fills the memory.
    pub(crate) max_answer: usize,
    /// Requests that went out so far, each attempt counted.
    pub(crate) sent: AtomicU64,
}

/// A request body that is made anew for each attempt.
pub(crate) trait Body: Send + Sync {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>>;

    /// Whether it can be opened another time.
    fn opens_again(&self) -> bool;
}

/// What a caller asks of one call. Most ask nothing, so what is large stands elsewhere.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    /// In place of the client's limit from the request to the answer's headers.
    pub(crate) timeout: Option<Duration>,
    /// In place of the client's limit between two pieces of a body.
    pub(crate) idle: Option<Duration>,
    /// In place of the client's limit on the whole call; it holds for a transfer too.
    pub(crate) deadline: Option<Duration>,
    /// In place of the client's rules.
    pub(crate) retry: Option<Retry>,
    pub(crate) retry_policy: Option<Box<RetryPolicy>>,
    pub(crate) paced: Option<bool>,
    /// Further headers.
    pub(crate) headers: Option<Box<HeaderMap>>,
    /// Whether the answer's body is left to be taken piece by piece, of whatever size it is.
    pub(crate) in_pieces: bool,
    /// Who wants to know how long the service wants to be left alone after a good answer.
    pub(crate) asked: Option<RetryAfterHint>,
    /// In place of the generated body.
    pub(crate) body: Option<Arc<dyn Body>>,
}

/// What is known of a call besides the body of its answer.
pub(crate) struct ResponseMeta {
    pub(crate) operation: &'static Operation,
    /// What was sent, without the token.
    pub(crate) request: reqwest::Request,
    /// Where the answer came from, if from elsewhere.
    pub(crate) moved: Option<Box<Url>>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// What the answered attempt was sent with: an answer that echoes it must not show it.
    pub(crate) tokens: Option<Arc<TokenSet>>,
}

impl ResponseMeta {
    /// Where the answer came from.
    pub(crate) fn url(&self) -> &Url {
        self.moved.as_deref().unwrap_or_else(|| self.request.url())
    }

    /// What the facts add to an error about the answer.
    pub(crate) fn of(&self, error: Error) -> Error {
        error
            .with_operation(self.operation.id)
            .with_effort(self.attempts, self.elapsed)
            .repeatable(self.request.method().is_idempotent())
    }
}
