//! Why: the generator finds a schema by what stands behind the last `/` of a reference, so it takes `…/schemas/A/properties/b` for
//! the schema `b`, and knows neither `%20` nor `~1`.
//! Finds: references of schemas within the document.
//! Holds afterwards: each leads to a component schema and ends with its plain name. A schema in another place that something
//! refers to has become a component schema, and its place refers to it too; so circles stay what they were.
//! Delete when: the generator follows JSON pointers.

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
    // Inner places first: an outer one takes along what they have become.
    let mut elsewhere: Vec<&String> = wanted
        .iter()
        .filter(|pointer| {
            let is_schema = places.contains(*pointer);
            // In a place of the document's own (`x-models`), where no pass looks: what is there may be meant as one.
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
        // A name that was meant to hold `%20`: nothing is there when it is decoded.
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

/// Segments of a pointer that name no part of the data.
const STRUCTURE: [&str; 8] = ["allOf", "anyOf", "components", "content", "items", "oneOf", "properties", "schemas"];

/// The name of the component schema that a pointer leads to.
fn component(pointer: &str) -> Option<String> {
    match tree::segments(pointer).as_slice() {
        [components, schemas, name] if components == "components" && schemas == "schemas" => Some(name.clone()),
        _ => None,
    }
}

/// The JSON pointer of a reference within the document, its `%20` resolved.
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
