//! One look for many who wait: whoever's turn it is reads the whole list, and the others take what that showed.
//!
//! Nobody runs a task for it. A list under way is a future that all who need it share; when those who need it are gone, so is it.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::Notify;

use super::engine::{Polled, Turn};
use super::wait::Look;
use crate::clock::{BoxFuture, Clock};
use crate::error::{Error, Result};
use crate::http_util::MAX_PAUSE;
use crate::models::{DossierId, DossierTemplateId};
use crate::transport::RetryAfterHint;

/// A list that takes longer costs more than it saves.
const SLOW: Duration = Duration::from_secs(10);

type List<S> = Result<Arc<HashMap<String, S>>>;
/// Reads the list, by id.
pub(crate) type ReadList<S> =
    Box<dyn Fn(RetryAfterHint) -> BoxFuture<'static, Result<HashMap<String, S>>> + Send + Sync>;

/// What all that wait for things of one list share.
pub(crate) struct Board<S> {
    clock: Arc<dyn Clock>,
    read: ReadList<S>,
    /// From so many on they share.
    many: usize,
    state: Mutex<Notes<S>>,
    /// Called when a list has been read.
    news: Notify,
}

struct Notes<S> {
    waiting: usize,
    /// The list that was read last.
    seen: Option<Seen<S>>,
    /// The list under way, and when it began.
    under_way: Option<(Duration, Shared<BoxFuture<'static, List<S>>>)>,
    /// Until when the service has asked to be left alone, and how it said so.
    rest: Option<(Duration, Error)>,
    /// The list is refused, or too slow.
    useless: bool,
}

struct Seen<S> {
    begun: Duration,
    /// Until when the service has nothing newer to say, as it says itself.
    stays: Duration,
    list: Arc<HashMap<String, S>>,
}

impl<S: Clone + Send + Sync + 'static> Board<S> {
    pub(crate) fn new(clock: Arc<dyn Clock>, many: usize, read: ReadList<S>) -> Self {
        let notes = Notes { waiting: 0, seen: None, under_way: None, rest: None, useless: false };
        Self { clock, read, many, state: Mutex::new(notes), news: Notify::new() }
    }

    /// Counts one in who waits, until the seat is dropped.
    pub(crate) fn sit_down(self: &Arc<Self>) -> Seat<S> {
        self.notes().waiting += 1;
        Seat(Arc::clone(self))
    }

    fn notes(&self) -> MutexGuard<'_, Notes<S>> {
        // Nothing panics while it holds the lock; if something did, the notes are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list, seen or under way and not older than this, else read anew. Nothing where few wait, or the list is of no use.
    fn list(self: &Arc<Self>, turn: &Turn) -> Option<Shared<BoxFuture<'static, List<S>>>> {
        let now = self.clock.monotonic();
        let mut notes = self.notes();
        let fresh = |begun: Duration| now.saturating_sub(begun) <= turn.max_age;
        let good = |seen: &&Seen<S>| fresh(seen.begun) || (now < seen.stays && !turn.is_last);
        if let Some(seen) = notes.seen.as_ref().filter(good) {
            let list = Arc::clone(&seen.list);
            return Some(async move { Ok(list) }.boxed().shared());
        }
        if notes.useless || notes.waiting < self.many {
            return None;
        }
        if let Some((_, list)) = notes.under_way.as_ref().filter(|(begun, _)| fresh(*begun)) {
            return Some(list.clone());
        }
        if let Some((until, error)) = notes.rest.as_ref().filter(|(until, _)| now < *until && !turn.is_last) {
            let error = error.clone().with_retry_after(Some(until.saturating_sub(now)));
            return Some(async move { Err(error) }.boxed().shared());
        }
        let list = self.begin(now).shared();
        notes.under_way = Some((now, list.clone()));
        Some(list)
    }

    fn begin(self: &Arc<Self>, begun: Duration) -> BoxFuture<'static, List<S>> {
        let asked = RetryAfterHint::default();
        let (board, read) = (Arc::downgrade(self), (self.read)(asked.clone()));
        Box::pin(async move {
            let list = read.await.map(Arc::new);
            if let Some(board) = board.upgrade() {
                board.took(begun, &list, asked.take());
            }
            list
        })
    }

    fn took(&self, begun: Duration, list: &List<S>, asked: Option<Duration>) {
        let now = self.clock.monotonic();
        let took = now.saturating_sub(begun);
        let mut notes = self.notes();
        if notes.under_way.as_ref().is_some_and(|(other, _)| *other == begun) {
            notes.under_way = None;
        }
        match list {
            Ok(list) => {
                let stays = now.saturating_add(asked.unwrap_or_default());
                notes.seen = Some(Seen { begun, stays, list: Arc::clone(list) });
                notes.useless |= took > SLOW;
                drop(notes);
                self.news.notify_waiters();
            }
            Err(error) => {
                notes.useless |= is_refused(error);
                notes.rest = error.retry_after().map(|after| (now.saturating_add(after.min(MAX_PAUSE)), error.clone()));
            }
        }
    }
}

