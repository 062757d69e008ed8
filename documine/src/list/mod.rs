//! Lists: the whole list in one `await`, or a stream of its items or pages, however the service pages.
//!
//! How an operation pages stands in the document (`x-paging`). Ours says `none` for every list: one answer holds the whole list. In another
//! document an operation that takes `page` and `size` is asked for one page after the other, as long as the answers say that there are
//! more. A `Link` header with `rel="next"` (RFC 8288) is followed where a service sends one, so that no list is ever taken for whole when it is not.
//! A link is followed at the configured address of the service, whatever host it names. A response without content is an empty list.
//!
//! Awaited, a page is read whole and decoded in one go, which is quickest. Streamed, it is decoded element by element as it comes in, so that
//! the memory stays flat and the first item is there before the answer ends.

mod bad_item;
mod continuation;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod link;
mod marks;
mod pieces;
mod repetition;
mod request;
mod split;
mod streams;
mod walk;

use std::future::IntoFuture;
use std::time::Duration;

use documine_api::operations::Paging;

use crate::client::Client;
use crate::client::{Call, RunCall};
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::transport::{Retry, RetryAfterHint, RetryPolicy};

pub use bad_item::BadItem;
pub use continuation::Continuation;
pub(crate) use request::ListRequest;
pub use streams::{ListStream, Page};
use walk::Walk;

/// The largest element of a list that is streamed: far more than any that is known, and little for a machine.
const MAX_ITEM: usize = 16 * 1024 * 1024;

/// The items after which a collected list takes no further page: more than any workspace is known to have, and little for a machine.
const MAX_ITEMS: usize = 100_000;

/// A list that has not been fetched yet: await it for all items in a `Vec`, or take the items as a [stream](Self::stream).
#[must_use = "a list is fetched only when it is awaited or streamed"]
pub struct List<P, T> {
    /// Makes the question; its options are those of every request.
    pub(crate) call: Call<P, ListRequest<T>>,
    paging: Option<Paging>,
    page_size: Option<u32>,
    max_item: usize,
    max_items: usize,
    from: Option<Continuation>,
}

impl<P: Send + 'static, T: Send + 'static> List<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: RunCall<P, ListRequest<T>>) -> Self {
        let call = Call::new(client, params, run);
        Self { call, paging: None, page_size: None, max_item: MAX_ITEM, max_items: MAX_ITEMS, from: None }
    }

    /// In place of the client's limit from each request to the beginning of its answer.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.with_timeout(limit);
        self
    }

    /// In place of the client's limit between two pieces of each answer's body.
    pub fn with_idle_timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.with_idle_timeout(limit);
        self
    }

    /// How long the whole list may take, with all its pages. For a stream that includes what its reader does between two items.
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.call = self.call.with_deadline(limit);
        self
    }

    /// Whether failed attempts are repeated, in place of the client's rule.
    pub fn with_retry(mut self, when: Retry) -> Self {
        self.call = self.call.with_retry(when);
        self
    }

    /// How failed attempts are repeated, in place of the client's policy.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.call = self.call.with_retry_policy(policy);
        self
    }

    /// Whether each request waits for its turn among the client's paced calls.
    pub fn with_pacing(mut self, paced: bool) -> Self {
        self.call = self.call.with_pacing(paced);
        self
    }

    /// For one look of a wait.
    pub(crate) fn looking(mut self, asked: &RetryAfterHint) -> Self {
        self.call = self.call.for_poll(asked);
        self
    }

    /// Sends a further header with each request.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.call = self.call.with_header(name, value);
        self
    }

    /// How the service pages this list, where it does so in another way than the document declares (`x-paging`).
    pub fn with_paging(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }

    /// How many items a page is to have (`size`), where the list is paged by number and size. A service may give more or fewer; the list is
    /// whole all the same.
    pub fn with_page_size(mut self, items: u32) -> Self {
        self.page_size = Some(items.max(1));
        self
    }

    /// The largest element, in bytes of JSON, that a stream of items takes into memory; as much is kept of what stands beside the list in an
    /// answer. What is built of each may take 8 times as much. Default: 16 MiB. Awaited lists and pages are read whole, under
    /// [`max_answer_size`](crate::ClientBuilder::max_answer_size).
    pub fn with_max_item_size(mut self, bytes: usize) -> Self {
        self.max_item = bytes;
        self
    }

    /// Limits how long a list may get that is awaited or [collected](Self::collect): with so many items, or on so many pages, it takes no
    /// further page and ends with an error. Default: 100 000. A list in one answer is limited by its size alone, and streams not at all.
    pub fn with_max_items(mut self, items: usize) -> Self {
        self.max_items = items;
        self
    }

    /// Goes on where another stream of the same list stopped, in this process or another one. The client may be another one, too, of the same
    /// service. A continuation of another list is an error before anything is sent.
    pub fn resume(mut self, continuation: Continuation) -> Self {
        self.from = Some(continuation);
        self
    }

    /// The list page by page, as the service divides it, each with its number, the total where the service tells it, and where it goes on.
    pub fn pages(self) -> ListStream<Page<T>> {
        streams::pages(self)
    }

    /// The list item by item, each as soon as it is there. The first element that can't be read ends the stream;
    /// [`stream_each`](Self::stream_each) goes on behind it.
    ///
    /// An answer that breaks off after its first item is not asked for again, for the reader has seen a part of it. There is no limit on the
    /// time of the whole but [`with_deadline`](Self::with_deadline).
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut templates = client.dossier_templates().stream();
    /// while let Some(template) = templates.try_next().await? {
    ///     println!("{}", template.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream(self) -> ListStream<T> {
        streams::items(self)
    }

    /// The list item by item, with a result for each: one that can't be read is a [`BadItem`], and the stream goes on behind it. The outer
    /// result is that of the list: when it is an error, nothing more comes.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut files = dossier.files().stream_each();
    /// while let Some(file) = files.try_next().await? {
    ///     match file {
    ///         Ok(file) => println!("{}", file.id),
    ///         Err(bad) => eprintln!("number {} is left out: {bad}", bad.index()),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream_each(self) -> ListStream<std::result::Result<T, BadItem>> {
        streams::each(self)
    }

    /// All items. The same as awaiting the list.
    ///
    /// # Errors
    /// The first [`Error`](crate::Error) of any page, or a list that goes on beyond [`with_max_items`](Self::with_max_items); never a part of
    /// the list.
    pub async fn collect(self) -> Result<Vec<T>> {
        let most = self.max_items;
        let mut walk = Walk::begin(self).await?;
        let mut all = Vec::new();
        while let Some((mut items, end)) = walk.page().await? {
            walk.turn(end);
            if all.is_empty() {
                all = items;
            } else {
                all.append(&mut items);
            }
            if walk.goes_on() {
                walk.check_size(all.len(), most)?;
            }
        }
        Ok(all)
    }
}

impl<P: Send + 'static, T: Send + 'static> IntoFuture for List<P, T> {
    type Output = Result<Vec<T>>;
    type IntoFuture = BoxFuture<'static, Result<Vec<T>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.collect())
    }
}

impl<P, T> std::fmt::Debug for List<P, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List").finish_non_exhaustive()
    }
}
