//! The pipeline without sockets: the bottom layer responds from a script, and the clock is virtual. Timeouts run on tokio's paused clock.

#![allow(clippy::expect_used, reason = "these are tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use documine_api::operations::{Operation, UNLISTED, operation};
use futures_util::stream;
use reqwest::{Request, Response, ResponseBuilderExt};

use super::*;
use crate::auth::Credentials;
use crate::client::{Client, ClientBuilder};
use crate::clock::{BoxFuture, TestClock};
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::http_util::Http;

/// The outcome of one request in the bottom layer.
enum Step {
    Respond(::http::Response<reqwest::Body>),
    Fail(Error),
    /// Never responds.
    Hang,
}

/// The scripted outcomes, and the requests received.
#[derive(Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    requests: Mutex<Vec<String>>,
    /// The names of the headers of each request.
    headers: Mutex<Vec<Vec<String>>>,
}

impl Http for Script {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
        let target = match request.url().origin().ascii_serialization().as_str() {
            "http://127.0.0.1:9" => request.url().path().to_owned(),
            _ => request.url().to_string(),
        };
        let line = format!("{} {target} {}", request.method(), header("authorization"));
        let names = request.headers().keys().map(ToString::to_string).collect();
        self.headers.lock().unwrap_or_else(PoisonError::into_inner).push(names);
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let step = step.unwrap_or_else(|| status(200));
        Box::pin(async move {
            match step {
                Step::Respond(response) => {
                    let (parts, body) = response.into_parts();
                    let response = ::http::Response::builder().status(parts.status).url(request.url().clone());
                    let mut response = response.body(body).expect("a response");
                    *response.headers_mut() = parts.headers;
                    Ok(Response::from(response))
                }
                Step::Fail(error) => Err(error),
                Step::Hang => std::future::pending().await,
            }
        })
    }
}

struct Fixture {
    script: Arc<Script>,
    clock: TestClock,
    pipeline: Arc<Pipeline>,
}

impl Fixture {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(steps, |builder| builder)
    }

    fn with(steps: impl IntoIterator<Item = Step>, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let script = Arc::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() });
        let clock = TestClock::new();
        let builder = Client::builder("http://127.0.0.1:9")
            .workspace("acme")
            .credentials(Credentials::access_token("t0ken"))
            .clock(clock.clone());
        let mut pipeline = settings(builder).pipeline().expect("valid settings").0;
        pipeline.http = Arc::clone(&script) as Arc<dyn Http>;
        pipeline.cross_origin_http = pipeline.cross_origin_http.map(|_| Arc::clone(&script) as Arc<dyn Http>);
        Self { script, clock, pipeline: Arc::new(pipeline) }
    }

    async fn call(&self, method: Method, operation: &'static Operation, options: CallOptions) -> Result<Response> {
        let url = self.pipeline.base_url.join("/api/thing").expect("a URL");
        let call = CallExecutor::new(&self.pipeline, &options);
        call.execute(Request::new(method, url), operation).await?.into_response()
    }

    async fn get(&self) -> Result<Response> {
        self.call(Method::GET, &UNLISTED, CallOptions::default()).await
    }

    async fn post(&self, options: CallOptions) -> Result<Response> {
        self.call(Method::POST, &UNLISTED, options).await
    }

    async fn download(&self, options: CallOptions) -> Result<Response> {
        self.call(Method::GET, operation("downloadPackage").expect("a known operation"), options).await
    }

    /// Returns the sorted header names of each request.
    fn headers(&self) -> Vec<Vec<String>> {
        let mut headers = self.script.headers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for names in &mut headers {
            names.sort();
        }
        headers
    }

    fn requests(&self) -> Vec<String> {
        self.script.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slept(&self) -> Vec<u128> {
        self.clock.sleeps().iter().map(Duration::as_millis).collect()
    }
}

fn json(status: u16, body: &'static str) -> ::http::Response<reqwest::Body> {
    with_headers(status, &[("content-type", "application/json")], body)
}

fn with_headers(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: impl Into<reqwest::Body>,
) -> ::http::Response<reqwest::Body> {
    let mut response = ::http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a response")
}

fn status(status: u16) -> Step {
    Step::Respond(json(status, "{}"))
}

fn not_sent() -> Step {
    Step::Fail(Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No))
}

