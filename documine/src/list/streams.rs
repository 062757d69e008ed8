//! Streams over the pages or the items of a list.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::TryStreamExt;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::continuation::Continuation;
use super::item_decoder::ItemResult;
use super::paginator::{PageItems, Paginator};
use crate::clock::BoxFuture;
use crate::error::Result;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// Items of the page. An empty page is not necessarily the last one.
    pub items: Vec<T>,
    /// Number of items on all pages, if the service reports it.
    pub total: Option<u64>,
    /// Index of the page in the whole list, starting at 0, also in a resumed stream.
    pub number: u64,
    /// Position after this page; `None` on the last page.
    pub continuation: Option<Continuation>,
}

/// A stream of the items or pages of a list. Requests are sent only while the stream is polled.
#[must_use = "streams do nothing unless polled"]
pub struct ListStream<I> {
    inner: BoxStream<'static, Result<I>>,
    cursor: Cursor,
}

/// The position after the completed pages, shared with the inner stream.
#[derive(Clone)]
struct Cursor(Arc<Mutex<Option<Continuation>>>);

impl Cursor {
    fn new(continuation: Option<Continuation>) -> Self {
        Self(Arc::new(Mutex::new(continuation)))
    }

    fn get(&self) -> Option<Continuation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, continuation: Option<Continuation>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = continuation;
    }
}

impl<I> ListStream<I> {
    /// Returns a token to resume after the last fully consumed page. Items already read from a partially consumed page are returned again.
    ///
    /// `None` before the first page is consumed (restart the list) and at the end of the list. After an error the token stays unchanged, so an
    /// interrupted list can be resumed with `resume` of its builder.
    pub fn continuation(&self) -> Option<Continuation> {
        self.cursor.get()
    }
}

impl<I> Stream for ListStream<I> {
    type Item = Result<I>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(context)
    }
}

impl<I> fmt::Debug for ListStream<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListStream").field("continuation", &self.continuation()).finish_non_exhaustive()
    }
}

/// The paginator of a stream, created at the first poll.
pub(super) enum StreamState<T> {
    New(BoxFuture<'static, Result<Paginator<T>>>),
    Started(Box<Paginator<T>>),
}

impl<T> StreamState<T> {
    async fn paginator(self) -> Result<Box<Paginator<T>>> {
        match self {
            Self::New(paginator) => paginator.await.map(Box::new),
            Self::Started(paginator) => Ok(paginator),
        }
    }
}

pub(super) fn pages<T: Send + 'static>(start: StreamState<T>, from: Option<Continuation>) -> ListStream<Page<T>> {
    let cursor = Cursor::new(from);
    let shared = cursor.clone();
    let inner = stream::try_unfold(start, move |state| {
        let cursor = shared.clone();
        async move {
            let mut paginator = state.paginator().await?;
            let number = paginator.pages();
            let Some((items, info)) = paginator.page().await? else { return Ok(None) };
            let total = info.metadata.total;
            paginator.advance(info);
            let continuation = paginator.continuation();
            cursor.set(continuation.clone());
            Ok(Some((Page { items, total, number, continuation }, StreamState::Started(paginator))))
        }
    });
    ListStream { inner: inner.boxed(), cursor }
}

pub(super) fn item_results<T: Send + 'static>(
    start: StreamState<T>,
    from: Option<Continuation>,
) -> ListStream<ItemResult<T>> {
    let cursor = Cursor::new(from);
    let shared = cursor.clone();
    let inner = stream::try_unfold((start, None), move |(state, mut page): (_, Option<PageItems<T>>)| {
        let cursor = shared.clone();
        async move {
            let mut paginator = state.paginator().await?;
            loop {
                let Some(items) = &mut page else {
                    page = paginator.page_items().await?;
                    if page.is_none() {
                        return Ok(None);
                    }
                    continue;
                };
                if let Some(item) = items.next().await? {
                    return Ok(Some((item, (StreamState::Started(paginator), page))));
                }
                if let Some(info) = page.take().and_then(PageItems::into_info) {
                    paginator.advance(info);
                    cursor.set(paginator.continuation());
                }
            }
        }
    });
    ListStream { inner: inner.boxed(), cursor }
}

/// Returns a stream that ends with the first item that cannot be decoded.
pub(super) fn items<T: Send + 'static>(start: StreamState<T>, from: Option<Continuation>) -> ListStream<T> {
    let ListStream { inner, cursor } = item_results(start, from);
    let inner = stream::try_unfold(inner, |mut results| async move {
        match results.try_next().await? {
            Some(item) => Ok(Some((item?, results))),
            None => Ok(None),
        }
    });
    ListStream { inner: inner.boxed(), cursor }
}
