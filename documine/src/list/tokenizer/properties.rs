//! Properties of the list tokenizer: for any JSON in any chunks, it agrees with serde_json on the whole.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::properties::cases;

const LIST: &str = "files";
const LIMIT: usize = 1 << 20;

/// The content of a response.
#[derive(Debug, Default, PartialEq)]
struct ListTokens {
    items: Vec<Value>,
    rest: Map<String, Value>,
    oversized: usize,
}

/// Tokenizes `body` in chunks that end at `cuts`.
fn split(body: &[u8], cuts: &[prop::sample::Index], limit: usize) -> Result<ListTokens, String> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    ends.push(body.len());
    ends.sort_unstable();
    let (mut tokenizer, mut tokens, mut begin) = (ListTokenizer::new(LIST, limit), ListTokens::default(), 0);
    for end in ends {
        let mut input = &body[begin..end];
        while let Some(token) = tokenizer.next(&mut input).map_err(|error| error.to_string())? {
            let read = |bytes| serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string());
            match token {
                ListToken::Item(bytes) => tokens.items.push(read(bytes)?),
                ListToken::OversizedItem => tokens.oversized += 1,
                ListToken::Member(name, value) => {
                    let name = serde_json::from_slice(name).map_err(|error| error.to_string())?;
                    tokens.rest.insert(name, read(value)?);
                }
            }
        }
        assert!(input.is_empty(), "unconsumed input");
        begin = end;
    }
    tokenizer.finish().map_err(|error| error.to_string())?;
    Ok(tokens)
}

/// Decodes the whole body with serde_json.
fn decode_with_serde(body: &[u8]) -> Option<ListTokens> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if matches!(body.trim_ascii(), b"" | b"null") {
        return Some(ListTokens::default());
    }
    let mut rest: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let items = match rest.remove(LIST) {
        Some(Value::Array(items)) => items,
        Some(other) => {
            rest.insert(LIST.into(), other);
            Vec::new()
        }
        None => Vec::new(),
    };
    Some(ListTokens { items, rest, oversized: 0 })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\\[\\]{}\",:\\\\\n\u{1f600}ü ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\{\\]]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Generates a member of the object around the list, or the list.
fn member() -> impl Strategy<Value = (String, Value)> {
    prop_oneof![
        (prop_oneof!["[a-z\"\\\\]{0,4}", Just("totalElements".to_owned())], json()),
        (Just(LIST.to_owned()), prop_oneof![vec(json(), 0..6).prop_map(Value::from), Just(Value::Null)]),
    ]
}

/// Generates an object with unique members in any order, compact or with whitespace, with or without a byte order mark.
fn body() -> impl Strategy<Value = Vec<u8>> {
    (vec(member(), 0..5), any::<bool>(), any::<bool>()).prop_map(|(mut members, with_mark, spaced)| {
        let mut names = std::collections::HashSet::new();
        members.retain(|(name, _)| names.insert(name.clone()));
        let render = |value: &Value| if spaced { format!("\r\n\t {value:#} ") } else { value.to_string() };
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}:{}", render(&name.as_str().into()), render(value)))
            .collect();
        let mark = if with_mark { "\u{feff}" } else { "" };
        let end = if spaced { " \n" } else { "" };
        format!("{mark}{{{}}}{end}", members.join(",")).into_bytes()
    })
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..24)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn tokenizes_any_chunks_like_the_whole(body in body(), cuts in cuts()) {
        let expected = decode_with_serde(&body);
        prop_assert!(expected.is_some(), "{}", String::from_utf8_lossy(&body));
        prop_assert_eq!(split(&body, &cuts, LIMIT).ok(), expected);
    }

    #[test]
    fn rejects_truncated_list(body in body(), cuts in cuts(), end in any::<prop::sample::Index>()) {
        // A body that ends before the object counts as a response without content; only its length shows the truncation.
        let first = body.iter().position(|byte| *byte == b'{').unwrap_or_default();
        let solid = body.iter().rposition(|byte| *byte == b'}').unwrap_or_default();
        prop_assert!(split(&body[..first + 1 + end.index(solid - first)], &cuts, LIMIT).is_err());
    }

    #[test]
    fn accepts_and_rejects_the_same_bodies_as_serde(
        mut body in body(),
        cuts in cuts(),
        changes in vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[]\",:\\ 0tn\xff"[..])), 1..3),
    ) {
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        match (split(&body, &cuts, LIMIT), decode_with_serde(&body)) {
            (Ok(tokens), expected) => prop_assert_eq!(Some(tokens), expected),
            // A model rejects a duplicate list, a plain map does not.
            (Err(why), Some(_)) => prop_assert_eq!(why, SyntaxError::DuplicateList.to_string()),
            (Err(_), None) => {}
        }
    }

    #[test]
    fn tokenizes_arbitrary_bytes_consistently(body in vec(prop::sample::select(&b"{}[]\",:\\ 0n\"f{\xef\xbb\xbf\xc3"[..]), 0..40), cuts in cuts()) {
        let in_one_chunk = split(&body, &[], LIMIT);
        prop_assert_eq!(&split(&body, &cuts, LIMIT), &in_one_chunk);
        prop_assert_eq!(in_one_chunk.ok(), decode_with_serde(&body));
    }

    #[test]
    fn skips_oversized_items(
        items in vec(json(), 0..8),
        cuts in cuts(),
        limit in 8_usize..40,
    ) {
        let body = format!("{{\"files\":{}}}", Value::from(items.clone()));
        let tokens = split(body.as_bytes(), &cuts, limit).map_err(TestCaseError::fail)?;
        let (fits, large): (Vec<Value>, Vec<Value>) = items.into_iter().partition(|item| item.to_string().len() <= limit);
        prop_assert_eq!((tokens.items, tokens.oversized), (fits, large.len()));
    }
}

#[test]
fn limits_nesting_depth() {
    let nested = |depth: usize| format!("{{\"files\":[{}{}]}}", "[".repeat(depth), "]".repeat(depth));
    let deep = split(nested(128).as_bytes(), &[], LIMIT);
    assert_eq!(deep, Err("more than 127 nested brackets".into()));
    assert_eq!(split(nested(127).as_bytes(), &[], LIMIT).map(|tokens| tokens.items.len()), Ok(1));
}
