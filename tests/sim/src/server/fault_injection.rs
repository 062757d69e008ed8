//! Applies a fault to one request: before the service, to the response, and to the connection.

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

use crate::api_error::ApiError;
use crate::faults::{CannedResponse, Fault, RetryAfter};
use crate::net::{self, Connection, TruncatedEnd};
use crate::service::App;
use crate::wire::FaultOverrides;

/// A request and the fault that hits it.
pub(super) struct FaultInjection<'a> {
    pub(super) app: &'a App,
    pub(super) fault: Fault,
    pub(super) connection: Connection,
}

impl FaultInjection<'_> {
    /// Returns the connection of the request.
    pub(super) fn connection(request: &Request) -> Connection {
        let info = request.extensions().get::<ConnectInfo<Connection>>();
        info.map(|info| info.0.clone()).unwrap_or_default()
    }

    /// Waits for the delays of the fault. Returns early when the simulator stops.
    pub(super) async fn delay(&self) {
        let mut stop = self.stop();
        if let Some(delay) = self.fault.delay_ms {
            tokio::select! {
                () = self.app.clock.sleep(Duration::from_millis(delay)) => {}
                () = net::until_stopped(&mut stop) => {}
            }
        }
        if let Some(latency) = self.fault.latency_ms {
            net::sleep_or_stop(Duration::from_millis(latency), &mut stop).await;
        }
    }

    /// Resets the connection before the service receives the request, if the fault does so.
    pub(super) async fn reset_unseen(&self) -> bool {
        if !self.fault.is_unseen() {
            return false;
        }
        if let Some(time) = self.fault.refuse {
            self.app.listener.close_for(Duration::from_millis(time)).await;
        }
        self.connection.reset();
        true
    }

    /// Returns whether the service receives the request.
    pub(super) fn reaches_service(&self) -> bool {
        !self.fault.is_unseen() && self.fault.canned_response().is_none()
    }

    /// Returns whether the fault changes the state of the service, even for a request that only reads.
    pub(super) fn changes_state(&self) -> bool {
        self.fault.token_expired || self.fault.token_revoked
    }

    /// Returns the response of the fault or of the service.
    pub(super) async fn respond(&self, mut request: Request, next: Next) -> Response {
        self.end_access_token(request.headers());
        if self.fault.ignore_range {
            request.headers_mut().remove(RANGE);
            request.headers_mut().remove(IF_RANGE);
        }
        if let Some(canned) = self.fault.canned_response() {
            net::drain(request.into_body()).await;
            return self.canned_response(&canned);
        }
        if !self.fault.delivered_twice {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
            return ApiError::bad_request("The body was interrupted.").into_response(self.app.now());
        };
        let first = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
        drop(next.clone().run(first).await);
        next.run(Request::from_parts(parts, Body::from(bytes))).await
    }

    fn end_access_token(&self, headers: &HeaderMap) {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        let Some((_, token)) = token else { return };
        if self.fault.token_expired {
            self.app.provider.expire_access_token(token.trim());
        }
        if self.fault.token_revoked {
            self.app.provider.revoke_access_token(token.trim());
        }
    }

    fn canned_response(&self, canned: &CannedResponse) -> Response {
        let status = StatusCode::from_u16(canned.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let now = self.app.now();
        let mut response = if canned.body.is_some() || status.is_success() {
            let mut response = Response::new(Body::from(canned.body.map_or("", |(_, text)| text)));
            *response.status_mut() = status;
            response
        } else {
            let reason = status.canonical_reason().unwrap_or("Trouble");
            ApiError::new(status, format!("{reason} (injected fault)")).into_response(now)
        };
        let headers = response.headers_mut();
        if let Some((Some(kind), _)) = canned.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        match canned.retry_after {
            Some(RetryAfter::Seconds(seconds)) => drop(headers.insert(RETRY_AFTER, HeaderValue::from(seconds))),
            Some(RetryAfter::Date(seconds)) => {
                for (name, moment) in [(DATE, now), (RETRY_AFTER, now.plus(Duration::from_secs(seconds)))] {
                    if let Ok(text) = HeaderValue::from_str(&moment.to_http_date()) {
                        headers.insert(name, text);
                    }
                }
            }
            None => {}
        }
        response
    }

    /// Returns which parts of the response the fault has already set.
    pub(super) fn overrides(&self) -> FaultOverrides {
        let fault = &self.fault;
        FaultOverrides {
            status: fault.canned_response().is_some(),
            body: fault.patch.is_some() || fault.body.is_some() || fault.changes_json(),
        }
    }

    /// Edits the JSON of the response, in the names of the contract.
    pub(super) fn edit(&self, response: Response, bytes: Option<Bytes>) -> (Response, Option<Bytes>) {
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

    /// Sets the headers and damages the bytes of the response. `bytes` is the body, if it is in memory.
    pub(super) fn damage(&self, response: Response, bytes: Option<&Bytes>) -> Response {
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
        fault.change_range_headers(&mut parts.headers);
        if fault.reset_before_headers {
            // No byte of the response is sent.
            return Response::from_parts(parts, Body::empty());
        }
        if fault.truncated_json
            && let Some(bytes) = bytes
        {
            body = Body::from(bytes.slice(..bytes.len() / 2));
            parts.headers.remove(CONTENT_LENGTH);
        }
        if let (Some(size), Some(bytes)) = (fault.huge_body, bytes)
            && let Some((padded, length)) = net::padded(bytes, size)
        {
            body = padded;
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if parts.status == StatusCode::NO_CONTENT && !fault.reset_after_headers {
            return Response::from_parts(parts, body);
        }
        // The declared length stays, so that the client can detect the missing bytes.
        let declared = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let length = declared.or_else(|| body.size_hint().exact());
        let is_damaged = fault.cut_after.is_some()
            || fault.stall_after.is_some()
            || fault.drip.is_some()
            || fault.content_length.is_some()
            || fault.reset_after_headers;
        if let (true, Some(length)) = (is_damaged, length) {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let (Some(delta), Some(length)) = (fault.content_length, length) {
            let declared = length.saturating_add_signed(delta);
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(declared));
            body = match declared.cmp(&length) {
                Ordering::Greater => net::truncated(body, length, TruncatedEnd::Cut),
                Ordering::Equal => body,
                // An empty body is never polled.
                Ordering::Less if declared == 0 => {
                    self.connection.send_after_response(bytes.cloned().unwrap_or_default());
                    Body::empty()
                }
                Ordering::Less => net::with_excess(body, declared, self.connection.clone()),
            };
        }
        if let Some(drip) = fault.drip {
            body = net::throttled(body, drip.bytes, Duration::from_millis(drip.every_ms), self.stop());
        }
        if let Some(limit) = fault.stall_after {
            body = net::truncated(body, limit, TruncatedEnd::Stall(self.stop()));
        }
        if let Some(limit) = fault.cut_after {
            body = net::truncated(body, limit, TruncatedEnd::Cut);
        }
        if fault.reset_after_headers {
            body = net::truncated(body, 0, TruncatedEnd::Stall(self.stop()));
        }
        Response::from_parts(parts, body)
    }

    /// Resets the connection with the response, if the fault does so.
    pub(super) fn drop_connection(&self) {
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