/// Whether asking again would bring the same.
fn is_refused(error: &Error) -> bool {
    !error.is_transient() && !error.needs_login()
}

/// A place among those who wait.
pub(crate) struct Seat<S>(Arc<Board<S>>);

impl<S: Clone + Send + Sync + 'static> Seat<S> {
    /// How a wait that sits here sees the thing with this id: on the list, or where there is none, `by_itself`. `judge` tells what that means.
    pub(crate) fn look<T: Send + 'static>(
        self,
        id: String,
        by_itself: impl Fn(&RetryAfterHint) -> BoxFuture<'static, Result<S>> + Send + Sync + 'static,
        judge: impl Fn(S) -> Polled<T> + Send + Sync + 'static,
    ) -> Look<T> {
        let shared = Arc::new((self, id, by_itself, judge));
        let others = Arc::clone(&shared);
        Look {
            now: Box::new(move |turn| {
                let shared = Arc::clone(&shared);
                Box::pin(async move {
                    let (seat, id, by_itself, judge) = &*shared;
                    let shown = match seat.listed(id, &turn).await? {
                        Some(shown) => shown,
                        None => by_itself(&turn.asked).await?,
                    };
                    Ok(judge(shown))
                })
            }),
            news: Box::new(move || {
                let shared = Arc::clone(&others);
                Box::pin(async move {
                    let (seat, id, _, judge) = &*shared;
                    judge(seat.shown(id).await)
                })
            }),
        }
    }

    /// What the list says of this one. Nothing where it has to be asked for by itself.
    async fn listed(&self, id: &str, turn: &Turn) -> Result<Option<S>> {
        let Some(list) = self.0.list(turn) else { return Ok(None) };
        match list.await {
            // One that is not on the list may be too new for it, or gone: that is told by itself.
            Ok(list) => Ok(list.get(id).cloned()),
            Err(error) if is_refused(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the next list says of this one that somebody else reads.
    async fn shown(&self, id: &str) -> S {
        loop {
            self.0.news.notified().await;
            let listed = self.0.notes().seen.as_ref().and_then(|seen| seen.list.get(id).cloned());
            if let Some(listed) = listed {
                return listed;
            }
        }
    }
}

impl<S> Drop for Seat<S> {
    fn drop(&mut self) {
        let mut notes = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        notes.waiting -= 1;
        if notes.waiting == 0 {
            // Nobody is left to read on.
            notes.under_way = None;
        }
    }
}

/// The list that a board reads. Ids may hold any character, so they are not joined to one text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum BoardKey {
    /// The files of one dossier.
    Files(DossierTemplateId, DossierId),
    /// All packages of the account.
    Packages,
}

/// The boards of a client and its clones, each as long as somebody waits.
#[derive(Default)]
pub(crate) struct Boards(Mutex<HashMap<BoardKey, Weak<dyn Any + Send + Sync>>>);

impl Boards {
    /// Returns the board of a list, or a new one.
    pub(crate) fn board<S: Clone + Send + Sync + 'static>(
        &self,
        key: BoardKey,
        new: impl FnOnce() -> Board<S>,
    ) -> Arc<Board<S>> {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let there = boards.get(&key).and_then(Weak::upgrade).and_then(|board| board.downcast::<Board<S>>().ok());
        there.unwrap_or_else(|| {
            boards.retain(|_, board| board.strong_count() > 0);
            let board = Arc::new(new());
            let weak: Weak<Board<S>> = Arc::downgrade(&board);
            boards.insert(key, weak);
            board
        })
    }
}

impl fmt::Debug for Boards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boards")
    }
}