fn response_lost() -> Step {
    Step::Fail(Error::new(ErrorKind::Interrupted, "reset").with_sent(Sent::Maybe))
}

fn retry(when: RetryMode) -> CallOptions {
    CallOptions { retry: Some(when), ..CallOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn retries_safe_requests() {
    let fixture = Fixture::new([status(503), response_lost(), not_sent()]);
    fixture.get().await.expect("the fourth attempt");
    assert_eq!(fixture.slept(), [250, 500, 1000]);
    assert_eq!(fixture.requests(), vec!["GET /api/thing Bearer t0ken"; 4]);

    let fixture = Fixture::new([not_sent(), response_lost()]);
    let error = fixture.post(CallOptions::default()).await.expect_err("lost");
    assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (2, true, false));

    let fixture = Fixture::new([not_sent(), response_lost()]);
    fixture.post(retry(RetryMode::EvenIfSent)).await.expect("retried on request");

    let fixture = Fixture::new([not_sent()]);
    let error = fixture.call(Method::GET, &UNLISTED, retry(RetryMode::Never)).await.expect_err("not retried");
    assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (1, false, true));
}

#[tokio::test(start_paused = true)]
async fn unsent_attempt_does_not_hide_sent_ones() {
    let fixture = Fixture::new([response_lost(), not_sent(), not_sent(), not_sent()]);
    let error = fixture.get().await.expect_err("four failures");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 4));
    assert!(error.was_sent() && error.is_safe_to_repeat());
}

#[tokio::test(start_paused = true)]
async fn does_not_retry_401_of_a_fixed_token() {
    // A fixed token cannot be replaced, so the 401 is final.
    let fixture = Fixture::new([status(401)]);
    let error = fixture.get().await.expect_err("rejected");
    assert!(error.is_unauthorized());
    assert_eq!(fixture.slept(), []);
}

#[tokio::test(start_paused = true)]
async fn deadline_covers_attempts_and_delays() {
    let fixture = Fixture::new([status(503), status(503), status(503)]);
    let options = CallOptions { deadline: Some(Duration::from_millis(700)), ..CallOptions::default() };
    let error = fixture.call(Method::GET, &UNLISTED, options).await.expect_err("no time left");
    assert_eq!(fixture.slept(), [250]);
    assert_eq!(
        error.to_string(),
        "request: 503 Service Unavailable without a message; not retried: only 450ms left for this call"
    );

    let fixture = Fixture::new([Step::Hang]);
    let options = CallOptions { deadline: Some(Duration::from_millis(20)), ..CallOptions::default() };
    let error = fixture.post(options).await.expect_err("timeout");
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Operation)));
    assert_eq!((error.was_sent(), error.is_safe_to_repeat()), (true, false));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_timeout_up_to_the_headers() {
    let fixture = Fixture::new([Step::Hang, status(200)]);
    let options = CallOptions { timeout: Some(Duration::from_millis(20)), ..CallOptions::default() };
    fixture.call(Method::GET, &UNLISTED, options.clone()).await.expect("the second attempt");
    let fixture = Fixture::new([Step::Hang]);
    let error = fixture.post(options).await.expect_err("timeout");
    assert_eq!((error.timeout_phase(), error.attempts()), (Some(TimeoutPhase::Attempt), 1));
    assert!(error.was_sent());
}

#[tokio::test(start_paused = true)]
async fn times_out_on_stalled_body_but_not_on_slow_one() {
    let stalled = || {
        let chunks = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        reqwest::Body::wrap_stream(futures_util::StreamExt::chain(chunks, stream::pending()))
    };
    let headers = &[("content-type", "application/json")];
    let settings = |builder: ClientBuilder| builder.idle_timeout(Duration::from_millis(40));
    let fixture = Fixture::with([Step::Respond(with_headers(200, headers, stalled()))], settings);
    let error = fixture.call(Method::GET, &UNLISTED, retry(RetryMode::Never)).await.expect_err("stalled");
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Idle));

    let fixture = Fixture::new([Step::Respond(with_headers(200, headers, stalled()))]);
    let options = CallOptions { idle_timeout: Some(Duration::from_millis(40)), ..retry(RetryMode::Never) };
    let error = fixture.call(Method::GET, &UNLISTED, options).await.expect_err("timeout of the call");
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Idle));

    let slow = stream::unfold(0, |count| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let chunk = match count {
            0 => "{\"a\":\"",
            1..20 => "x",
            20 => "\"}",
            _ => return None,
        };
        Some((Ok::<_, std::io::Error>(Bytes::from_static(chunk.as_bytes())), count + 1))
    });
    let slow = with_headers(200, headers, reqwest::Body::wrap_stream(slow));
    let fixture = Fixture::with([Step::Respond(slow)], settings);
    let body = fixture.get().await.expect("a slow body").bytes().await.expect("a complete body");
    assert_eq!(body.len(), 6 + 19 + 2);
}

