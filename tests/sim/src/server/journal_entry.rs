//! The journal entry of one request.
//!
//! The entry is written with the response. A request with a fault is also written without a response, when the fault leaves none or the client
//! disconnects, so that the journal has every hit.

use super::fault_injection::FaultInjection;
use super::incoming::IncomingRequest;
use crate::journal::{JournalEntry, RecordedRequest};
use crate::net::BodyMeter;
use crate::service::App;

/// An open entry. Dropping it writes the entry if the request has a fault.
pub(super) struct OpenEntry<'a> {
    app: &'a App,
    request: Option<RecordedRequest>,
    received: &'a BodyMeter,
}

impl<'a> OpenEntry<'a> {
    pub(super) fn new(
        app: &'a App,
        incoming: &IncomingRequest,
        injection: Option<&FaultInjection<'_>>,
        received: &'a BodyMeter,
    ) -> Self {
        let headers = incoming
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let request = RecordedRequest {
            operation: incoming.operation.clone(),
            method: incoming.method.to_string(),
            path: incoming.uri.path().to_owned(),
            query: incoming.uri.query().map(str::to_owned),
            headers: headers.collect(),
            status: 0,
            fault: injection.map(|injection| injection.fault.kind()),
            reached: false,
            at: incoming.at,
            request_bytes: 0,
            response_bytes: 0,
        };
        Self { app, request: Some(request), received }
    }

    /// Sets whether the service receives the request.
    pub(super) fn set_reached(&mut self, reached: bool) {
        if let Some(request) = &mut self.request {
            request.reached = reached;
        }
    }

    /// Writes the entry with the status of the response, and counts the response body.
    pub(super) fn finish(mut self, status: u16, sent: &BodyMeter) {
        if let Some(request) = self.request.take() {
            self.write(RecordedRequest { status, ..request }, sent);
        }
    }

    fn write(&self, request: RecordedRequest, sent: &BodyMeter) {
        self.app.journal.add(JournalEntry { request, received: self.received.counter(), sent: sent.counter() });
    }
}

impl Drop for OpenEntry<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take().filter(|request| request.fault.is_some()) {
            self.write(request, &BodyMeter::default());
        }
    }
}
