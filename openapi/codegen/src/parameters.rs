//! Reduces parameters to scalars and lists of scalars.
//!
//! Why: the generator panics for an object in the query (`pageable` of Java services), rejects unknown styles and forms, sends
//! a list intended for one value as several, and panics if path and parameters do not match.
//! Finds: parameters that are objects or lists, their styles, `content` instead of a schema, names in the path.
//! Holds afterwards: a parameter is a scalar, or in the query a list of scalars. An object in the query becomes one parameter
//! per property; a list in one value becomes a string that the caller joins. Optional parameters that cannot be sent are
//! removed and mentioned in the operation's description; required ones stay for the lint. Exactly the names in the path are
//! declared as path parameters.
//! Delete when: the generator supports styles.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::tree::{self, NodeKind, Object};

/// The treatment of a parameter.
enum Treatment {
    Stay(Object),
    Become(Vec<Object>),
    /// A parameter that cannot be sent; a required one stays for the lint.
    Unsendable(Object),
}

pub(super) fn apply(document: &mut Value) -> usize {
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, pointer| {
        let segments = tree::segments(pointer);
        let [_, path, _] = segments.as_slice() else {
            return;
        };
        edits += reduce_parameters(operation, path, &schemas);
    });
    edits
}

fn reduce_parameters(operation: &mut Object, path: &str, schemas: &Object) -> usize {
    let before = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    let in_path = names_in(path);
    let mut kept: Vec<Object> = Vec::new();
    let mut dropped: Vec<String> = Vec::new();
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    // A declared parameter takes precedence over the property of an object.
    let declared: BTreeSet<(String, String)> = before.iter().filter_map(Value::as_object).map(key).collect();
    for parameter in before.iter().filter_map(Value::as_object) {
        let is_of_path = tree::text(parameter, "in") == Some("path");
        let name = tree::text(parameter, "name").unwrap_or_default();
        if !parameter.contains_key("$ref")
            && ((is_of_path && !in_path.iter().any(|known| known == name)) || !known.insert(key(parameter)))
        {
            continue;
        }
        match treatment(parameter, schemas) {
            Treatment::Stay(parameter) => kept.push(parameter),
            Treatment::Become(parts) => {
                for part in parts {
                    if !declared.contains(&key(&part)) && known.insert(key(&part)) {
                        kept.push(part);
                    }
                }
            }
            Treatment::Unsendable(parameter) if tree::is_true(&parameter, "required") => kept.push(parameter),
            Treatment::Unsendable(_) => dropped.push(String::from(name)),
        }
    }
    for name in in_path.iter().filter(|name| !name.is_empty()) {
        if known.insert((String::from("path"), name.clone())) {
            let parameter = json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
            kept.extend(parameter.as_object().cloned());
        }
    }
    for name in &dropped {
        let text = format!("The parameter `{}` cannot be sent by this method.", name.replace('`', "'"));
        append_description(operation, &text);
    }
    let kept: Vec<Value> = kept.into_iter().map(Value::Object).collect();
    if kept == before {
        return 0;
    }
    let edits = kept.iter().filter(|parameter| !before.contains(parameter)).count().max(1);
    operation.insert(String::from("parameters"), Value::Array(kept));
    edits
}

/// Adds a sentence to a description.
fn append_description(object: &mut Object, sentence: &str) {
    let text = tree::text(object, "description").unwrap_or_default();
    let text = format!("{text}\n\n{sentence}");
    object.insert(String::from("description"), Value::String(text.trim().to_owned()));
}

/// Returns location and name; header names are case-insensitive.
fn key(parameter: &Object) -> (String, String) {
    let place = tree::text(parameter, "in").unwrap_or_default();
    let name = tree::text(parameter, "name").unwrap_or_default();
    let name = if place == "header" { name.to_ascii_lowercase() } else { String::from(name) };
    (String::from(place), name)
}

/// Returns the names between braces.
pub(super) fn names_in(path: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        names.push(String::from(name));
        rest = after;
    }
    names
}