#[tokio::test(start_paused = true)]
async fn follows_redirects_of_reads_on_own_origin_only() {
    let to = |status, target| Step::Respond(with_headers(status, &[("location", target)], ""));
    let fixture = Fixture::new([to(302, "/elsewhere"), to(308, "http://127.0.0.1:9/there"), status(200)]);
    fixture.get().await.expect("followed");
    let expected = ["/api/thing", "/elsewhere", "/there"].map(|path| format!("GET {path} Bearer t0ken"));
    assert_eq!(fixture.requests(), expected);

    for target in ["http://127.0.0.1:10/", "https://127.0.0.1:9/", "http://localhost:9/", "//evil.example/", "http://["]
    {
        let fixture = Fixture::new([to(307, target)]);
        let error = fixture.get().await.expect_err(target);
        assert_eq!(error.status(), Some(StatusCode::TEMPORARY_REDIRECT), "{target}");
        assert_eq!(fixture.requests().len(), 1, "the token is not sent elsewhere");
    }
    let fixture = Fixture::new([to(302, "/elsewhere")]);
    let error = fixture.post(CallOptions::default()).await.expect_err("not followed");
    assert_eq!((error.status(), fixture.requests().len()), (Some(StatusCode::FOUND), 1));

    let cycle = Fixture::new((0..9).map(|_| to(302, "/round")));
    let error = cycle.get().await.expect_err("redirect cycle");
    assert_eq!((error.status(), cycle.requests().len()), (Some(StatusCode::FOUND), 6));
}

fn redirect(status: u16, target: &'static str) -> Step {
    Step::Respond(with_headers(status, &[("location", target)], "go to https://store.example/p?sig=s1gnature"))
}

fn package() -> Step {
    Step::Respond(with_headers(200, &[("content-type", "application/zip")], "PK"))
}

const SIGNED: &str = "https://store.example/p?sig=s1gnature&part=1";

#[tokio::test]
async fn download_follows_cross_origin_redirects_without_credentials() {
    let own = ["x-amz-meta", "cookie", "authorization", "x-tenant-id", "range", "if-range"];
    for status in [301, 302, 303, 307, 308] {
        let fixture = Fixture::new([redirect(status, SIGNED), redirect(status, "//other.example/q"), package()]);
        let headers = own.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("a")));
        let options = CallOptions { headers: Some(Box::new(headers.into_iter().collect())), ..CallOptions::default() };
        fixture.download(options).await.expect("followed");
        let expected = [
            "GET /api/thing Bearer t0ken".to_owned(),
            format!("GET {SIGNED} -"),
            "GET https://other.example/q -".to_owned(),
        ];
        assert_eq!(fixture.requests(), expected);
        assert_eq!(fixture.headers()[1..], vec![vec!["accept-encoding", "if-range", "range"]; 2], "{status}");
    }
}

#[tokio::test]
async fn redirect_back_to_own_origin_has_the_token_again() {
    let fixture = Fixture::new([
        redirect(302, "http://127.0.0.1:10/p"),
        redirect(302, "http://127.0.0.1:9/back"),
        redirect(302, "http://127.0.0.1:11/p"),
        package(),
    ]);
    fixture.download(CallOptions::default()).await.expect("followed");
    let expected =
        ["/api/thing Bearer t0ken", "http://127.0.0.1:10/p -", "/back Bearer t0ken", "http://127.0.0.1:11/p -"];
    assert_eq!(fixture.requests(), expected.map(|line| format!("GET {line}")));
}

