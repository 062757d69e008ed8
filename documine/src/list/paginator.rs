//! Reads a list page by page: finds the next page and detects endless and incomplete lists.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use documine_api::operations::Paging;
use url::Url;

use super::continuation::Continuation;
use super::cycle_detector::CycleDetector;
use super::item_decoder::{DecodeLimits, ItemDecoder, ItemResult};
use super::page_hash::PageHasher;
use super::page_info::PageInfo;
use super::page_metadata::{page_number, with_page_number, with_page_size};
use super::request::ListRequest;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::json_memory;
use crate::transport::{CallOptions, RawResponse, ResponseMeta, RetryMode};

/// Maximum number of consecutive empty pages. A filter that is applied to pages leaves some of them empty.
const MAX_EMPTY_PAGES: u32 = 100;
/// Maximum number of repeats of the same items in a list with linked pages. Items that are added or removed during the listing move others to the
/// next page, and pages are small.
const MAX_REPEATS: u32 = 1;

/// Options of a list that concern its paging.
pub(super) struct PagingOptions {
    /// Overrides the paging that the document declares.
    pub(super) paging: Option<Paging>,
    pub(super) page_size: Option<u32>,
    pub(super) max_item_size: usize,
    pub(super) resume_from: Option<Continuation>,
}

/// A list in progress.
pub(super) struct Paginator<T> {
    client: Client,
    request: Arc<ListRequest<T>>,
    options: CallOptions,
    paging: Paging,
    max_item_size: usize,
    /// The URL of the first page, which identifies the list.
    first: Url,
    /// The URL of the next page, or the reason why it is unknown; `None` at the end of the list.
    next: Option<Result<Url>>,
    /// Detect links in a cycle, and repeated pages.
    urls: CycleDetector,
    page_hashes: CycleDetector,
    /// Number of items and pages read.
    items: u64,
    pages: u64,
    /// Number of consecutive empty pages.
    empty_pages: u32,
    /// The last requested page number, if pages are numbered.
    requested: Option<u64>,
    /// The last reported number of items on all pages.
    total: Option<u64>,
    deadline: Option<Duration>,
    /// Estimated memory in bytes of all pages that were decoded as a whole.
    memory: usize,
    /// The attempts and the time of the last page.
    cost: (u32, Duration),
}

