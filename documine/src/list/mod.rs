//! Lists: all items with one `await`, or a stream of items or pages, for any paging of the service.
//!
//! ```
//! # async fn f(client: documine::Client, dossier: documine::DossierHandle) -> documine::Result<()> {
//! use futures_util::TryStreamExt;
//!
//! let templates = client.dossier_templates().await?; // all of them, or an error
//! let mut files = dossier.files().stream_each(); // one by one as they arrive; malformed items are skipped here
//! while let Some(file) = files.try_next().await? {
//!     match file {
//!         Ok(file) => println!("{}", file.id),
//!         Err(bad) => eprintln!("skipped item {}: {bad}", bad.index()),
//!     }
//! }
//! # Ok(()) }
//! ```
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

pub use documine_api::operations::Paging;

use crate::client::{Call, Client, RunCall};
use crate::error::Result;
use crate::transport::{CallOptions, RetryAfterHint};

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

/// A list that has not been fetched. Each operation has a named builder around it.
pub(crate) struct List<P, T> {
    /// Builds the request. Its options apply to every request of the list.
    pub(crate) call: Call<P, ListRequest<T>>,
    pub(crate) paging: Option<Paging>,
    pub(crate) page_size: Option<u32>,
    pub(crate) max_item_size: usize,
    pub(crate) max_items: usize,
    pub(crate) resume_from: Option<Continuation>,
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

    /// Configures the list for one poll of a wait.
    pub(crate) fn for_poll(mut self, retry_after: &RetryAfterHint) -> Self {
        self.call = self.call.for_poll(retry_after);
        self
    }

    pub(crate) fn pages(self) -> ListStream<Page<T>> {
        let from = self.resume_from.clone();
        streams::pages(self.start(), from)
    }

    pub(crate) fn stream(self) -> ListStream<T> {
        let from = self.resume_from.clone();
        streams::items(self.start(), from)
    }

    pub(crate) fn stream_each(self) -> ListStream<std::result::Result<T, BadItem>> {
        let from = self.resume_from.clone();
        streams::item_results(self.start(), from)
    }

    pub(crate) async fn collect(self) -> Result<Vec<T>> {
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

/// Defines the named builder of an operation around its [`List`].
///
/// ```text
/// named_list! {
///     /// Lists the files of a dossier (`getFiles`).
///     ListFiles(DossierPath) -> FileStatus
/// }
/// ```
macro_rules! named_list {
    ($(#[$meta:meta])* $name:ident ($params:ty) -> $item:ty) => {
        $(#[$meta])*
        ///
        /// Await it for all items in a `Vec`, or read the items as a [stream](Self::stream).
        #[must_use = "a list does nothing unless awaited or streamed"]
        pub struct $name {
            pub(crate) list: $crate::list::List<$params, $item>,
        }

        $crate::client::request_options!($name, list.call.options);

        impl $name {
            pub(crate) fn new(
                client: &$crate::client::Client,
                params: $params,
                run: $crate::client::RunCall<$params, $crate::list::ListRequest<$item>>,
            ) -> Self {
                Self { list: $crate::list::List::new(client, params, run) }
            }

            /// Sets the paging of the list, if it differs from the document's declaration (`x-paging`).
            pub fn with_paging(mut self, paging: $crate::list::Paging) -> Self {
                self.list.paging = Some(paging);
                self
            }

            /// Sets the number of items per page (`size`) of a list with numbered pages. The service may return more or fewer; the list is
            /// complete in any case.
            pub fn with_page_size(mut self, items: u32) -> Self {
                self.list.page_size = Some(items.max(1));
                self
            }

            /// Sets the size limit of a streamed item in bytes of JSON. Default: 16 MiB.
            ///
            /// The same limit applies to all members beside the list of a response. The decoded form may take 8 times as much memory. Awaited
            /// lists and pages are read as a whole, under the limit of
            /// [`max_response_size`](crate::ClientBuilder::max_response_size).
            pub fn max_item_size(mut self, bytes: usize) -> Self {
                self.list.max_item_size = bytes;
                self
            }

            /// Sets the limit of an awaited list. Default: 100 000 items.
            ///
            /// A list with this many items, or on this many pages, requests no further page and ends with an error. A list in one response is
            /// limited only by its size, and streams are not limited.
            pub fn max_items(mut self, items: usize) -> Self {
                self.list.max_items = items;
                self
            }

            /// Continues from the position of another stream of the same list, in this process or another one.
            ///
            /// The client may be a different one for the same service. A continuation of another list is an error before any request is sent.
            pub fn resume(mut self, continuation: $crate::list::Continuation) -> Self {
                self.list.resume_from = Some(continuation);
                self
            }

            /// Returns the list page by page as the service divides it, each with its number, the total if known, and a continuation.
            pub fn pages(self) -> $crate::list::ListStream<$crate::list::Page<$item>> {
                self.list.pages()
            }

            /// Returns the list item by item as the response arrives.
            ///
            /// The first item that cannot be decoded ends the stream; [`stream_each`](Self::stream_each) continues after it. A response that is
            /// interrupted after its first item is not requested again, because the caller has already received a part. The only limit on the
            /// total time is [`with_deadline`](Self::with_deadline); the time that the caller spends between two items counts.
            pub fn stream(self) -> $crate::list::ListStream<$item> {
                self.list.stream()
            }

            /// Returns the list item by item, with a [`BadItem`](crate::list::BadItem) for each item that cannot be decoded.
            ///
            /// The outer result concerns the whole list: an error ends the stream.
            pub fn stream_each(self) -> $crate::list::ListStream<::std::result::Result<$item, $crate::list::BadItem>> {
                self.list.stream_each()
            }

            /// Fetches all items. Like `.await`, for code that spawns, joins or stores the future.
            ///
            /// # Errors
            /// The first [`Error`](crate::Error) of any page, or the limit of [`max_items`](Self::max_items). An incomplete list is
            /// never returned.
            pub fn collect(self) -> $crate::clock::BoxFuture<'static, $crate::error::Result<Vec<$item>>> {
                Box::pin(self.list.collect())
            }
        }

        impl ::std::future::IntoFuture for $name {
            type Output = $crate::error::Result<Vec<$item>>;
            type IntoFuture = $crate::clock::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                self.collect()
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name)).field("options", &self.list.call.options).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use named_list;
