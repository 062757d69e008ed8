//! See [`crate::fuzzing`]: lists, and where they go on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what does not hold is to end the run"
)]

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};
use url::Url;

use super::continuation::Continuation;
use super::link::next_link;
use super::split::{Piece, Splitter};
use crate::error::ErrorKind;
use crate::error::assert_one_line;

const LIST: &str = "files";
const LIMIT: usize = 1 << 20;
/// serde_json reads no deeper than 128; the object and its list are two of them.
const SHALLOW: usize = 120;

/// What an answer splits into; each member with its name, in the order in which they stand.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    items: Vec<Value>,
    members: Vec<(String, Value)>,
}

/// The body of a list in pieces of the length that the first byte says: the same as in one piece, and as serde_json reads it.
pub fn list(input: &[u8]) {
    let Some((length, body)) = input.split_first() else { return };
    let parts = split(body, body.len().max(1));
    assert_eq!(split(body, usize::from(*length % 32) + 1), parts);
    let whole = serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok();
    let is_shallow = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() < SHALLOW;
    match (parts, whole) {
        (Ok(Parts { items, members }), Some(Value::Object(mut whole))) => {
            let mut names = HashSet::new();
            if members.iter().all(|(name, _)| names.insert(name))
                && (items.is_empty() || !names.contains(&LIST.to_owned()))
            {
                let is_list = |value: &Value| value.is_array();
                let list = if whole.get(LIST).is_some_and(is_list) { whole.remove(LIST) } else { None };
                assert_eq!(Value::from(items), list.unwrap_or(Value::Array(Vec::new())));
                assert_eq!(members.into_iter().collect::<Map<_, _>>(), whole);
            }
        }
        // An answer without content has a list without elements.
        (Ok(parts), None | Some(Value::Null)) if parts == Parts::default() => {}
        (Ok(_), whole) => assert!(!is_shallow, "{whole:?} was taken apart"),
        // serde_json takes the last one of a name.
        (Err(flaw), Some(Value::Object(_))) => assert!(!is_shallow || flaw == "the list is there twice", "{flaw}"),
        (Err(_), _) => {}
    }
}

fn split(body: &[u8], length: usize) -> Result<Parts, String> {
    let (mut splitter, mut parts) = (Splitter::new(LIST, LIMIT), Parts::default());
    for mut input in body.chunks(length) {
        while let Some(piece) = splitter.next(&mut input).map_err(|flaw| flaw.to_string())? {
            let read = |bytes| serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string());
            match piece {
                Piece::Item(bytes) => parts.items.push(read(bytes)?),
                Piece::Member(name, value) => {
                    let name = serde_json::from_slice(name).map_err(|error| error.to_string())?;
                    parts.members.push((name, read(value)?));
                }
                Piece::TooLarge => return Err("too large".into()),
            }
        }
        assert!(input.is_empty(), "not all was taken");
    }
    splitter.finish().map_err(|flaw| flaw.to_string())?;
    Ok(parts)
}

/// A `Link` header: it leads nowhere, or to a target that stands in it.
pub fn link(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else { return };
    let url = first();
    match next_link(&url, &HeaderMap::from_iter([(header::LINK, value)])) {
        Ok(None) => {}
        Ok(Some(next)) => {
            let text = String::from_utf8_lossy(input);
            let mut targets = text.match_indices('<').filter_map(|(at, _)| text[at + 1..].split_once('>'));
            assert!(targets.any(|(target, _)| url.join(target).as_ref() == Ok(&next)), "{next} in {text:?}");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert_one_line(&error);
        }
    }
}

/// Where a list goes on: at the same service and with the same list, or nowhere.
pub fn continuation(input: &[u8]) {
    let Ok(kept) = serde_json::from_slice::<Continuation>(input) else { return };
    let first = first();
    match kept.resumed("getUsers", &first) {
        Ok(next) => {
            assert_eq!(next.origin(), first.origin());
            assert_eq!(Continuation::new("getUsers", &first, &next, kept.items, kept.pages), Some(kept));
        }
        Err(error) => assert_one_line(&error),
    }
}

fn first() -> Url {
    Url::parse("https://acme.example/api/users?page=1").expect("it is an address")
}
