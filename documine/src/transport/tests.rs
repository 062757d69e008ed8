//! The whole stack without a socket: the bottom layer answers from a script, and time stands still: limits run out on tokio's paused clock.

#![allow(clippy::expect_used, reason = "these are tests")]

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ::http::{Method, StatusCode};
use bytes::Bytes;
use documine_api::operations::{Operation, UNLISTED, operation};
use futures_util::stream;
use reqwest::{Request, Response, ResponseBuilderExt};

use super::*;
use crate::Client;
use crate::auth::Credentials;
use crate::error::{ErrorKind, Sent, TimeoutPhase};

/// What the bottom layer does with one request.
enum Step {
    Answer(::http::Response<reqwest::Body>),
    Fail(Error),
    /// Nothing, for ever.
    Silence,
}

/// The script, and what was asked.
#[derive(Default)]
struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: Mutex<Vec<String>>,
}

impl Http for Script {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
        let line = format!("{} {} {}", request.method(), request.url().path(), header("authorization"));
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let step = step.unwrap_or_else(|| busy(200));
        Box::pin(async move {
            match step {
                Step::Answer(answer) => {
                    let (parts, body) = answer.into_parts();
                    let whole = ::http::Response::builder().status(parts.status).url(request.url().clone());
                    let mut whole = whole.body(body).expect("an answer");
                    *whole.headers_mut() = parts.headers;
                    Ok(Response::from(whole))
                }
                Step::Fail(error) => Err(error),
                Step::Silence => std::future::pending().await,
            }
        })
    }
}

/// A clock on which sleeping is the only thing that takes time.
#[derive(Default, Clone)]
struct Sleeper(Arc<Mutex<(Duration, Vec<Duration>)>>);

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleeper")
    }
}

impl Clock for Sleeper {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += duration;
        state.1.push(duration);
        Box::pin(std::future::ready(()))
    }

    fn random(&self) -> f64 {
        0.5
    }
}

struct Stage {
    script: Arc<Script>,
    clock: Sleeper,
    stack: Arc<Stack>,
}

impl Stage {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(steps, |builder| builder)
    }

    fn with(
        steps: impl IntoIterator<Item = Step>,
        settings: impl FnOnce(crate::ClientBuilder) -> crate::ClientBuilder,
    ) -> Self {
        let script = Arc::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() });
        let clock = Sleeper::default();
        let builder = Client::builder("http://127.0.0.1:9")
            .workspace("acme")
            .credentials(Credentials::access_token("t0ken"))
            .clock(clock.clone());
        let mut stack = settings(builder).stack().expect("the settings are right").0;
        stack.http = Arc::clone(&script) as Arc<dyn Http>;
        Self { script, clock, stack: Arc::new(stack) }
    }

    async fn call(&self, method: Method, operation: &'static Operation, options: CallOptions) -> Result<Response> {
        let url = self.stack.base.join("/api/thing").expect("a URL");
        let answered = Call::new(&self.stack, &options).run(Request::new(method, url), operation).await?;
        answered.into_response()
    }

    async fn get(&self) -> Result<Response> {
        self.call(Method::GET, &UNLISTED, CallOptions::default()).await
    }

    async fn post(&self, options: CallOptions) -> Result<Response> {
        self.call(Method::POST, &UNLISTED, options).await
    }

    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slept(&self) -> Vec<u128> {
        self.clock.0.lock().unwrap_or_else(PoisonError::into_inner).1.iter().map(Duration::as_millis).collect()
    }
}

fn answer(status: u16, body: &'static str) -> ::http::Response<reqwest::Body> {
    with_headers(status, &[("content-type", "application/json")], body)
}

fn with_headers(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: impl Into<reqwest::Body>,
) -> ::http::Response<reqwest::Body> {
    let mut answer = ::http::Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).expect("an answer")
}

fn busy(status: u16) -> Step {
    Step::Answer(answer(status, "{}"))
}

fn never_sent() -> Step {
    Step::Fail(Error::new(ErrorKind::Connect, "refused").with_sent(Sent::No))
}

fn lost() -> Step {
    Step::Fail(Error::new(ErrorKind::Interrupted, "reset").with_sent(Sent::Maybe))
}

