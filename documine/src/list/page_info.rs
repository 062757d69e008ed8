//! The position of a page in its list, as the response reports it.

use std::time::Duration;

use url::Url;

use super::link::{at_configured_origin, next_link};
use super::page_metadata::PageMetadata;
use crate::error::Result;
use crate::transport::ResponseMeta;

/// The paging information of one response.
pub(super) struct PageInfo {
    /// The URL of the page.
    pub(super) url: Url,
    /// The linked next page.
    pub(super) link: Result<Option<Url>>,
    pub(super) metadata: PageMetadata,
    /// The number of items on the page.
    pub(super) items: u64,
    /// The hash of the items; `None` for an empty page, or if the list has only one page.
    pub(super) hash: Option<u64>,
    /// The attempts of the request, and its time, for errors about the page.
    pub(super) cost: (u32, Duration),
}

impl PageInfo {
    /// Creates the information of a response; `base` is the configured base URL of the service.
    pub(super) fn new(meta: &ResponseMeta, base: &Url, metadata: PageMetadata, items: u64, hash: Option<u64>) -> Self {
        let url = meta.url().clone();
        let link = next_link(&url, &meta.headers);
        let link = link.and_then(|link| link.map(|link| at_configured_origin(&link, &url, base)).transpose());
        Self { url, link, metadata, items, hash, cost: (meta.attempts, meta.elapsed) }
    }
}
