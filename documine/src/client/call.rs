//! One call before it is made: its fields, its options, then `.await` or `.send()`.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};

use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, Result};
use crate::transport::{CallOptions, Retry, RetryAfterHint, RetryPolicy};

/// How a call is made of its parameters: each tag's file gives one for each of its operations.
pub(crate) type Run<P, T> = fn(Client, P, CallOptions) -> BoxFuture<'static, Result<T>>;

/// A call that has not been made yet. Nothing happens until it is awaited (or [sent](Self::send)).
///
/// Fields of the request are set by methods with bare names (they stand with the operation), options of the call by `with_*`.
/// Dropping the future stops the call; whether the service saw it by then nobody knows.
#[must_use = "a call is made only when it is awaited"]
pub struct Call<P, T> {
    client: Client,
    pub(crate) params: P,
    options: CallOptions,
    trouble: Option<Error>,
    run: Run<P, T>,
}

impl<P, T> Call<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: Run<P, T>) -> Self {
        Self { client: client.clone(), params, options: CallOptions::default(), trouble: None, run }
    }

    /// In place of the client's limit from the request to the beginning of the answer, in each attempt.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// In place of the client's limit between two pieces of an answer's body.
    pub fn with_idle_timeout(mut self, limit: Duration) -> Self {
        self.options.idle = Some(limit);
        self
    }

    /// How long the call may take in all, with its attempts, the pauses between them, and the transfer of a file. In place of the client's
    /// [`operation_timeout`](crate::ClientBuilder::operation_timeout).
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.options.deadline = Some(limit);
        self
    }

    /// Whether failed attempts are repeated, in place of the client's rule. [`Retry::EvenIfSent`] lets a creation or an upload join.
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// use documine::{NewDossier, Retry};
    /// // A second, empty dossier would do no harm here.
    /// let dossier = template.create_dossier(NewDossier::named("Q3 filings")).with_retry(Retry::EvenIfSent).await?;
    /// # Ok(()) }
    /// ```
    pub fn with_retry(mut self, when: Retry) -> Self {
        self.options.retry = Some(when);
        self
    }

    /// How failed attempts are repeated, in place of the client's policy.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.options.retry_policy = Some(Box::new(policy));
        self
    }

    /// Whether the call waits for its turn among the client's paced calls (see [`Pacing`](crate::Pacing)): for one of many, say.
    pub fn with_pacing(mut self, paced: bool) -> Self {
        self.options.paced = Some(paced);
        self
    }

    /// For one look of a wait: a longer pause that the service asks for is the wait's to make, which knows its own deadline.
    pub(crate) fn looking(mut self, asked: &RetryAfterHint) -> Self {
        const LONGEST: Duration = Duration::from_secs(20);
        let policy = self.options.retry_policy.as_deref().unwrap_or_else(|| &self.client.pipeline().retry);
        self.options.retry_policy = Some(Box::new(policy.clone().max_elapsed(LONGEST)));
        self.options.asked = Some(asked.clone());
        self
    }

    /// Sends a further header. `Authorization` and `X-TENANT-ID` stay the client's own, and so do the headers that
    /// describe the body.
    ///
    /// A name or value that no header may hold makes the call fail before anything is sent.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        // The framing of the body is not a caller's to change.
        const OWN: [HeaderName; 4] =
            [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING];
        let refuse = |why: &str| Some(Error::input(format!("header {name:?}: {why}")));
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), _) if OWN.contains(&name) => self.trouble = refuse("it is the client's own; leave it out"),
            (Ok(name), Ok(value)) => {
                self.options.headers.get_or_insert_default().insert(name, value);
            }
            _ => self.trouble = refuse("its name or value holds characters that no header may hold"),
        }
        self
    }

    /// Makes the call. The same as awaiting it, for where a future is wanted by name.
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

    pub(crate) fn run(&self) -> Run<P, T> {
        self.run
    }

    pub(crate) fn into_parts(self) -> Result<(Client, P, CallOptions)> {
        match self.trouble {
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
