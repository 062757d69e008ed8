//! The way from page to page: where the next one is, and whether there is an end.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use documine_api::operations::Paging;
use url::Url;

use super::List;
use super::continuation::Continuation;
use super::link::{at_service, next_link};
use super::marks::{self, Marks};
use super::pieces::{Bounds, Each, Pieces};
use super::repetition::Repetition;
use super::request::ListRequest;
use super::split::{Piece, Splitter};
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::json_memory;
use crate::transport::{CallOptions, RawResponse, ResponseMeta, Retry};

/// So many pages in a row may be empty: a filter that is applied to pages makes some, a service that has lost its way makes more.
const MOST_EMPTY: u32 = 100;
/// The number of times that the same items may come again on a list whose pages are linked.
/// Items come again where items are added or taken away meanwhile, and pages are small.
const MOST_REPEATS: u32 = 1;

/// What an answer said about the whole list.
pub(super) struct End {
    /// Where it came from.
    url: Url,
    /// The next page, as the answer links it.
    link: Result<Option<Url>>,
    marks: Marks,
    got: u64,
    /// By which the same page is known again, if it has items.
    print: Option<u64>,
}

impl End {
    /// `base` is the service's configured address.
    pub(super) fn new(facts: &ResponseMeta, base: &Url, marks: Marks, got: u64, print: Option<u64>) -> Self {
        let url = facts.url().clone();
        let link = next_link(&url, &facts.headers);
        let link = link.and_then(|link| link.map(|link| at_service(&link, &url, base)).transpose());
        Self { url, link, marks, got, print }
    }

    /// How many items there are on all pages.
    pub(super) fn total(&self) -> Option<u64> {
        self.marks.total
    }
}

/// A list on its way.
pub(super) struct Walk<T> {
    client: Client,
    question: Arc<ListRequest<T>>,
    options: CallOptions,
    paging: Paging,
    max_item: usize,
    /// Where it begins, as it is known by.
    first: Url,
    /// Where it goes on, or why it can't; `None` at its end.
    next: Option<Result<Url>>,
    /// Finds links in a circle, and the same items over and over.
    links: Repetition,
    prints: Repetition,
    /// Items and pages that are through.
    items: u64,
    pages: u64,
    /// Empty pages up to here.
    empty: u32,
    /// The number that was asked for last, where the pages have numbers.
    asked: Option<u64>,
    /// The number of items on all pages, as the service reported it last.
    total: Option<u64>,
    until: Option<Duration>,
    /// The estimated memory, in bytes, of what was built of pages that were taken as a whole.
    built: usize,
}

