//! The paging metadata of a response, and the URL of a page by number.

use documine_api::scalars::{boolean, integer};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

/// The query parameter with the page number.
const PAGE_PARAMETER: &str = "page";

/// The paging metadata of a response, under the names of the most common frameworks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PageMetadata {
    /// The number of items on all pages (`totalElements`).
    pub(super) total: Option<u64>,
    /// The number of pages (`totalPages`).
    pages: Option<u64>,
    /// The number of this page (`number` or `page`).
    pub(super) number: Option<u64>,
    /// Set on the last page (`last`).
    last: Option<bool>,
}

/// The metadata members of a response, before conversion.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MetadataMembers {
    total_elements: Value,
    total_pages: Value,
    number: Value,
    last: Value,
    page: Value,
}

impl PageMetadata {
    /// The names of the metadata members.
    const NAMES: [&'static str; 5] = ["totalElements", "totalPages", "number", "last", "page"];

    /// An object with all metadata members, used to test if a model keeps them among its unknown members.
    pub(super) const PROBE: &'static str = r#"{"totalElements":0,"totalPages":0,"number":0,"last":true,"page":0}"#;

    /// Returns whether `extra` contains all metadata members.
    pub(super) fn are_all_in(extra: &Map<String, Value>) -> bool {
        Self::NAMES.iter().all(|name| extra.contains_key(*name))
    }

    /// Reads the metadata from the unknown members of a response.
    pub(super) fn from_extra(extra: &Map<String, Value>) -> Self {
        let get = |name: &str| extra.get(name).cloned().unwrap_or_default();
        MetadataMembers {
            total_elements: get("totalElements"),
            total_pages: get("totalPages"),
            number: get("number"),
            last: get("last"),
            page: get("page"),
        }
        .convert()
    }

    /// Reads the metadata from a whole response.
    pub(super) fn from_body(body: &[u8]) -> Self {
        serde_json::from_slice::<MetadataMembers>(body).unwrap_or_default().convert()
    }

    /// Returns whether another page follows this one, which has `page_items` items; `items` were read in total.
    ///
    /// An empty page does not end the list if the response reports more pages. A larger total alone does not continue the list after an empty page,
    /// because the missing items may never appear.
    pub(super) fn has_more(&self, page_items: u64, items: u64) -> bool {
        let next = self.number.map(|number| number.saturating_add(1));
        let more_pages = next.zip(self.pages).is_some_and(|(next, pages)| next < pages);
        self.last == Some(false) || more_pages || (page_items > 0 && self.total.is_some_and(|total| items < total))
    }
}

impl MetadataMembers {
    fn convert(self) -> PageMetadata {
        let number = |value: &Value| integer(value).and_then(|number| u64::try_from(number).ok());
        // `page` is either the number of the page or an object with all members.
        let in_page = |name: &str| self.page.get(name).and_then(number);
        PageMetadata {
            total: number(&self.total_elements).or_else(|| in_page("totalElements")),
            pages: number(&self.total_pages).or_else(|| in_page("totalPages")),
            number: number(&self.number).or_else(|| number(&self.page)).or_else(|| in_page("number")),
            last: boolean(&self.last),
        }
    }
}

/// Returns the page number in a URL.
pub(super) fn page_number(url: &Url) -> Option<u64> {
    url.query_pairs().find(|(name, _)| name == PAGE_PARAMETER).and_then(|(_, value)| value.parse().ok())
}

/// Returns the URL with another page number.
pub(super) fn with_page_number(url: &Url, number: u64) -> Url {
    with_parameter(url, PAGE_PARAMETER, number)
}

/// Returns the URL with another page size.
pub(super) fn with_page_size(url: &Url, size: u32) -> Url {
    with_parameter(url, "size", size.into())
}

fn with_parameter(url: &Url, name: &str, value: u64) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(other, _)| other != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, &value.to_string());
    url
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> PageMetadata {
        let extra: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let metadata = PageMetadata::from_extra(&extra);
        assert_eq!(PageMetadata::from_body(json.as_bytes()), metadata, "{json}");
        metadata
    }

    #[test]
    fn detects_further_pages_in_common_formats() {
        let spring = read(r#"{"totalElements":3,"totalPages":2,"number":0,"last":false,"size":2,"sort":[]}"#);
        assert_eq!((spring.total, spring.number), (Some(3), Some(0)));
        assert!(spring.has_more(2, 2) && spring.has_more(0, 0));
        assert!(read(r#"{"page":{"size":2,"number":0,"totalElements":3,"totalPages":2}}"#).has_more(0, 0));
        assert!(!read(r#"{"page":{"size":2,"number":1,"totalElements":3,"totalPages":2}}"#).has_more(1, 3));
        assert!(read(r#"{"page":0,"totalPages":2}"#).has_more(0, 0));
        assert!(read(r#"{"totalElements":3}"#).has_more(2, 2));
        assert!(!read(r#"{"totalElements":3}"#).has_more(0, 2), "an empty page ends a list that reports only a total");
        assert!(!read(r#"{"totalElements":3}"#).has_more(1, 3), "all items were read");
        assert!(!read("{}").has_more(1, 1), "the response has no metadata");
    }

    #[test]
    fn ignores_metadata_of_unexpected_types() {
        let odd = read(r#"{"totalElements":"three","totalPages":-1,"number":1.5,"last":"no","page":[0]}"#);
        assert_eq!(odd, PageMetadata::default());
        let strings = read(r#"{"totalElements":"3","totalPages":2.0,"number":"0","last":"false"}"#);
        assert_eq!(strings, read(r#"{"totalElements":3,"totalPages":2,"number":0,"last":false}"#));
        assert!(PageMetadata::are_all_in(&serde_json::from_str(PageMetadata::PROBE).unwrap_or_default()));
    }

    #[test]
    fn sets_page_number_and_size_in_url() -> Result<(), Box<dyn std::error::Error>> {
        let first = Url::parse("https://acme.example/api/users?size=2&filter=a%26b")?;
        let second = with_page_number(&first, 1);
        assert_eq!(second.as_str(), "https://acme.example/api/users?size=2&filter=a%26b&page=1");
        assert_eq!((page_number(&first), page_number(&second)), (None, Some(1)));
        assert_eq!(with_page_size(&second, 9).query(), Some("filter=a%26b&page=1&size=9"));
        Ok(())
    }
}