impl<T: Send + 'static> Paginator<T> {
    /// Starts a list at its first page, or at `resume_from`. Sends nothing.
    pub(super) fn new(
        client: Client,
        request: ListRequest<T>,
        options: CallOptions,
        paging_options: PagingOptions,
    ) -> Result<Self> {
        let PagingOptions { paging, page_size, max_item_size, resume_from } = paging_options;
        let first = request.request.url().clone();
        let paging = paging.unwrap_or(request.operation.paging);
        let (mut next, mut items, mut pages) = (first.clone(), 0, 0);
        if let Some(continuation) = resume_from {
            let operation = request.operation.id;
            next = continuation.next_url(operation, &first).map_err(|error| error.with_operation(operation))?;
            (items, pages) = (continuation.items, continuation.pages);
        } else if let Some(size) = page_size.filter(|_| paging == Paging::PageSize) {
            next = with_page_size(&first, size);
        }
        let requested = if pages > 0 { page_number(&next) } else { None };
        let mut urls = CycleDetector::default();
        urls.push(hash(&next));
        Ok(Self {
            client,
            request: Arc::new(request),
            options,
            paging,
            max_item_size,
            first,
            urls,
            page_hashes: CycleDetector::default(),
            next: Some(Ok(next)),
            items,
            pages,
            empty_pages: 0,
            requested,
            total: None,
            deadline: None,
            memory: 0,
            cost: (0, Duration::ZERO),
        })
    }

    /// Returns the number of pages read.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// Fetches the next page as a whole; `None` at the end of the list.
    pub(super) async fn page(&mut self) -> Result<Option<(Vec<T>, PageInfo)>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        self.fetch_page(&next?).await.map(Some)
    }

    /// Fetches the next page item by item; `None` at the end of the list.
    pub(super) async fn page_items(&mut self) -> Result<Option<PageItems<T>>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let next = next?;
        match self.open(&next).await {
            Ok(decoder) => Ok(Some(PageItems::Streamed(Box::new(decoder)))),
            // No item has been returned yet, so the page may be requested again: as a whole, under the client's retry policy.
            Err((error, true)) if error.is_transient() && self.may_retry() => {
                let (items, info) = self.fetch_page(&next).await?;
                Ok(Some(PageItems::Decoded(items.into_iter(), Box::new(info))))
            }
            Err((error, _)) => Err(error),
        }
    }

    /// Completes a page and determines the next one.
    pub(super) fn advance(&mut self, info: PageInfo) {
        self.items += info.items;
        self.pages += 1;
        self.cost = info.cost;
        self.next = self.next_page(info).map_err(|text| self.list_error(text)).transpose();
    }

    /// Returns the position after the completed pages.
    pub(super) fn continuation(&self) -> Option<Continuation> {
        let Some(Ok(next)) = &self.next else { return None };
        if self.pages == 0 {
            return None;
        }
        Continuation::new(self.request.operation.id, &self.first, next, self.items, self.pages)
    }

    fn next_page(&mut self, info: PageInfo) -> std::result::Result<Option<Url>, String> {
        let is_numbered = self.paging == Paging::PageSize;
        if let (true, Some(requested), Some(returned)) = (is_numbered, self.requested, info.metadata.number)
            && requested != returned
        {
            return Err(format!("the service returned page {returned} instead of page {requested}"));
        }
        let max_repeats = if is_numbered { 0 } else { MAX_REPEATS };
        let is_repeated = info.hash.is_some_and(|hash| self.page_hashes.push(hash) > max_repeats);
        let repeated = || Err("endless list: the service returned the same page again".into());
        if is_numbered && is_repeated {
            return repeated();
        }
        self.total = info.metadata.total.or(self.total);
        self.empty_pages = if info.items == 0 { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MAX_EMPTY_PAGES {
            return Err(format!("endless list: {MAX_EMPTY_PAGES} consecutive pages are empty"));
        }
        // An invalid link is an error, not the end of the list.
        let mut next = info.link.map_err(|error| error.to_string())?;
        self.requested = None;
        if next.is_none() && is_numbered && info.metadata.has_more(info.items, self.items) {
            let number = info.metadata.number.or_else(|| page_number(&info.url)).unwrap_or(0).saturating_add(1);
            self.requested = Some(number);
            next = Some(with_page_number(&info.url, number));
        }
        match (next, self.total) {
            (Some(next), _) if self.urls.push(hash(&next)) > 0 => {
                Err("endless list: the links between the pages form a cycle".into())
            }
            (Some(_), _) if is_repeated => repeated(),
            (Some(next), _) => Ok(Some(next)),
            // An incomplete list is an error.
            (None, Some(total)) if self.items < total => {
                let reason = if is_numbered {
                    " and reports no further pages"
                } else {
                    ", and the document declares no paging (x-paging)"
                };
                Err(format!("incomplete list: the service returned {} of {total} items{reason}", self.items))
            }
            (None, _) => Ok(None),
        }
    }

    async fn fetch_page(&mut self, url: &Url) -> Result<(Vec<T>, PageInfo)> {
        let (body, meta) = self.send(url, false).await?.into_bytes().await?;
        if self.is_paged(&meta) {
            self.memory = self.memory.saturating_add(json_memory::estimate(&body));
        }
        let (items, metadata) = (self.request.decode_page)(&body, &meta)?;
        let needs_hash = self.is_paged(&meta) && !items.is_empty();
        let list = self.request.operation.items.unwrap_or_default();
        let hash = needs_hash.then(|| PageHasher::hash_body(list, &body));
        let info = PageInfo::new(&meta, &self.client.pipeline().base_url, metadata, items.len() as u64, hash);
        Ok((items, info))
    }

    /// Requests a page and reads its first item. The error comes with whether the response had begun.
    async fn open(&mut self, url: &Url) -> std::result::Result<ItemDecoder<T>, (Error, bool)> {
        let response = self.send(url, true).await.map_err(|error| (error, false))?;
        let limits = DecodeLimits {
            idle: self.options.idle_timeout.unwrap_or(self.client.pipeline().timeouts.idle),
            deadline: self.deadline,
            item_size: self.max_item_size,
            needs_hash: self.is_paged(&response.meta),
        };
        let request = Arc::clone(&self.request);
        let mut decoder = ItemDecoder::new(self.client.clone(), request, response, limits, self.items);
        decoder.read_ahead().await.map_err(|error| (error, true))?;
        Ok(decoder)
    }

    async fn send(&mut self, url: &Url, stream_body: bool) -> Result<RawResponse> {
        let mut options = self.options.clone();
        options.stream_body = stream_body;
        if let Some(limit) = options.deadline {
            let now = self.client.clock().monotonic();
            let deadline = *self.deadline.get_or_insert(now.saturating_add(limit));
            options.deadline = Some(deadline.saturating_sub(now));
        }
        let request = self.request.request.try_clone();
        let mut request = request.ok_or_else(|| Error::input("a list request with a body cannot be paged"))?;
        *request.url_mut() = url.clone();
        self.client.send_request(request, self.request.operation, &options).await
    }

    /// Returns whether another page may follow. A list in a single response needs no check for repeated items.
    fn is_paged(&self, meta: &ResponseMeta) -> bool {
        self.paging == Paging::PageSize || meta.headers.contains_key(::http::header::LINK)
    }

    /// Returns whether another page follows.
    pub(super) fn has_next(&self) -> bool {
        matches!(self.next, Some(Ok(_)))
    }

    /// Rejects a list with further pages at the limit of collected lists: `max` items or pages, or the memory limit of a response.
    pub(super) fn check_limits(&self, items: usize, max: usize) -> Result<()> {
        let memory = json_memory::max_estimate(self.client.pipeline().max_response_size);
        let limit = if items >= max || self.pages >= max as u64 {
            format!("{max} (max_items)")
        } else if self.memory > memory {
            format!("{memory} bytes of memory (max_response_size)")
        } else {
            return Ok(());
        };
        let text = format!(
            "the list continues after {} items on {} pages, and the limit of a collected list is {limit}; raise the limit, or stream the list",
            self.items, self.pages
        );
        Err(self.list_error(text))
    }

    /// Creates an error about the list as a whole, with the attempts and the time of its last page.
    fn list_error(&self, text: String) -> Error {
        let (attempts, elapsed) = self.cost;
        let error = Error::new(ErrorKind::Decode, text).with_operation(self.request.operation.id);
        error.with_attempts(attempts, elapsed).repeatable(self.request.request.method().is_idempotent())
    }

    fn may_retry(&self) -> bool {
        let policy = self.options.retry_policy.as_deref().unwrap_or(&self.client.pipeline().retry_policy);
        match self.options.retry {
            Some(mode) => mode != RetryMode::Never && policy.clone().when(mode).allows_retries(),
            None => policy.allows_retries(),
        }
    }
}

fn hash(url: &Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// The items of one page.
pub(super) enum PageItems<T> {
    /// A response that is decoded as it arrives.
    Streamed(Box<ItemDecoder<T>>),
    /// A page that was decoded as a whole.
    Decoded(std::vec::IntoIter<T>, Box<PageInfo>),
}

impl<T: 'static> PageItems<T> {
    pub(super) async fn next(&mut self) -> Result<Option<ItemResult<T>>> {
        match self {
            Self::Streamed(decoder) => decoder.next().await,
            Self::Decoded(items, _) => Ok(items.next().map(Ok)),
        }
    }

    /// Returns the paging information; `None` before the end of the page.
    pub(super) fn into_info(self) -> Option<PageInfo> {
        match self {
            Self::Streamed(decoder) => decoder.into_info(),
            Self::Decoded(_, info) => Some(*info),
        }
    }
}
