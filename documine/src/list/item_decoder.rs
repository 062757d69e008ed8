//! Decodes one response item by item as it arrives. Memory holds one item and one chunk of the body.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::Response;

use super::bad_item::BadItem;
use super::page_hash::PageHasher;
use super::page_info::PageInfo;
use super::request::{ItemError, ListRequest};
use super::tokenizer::{ListToken, ListTokenizer, SyntaxError};
use crate::client::{Client, decode_error};
use crate::error::{Error, Result, TimeoutPhase};
use crate::json_memory;
use crate::timeout::within;
use crate::transport::classify::{ResponseFailure, classify};
use crate::transport::{RawResponse, ResponseMeta};

/// An item, or the reason why it could not be decoded.
pub(super) type ItemResult<T> = std::result::Result<T, BadItem>;

/// Limits of one response.
pub(super) struct DecodeLimits {
    pub(super) idle: Duration,
    /// The deadline of the whole list on the client's clock.
    pub(super) deadline: Option<Duration>,
    /// The maximum size in bytes of an item, and of all members beside the list.
    pub(super) item_size: usize,
    /// Set if the page must be hashed to detect repeated pages.
    pub(super) needs_hash: bool,
}

/// The decoder of a response in progress.
pub(super) struct ItemDecoder<T> {
    client: Client,
    request: Arc<ListRequest<T>>,
    limits: DecodeLimits,
    response: Response,
    meta: ResponseMeta,
    tokenizer: ListTokenizer,
    chunk: Bytes,
    /// The members beside the list, as JSON without the closing bracket.
    members: Vec<u8>,
    /// Index of the next item in this response, counting `null`.
    index: u64,
    /// Number of items in earlier pages, and in this page so far.
    earlier_items: u64,
    items: u64,
    /// `None` if not needed, or if an item was discarded.
    hasher: Option<PageHasher>,
    /// Items read ahead, and items found at the end of the response.
    ready: VecDeque<ItemResult<T>>,
    info: Option<PageInfo>,
}

