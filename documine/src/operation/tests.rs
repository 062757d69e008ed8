//! Waits on a scripted handle, without requests. Time is tokio's paused clock.

#![allow(clippy::expect_used, reason = "these are tests")]

use std::collections::{HashMap, VecDeque};
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use http::StatusCode;
use tokio::time::Instant;

use super::*;
use crate::clock::{BoxFuture, Clock};
use crate::error::{Error, ErrorKind, Result};
use crate::transport::{RequestOptions, RetryAfterHint};

const WORKING: &str = "working";
const DONE: &str = "done";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Tokio's clock, with a jump for the time in system suspend.
#[derive(Debug)]
struct PausedClock {
    start: Instant,
    suspended: Mutex<Duration>,
}

impl Clock for PausedClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed() + *self.suspended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// The response to one poll, and the pause that it requests.
type Response = (Result<&'static str>, Option<Duration>);

struct Script {
    clock: Arc<PausedClock>,
    waits: WaitContext,
    /// The responses to the polls of each id; the last one repeats.
    responses: Mutex<HashMap<&'static str, VecDeque<Response>>>,
    /// The status of every id in the list.
    listed: Mutex<&'static str>,
    /// The times at which other items of the list are finished, by id.
    others: Mutex<Vec<(String, Duration)>>,
    /// The times of the polls by id; those of the list have the id `list`.
    polls: Mutex<Vec<(&'static str, Duration)>>,
}

/// A handle whose responses are scripted.
#[derive(Clone)]
struct Scripted {
    id: &'static str,
    script: Arc<Script>,
}

impl Scripted {
    fn new(id: &'static str, responses: impl IntoIterator<Item = Response>) -> Self {
        let clock = Arc::new(PausedClock { start: Instant::now(), suspended: Mutex::default() });
        let script = Script {
            waits: WaitContext::new(Arc::clone(&clock) as Arc<dyn Clock>, None),
            clock,
            responses: Mutex::default(),
            listed: Mutex::new(WORKING),
            others: Mutex::default(),
            polls: Mutex::default(),
        };
        Self { id, script: Arc::new(script) }.other(id, responses)
    }

    /// Returns another handle of the same client.
    fn other(&self, id: &'static str, responses: impl IntoIterator<Item = Response>) -> Self {
        let all = responses.into_iter().collect();
        self.script.responses.lock().unwrap_or_else(PoisonError::into_inner).insert(id, all);
        Self { id, script: Arc::clone(&self.script) }
    }

    fn wait_until(&self, condition: Condition<&'static str>) -> Wait<&'static str> {
        Wait::new(PollConfig::new(self.clone(), condition, |_, status| status))
    }

    fn wait(&self) -> Wait<&'static str> {
        self.wait_until(Condition::success(|status| *status == DONE))
    }

    fn record(&self, id: &'static str) {
        let at = self.script.clock.monotonic();
        self.script.polls.lock().unwrap_or_else(PoisonError::into_inner).push((id, at));
    }

    /// Returns the times of the polls of an id in milliseconds.
    fn polls(&self, id: &str) -> Vec<u128> {
        let polls = self.script.polls.lock().unwrap_or_else(PoisonError::into_inner);
        polls.iter().filter(|(other, _)| *other == id).map(|(_, at)| at.as_millis()).collect()
    }
}

impl Pollable for Scripted {
    type Status = &'static str;

    const KIND: WorkKind = WorkKind::File;
    const DEADLINE: Duration = Duration::from_secs(600);

    fn id(&self) -> String {
        self.id.into()
    }

    fn description(&self) -> String {
        format!("file {}", self.id)
    }

    fn waits(&self) -> &WaitContext {
        &self.script.waits
    }

    fn fetch(&self, _: RequestOptions, retry_after: &RetryAfterHint) -> BoxFuture<'static, Result<&'static str>> {
        self.record(self.id);
        let mut all = self.script.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let responses = all.get_mut(self.id).expect("a script");
        let (result, pause) = responses.front().expect("a response").clone();
        if responses.len() > 1 {
            responses.pop_front();
        }
        retry_after.record(pause);
        Box::pin(ready(result))
    }

    fn decide(&self, status: &'static str, condition: &Condition<&'static str>) -> PollOutcome<&'static str> {
        if condition.holds(&status) {
            PollOutcome::Done(status)
        } else {
            PollOutcome::Pending(status.into(), OpenFiles::default())
        }
    }

    fn is_unfinished(status: &&'static str) -> bool {
        *status == WORKING
    }

    fn list_key(&self) -> Option<PollKey> {
        Some(PollKey::Packages)
    }

    fn fetch_list(&self, _: &RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, &'static str>>> {
        self.record("list");
        let status = *self.script.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<_> =
            self.script.responses.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        let now = self.script.clock.monotonic();
        let others = self.script.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let others = others.into_iter().map(|(id, end)| (id, if now < end { WORKING } else { DONE }));
        Box::pin(ready(Ok(ids.into_iter().map(|id| (id.to_owned(), status)).chain(others).collect())))
    }
}

fn ok(status: &'static str) -> Response {
    (Ok(status), None)
}

fn error(status: StatusCode) -> Response {
    (Err(Error::new(ErrorKind::Api, status.to_string()).with_status(status)), None)
}

/// Runs a future until it is pending, without time passing.
async fn start<F: Future + Unpin>(future: &mut F) {
    assert!(futures_util::poll!(&mut *future).is_pending());
}

#[tokio::test(start_paused = true)]
async fn is_not_stalled_while_the_condition_holds() {
    let file = Scripted::new("a", [ok(WORKING), ok(DONE)]);
    let wait = file.wait().stable_for(seconds(60)).with_stall_timeout(seconds(20));
    assert_eq!(wait.await.expect("stable"), DONE);
}

#[tokio::test(start_paused = true)]
async fn suspend_does_not_count_if_another_wait_ends_the_sleep() {
    let file = Scripted::new("a", [ok(WORKING)]);
    let other = file.other("b", [ok(WORKING)]);
    let mut first = file.wait().send();
    start(&mut first).await;
    *file.script.clock.suspended.lock().unwrap_or_else(PoisonError::into_inner) += seconds(8 * 3600);
    let mut second = other.wait().send();
    start(&mut second).await;
    start(&mut first).await;
    let error = first.await.expect_err("never done");
    assert_eq!(error.elapsed(), seconds(600));
}

#[tokio::test(start_paused = true)]
async fn requested_pause_survives_the_poll_of_another_wait() {
    let file = Scripted::new("a", [(Ok(WORKING), Some(seconds(100))), ok(DONE)]);
    let other = file.other("b", [ok(WORKING)]);
    let mut first = file.wait().send();
    start(&mut first).await;
    let mut second = other.wait().send();
    start(&mut second).await;
    start(&mut first).await;
    drop(second);
    first.await.expect("done");
    assert_eq!((file.polls("a"), file.polls("list")), (vec![0, 100_000], vec![0]));
}

#[tokio::test(start_paused = true)]
async fn tolerates_404_of_another_machine_after_the_first_status_of_new_work() {
    let file = Scripted::new("a", [ok(WORKING), error(StatusCode::NOT_FOUND), ok(DONE)]);
    let config = |grace| {
        let condition = Condition::success(|status| *status == DONE);
        PollConfig::new(file.clone(), condition, |_, status| status).with_grace(grace)
    };
    assert_eq!(Wait::new(config(GRACE)).await.expect("done"), DONE);
    let file = file.other("a", [ok(WORKING), error(StatusCode::NOT_FOUND), ok(DONE)]);
    let error = file.wait().await.expect_err("without grace");
    assert_eq!((error.kind(), error.polls()), (WaitErrorKind::Gone, 2));
    assert!(error.poll_error().is_some_and(Error::is_not_found));
}

#[tokio::test(start_paused = true)]
async fn custom_conditions_neither_learn_nor_use_typical_durations() {
    let responses = || (0..40).map(|_| ok(WORKING)).chain([ok(DONE)]);
    let file = Scripted::new("a", []);
    let custom = || Condition::new(|status: &&str| *status == DONE);
    let mut first_pauses = Vec::new();
    for is_custom in [true, true, true, false, false, false, true, false] {
        let file = file.other("a", responses());
        let before = file.polls("a").len();
        let wait = if is_custom { file.wait_until(custom()) } else { file.wait() };
        wait.await.expect("done");
        let polls = &file.polls("a")[before..];
        first_pauses.push(polls[1] - polls[0]);
    }
    assert_eq!(first_pauses, [500, 500, 500, 500, 500, 500, 500, 15_000]);
}

#[tokio::test(start_paused = true)]
async fn settled_wait_for_finished_work_teaches_no_duration() {
    let file = Scripted::new("a", [ok(DONE)]);
    for _ in 0..3 {
        file.wait().stable_for(seconds(5)).await.expect("done");
    }
    assert_eq!(file.waits().stats.median(WorkKind::File), None);
}

#[tokio::test(start_paused = true)]
async fn reports_the_temporary_error_at_the_deadline() {
    let file = Scripted::new("a", [ok(WORKING), error(StatusCode::SERVICE_UNAVAILABLE)]);
    let error = file.wait().with_deadline(seconds(30)).await.expect_err("never done");
    assert_eq!((error.kind(), error.last_state()), (WaitErrorKind::DeadlineExceeded, Some(WORKING)));
    assert_eq!(error.poll_error().and_then(Error::status), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test(start_paused = true)]
async fn poll_once_returns_a_temporary_error() {
    let file = Scripted::new("a", [error(StatusCode::SERVICE_UNAVAILABLE), ok(WORKING), ok(DONE)]);
    let error = file.wait().poll_once().await.expect_err("a temporary error");
    assert!(error.kind() == WaitErrorKind::Poll && error.is_transient(), "{error:?}");
    assert_eq!(file.wait().poll_once().await.expect("a state"), PollState::Working(WORKING.into()));
    assert_eq!(file.wait().poll_once().await.expect("a state"), PollState::Done(DONE));
}

#[tokio::test(start_paused = true)]
async fn unread_states_take_no_part_in_shared_polls() {
    let file = Scripted::new("a", [ok(WORKING)]);
    let mut unread = file.wait().states();
    let other = file.other("b", [ok(DONE)]);
    other.wait().await.expect("done");
    assert_eq!((file.polls("b").len(), file.polls("list").len()), (1, 0));
    tokio::time::sleep(seconds(900)).await;
    assert_eq!(unread.next().await.expect("a state").expect("within the deadline"), PollState::Working(WORKING.into()));
}

#[tokio::test(start_paused = true)]
async fn wait_with_request_options_sends_its_own_polls() {
    let file = Scripted::new("a", [ok(WORKING)]);
    let mut shared = file.wait().send();
    start(&mut shared).await;
    let other = file.other("b", [ok(WORKING), ok(DONE)]);
    other.wait().with_timeout(seconds(5)).with_deadline(seconds(60)).await.expect("done");
    assert_eq!((file.polls("b").len(), file.polls("list").len()), (2, 0));
    let other = file.other("c", [ok(WORKING)]);
    let mut third = other.wait().with_deadline(seconds(60)).send();
    start(&mut third).await;
    assert_eq!((file.polls("c").len(), file.polls("list").len()), (0, 1));
}

/// Returns a handle whose list has bursts of ten other items each that finish at these seconds.
fn with_bursts(seconds_of_bursts: &[u64]) -> Scripted {
    let file = Scripted::new("a", [ok(WORKING)]);
    let burst = |at: &u64| {
        let at = *at;
        (0..10).map(move |number| (format!("{at}-{number}"), seconds(at)))
    };
    *file.script.others.lock().unwrap_or_else(PoisonError::into_inner) =
        seconds_of_bursts.iter().flat_map(burst).collect();
    file
}

/// Returns the times in seconds at which two waits that reach the deadline of 90 seconds polled their list.
async fn lists_of_two_waits(file: &Scripted, condition: &Condition<&'static str>) -> Vec<u128> {
    let other = file.other("b", [ok(WORKING)]);
    let wait = |file: &Scripted| file.wait_until(condition.clone()).with_deadline(seconds(90)).send();
    let (first, second) = tokio::join!(wait(file), wait(&other));
    for end in [first, second] {
        assert_eq!(end.expect_err("never done").kind(), WaitErrorKind::DeadlineExceeded);
    }
    file.polls("list").into_iter().map(|at| at / 1000).collect()
}

#[tokio::test(start_paused = true)]
async fn waits_that_share_a_list_poll_at_the_learned_gap_of_bursts() {
    let file = with_bursts(&[20, 40, 60, 80]);
    let lists = lists_of_two_waits(&file, &Condition::success(|status| *status == DONE)).await;
    let between = |from: u128, to: u128| lists.iter().filter(|at| (from..to).contains(at)).count();
    assert!(between(64, 74) <= 2, "{lists:?}");
    assert!(between(74, 80) >= 3, "{lists:?}");
    // Other conditions hold sooner or later than the end of the work, so their waits do not follow it.
    let file = with_bursts(&[20, 40, 60, 80]);
    let lists = lists_of_two_waits(&file, &Condition::new(|status| *status == DONE)).await;
    let pauses: Vec<_> = lists.windows(2).map(|pair| pair[1] - pair[0]).filter(|pause| *pause > 1).collect();
    assert!(pauses.is_sorted_by(|one, next| *one <= next + 1) && pauses.last() > Some(&4), "{lists:?}");
}

#[tokio::test(start_paused = true)]
async fn completions_of_the_list_take_precedence_over_typical_durations() {
    let file = with_bursts(&[5]);
    for _ in 0..3 {
        file.waits().stats.record(WorkKind::File, seconds(1000));
    }
    let lists = lists_of_two_waits(&file, &Condition::success(|status| *status == DONE)).await;
    // The first poll that typical durations allow shows that other items are finished.
    assert!(lists[..2] == [0, 15] && lists[2] < 20, "{lists:?}");
}
