//! The attempt layer: rebuilds body and headers, applies the timeouts, follows redirects; and the loop that retries.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use documine_api::operations;
use http_body_util::BodyExt;
use reqwest::multipart::Form;
use reqwest::{Request, Response};
use tracing::Instrument;
use url::Url;

use super::call_state::{CallExecutor, CallState, RedirectState};
use super::classify::{ResponseFailure, classify};
use super::observer::Retrying;
use super::rate_limit::{AcquireLimits, RateLimitPermit};
use super::response::AttemptResponse;
use super::retry::{RetryContext, RetryDecision};
use super::telemetry;
use crate::address::{is_same_origin, require_safe_scheme};
use crate::auth::TokenSet;
use crate::clock::{BoxFuture, unit_interval};
use crate::error::{Error, Result, Sent};
use crate::timeout::{Activity, while_active};

/// The header that names the workspace (guide, step 3).
pub(super) const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tenant-id");

/// The limit on consecutive redirects.
const MAX_REDIRECTS: usize = 5;

/// A request being sent.
type PendingResponse<'a> = BoxFuture<'a, Result<Response>>;

impl CallExecutor<'_> {
    /// Runs attempts until one succeeds or a failure is final.
    pub(super) async fn with_retry(
        &self,
        state: &mut CallState,
        tokens: &Arc<TokenSet>,
        retry: &mut RetryContext<'_>,
        limit: Duration,
    ) -> Result<AttemptResponse> {
        let pipeline = self.pipeline;
        state.tokens = Some(Arc::clone(tokens));
        while state.can_retry() {
            let permit = self.with_rate_limit(state, limit).await?;
            state.attempts += 1;
            let span = telemetry::attempt_span(state.operation, state.attempts);
            let outcome = pin!(self.attempt(state, tokens)).instrument(span.clone()).await;
            state.in_flight = false;
            if let (Some(permit), Err(error)) = (&permit, &outcome)
                && error.is_rate_limited()
            {
                pipeline.rate_limiter.on_throttled(permit, error.retry_after(), pipeline.clock.as_ref());
            }
            // The pause between two attempts must not occupy a concurrency slot.
            drop(permit);
            telemetry::record_attempt(&span, outcome.as_ref().map(|response| response.status));
            let error = match outcome {
                Ok(response) => return Ok(response),
                // An earlier attempt whose response was lost has already deleted the resource.
                Err(error) if state.maybe_received && error.is_not_found() && state.method == Method::DELETE => {
                    return Ok(AttemptResponse::no_content());
                }
                Err(error) => error,
            };
            if error.is_unauthorized() {
                return Err(state.for_all_attempts(error));
            }
            state.maybe_received |= error.was_sent() && !error.was_refused();
            if !state.can_retry() {
                return Err(state.for_all_attempts(error));
            }
            let elapsed = pipeline.clock.monotonic().saturating_sub(state.started);
            let remaining = limit.saturating_sub(elapsed);
            match retry.on_error(&error, elapsed, remaining, unit_interval(pipeline.clock.random())) {
                RetryDecision::GiveUp(None) => return Err(state.for_all_attempts(error)),
                RetryDecision::GiveUp(Some(reason)) => return Err(state.for_all_attempts(error.with_note(reason))),
                RetryDecision::RetryAfter(delay) => {
                    telemetry::log_retry(state.operation, state.attempts, delay, &error);
                    if let Some(observer) = &pipeline.observer {
                        let event =
                            Retrying { operation: state.operation.id, attempt: state.attempts, error: &error, delay };
                        observer.retrying(&event);
                    }
                    pipeline.clock.sleep(delay).await;
                }
            }
        }
        Err(body_already_sent())
    }

    /// Waits for a permit of the rate limiter, where the call is rate limited.
    ///
    /// # Errors
    /// The wait would exceed the time left for the call. The attempt was not sent, and the error is final.
    async fn with_rate_limit(&self, state: &CallState, limit: Duration) -> Result<Option<RateLimitPermit<'_>>> {
        if !self.options.rate_limited.unwrap_or(self.pipeline.rate_limited) {
            return Ok(None);
        }
        let (limiter, clock) = (&self.pipeline.rate_limiter, self.pipeline.clock.as_ref());
        // The policy counts from the start of the call, but time in the queue before the first attempt is not a failure of the service.
        let spent = if state.attempts == 0 { Duration::ZERO } else { clock.monotonic().saturating_sub(state.started) };
        let limits = AcquireLimits {
            deadline: state.started.saturating_add(limit),
            max_pause: self.retry_policy().elapsed_limit().saturating_sub(spent),
        };
        // Boxed, so that the future of a call without rate limit stays small.
        Box::pin(limiter.acquire(clock, limits)).await.map(Some).map_err(|error| state.for_all_attempts(error))
    }

    async fn attempt(&self, state: &mut CallState, tokens: &TokenSet) -> Result<AttemptResponse> {
        state.redirects = RedirectState::default();
        let form = match &self.options.body {
            Some(body) => Some(body.open().await?),
            None => None,
        };
        let (pending, activity) = self.send_attempt(state, tokens, form)?;
        if self.options.body.as_ref().is_some_and(|body| !body.is_reusable()) {
            state.consume_body();
        }
        let limit = self.options.timeout.unwrap_or(self.pipeline.timeouts.attempt);
        // Upload progress resets the timeout, so a slow upload is not cut off.
        let response = {
            let work = pin!(self.follow_redirects(pending, state, tokens));
            while_active(work, activity.as_ref(), limit).await??
        };
        self.read_response(response, state, tokens).await
    }

    /// Sends the request of this attempt. Returns the activity of its body, where the body takes time to send.
    fn send_attempt(
        &self,
        state: &mut CallState,
        tokens: &TokenSet,
        form: Option<(Form, Activity)>,
    ) -> Result<(PendingResponse<'_>, Option<Activity>)> {
        let Some(mut request) = state.next_request() else { return Err(body_already_sent()) };
        let mut activity = None;
        if let Some((form, form_activity)) = form {
            activity = Some(form_activity);
            request.headers_mut().remove(header::CONTENT_TYPE);
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request = reqwest::RequestBuilder::from_parts(self.pipeline.client.clone(), request)
                .multipart(form)
                .build()
                .map_err(|error| classify(ResponseFailure::Transport(&error)))?;
        } else if let Some(body) = request.body_mut().take_if(|body| body.as_bytes().is_none()) {
            // A stream given by a user of the raw client.
            let (body, body_activity) = track_activity(body);
            *request.body_mut() = Some(body);
            activity = Some(body_activity);
        }
        Ok((self.send_to_service(request, state, tokens)?, activity))
    }

    /// Sends a request to the service with the headers of the client.
    fn send_to_service(
        &self,
        mut request: Request,
        state: &mut CallState,
        tokens: &TokenSet,
    ) -> Result<PendingResponse<'_>> {
        let headers = request.headers_mut();
        if let Some(additional) = &self.options.headers {
            headers.extend((**additional).clone());
        }
        if state.operation.response == operations::ResponseKind::Binary {
            // A package with a content encoding would have neither a length to verify nor ranges to resume with.
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        headers.insert(header::AUTHORIZATION, tokens.bearer()?);
        headers.insert(TENANT_HEADER, self.pipeline.tenant.clone());
        telemetry::inject_trace_context(headers);
        self.pipeline.requests_sent.fetch_add(1, Ordering::Relaxed);
        state.in_flight = true;
        Ok(self.pipeline.http.execute(request))
    }

    /// Follows the redirects of safe methods.
    ///
    /// The token is sent to the service's own origin only. Packages are fetched from other origins without it. A redirect that is not
    /// followed is returned as it is and becomes an error.
    async fn follow_redirects(
        &self,
        mut pending: PendingResponse<'_>,
        state: &mut CallState,
        tokens: &TokenSet,
    ) -> Result<Response> {
        let mut followed = 0;
        loop {
            let response = match (&mut pending).await {
                Ok(response) => response,
                // The service has received the request that it redirected.
                Err(error) if followed > 0 => return Err(state.redirects.annotate(error.with_sent(Sent::Maybe))),
                Err(error) => return Err(error),
            };
            if !response.status().is_redirection() || !state.method.is_safe() {
                return Ok(response);
            }
            let Some(target) = redirect_target(&response) else { return Ok(response) };
            if followed == MAX_REDIRECTS {
                state.redirects.refused = Some(format!("more than {MAX_REDIRECTS} redirects in a row"));
                return Ok(response);
            }
            pending = if is_same_origin(&target, &self.pipeline.base_url) {
                let Some(mut next) = state.copy_request() else { return Ok(response) };
                *next.url_mut() = target;
                state.redirects.origin = None;
                self.send_to_service(next, state, tokens)?
            } else {
                if state.operation.response != operations::ResponseKind::Binary || state.method != Method::GET {
                    return Ok(response);
                }
                let origin = target.origin().ascii_serialization();
                let Some(http) = &self.pipeline.cross_origin_http else {
                    state.redirects.refused = Some(format!("target {origin}; `follow_download_redirects` is off"));
                    return Ok(response);
                };
                if let Err(reason) = check_cross_origin(&target, response.url()) {
                    state.redirects.refused = Some(format!("target {origin}: {reason}"));
                    return Ok(response);
                }
                state.redirects.origin = Some(origin);
                http.execute(self.cross_origin_request(state, target))
            };
            followed += 1;
        }
    }

    /// Builds the request to another origin, without token, tenant header or headers of the caller.
    fn cross_origin_request(&self, state: &CallState, target: Url) -> Request {
        const FORWARDED: [HeaderName; 3] = [header::ACCEPT, header::RANGE, header::IF_RANGE];
        let mut request = Request::new(Method::GET, target);
        let additional = self.options.headers.as_deref();
        for (name, value) in [Some(state.request.headers()), additional].into_iter().flatten().flatten() {
            if FORWARDED.contains(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        request
    }
}

fn body_already_sent() -> Error {
    Error::input("the request body can be sent only once and has already been sent")
}

/// Returns the target of a redirect.
fn redirect_target(response: &Response) -> Option<Url> {
    const FOLLOWED: [StatusCode; 5] = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !FOLLOWED.contains(&response.status()) {
        return None;
    }
    // Some services write file names into the header in UTF-8 instead of ASCII.
    let location = std::str::from_utf8(response.headers().get(header::LOCATION)?.as_bytes()).ok()?;
    response.url().join(location).ok()
}

/// Checks that a package may be fetched from another origin: over https, or on this machine from http to http.
fn check_cross_origin(target: &Url, from: &Url) -> Result<(), &'static str> {
    if !target.username().is_empty() || target.password().is_some() {
        return Err("the URL contains a user name or password");
    }
    let safe = require_safe_scheme("redirect", target).is_ok();
    if safe && (target.scheme() == "https" || from.scheme() == "http") { Ok(()) } else { Err("only https is followed") }
}

/// Wraps a streamed body so that its activity is recorded.
fn track_activity(body: reqwest::Body) -> (reqwest::Body, Activity) {
    let activity = Activity::new();
    let recorder = activity.clone();
    let body = body.map_frame(move |frame| {
        recorder.touch();
        frame
    });
    (reqwest::Body::wrap(body), activity)
}