fn retry(when: Retry) -> CallOptions {
    CallOptions { retry: Some(when), ..CallOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_repeated_is_repeated() {
    let stage = Stage::new([busy(503), lost(), never_sent()]);
    stage.get().await.expect("the fourth attempt");
    assert_eq!(stage.slept(), [250, 500, 1000]);
    assert_eq!(stage.asked(), vec!["GET /api/thing Bearer t0ken"; 4]);

    let stage = Stage::new([never_sent(), lost()]);
    let error = stage.post(CallOptions::default()).await.expect_err("lost");
    assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (2, true, false));

    let stage = Stage::new([never_sent(), lost()]);
    stage.post(retry(Retry::EvenIfSent)).await.expect("the caller wished it so");

    let stage = Stage::new([never_sent()]);
    let error = stage.call(Method::GET, &UNLISTED, retry(Retry::Never)).await.expect_err("once only");
    assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (1, false, true));
}

#[tokio::test(start_paused = true)]
async fn one_attempt_that_was_not_sent_says_nothing_about_those_before() {
    let stage = Stage::new([lost(), never_sent(), never_sent(), never_sent()]);
    let error = stage.get().await.expect_err("four times nothing");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 4));
    assert!(error.was_sent() && error.is_safe_to_repeat());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_no_failed_attempt() {
    // A fixed token can't be replaced, so the refusal is final, without a pause.
    let stage = Stage::new([busy(401)]);
    let error = stage.get().await.expect_err("refused");
    assert!(error.is_unauthorized());
    assert_eq!(stage.slept(), []);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_holds_for_attempts_and_pauses() {
    let stage = Stage::new([busy(503), busy(503), busy(503)]);
    let options = CallOptions { deadline: Some(Duration::from_millis(700)), ..CallOptions::default() };
    let error = stage.call(Method::GET, &UNLISTED, options).await.expect_err("no time");
    assert_eq!(stage.slept(), [250]);
    assert_eq!(
        error.to_string(),
        "request: 503 Service Unavailable without a message; it was not tried again, because only 450ms are left for this call"
    );

    let stage = Stage::new([Step::Silence]);
    let options = CallOptions { deadline: Some(Duration::from_millis(20)), ..CallOptions::default() };
    let error = stage.post(options).await.expect_err("silence");
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Operation)));
    assert_eq!((error.was_sent(), error.is_safe_to_repeat()), (true, false));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_limit_to_the_first_byte() {
    let stage = Stage::new([Step::Silence, busy(200)]);
    let options = CallOptions { timeout: Some(Duration::from_millis(20)), ..CallOptions::default() };
    stage.call(Method::GET, &UNLISTED, options.clone()).await.expect("the second attempt");
    let stage = Stage::new([Step::Silence]);
    let error = stage.post(options).await.expect_err("silence");
    assert_eq!((error.timeout_phase(), error.attempts()), (Some(TimeoutPhase::Attempt), 1));
    assert!(error.was_sent());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stands_still_is_found_and_one_that_drips_is_not() {
    let standing = || {
        let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        reqwest::Body::wrap_stream(futures_util::StreamExt::chain(pieces, stream::pending()))
    };
    let json = &[("content-type", "application/json")];
    let settings = |builder: crate::ClientBuilder| builder.idle_timeout(Duration::from_millis(40));
    let stage = Stage::with([Step::Answer(with_headers(200, json, standing()))], settings);
    let error = stage.call(Method::GET, &UNLISTED, retry(Retry::Never)).await.expect_err("stands still");
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Idle));

    let stage = Stage::new([Step::Answer(with_headers(200, json, standing()))]);
    let options = CallOptions { idle: Some(Duration::from_millis(40)), ..retry(Retry::Never) };
    let error = stage.call(Method::GET, &UNLISTED, options).await.expect_err("a limit of the call's own");
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Idle));

    let drip = stream::unfold(0, |count| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let piece = match count {
            0 => "{\"a\":\"",
            1..20 => "x",
            20 => "\"}",
            _ => return None,
        };
        Some((Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())), count + 1))
    });
    let drip = with_headers(200, json, reqwest::Body::wrap_stream(drip));
    let stage = Stage::with([Step::Answer(drip)], settings);
    let whole = stage.get().await.expect("slow, but moving").bytes().await.expect("is there already");
    assert_eq!(whole.len(), 6 + 19 + 2);
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_on_the_services_own_origin_and_for_reads_alone() {
    let to = |status, target| Step::Answer(with_headers(status, &[("location", target)], ""));
    let stage = Stage::new([to(302, "/elsewhere"), to(308, "http://127.0.0.1:9/there"), busy(200)]);
    stage.get().await.expect("is followed");
    let asked = ["/api/thing", "/elsewhere", "/there"].map(|path| format!("GET {path} Bearer t0ken"));
    assert_eq!(stage.asked(), asked);

    for target in ["http://127.0.0.1:10/", "https://127.0.0.1:9/", "http://localhost:9/", "//evil.example/", "http://["]
    {
        let stage = Stage::new([to(307, target)]);
        let error = stage.get().await.expect_err(target);
        assert_eq!(error.status(), Some(StatusCode::TEMPORARY_REDIRECT), "{target}");
        assert_eq!(stage.asked().len(), 1, "the token goes nowhere else");
    }
    let stage = Stage::new([to(302, "/elsewhere")]);
    let error = stage.post(CallOptions::default()).await.expect_err("not followed");
    assert_eq!((error.status(), stage.asked().len()), (Some(StatusCode::FOUND), 1));

    let circle = Stage::new((0..9).map(|_| to(302, "/round")));
    let error = circle.get().await.expect_err("no end");
    assert_eq!((error.status(), circle.asked().len()), (Some(StatusCode::FOUND), 6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_a_largest_size() {
    let stage = Stage::with([Step::Answer(answer(200, "[1,2,3,4,5]"))], |builder| builder.max_answer_size(10));
    let error = stage.get().await.expect_err("eleven bytes");
    assert_eq!(
        error.to_string(),
        "request: the answer is larger than 10 bytes, the most that is taken (max_answer_size)"
    );
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_means_nothing() {
    let stage = Stage::new([Step::Answer(answer(200, "\u{feff}{}"))]);
    assert_eq!(stage.get().await.expect("an answer").bytes().await.expect("a body"), "{}");
}

#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Observer for Diary {
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
async fn an_observer_hears_of_retries_and_ends() {
    let diary = Arc::new(Diary::default());
    let watched = Arc::clone(&diary);
    let stage = Stage::with([busy(503), busy(200), lost()], |builder| builder.observer(watched));
    let license = operation("getLicense").expect("is there");
    stage.call(Method::GET, license, CallOptions::default()).await.expect("the second attempt");
    stage.post(CallOptions::default()).await.expect_err("lost");
    let lines = [
        "getLicense attempt 1: 503 Service Unavailable without a message → 250ms",
        "getLicense Ok(200) after 2 attempts, 250ms",
        "request Err(Interrupted) after 1 attempts, 0ns",
    ];
    assert_eq!(*diary.0.lock().unwrap_or_else(PoisonError::into_inner), lines);
}

#[tokio::test(start_paused = true)]
async fn paced_calls_leave_as_fast_as_the_service_takes_them() {
    let slow = || Step::Answer(with_headers(429, &[("retry-after", "2")], ""));
    let stage = Stage::with([busy(200), slow()], |builder| builder.pacing(Pacing::adaptive()));
    stage.get().await.expect("no pace yet");
    stage.get().await.expect("after the pause");
    // The pause of the retry is the pacer's too; then the rate is half of two requests a second, and grows by one each second.
    assert_eq!(stage.slept(), [2000]);
    stage.get().await.expect("at its turn");
    assert_eq!(stage.slept(), [2000, 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_got_its_turn_was_not_sent() {
    let pacing = Pacing::adaptive().max_concurrency(1);
    let stage = Stage::with([Step::Silence], |builder| builder.pacing(pacing));
    let short = || CallOptions { deadline: Some(Duration::from_millis(20)), ..CallOptions::default() };
    let (first, second) = tokio::join!(stage.post(short()), stage.post(short()));
    let sent = [first, second].map(|outcome| outcome.expect_err("silence").was_sent());
    assert_eq!(sent, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn the_store_of_retries_is_shared_and_filled_by_successes() {
    let stage = Stage::with((0..4).map(|_| busy(503)), |builder| builder.retry_budget(Some(1)));
    let error = stage.get().await.expect_err("one retry in store");
    assert_eq!(error.attempts(), 2);
    assert!(error.to_string().ends_with("because too many calls of this client failed lately"), "{error}");
}
