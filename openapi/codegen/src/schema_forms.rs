//! Completes and simplifies schemas.
//!
//! Why: the generator misinterprets incomplete or contradictory schemas, or panics.
//! Finds: `properties` or `items` without a type, lists without `items`, enums of mixed values, `required` names without a
//! property, members beside `$ref`, nullable components, properties of requests that are `readOnly` and required.
//! Holds afterwards: a schema declares its type or is `{}`, any JSON value, as is an object without any statement; it has the
//! members of its type only. Enums contain strings. Nullability is declared where a component is used. A type outside of
//! OpenAPI 3.0, or one that contradicts the rest of the schema, stays for the lint.
//! Delete when: never; a document is untrusted input.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::constraints::LIMITS;
use crate::tree::{self, NodeKind, Object};

/// Members that do not affect the type.
const ANNOTATIONS: [&str; 7] = ["default", "deprecated", "description", "nullable", "readOnly", "title", "writeOnly"];
/// Members of composed schemas, which the lint rejects, and of wrapped references.
const COMPOSED: [&str; 5] = ["allOf", "anyOf", "discriminator", "not", "oneOf"];

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        let before = schema.clone();
        complete_schema(schema);
        edits += usize::from(*schema != before);
    });
    edits + declare_null_where_used(document) + make_read_only_optional(document)
}

fn complete_schema(schema: &mut Object) {
    if schema.contains_key("$ref") {
        wrap_reference(schema);
        return;
    }
    if COMPOSED.iter().any(|key| schema.contains_key(*key)) {
        return;
    }
    if let Some(constant) = schema.remove("const")
        && constant.is_string()
    {
        schema.insert(String::from("enum"), json!([constant]));
    }
    reduce_enum(schema);
    if !schema.contains_key("type")
        && let Some(kind) = kind(schema)
    {
        schema.insert(String::from("type"), json!(kind));
    }
    let Some(kind) = tree::text(schema, "type").map(String::from) else {
        if !schema.contains_key("type") {
            keep(schema, &[]);
        }
        return;
    };
    match kind.as_str() {
        "object" => object(schema),
        "array" if !contradicts(schema, "properties") => {
            schema.entry("items").or_insert_with(|| json!({}));
            keep(schema, &["items"]);
        }
        "boolean" | "integer" | "number" | "string"
            if !contradicts(schema, "properties") && !contradicts(schema, "items") =>
        {
            keep(schema, &["enum", "format"]);
        }
        _ => {}
    }
}

/// Wraps a reference with relevant members beside it, which OpenAPI 3.0 ignores but tools write.
fn wrap_reference(schema: &mut Object) {
    let has_annotations = ["deprecated", "description"].iter().any(|key| schema.contains_key(*key))
        || ["nullable", "readOnly"].iter().any(|key| tree::is_true(schema, key));
    schema.retain(|key, _| {
        key == "$ref" || key.starts_with("x-") || (has_annotations && ANNOTATIONS.contains(&key.as_str()))
    });
    if has_annotations && let Some(reference) = schema.remove("$ref") {
        schema.remove("default");
        schema.remove("title");
        schema.insert(String::from("allOf"), json!([{"$ref": reference}]));
    }
}

/// Returns `true` if the schema has a non-empty member of another type.
pub(crate) fn contradicts(schema: &Object, key: &str) -> bool {
    schema.get(key).and_then(Value::as_object).is_some_and(|member| !member.is_empty())
}

fn keep(schema: &mut Object, own: &[&str]) {
    let limits_too = !own.is_empty();
    schema.retain(|key, _| {
        key == "type"
            || own.contains(&key.as_str())
            || ANNOTATIONS.contains(&key.as_str())
            || (limits_too && LIMITS.contains(&key.as_str()))
            || key.starts_with("x-")
    });
}

/// Infers the type of a schema that does not declare it.
fn kind(schema: &Object) -> Option<&'static str> {
    let has = |key: &str| schema.contains_key(key);
    if has("properties") || has("additionalProperties") {
        return Some("object");
    }
    if has("items") {
        return Some("array");
    }
    if has("enum") {
        return Some("string");
    }
    match tree::text(schema, "format") {
        Some("int32" | "int64") => Some("integer"),
        Some("double" | "float") => Some("number"),
        Some("binary" | "byte" | "date" | "date-time" | "email" | "password" | "uri" | "uuid") => Some("string"),
        _ if has("pattern") || has("minLength") || has("maxLength") => Some("string"),
        _ => None,
    }
}

