//! The entry of one request in the journal: written with its answer; or without one, where a fault left none or the client of a request that a fault
//! hit has gone meanwhile, so that the journal has every hit.

use super::layers::Arrival;
use super::tampering::Tampering;
use super::{App, body};
use crate::journal::{Entry, RecordedRequest};

/// An entry that is still open. Dropping it writes it, if there is a fault to tell of.
pub(super) struct Record<'a> {
    app: &'a App,
    request: Option<RecordedRequest>,
    received: &'a body::Passed,
}

impl<'a> Record<'a> {
    pub(super) fn begin(
        app: &'a App,
        arrival: &Arrival,
        tampering: Option<&Tampering<'_>>,
        received: &'a body::Passed,
    ) -> Self {
        let headers = arrival
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let request = RecordedRequest {
            operation: arrival.operation.clone(),
            method: arrival.method.to_string(),
            path: arrival.uri.path().to_owned(),
            query: arrival.uri.query().map(str::to_owned),
            headers: headers.collect(),
            status: 0,
            fault: tampering.map(|tampering| tampering.fault.kind()),
            reached: false,
            at: arrival.at,
            request_bytes: 0,
            response_bytes: 0,
        };
        Self { app, request: Some(request), received }
    }

    /// Whether the service gets the request, which is so from now on.
    pub(super) fn reached(&mut self, reached: bool) {
        if let Some(request) = &mut self.request {
            request.reached = reached;
        }
    }

    /// There is an answer, whose body is counted.
    pub(super) fn answered(mut self, status: u16, sent: &body::Passed) {
        if let Some(request) = self.request.take() {
            self.write(RecordedRequest { status, ..request }, sent);
        }
    }

    fn write(&self, request: RecordedRequest, sent: &body::Passed) {
        self.app.journal.add(Entry { request, received: self.received.counter(), sent: sent.counter() });
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take().filter(|request| request.fault.is_some()) {
            self.write(request, &body::Passed::default());
        }
    }
}
