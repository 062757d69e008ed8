//! Attempts: each with a body of its own, headers of its own, and time limits; and the loop that makes another one.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::http::{HeaderValue, Method, StatusCode, header};
use documine_api::operations;
use http_body_util::BodyExt;
use reqwest::multipart::Form;
use reqwest::{Request, Response};
use tracing::Instrument;

use super::answer::Answer;
use super::call::{Call, Trip, is_same_origin};
use super::classify::{Evidence, classify};
use super::retry::{Retries, Verdict};
use super::timeout::{Activity, while_active};
use super::{Retrying, TENANT_HEADER, telemetry};
use crate::auth::TokenSet;
use crate::clock::{BoxFuture, unit};
use crate::error::{Error, Result};

/// Redirects that are followed in a row.
const MAX_REDIRECTS: usize = 5;

/// A request on its way.
type Sending<'a> = BoxFuture<'a, Result<Response>>;

impl Call<'_> {
    /// Attempts until one succeeds or a failure is final.
    pub(super) async fn retried(
        &self,
        trip: &mut Trip,
        tokens: &Arc<TokenSet>,
        retries: &mut Retries<'_>,
        limit: Duration,
    ) -> Result<Answer> {
        let stack = self.stack;
        trip.tokens = Some(Arc::clone(tokens));
        while trip.can_go_again() {
            trip.attempts += 1;
            let span = telemetry::attempt(trip.operation, trip.attempts);
            let outcome = pin!(self.paced(trip, tokens)).instrument(span.clone()).await;
            trip.under_way = false;
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
            let elapsed = stack.clock.monotonic().saturating_sub(trip.started);
            let left = limit.saturating_sub(elapsed);
            match retries.judge(&error, elapsed, left, unit(stack.clock.random())) {
                Verdict::Final(None) => return Err(trip.judged(error)),
                Verdict::Final(Some(why)) => return Err(trip.judged(error.with_note(why))),
                Verdict::Again(delay) => {
                    telemetry::retrying(trip.operation, trip.attempts, delay, &error);
                    if let Some(observer) = &stack.observer {
                        let event =
                            Retrying { operation: trip.operation.id, attempt: trip.attempts, error: &error, delay };
                        observer.retrying(&event);
                    }
                    stack.clock.sleep(delay).await;
                }
            }
        }
        Err(Error::input("the request's body can be sent only once, and was"))
    }

    /// One attempt, at its turn where calls are paced.
    async fn paced(&self, trip: &mut Trip, tokens: &TokenSet) -> Result<Answer> {
        let (pacer, clock) = (&self.stack.pacer, self.stack.clock.as_ref());
        let in_turn = self.options.paced.unwrap_or(self.stack.paced);
        let slot = if in_turn { Some(pacer.turn(clock).await) } else { None };
        let outcome = self.attempt(trip, tokens).await;
        match (&slot, &outcome) {
            (None, _) => {}
            (Some(slot), Err(error)) if error.is_rate_limited() => pacer.too_fast(slot, error.retry_after(), clock),
            (Some(_), _) => pacer.fine(clock),
        }
        outcome
    }

    async fn attempt(&self, trip: &mut Trip, tokens: &TokenSet) -> Result<Answer> {
        let form = match &self.options.body {
            Some(body) => Some(body.open().await?),
            None => None,
        };
        let (sending, activity) = self.begin(trip, tokens, form)?;
        if self.options.body.as_ref().is_some_and(|body| !body.opens_again()) {
            trip.is_spent();
        }
        let limit = self.options.timeout.unwrap_or(self.stack.timeouts.attempt);
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
        trip: &mut Trip,
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
            request = reqwest::RequestBuilder::from_parts(self.stack.client.clone(), request)
                .multipart(form)
                .build()
                .map_err(|error| classify(Evidence::NoAnswer(&error)))?;
        } else if let Some(body) = request.body_mut().take_if(|body| body.as_bytes().is_none()) {
            // A stream that a user of the raw client gave.
            let (body, moved) = watched(body);
            *request.body_mut() = Some(body);
            activity = Some(moved);
        }
        Ok((self.execute(request, trip, tokens)?, activity))
    }

    fn execute(&self, mut request: Request, trip: &mut Trip, tokens: &TokenSet) -> Result<Sending<'_>> {
        let headers = request.headers_mut();
        if let Some(further) = &self.options.headers {
            headers.extend((**further).clone());
        }
        if trip.operation.answer == operations::Answer::Binary {
            // Packages come as they are: packed again they would have no length to check and no ranges to ask for.
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        headers.insert(header::AUTHORIZATION, tokens.bearer()?);
        headers.insert(TENANT_HEADER, self.stack.tenant.clone());
        telemetry::propagate(headers);
        self.stack.sent.fetch_add(1, Ordering::Relaxed);
        trip.under_way = true;
        Ok(self.stack.http.execute(request))
    }

    /// Follows the redirects of a request that only reads, on the service's own origin: a token goes nowhere else. Any other redirect is an
    /// error answer.
    async fn followed(&self, mut sending: Sending<'_>, trip: &mut Trip, tokens: &TokenSet) -> Result<Response> {
        let mut followed = 0;
        loop {
            let response = (&mut sending).await?;
            if !response.status().is_redirection() || !trip.method.is_safe() || followed == MAX_REDIRECTS {
                return Ok(response);
            }
            let Some(mut next) = trip.again() else { return Ok(response) };
            let Some(target) = self.target(&response) else { return Ok(response) };
            *next.url_mut() = target;
            sending = self.execute(next, trip, tokens)?;
            followed += 1;
        }
    }

    /// Where a redirect leads, if it may be followed.
    fn target(&self, response: &Response) -> Option<url::Url> {
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
        let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
        let target = response.url().join(location).ok()?;
        is_same_origin(&target, &self.stack.base).then_some(target)
    }
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
