//! One answer, element by element as it comes in: what is in memory is one element and the piece of the answer that came last.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::Response;

use super::bad_item::BadItem;
use super::request::{ListRequest, Unread};
use super::split::{Flaw, Piece, Splitter};
use super::walk::{End, add_item};
use crate::client::{Client, decode_error};
use crate::error::{Error, Result, TimeoutPhase};
use crate::json_memory;
use crate::timeout::within;
use crate::transport::classify::{ResponseFailure, classify};
use crate::transport::{RawResponse, ResponseMeta};

/// An element, or why it can't be read.
pub(super) type Each<T> = std::result::Result<T, BadItem>;

/// How far an answer may go, and how much of it is kept.
pub(super) struct Bounds {
    pub(super) idle: Duration,
    /// When the whole list has to be there, by the client's clock.
    pub(super) until: Option<Duration>,
    /// The largest element, and the most that is kept of what stands beside the list.
    pub(super) item: usize,
    /// Whether the page has to be known again.
    pub(super) print: bool,
}

/// An answer on its way.
pub(super) struct Pieces<T> {
    client: Client,
    question: Arc<ListRequest<T>>,
    bounds: Bounds,
    response: Response,
    facts: ResponseMeta,
    splitter: Splitter,
    piece: Bytes,
    /// The members beside the list, as JSON without the last bracket.
    rest: Vec<u8>,
    /// Elements so far, `null` counted.
    index: u64,
    /// Items in the pages before this one, and in this one so far.
    before: u64,
    got: u64,
    /// `None` where it is of no use, or an element is missing in it.
    print: Option<DefaultHasher>,
    /// What was read ahead, and what was found at the end.
    ready: VecDeque<Each<T>>,
    end: Option<End>,
}

