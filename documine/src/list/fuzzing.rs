//! Fuzz targets for lists and paging; see [`crate::fuzzing`].
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "a failed check ends the run")]

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};
use url::Url;

use super::continuation::Continuation;
use super::link::next_link;
use super::tokenizer::{ListToken, ListTokenizer};
use crate::error::ErrorKind;
use crate::error::assert_one_line;

const LIST: &str = "files";
const LIMIT: usize = 1 << 20;
/// Number of brackets below the nesting limit of `serde_json`, which is 128 including the object and its list.
const MAX_BRACKETS: usize = 120;

/// The content of a response; members in the order of the body.
#[derive(Debug, Default, PartialEq)]
struct TokenizedResponse {
    items: Vec<Value>,
    members: Vec<(String, Value)>,
}

/// Checks that a list body in chunks, whose length the first byte gives, is read like the whole body and like `serde_json` reads it.
pub fn list(input: &[u8]) {
    let Some((length, body)) = input.split_first() else { return };
    let tokens = split(body, body.len().max(1));
    assert_eq!(split(body, usize::from(*length % 32) + 1), tokens);
    let whole = serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok();
    let is_shallow = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() < MAX_BRACKETS;
    match (tokens, whole) {
        (Ok(TokenizedResponse { items, members }), Some(Value::Object(mut whole))) => {
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
        // A response without content is an empty list.
        (Ok(tokens), None | Some(Value::Null)) if tokens == TokenizedResponse::default() => {}
        (Ok(_), whole) => assert!(!is_shallow, "{whole:?} was tokenized"),
        // serde_json keeps the last of duplicate members.
        (Err(error), Some(Value::Object(_))) => assert!(!is_shallow || error == "the list appears twice", "{error}"),
        (Err(_), _) => {}
    }
}

fn split(body: &[u8], length: usize) -> Result<TokenizedResponse, String> {
    let (mut tokenizer, mut tokens) = (ListTokenizer::new(LIST, LIMIT), TokenizedResponse::default());
    for mut input in body.chunks(length) {
        while let Some(token) = tokenizer.next(&mut input).map_err(|error| error.to_string())? {
            let read = |bytes| serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string());
            match token {
                ListToken::Item(bytes) => tokens.items.push(read(bytes)?),
                ListToken::Member(name, value) => {
                    let name = serde_json::from_slice(name).map_err(|error| error.to_string())?;
                    tokens.members.push((name, read(value)?));
                }
                ListToken::OversizedItem => return Err("oversized item".into()),
            }
        }
        assert!(input.is_empty(), "unconsumed input");
    }
    tokenizer.finish().map_err(|error| error.to_string())?;
    Ok(tokens)
}

/// Checks that a `Link` header yields no next page, or one of its own targets.
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

/// Checks that a continuation resumes the same list at the same service, or is rejected.
pub fn continuation(input: &[u8]) {
    let Ok(continuation) = serde_json::from_slice::<Continuation>(input) else { return };
    let first = first();
    match continuation.next_url("getUsers", &first) {
        Ok(next) => {
            assert_eq!(next.origin(), first.origin());
            assert_eq!(
                Continuation::new("getUsers", &first, &next, continuation.items, continuation.pages),
                Some(continuation)
            );
        }
        Err(error) => assert_one_line(&error),
    }
}

fn first() -> Url {
    Url::parse("https://acme.example/api/users?page=1").expect("valid URL")
}
