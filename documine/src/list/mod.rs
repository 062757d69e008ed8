//! Lists: all items with one `await`, or a stream of items or pages, for any paging of the service.
//!
//! The document declares the paging of an operation (`x-paging`). The document in the repository declares `none` for every list: one response
//! contains the whole list. If another document has `page` and `size` parameters, pages are requested as long as the responses report further pages.
//! A `Link` header with `rel="next"` (RFC 8288) is always followed, so that an incomplete list is never returned as complete. Links are followed at
//! the configured origin, regardless of the host in the link. A response without content is an empty list.
//!
//! An awaited page is read and decoded as a whole, which is fastest. A streamed page is decoded item by item as it arrives: memory use is constant,
//! and the first item is available before the response ends.
//!
//! ```text
//! List            options of a list, before its first request                   mod.rs
//! ListStream      a stream of items or pages                                    streams.rs
//! Paginator       finds the next page; endless and incomplete lists             paginator.rs
//!   PageInfo      position of a page: next link, metadata, hash                 page_info.rs, link.rs, page_metadata.rs, page_hash.rs
//!   ItemDecoder   decodes a response item by item                               item_decoder.rs, tokenizer.rs
//! ListRequest     first request and decoders of an operation                    request.rs
//! Continuation    a serializable position in a list                             continuation.rs
//! ```

mod bad_item;
mod continuation;
mod cycle_detector;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod item_decoder;
mod link;
mod page_hash;
mod page_info;
mod page_metadata;
mod paginator;
mod request;
mod streams;
mod tokenizer;

use std::future::IntoFuture;
use std::time::Duration;

use documine_api::operations::Paging;

use crate::client::{Call, Client, RunCall};
use crate::clock::BoxFuture;
use crate::error::Result;
use crate::transport::{CallOptions, Retry, RetryAfterHint, RetryPolicy};

pub use bad_item::BadItem;
pub use continuation::Continuation;
use paginator::{Paginator, PagingOptions};
pub(crate) use request::ListRequest;
use streams::StreamState;
pub use streams::{ListStream, Page};

/// Default size limit of a streamed item: much larger than any known item, and small relative to the memory of a machine.
const MAX_ITEM_SIZE: usize = 16 * 1024 * 1024;

/// Default limit of a collected list: more items than any known workspace has, and small relative to the memory of a machine.
const MAX_ITEMS: usize = 100_000;

/// A list that has not been fetched: await it for all items in a `Vec`, or read the items as a [stream](Self::stream).
#[must_use = "a list does nothing unless awaited or streamed"]
pub struct List<P, T> {
    /// Builds the request. Its options apply to every request of the list.
    pub(crate) call: Call<P, ListRequest<T>>,
    paging: Option<Paging>,
    page_size: Option<u32>,
    max_item_size: usize,
    max_items: usize,
    resume_from: Option<Continuation>,
}

impl<P: Send + 'static, T: Send + 'static> List<P, T> {
    pub(crate) fn new(client: &Client, params: P, run: RunCall<P, ListRequest<T>>) -> Self {
        Self {
            call: Call::new(client, params, run),
            paging: None,
            page_size: None,
            max_item_size: MAX_ITEM_SIZE,
            max_items: MAX_ITEMS,
            resume_from: None,
        }
    }

