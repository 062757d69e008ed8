//! One package's bytes, over as many answers as that takes: where one breaks off, the next goes on, or all begins anew.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::Instant;

use super::disposition;
use super::offer::{self, Offer, Rest};
use super::validator::Validator;
use super::{too_large, wrong_length};
use crate::client::Client;
use crate::error::{Error, Result, TimeoutPhase};
use crate::models::DownloadId;
use crate::timeout::within;
use crate::transport::classify::{ResponseFailure, classify};
use crate::transport::{BodyError, CallOptions, ResponseMeta};

/// So many bytes more are progress, after which failures count from the beginning again. A service that breaks off after each few bytes makes none.
const PROGRESS: u64 = 16 * 1024;

type Body = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Step {
    Piece(Bytes),
    /// Everything known of the package so far is void: the next piece is the first one of a package that may be another version.
    Restart,
    /// It goes on where it stopped, which is what has come so far.
    Resumed,
    End,
}

/// A package on its way.
pub(crate) struct Fetch {
    client: Client,
    id: DownloadId,
    options: CallOptions,
    /// The largest package that is taken, in bytes.
    max_bytes: Option<u64>,
    until: Option<Instant>,
    idle: Duration,
    body: Option<Body>,
    operation: Option<&'static documine_api::operations::Operation>,
    /// Whether parts may be asked for: not when the caller asks for a range, and no more when the service has given a wrong one.
    ranges: bool,
    /// Whether a failure may be made good by another request: not when the caller asks for a range.
    again: bool,
    position: u64,
    length: Option<u64>,
    validator: Option<Validator>,
    /// As the service suggests it.
    name: Option<String>,
    attempts: u32,
    /// When it began, and when there was progress, by the client's clock.
    begun: Duration,
    moved: Duration,
    /// How far it had come at the last progress, and how many failures there were since.
    mark: u64,
    tried: u32,
}

impl Fetch {
    /// Asks for the package, or for the rest of it where an earlier call stopped. [`position`](Self::position) says where it begins.
    pub(crate) async fn begin(
        client: Client,
        id: DownloadId,
        options: CallOptions,
        max_bytes: Option<u64>,
        rest: Option<Rest>,
    ) -> Result<Self> {
        let until = options.deadline.and_then(|limit| Instant::now().checked_add(limit));
        let idle = options.idle_timeout.unwrap_or(client.pipeline().timeouts.idle);
        let own = options.headers.as_ref().is_some_and(|headers| headers.contains_key(header::RANGE));
        let now = client.clock().monotonic();
        let mut fetch = Self {
            client,
            id,
            options,
            max_bytes,
            until,
            idle,
            body: None,
            operation: None,
            ranges: !own,
            again: !own,
            position: 0,
            length: None,
            validator: None,
            name: None,
            attempts: 0,
            begun: now,
            moved: now,
            mark: 0,
            tried: 0,
        };
        if let Some(rest) = rest {
            (fetch.position, fetch.mark) = (rest.first, rest.first);
            (fetch.length, fetch.validator) = (Some(rest.length), Some(rest.validator));
        }
        fetch.open().await?;
        Ok(fetch)
    }

    /// How many of the package's bytes there are before the next piece.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many it has, where the service says.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// By what the rest can be asked for later, where the service offers that.
    pub(crate) fn validator(&self) -> Option<&Validator> {
        self.validator.as_ref().filter(|_| self.ranges)
    }

    /// The file name that the service suggests.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Asks for the whole package again, because what came is not whole.
    pub(crate) async fn anew(&mut self) -> Result<()> {
        (self.ranges, self.position) = (false, 0);
        self.open().await
    }

    pub(crate) async fn next(&mut self) -> Result<Step> {
        let left = self.left();
        let (limit, phase) = match left {
            Some(left) if left < self.idle => (left, TimeoutPhase::Operation),
            _ => (self.idle, TimeoutPhase::Idle),
        };
        let Some(body) = &mut self.body else { return Ok(Step::End) };
        // Only a caller's own deadline ends a transfer that moves.
        let error = match within(body.next(), limit, phase).await {
            Err(error) => error,
            Ok(Some(Err(error))) => classify(ResponseFailure::Transport(&error)),
            Ok(Some(Ok(piece))) => {
                let position = self.position + piece.len() as u64;
                self.within_limit(position)?;
                if self.length.is_none_or(|length| position <= length) {
                    self.position = position;
                    return Ok(Step::Piece(piece));
                }
                wrong_length(position, self.length)
            }
            Ok(None) if self.length.is_some_and(|length| self.position != length) => {
                wrong_length(self.position, self.length)
            }
            Ok(None) => {
                self.body = None;
                return Ok(Step::End);
            }
        };
        self.body = None;
        self.pause(error).await?;
        self.open().await?;
        Ok(if self.position == 0 { Step::Restart } else { Step::Resumed })
    }

