//! Download of one package over any number of responses: an interrupted response is resumed, or the download restarts.
//!
//! The transport retries the requests themselves.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::Instant;

use super::chunk_timer::ChunkTimer;
use super::content_disposition;
use super::error::{too_large, wrong_length};
use super::package_meta::PackageMeta;
use super::range::{RangeRequest, RangeResponse, content_length};
use super::validator::Validator;
use crate::client::Client;
use crate::error::{Error, Result, TimeoutPhase};
use crate::models::DownloadId;
use crate::transport::classify::{ResponseFailure, classify};
use crate::transport::{CallOptions, ResponseMeta, TransferFailure};

/// Bytes after which a download counts as making progress and the retry count starts again. Prevents endless retries against a service that
/// interrupts every response after a few bytes.
const PROGRESS_BYTES: u64 = 16 * 1024;

/// The parameters of a download.
#[derive(Clone)]
pub(crate) struct DownloadRequest {
    pub(crate) client: Client,
    pub(crate) id: DownloadId,
    pub(crate) options: CallOptions,
    /// Largest package in bytes.
    pub(crate) max_bytes: Option<u64>,
}

/// An event of a download.
#[derive(Debug)]
pub(crate) enum FetchEvent {
    Chunk(Bytes),
    /// The download restarts at byte 0, possibly with another version of the package. All earlier bytes and metadata are void.
    Restarted,
    /// The download continues at its current position.
    Resumed,
    End,
}

/// A download in progress.
pub(crate) struct Fetch {
    request: DownloadRequest,
    deadline: Option<Instant>,
    idle_timeout: Duration,
    timer: ChunkTimer,
    body: Option<reqwest::Response>,
    operation: Option<&'static documine_api::operations::Operation>,
    /// False if the caller sets a `Range` header, and after a wrong range, a 416 or a failed verification.
    allows_ranges: bool,
    /// False if the caller sets a `Range` header.
    allows_retries: bool,
    position: u64,
    meta: PackageMeta,
    attempts: u32,
    started: Duration,
    /// Time of the last progress, by the clock of the client.
    progress_time: Duration,
    /// Position of the last progress.
    progress_position: u64,
    /// Failures since the last progress.
    failures: u32,
}

impl Fetch {
    /// Requests a package, or the bytes of a package from a position on. [`position`](Self::position) is where the response starts.
    pub(crate) async fn start(request: DownloadRequest, resume: Option<(u64, PackageMeta)>) -> Result<Self> {
        let DownloadRequest { client, options, .. } = &request;
        let deadline = options.deadline.and_then(|limit| Instant::now().checked_add(limit));
        let idle_timeout = options.idle_timeout.unwrap_or(client.pipeline().timeouts.idle);
        let has_range = options.headers.as_ref().is_some_and(|headers| headers.contains_key(header::RANGE));
        let now = client.clock().monotonic();
        let (position, meta) = resume.unwrap_or_default();
        let mut fetch = Self {
            request,
            deadline,
            idle_timeout,
            timer: ChunkTimer::default(),
            body: None,
            operation: None,
            allows_ranges: !has_range,
            allows_retries: !has_range,
            position,
            meta,
            attempts: 0,
            started: now,
            progress_time: now,
            progress_position: position,
            failures: 0,
        };
        fetch.send().await?;
        Ok(fetch)
    }

    /// Returns the position of the next chunk in the package.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the metadata of the package that is being downloaded.
    pub(crate) fn meta(&self) -> &PackageMeta {
        &self.meta
    }

    /// Returns whether a later request may resume this download.
    pub(crate) fn allows_ranges(&self) -> bool {
        self.allows_ranges
    }

