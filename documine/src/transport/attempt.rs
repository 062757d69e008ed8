//! Attempts: each with a body of its own, headers of its own, and time limits; and the loop that makes another one.

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

use super::answer::Answer;
use super::call::{Call, CallState, is_same_origin};
use super::classify::{ResponseFailure, classify};
use super::pace::{Slot, TurnLimits};
use super::retry::{Retries, Verdict};
use super::{Retrying, TENANT_HEADER, telemetry};
use crate::address;
use crate::auth::TokenSet;
use crate::clock::{BoxFuture, unit};
use crate::error::{Error, Result, Sent};
use crate::timeout::{Activity, while_active};

/// Redirects that are followed in a row.
const MAX_REDIRECTS: usize = 5;

/// A request on its way.
type Sending<'a> = BoxFuture<'a, Result<Response>>;

impl Call<'_> {
    /// Attempts until one succeeds or a failure is final.
    pub(super) async fn retried(
        &self,
        trip: &mut CallState,
        tokens: &Arc<TokenSet>,
        retries: &mut Retries<'_>,
        limit: Duration,
    ) -> Result<Answer> {
        let pipeline = self.pipeline;
        trip.tokens = Some(Arc::clone(tokens));
        while trip.can_go_again() {
            let slot = self.turn(trip, limit).await?;
            trip.attempts += 1;
            let span = telemetry::attempt(trip.operation, trip.attempts);
            let outcome = pin!(self.attempt(trip, tokens)).instrument(span.clone()).await;
            trip.under_way = false;
            if let (Some(slot), Err(error)) = (&slot, &outcome)
                && error.is_rate_limited()
            {
                pipeline.pacer.too_fast(slot, error.retry_after(), pipeline.clock.as_ref());
            }
            // A pause between attempts holds no place among the requests under way.
            drop(slot);
            telemetry::tried(&span, outcome.as_ref().map(|answer| answer.status));
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                // What an earlier attempt has deleted, though its answer was lost, is not there to be deleted again.
                Err(error) if trip.seen && error.is_not_found() && trip.method == Method::DELETE => {
                    return Ok(Answer::deleted());
                }
                Err(error) => error,
            };
            if error.is_unauthorized() {
                return Err(trip.judged(error));
            }
            trip.seen |= error.was_sent() && !error.was_refused();
            if !trip.can_go_again() {
                return Err(trip.judged(error));
            }
            let elapsed = pipeline.clock.monotonic().saturating_sub(trip.started);
            let left = limit.saturating_sub(elapsed);
            match retries.judge(&error, elapsed, left, unit(pipeline.clock.random())) {
                Verdict::Final(None) => return Err(trip.judged(error)),
                Verdict::Final(Some(why)) => return Err(trip.judged(error.with_note(why))),
                Verdict::Again(delay) => {
                    telemetry::retrying(trip.operation, trip.attempts, delay, &error);
                    if let Some(observer) = &pipeline.observer {
                        let event =
                            Retrying { operation: trip.operation.id, attempt: trip.attempts, error: &error, delay };
                        observer.retrying(&event);
                    }
                    pipeline.clock.sleep(delay).await;
                }
            }
        }
        Err(Error::input("the request's body can be sent only once, and was"))
    }

    /// Waits for the turn of the next attempt, where calls are paced.
    ///
    /// # Errors
    /// The turn comes later than the call's time allows. The attempt was not made, and the error is final.
    async fn turn(&self, trip: &CallState, limit: Duration) -> Result<Option<Slot<'_>>> {
        if !self.options.paced.unwrap_or(self.pipeline.paced) {
            return Ok(None);
        }
        let (pacer, clock) = (&self.pipeline.pacer, self.pipeline.clock.as_ref());
        // The policy counts from the beginning of the call, but time in the queue before the first attempt is no failure of the service.
        let spent = if trip.attempts == 0 { Duration::ZERO } else { clock.monotonic().saturating_sub(trip.started) };
        let limits = TurnLimits {
            deadline: trip.started.saturating_add(limit),
            max_pause: self.policy().elapsed_limit().saturating_sub(spent),
        };
        // Boxed, for a call that is not paced need not have the room for it.
        Box::pin(pacer.turn(clock, limits)).await.map(Some).map_err(|error| trip.judged(error))
    }

    async fn attempt(&self, trip: &mut CallState, tokens: &TokenSet) -> Result<Answer> {
        trip.redirect = Redirect::default();
        let form = match &self.options.body {
            Some(body) => Some(body.open().await?),
            None => None,
        };
        let (sending, activity) = self.begin(trip, tokens, form)?;
        if self.options.body.as_ref().is_some_and(|body| !body.opens_again()) {
            trip.is_spent();
        }
        let limit = self.options.timeout.unwrap_or(self.pipeline.timeouts.attempt);
        // A body under way is no silence: only a standstill ends the attempt.
        let response = {
            let work = pin!(self.followed(sending, trip, tokens));
            while_active(work, activity.as_ref(), limit).await??
        };
        self.answer(response, trip, tokens).await
    }

    /// Sends the request for this attempt; with the moments at which its body moved, where it has one that takes time.
    fn begin(
        &self,
        trip: &mut CallState,
        tokens: &TokenSet,
        form: Option<(Form, Activity)>,
    ) -> Result<(Sending<'_>, Option<Activity>)> {
        let Some(mut request) = trip.request() else {
            return Err(Error::input("the request's body can be sent only once, and was"));
        };
        let mut activity = None;
        if let Some((form, moved)) = form {
            activity = Some(moved);
            request.headers_mut().remove(header::CONTENT_TYPE);
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request = reqwest::RequestBuilder::from_parts(self.pipeline.client.clone(), request)
                .multipart(form)
                .build()
                .map_err(|error| classify(ResponseFailure::Transport(&error)))?;
        } else if let Some(body) = request.body_mut().take_if(|body| body.as_bytes().is_none()) {
            // A stream that a user of the raw client gave.
            let (body, moved) = watched(body);
            *request.body_mut() = Some(body);
            activity = Some(moved);
        }
        Ok((self.execute(request, trip, tokens)?, activity))
    }

    fn execute(&self, mut request: Request, trip: &mut CallState, tokens: &TokenSet) -> Result<Sending<'_>> {
        let headers = request.headers_mut();
        if let Some(further) = &self.options.headers {
            headers.extend((**further).clone());
        }
        if trip.operation.response == operations::ResponseKind::Binary {
            // Packages come as they are: packed again they would have no length to check and no ranges to ask for.
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        headers.insert(header::AUTHORIZATION, tokens.bearer()?);
        headers.insert(TENANT_HEADER, self.pipeline.tenant.clone());
        telemetry::propagate(headers);
        self.pipeline.sent.fetch_add(1, Ordering::Relaxed);
        trip.under_way = true;
        Ok(self.pipeline.http.execute(request))
    }

    /// Follows the redirects of a request that only reads. The token goes to the service's own origin alone; a package is fetched from another
    /// origin without it. Any other redirect is an error answer.
    async fn followed(&self, mut sending: Sending<'_>, trip: &mut CallState, tokens: &TokenSet) -> Result<Response> {
        let mut followed = 0;
        loop {
            let response = match (&mut sending).await {
                Ok(response) => response,
                // The service has seen the request whose answer led here.
                Err(error) if followed > 0 => return Err(trip.redirect.note(error.with_sent(Sent::Maybe))),
                Err(error) => return Err(error),
            };
            if !response.status().is_redirection() || !trip.method.is_safe() {
                return Ok(response);
            }
            let Some(target) = location(&response) else { return Ok(response) };
            if followed == MAX_REDIRECTS {
                trip.redirect.refused = Some(format!("more than {MAX_REDIRECTS} redirects in a row"));
                return Ok(response);
            }
            sending = if is_same_origin(&target, &self.pipeline.base) {
                let Some(mut next) = trip.again() else { return Ok(response) };
                *next.url_mut() = target;
                trip.redirect.elsewhere = None;
                self.execute(next, trip, tokens)?
            } else {
                if trip.operation.response != operations::ResponseKind::Binary || trip.method != Method::GET {
                    return Ok(response);
                }
                let origin = target.origin().ascii_serialization();
                let Some(http) = &self.pipeline.elsewhere else {
                    trip.redirect.refused = Some(format!("to {origin}; `follow_download_redirects` is off"));
                    return Ok(response);
                };
                if let Err(why) = is_safe_elsewhere(&target, response.url()) {
                    trip.redirect.refused = Some(format!("to {origin}: {why}"));
                    return Ok(response);
                }
                trip.redirect.elsewhere = Some(origin);
                http.execute(self.bare_request(trip, target))
            };
            followed += 1;
        }
    }

    /// A request to another origin: what asks for the bytes, and nothing of the client's own.
    fn bare_request(&self, trip: &CallState, target: Url) -> Request {
        const KEPT: [HeaderName; 3] = [header::ACCEPT, header::RANGE, header::IF_RANGE];
        let mut request = Request::new(Method::GET, target);
        let further = self.options.headers.as_deref();
        for (name, value) in [Some(trip.request.headers()), further].into_iter().flatten().flatten() {
            if KEPT.contains(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        request
    }
}

/// The outcome of an attempt's redirects.
#[derive(Default)]
pub(super) struct Redirect {
    /// The other origin that answers in place of the service.
    pub(super) elsewhere: Option<String>,
    /// The target of a redirect that was not followed, and the reason. Never with the path or the query: signed addresses are secrets.
    pub(super) refused: Option<String>,
}

impl Redirect {
    /// Adds to an error how the redirects went.
    pub(super) fn note(&self, error: Error) -> Error {
        let error = match &self.elsewhere {
            Some(origin) => error.with_redirect_to(origin),
            None => error,
        };
        match &self.refused {
            Some(refused) => error.with_note(format!("redirect not followed: {refused}")),
            None => error,
        }
    }
}

/// Returns the address that a redirect leads to.
fn location(response: &Response) -> Option<Url> {
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
    // Some services write names into it as they are, not in ASCII alone.
    let location = std::str::from_utf8(response.headers().get(header::LOCATION)?.as_bytes()).ok()?;
    response.url().join(location).ok()
}

/// Checks that a package may be fetched from another origin: over https, or on this machine from http to http.
fn is_safe_elsewhere(target: &Url, from: &Url) -> Result<(), &'static str> {
    if !target.username().is_empty() || target.password().is_some() {
        return Err("the address holds a user name or password");
    }
    let safe = address::require_safe_scheme("redirect", target).is_ok();
    if safe && (target.scheme() == "https" || from.scheme() == "http") { Ok(()) } else { Err("only https is followed") }
}

/// A body of unknown making, with the moments at which it moved.
fn watched(body: reqwest::Body) -> (reqwest::Body, Activity) {
    let activity = Activity::new();
    let moving = activity.clone();
    let body = body.map_frame(move |frame| {
        moving.touch();
        frame
    });
    (reqwest::Body::wrap(body), activity)
}
