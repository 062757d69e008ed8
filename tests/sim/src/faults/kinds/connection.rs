//! Effects on the connection and its bytes.

use crate::faults::fault::{Drip, Fault};

impl Fault {
    /// Makes the client see the head, this many bytes of the body, and the end of the connection (FIN) before the declared length.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Makes the client see the head, this many bytes of the body, and no further byte until the client gives up or the simulator stops.
    #[must_use]
    pub fn stall_after(mut self, bytes: u64) -> Self {
        self.stall_after = Some(bytes);
        self
    }

    /// Sends the body in chunks of `bytes`, with `every_ms` milliseconds of real time between chunks.
    #[must_use]
    pub fn drip(mut self, bytes: u64, every_ms: u64) -> Self {
        self.drip = Some(Drip { bytes, every_ms });
        self
    }

    /// Changes `Content-Length` by `delta` bytes. If the length is too large, the connection ends early. If it is too small, the remaining bytes
    /// follow where a client of a persistent connection expects the next response.
    #[must_use]
    pub fn content_length(mut self, delta: i64) -> Self {
        self.content_length = Some(delta);
        self
    }

    /// Resets the connection (RST) before the first byte of the response, after the service has processed the request. With [`unseen`](Self::unseen)
    /// the service does not receive the request.
    #[must_use]
    pub fn reset_before_headers(mut self) -> Self {
        self.reset_before_headers = true;
        self
    }

    /// Resets the connection (RST) after status and headers. The service has processed the request.
    #[must_use]
    pub fn reset_after_headers(mut self) -> Self {
        self.reset_after_headers = true;
        self
    }

    /// Resets the connection (RST) before the service receives the request. The body is not read.
    #[must_use]
    pub fn unseen(mut self) -> Self {
        self.unseen = true;
        self
    }

    /// Resets the connection (RST) as [`unseen`](Self::unseen) does, and refuses new connections for `for_ms` milliseconds of real time.
    ///
    /// The listener is closed before the reset. Other connections stay open.
    #[must_use]
    pub fn refuse(mut self, for_ms: u64) -> Self {
        self.refuse = Some(for_ms);
        self
    }

    /// Returns whether the connection is reset before the service receives the request.
    pub(crate) fn is_unseen(&self) -> bool {
        self.unseen || self.refuse.is_some()
    }
}