impl<T: 'static> Pieces<T> {
    pub(super) fn new(
        client: Client,
        question: Arc<ListRequest<T>>,
        answered: RawResponse,
        bounds: Bounds,
        before: u64,
    ) -> Self {
        let (response, facts) = answered.into_stream();
        let splitter = Splitter::new(question.operation.items.unwrap_or_default(), bounds.item);
        let print = bounds.print.then(DefaultHasher::new);
        Self {
            client,
            question,
            bounds,
            response,
            facts,
            splitter,
            piece: Bytes::new(),
            rest: vec![b'{'],
            index: 0,
            before,
            got: 0,
            print,
            ready: VecDeque::new(),
            end: None,
        }
    }

    /// Reads up to the first element, and keeps it for [`next`](Self::next): what fails until then has given nothing to anybody.
    pub(super) async fn read_ahead(&mut self) -> Result<()> {
        if let Some(first) = self.next().await? {
            self.ready.push_front(first);
        }
        Ok(())
    }

    /// The next element. `None`: the answer is whole and over.
    pub(super) async fn next(&mut self) -> Result<Option<Each<T>>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some(ready));
            }
            if self.end.is_some() {
                return Ok(None);
            }
            let mut input = &self.piece[..];
            let found = self.splitter.next(&mut input);
            let left = input.len();
            let found = match found {
                Ok(Some(Piece::Item(bytes))) => {
                    if let Some(print) = &mut self.print {
                        add_item(print, bytes);
                    }
                    match json_memory::check(bytes, self.bounds.item).map(|()| (self.question.item)(bytes)) {
                        Err(why) => Found::TooMuch(why),
                        Ok(Ok(None)) => Found::Nothing,
                        Ok(Ok(Some(item))) => Found::Item(item),
                        Ok(Err(unread)) => Found::Unread(unread, Bytes::copy_from_slice(bytes)),
                    }
                }
                Ok(Some(Piece::TooLarge)) => {
                    self.print = None;
                    Found::TooLarge
                }
                Ok(Some(Piece::Member(name, value))) => {
                    if self.rest.len() + name.len() + value.len() > self.bounds.item {
                        Found::Flaw(Flaw::MemberTooLarge(self.bounds.item))
                    } else {
                        if self.rest.len() > 1 {
                            self.rest.push(b',');
                        }
                        self.rest.extend_from_slice(name);
                        self.rest.push(b':');
                        self.rest.extend_from_slice(value);
                        continue_with(&mut self.piece, left);
                        continue;
                    }
                }
                Ok(None) => {
                    match self.receive().await? {
                        Some(piece) => self.piece = piece,
                        None => self.finish()?,
                    }
                    continue;
                }
                Err(flaw) => Found::Flaw(flaw),
            };
            continue_with(&mut self.piece, left);
            if let Some(each) = self.judged(found)? {
                return Ok(Some(each));
            }
        }
    }

    /// What the answer said beside its list; only when [`next`](Self::next) has come to its end.
    pub(super) fn end(self) -> Option<End> {
        self.end
    }

    fn judged(&mut self, found: Found<T>) -> Result<Option<Each<T>>> {
        let bad = match found {
            Found::Flaw(flaw) => return Err(self.flawed(flaw)),
            Found::Nothing => {
                self.index += 1;
                return Ok(None);
            }
            Found::Item(item) => {
                self.index += 1;
                self.got += 1;
                return Ok(Some(Ok(item)));
            }
            Found::Unread(Unread { field, why, is_broken }, bytes) => {
                let why = format!("the body is invalid at `{}{field}`: {why}", self.place());
                let error = decode_error(&bytes, &self.facts, &why);
                if is_broken {
                    return Err(error);
                }
                error
            }
            Found::TooLarge => {
                let limit = self.bounds.item;
                let place = self.place();
                let why =
                    format!("`{place}` is larger than {limit} bytes, the most that is taken (with_max_item_size)");
                decode_error(&[], &self.facts, &why)
            }
            Found::TooMuch(why) => {
                let place = self.place();
                let why =
                    format!("`{place}` can't be read: {why}, the most that is taken (8 times with_max_item_size)");
                decode_error(&[], &self.facts, &why)
            }
        };
        let index = self.before + self.got;
        self.index += 1;
        self.got += 1;
        Ok(Some(Err(BadItem { index, error: Box::new(bad) })))
    }

    /// The next piece of the body. `None`: nothing more comes.
    async fn receive(&mut self) -> Result<Option<Bytes>> {
        let left = self.bounds.until.map(|until| until.saturating_sub(self.client.clock().monotonic()));
        // Only a caller's own deadline ends a list that moves.
        let (limit, phase) = match left {
            Some(left) if left < self.bounds.idle => (left, TimeoutPhase::Operation),
            _ => (self.bounds.idle, TimeoutPhase::Idle),
        };
        let received = match within(pin!(self.response.chunk()), limit, phase).await {
            Ok(Ok(piece)) => return Ok(piece),
            Ok(Err(error)) => classify(ResponseFailure::Transport(&error)),
            Err(error) => error,
        };
        Err(self.facts.annotate(received))
    }

    fn finish(&mut self) -> Result<()> {
        self.splitter.finish().map_err(|flaw| self.flawed(flaw))?;
        self.rest.push(b'}');
        json_memory::check(&self.rest, self.bounds.item).map_err(|why| {
            let why = format!("what stands beside the list can't be read: {why} (8 times with_max_item_size)");
            decode_error(&[], &self.facts, &why)
        })?;
        // By the model of the whole: it tells what does not fit, and finds a list that stands under another of its names.
        let (late, marks) = (self.question.whole)(&self.rest, &self.facts)?;
        let got = self.got + late.len() as u64;
        if let Some(print) = self.print.as_mut().filter(|_| !late.is_empty()) {
            print.write(&self.rest);
        }
        let print = self.print.take().filter(|_| got > 0).map(|print| print.finish());
        self.end = Some(End::new(&self.facts, &self.client.pipeline().base_url, marks, got, print));
        self.ready.extend(late.into_iter().map(Ok));
        Ok(())
    }

    /// What the element at which the reading is, is called.
    fn place(&self) -> String {
        format!("{}[{}]", self.question.operation.items.unwrap_or_default(), self.index)
    }

    fn flawed(&self, flaw: Flaw) -> Error {
        let near = if self.splitter.in_list() { format!(" at `{}`", self.place()) } else { String::new() };
        decode_error(&self.piece, &self.facts, &format!("the body is invalid{near}: {flaw}"))
    }
}

/// What the splitter found, without a loan on it.
enum Found<T> {
    /// An element that counts as left out.
    Nothing,
    Item(T),
    Unread(Unread, Bytes),
    TooLarge,
    /// An element of which more would be built than is allowed.
    TooMuch(String),
    Flaw(Flaw),
}

/// Drops what was taken of a piece, so that so much of it is left.
fn continue_with(piece: &mut Bytes, left: usize) {
    piece.advance(piece.len() - left);
}