#[tokio::test]
async fn download_rejects_insecure_endless_and_disabled_redirects() {
    let not_followed =
        |reason: &str| format!("downloadPackage: 302 Found: redirect not followed; check the base URL; {reason}");
    let hops: [(&[&'static str], &str); 6] = [
        (&["http://store.example/p?sig=s1gnature"], "target http://store.example: only https is followed"),
        (&[SIGNED, "http://127.0.0.1:10/p?sig=s1gnature"], "target http://127.0.0.1:10: only https is followed"),
        (&[SIGNED, "http://store.example/p?sig=s1gnature"], "target http://store.example: only https is followed"),
        (&["ftp://store.example/p?sig=s1gnature"], "target ftp://store.example: only https is followed"),
        (&["https://u:pa55@store.example/p"], "target https://store.example: the URL contains a user name or password"),
        (&[SIGNED; 6], "more than 5 redirects in a row"),
    ];
    for (hops, reason) in hops {
        let fixture = Fixture::new(hops.iter().map(|target| redirect(302, target)));
        let error = fixture.download(CallOptions::default()).await.expect_err(reason);
        assert_eq!((error.status(), fixture.requests().len()), (Some(StatusCode::FOUND), hops.len()));
        let note = "; the service redirected the download to https://store.example";
        assert_eq!(error.to_string().replace(note, ""), not_followed(reason));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s1gnature") && !shown.contains("pa55"), "{shown}");
    }
    let fixture = Fixture::with([redirect(302, SIGNED)], |builder| builder.follow_download_redirects(false));
    let error = fixture.download(CallOptions::default()).await.expect_err("off");
    assert_eq!(error.to_string(), not_followed("target https://store.example; `follow_download_redirects` is off"));
}

#[tokio::test]
async fn errors_of_another_origin_are_not_errors_of_the_service() {
    let page = "<Error>Signature s1gnature of sig=s1gnature&amp;part=1 has expired</Error>";
    for status in [401, 403, 404, 409] {
        let error = Step::Respond(with_headers(status, &[("content-type", "application/xml")], page));
        let fixture = Fixture::new([redirect(302, SIGNED), error]);
        let error = fixture.download(CallOptions::default()).await.expect_err("rejected");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(!error.is_unauthorized() && !error.is_forbidden() && !error.is_not_found());
        assert!(!error.is_conflict() && !error.needs_login());
        assert!(error.to_string().ends_with("the service redirected the download to https://store.example"), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s1gnature") && shown.contains("has expired"), "{shown}");
        assert_eq!(fixture.requests().len(), 2, "the token is not replaced");
    }
    // Transient errors: the service is called again and signs a new URL.
    let throttled = || Step::Respond(with_headers(429, &[("retry-after", "1")], ""));
    let steps =
        [redirect(302, SIGNED), throttled(), redirect(302, SIGNED), not_sent(), redirect(302, SIGNED), package()];
    let fixture = Fixture::with(steps, pacing);
    fixture.download(CallOptions::default()).await.expect("the third attempt");
    assert_eq!(fixture.slept(), [1000, 500], "the rate limit of the service is not lowered");
    let fixture = Fixture::new([redirect(302, SIGNED), not_sent()]);
    let error = fixture.download(retry(RetryMode::Never)).await.expect_err("no connection");
    assert!(error.was_sent(), "the service has received the call");
}

#[tokio::test(start_paused = true)]
async fn limits_the_size_of_responses() {
    let fixture = Fixture::with([Step::Respond(json(200, "[1,2,3,4,5]"))], |builder| builder.max_response_size(10));
    let error = fixture.get().await.expect_err("eleven bytes");
    assert_eq!(error.to_string(), "request: response body exceeds the limit of 10 bytes (max_response_size)");
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn ignores_a_byte_order_mark() {
    let fixture = Fixture::new([Step::Respond(json(200, "\u{feff}{}"))]);
    assert_eq!(fixture.get().await.expect("a response").bytes().await.expect("a body"), "{}");
}

#[derive(Default)]
struct RecordingObserver(Mutex<Vec<String>>);

impl Observer for RecordingObserver {
    fn retrying(&self, event: &Retrying<'_>) {
        let line = format!("{} attempt {}: {} → {:?}", event.operation, event.attempt, event.error, event.delay);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn ended(&self, event: &CallEnded<'_>) {
        let outcome = event.outcome.map_err(Error::kind);
        let line = format!("{} {outcome:?} after {} attempts, {:?}", event.operation, event.attempts, event.elapsed);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn observer_receives_retries_and_ends() {
    let observer = Arc::new(RecordingObserver::default());
    let shared = Arc::clone(&observer);
    let fixture = Fixture::with([status(503), status(200), response_lost()], |builder| builder.observer(shared));
    let license = operation("getLicense").expect("a known operation");
    fixture.call(Method::GET, license, CallOptions::default()).await.expect("the second attempt");
    fixture.post(CallOptions::default()).await.expect_err("lost");
    let lines = [
        "getLicense attempt 1: 503 Service Unavailable without a message → 250ms",
        "getLicense Ok(200) after 2 attempts, 250ms",
        "request Err(Interrupted) after 1 attempts, 0ns",
    ];
    assert_eq!(*observer.0.lock().unwrap_or_else(PoisonError::into_inner), lines);
}

#[tokio::test(start_paused = true)]
async fn rate_limit_adapts_to_429() {
    let throttled = || Step::Respond(with_headers(429, &[("retry-after", "2")], ""));
    let fixture = Fixture::with([status(200), throttled()], pacing);
    fixture.get().await.expect("no limit yet");
    fixture.get().await.expect("sent after the pause");
    // The retry delay is the pause of the rate limiter, too; then the rate is half of two requests per second, and grows by one per second.
    assert_eq!(fixture.slept(), [2000]);
    fixture.get().await.expect("sent within the rate");
    assert_eq!(fixture.slept(), [2000, 1000]);
}

#[tokio::test(start_paused = true)]
async fn call_without_a_permit_is_not_sent() {
    let pacing = RateLimit::adaptive().max_concurrency(1);
    let fixture = Fixture::with([Step::Hang], |builder| builder.rate_limit(pacing));
    let mut first = Box::pin(fixture.post(CallOptions::default()));
    assert!(futures_util::poll!(&mut first).is_pending(), "holds the only permit");
    let options = CallOptions { deadline: Some(Duration::from_millis(1)), ..CallOptions::default() };
    let second = fixture.post(options).await.expect_err("no permit");
    assert_eq!((second.timeout_phase(), second.was_sent()), (Some(TimeoutPhase::Operation), false));
}

fn pacing(builder: ClientBuilder) -> ClientBuilder {
    builder.rate_limit(RateLimit::adaptive())
}

fn throttled_for(retry_after: &'static str) -> Step {
    Step::Respond(with_headers(429, &[("retry-after", retry_after)], ""))
}

/// A year, in each notation.
const YEAR: [&str; 3] = ["31536000", "31536000.0", "Fri, 01 Jan 1971 00:00:00 GMT"];

#[tokio::test]
async fn retry_after_of_a_year_fails_calls_unsent_and_is_capped() {
    for retry_after in YEAR {
        let fixture = Fixture::with([throttled_for(retry_after)], pacing);
        let error = fixture.get().await.expect_err("pause too long");
        assert_eq!((error.attempts(), error.was_sent()), (1, true));
        // For any method and deadline, transfers included.
        let no_deadline = CallOptions { deadline: Some(Duration::MAX), ..CallOptions::default() };
        let outcomes = [
            fixture.get().await,
            fixture.post(CallOptions::default()).await,
            fixture.post(no_deadline).await,
            fixture.download(CallOptions::default()).await,
        ];
        for outcome in outcomes {
            let error = outcome.expect_err("fails at once");
            assert!(error.is_rate_limited() && error.is_transient() && !error.was_sent(), "{error:?}");
            assert_eq!((error.attempts(), error.retry_after()), (0, Some(Duration::from_secs(31_536_000))));
            let text = error.to_string();
            let expected = "not sent: Retry-After of 31536000s does not fit into the 120s left for this call; call again after the pause";
            assert!(text.ends_with(expected), "{text}");
        }
        assert_eq!((fixture.slept(), fixture.requests().len()), (vec![], 1));
        fixture
            .call(Method::GET, &UNLISTED, CallOptions { rate_limited: Some(false), ..CallOptions::default() })
            .await
            .expect("not rate limited");
        // After the cap on pauses, the service is called again.
        fixture.clock.advance(crate::http_util::MAX_PAUSE);
        fixture.post(CallOptions::default()).await.expect("sent");
        assert_eq!(fixture.slept(), []);
    }
}

#[tokio::test]
async fn waits_for_retry_after_within_deadline_and_policy() {
    let seconds = Duration::from_secs;
    // The pause, the deadline, the limit of the policy; the expected sleep.
    let cases = [
        ("100", None, None, Some(100_000)),
        ("100", Some(99), None, None),
        ("100", Some(101), None, Some(100_000)),
        ("100", None, Some(99), None),
        ("200", None, None, None),
        ("200", None, Some(201), Some(200_000)),
        // The cap on a pause that another call received.
        ("31536000", None, Some(u64::MAX), Some(300_000)),
    ];
    for (retry_after, deadline, limit, slept) in cases {
        let fixture = Fixture::with([throttled_for(retry_after)], pacing);
        fixture.call(Method::GET, &UNLISTED, retry(RetryMode::Never)).await.expect_err("not retried");
        let policy = limit.map(|limit| Box::new(RetryPolicy::default().max_elapsed(seconds(limit))));
        let options = CallOptions { deadline: deadline.map(seconds), retry_policy: policy, ..CallOptions::default() };
        let outcome = fixture.post(options).await;
        assert_eq!(fixture.slept(), slept.into_iter().collect::<Vec<_>>(), "{retry_after} {deadline:?} {limit:?}");
        match outcome {
            Ok(_) => assert!(slept.is_some()),
            Err(error) => assert!(slept.is_none() && error.is_rate_limited() && !error.was_sent(), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn calls_that_cannot_wait_do_not_delay_others() {
    let fixture = Fixture::with([throttled_for("0"), throttled_for("0"), throttled_for("0")], pacing);
    for _ in 0..3 {
        fixture.call(Method::GET, &UNLISTED, retry(RetryMode::Never)).await.expect_err("throttled");
        fixture.clock.advance(Duration::from_secs(2));
    }
    let mut sent = 0;
    // Ten minutes of a healthy service: four calls per second, each with a deadline of one second.
    for _ in 0..600 {
        for _ in 0..4 {
            let options = CallOptions { deadline: Some(Duration::from_secs(1)), ..CallOptions::default() };
            sent += usize::from(fixture.call(Method::GET, &UNLISTED, options).await.is_ok());
        }
        fixture.clock.advance(Duration::from_secs(1));
    }
    assert!(sent > 2000, "{sent} of 2400 calls were sent");
}

#[tokio::test]
async fn retries_unprocessed_creations() {
    let cases = [
        (503, "2", 2),
        (503, "0", 2),
        (503, "Thu, 01 Jan 1970 00:00:02 GMT", 2),
        (429, "", 2),
        (503, "", 1),
        (503, "soon", 1),
        (502, "2", 1),
        (504, "2", 1),
    ];
    for (code, retry_after, attempts) in cases {
        let fixture =
            Fixture::new([Step::Respond(with_headers(code, &[("retry-after", retry_after)], "")), status(200)]);
        let outcome = fixture.post(CallOptions::default()).await;
        assert_eq!((fixture.requests().len(), outcome.is_ok()), (attempts, attempts == 2), "{code} {retry_after:?}");
    }
    let unavailable = || Step::Respond(with_headers(503, &[("retry-after", "1")], ""));
    let fixture = Fixture::new([unavailable(), unavailable(), unavailable(), unavailable()]);
    let error = fixture.post(CallOptions::default()).await.expect_err("four times");
    assert_eq!((error.attempts(), error.is_safe_to_repeat()), (4, true));
    // The service may have processed an earlier attempt.
    let fixture = Fixture::new([response_lost(), unavailable(), unavailable(), unavailable()]);
    let error = fixture.post(retry(RetryMode::EvenIfSent)).await.expect_err("four times");
    assert_eq!((error.attempts(), error.is_safe_to_repeat()), (4, false));
}

#[tokio::test(start_paused = true)]
async fn stops_when_retry_budget_is_exhausted() {
    let fixture = Fixture::with((0..4).map(|_| status(503)), |builder| builder.retry_budget(Some(1)));
    let error = fixture.get().await.expect_err("budget of one retry");
    assert_eq!(error.attempts(), 2);
    assert!(
        error.to_string().ends_with(
            "not retried: the retry budget of this client is exhausted after many failures; call again later"
        ),
        "{error}"
    );
}
