//! What happens to the request before the service judges it.

use crate::faults::fault::Fault;

impl Fault {
    /// A client sees one answer, the second: the service got the request twice, as from a proxy that repeats it. The request is held in memory.
    #[must_use]
    pub fn delivered_twice(mut self) -> Self {
        self.delivered_twice = true;
        self
    }

    /// A client sees 401: its access token has just expired. The refresh token is good. Tokens that the simulator has not issued are left alone.
    #[must_use]
    pub fn token_expired(mut self) -> Self {
        self.token_expired = true;
        self
    }

    /// A client sees 401: its session has just been ended, so that the refresh token is no good either. Tokens that the simulator has not issued
    /// are left alone.
    #[must_use]
    pub fn token_revoked(mut self) -> Self {
        self.token_revoked = true;
        self
    }
}
