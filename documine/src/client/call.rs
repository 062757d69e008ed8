//! One call before it is sent: its fields and options, then `.await` or `.send()`.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};

use super::handle::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::transport::{CallOptions, Retry, RetryAfterHint, RetryPolicy};

/// The function that runs a call with its parameters; each operation has one.
pub(crate) type RunCall<P, T> = fn(Client, P, CallOptions) -> BoxFuture<'static, Result<T>>;

/// A call of one operation, sent when awaited (or by [`send`](Self::send)).
///
/// Methods with bare names set fields of the request and stand with the operation; `with_*` methods set options of the call. Dropping the
/// future cancels the call; the service may have processed it by then.
#[must_use = "a call is sent only when awaited"]
pub struct Call<P, T> {
    client: Client,
    pub(crate) params: P,
    options: CallOptions,
    /// The error of an invalid option, returned when the call is awaited.
    invalid: Option<Error>,
    run: RunCall<P, T>,
}

impl<P, T> Call<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: RunCall<P, T>) -> Self {
        Self { client: client.clone(), params, options: CallOptions::default(), invalid: None, run }
    }

    /// Sets the per-attempt timeout, from sending the request to receiving the response headers.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// Sets the timeout between two chunks of the response body.
    pub fn with_idle_timeout(mut self, limit: Duration) -> Self {
        self.options.idle_timeout = Some(limit);
        self
    }

    /// Sets the deadline of the whole call, with all attempts, delays and the transfer of a file.
    ///
    /// Overrides [`operation_timeout`](crate::ClientBuilder::operation_timeout).
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.options.deadline = Some(limit);
        self
    }

    /// Sets whether failed attempts are retried. [`Retry::EvenIfSent`] includes creations and uploads.
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// use documine::{NewDossier, Retry};
    /// // A second, empty dossier is acceptable here.
    /// let dossier = template.create_dossier(NewDossier::named("Q3 filings")).with_retry(Retry::EvenIfSent).await?;
    /// # Ok(()) }
    /// ```
    pub fn with_retry(mut self, when: Retry) -> Self {
        self.options.retry = Some(when);
        self
    }

    /// Sets the retry policy.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.options.retry_policy = Some(Box::new(policy));
        self
    }

    /// Sets whether the call is rate limited (see [`Pacing`](crate::Pacing)).
    pub fn with_pacing(mut self, paced: bool) -> Self {
        self.options.rate_limited = Some(paced);
        self
    }

    /// Configures the call as one poll of a wait. Longer retry pauses are left to the wait, which knows its own deadline.
    pub(crate) fn for_poll(mut self, hint: &RetryAfterHint) -> Self {
        const MAX_ELAPSED: Duration = Duration::from_secs(20);
        let policy = self.options.retry_policy.as_deref().unwrap_or_else(|| &self.client.pipeline().retry_policy);
        self.options.retry_policy = Some(Box::new(policy.clone().max_elapsed(MAX_ELAPSED)));
        self.options.retry_after_hint = Some(hint.clone());
        self
    }

    /// Adds a header. `Authorization`, `X-TENANT-ID` and the headers that describe the body are set by the client and cannot be overridden.
    ///
    /// With an invalid name or value, the call fails before anything is sent.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        const RESERVED: [HeaderName; 4] =
            [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING];
        let invalid = |why: &str| Some(Error::input(format!("invalid header {name:?}: {why}")));
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), _) if RESERVED.contains(&name) => self.invalid = invalid("set by the client; remove it"),
            (Ok(name), Ok(value)) => {
                self.options.headers.get_or_insert_default().insert(name, value);
            }
            _ => self.invalid = invalid("characters not allowed in a header"),
        }
        self
    }

    /// Returns the future of the call, as `.await` does, for code that names the future.
    ///
    /// # Errors
    /// [`Error`], as each operation describes.
    pub fn send(self) -> impl Future<Output = Result<T>> + Send + 'static
    where
        P: Send + 'static,
        T: Send + 'static,
    {
        self.into_future()
    }

    pub(crate) fn run(&self) -> RunCall<P, T> {
        self.run
    }

    pub(crate) fn into_parts(self) -> Result<(Client, P, CallOptions)> {
        match self.invalid {
            Some(error) => Err(error),
            None => Ok((self.client, self.params, self.options)),
        }
    }
}

impl<P: Send + 'static, T: Send + 'static> IntoFuture for Call<P, T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        let run = self.run;
        match self.into_parts() {
            Ok((client, params, options)) => run(client, params, options),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

impl<P, T> std::fmt::Debug for Call<P, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
