//! The part of the lint that looks at schemas: circles, names that meet, forms that would be read wrongly.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::names;
use super::super::schema_forms;
use super::super::walk::{self, Node, Object};
use super::{Findings, operation_of};

/// Types that the models use by these names.
pub(crate) const HIDING_TYPES: [&str; 1] = ["String"];

pub(super) fn check(document: &mut Value, findings: &mut Findings) {
    let schemas = walk::schemas_mut(document).cloned().unwrap_or_default();
    circles(&schemas, findings);
    type_names(&schemas, findings);
    let mut wrong: Vec<(String, String)> = Vec::new();
    walk::every(document, Node::Schema, &mut |schema, pointer| {
        for reason in form(schema) {
            wrong.push((String::from(pointer), reason));
        }
        for reason in fields(schema) {
            wrong.push((String::from(pointer), reason));
        }
    });
    for (pointer, reason) in wrong {
        let operation = operation_of(document, &pointer);
        findings.add(operation.as_deref(), pointer, reason);
    }
}

/// A schema that is made of itself (by `$ref` or `allOf`, not through a property) makes the generator overflow its stack.
fn circles(schemas: &Object, findings: &mut Findings) {
    let parts: BTreeMap<&str, BTreeSet<&str>> =
        schemas.iter().filter_map(|(name, schema)| Some((name.as_str(), made_of(schema.as_object()?)))).collect();
    for start in parts.keys() {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = parts[start].iter().copied().collect();
        while let Some(name) = next.pop() {
            if name == *start {
                findings.add(
                    None,
                    format!("/components/schemas/{}", walk::escape(start)),
                    format!("the schema `{start}` is made of itself"),
                );
                break;
            }
            if seen.insert(name) {
                next.extend(parts.get(name).into_iter().flatten().copied());
            }
        }
    }
}

/// The component schemas that are part of this one by value.
fn made_of(schema: &Object) -> BTreeSet<&str> {
    let mut parts: BTreeSet<&str> = walk::schema_name(schema).into_iter().collect();
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            if let Some(part) = part.as_object() {
                parts.extend(made_of(part));
            }
        }
    }
    if let Some(not) = walk::object(schema, "not") {
        parts.extend(made_of(not));
    }
    parts
}

fn type_names(schemas: &Object, findings: &mut Findings) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut names: Vec<&String> = schemas.keys().collect();
    names.sort();
    for name in names {
        let pointer = format!("/components/schemas/{}", walk::escape(name));
        if name.is_empty() {
            findings.add(None, pointer, "a schema without a name");
            continue;
        }
        let type_name = names::pascal(name);
        if HIDING_TYPES.contains(&type_name.as_str()) {
            let reason = format!("the schema `{name}` would hide the type `{type_name}` that the models use");
            findings.add(None, pointer.clone(), reason);
        }
        if let Some(other) = known.insert(type_name.clone(), name) {
            findings.add(None, pointer, format!("the schema `{name}` would be the type `{type_name}`, like `{other}`"));
        }
    }
}

/// Forms that the generator reads as something else.
fn form(schema: &Object) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    if schema.contains_key("discriminator") {
        reasons.push(String::from("a discriminator would be ignored, and the first alternative that fits be taken"));
    }
    if schema.contains_key("not") {
        reasons.push(String::from("`not` is not supported"));
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let is_empty = schema.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty);
        if is_empty {
            reasons.push(format!("`{key}` is empty"));
        }
    }
    if let Some(kind) = schema.get("type") {
        for (member, owner) in [("properties", "object"), ("items", "array")] {
            if kind.as_str().is_some_and(|kind| kind != owner) && schema_forms::contradicts(schema, member) {
                reasons.push(format!("the type is {kind}, but there are `{member}`"));
            }
        }
        let known = ["array", "boolean", "integer", "number", "object", "string"];
        if !kind.as_str().is_some_and(|kind| known.contains(&kind)) {
            reasons.push(format!("the type {kind} is not one of OpenAPI 3.0"));
        }
        if kind == "array" && !schema.contains_key("items") {
            reasons.push(String::from("a list without `items`"));
        }
    }
    reasons
}

/// Two properties that would be one field.
fn fields(schema: &Object) -> Vec<String> {
    let Some(properties) = walk::object(schema, "properties") else {
        return Vec::new();
    };
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut reasons: Vec<String> = Vec::new();
    for name in walk::sorted_keys(properties) {
        let field = names::snake(&name);
        if let Some(other) = known.insert(field.clone(), name.clone()) {
            reasons.push(format!("the property `{name}` would be the field `{field}`, like `{other}`"));
        }
    }
    reasons
}
