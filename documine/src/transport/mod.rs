//! The one stack every request passes, whoever made it: the facade, [`Client::raw`](crate::Client::raw), [`Client::request`](crate::Client::request).
//!
//! ```text
//! telemetry   one span a call
//! retry       what may be repeated is repeated                retry.rs
//! auth        bearer and X-TENANT-ID; 401 → new token → once more   (here, with auth/)
//! attempt     time limits                                     timeout.rs
//! HTTP        reqwest, no redirects
//! classify    answer or trouble → one Error                   classify.rs
//! ```

pub(crate) mod classify;
mod retry;
mod telemetry;
pub(crate) mod timeout;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use documine_api::operations::{Answer, Operation};
use documine_api::{BoxError, Transport};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Request, Response};
use tracing::Instrument;
use url::Url;

use crate::auth::{Authenticator, TokenSet};
use crate::clock::{BoxFuture, Clock, unit};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::{net, text};
pub(crate) use retry::RetryPolicy;
use timeout::{Activity, Timeouts};

/// The workspace's header (guide, step 3).
pub(crate) const TENANT_HEADER: &str = "x-tenant-id";

/// A JSON or XML answer larger than this is refused before it fills the memory.
const ANSWER_LIMIT: usize = 512 * 1024 * 1024;

/// What all calls of a client share.
pub(crate) struct Stack {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) tenant: HeaderValue,
    pub(crate) auth: Authenticator,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    /// Requests that went out so far, each attempt counted.
    pub(crate) sent: AtomicU64,
}

/// A request body that is made anew for each attempt.
pub(crate) trait Body: Send + Sync {
    fn open(&self) -> BoxFuture<'_, Result<(reqwest::multipart::Form, Activity)>>;
}

/// What a caller asks of one call.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    /// In place of the client's limit from the request to the answer's headers.
    pub(crate) timeout: Option<Duration>,
    /// Further headers.
    pub(crate) headers: HeaderMap,
    /// In place of the operation's own address: the next page, as the service linked it.
    pub(crate) url: Option<Url>,
    /// In place of the generated body.
    pub(crate) body: Option<Arc<dyn Body>>,
}

/// What is known of a call besides its result.
#[derive(Default, Clone)]
pub(crate) struct Facts {
    pub(crate) operation: &'static str,
    /// Where the request went.
    pub(crate) url: Option<Url>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) error: Option<Error>,
    /// What the answered attempt was sent with: an answer that echoes it must not show it.
    pub(crate) tokens: Option<Arc<TokenSet>>,
}

/// One call: its options go in, its facts come out. A raw client is made for each (some ten nanoseconds), and this is its transport.
pub(crate) struct Call {
    stack: Arc<Stack>,
    options: CallOptions,
    facts: Arc<Mutex<Facts>>,
}

impl Call {
    pub(crate) fn new(stack: Arc<Stack>, options: CallOptions, facts: Arc<Mutex<Facts>>) -> Self {
        Self { stack, options, facts }
    }

    pub(crate) async fn run(&self, mut request: Request, operation: &'static Operation) -> Result<Response> {
        let started = self.stack.clock.monotonic();
        if let Some(url) = &self.options.url {
            *request.url_mut() = url.clone();
        }
        if self.options.body.is_some() {
            // The generated body only holds the place; without it the request can be cloned for every attempt.
            *request.body_mut() = None;
        }
        let (method, url) = (request.method().clone(), request.url().clone());
        let span = telemetry::span(operation, &method, request.url().host_str().unwrap_or(""));
        let mut attempts = 0;
        let outcome = self.attempts(request, operation, &method, &mut attempts).instrument(span.clone()).await;
        let elapsed = self.stack.clock.monotonic().saturating_sub(started);
        let outcome = outcome.map_err(|error| error.with_operation(operation.id).with_effort(attempts, elapsed));
        telemetry::ended(&span, outcome.as_ref().map(Response::status), attempts);
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.operation = operation.id;
        facts.url = Some(url);
        facts.attempts = attempts;
        facts.elapsed = elapsed;
        match &outcome {
            Ok(response) => {
                facts.status = Some(response.status());
                facts.headers = response.headers().clone();
            }
            Err(error) => facts.error = Some(error.clone()),
        }
        drop(facts);
        outcome
    }

