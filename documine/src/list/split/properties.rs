//! Any JSON in any pieces: what is found is what serde_json finds in the whole.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::properties::cases;

const LIST: &str = "files";
const LIMIT: usize = 1 << 20;

/// What a whole answer splits into.
#[derive(Debug, Default, PartialEq)]
struct Parts {
    items: Vec<Value>,
    rest: Map<String, Value>,
    too_large: usize,
}

/// Splits `body` in pieces that end at `cuts`.
fn split(body: &[u8], cuts: &[prop::sample::Index], limit: usize) -> Result<Parts, String> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    ends.push(body.len());
    ends.sort_unstable();
    let (mut splitter, mut parts, mut begin) = (Splitter::new(LIST, limit), Parts::default(), 0);
    for end in ends {
        let mut input = &body[begin..end];
        while let Some(piece) = splitter.next(&mut input).map_err(|flaw| flaw.to_string())? {
            let read = |bytes| serde_json::from_slice::<Value>(bytes).map_err(|error| error.to_string());
            match piece {
                Piece::Item(bytes) => parts.items.push(read(bytes)?),
                Piece::TooLarge => parts.too_large += 1,
                Piece::Member(name, value) => {
                    let name = serde_json::from_slice(name).map_err(|error| error.to_string())?;
                    parts.rest.insert(name, read(value)?);
                }
            }
        }
        assert!(input.is_empty(), "not all was taken");
        begin = end;
    }
    splitter.finish().map_err(|flaw| flaw.to_string())?;
    Ok(parts)
}

/// The same by serde_json, from the whole.
fn whole(body: &[u8]) -> Option<Parts> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if matches!(body.trim_ascii(), b"" | b"null") {
        return Some(Parts::default());
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
    Some(Parts { items, rest, too_large: 0 })
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

/// A member of the object around the list, or the list.
fn member() -> impl Strategy<Value = (String, Value)> {
    prop_oneof![
        (prop_oneof!["[a-z\"\\\\]{0,4}", Just("totalElements".to_owned())], json()),
        (Just(LIST.to_owned()), prop_oneof![vec(json(), 0..6).prop_map(Value::from), Just(Value::Null)]),
    ]
}

/// An object whose members stand in any order, each once, written densely or with blanks, with a byte order mark or without.
fn body() -> impl Strategy<Value = Vec<u8>> {
    (vec(member(), 0..5), any::<bool>(), any::<bool>()).prop_map(|(mut members, mark, airy)| {
        let mut seen = std::collections::HashSet::new();
        members.retain(|(name, _)| seen.insert(name.clone()));
        let written = |value: &Value| if airy { format!("\r\n\t {value:#} ") } else { value.to_string() };
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}:{}", written(&name.as_str().into()), written(value)))
            .collect();
        let mark = if mark { "\u{feff}" } else { "" };
        let end = if airy { " \n" } else { "" };
        format!("{mark}{{{}}}{end}", members.join(",")).into_bytes()
    })
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..24)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_list_in_any_pieces_is_what_it_is_as_a_whole(body in body(), cuts in cuts()) {
        let expected = whole(&body);
        prop_assert!(expected.is_some(), "{}", String::from_utf8_lossy(&body));
        prop_assert_eq!(split(&body, &cuts, LIMIT).ok(), expected);
    }

    #[test]
    fn a_list_that_is_cut_is_never_taken_for_whole(body in body(), cuts in cuts(), end in any::<prop::sample::Index>()) {
        // What is cut off before the object begins is an answer without content: its length says that it is cut off.
        let first = body.iter().position(|byte| *byte == b'{').unwrap_or_default();
        let solid = body.iter().rposition(|byte| *byte == b'}').unwrap_or_default();
        prop_assert!(split(&body[..first + 1 + end.index(solid - first)], &cuts, LIMIT).is_err());
    }

    #[test]
    fn what_serde_takes_is_taken_and_what_it_refuses_is_refused(
        mut body in body(),
        cuts in cuts(),
        changes in vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[]\",:\\ 0tn\xff"[..])), 1..3),
    ) {
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        match (split(&body, &cuts, LIMIT), whole(&body)) {
            (Ok(parts), expected) => prop_assert_eq!(Some(parts), expected),
            // A list that is there twice is refused by the model that reads it, not by a mere map.
            (Err(why), Some(_)) => prop_assert_eq!(why, Flaw::Twice.to_string()),
            (Err(_), None) => {}
        }
    }

    #[test]
    fn any_bytes_are_an_answer_or_none(body in vec(prop::sample::select(&b"{}[]\",:\\ 0n\"f{\xef\xbb\xbf\xc3"[..]), 0..40), cuts in cuts()) {
        let in_one_piece = split(&body, &[], LIMIT);
        prop_assert_eq!(&split(&body, &cuts, LIMIT), &in_one_piece);
        prop_assert_eq!(in_one_piece.ok(), whole(&body));
    }

    #[test]
    fn what_is_too_large_is_left_out_and_the_rest_is_found(
        items in vec(json(), 0..8),
        cuts in cuts(),
        limit in 8_usize..40,
    ) {
        let body = format!("{{\"files\":{}}}", Value::from(items.clone()));
        let parts = split(body.as_bytes(), &cuts, limit).map_err(TestCaseError::fail)?;
        let (fits, large): (Vec<Value>, Vec<Value>) = items.into_iter().partition(|item| item.to_string().len() <= limit);
        prop_assert_eq!((parts.items, parts.too_large), (fits, large.len()));
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{{\"files\":[{}{}]}}", "[".repeat(depth), "]".repeat(depth));
    let deep = split(nested(128).as_bytes(), &[], LIMIT);
    assert_eq!(deep, Err("more than 127 brackets are open at once".into()));
    assert_eq!(split(nested(127).as_bytes(), &[], LIMIT).map(|parts| parts.items.len()), Ok(1));
}
