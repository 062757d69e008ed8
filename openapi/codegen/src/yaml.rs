//! Strict reading of YAML documents.
//!
//! A separate feature, so that users of the vendored document, which is JSON, compile no YAML library.
//!
//! YAML 1.2: `no` and `on` are strings, and so are `1_000` and `0123`. A duplicate key is an error, because keeping the last
//! one would hide a mistake. The limits stop documents that expand without bound (aliases of aliases) and are far above the
//! needs of a real API.

use serde_json::Value;

use crate::normalize;
use crate::read_limits::{MAX_BYTES, MAX_NODES, check_size};

/// Maximum nesting. OpenAPI needs about twenty levels, inline schemas a few more.
const MAX_DEPTH: usize = 120;
/// Maximum number of aliases. A generated document may refer to one anchor hundreds of times, which is legal.
const MAX_ALIASES: usize = 20_000;

/// Parses `text`; `origin` is its name in errors.
pub fn document(text: &str, origin: &str) -> Result<Value, String> {
    check_size(text, origin)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut value: Value =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| format!("{origin}: {error}"))?;
    match value {
        Value::Object(_) => {
            normalize::apply(&mut value);
            Ok(value)
        }
        _ => Err(format!("{origin}: not an OpenAPI document: the top level is not a mapping")),
    }
}

fn options() -> serde_saphyr::Options {
    let budget = serde_saphyr::budget! {
        max_reader_input_bytes: Some(MAX_BYTES),
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_events: 2 * MAX_NODES,
        max_aliases: MAX_ALIASES,
        max_documents: 1,
        // A document may refer to one anchor many times; the limit on nodes stops expanding aliases.
        enforce_alias_anchor_ratio: false,
    };
    serde_saphyr::options! {
        budget: budget,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::document;

    #[test]
    fn reads_yaml_1_2_words_as_strings() {
        let read = document("a: no\nb: on\nc: 1_000\nd: 0123\ne: true\nf: ~\n", "t").expect("reads");
        assert_eq!(read, json!({"a": "no", "b": "on", "c": "1_000", "d": "0123", "e": true, "f": null}));
    }

    #[test]
    fn rejects_duplicate_keys_in_yaml_and_json() {
        for text in ["a: 1\nb: 2\na: 3\n", r#"{"a": 1, "b": 2, "a": 3}"#] {
            let error = document(text, "spec.yaml").expect_err("rejected");
            assert!(error.starts_with("spec.yaml: "), "{error}");
            assert!(error.contains("uplicate"), "{error}");
        }
    }

    #[test]
    fn reads_unquoted_status_codes() {
        let read = document("responses:\n  200: {description: ok}\n", "t").expect("reads");
        assert_eq!(read, json!({"responses": {"200": {"description": "ok"}}}));
    }

    #[test]
    fn reads_byte_order_mark_crlf_anchors_and_comments() {
        let read = document("\u{feff}# made by hand\r\na: &x {k: v}\r\nb: *x\r\n", "t").expect("reads");
        assert_eq!(read, json!({"a": {"k": "v"}, "b": {"k": "v"}}));
    }

    #[test]
    fn reads_an_anchor_with_a_thousand_aliases() {
        let mut text = String::from("x: &x {type: string}\n");
        for n in 0..1000 {
            writeln!(text, "p{n}: *x").expect("writes");
        }
        let read = document(&text, "t").expect("reads");
        assert_eq!(read["p999"], json!({"type": "string"}));
    }

    #[test]
    fn rejects_expanding_aliases() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let last = n - 1;
            let aliases = vec![format!("*a{last}"); 10].join(", ");
            writeln!(text, "a{n}: &a{n} [{aliases}]").expect("writes");
        }
        document(&text, "t").expect_err("10^9 nodes exceed the limit");
    }

    #[test]
    fn rejects_deep_nesting() {
        let text = format!("a: {}{}", "[".repeat(5000), "]".repeat(5000));
        document(&text, "t").expect_err("too deep");
    }

    #[test]
    fn rejects_documents_other_than_mappings() {
        document("- a\n- b\n", "t").expect_err("a list");
        document("", "t").expect_err("nothing");
    }
}