    async fn attempts(
        &self,
        request: Request,
        operation: &'static Operation,
        method: &Method,
        attempts: &mut u32,
    ) -> Result<Response> {
        let stack = &self.stack;
        if request.url().origin() != stack.base.origin() {
            return Err(Error::config(format!(
                "the request goes to {}, but this client talks to {} only",
                request.url().origin().ascii_serialization(),
                stack.base.origin().ascii_serialization()
            )));
        }
        let mut tokens = stack.auth.token().await?;
        let mut replaced = false;
        // Whether any attempt so far may have been seen by the service; the last one's fate alone does not tell.
        let mut seen = false;
        let mut current = request;
        loop {
            // None: the body can be sent only once (a stream that a user of the raw client gave).
            let again = current.try_clone();
            *attempts += 1;
            let error = match self.attempt(current, operation, &tokens).await {
                Ok(response) => {
                    self.facts.lock().unwrap_or_else(PoisonError::into_inner).tokens = Some(tokens);
                    return Ok(response);
                }
                // What an earlier attempt has deleted, though its answer was lost, is not there to be deleted again.
                Err(error) if seen && error.is_not_found() && method == Method::DELETE => return deleted(),
                Err(error) => error,
            };
            let refused = error.is_unauthorized();
            seen |= error.was_sent() && !refused;
            let last = |error: Error| if seen { error.with_sent(Sent::Maybe) } else { error };
            let Some(next) = again else {
                return Err(last(error));
            };
            if refused && !replaced {
                replaced = true;
                tokens = stack.auth.replace(&tokens).await.map_err(|error| {
                    // The service's word stands where the provider says the same; a provider in trouble is another matter.
                    last(if error.needs_login() { error.with_status(StatusCode::UNAUTHORIZED) } else { error })
                })?;
            } else {
                let delay = stack.retry.delay(&error, method, *attempts, unit(stack.clock.random()));
                let Some(delay) = delay else {
                    return Err(last(error));
                };
                stack.clock.sleep(delay).await;
            }
            current = next;
        }
    }

    async fn attempt(
        &self,
        mut request: Request,
        operation: &'static Operation,
        tokens: &TokenSet,
    ) -> Result<Response> {
        let stack = &self.stack;
        let mut activity = None;
        if let Some(body) = &self.options.body {
            let (form, moved) = body.open().await?;
            activity = Some(moved);
            request.headers_mut().remove(header::CONTENT_TYPE);
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request = reqwest::RequestBuilder::from_parts(stack.http.clone(), request)
                .multipart(form)
                .build()
                .map_err(|error| classify::no_answer(&error))?;
        }
        let headers = request.headers_mut();
        headers.extend(self.options.headers.clone());
        headers.insert(header::AUTHORIZATION, bearer(tokens)?);
        headers.insert(TENANT_HEADER, stack.tenant.clone());
        let limit = self.options.timeout.unwrap_or(stack.timeouts.attempt);
        stack.sent.fetch_add(1, Ordering::Relaxed);
        let execution = stack.http.execute(request);
        let response = match &activity {
            // A body under way is no silence: only a standstill ends the attempt.
            Some(activity) => timeout::while_active(execution, activity, limit).await?,
            None => tokio::time::timeout(limit, execution).await.map_err(|_| timeout::expired(limit))?,
        }
        .map_err(|error| classify::no_answer(&error))?;
        self.answer(response, operation, tokens).await
    }

    /// Takes an answer apart: errors become [`Error`]s, small answers are read whole, packages are left to stream.
    async fn answer(&self, response: Response, operation: &'static Operation, tokens: &TokenSet) -> Result<Response> {
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            let idle = self.stack.timeouts.idle;
            let body = tokio::time::timeout(idle, net::read_bounded(response, classify::ERROR_BODY_LIMIT)).await;
            // The status says enough even when its body does not come.
            let body = body.ok().and_then(Result::ok).unwrap_or_default();
            // A proxy's page may show the request's headers.
            let body = text::without(&String::from_utf8_lossy(&body), [tokens.access.expose()]);
            return Err(classify::error_answer(status, &headers, body.as_bytes()));
        }
        if classify::is_html(response.headers()) && operation.answer != Answer::Empty {
            let headers = response.headers().clone();
            let body = net::read_bounded(response, classify::ERROR_BODY_LIMIT).await.unwrap_or_default();
            let body = text::without(&String::from_utf8_lossy(&body), [tokens.access.expose()]);
            let why = "the answer is a web page, perhaps a login page of a proxy in between";
            return Err(classify::unexpected_answer(status, &headers, body.as_bytes(), why));
        }
        if operation.answer == Answer::Binary {
            return Ok(response);
        }
        let mut whole = http::Response::builder().status(status);
        if let Some(headers) = whole.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = self.collect(response).await?;
        if operation.answer == Answer::Empty {
            // Services answer a deletion with 200 and a body where 204 is documented; it means the same.
            whole = whole.status(StatusCode::NO_CONTENT);
        }
        let whole = whole.body(body).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))?;
        Ok(Response::from(whole))
    }

    async fn collect(&self, response: Response) -> Result<Bytes> {
        let idle = self.stack.timeouts.idle;
        let announced = response.content_length();
        let mut body = BytesMut::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = tokio::time::timeout(idle, stream.next()).await.map_err(|_| timeout::expired(idle))? {
            let chunk = chunk.map_err(|error| classify::no_answer(&error))?;
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(Error::new(
                    ErrorKind::Decode,
                    format!("the answer is larger than {ANSWER_LIMIT} bytes (announced: {announced:?})"),
                )
                .with_sent(Sent::Maybe));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl Transport for Call {
    fn send<'a>(
        &'a self,
        request: Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<Response, BoxError>> {
        Box::pin(async move { self.run(request, operation).await.map_err(BoxError::from) })
    }
}

/// The answer to a deletion.
fn deleted() -> Result<Response> {
    let answer = http::Response::builder().status(StatusCode::NO_CONTENT).body(Bytes::new());
    answer.map(Response::from).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}

fn bearer(tokens: &TokenSet) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", tokens.access.expose()))
        .map_err(|_| Error::auth("the access token holds characters that no header may hold"))?;
    value.set_sensitive(true);
    Ok(value)
}
