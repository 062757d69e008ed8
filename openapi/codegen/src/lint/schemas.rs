//! The lint of schemas: cycles, colliding names, and forms that the generator misinterprets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Findings, operation_of};
use crate::compose::graph;
use crate::names::{self, RESERVED_MODEL_TYPES};
use crate::schema_forms;
use crate::tree::{self, NodeKind, Object};

pub(super) fn check(document: &mut Value, findings: &mut Findings) {
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    check_cycles(&schemas, findings);
    check_nesting(&schemas, findings);
    check_type_names(&schemas, findings);
    let mut wrong: Vec<(String, String)> = Vec::new();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, pointer| {
        for reason in unsupported_forms(schema) {
            wrong.push((String::from(pointer), reason));
        }
        for reason in duplicate_fields(schema) {
            wrong.push((String::from(pointer), reason));
        }
    });
    for (pointer, reason) in wrong {
        let operation = operation_of(document, &pointer);
        findings.add(operation.as_deref(), pointer, reason);
    }
}

/// Finds schemas that contain themselves by `$ref` or `allOf`, not through a property: the generator overflows its stack on
/// these.
fn check_cycles(schemas: &Object, findings: &mut Findings) {
    let names: Vec<&String> = schemas.keys().collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let edges: Vec<Vec<usize>> = schemas
        .values()
        .map(|schema| {
            let parts = schema.as_object().map(contained_schemas).unwrap_or_default();
            parts.into_iter().filter_map(|part| index.get(part).copied()).collect()
        })
        .collect();
    for cycle in graph::cycles(&edges).into_iter().filter(|cycle| graph::is_closed(cycle, &edges)) {
        for name in cycle.into_iter().filter_map(|at| names.get(at)) {
            findings.add(
                None,
                format!("/components/schemas/{}", tree::escape(name)),
                format!("the schema `{name}` contains itself"),
            );
        }
    }
}

/// Maximum nesting of models. The Rust compiler fails at 128.
const MAX_NESTED: usize = 100;

/// Finds chains of nested models that exceed the recursion limit of the compiler. Cycles do not count as nesting.
fn check_nesting(schemas: &Object, findings: &mut Findings) {
    let names: Vec<&String> = schemas.keys().collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let edges: Vec<Vec<usize>> = schemas
        .values()
        .map(|schema| {
            let mut held: BTreeSet<usize> = BTreeSet::new();
            tree::visit_schemas(&mut schema.clone(), &mut |inner, _| {
                held.extend(tree::schema_name(inner).and_then(|name| index.get(name)));
            });
            held.into_iter().collect()
        })
        .collect();
    let mut heights: Vec<Option<usize>> = vec![None; names.len()];
    let mut open = vec![false; names.len()];
    for start in 0..names.len() {
        let mut path: Vec<(usize, usize)> = if heights[start].is_none() { vec![(start, 0)] } else { Vec::new() };
        open[start] = true;
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if let Some(inner) = edges[at].get(*next).copied() {
                *next += 1;
                if heights[inner].is_none() && !open[inner] {
                    open[inner] = true;
                    path.push((inner, 0));
                }
            } else {
                let deepest = edges[at].iter().filter_map(|inner| heights[*inner]).max();
                heights[at] = Some(1 + deepest.unwrap_or(0));
                open[at] = false;
                path.pop();
            }
        }
        open[start] = false;
    }
    let deepest = heights.iter().enumerate().max_by_key(|(_, height)| **height);
    if let Some((at, Some(height))) = deepest.filter(|(_, height)| height.is_some_and(|height| height > MAX_NESTED)) {
        findings.add(
            None,
            format!("/components/schemas/{}", tree::escape(names[at])),
            format!(
                "{height} models are nested in each other, more than the limit of {MAX_NESTED} for the Rust compiler"
            ),
        );
    }
}

/// Returns the component schemas that this one contains by value.
fn contained_schemas(schema: &Object) -> BTreeSet<&str> {
    let mut parts: BTreeSet<&str> = tree::schema_name(schema).into_iter().collect();
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            if let Some(part) = part.as_object() {
                parts.extend(contained_schemas(part));
            }
        }
    }
    if let Some(not) = tree::object(schema, "not") {
        parts.extend(contained_schemas(not));
    }
    parts
}

fn check_type_names(schemas: &Object, findings: &mut Findings) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut names: Vec<&String> = schemas.keys().collect();
    names.sort();
    for name in names {
        let pointer = format!("/components/schemas/{}", tree::escape(name));
        if name.is_empty() {
            findings.add(None, pointer, "schema without a name");
            continue;
        }
        let type_name = names::pascal(name);
        if RESERVED_MODEL_TYPES.contains(&type_name.as_str()) {
            let reason = format!("the schema `{name}` would hide the type `{type_name}` that the models use");
            findings.add(None, pointer.clone(), reason);
        }
        if let Some(other) = known.insert(type_name.clone(), name) {
            findings.add(
                None,
                pointer,
                format!("the schema `{name}` has the same type name `{type_name}` as `{other}`"),
            );
        }
    }
}

/// Finds forms that the generator misinterprets.
fn unsupported_forms(schema: &Object) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    if schema.contains_key("discriminator") {
        reasons.push(String::from("the generator ignores discriminators and takes the first matching alternative"));
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
                reasons.push(format!("the type is {kind}, but the schema has `{member}`"));
            }
        }
        let known = ["array", "boolean", "integer", "number", "object", "string"];
        if !kind.as_str().is_some_and(|kind| known.contains(&kind)) {
            reasons.push(format!("the type {kind} is not one of OpenAPI 3.0"));
        }
        if kind == "array" && !schema.contains_key("items") {
            reasons.push(String::from("array without `items`"));
        }
    }
    reasons
}

/// Finds properties that would have the same field name.
fn duplicate_fields(schema: &Object) -> Vec<String> {
    let Some(properties) = tree::object(schema, "properties") else {
        return Vec::new();
    };
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut reasons: Vec<String> = Vec::new();
    for name in tree::sorted_keys(properties) {
        let field = names::snake(&name);
        if let Some(other) = known.insert(field.clone(), name.clone()) {
            reasons.push(format!("the property `{name}` has the same field name `{field}` as `{other}`"));
        }
    }
    reasons
}
