//! Converts OpenAPI 3.1 to 3.0.
//!
//! Why: springdoc writes OpenAPI 3.1 by default, and the generator reads 3.0. The features of 3.1 in such documents have an
//! equivalent in 3.0.
//! Finds: documents of version 3.1: lists of types, `const`, exclusive bounds as numbers, `contentEncoding` and
//! `contentMediaType`, and members that do not exist in 3.0.
//! Holds afterwards: the version of the document is 3.0. `null` among the types is `nullable`, several other types are any
//! JSON, and checks that only 3.1 supports are removed. Runs when a document is read.
//! Delete when: the generator reads 3.1.

use serde_json::{Value, json};

use crate::tree::{self, NodeKind, Object};

/// Members of a schema that do not exist in 3.0 and do not affect the type.
const ADDED: [&str; 23] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$schema",
    "$vocabulary",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "examples",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];

/// Converts a document of version 3.1 to 3.0; does not change other versions.
pub(crate) fn apply(document: &mut Value) {
    let is_newer = document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3.1"));
    if !is_newer {
        return;
    }
    document["openapi"] = json!("3.0.3");
    tree::visit_all(document, &mut |node, object, _| match node {
        NodeKind::Document => {
            for key in ["jsonSchemaDialect", "webhooks"] {
                object.remove(key);
            }
        }
        NodeKind::Info => {
            object.remove("summary");
        }
        NodeKind::Schema => schema(object),
        _ => {}
    });
}

fn schema(schema: &mut Object) {
    if let Some(constant) = schema.remove("const") {
        schema.entry("enum").or_insert_with(|| json!([constant]));
    }
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(limit) = schema.get(flag).filter(|limit| limit.is_number()).cloned() {
            schema.insert(String::from(flag), json!(true));
            schema.insert(String::from(bound), limit);
        }
    }
    types(schema);
    let is_text = tree::text(schema, "type").is_none_or(|kind| kind == "string");
    let format = match (tree::text(schema, "contentEncoding"), tree::text(schema, "contentMediaType")) {
        (Some("base64" | "base64url"), _) => Some("byte"),
        (None, Some(_)) => Some("binary"),
        _ => None,
    };
    if let Some(format) = format.filter(|_| is_text && !schema.contains_key("format")) {
        schema.insert(String::from("type"), json!("string"));
        schema.insert(String::from("format"), json!(format));
    }
    for key in ADDED {
        schema.remove(key);
    }
}

/// Converts `["string", "null"]` to a nullable string.
fn types(schema: &mut Object) {
    let Some(Value::Array(types)) = schema.get("type") else {
        return;
    };
    let mut kinds: Vec<String> = types.iter().filter_map(Value::as_str).map(String::from).collect();
    let all = kinds.len();
    kinds.retain(|kind| kind != "null");
    let may_be_null = kinds.len() < all;
    if kinds.iter().any(|kind| kind == "number") {
        kinds.retain(|kind| kind != "integer");
    }
    match kinds.as_slice() {
        [only] => {
            schema.insert(String::from("type"), json!(only));
        }
        // Members that belong to one of several types say nothing about the others.
        _ => schema
            .retain(|key, _| ["deprecated", "description", "readOnly", "title", "writeOnly"].contains(&key.as_str())),
    }
    if may_be_null {
        schema.insert(String::from("nullable"), json!(true));
    }
}