    /// Requests the whole package again after a failed verification.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        (self.allows_ranges, self.position) = (false, 0);
        self.send().await
    }

    /// Returns the next event. Resumes or restarts after a failure, as far as the retry policy allows.
    pub(crate) async fn next(&mut self) -> Result<FetchEvent> {
        let (limit, phase) = match self.time_left() {
            Some(left) if left < self.idle_timeout => (left, TimeoutPhase::Operation),
            _ => (self.idle_timeout, TimeoutPhase::Idle),
        };
        let Some(body) = &mut self.body else { return Ok(FetchEvent::End) };
        let received = {
            let chunk = pin!(body.chunk());
            self.timer.within(chunk, limit, phase).await
        };
        let error = match received {
            Err(error) => error,
            Ok(Err(error)) => classify(ResponseFailure::Transport(&error)),
            Ok(Ok(Some(chunk))) => {
                let position = self.position + chunk.len() as u64;
                self.check_size(position)?;
                if self.meta.length.is_none_or(|length| position <= length) {
                    self.position = position;
                    return Ok(FetchEvent::Chunk(chunk));
                }
                wrong_length(position, self.meta.length)
            }
            Ok(Ok(None)) if self.meta.length.is_some_and(|length| self.position != length) => {
                wrong_length(self.position, self.meta.length)
            }
            Ok(Ok(None)) => {
                self.body = None;
                return Ok(FetchEvent::End);
            }
        };
        self.body = None;
        self.back_off(error).await?;
        self.send().await?;
        Ok(if self.position == 0 { FetchEvent::Restarted } else { FetchEvent::Resumed })
    }

    /// Waits before the next request, or returns the error if the download is not to be retried.
    async fn back_off(&mut self, error: Error) -> Result<()> {
        let error = self.with_context(error, 0);
        let Some(operation) = self.operation.filter(|_| self.allows_retries) else { return Err(error) };
        if error.timeout_phase() == Some(TimeoutPhase::Operation) {
            return Err(error);
        }
        let time_left = self.time_left();
        let pipeline = self.request.client.pipeline();
        let now = pipeline.clock.monotonic();
        if self.position >= self.progress_position.saturating_add(PROGRESS_BYTES) {
            pipeline.retry_budget.refund(self.failures);
            (self.progress_position, self.progress_time, self.failures) = (self.position, now, 0);
        }
        let broken = TransferFailure {
            operation,
            error,
            failures: self.failures,
            attempts: self.attempts,
            elapsed: now.saturating_sub(self.progress_time),
            remaining: time_left.unwrap_or(Duration::MAX),
        };
        // Boxed because the pause is rare and would enlarge the future of every transfer.
        Box::pin(pipeline.wait_to_resume(&self.request.options, broken)).await?;
        self.failures += 1;
        Ok(())
    }

    /// Requests the remaining bytes if possible, otherwise the whole package.
    async fn send(&mut self) -> Result<()> {
        loop {
            let range = self.range_request();
            let mut options = self.request.options.clone();
            if self.attempts > 0 {
                options.deadline = self.time_left();
            }
            if let Some((range, condition)) = &range {
                let headers = options.headers.get_or_insert_default();
                if let Ok(value) = HeaderValue::try_from(format!("bytes={}-", range.first)) {
                    headers.insert(header::RANGE, value);
                    headers.insert(header::IF_RANGE, condition.clone());
                }
            }
            let range = range.map(|(range, _)| range);
            let DownloadRequest { client, id, .. } = &self.request;
            let request = client.requests().download_package().download_id(id.clone()).prepare();
            let response = match pin!(client.send(request, &options)).await {
                // The package is now shorter than the position of the download.
                Err(error) if range.is_some() && error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                    self.attempts += error.attempts();
                    self.allows_ranges = false;
                    continue;
                }
                Err(error) => {
                    let attempts = error.attempts();
                    return Err(self.with_context(error, attempts));
                }
                Ok(response) => response,
            };
            let (body, meta) = response.into_stream();
            self.attempts += meta.attempts;
            self.operation = Some(meta.operation);
            let ResponseMeta { status, headers, .. } = &meta;
            let range_response = if self.allows_retries {
                RangeResponse::classify(*status, headers, range.as_ref())
            } else {
                RangeResponse::Full
            };
            match range_response {
                // Bytes of two versions must not be mixed.
                RangeResponse::Mismatch => {
                    self.allows_ranges = false;
                    continue;
                }
                RangeResponse::Invalid(why) => {
                    let error = classify(ResponseFailure::UnexpectedBody { status: *status, headers, body: b"", why });
                    return Err(self.with_context(error, 0));
                }
                RangeResponse::Full => self.start_package(headers),
                RangeResponse::Partial => {
                    self.meta.name = content_disposition::file_name(headers).or(self.meta.name.take());
                }
            }
            self.check_size(self.meta.length.unwrap_or_default())?;
            self.body = Some(body);
            return Ok(());
        }
    }

    /// Replaces all metadata, because the response may deliver another version of the package.
    fn start_package(&mut self, headers: &HeaderMap) {
        let refuses_ranges = headers.get(header::ACCEPT_RANGES).is_some_and(|value| value.as_bytes() == b"none");
        self.position = 0;
        self.meta = PackageMeta {
            length: content_length(headers),
            name: content_disposition::file_name(headers),
            validator: Validator::of(headers).filter(|_| !refuses_ranges),
        };
    }

    /// Returns the range to request and the value of `If-Range`, or `None` to request the whole package.
    fn range_request(&self) -> Option<(RangeRequest, HeaderValue)> {
        let range = RangeRequest::new(self.position, &self.meta).filter(|_| self.allows_ranges)?;
        let condition = range.validator.header_value()?;
        Some((range, condition))
    }

    /// Compares a size with the limit of the caller.
    fn check_size(&self, bytes: u64) -> Result<()> {
        match self.request.max_bytes {
            Some(limit) if bytes > limit => Err(self.with_context(too_large(limit), 0)),
            _ => Ok(()),
        }
    }

    fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Adds the context of the download to an error that did not come from a request, such as that of the file.
    pub(super) fn with_missing_context(&self, error: Error) -> Error {
        if error.attempts() == 0 { self.with_context(error, 0) } else { error }
    }

    /// Adds operation, attempts and duration of the whole download to an error. `uncounted` attempts are not yet in the count.
    pub(super) fn with_context(&self, error: Error, uncounted: u32) -> Error {
        let elapsed = self.request.client.clock().monotonic().saturating_sub(self.started);
        error.with_operation("downloadPackage").repeatable(true).with_attempts(self.attempts + uncounted, elapsed)
    }
}