    /// Sets the attempt timeout of each request: from sending the request to receiving the response headers. Default: the client's.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.with_timeout(limit);
        self
    }

    /// Sets the idle timeout between two chunks of a response body. Default: the client's.
    pub fn with_idle_timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.with_idle_timeout(limit);
        self
    }

    /// Sets the time limit of the whole list with all pages. For a stream, the time that the caller spends between two items counts.
    pub fn with_deadline(mut self, limit: Duration) -> Self {
        self.call = self.call.with_deadline(limit);
        self
    }

    /// Sets the retry mode of failed attempts. Default: the client's.
    pub fn with_retry(mut self, when: Retry) -> Self {
        self.call = self.call.with_retry(when);
        self
    }

    /// Sets the retry policy of failed attempts. Default: the client's.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.call = self.call.with_retry_policy(policy);
        self
    }

    /// Sets whether the requests are subject to the client's rate limit.
    pub fn with_pacing(mut self, paced: bool) -> Self {
        self.call = self.call.with_pacing(paced);
        self
    }

    /// Configures the list for one poll of a wait.
    pub(crate) fn for_poll(mut self, retry_after: &RetryAfterHint) -> Self {
        self.call = self.call.for_poll(retry_after);
        self
    }

    /// Adds a header to each request.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.call = self.call.with_header(name, value);
        self
    }

    /// Sets the paging of the list, if it differs from the document's declaration (`x-paging`).
    pub fn with_paging(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }

    /// Sets the number of items per page (`size`) of a list with numbered pages. The service may return more or fewer; the list is complete in any
    /// case.
    pub fn with_page_size(mut self, items: u32) -> Self {
        self.page_size = Some(items.max(1));
        self
    }

    /// Sets the size limit of a streamed item in bytes of JSON. Default: 16 MiB.
    ///
    /// The same limit applies to all members beside the list of a response. The decoded form may take 8 times as much memory. Awaited lists and
    /// pages are read as a whole, under the limit of [`max_answer_size`](crate::ClientBuilder::max_answer_size).
    pub fn with_max_item_size(mut self, bytes: usize) -> Self {
        self.max_item_size = bytes;
        self
    }

    /// Sets the limit of an awaited or [collected](Self::collect) list. Default: 100 000.
    ///
    /// A list with this many items, or on this many pages, requests no further page and ends with an error. A list in one response is limited only
    /// by its size, and streams are not limited.
    pub fn with_max_items(mut self, items: usize) -> Self {
        self.max_items = items;
        self
    }

    /// Continues from the position of another stream of the same list, in this process or another one.
    ///
    /// The client may be a different one for the same service. A continuation of another list is an error before any request is sent.
    pub fn resume(mut self, continuation: Continuation) -> Self {
        self.resume_from = Some(continuation);
        self
    }

    /// Returns the list page by page as the service divides it, each with its number, the total if known, and a continuation.
    pub fn pages(self) -> ListStream<Page<T>> {
        let from = self.resume_from.clone();
        streams::pages(self.start(), from)
    }

    /// Returns the list item by item as the response arrives.
    ///
    /// The first item that cannot be decoded ends the stream; [`stream_each`](Self::stream_each) continues after it. A response that is interrupted
    /// after its first item is not requested again, because the caller has already received a part. The only limit on the total time is
    /// [`with_deadline`](Self::with_deadline).
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
        let from = self.resume_from.clone();
        streams::items(self.start(), from)
    }

    /// Returns the list item by item, with a [`BadItem`] for each item that cannot be decoded.
    ///
    /// The outer result concerns the whole list: an error ends the stream.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use futures_util::TryStreamExt;
    /// let mut files = dossier.files().stream_each();
    /// while let Some(file) = files.try_next().await? {
    ///     match file {
    ///         Ok(file) => println!("{}", file.id),
    ///         Err(bad) => eprintln!("skipped item {}: {bad}", bad.index()),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream_each(self) -> ListStream<std::result::Result<T, BadItem>> {
        let from = self.resume_from.clone();
        streams::item_results(self.start(), from)
    }

    /// Fetches all items, like awaiting the list.
    ///
    /// # Errors
    /// The first [`Error`](crate::Error) of any page, or the limit of [`with_max_items`](Self::with_max_items). An incomplete list is never returned.
    pub async fn collect(self) -> Result<Vec<T>> {
        let max_items = self.max_items;
        let mut paginator = self.paginator().await?;
        let mut all = Vec::new();
        while let Some((mut items, info)) = paginator.page().await? {
            paginator.advance(info);
            if all.is_empty() {
                all = items;
            } else {
                all.append(&mut items);
            }
            if paginator.has_next() {
                paginator.check_limits(all.len(), max_items)?;
            }
        }
        Ok(all)
    }

    fn start(self) -> StreamState<T> {
        StreamState::New(Box::pin(self.paginator()))
    }

    async fn paginator(self) -> Result<Paginator<T>> {
        let Self { call, paging, page_size, max_item_size, resume_from, .. } = self;
        let run = call.run();
        let (client, params, options) = call.into_parts()?;
        let request = run(client.clone(), params, CallOptions::default()).await?;
        Paginator::new(client, request, options, PagingOptions { paging, page_size, max_item_size, resume_from })
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
