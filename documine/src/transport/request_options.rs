//! The options of a request, shared by calls, lists, waits and uploads of many files.

use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};

use super::attempt::TENANT_HEADER;
use super::options::CallOptions;
use super::retry::{RetryMode, RetryPolicy};
use crate::error::{Error, Result};

/// The client-side options of a request: time limits, retries, rate limit and additional headers.
///
/// Every request builder has the same methods. A value of this type applies one set of options to many requests: see `with_options` of any
/// builder. [`Client::with_options`](crate::Client::with_options) makes them the defaults of a client. An option that is not set has the client's default.
///
/// On a [wait](crate::wait::Wait), any option besides the deadline makes the wait poll by itself: it shares no list request with other waits.
///
/// ```
/// # async fn f(client: documine::Client) -> documine::Result<()> {
/// use std::time::Duration;
/// use documine::RequestOptions;
///
/// let patient = RequestOptions::new().with_timeout(Duration::from_secs(120)).with_header("X-Request-Source", "nightly");
/// let license = client.license().with_options(patient.clone()).await?;
/// let templates = client.dossier_templates().with_options(patient).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[must_use = "options do nothing until they are applied with `with_options`"]
pub struct RequestOptions {
    pub(crate) call: CallOptions,
    /// The error of an invalid option, returned when the request is sent.
    invalid: Option<Error>,
}

impl RequestOptions {
    /// Creates options of which none is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the per-attempt timeout, from sending the request to receiving the response headers. Upload progress resets it. Default: 60 s.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = Some(timeout);
        self
    }

    /// Sets the timeout between two chunks of the response body. Default: 60 s.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.call.idle_timeout = Some(timeout);
        self
    }

    /// Sets the deadline of the whole operation, with all attempts, pauses and transfers.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.call.deadline = Some(deadline);
        self
    }

    /// Sets which failed attempts are retried. [`RetryMode::EvenIfSent`] includes creations and uploads.
    pub fn with_retry_mode(mut self, mode: RetryMode) -> Self {
        self.call.retry = Some(mode);
        self
    }

    /// Sets the retry policy. Default: the client's.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.call.retry_policy = Some(Box::new(policy));
        // The policy has a mode of its own.
        self.call.retry = None;
        self
    }

    /// Sets whether the client's [rate limit](crate::retry::RateLimit) applies.
    pub fn with_rate_limit(mut self, limited: bool) -> Self {
        self.call.rate_limited = Some(limited);
        self
    }

    /// Adds a header to each request.
    ///
    /// With an invalid name or value, the operation fails before anything is sent ([`ErrorKind::Input`](crate::ErrorKind::Input)). So it does with
    /// the headers that the client sets: `Authorization`, `X-TENANT-ID`, `Content-Length`, `Content-Type`, `Host` and `Transfer-Encoding`.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        const RESERVED: [HeaderName; 6] = [
            header::AUTHORIZATION,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::HOST,
            header::TRANSFER_ENCODING,
            TENANT_HEADER,
        ];
        let invalid = |why: &str| Some(Error::input(format!("invalid header {name:?}: {why}")));
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), _) if RESERVED.contains(&name) => self.invalid = invalid("set by the client; remove it"),
            (Ok(name), Ok(value)) => {
                self.call.headers.get_or_insert_default().insert(name, value);
            }
            _ => self.invalid = invalid("characters not allowed in a header"),
        }
        self
    }

    /// Applies `later` on top of these options: what is set there takes precedence; headers are added.
    pub(crate) fn merge(&mut self, later: Self) {
        let Self { call, invalid } = later;
        let own = &mut self.call;
        own.timeout = call.timeout.or(own.timeout);
        own.idle_timeout = call.idle_timeout.or(own.idle_timeout);
        own.deadline = call.deadline.or(own.deadline);
        // A policy has a mode of its own, which an earlier mode must not override.
        own.retry = call.retry.or(own.retry.filter(|_| call.retry_policy.is_none()));
        own.retry_policy = call.retry_policy.or(own.retry_policy.take());
        own.rate_limited = call.rate_limited.or(own.rate_limited);
        if let Some(headers) = call.headers {
            own.headers.get_or_insert_default().extend(*headers);
        }
        self.invalid = self.invalid.take().or(invalid);
    }

    /// Returns whether no option is set.
    pub(crate) fn is_unset(&self) -> bool {
        let CallOptions { timeout, idle_timeout, deadline, retry, retry_policy, rate_limited, headers, .. } =
            &self.call;
        let limits = [timeout, idle_timeout, deadline];
        limits.iter().all(|limit| limit.is_none())
            && retry.is_none()
            && retry_policy.is_none()
            && rate_limited.is_none()
            && headers.is_none()
            && self.invalid.is_none()
    }

    /// Returns the options of the transport, or the error of an invalid option.
    pub(crate) fn into_call(self) -> Result<CallOptions> {
        match self.invalid {
            Some(error) => Err(error),
            None => Ok(self.call),
        }
    }
}

