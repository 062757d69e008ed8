//! The result does not depend on the order of keys, in the text or in memory. The second shows only when maps remember the order
//! of insertion: `cargo test -p xtask --features preserve-order`.

use serde_json::{Map, Value};

use super::vendored;
use crate::{code, passes};

/// The same document with the keys of every object turned round.
pub(super) fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> =
                map.iter().map(|(key, value)| (key.clone(), reversed(value))).collect();
            entries.sort_by(|left, right| right.0.cmp(&left.0));
            Value::Object(Map::from_iter(entries))
        }
        Value::Array(list) => Value::Array(list.iter().map(reversed).collect()),
        other => other.clone(),
    }
}

#[test]
fn reverses_key_order_with_preserve_order() {
    let value: Value = serde_json::from_str(r#"{"a": 1, "b": 2}"#).expect("JSON");
    let text = reversed(&value).to_string();
    let remembers = cfg!(feature = "preserve-order");
    assert_eq!(text == r#"{"b":2,"a":1}"#, remembers, "{text}");
}

#[test]
fn generated_code_is_reproducible() {
    let text = vendored();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let turned = reversed(&document).to_string();
    let generate = |text: &str| {
        let passed = super::built(text).unwrap_or_else(|findings| panic!("{findings:#?}"));
        let generated = code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}"));
        (generated.client, generated.enums, generated.operations)
    };
    let (one, other) = (generate(&text), generate(&turned));
    assert!(one.0 == other.0, "the client differs");
    assert!(one.1 == other.1, "the enums differ");
    assert!(one.2 == other.2, "the table of operations differs");
}

#[test]
fn canonical_text_is_stable() {
    let document: Value = serde_json::from_str(&vendored()).expect("JSON");
    let text = passes::canonical::text(&document);
    assert_eq!(passes::canonical::text(&reversed(&document)), text);
    let again: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(passes::canonical::text(&again), text);
    assert_eq!(text, vendored(), "openapi/documine.json is canonical");
    assert!(text.ends_with("}\n"));
}
