//! Effects on the request before the service processes it.

use crate::faults::fault::Fault;

impl Fault {
    /// Delivers the request twice, as a repeating proxy does, and returns the second response. The request is held in memory.
    #[must_use]
    pub fn delivered_twice(mut self) -> Self {
        self.delivered_twice = true;
        self
    }

    /// Expires the access token, so that the service answers 401. The refresh token stays valid. Tokens of other issuers are left unchanged.
    #[must_use]
    pub fn token_expired(mut self) -> Self {
        self.token_expired = true;
        self
    }

    /// Ends the session, so that the service answers 401 and the refresh token becomes invalid. Tokens of other issuers are left unchanged.
    #[must_use]
    pub fn token_revoked(mut self) -> Self {
        self.token_revoked = true;
        self
    }
}
