//! The predicates of an error.

use http::StatusCode;

use super::{Error, ErrorKind, Sent};

impl Error {
    /// Returns whether the service itself responded with `status`, and not the identity provider or an object store.
    fn is_service_status(&self, status: StatusCode) -> bool {
        self.0.kind != ErrorKind::Auth && self.0.redirect_origin.is_none() && self.0.status == Some(status)
    }

    /// Returns true if a timeout or deadline expired.
    ///
    /// # Troubleshooting
    /// [`timeout_phase`](Self::timeout_phase) names the timeout. Raise it for the call (`with_timeout`, `with_deadline`) or for the client (for
    /// example [`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout)), or check for a proxy that delays responses. Check
    /// [`was_sent`](Self::was_sent) before repeating a call that changes something.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns true if the service responded with 404: the resource does not exist, or not for this account.
    ///
    /// # Troubleshooting
    /// Check the id and the workspace. A resource in the trash needs `include_soft_deleted`; a package may have expired.
    pub fn is_not_found(&self) -> bool {
        self.is_service_status(StatusCode::NOT_FOUND)
    }

    /// Returns true if the service responded with 401, even to a new token.
    ///
    /// # Troubleshooting
    /// The token may belong to the identity provider of another workspace, or the account may be disabled.
    pub fn is_unauthorized(&self) -> bool {
        self.0.redirect_origin.is_none() && self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// Returns true if the service responded with 403: the account lacks the permission for the call.
    ///
    /// # Troubleshooting
    /// An administrator of the workspace can grant the role that the call needs. A new login does not help.
    pub fn is_forbidden(&self) -> bool {
        self.is_service_status(StatusCode::FORBIDDEN)
    }

    /// Returns true if the service responded with 409: the state of the resource does not allow the call.
    ///
    /// Examples: an archived dossier, a file that is still analysed, a package that is not ready.
    ///
    /// # Troubleshooting
    /// Wait for the state (`wait_until_processed()`, `wait()`), or choose another dossier: an archived dossier stays read-only.
    pub fn is_conflict(&self) -> bool {
        self.is_service_status(StatusCode::CONFLICT)
    }

    /// Returns true if the service responded with 429.
    ///
    /// Also true for a rate-limited call that was not sent ([`was_sent`](Self::was_sent) is `false`), because the pause after an earlier 429 exceeds
    /// the time left for the call.
    ///
    /// # Troubleshooting
    /// Wait for [`retry_after`](Self::retry_after) if given, and send fewer requests.
    pub fn is_rate_limited(&self) -> bool {
        self.is_service_status(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns true if the same call may succeed later: connection errors, timeouts, 408, 429, 502, 503, 504.
    ///
    /// # Troubleshooting
    /// Idempotent calls have been retried already. Check [`was_sent`](Self::was_sent) before repeating another call.
    pub fn is_transient(&self) -> bool {
        self.0.transient
            || matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted)
            || matches!(self.0.status.map(|s| s.as_u16()), Some(408 | 429 | 502 | 503 | 504))
    }

    /// Returns true if a new login is required: the refresh token is used, revoked or expired, or the credentials are wrong.
    ///
    /// # Troubleshooting
    /// The message contains the reason of the identity provider. Log in again, or use other [`Credentials`](crate::Credentials).
    pub fn needs_login(&self) -> bool {
        self.0.needs_login
    }

    /// Returns true if the OpenAPI document of this build lacks something that the call needs. Nothing was sent.
    ///
    /// Only possible with a document of your own that lacks an operation, never with the document of this crate.
    ///
    /// # Troubleshooting
    /// [`api::document`](documine_api::document) lists the contents of the document. If it has the operation under another path, map the operation
    /// with `cargo xtask regen --map` (in the repository) or `DOCUMINE_OPENAPI_MAPPING` (in your own build).
    pub fn is_unsupported_by_document(&self) -> bool {
        self.0.kind == ErrorKind::UnsupportedByDocument
    }

    /// Returns true if the service may have received the request. `false`: even a creation can be repeated safely.
    ///
    /// # Troubleshooting
    /// If `true` after a timeout, check whether the resource exists before creating it again.
    pub fn was_sent(&self) -> bool {
        self.0.sent != Sent::No
    }

    /// Returns true if repeating the call cannot have an effect twice.
    ///
    /// That is so for idempotent methods (RFC 9110 section 9.2.2), if the service did not receive the request, or if it did not process it: a client
    /// error (4xx), or 503 with `Retry-After`.
    ///
    /// # Troubleshooting
    /// If `false` after the lost response to a creation or an upload, check whether the resource exists. [`is_transient`](Self::is_transient) shows
    /// whether a retry can help.
    pub fn is_safe_to_repeat(&self) -> bool {
        self.0.repeatable || self.0.sent != Sent::Maybe
    }
}