    /// Judges a failure, and makes the pause before the next request.
    async fn pause(&mut self, error: Error) -> Result<()> {
        let pipeline = self.client.pipeline();
        let now = pipeline.clock.monotonic();
        // Fetching it again does nothing twice.
        let error = self.told(error, 0);
        let Some(operation) = self.operation.filter(|_| self.again) else { return Err(error) };
        if error.timeout_phase() == Some(TimeoutPhase::Operation) {
            return Err(error);
        }
        if self.position >= self.mark.saturating_add(PROGRESS) {
            pipeline.retry_budget.refund(self.tried);
            (self.mark, self.moved, self.tried) = (self.position, now, 0);
        }
        let broken = BodyError {
            operation,
            error,
            failures: self.tried,
            attempts: self.attempts,
            elapsed: now.saturating_sub(self.moved),
            remaining: self.left().unwrap_or(Duration::MAX),
        };
        // Pinned before it is awaited: the pause is rare, and the transfer need not have the room for it.
        Box::pin(pipeline.wait_to_resume(&self.options, broken)).await?;
        self.tried += 1;
        Ok(())
    }

    /// The next answer: the rest where it can be had, else the whole.
    async fn open(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            let mut options = self.options.clone();
            if self.attempts > 0 {
                options.deadline = self.left();
            }
            if let Some((rest, condition)) = &rest {
                let headers = options.headers.get_or_insert_default();
                if let Ok(range) = HeaderValue::try_from(format!("bytes={}-", rest.first)) {
                    headers.insert(header::RANGE, range);
                    headers.insert(header::IF_RANGE, condition.clone());
                }
            }
            let rest = rest.map(|(rest, _)| rest);
            let request = self.client.requests().download_package().download_id(self.id.clone()).prepare();
            let answered = match pin!(self.client.send(request, &options)).await {
                // The package has fewer bytes than it was said to have.
                Err(error) if rest.is_some() && error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                    self.attempts += error.attempts();
                    self.ranges = false;
                    continue;
                }
                Err(error) => {
                    let attempts = error.attempts();
                    return Err(self.told(error, attempts));
                }
                Ok(answered) => answered,
            };
            let (body, facts) = answered.into_stream();
            self.attempts += facts.attempts;
            self.operation = Some(facts.operation);
            let offer = if self.again { Offer::of(facts.status, &facts.headers, rest.as_ref()) } else { Offer::Whole };
            match offer {
                // Never mixed with what came before.
                Offer::Other => {
                    self.ranges = false;
                    continue;
                }
                Offer::Nothing(why) => {
                    let ResponseMeta { status, headers, .. } = &facts;
                    let error = classify(ResponseFailure::UnexpectedBody { status: *status, headers, body: b"", why });
                    return Err(self.told(error, 0));
                }
                Offer::Whole => self.adopt(&facts.headers),
                Offer::Rest => self.name = disposition::file_name(&facts.headers).or(self.name.take()),
            }
            self.within_limit(self.length.unwrap_or_default())?;
            self.body = Some(Box::pin(body.bytes_stream()));
            return Ok(());
        }
    }

    /// Takes over what the headers of a whole package say. Nothing stays of an earlier response, which may have been another version.
    fn adopt(&mut self, headers: &HeaderMap) {
        let refused = headers.get(header::ACCEPT_RANGES).is_some_and(|value| value.as_bytes() == b"none");
        self.position = 0;
        self.length = offer::length(headers);
        self.name = disposition::file_name(headers);
        self.validator = Validator::of(headers).filter(|_| !refused);
    }

    /// What to ask for, with the condition under which it is good. `None`: the whole.
    fn rest(&self) -> Option<(Rest, HeaderValue)> {
        let validator = self.validator()?.clone();
        let (first, length) = (self.position, self.length?);
        let condition = validator.value()?;
        (0 < first && first < length).then_some((Rest { first, length, validator }, condition))
    }

    /// Refuses a package of so many bytes where that is more than the caller allows.
    fn within_limit(&self, bytes: u64) -> Result<()> {
        match self.max_bytes {
            Some(limit) if bytes > limit => Err(self.told(too_large(limit), 0)),
            _ => Ok(()),
        }
    }

    fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// An error, with what the whole transfer has taken; `more` requests were made for it that are not counted yet.
    pub(super) fn told(&self, error: Error, more: u32) -> Error {
        let elapsed = self.client.clock().monotonic().saturating_sub(self.begun);
        error.with_operation("downloadPackage").repeatable(true).with_attempts(self.attempts + more, elapsed)
    }
}
