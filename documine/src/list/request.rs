//! What a list asks of the service, and how an answer to it is read: as a whole, or one element at a time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use documine_api::operations::Operation;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::marks::Marks;
use crate::client::{Prepared, build_request, decode};
use crate::error::Result;
use crate::transport::ResponseMeta;

/// Takes the list and the unknown members out of an answer.
type Parts<L, W> = fn(L) -> (Vec<W>, Map<String, Value>);

type Whole<T> = Box<dyn Fn(&[u8], &ResponseMeta) -> Result<(Vec<T>, Marks)> + Send + Sync>;

/// A list's first request, still to be sent, and the ways to read what comes back.
pub(crate) struct ListRequest<T> {
    pub(super) request: reqwest::Request,
    pub(super) operation: &'static Operation,
    /// Reads an answer, or what stands in one beside the list.
    pub(super) whole: Whole<T>,
    /// Reads an element. `None`: it is `null`, which counts as left out.
    pub(super) item: fn(&[u8]) -> std::result::Result<Option<T>, Unread>,
}

/// Why an element could not be read.
pub(super) struct Unread {
    /// The field, as it is written behind the name of the element: `.id`.
    pub(super) field: String,
    pub(super) why: String,
    /// Whether it is no JSON, so that where it ends is not sure either.
    pub(super) is_broken: bool,
}

impl<T: 'static> ListRequest<T> {
    /// `parts` takes an answer's list and its unknown members out of it; `W` is the model of an element.
    pub(crate) fn new<L, W>(request: Prepared<L>, parts: Parts<L, W>) -> Result<Self>
    where
        L: DeserializeOwned + 'static,
        W: DeserializeOwned + 'static,
        T: From<W>,
    {
        let (request, operation) = build_request(request)?;
        let whole = move |body: &[u8], facts: &ResponseMeta| {
            // No content (204, or 200 with an empty body) is a list without elements.
            let body = if matches!(body.trim_ascii(), b"" | b"null") { b"{}" } else { body };
            let (items, marks) = taken(decode(body, facts)?, body, operation.id, parts);
            Ok((items.into_iter().map(T::from).collect(), marks))
        };
        Ok(Self { request, operation, whole: Box::new(whole), item: read::<W, T> })
    }
}

/// The list of an answer, and what stands beside it. Only where the model keeps marks elsewhere, the answer is read twice.
fn taken<L: DeserializeOwned, W>(list: L, body: &[u8], operation: &'static str, parts: Parts<L, W>) -> (Vec<W>, Marks) {
    let (items, rest) = parts(list);
    (items, if leaves_marks(operation, parts) { Marks::of(&rest) } else { Marks::read(body) })
}

/// Whether the model of an operation's answer leaves all marks among the unknown members: a document may describe some. Found out once.
fn leaves_marks<L: DeserializeOwned, W>(operation: &'static str, parts: Parts<L, W>) -> bool {
    static KNOWN: Mutex<BTreeMap<&'static str, bool>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known
        .entry(operation)
        .or_insert_with(|| serde_json::from_str(Marks::ALL).is_ok_and(|probe| Marks::are_all_in(&parts(probe).1)))
}

fn read<W: DeserializeOwned, T: From<W>>(bytes: &[u8]) -> std::result::Result<Option<T>, Unread> {
    // Keeping the path costs as much again as the reading, and most elements fit.
    match serde_json::from_slice::<Option<W>>(bytes) {
        Ok(item) => Ok(item.map(T::from)),
        Err(_) => read_with_path::<W>(bytes).map(|item| item.map(T::from)),
    }
}

#[cold]
fn read_with_path<W: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<Option<W>, Unread> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => String::new(),
            index if index.starts_with('[') => index,
            field => format!(".{field}"),
        };
        let inner = error.inner();
        // Counted within the element, which nobody else sees.
        let position = format!(" at line {} column {}", inner.line(), inner.column());
        let why = inner.to_string();
        let why = why.strip_suffix(&position).map(str::to_owned).unwrap_or(why);
        let is_broken = !inner.is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_err();
        Unread { field: path, why, is_broken }
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

    fn unread(json: &str) -> Option<(String, String, bool)> {
        let unread = read::<File, File>(json.as_bytes()).err()?;
        Some((unread.field, unread.why, unread.is_broken))
    }

    /// A list whose document describes two of the marks.
    #[derive(Debug, serde::Deserialize)]
    struct Described {
        #[serde(default)]
        users: Vec<u8>,
        #[serde(rename = "totalElements")]
        _total_elements: Option<i64>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    }

    /// One whose document describes none.
    #[derive(Debug, serde::Deserialize)]
    struct Plain {
        #[serde(default)]
        users: Vec<u8>,
        #[serde(flatten)]
        extra: Map<String, Value>,
    }

    #[test]
    fn what_a_document_describes_of_the_paging_is_seen_all_the_same() {
        let body = br#"{"users":[1,2],"totalElements":5,"last":false}"#;
        let marks = |read: Option<(Vec<u8>, Marks)>| read.map(|(users, marks)| (users, marks.total, marks.more(0, 9)));
        let described = serde_json::from_slice(body).ok();
        let described =
            described.map(|list| taken(list, body, "described", |list: Described| (list.users, list.extra)));
        let plain = serde_json::from_slice(body).ok();
        let plain = plain.map(|list| taken(list, body, "plain", |list: Plain| (list.users, list.extra)));
        assert_eq!(marks(described), Some((vec![1, 2], Some(5), true)));
        assert_eq!(marks(plain), Some((vec![1, 2], Some(5), true)));
    }

    #[test]
    fn an_element_is_read_or_told_with_its_field() {
        assert!(matches!(read::<File, File>(br#"{"id":"a"}"#), Ok(Some(File { id, .. })) if id == "a"));
        assert!(matches!(read::<File, File>(b"null"), Ok(None)));
        let told = |field: &str, why: &str, is_broken| Some((field.to_owned(), why.to_owned(), is_broken));
        assert_eq!(unread(r#"{"id":7}"#), told(".id", "invalid type: integer `7`, expected a string", false));
        let wrong = r#"{"id":"a","pageNumbers":[1,-1]}"#;
        assert_eq!(unread(wrong), told(".pageNumbers[1]", "invalid value: integer `-1`, expected u8", false));
        assert_eq!(unread("7"), told("", "invalid type: integer `7`, expected struct File", false));
        assert_eq!(unread("{}"), told("", "missing field `id`", false));
        assert_eq!(unread(r#"{"id":7,"x":tru}"#).map(|(_, _, is_broken)| is_broken), Some(true));
        assert_eq!(unread(r#"{"id":"a",}"#).map(|(_, _, is_broken)| is_broken), Some(true));
    }
}