impl<T: 'static> ItemDecoder<T> {
    pub(super) fn new(
        client: Client,
        request: Arc<ListRequest<T>>,
        response: RawResponse,
        limits: DecodeLimits,
        earlier_items: u64,
    ) -> Self {
        let (response, meta) = response.into_stream();
        let tokenizer = ListTokenizer::new(request.operation.items.unwrap_or_default(), limits.item_size);
        let hasher = limits.needs_hash.then(PageHasher::default);
        Self {
            client,
            request,
            limits,
            response,
            meta,
            tokenizer,
            chunk: Bytes::new(),
            members: vec![b'{'],
            index: 0,
            earlier_items,
            items: 0,
            hasher,
            ready: VecDeque::new(),
            info: None,
        }
    }

    /// Reads up to the first item and keeps it for [`next`](Self::next). After an error no item has been returned, so the page can be requested
    /// again.
    pub(super) async fn read_ahead(&mut self) -> Result<()> {
        if let Some(first) = self.next().await? {
            self.ready.push_front(first);
        }
        Ok(())
    }

    /// Returns the next item; `None` at the end of a complete response.
    pub(super) async fn next(&mut self) -> Result<Option<ItemResult<T>>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some(ready));
            }
            if self.info.is_some() {
                return Ok(None);
            }
            let mut input = &self.chunk[..];
            let token = self.tokenizer.next(&mut input);
            let remaining = input.len();
            let decoded = match token {
                Ok(Some(ListToken::Item(bytes))) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.add_item(bytes);
                    }
                    match json_memory::check(bytes, self.limits.item_size).map(|()| (self.request.decode_item)(bytes)) {
                        Err(reason) => DecodedToken::TooMuchMemory(reason),
                        Ok(Ok(None)) => DecodedToken::Null,
                        Ok(Ok(Some(item))) => DecodedToken::Item(item),
                        Ok(Err(error)) => DecodedToken::Invalid(error, Bytes::copy_from_slice(bytes)),
                    }
                }
                Ok(Some(ListToken::OversizedItem)) => {
                    self.hasher = None;
                    DecodedToken::Oversized
                }
                Ok(Some(ListToken::Member(name, value))) => {
                    if self.members.len() + name.len() + value.len() > self.limits.item_size {
                        DecodedToken::SyntaxError(SyntaxError::MemberTooLarge(self.limits.item_size))
                    } else {
                        if self.members.len() > 1 {
                            self.members.push(b',');
                        }
                        self.members.extend_from_slice(name);
                        self.members.push(b':');
                        self.members.extend_from_slice(value);
                        keep_remaining(&mut self.chunk, remaining);
                        continue;
                    }
                }
                Ok(None) => {
                    match self.receive().await? {
                        Some(chunk) => self.chunk = chunk,
                        None => self.finish()?,
                    }
                    continue;
                }
                Err(error) => DecodedToken::SyntaxError(error),
            };
            keep_remaining(&mut self.chunk, remaining);
            if let Some(result) = self.item_result(decoded)? {
                return Ok(Some(result));
            }
        }
    }

    /// Returns the paging information; `None` before [`next`](Self::next) has reached the end.
    pub(super) fn into_info(self) -> Option<PageInfo> {
        self.info
    }

    fn item_result(&mut self, decoded: DecodedToken<T>) -> Result<Option<ItemResult<T>>> {
        let error = match decoded {
            DecodedToken::SyntaxError(error) => return Err(self.syntax_error(error)),
            DecodedToken::Null => {
                self.index += 1;
                return Ok(None);
            }
            DecodedToken::Item(item) => {
                self.index += 1;
                self.items += 1;
                return Ok(Some(Ok(item)));
            }
            DecodedToken::Invalid(ItemError { field, reason, is_malformed }, bytes) => {
                let text = format!("the body is invalid at `{}{field}`", self.item_path());
                let error = decode_error(&bytes, &self.meta, &text, Some(&reason));
                if is_malformed {
                    return Err(error);
                }
                error
            }
            DecodedToken::Oversized => {
                let (path, limit) = (self.item_path(), self.limits.item_size);
                let text = format!("`{path}` exceeds the item size limit of {limit} bytes (max_item_size)");
                decode_error(&[], &self.meta, &text, None)
            }
            DecodedToken::TooMuchMemory(reason) => {
                let text = format!(
                    "`{}` exceeds the memory limit of an item: {reason} (8 times max_item_size)",
                    self.item_path()
                );
                decode_error(&[], &self.meta, &text, None)
            }
        };
        let index = self.earlier_items + self.items;
        self.index += 1;
        self.items += 1;
        Ok(Some(Err(BadItem { index, error: Box::new(error) })))
    }

    /// Receives the next chunk of the body; `None` at its end.
    async fn receive(&mut self) -> Result<Option<Bytes>> {
        let left = self.limits.deadline.map(|deadline| deadline.saturating_sub(self.client.clock().monotonic()));
        // A list in transfer ends only at the caller's deadline.
        let (limit, phase) = match left {
            Some(left) if left < self.limits.idle => (left, TimeoutPhase::Operation),
            _ => (self.limits.idle, TimeoutPhase::Idle),
        };
        let error = match within(pin!(self.response.chunk()), limit, phase).await {
            Ok(Ok(chunk)) => return Ok(chunk),
            Ok(Err(error)) => classify(ResponseFailure::Transport(&error)),
            Err(error) => error,
        };
        Err(self.meta.annotate(error))
    }

    fn finish(&mut self) -> Result<()> {
        self.tokenizer.finish().map_err(|error| self.syntax_error(error))?;
        self.members.push(b'}');
        json_memory::check(&self.members, self.limits.item_size).map_err(|reason| {
            let text = format!("the members beside the list exceed the memory limit: {reason} (8 times max_item_size)");
            decode_error(&[], &self.meta, &text, None)
        })?;
        // The model of the whole response reports invalid members and finds a list under an alternative name.
        let (late_items, metadata) = (self.request.decode_page)(&self.members, &self.meta)?;
        let items = self.items + late_items.len() as u64;
        if let Some(hasher) = self.hasher.as_mut().filter(|_| !late_items.is_empty()) {
            hasher.add_members(&self.members);
        }
        let hash = self.hasher.take().filter(|_| items > 0).map(|hasher| hasher.finish());
        self.info = Some(PageInfo::new(&self.meta, &self.client.pipeline().base_url, metadata, items, hash));
        self.ready.extend(late_items.into_iter().map(Ok));
        Ok(())
    }

    /// Returns the path of the current item in the response, for example `files[3]`.
    fn item_path(&self) -> String {
        format!("{}[{}]", self.request.operation.items.unwrap_or_default(), self.index)
    }

    fn syntax_error(&self, error: SyntaxError) -> Error {
        let path = if self.tokenizer.in_list() { format!(" at `{}`", self.item_path()) } else { String::new() };
        decode_error(&self.chunk, &self.meta, &format!("the body is invalid{path}"), Some(&error.to_string()))
    }
}

/// A decoded token that does not borrow from the tokenizer.
enum DecodedToken<T> {
    /// A `null` item, which counts as absent.
    Null,
    Item(T),
    Invalid(ItemError, Bytes),
    Oversized,
    /// An item whose decoded form would exceed the memory limit.
    TooMuchMemory(String),
    SyntaxError(SyntaxError),
}

/// Drops the consumed beginning of a chunk, so that `remaining` bytes are left.
fn keep_remaining(chunk: &mut Bytes, remaining: usize) {
    chunk.advance(chunk.len() - remaining);
}
