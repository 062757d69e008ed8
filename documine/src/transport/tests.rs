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
use crate::auth::Credentials;
use crate::client::Client;
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
    /// The names of the headers of each request.
    headers: Mutex<Vec<Vec<String>>>,
}

impl Http for Script {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
        let place = match request.url().origin().ascii_serialization().as_str() {
            "http://127.0.0.1:9" => request.url().path().to_owned(),
            _ => request.url().to_string(),
        };
        let line = format!("{} {place} {}", request.method(), header("authorization"));
        let names = request.headers().keys().map(ToString::to_string).collect();
        self.headers.lock().unwrap_or_else(PoisonError::into_inner).push(names);
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

impl Sleeper {
    fn pass(&self, time: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 += time;
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
    pipeline: Arc<Pipeline>,
}

impl Stage {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(steps, |builder| builder)
    }

    fn with(
        steps: impl IntoIterator<Item = Step>,
        settings: impl FnOnce(crate::client::ClientBuilder) -> crate::client::ClientBuilder,
    ) -> Self {
        let script = Arc::new(Script { steps: Mutex::new(steps.into_iter().collect()), ..Script::default() });
        let clock = Sleeper::default();
        let builder = Client::builder("http://127.0.0.1:9")
            .workspace("acme")
            .credentials(Credentials::access_token("t0ken"))
            .clock(clock.clone());
        let mut pipeline = settings(builder).pipeline().expect("the settings are right").0;
        pipeline.http = Arc::clone(&script) as Arc<dyn Http>;
        pipeline.elsewhere = pipeline.elsewhere.map(|_| Arc::clone(&script) as Arc<dyn Http>);
        Self { script, clock, pipeline: Arc::new(pipeline) }
    }

    async fn call(&self, method: Method, operation: &'static Operation, options: CallOptions) -> Result<Response> {
        let url = self.pipeline.base.join("/api/thing").expect("a URL");
        let answered = Call::new(&self.pipeline, &options).run(Request::new(method, url), operation).await?;
        answered.into_response()
    }

    async fn get(&self) -> Result<Response> {
        self.call(Method::GET, &UNLISTED, CallOptions::default()).await
    }

    async fn post(&self, options: CallOptions) -> Result<Response> {
        self.call(Method::POST, &UNLISTED, options).await
    }

    async fn download(&self, options: CallOptions) -> Result<Response> {
        self.call(Method::GET, operation("downloadPackage").expect("is there"), options).await
    }

