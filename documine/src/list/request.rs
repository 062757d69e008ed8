//! The request of a list, and the decoding of its responses as a whole or item by item.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use documine_api::operations::Operation;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::page_metadata::PageMetadata;
use crate::client::{Prepared, build_request, decode};
use crate::error::Result;
use crate::transport::ResponseMeta;

/// Splits a response into its items and its unknown members.
type SplitResponse<L, W> = fn(L) -> (Vec<W>, Map<String, Value>);

type DecodePage<T> = Box<dyn Fn(&[u8], &ResponseMeta) -> Result<(Vec<T>, PageMetadata)> + Send + Sync>;

/// The first request of a list and the decoders for its responses.
pub(crate) struct ListRequest<T> {
    pub(super) request: reqwest::Request,
    pub(super) operation: &'static Operation,
    /// Decodes a response, or the members beside its list.
    pub(super) decode_page: DecodePage<T>,
    /// Decodes an item. `None` for `null`, which counts as absent.
    pub(super) decode_item: fn(&[u8]) -> std::result::Result<Option<T>, ItemError>,
}

/// The reason why an item could not be decoded.
pub(super) struct ItemError {
    /// The path of the field within the item, for example `.id`.
    pub(super) field: String,
    pub(super) reason: String,
    /// Set for invalid JSON, after which the end of the item is uncertain.
    pub(super) is_malformed: bool,
}

impl<T: 'static> ListRequest<T> {
    /// Creates the request. `split` takes the list and the unknown members out of a response; `W` is the model of an item.
    pub(crate) fn new<L, W>(request: Prepared<L>, split: SplitResponse<L, W>) -> Result<Self>
    where
        L: DeserializeOwned + 'static,
        W: DeserializeOwned + 'static,
        T: From<W>,
    {
        let (request, operation) = build_request(request)?;
        let decode_page = move |body: &[u8], meta: &ResponseMeta| {
            // A response without content (204, or 200 with an empty body) is an empty list.
            let body = if matches!(body.trim_ascii(), b"" | b"null") { b"{}" } else { body };
            let (items, metadata) = split_page(decode(body, meta)?, body, operation.id, split);
            Ok((items.into_iter().map(T::from).collect(), metadata))
        };
        Ok(Self { request, operation, decode_page: Box::new(decode_page), decode_item: decode_item::<W, T> })
    }
}

/// Returns the items and the metadata of a response. The body is parsed a second time only if the model describes metadata fields itself.
fn split_page<L: DeserializeOwned, W>(
    list: L,
    body: &[u8],
    operation: &'static str,
    split: SplitResponse<L, W>,
) -> (Vec<W>, PageMetadata) {
    let (items, extra) = split(list);
    let metadata =
        if keeps_metadata(operation, split) { PageMetadata::from_extra(&extra) } else { PageMetadata::from_body(body) };
    (items, metadata)
}

/// Returns whether the model of an operation's response keeps all metadata among the unknown members. The result is cached per operation.
fn keeps_metadata<L: DeserializeOwned, W>(operation: &'static str, split: SplitResponse<L, W>) -> bool {
    static CACHE: Mutex<BTreeMap<&'static str, bool>> = Mutex::new(BTreeMap::new());
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    *cache.entry(operation).or_insert_with(|| {
        serde_json::from_str(PageMetadata::PROBE).is_ok_and(|probe| PageMetadata::are_all_in(&split(probe).1))
    })
}

fn decode_item<W: DeserializeOwned, T: From<W>>(bytes: &[u8]) -> std::result::Result<Option<T>, ItemError> {
    // Tracking the path doubles the cost of decoding, and most items are valid.
    match serde_json::from_slice::<Option<W>>(bytes) {
        Ok(item) => Ok(item.map(T::from)),
        Err(_) => decode_item_with_path::<W>(bytes).map(|item| item.map(T::from)),
    }
}

#[cold]
fn decode_item_with_path<W: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<Option<W>, ItemError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = match error.path().to_string() {
            root if root == "." => String::new(),
            index if index.starts_with('[') => index,
            field => format!(".{field}"),
        };
        let inner = error.inner();
        // The position counts from the start of the item, so it is meaningless in the response.
        let position = format!(" at line {} column {}", inner.line(), inner.column());
        let reason = inner.to_string();
        let reason = reason.strip_suffix(&position).map(str::to_owned).unwrap_or(reason);
        let is_malformed = !inner.is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_err();
        ItemError { field, reason, is_malformed }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct File {
        id: String,
        #[serde(rename = "pageNumbers", default)]
        _page_numbers: Vec<u8>,
    }

    fn item_error(json: &str) -> Option<(String, String, bool)> {
        let error = decode_item::<File, File>(json.as_bytes()).err()?;
        Some((error.field, error.reason, error.is_malformed))
    }

    /// A list model that describes one of the metadata fields.
    #[derive(Debug, serde::Deserialize)]
    struct WithTotal {
        #[serde(default)]
        users: Vec<u8>,
        #[serde(rename = "totalElements")]
        _total_elements: Option<i64>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    }

    /// A list model without metadata fields.
    #[derive(Debug, serde::Deserialize)]
    struct WithoutTotal {
        #[serde(default)]
        users: Vec<u8>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    }

    #[test]
    fn reads_metadata_that_the_model_describes_itself() {
        let body = br#"{"users":[1,2],"totalElements":5,"last":false}"#;
        let summary = |page: Option<(Vec<u8>, PageMetadata)>| {
            page.map(|(users, metadata)| (users, metadata.total, metadata.has_more(0, 9)))
        };
        let with_total = serde_json::from_slice(body).ok();
        let with_total =
            with_total.map(|list| split_page(list, body, "with", |list: WithTotal| (list.users, list.extra)));
        let without = serde_json::from_slice(body).ok();
        let without =
            without.map(|list| split_page(list, body, "without", |list: WithoutTotal| (list.users, list.extra)));
        assert_eq!(summary(with_total), Some((vec![1, 2], Some(5), true)));
        assert_eq!(summary(without), Some((vec![1, 2], Some(5), true)));
    }

    #[test]
    fn decodes_item_or_names_its_invalid_field() {
        assert!(matches!(decode_item::<File, File>(br#"{"id":"a"}"#), Ok(Some(File { id, .. })) if id == "a"));
        assert!(matches!(decode_item::<File, File>(b"null"), Ok(None)));
        let error = |field: &str, reason: &str, malformed| Some((field.to_owned(), reason.to_owned(), malformed));
        assert_eq!(item_error(r#"{"id":7}"#), error(".id", "invalid type: integer `7`, expected a string", false));
        let negative = r#"{"id":"a","pageNumbers":[1,-1]}"#;
        let expected = error(".pageNumbers[1]", "invalid value: integer `-1`, expected u8", false);
        assert_eq!(item_error(negative), expected);
        assert_eq!(item_error("7"), error("", "invalid type: integer `7`, expected struct File", false));
        assert_eq!(item_error("{}"), error("", "missing field `id`", false));
        assert_eq!(item_error(r#"{"id":7,"x":tru}"#).map(|(_, _, is_malformed)| is_malformed), Some(true));
        assert_eq!(item_error(r#"{"id":"a",}"#).map(|(_, _, is_malformed)| is_malformed), Some(true));
    }
}
