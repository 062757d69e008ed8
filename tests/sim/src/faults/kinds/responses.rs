//! Responses from in front of the service: limits, proxies, login pages. The service does not receive the request.

use crate::faults::fault::Fault;

/// The page of a reverse proxy whose service does not answer.
const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
/// The page of a gateway with its own sign-in.
const LOGIN: &str = "<!DOCTYPE html>\n<html>\n<head><title>Sign in</title></head>\n<body>\n<form method=\"post\" action=\"/sso/login\">\n<input name=\"username\"><input name=\"password\" type=\"password\"><button>Sign in</button>\n</form>\n</body>\n</html>\n";

/// A response of a fault, made without the service.
#[derive(Debug, PartialEq)]
pub(crate) struct CannedResponse {
    pub(crate) status: u16,
    /// Content type and text. `None` selects the API's error body for the status.
    pub(crate) body: Option<(Option<&'static str>, &'static str)>,
    pub(crate) retry_after: Option<RetryAfter>,
}

/// The two forms of the header (RFC 9110, 10.2.3), both in seconds from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RetryAfter {
    Seconds(u64),
    Date(u64),
}

impl Fault {
    /// Answers 429 with `Retry-After: seconds`.
    #[must_use]
    pub fn rate_limited(mut self, seconds: u64) -> Self {
        self.rate_limited = Some(seconds);
        self
    }

    /// Answers 429 with `Retry-After` as an HTTP date, this many seconds after the response's `Date`. Both follow the simulated clock.
    #[must_use]
    pub fn rate_limited_until_date(mut self, seconds: u64) -> Self {
        self.rate_limited_until_date = Some(seconds);
        self
    }

    /// Answers 503 with `Retry-After: seconds`.
    #[must_use]
    pub fn unavailable(mut self, seconds: u64) -> Self {
        self.unavailable = Some(seconds);
        self
    }

    /// Answers 502 with the HTML page of a proxy.
    #[must_use]
    pub fn bad_gateway_page(mut self) -> Self {
        self.bad_gateway_page = true;
        self
    }

    /// Answers 500 without a body and without a content type.
    #[must_use]
    pub fn empty_error(mut self) -> Self {
        self.empty_error = true;
        self
    }

    /// Answers 200 with the HTML of a login page.
    #[must_use]
    pub fn login_page(mut self) -> Self {
        self.login_page = true;
        self
    }

    /// Returns the response of the fault, if the fault answers without the service.
    pub(crate) fn canned_response(&self) -> Option<CannedResponse> {
        let bare = |status| CannedResponse { status, body: None, retry_after: None };
        let waiting = |status, retry_after| CannedResponse { retry_after: Some(retry_after), ..bare(status) };
        let page =
            |status, text| CannedResponse { body: Some((Some("text/html; charset=utf-8"), text)), ..bare(status) };
        let canned = if let Some(seconds) = self.rate_limited {
            waiting(429, RetryAfter::Seconds(seconds))
        } else if let Some(seconds) = self.rate_limited_until_date {
            waiting(429, RetryAfter::Date(seconds))
        } else if let Some(seconds) = self.unavailable {
            waiting(503, RetryAfter::Seconds(seconds))
        } else if self.bad_gateway_page {
            page(502, BAD_GATEWAY)
        } else if self.empty_error {
            CannedResponse { body: Some((None, "")), ..bare(500) }
        } else if self.login_page {
            page(200, LOGIN)
        } else {
            bare(self.status?)
        };
        Some(CannedResponse { status: self.status.unwrap_or(canned.status), ..canned })
    }
}
