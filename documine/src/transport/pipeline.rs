//! The state that all calls of a client share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ::http::HeaderValue;
use url::Url;

use super::observer::Observer;
use super::rate_limit::RateLimiter;
use super::retry::{RetryBudget, RetryPolicy};
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::http_util::Http;
use crate::timeout::Timeouts;

/// The connections, settings and counters of a client and its clones.
pub(crate) struct Pipeline {
    /// Builds requests.
    pub(crate) client: reqwest::Client,
    /// Sends requests to the service.
    pub(crate) http: Arc<dyn Http>,
    /// Fetches packages from other origins after a redirect of the service. `None`: such redirects are not followed.
    pub(crate) cross_origin_http: Option<Arc<dyn Http>>,
    pub(crate) base_url: Arc<Url>,
    pub(crate) tenant: HeaderValue,
    pub(crate) auth: Authenticator,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) retry_budget: Arc<RetryBudget>,
    pub(crate) rate_limiter: Arc<RateLimiter>,
    /// The rate limit's default for calls that do not choose.
    pub(crate) rate_limited: bool,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// The limit on a JSON or XML response body, in bytes after decompression.
    pub(crate) max_response_size: usize,
    /// Requests sent so far; every attempt counts.
    pub(crate) requests_sent: AtomicU64,
}

impl Pipeline {
    /// Returns a pipeline of another account.
    ///
    /// Rate limit and retry budget are shared, because they protect the service, which is the same for all accounts.
    pub(crate) fn with_auth(&self, auth: Authenticator) -> Self {
        Self {
            client: self.client.clone(),
            http: Arc::clone(&self.http),
            cross_origin_http: self.cross_origin_http.clone(),
            base_url: Arc::clone(&self.base_url),
            tenant: self.tenant.clone(),
            auth,
            clock: Arc::clone(&self.clock),
            timeouts: self.timeouts,
            retry_policy: self.retry_policy.clone(),
            retry_budget: Arc::clone(&self.retry_budget),
            rate_limiter: Arc::clone(&self.rate_limiter),
            rate_limited: self.rate_limited,
            observer: self.observer.clone(),
            max_response_size: self.max_response_size,
            requests_sent: AtomicU64::new(0),
        }
    }
}
