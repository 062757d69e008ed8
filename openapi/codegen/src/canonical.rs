//! The canonical form of a JSON document: sorted keys, two spaces of indentation, a newline at the end.
//!
//! `serde_json::Map` keeps keys sorted or in insertion order, depending on a feature that any crate of a user's build may
//! enable. Sorting a document before reading it gives the same iteration order in both cases.

use serde_json::{Map, Value};

/// Sorts the keys of every object in `value`, at any depth.
pub fn sort(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            for (_, entry) in &mut entries {
                sort(entry);
            }
            *map = Map::from_iter(entries);
        }
        Value::Array(list) => list.iter_mut().for_each(sort),
        _ => {}
    }
}

/// Returns the canonical text of `value`.
pub fn text(value: &Value) -> String {
    let mut sorted = value.clone();
    sort(&mut sorted);
    format!("{sorted:#}\n")
}
