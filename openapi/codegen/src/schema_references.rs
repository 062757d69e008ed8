//! Resolves references to component schemas.
//!
//! Why: the generator resolves a reference by its text after the last `/`, so that `…/schemas/A/properties/b` becomes the
//! schema `b`, and supports neither `%20` nor `~1`.
//! Finds: references of schemas within the document.
//! Holds afterwards: each leads to a component schema and ends with its plain name. A referenced schema elsewhere becomes a
//! component schema, and a reference replaces it; cycles are preserved.
//! Delete when: the generator supports JSON pointers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::names;
use crate::tree::{self, NodeKind};

const COMPONENTS: &str = "#/components/schemas/";

pub(super) fn apply(document: &mut Value) -> usize {
    let mut places: BTreeSet<String> = BTreeSet::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, pointer| {
        places.insert(String::from(pointer));
        wanted.extend(tree::text(schema, "$ref").and_then(decoded));
    });
    // Inner schemas first, so that outer ones contain the replaced form.
    let mut elsewhere: Vec<&String> = wanted
        .iter()
        .filter(|pointer| {
            let is_schema = places.contains(*pointer);
            // Members such as `x-models` may contain schemas, which no pass visits.
            let is_hidden =
                !is_schema && pointer.starts_with("/x-") && document.pointer(pointer).is_some_and(Value::is_object);
            (is_schema || is_hidden) && component(pointer).is_none()
        })
        .collect();
    elsewhere.sort_by_key(|pointer| (std::cmp::Reverse(pointer.len()), (*pointer).clone()));
    let mut moved: BTreeMap<String, String> = BTreeMap::new();
    for pointer in elsewhere {
        let segments = tree::segments(pointer);
        let parts = segments.iter().filter(|part| !STRUCTURE.contains(&part.as_str()));
        let name = parts.cloned().collect::<Vec<String>>().join("-");
        let Some(schemas) = tree::schemas_mut(document) else {
            break;
        };
        let name = names::free(schemas, &name);
        let Some(place) = document.pointer_mut(pointer) else {
            continue;
        };
        let schema = std::mem::replace(place, json!({"allOf": [{"$ref": format!("{COMPONENTS}{name}")}]}));
        if let Some(schemas) = tree::schemas_mut(document) {
            schemas.insert(name.clone(), schema);
        }
        moved.insert(pointer.clone(), name);
    }
    let mut edits = moved.len();
    let known: BTreeSet<String> =
        tree::schemas_mut(document).map(|schemas| schemas.keys().cloned().collect()).unwrap_or_default();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        let Some(reference) = tree::text(schema, "$ref") else {
            return;
        };
        // An unescaped name may contain `%20` and must not be decoded.
        if reference.strip_prefix(COMPONENTS).is_some_and(|name| known.contains(name)) {
            return;
        }
        let Some(pointer) = decoded(reference) else {
            return;
        };
        let name = moved.get(&pointer).cloned().or_else(|| component(&pointer));
        if let Some(plain) = name.map(|name| format!("{COMPONENTS}{name}"))
            && plain != reference
        {
            schema.insert(String::from("$ref"), Value::String(plain));
            edits += 1;
        }
    });
    edits
}

/// Structural pointer segments, which do not name data.
const STRUCTURE: [&str; 8] = ["allOf", "anyOf", "components", "content", "items", "oneOf", "properties", "schemas"];

/// Returns the name of the component schema at a pointer.
fn component(pointer: &str) -> Option<String> {
    match tree::segments(pointer).as_slice() {
        [components, schemas, name] if components == "components" && schemas == "schemas" => Some(name.clone()),
        _ => None,
    }
}

/// Returns the JSON pointer of a reference within the document, percent-decoded.
pub(crate) fn decoded(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
