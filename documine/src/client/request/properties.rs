//! Properties of accepted paths: URL parsing keeps them unchanged.

use proptest::collection::vec;
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::properties::cases;

const BASE: &str = "https://acme.example/base";

/// Characters with a meaning in URLs, and similar ones.
const SPECIAL: [&str; 25] = [
    "/", "//", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", "?", "#", "@", ":", " ", "\t", "\n", "%", "%zz", "+", "|",
    "[", "^", "ü", "\u{3000}", "\u{feff}",
];

/// Decodes percent-encoded bytes.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            out.push(high * 16 + low);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}

/// Generates paths from plain and special segments.
fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z0-9]{1,4}",
        2 => prop::sample::select(&SPECIAL).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn accepted_paths_are_requested_unchanged(path in path()) {
        if !is_plain_path(&path) {
            return Ok(());
        }
        let url = Url::parse(&format!("{BASE}{path}")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(url.origin().ascii_serialization(), "https://acme.example");
        prop_assert!(url.username().is_empty() && url.password().is_none());
        let (before_fragment, _) = path.split_once('#').unwrap_or((&path, ""));
        let (plain, query) = before_fragment.split_once('?').map_or((before_fragment, None), |(plain, query)| (plain, Some(query)));
        let expected: Vec<Vec<u8>> = format!("/base{plain}").split('/').map(decoded).collect();
        let found: Vec<Vec<u8>> = url.path().split('/').map(decoded).collect();
        prop_assert_eq!(found, expected, "{}", url);
        prop_assert_eq!(url.query().map(decoded), query.map(decoded), "{}", url);
    }

    #[test]
    fn accepts_ordinary_paths(path in "(/[A-Za-z0-9_~:@ü%!$&'()*+;= -]{1,8}[A-Za-z0-9]){1,5}(\\?[a-z]=[a-z0-9./]{1,5})?") {
        prop_assert!(is_plain_path(&path));
    }

    #[test]
    fn rejects_dot_segments(
        before in "(/[a-z]{1,3}){0,3}",
        dots in prop::sample::select(&[".", "..", "%2e", "%2E", ".%2e", "%2e.", "%2e%2E"]),
        after in "(/[a-z]{1,3}){0,3}(\\?x)?",
    ) {
        let path = format!("{before}/{dots}{after}");
        prop_assert!(!is_plain_path(&path));
    }
}