    /// The names of the headers of each request, sorted.
    fn headers(&self) -> Vec<Vec<String>> {
        let mut headers = self.script.headers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for names in &mut headers {
            names.sort();
        }
        headers
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
    let settings = |builder: crate::client::ClientBuilder| builder.idle_timeout(Duration::from_millis(40));
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

fn redirect(status: u16, target: &'static str) -> Step {
    Step::Answer(with_headers(status, &[("location", target)], "go to https://store.example/p?sig=s1gnature"))
}

fn package() -> Step {
    Step::Answer(with_headers(200, &[("content-type", "application/zip")], "PK"))
}

const SIGNED: &str = "https://store.example/p?sig=s1gnature&part=1";

#[tokio::test]
async fn a_download_follows_redirects_to_other_origins_without_what_is_the_clients_own() {
    let own = ["x-amz-meta", "cookie", "authorization", "x-tenant-id", "range", "if-range"];
    for status in [301, 302, 303, 307, 308] {
        let stage = Stage::new([redirect(status, SIGNED), redirect(status, "//other.example/q"), package()]);
        let headers = own.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("a")));
        let options = CallOptions { headers: Some(Box::new(headers.into_iter().collect())), ..CallOptions::default() };
        stage.download(options).await.expect("is followed");
        let asked = [
            "GET /api/thing Bearer t0ken".to_owned(),
            format!("GET {SIGNED} -"),
            "GET https://other.example/q -".to_owned(),
        ];
        assert_eq!(stage.asked(), asked);
        assert_eq!(stage.headers()[1..], vec![vec!["accept-encoding", "if-range", "range"]; 2], "{status}");
    }
}

#[tokio::test]
async fn a_redirect_back_to_the_services_own_origin_gets_the_token_again() {
    let stage = Stage::new([
        redirect(302, "http://127.0.0.1:10/p"),
        redirect(302, "http://127.0.0.1:9/back"),
        redirect(302, "http://127.0.0.1:11/p"),
        package(),
    ]);
    stage.download(CallOptions::default()).await.expect("is followed");
    let asked = ["/api/thing Bearer t0ken", "http://127.0.0.1:10/p -", "/back Bearer t0ken", "http://127.0.0.1:11/p -"];
    assert_eq!(stage.asked(), asked.map(|line| format!("GET {line}")));
}

#[tokio::test]
async fn a_download_is_not_redirected_into_the_clear_nor_for_ever_nor_where_that_is_off() {
    let not_followed = |why: &str| {
        format!(
            "downloadPackage: 302 Found: the service points elsewhere, which is not followed; check the base URL; redirect not followed: {why}"
        )
    };
    let hops: [(&[&'static str], &str); 6] = [
        (&["http://store.example/p?sig=s1gnature"], "to http://store.example: only https is followed"),
        (&[SIGNED, "http://127.0.0.1:10/p?sig=s1gnature"], "to http://127.0.0.1:10: only https is followed"),
        (&[SIGNED, "http://store.example/p?sig=s1gnature"], "to http://store.example: only https is followed"),
        (&["ftp://store.example/p?sig=s1gnature"], "to ftp://store.example: only https is followed"),
        (&["https://u:pa55@store.example/p"], "to https://store.example: the address holds a user name or password"),
        (&[SIGNED; 6], "more than 5 redirects in a row"),
    ];
    for (hops, why) in hops {
        let stage = Stage::new(hops.iter().map(|target| redirect(302, target)));
        let error = stage.download(CallOptions::default()).await.expect_err(why);
        assert_eq!((error.status(), stage.asked().len()), (Some(StatusCode::FOUND), hops.len()));
        let elsewhere = "; the service redirected the download to https://store.example; redirect";
        assert_eq!(error.to_string().replace(elsewhere, "; redirect"), not_followed(why));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s1gnature") && !shown.contains("pa55"), "{shown}");
    }
    let stage = Stage::with([redirect(302, SIGNED)], |builder| builder.follow_download_redirects(false));
    let error = stage.download(CallOptions::default()).await.expect_err("off");
    assert_eq!(error.to_string(), not_followed("to https://store.example; `follow_download_redirects` is off"));
}

#[tokio::test]
async fn what_another_origin_answers_is_not_the_services_word() {
    let page = "<Error>Signature s1gnature of sig=s1gnature&amp;part=1 has expired</Error>";
    for status in [401, 403, 404, 409] {
        let refused = Step::Answer(with_headers(status, &[("content-type", "application/xml")], page));
        let stage = Stage::new([redirect(302, SIGNED), refused]);
        let error = stage.download(CallOptions::default()).await.expect_err("refused");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert!(!error.is_unauthorized() && !error.is_not_found() && !error.is_conflict() && !error.needs_login());
        assert!(error.to_string().ends_with("the service redirected the download to https://store.example"), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s1gnature") && shown.contains("has expired"), "{shown}");
        assert_eq!(stage.asked().len(), 2, "another token would not help");
    }
    // Trouble that may pass: the service is asked again, and signs a new address.
    let slow = || Step::Answer(with_headers(429, &[("retry-after", "1")], ""));
    let pacing = |builder: crate::client::ClientBuilder| builder.pacing(Pacing::adaptive());
    let steps = [redirect(302, SIGNED), slow(), redirect(302, SIGNED), never_sent(), redirect(302, SIGNED), package()];
    let stage = Stage::with(steps, pacing);
    stage.download(CallOptions::default()).await.expect("the third attempt");
    assert_eq!(stage.slept(), [1000, 500], "the service's own pace is not slowed down");
    let stage = Stage::new([redirect(302, SIGNED), never_sent()]);
    let error = stage.download(retry(Retry::Never)).await.expect_err("nobody there");
    assert!(error.was_sent(), "the service has seen the call");
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
    let mut first = Box::pin(stage.post(CallOptions::default()));
    assert!(futures_util::poll!(&mut first).is_pending(), "takes the only place, for ever");
    let options = CallOptions { deadline: Some(Duration::from_millis(1)), ..CallOptions::default() };
    let second = stage.post(options).await.expect_err("no place");
    assert_eq!((second.timeout_phase(), second.was_sent()), (Some(TimeoutPhase::Operation), false));
}

fn pacing(builder: crate::client::ClientBuilder) -> crate::client::ClientBuilder {
    builder.pacing(Pacing::adaptive())
}

fn too_fast(retry_after: &'static str) -> Step {
    Step::Answer(with_headers(429, &[("retry-after", retry_after)], ""))
}

/// A year, in each way to write it.
const YEAR: [&str; 3] = ["31536000", "31536000.0", "Fri, 01 Jan 1971 00:00:00 GMT"];

#[tokio::test]
async fn a_pause_of_a_year_ends_paced_calls_unsent_and_is_over_soon() {
    for asked in YEAR {
        let stage = Stage::with([too_fast(asked)], pacing);
        let error = stage.get().await.expect_err("too long");
        assert_eq!((error.attempts(), error.was_sent()), (1, true));
        // Whatever method and deadline a call has, a transfer included.
        let no_deadline = CallOptions { deadline: Some(Duration::MAX), ..CallOptions::default() };
        let outcomes = [
            stage.get().await,
            stage.post(CallOptions::default()).await,
            stage.post(no_deadline).await,
            stage.download(CallOptions::default()).await,
        ];
        for outcome in outcomes {
            let error = outcome.expect_err("is told at once");
            assert!(error.is_rate_limited() && error.is_transient() && !error.was_sent(), "{error:?}");
            assert_eq!((error.attempts(), error.retry_after()), (0, Some(Duration::from_secs(31_536_000))));
            let text = error.to_string();
            let why = "not sent: the service asks for a pause of 31536000s, but only 120s are left for this call; call again after the pause";
            assert!(text.ends_with(why), "{text}");
        }
        assert_eq!((stage.slept(), stage.asked().len()), (vec![], 1));
        stage
            .call(Method::GET, &UNLISTED, CallOptions { paced: Some(false), ..CallOptions::default() })
            .await
            .expect("not paced");
        // The service is asked again after the longest pause, whatever it said.
        stage.clock.pass(crate::net::LONGEST_PAUSE);
        stage.post(CallOptions::default()).await.expect("is sent");
        assert_eq!(stage.slept(), []);
    }
}

#[tokio::test]
async fn a_pause_is_sat_out_as_long_as_deadline_and_policy_allow() {
    let seconds = Duration::from_secs;
    // The pause, the deadline, the policy's limit; how long the call then sleeps.
    let cases = [
        ("100", None, None, Some(100_000)),
        ("100", Some(99), None, None),
        ("100", Some(101), None, Some(100_000)),
        ("100", None, Some(99), None),
        ("200", None, None, None),
        ("200", None, Some(201), Some(200_000)),
        // No call waits longer than this for a pause that another call was told of.
        ("31536000", None, Some(u64::MAX), Some(300_000)),
    ];
    for (asked, deadline, limit, slept) in cases {
        let stage = Stage::with([too_fast(asked)], pacing);
        stage.call(Method::GET, &UNLISTED, retry(Retry::Never)).await.expect_err("once only");
        let policy = limit.map(|limit| Box::new(RetryPolicy::default().max_elapsed(seconds(limit))));
        let options = CallOptions { deadline: deadline.map(seconds), retry_policy: policy, ..CallOptions::default() };
        let outcome = stage.post(options).await;
        assert_eq!(stage.slept(), slept.into_iter().collect::<Vec<_>>(), "{asked} {deadline:?} {limit:?}");
        match outcome {
            Ok(_) => assert!(slept.is_some()),
            Err(error) => assert!(slept.is_none() && error.is_rate_limited() && !error.was_sent(), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn calls_that_can_not_wait_for_their_turn_leave_no_debt_to_the_others() {
    let stage = Stage::with([too_fast("0"), too_fast("0"), too_fast("0")], pacing);
    for _ in 0..3 {
        stage.call(Method::GET, &UNLISTED, retry(Retry::Never)).await.expect_err("too fast");
        stage.clock.pass(Duration::from_secs(2));
    }
    let mut sent = 0;
    // Ten minutes of a healthy service: four callers with a deadline of a second each, every second.
    for _ in 0..600 {
        for _ in 0..4 {
            let options = CallOptions { deadline: Some(Duration::from_secs(1)), ..CallOptions::default() };
            sent += usize::from(stage.call(Method::GET, &UNLISTED, options).await.is_ok());
        }
        stage.clock.pass(Duration::from_secs(1));
    }
    assert!(sent > 2000, "{sent} of 2400 calls were sent");
}

#[tokio::test]
async fn a_creation_that_was_not_processed_is_repeated() {
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
    for (status, asked, attempts) in cases {
        let stage = Stage::new([Step::Answer(with_headers(status, &[("retry-after", asked)], "")), busy(200)]);
        let outcome = stage.post(CallOptions::default()).await;
        assert_eq!((stage.asked().len(), outcome.is_ok()), (attempts, attempts == 2), "{status} {asked:?}");
    }
    let unavailable = || Step::Answer(with_headers(503, &[("retry-after", "1")], ""));
    let stage = Stage::new([unavailable(), unavailable(), unavailable(), unavailable()]);
    let error = stage.post(CallOptions::default()).await.expect_err("four times");
    assert_eq!((error.attempts(), error.is_safe_to_repeat()), (4, true));
    // What an earlier attempt may have done stays possible.
    let stage = Stage::new([lost(), unavailable(), unavailable(), unavailable()]);
    let error = stage.post(retry(Retry::EvenIfSent)).await.expect_err("four times");
    assert_eq!((error.attempts(), error.is_safe_to_repeat()), (4, false));
}

#[tokio::test(start_paused = true)]
async fn the_store_of_retries_is_shared_and_filled_by_successes() {
    let stage = Stage::with((0..4).map(|_| busy(503)), |builder| builder.retry_budget(Some(1)));
    let error = stage.get().await.expect_err("one retry in store");
    assert_eq!(error.attempts(), 2);
    assert!(error.to_string().ends_with("because too many calls of this client failed lately"), "{error}");
}