fn treatment(parameter: &Object, schemas: &Object) -> Treatment {
    let mut parameter = parameter.clone();
    let place = String::from(tree::text(&parameter, "in").unwrap_or_default());
    if parameter.contains_key("$ref") || !["header", "path", "query"].contains(&place.as_str()) {
        return Treatment::Stay(parameter);
    }
    if place == "path" {
        parameter.insert(String::from("required"), Value::Bool(true));
    }
    if place == "header" && !is_header_name(tree::text(&parameter, "name").unwrap_or_default()) {
        return Treatment::Unsendable(parameter);
    }
    if tree::text(&parameter, "name").unwrap_or_default().is_empty() || parameter.contains_key("content") {
        return Treatment::Unsendable(parameter);
    }
    let style = tree::text(&parameter, "style").map(String::from);
    let style = style.as_deref();
    if matches!((place.as_str(), style), ("path", Some("label" | "matrix"))) {
        return Treatment::Unsendable(parameter);
    }
    let given = tree::object(&parameter, "schema").cloned().unwrap_or_default();
    let target = tree::resolve_schema(&given, schemas).cloned();
    let kind = target.as_ref().and_then(|target| tree::text(target, "type")).map(String::from);
    let explodes = parameter.get("explode").and_then(Value::as_bool);
    match (kind.as_deref(), target) {
        (Some("object"), Some(target)) => object(parameter, &target, schemas),
        (Some("array"), Some(mut target)) => {
            let items = tree::object(&target, "items").and_then(|items| tree::resolve_schema(items, schemas));
            if items.is_some_and(|items| !items.contains_key("type")) {
                target.insert(String::from("items"), json!({"type": "string"}));
            }
            if !is_list_of_scalars(&target, schemas) {
                return Treatment::Unsendable(parameter);
            }
            // Every style except `form` joins all values into one, unless `explode` is set.
            let explodes = explodes.unwrap_or(style.is_none_or(|style| style == "form"));
            if place == "query" && explodes {
                parameter.remove("style");
                if given.get("items") != target.get("items") || given.contains_key("nullable") {
                    set_schema(&mut parameter, target);
                }
                return Treatment::Stay(parameter);
            }
            let between = match style {
                Some("pipeDelimited") => "`|`",
                Some("spaceDelimited") => "blanks",
                _ => "commas",
            };
            parameter.remove("explode");
            parameter.remove("style");
            parameter.insert(String::from("schema"), json!({"type": "string"}));
            append_description(&mut parameter, &format!("The values, separated by {between}."));
            Treatment::Stay(parameter)
        }
        (None, Some(target)) if !target.contains_key("type") => {
            // JSON strings would be sent with quotation marks.
            parameter.insert(String::from("schema"), json!({"type": "string"}));
            usual_style(&mut parameter);
            Treatment::Stay(parameter)
        }
        (Some(_), Some(target)) => {
            if given.contains_key("nullable") || target.contains_key("nullable") {
                let mut bare = if given.contains_key("nullable") { given.clone() } else { target };
                bare.remove("nullable");
                parameter.insert(String::from("schema"), Value::Object(bare));
            }
            usual_style(&mut parameter);
            Treatment::Stay(parameter)
        }
        _ => Treatment::Stay(parameter),
    }
}

/// Removes styles that do not affect a scalar.
fn usual_style(parameter: &mut Object) {
    let usual = if tree::text(parameter, "in") == Some("query") { "form" } else { "simple" };
    if tree::text(parameter, "style").is_some_and(|style| style != usual) {
        parameter.remove("style");
    }
}

fn set_schema(parameter: &mut Object, mut schema: Object) {
    schema.remove("nullable");
    parameter.insert(String::from("schema"), Value::Object(schema));
}

/// Returns `true` for header names that the HTTP library accepts; it panics for others.
pub(crate) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_scalar(schema: &Object, schemas: &Object) -> bool {
    let target = tree::resolve_schema(schema, schemas);
    target.is_some_and(|target| matches!(tree::text(target, "type"), Some("boolean" | "integer" | "number" | "string")))
}

/// Returns `true` if each element can be part of a URL.
pub(crate) fn is_list_of_scalars(list: &Object, schemas: &Object) -> bool {
    tree::object(list, "items").is_some_and(|items| is_scalar(items, schemas) && !tree::is_true(items, "nullable"))
}

/// Splits an object in the query into one parameter per property.
fn object(parameter: Object, target: &Object, schemas: &Object) -> Treatment {
    let explodes = parameter.get("explode").and_then(Value::as_bool);
    let is_deep = match (tree::text(&parameter, "in"), tree::text(&parameter, "style")) {
        (Some("query"), None | Some("form")) if explodes != Some(false) => false,
        (Some("query"), Some("deepObject")) => true,
        _ => return Treatment::Unsendable(parameter),
    };
    let own = tree::text(&parameter, "name").unwrap_or_default();
    let Some(properties) = tree::object(target, "properties") else {
        // A map without documented keys may be left out, even if required.
        let mut parameter = parameter;
        parameter.remove("required");
        return Treatment::Unsendable(parameter);
    };
    let required = target.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut parts = Vec::new();
    for name in tree::sorted_keys(properties) {
        let Some(property) = properties.get(&name).and_then(Value::as_object) else {
            continue;
        };
        let is_required = tree::is_true(&parameter, "required") && required.iter().any(|known| known == name.as_str());
        let mut part = Object::from_iter([
            (String::from("name"), json!(if is_deep { format!("{own}[{name}]") } else { name.clone() })),
            (String::from("in"), json!("query")),
            (String::from("schema"), Value::Object(property.clone())),
        ]);
        if is_required {
            part.insert(String::from("required"), Value::Bool(true));
        }
        part.extend(property.get("description").map(|text| (String::from("description"), text.clone())));
        // A nested object has no defined serialization.
        let is_object =
            tree::resolve_schema(property, schemas).is_some_and(|it| tree::text(it, "type") == Some("object"));
        if is_object && !is_required {
            continue;
        }
        if is_object {
            return Treatment::Unsendable(parameter);
        }
        match treatment(&part, schemas) {
            Treatment::Stay(part) => parts.push(part),
            Treatment::Become(_) | Treatment::Unsendable(_) if !is_required => {}
            Treatment::Become(_) | Treatment::Unsendable(_) => return Treatment::Unsendable(parameter),
        }
    }
    Treatment::Become(parts)
}
