//! What happens to the connection and to the bytes on it.

use crate::faults::fault::{Drip, Fault};

impl Fault {
    /// A client sees the head, so many bytes of the body, and the end of the connection (FIN) before the length that was promised.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// A client sees the head, so many bytes of the body, and nothing more on an open connection, until it gives up or the simulator stops.
    #[must_use]
    pub fn stall_after(mut self, bytes: u64) -> Self {
        self.stall_after = Some(bytes);
        self
    }

    /// A client sees the body arrive in pieces of so many bytes, with so many milliseconds of real time between them.
    #[must_use]
    pub fn drip(mut self, bytes: u64, every_ms: u64) -> Self {
        self.drip = Some(Drip { bytes, every_ms });
        self
    }

    /// A client sees a `Content-Length` that is so many bytes off. More than comes: the connection ends early. Less: the rest follows, where a client
    /// of a kept connection expects the next answer.
    #[must_use]
    pub fn content_length(mut self, delta: i64) -> Self {
        self.content_length = Some(delta);
        self
    }

    /// A client sees a reset connection (RST) and no byte of an answer, while the service has carried the request out; with
    /// [`unseen`](Self::unseen) it has not.
    #[must_use]
    pub fn reset_before_headers(mut self) -> Self {
        self.reset_before_headers = true;
        self
    }

    /// A client sees status and headers, then a reset connection (RST). The service has carried the request out.
    #[must_use]
    pub fn reset_after_headers(mut self) -> Self {
        self.reset_after_headers = true;
        self
    }

    /// A client sees a reset connection (RST) and no byte of an answer, and the service has not seen the request. The body is not read.
    #[must_use]
    pub fn unseen(mut self) -> Self {
        self.unseen = true;
        self
    }

    /// A client sees a reset connection (RST), as with [`unseen`](Self::unseen), and "connection refused" for new ones during so many milliseconds of
    /// real time: the listener is closed before the reset. Other connections go on.
    #[must_use]
    pub fn refuse(mut self, for_ms: u64) -> Self {
        self.refuse = Some(for_ms);
        self
    }

    /// Whether the connection is reset before the service sees the request.
    pub(crate) fn is_unseen(&self) -> bool {
        self.unseen || self.refuse.is_some()
    }
}