impl fmt::Debug for RequestOptions {
    /// Omits the values of the headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.call.headers.iter().flat_map(|headers| headers.keys()).collect();
        f.debug_struct("RequestOptions")
            .field("timeout", &self.call.timeout)
            .field("idle_timeout", &self.call.idle_timeout)
            .field("deadline", &self.call.deadline)
            .field("retry_mode", &self.call.retry)
            .field("retry_policy", &self.call.retry_policy)
            .field("rate_limit", &self.call.rate_limited)
            .field("headers", &headers)
            .field("invalid", &self.invalid)
            .finish_non_exhaustive()
    }
}

/// Adds the setters of [`RequestOptions`] to a builder, whose options are at `$field`. `$deadline` is an additional sentence on the deadline.
macro_rules! request_options {
    ($name:ident $(<$generic:ident>)?, $($field:ident).+ $(, deadline: $deadline:literal)?) => {
        impl $(<$generic>)? $name $(<$generic>)? {
            /// Sets the per-attempt timeout, from sending the request to receiving the response headers. Upload progress resets it. Default: the
            /// client's (60 s).
            pub fn with_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.$($field).+ = self.$($field).+.with_timeout(timeout);
                self
            }

            /// Sets the timeout between two chunks of a response body. Default: the client's (60 s).
            pub fn with_idle_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.$($field).+ = self.$($field).+.with_idle_timeout(timeout);
                self
            }

            /// Sets the deadline of the whole operation, with all requests, attempts, pauses and transfers.
            $(#[doc = ""] #[doc = $deadline])?
            pub fn with_deadline(mut self, deadline: ::std::time::Duration) -> Self {
                self.$($field).+ = self.$($field).+.with_deadline(deadline);
                self
            }

            /// Sets which failed attempts are retried. Default: the client's.
            pub fn with_retry_mode(mut self, mode: $crate::transport::RetryMode) -> Self {
                self.$($field).+ = self.$($field).+.with_retry_mode(mode);
                self
            }

            /// Sets the retry policy. Default: the client's.
            pub fn with_retry_policy(mut self, policy: $crate::transport::RetryPolicy) -> Self {
                self.$($field).+ = self.$($field).+.with_retry_policy(policy);
                self
            }

            /// Sets whether the client's [rate limit](crate::retry::RateLimit) applies. Default: the client's setting; on for
            /// [`upload_all`](crate::DossierHandle::upload_all).
            pub fn with_rate_limit(mut self, limited: bool) -> Self {
                self.$($field).+ = self.$($field).+.with_rate_limit(limited);
                self
            }

            /// Adds a header to each request. With an invalid or [reserved](crate::RequestOptions::with_header) name, the operation fails before
            /// anything is sent.
            pub fn with_header(mut self, name: &str, value: &str) -> Self {
                self.$($field).+ = self.$($field).+.with_header(name, value);
                self
            }

            /// Applies a set of options. Options set on this builder before are replaced where `options` sets them.
            pub fn with_options(mut self, options: $crate::transport::RequestOptions) -> Self {
                self.$($field).+.merge(options);
                self
            }
        }
    };
}
pub(crate) use request_options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_options_take_precedence_and_headers_add_up() {
        let seconds = Duration::from_secs;
        let mut options =
            RequestOptions::new().with_timeout(seconds(1)).with_deadline(seconds(9)).with_header("a", "1");
        options.merge(RequestOptions::new().with_timeout(seconds(2)).with_rate_limit(true).with_header("b", "2"));
        let call = options.into_call().ok();
        let summary =
            call.map(|call| (call.timeout, call.deadline, call.rate_limited, call.headers.map(|all| all.len())));
        assert_eq!(summary, Some((Some(seconds(2)), Some(seconds(9)), Some(true), Some(2))));
    }

    #[test]
    fn an_invalid_header_survives_later_options() {
        for name in ["content-length", "Authorization", "X-TENANT-ID"] {
            let mut options = RequestOptions::new().with_header(name, "1");
            options.merge(RequestOptions::new().with_header("a", "1"));
            assert!(options.into_call().is_err_and(|error| error.to_string().contains(name)), "{name}");
        }
    }

    #[test]
    fn a_retry_policy_drops_the_mode_set_before_but_not_the_one_set_later() {
        let policy = || RetryPolicy::default().when(RetryMode::Never);
        let own = RequestOptions::new();
        let set = own.clone().with_retry_mode(RetryMode::EvenIfSent).with_retry_policy(policy());
        assert_eq!((set.call.retry, set.call.retry_policy.is_some()), (None, true));
        let merged = |earlier: RequestOptions, later| {
            let mut options = earlier;
            options.merge(later);
            (options.call.retry, options.call.retry_policy.is_some())
        };
        let (mode, policy) =
            (own.clone().with_retry_mode(RetryMode::EvenIfSent), own.clone().with_retry_policy(policy()));
        assert_eq!(merged(mode.clone(), policy.clone()), (None, true));
        assert_eq!(merged(policy.clone(), mode.clone()), (Some(RetryMode::EvenIfSent), true));
        assert_eq!(merged(mode, own.clone()), (Some(RetryMode::EvenIfSent), false));
        assert_eq!(merged(policy, own), (None, true));
    }
}