/// Reduces an enum to strings or removes it. Numbers and booleans come from YAML; they are strings if the type is.
fn reduce_enum(schema: &mut Object) {
    let Some(Value::Array(values)) = schema.get("enum") else {
        return;
    };
    let may_be_text = match schema.get("type") {
        None => values.iter().any(Value::is_string) && values.iter().all(|value| value.is_string() || value.is_null()),
        Some(kind) => kind == "string",
    };
    let may_be_null = values.iter().any(Value::is_null);
    let mut texts: Vec<Value> = Vec::new();
    for value in values {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => continue,
        };
        if !texts.contains(&json!(text)) {
            texts.push(json!(text));
        }
    }
    if may_be_null {
        schema.insert(String::from("nullable"), Value::Bool(true));
    }
    if may_be_text && !texts.is_empty() {
        schema.insert(String::from("enum"), Value::Array(texts));
    } else {
        schema.remove("enum");
    }
}

fn object(schema: &mut Object) {
    if contradicts(schema, "items") {
        return;
    }
    keep(schema, &["additionalProperties", "properties", "required"]);
    if tree::object(schema, "properties").is_some_and(Object::is_empty) {
        schema.remove("properties");
    }
    let names = tree::object(schema, "properties").map(tree::sorted_keys).unwrap_or_default();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        required.retain(|name| {
            name.as_str().is_some_and(|name| names.iter().any(|known| known == name) && seen.insert(String::from(name)))
        });
        if required.is_empty() {
            schema.remove("required");
        }
    }
    // Java tools write a value of any type (`Object`) as an object without any statement.
    if names.is_empty() && schema.get("additionalProperties").is_none_or(|extra| *extra == Value::Bool(false)) {
        schema.remove("additionalProperties");
        schema.remove("type");
    }
}

/// Makes every property and item nullable that refers to a nullable component.
fn declare_null_where_used(document: &mut Value) -> usize {
    let Some(schemas) = tree::schemas_mut(document) else {
        return 0;
    };
    let mut nullable: BTreeSet<String> = BTreeSet::new();
    for (name, schema) in schemas.iter_mut() {
        if let Value::Object(schema) = schema
            && schema.remove("nullable") == Some(Value::Bool(true))
        {
            nullable.insert(name.clone());
        }
    }
    let mut edits = nullable.len();
    // An alias of a nullable component is nullable as well.
    loop {
        let aliases: Vec<String> = schemas
            .iter()
            .filter(|(name, schema)| {
                let target = schema.as_object().and_then(referenced_component);
                !nullable.contains(*name) && target.is_some_and(|target| nullable.contains(target))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if aliases.is_empty() {
            break;
        }
        nullable.extend(aliases);
    }
    if nullable.is_empty() {
        return 0;
    }
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        tree::visit_values(schema, &mut |value| {
            if tree::is_true(value, "nullable")
                || !referenced_component(value).is_some_and(|name| nullable.contains(name))
            {
                return;
            }
            if let Some(reference) = value.remove("$ref") {
                value.insert(String::from("allOf"), json!([{"$ref": reference}]));
            }
            value.insert(String::from("nullable"), Value::Bool(true));
            edits += 1;
        });
    });
    edits
}

/// Returns the component that a schema refers to without other members.
fn referenced_component(schema: &Object) -> Option<&str> {
    match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => only.as_object().and_then(tree::schema_name),
        _ => tree::schema_name(schema),
    }
}

/// Makes read-only properties of requests optional, because only the service sets them.
fn make_read_only_optional(document: &mut Value) -> usize {
    let mut edits = 0;
    let bodies = tree::request_bodies(document);
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for body in &bodies {
        tree::collect_references(body, &schemas, &mut reached);
    }
    let Some(schemas) = tree::schemas_mut(document) else {
        return edits;
    };
    for name in reached {
        let Some(Value::Object(schema)) = schemas.get_mut(&name) else {
            continue;
        };
        let read_only: Vec<String> = tree::object(schema, "properties")
            .into_iter()
            .flatten()
            .filter(|(_, property)| property.as_object().is_some_and(|property| tree::is_true(property, "readOnly")))
            .map(|(name, _)| name.clone())
            .collect();
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            let before = required.len();
            required.retain(|name| !read_only.iter().any(|read_only| name.as_str() == Some(read_only)));
            edits += before - required.len();
        }
    }
    edits
}