impl<T: Send + 'static> Walk<T> {
    pub(super) async fn begin<P>(list: List<P, T>) -> Result<Self> {
        let List { call, paging, page_size, max_item, from, .. } = list;
        let run = call.run();
        let (client, params, options) = call.into_parts()?;
        let question = run(client.clone(), params, CallOptions::default()).await?;
        let first = question.request.url().clone();
        let paging = paging.unwrap_or(question.operation.paging);
        let (mut next, mut items, mut pages) = (first.clone(), 0, 0);
        if let Some(from) = from {
            let id = question.operation.id;
            next = from.resumed(id, &first).map_err(|error| error.with_operation(id))?;
            (items, pages) = (from.items, from.pages);
        } else if let Some(size) = page_size.filter(|_| paging == Paging::PageSize) {
            next = marks::with_size(&first, size);
        }
        let asked = if pages > 0 { marks::number_of(&next) } else { None };
        let mut links = Repetition::default();
        links.repeats(hash(&next));
        Ok(Self {
            client,
            question: Arc::new(question),
            options,
            paging,
            max_item,
            first,
            links,
            prints: Repetition::default(),
            next: Some(Ok(next)),
            items,
            pages,
            empty: 0,
            asked,
            total: None,
            until: None,
            built: 0,
        })
    }

    /// Pages that are through.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// The next page as a whole. `None`: there is none.
    pub(super) async fn page(&mut self) -> Result<Option<(Vec<T>, End)>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        self.whole(&next?).await.map(Some)
    }

    /// The next page element by element. `None`: there is none.
    pub(super) async fn page_in_pieces(&mut self) -> Result<Option<Source<T>>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let next = next?;
        match self.opened(&next).await {
            Ok(pieces) => Ok(Some(Source::Pieces(Box::new(pieces)))),
            // Broken off before anybody saw an element: it can be asked for again, and as a whole it is under the client's rules for retries.
            Err((error, true)) if error.is_transient() && self.may_repeat() => {
                let (items, end) = self.whole(&next).await?;
                Ok(Some(Source::Whole(items.into_iter(), Box::new(end))))
            }
            Err((error, _)) => Err(error),
        }
    }

    /// A page is through: finds out where the next one is.
    pub(super) fn turn(&mut self, end: End) {
        self.items += end.got;
        self.pages += 1;
        let operation = self.question.operation.id;
        let undone = |why: String| Error::new(ErrorKind::Decode, why).with_operation(operation);
        self.next = self.after(end).map_err(undone).transpose();
    }

    /// Where to go on after the pages that are through.
    pub(super) fn continuation(&self) -> Option<Continuation> {
        let Some(Ok(next)) = &self.next else { return None };
        if self.pages == 0 {
            return None;
        }
        Continuation::new(self.question.operation.id, &self.first, next, self.items, self.pages)
    }

    fn after(&mut self, end: End) -> std::result::Result<Option<Url>, String> {
        let numbered = self.paging == Paging::PageSize;
        if let (true, Some(asked), Some(given)) = (numbered, self.asked, end.marks.number)
            && asked != given
        {
            return Err(format!("the service gives page {given} where page {asked} was asked for"));
        }
        let most_repeats = if numbered { 0 } else { MOST_REPEATS };
        let is_same = end.print.is_some_and(|print| self.prints.repeats(print) > most_repeats);
        let same = || Err("the list does not end: the service gives the same page again".into());
        if numbered && is_same {
            return same();
        }
        self.total = end.marks.total.or(self.total);
        self.empty = if end.got == 0 { self.empty + 1 } else { 0 };
        if self.empty > MOST_EMPTY {
            return Err(format!("the list does not end: {MOST_EMPTY} pages in a row are empty"));
        }
        // The link to a next page that no address can be made of is no end.
        let mut next = end.link.map_err(|error| error.to_string())?;
        self.asked = None;
        if next.is_none() && numbered && end.marks.more(end.got, self.items) {
            let number = end.marks.number.or_else(|| marks::number_of(&end.url)).unwrap_or(0).saturating_add(1);
            self.asked = Some(number);
            next = Some(marks::with_number(&end.url, number));
        }
        match (next, self.total) {
            (Some(next), _) if self.links.repeats(hash(&next)) > 0 => {
                Err("the list does not end: the service links its pages in a circle".into())
            }
            (Some(_), _) if is_same => same(),
            (Some(next), _) => Ok(Some(next)),
            // A part is never taken for the whole.
            (None, Some(total)) if self.items < total => {
                let why = if numbered {
                    "and says that there are no more pages"
                } else {
                    "paged in a way that the document does not declare (x-paging)"
                };
                let comma = if numbered { "" } else { "," };
                Err(format!("the service gives {} of {total} items{comma} {why}", self.items))
            }
            (None, _) => Ok(None),
        }
    }

    async fn whole(&mut self, url: &Url) -> Result<(Vec<T>, End)> {
        let (body, facts) = self.answer(url, false).await?.into_bytes().await?;
        if self.is_paged(&facts) {
            self.built = self.built.saturating_add(json_memory::estimate(&body));
        }
        let (items, marks) = (self.question.whole)(&body, &facts)?;
        let is_known_again = self.is_paged(&facts) && !items.is_empty();
        let print = is_known_again.then(|| print_of(self.question.operation.items.unwrap_or_default(), &body));
        let got = items.len() as u64;
        Ok((items, End::new(&facts, &self.client.pipeline().base_url, marks, got, print)))
    }

    /// The page with its first element read; or the error, and whether the answer had begun.
    async fn opened(&mut self, url: &Url) -> std::result::Result<Pieces<T>, (Error, bool)> {
        let answered = self.answer(url, true).await.map_err(|error| (error, false))?;
        let idle = self.options.idle_timeout.unwrap_or(self.client.pipeline().timeouts.idle);
        let print = self.is_paged(&answered.meta);
        let bounds = Bounds { idle, until: self.until, item: self.max_item, print };
        let question = Arc::clone(&self.question);
        let mut pieces = Pieces::new(self.client.clone(), question, answered, bounds, self.items);
        pieces.read_ahead().await.map_err(|error| (error, true))?;
        Ok(pieces)
    }

    async fn answer(&mut self, url: &Url, in_pieces: bool) -> Result<RawResponse> {
        let mut options = self.options.clone();
        options.stream_body = in_pieces;
        if let Some(limit) = options.deadline {
            let now = self.client.clock().monotonic();
            let until = *self.until.get_or_insert(now.saturating_add(limit));
            options.deadline = Some(until.saturating_sub(now));
        }
        let request = self.question.request.try_clone();
        let mut request =
            request.ok_or_else(|| Error::input("a list that is asked for with a body has no next page"))?;
        *request.url_mut() = url.clone();
        self.client.send_request(request, self.question.operation, &options).await
    }

    /// Returns whether there may be another page. A list in one response needs no check for repeated items.
    fn is_paged(&self, facts: &ResponseMeta) -> bool {
        self.paging == Paging::PageSize || facts.headers.contains_key(::http::header::LINK)
    }

    /// Returns whether there is another page.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.next, Some(Ok(_)))
    }

    /// Refuses a list that goes on although as much of it is collected as its caller takes: `most` items or pages, or the memory of the largest answer.
    pub(super) fn check_size(&self, items: usize, most: usize) -> Result<()> {
        let memory = json_memory::max_estimate(self.client.pipeline().max_response_size);
        let limit = if items >= most || self.pages >= most as u64 {
            format!("{most} (with_max_items)")
        } else if self.built > memory {
            format!("{memory} bytes of memory (max_answer_size)")
        } else {
            return Ok(());
        };
        let why = format!(
            "the list goes on after {} items on {} pages, and the most that is collected is {limit}; raise that, or take the list as a stream",
            self.items, self.pages
        );
        Err(Error::new(ErrorKind::Decode, why).with_operation(self.question.operation.id))
    }

    fn may_repeat(&self) -> bool {
        let policy = self.options.retry_policy.as_deref().unwrap_or(&self.client.pipeline().retry_policy);
        match self.options.retry {
            Some(when) => when != Retry::Never && policy.clone().when(when).allows_retries(),
            None => policy.allows_retries(),
        }
    }
}

