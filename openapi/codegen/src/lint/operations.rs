//! The lint of operations: names, paths, parameters, bodies and responses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, label};
use crate::names::{self, RESERVED_BUILDER_TYPES, RESERVED_METHODS, RESERVED_SETTERS};
use crate::parameters;
use crate::tree::{self, NodeKind, Object};

/// An operation with its position.
struct OperationContext<'a> {
    label: &'a str,
    pointer: &'a str,
    path: &'a str,
    operation: &'a Object,
}

pub(super) fn check(document: &mut Value, findings: &mut Findings) {
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut methods: BTreeMap<String, String> = BTreeMap::new();
    let mut builders: BTreeMap<String, String> = BTreeMap::new();
    tree::visit_kind(document, NodeKind::PathItem, &mut |item, pointer| {
        if item.contains_key("$ref") {
            findings.add(None, pointer, "the path item is a reference (`$ref`)");
        }
    });
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, pointer| {
        let segments = tree::segments(pointer);
        let [_, path, method] = segments.as_slice() else {
            return;
        };
        let label = label(operation, path, method);
        let place = OperationContext { label: &label, pointer, path, operation };
        name(&place, &mut methods, &mut builders, findings);
        path_template(&place, findings);
        check_parameters(&place, &schemas, findings);
        body(&place, findings);
        check_responses(&place, findings);
    });
}

fn name(
    place: &OperationContext<'_>,
    methods: &mut BTreeMap<String, String>,
    builders: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    let id = tree::text(place.operation, "operationId").unwrap_or_default();
    if id.is_empty() {
        findings.add(Some(place.label), place.pointer, "no operationId");
        return;
    }
    let method = names::snake(id);
    if RESERVED_METHODS.contains(&method.as_str()) {
        findings.add(Some(place.label), place.pointer, format!("the client already has a method `{method}`"));
    }
    let builder = names::pascal(id);
    if RESERVED_BUILDER_TYPES.contains(&builder.as_str()) {
        findings.add(Some(place.label), place.pointer, format!("the builders use another type `{builder}`"));
    }
    for (kind, name, known) in [("method", method, methods), ("type", builder, builders)] {
        if let Some(other) = known.insert(name.clone(), String::from(place.label)) {
            findings.add(Some(place.label), place.pointer, format!("has the same {kind} name `{name}` as {other}"));
        }
    }
}

fn path_template(place: &OperationContext<'_>, findings: &mut Findings) {
    let mut in_path: Vec<&str> = Vec::new();
    let mut rest = place.path;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else {
            findings.add(Some(place.label), place.pointer, "the path has a `{` without `}`");
            return;
        };
        let name = &rest[open + 1..open + length];
        if name.is_empty() || in_path.contains(&name) {
            findings.add(Some(place.label), place.pointer, format!("empty or duplicate `{{{name}}}` in the path"));
        }
        in_path.push(name);
        rest = &rest[open + length + 1..];
    }
    if !place.path.starts_with('/') {
        findings.add(Some(place.label), place.pointer, "the path does not start with `/`");
    }
    let declared: Vec<&str> = list(place.operation, "parameters")
        .filter(|parameter| tree::text(parameter, "in") == Some("path"))
        .filter_map(|parameter| tree::text(parameter, "name"))
        .collect();
    for name in in_path.iter().filter(|name| !declared.contains(name)) {
        findings.add(Some(place.label), place.pointer, format!("the path parameter `{name}` is not declared"));
    }
    for name in declared.iter().filter(|name| !in_path.contains(name)) {
        findings.add(Some(place.label), place.pointer, format!("the path has no `{{{name}}}`"));
    }
}

