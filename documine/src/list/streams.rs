//! The streams that a list can be taken as.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream};

use super::List;
use super::continuation::Continuation;
use super::pieces::Each;
use super::walk::{Source, Walk};
use crate::error::Result;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its items. A page may be empty without being the last one.
    pub items: Vec<T>,
    /// How many items there are on all pages, where the service says so.
    pub total: Option<u64>,
    /// Which page it is, counted from 0 at the beginning of the list, wherever this stream began.
    pub number: u64,
    /// Where the list goes on behind this page. `None`: it is the last one.
    pub continuation: Option<Continuation>,
}

/// A list as a stream of items or pages. Nothing is fetched before it is polled, and nothing more once it is dropped.
#[must_use = "a stream fetches only when it is polled"]
pub struct ListStream<I> {
    inner: Pin<Box<dyn Stream<Item = Result<I>> + Send>>,
    reached: Reached,
}

/// Where the list goes on after the pages that are through; shared with the stream inside.
#[derive(Clone, Default)]
struct Reached(Arc<Mutex<Option<Continuation>>>);

impl Reached {
    fn set(&self, continuation: Option<Continuation>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = continuation;
    }
}

impl<I> ListStream<I> {
    /// Where the list goes on after the last page of which everything was taken: what was taken of the page behind it comes again.
    ///
    /// `None` before the first page is through (begin anew), and when the list is over. An error leaves it where it was, so that a list that
    /// broke off can be [resumed](List::resume).
    pub fn continuation(&self) -> Option<Continuation> {
        self.reached.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

/// A list that was begun or not.
enum Way<P, T> {
    Ahead(Box<List<P, T>>),
    Under(Box<Walk<T>>),
}

impl<P, T: Send + 'static> Way<P, T> {
    async fn begun(self) -> Result<Box<Walk<T>>> {
        match self {
            Self::Ahead(list) => Walk::begin(*list).await.map(Box::new),
            Self::Under(walk) => Ok(walk),
        }
    }
}

pub(super) fn pages<P: Send + 'static, T: Send + 'static>(list: List<P, T>) -> ListStream<Page<T>> {
    let reached = Reached(Arc::new(Mutex::new(list.from.clone())));
    let told = reached.clone();
    let inner = stream::try_unfold(Way::Ahead(Box::new(list)), move |way| {
        let told = told.clone();
        async move {
            let mut walk = way.begun().await?;
            let number = walk.pages();
            let Some((items, end)) = walk.page().await? else { return Ok(None) };
            let total = end.total();
            walk.turn(end);
            let continuation = walk.continuation();
            told.set(continuation.clone());
            Ok(Some((Page { items, total, number, continuation }, Way::Under(walk))))
        }
    });
    ListStream { inner: Box::pin(inner), reached }
}

pub(super) fn each<P: Send + 'static, T: Send + 'static>(list: List<P, T>) -> ListStream<Each<T>> {
    let reached = Reached(Arc::new(Mutex::new(list.from.clone())));
    let told = reached.clone();
    let start = (Way::Ahead(Box::new(list)), None);
    let inner = stream::try_unfold(start, move |(way, mut page): (_, Option<Source<T>>)| {
        let told = told.clone();
        async move {
            let mut walk = way.begun().await?;
            loop {
                let Some(source) = &mut page else {
                    page = walk.page_in_pieces().await?;
                    if page.is_none() {
                        return Ok(None);
                    }
                    continue;
                };
                if let Some(each) = source.next().await? {
                    return Ok(Some((each, (Way::Under(walk), page))));
                }
                if let Some(end) = page.take().and_then(Source::end) {
                    walk.turn(end);
                    told.set(walk.continuation());
                }
            }
        }
    });
    ListStream { inner: Box::pin(inner), reached }
}

/// The same, ended by the first element that can't be read.
pub(super) fn items<P: Send + 'static, T: Send + 'static>(list: List<P, T>) -> ListStream<T> {
    let each = each(list);
    let strict = stream::try_unfold(each.inner, |mut each| async move {
        use futures_util::TryStreamExt;
        match each.try_next().await? {
            Some(item) => Ok(Some((item?, each))),
            None => Ok(None),
        }
    });
    ListStream { inner: Box::pin(strict), reached: each.reached }
}