fn hash(url: &Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// Returns by what a page is known again: its items, whatever stands beside them, such as a fresh cursor.
fn print_of(list: &'static str, body: &[u8]) -> u64 {
    let (mut splitter, mut input) = (Splitter::new(list, body.len()), body);
    let (mut print, mut items) = (DefaultHasher::new(), 0);
    while let Ok(Some(piece)) = splitter.next(&mut input) {
        if let Piece::Item(item) = piece {
            add_item(&mut print, item);
            items += 1;
        }
    }
    if items == 0 {
        // They stand under another of the list's names.
        print.write(body);
    }
    print.finish()
}

pub(super) fn add_item(print: &mut DefaultHasher, item: &[u8]) {
    print.write(item);
    print.write_u8(b',');
}

/// A page whose elements are taken one by one.
pub(super) enum Source<T> {
    Pieces(Box<Pieces<T>>),
    Whole(std::vec::IntoIter<T>, Box<End>),
}

impl<T: 'static> Source<T> {
    pub(super) async fn next(&mut self) -> Result<Option<Each<T>>> {
        match self {
            Self::Pieces(pieces) => pieces.next().await,
            Self::Whole(items, _) => Ok(items.next().map(Ok)),
        }
    }

    pub(super) fn end(self) -> Option<End> {
        match self {
            Self::Pieces(pieces) => pieces.end(),
            Self::Whole(_, end) => Some(*end),
        }
    }
}