fn list<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn check_parameters(place: &OperationContext<'_>, schemas: &Object, findings: &mut Findings) {
    let mut setters: Vec<String> = Vec::new();
    if place.operation.contains_key("requestBody") {
        setters.push(String::from("body"));
    }
    for (index, parameter) in list(place.operation, "parameters").enumerate() {
        let pointer = format!("{}/parameters/{index}", place.pointer);
        if parameter.contains_key("$ref") {
            continue;
        }
        let name = tree::text(parameter, "name").unwrap_or_default();
        let setter = names::snake(name);
        for reason in parameter_reasons(parameter, schemas) {
            findings.add(Some(place.label), pointer.clone(), format!("parameter `{name}`: {reason}"));
        }
        if RESERVED_SETTERS.contains(&setter.as_str()) || setters.contains(&setter) {
            findings.add(
                Some(place.label),
                pointer,
                format!("parameter `{name}`: the builder already uses the name `{setter}`"),
            );
        }
        setters.push(setter);
    }
}

fn parameter_reasons(parameter: &Object, schemas: &Object) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    let place = tree::text(parameter, "in").unwrap_or_default();
    let style = tree::text(parameter, "style");
    if tree::text(parameter, "name").unwrap_or_default().is_empty() {
        reasons.push(String::from("has no name"));
    }
    let usual = match place {
        "query" => "form",
        "path" | "header" => "simple",
        other => {
            reasons.push(format!("in `{other}` is not supported"));
            "form"
        }
    };
    if let Some(style) = style.filter(|style| *style != usual) {
        reasons.push(format!("style `{style}` is not supported in {place}"));
    }
    if place == "header" && !parameters::is_header_name(tree::text(parameter, "name").unwrap_or_default()) {
        reasons.push(String::from("is not a valid header name"));
    }
    if place == "path" && !tree::is_true(parameter, "required") {
        reasons.push(String::from("is in the path but not required"));
    }
    if parameter.contains_key("content") {
        reasons.push(String::from("has `content` instead of a schema"));
        return reasons;
    }
    let Some(schema) = tree::object(parameter, "schema") else {
        reasons.push(String::from("has no schema"));
        return reasons;
    };
    let target = tree::resolve_schema(schema, schemas).unwrap_or(schema);
    match tree::text(target, "type") {
        Some("object") => reasons.push(String::from("is an object, which cannot be sent in one parameter")),
        Some("array") if place != "query" => reasons.push(format!("is a list in {place}")),
        Some("array") if parameter.get("explode") == Some(&Value::Bool(false)) => {
            reasons.push(String::from("is a list in one value (`explode: false`), which would be sent as several"));
        }
        Some("array") if !parameters::is_list_of_scalars(target, schemas) => {
            reasons.push(String::from("is a list of elements that cannot be sent in a parameter"));
        }
        _ => {}
    }
    reasons
}

fn body(place: &OperationContext<'_>, findings: &mut Findings) {
    let Some(body) = tree::object(place.operation, "requestBody") else {
        return;
    };
    let pointer = format!("{}/requestBody/content", place.pointer);
    let Some(content) = tree::object(body, "content") else {
        return;
    };
    if content.len() > 1 {
        let names = tree::sorted_keys(content).join(", ");
        findings.add(Some(place.label), pointer.clone(), format!("the body has several media types: {names}"));
    }
    for name in tree::sorted_keys(content) {
        let here = format!("{pointer}/{}", tree::escape(&name));
        let schema = content.get(&name).and_then(|media_type| media_type.get("schema"));
        match name.as_str() {
            "application/json" | "application/x-www-form-urlencoded" | "application/octet-stream" => {
                if schema.is_none() {
                    findings.add(Some(place.label), here, format!("the body as {name} has no schema"));
                } else if content.get(&name).is_some_and(|media_type| media_type.get("encoding").is_some()) {
                    findings.add(Some(place.label), here, "the body has an `encoding`");
                }
            }
            _ => findings.add(Some(place.label), here, format!("a body of media type {name} is not supported")),
        }
    }
}

fn check_responses(place: &OperationContext<'_>, findings: &mut Findings) {
    let pointer = format!("{}/responses", place.pointer);
    if tree::object(place.operation, "responses").is_none_or(Object::is_empty) {
        findings.add(Some(place.label), pointer, "no success response is documented");
    }
}
