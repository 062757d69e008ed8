//! What a fault does to one request: before the service sees it, to the answer, and to the connection.

use std::cmp::Ordering;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, IF_RANGE, RANGE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use super::body::{self, End};
use super::{App, Connection, Refusal};
use crate::faults::{Fault, Made, RetryAfter};
use crate::wire::Deliberate;

/// A request and the fault that hits it.
pub(super) struct Tampering<'a> {
    pub(super) app: &'a App,
    pub(super) fault: Fault,
    pub(super) connection: Connection,
}

/// The connection that the request came on.
pub(super) fn connection(request: &Request) -> Connection {
    let info = request.extensions().get::<ConnectInfo<Connection>>();
    info.map(|info| info.0.clone()).unwrap_or_default()
}

impl Tampering<'_> {
    /// Lets time pass. A simulator that stops does not wait.
    pub(super) async fn wait(&self) {
        let mut stop = self.stop();
        if let Some(delay) = self.fault.delay_ms {
            tokio::select! {
                () = self.app.clock.sleep(Duration::from_millis(delay)) => {}
                () = body::stopped(&mut stop) => {}
            }
        }
        if let Some(latency) = self.fault.latency_ms {
            body::waited(Duration::from_millis(latency), &mut stop).await;
        }
    }

    /// Resets the connection before the service sees the request, if that is what the fault does.
    pub(super) async fn unseen(&self) -> bool {
        if !self.fault.goes_unseen() {
            return false;
        }
        if let Some(time) = self.fault.refuse {
            self.app.gate.close_for(Duration::from_millis(time)).await;
        }
        self.connection.reset();
        true
    }

    /// Whether the service gets the request.
    pub(super) fn reaches(&self) -> bool {
        !self.fault.goes_unseen() && self.fault.made().is_none()
    }

    /// Whether the state of the service has changed, even with a request that only reads.
    pub(super) fn changes_state(&self) -> bool {
        self.fault.token_expired || self.fault.token_revoked
    }

    /// The answer: the fault's own, or the service's.
    pub(super) async fn answer(&self, mut request: Request, next: Next) -> Response {
        self.end_token(request.headers());
        if self.fault.ignore_range {
            request.headers_mut().remove(RANGE);
            request.headers_mut().remove(IF_RANGE);
        }
        if let Some(made) = self.fault.made() {
            body::drain(request.into_body()).await;
            return self.made_up(&made);
        }
        if !self.fault.delivered_twice {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
            return Refusal::bad_request("The body broke off.").into_response(self.app.now());
        };
        let first = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
        drop(next.clone().run(first).await);
        next.run(Request::from_parts(parts, Body::from(bytes))).await
    }

    fn end_token(&self, headers: &HeaderMap) {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        let Some((_, token)) = token else { return };
        if self.fault.token_expired {
            self.app.provider.expire_access_token(token.trim());
        }
        if self.fault.token_revoked {
            self.app.provider.revoke_access_token(token.trim());
        }
    }

    fn made_up(&self, made: &Made) -> Response {
        let status = StatusCode::from_u16(made.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let now = self.app.now();
        let mut response = if made.body.is_some() || status.is_success() {
            let mut response = Response::new(Body::from(made.body.map_or("", |(_, text)| text)));
            *response.status_mut() = status;
            response
        } else {
            let reason = status.canonical_reason().unwrap_or("Trouble");
            Refusal::new(status, format!("{reason} (a fault that the simulator was told to make)")).into_response(now)
        };
        let headers = response.headers_mut();
        if let Some((Some(kind), _)) = made.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        match made.retry_after {
            Some(RetryAfter::Seconds(seconds)) => drop(headers.insert(RETRY_AFTER, HeaderValue::from(seconds))),
            Some(RetryAfter::Date(seconds)) => {
                for (name, moment) in [(DATE, now), (RETRY_AFTER, now.plus(Duration::from_secs(seconds)))] {
                    if let Ok(text) = HeaderValue::from_str(&moment.http_text()) {
                        headers.insert(name, text);
                    }
                }
            }
            None => {}
        }
        response
    }

    /// What of the answer is the fault's already.
    pub(super) fn deliberate(&self) -> Deliberate {
        let fault = &self.fault;
        Deliberate {
            status: fault.made().is_some(),
            body: fault.patch.is_some() || fault.body.is_some() || fault.changes_json(),
        }
    }

    /// The answer with the text that the fault wants, in the names of the contract.
    pub(super) fn changed(&self, response: Response, bytes: Option<Bytes>) -> (Response, Option<Bytes>) {
        let fault = &self.fault;
        let (mut parts, mut body) = response.into_parts();
        let mut text = None;
        if let (Some(patch), Some(bytes)) = (&fault.patch, &bytes)
            && let Ok(mut value) = serde_json::from_slice::<Value>(bytes)
            && json_patch::patch(&mut value, patch).is_ok()
        {
            text = Some(Bytes::from(value.to_string()));
        }
        if let Some(new) = &fault.body {
            text = Some(Bytes::from(new.clone()));
            if let Some(kind) = content_type(fault) {
                parts.headers.insert(CONTENT_TYPE, kind);
            }
        }
        if fault.changes_json()
            && let Some(new) = text.as_ref().or(bytes.as_ref()).and_then(|text| fault.changed_json(text))
        {
            text = Some(Bytes::from(new));
        }
        let bytes = match text {
            Some(text) => {
                body = Body::from(text.clone());
                parts.headers.remove(CONTENT_LENGTH);
                Some(text)
            }
            None => bytes,
        };
        (Response::from_parts(parts, body), bytes)
    }

    /// The answer with the headers that the fault wants, and with bytes as they come with it. `bytes` is the body, if it is in memory.
    pub(super) fn spoilt(&self, response: Response, bytes: Option<&Bytes>) -> Response {
        let fault = &self.fault;
        let (mut parts, mut body) = response.into_parts();
        if let Some(kind) = content_type(fault).filter(|_| fault.body.is_none()) {
            parts.headers.insert(CONTENT_TYPE, kind);
        }
        for (name, value) in &fault.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                parts.headers.insert(name, value);
            }
        }
        fault.change_parts(&mut parts.headers);
        if fault.reset_before_headers {
            // Nothing of it will be sent.
            return Response::from_parts(parts, Body::empty());
        }
        if fault.truncated_json
            && let Some(bytes) = bytes
        {
            body = Body::from(bytes.slice(..bytes.len() / 2));
            parts.headers.remove(CONTENT_LENGTH);
        }
        if let (Some(size), Some(bytes)) = (fault.huge_body, bytes)
            && let Some((padded, length)) = body::padded(bytes, size)
        {
            body = padded;
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if parts.status == StatusCode::NO_CONTENT && !fault.reset_after_headers {
            return Response::from_parts(parts, body);
        }
        // The length that was promised stays, so that what is missing can be seen.
        let told = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = told.or_else(|| body.size_hint().exact());
        let spoils = fault.cut_after.is_some()
            || fault.stall_after.is_some()
            || fault.drip.is_some()
            || fault.content_length.is_some()
            || fault.reset_after_headers;
        if let (true, Some(length)) = (spoils, length) {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let (Some(delta), Some(length)) = (fault.content_length, length) {
            let told = length.saturating_add_signed(delta);
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(told));
            body = match told.cmp(&length) {
                Ordering::Greater => body::first(body, length, End::Cut),
                Ordering::Equal => body,
                // A body of no length is not asked for its bytes.
                Ordering::Less if told == 0 => {
                    self.connection.send_behind(bytes.cloned().unwrap_or_default());
                    Body::empty()
                }
                Ordering::Less => body::overflowing(body, told, self.connection.clone()),
            };
        }
        if let Some(drip) = fault.drip {
            body = body::dripped(body, drip.bytes, Duration::from_millis(drip.every_ms), self.stop());
        }
        if let Some(limit) = fault.stall_after {
            body = body::first(body, limit, End::Stall(self.stop()));
        }
        if let Some(limit) = fault.cut_after {
            body = body::first(body, limit, End::Cut);
        }
        if fault.reset_after_headers {
            body = body::first(body, 0, End::Stall(self.stop()));
        }
        Response::from_parts(parts, body)
    }

    /// Loses the connection with the answer, if that is what the fault does.
    pub(super) fn lost(&self) {
        if self.fault.reset_before_headers {
            self.connection.reset();
        }
        if self.fault.reset_after_headers {
            self.connection.reset_when_sent();
        }
    }

    fn stop(&self) -> watch::Receiver<bool> {
        self.app.stop.subscribe()
    }
}

fn content_type(fault: &Fault) -> Option<HeaderValue> {
    HeaderValue::from_str(fault.content_type.as_ref()?).ok()
}
