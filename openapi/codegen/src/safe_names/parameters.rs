//! Names of parameters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{has_letters, plain};
use crate::names::{self, RESERVED_SETTERS};
use crate::tree::{self, METHODS, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    // Path parameters first, because all operations of a path share their names.
    edits += paths(document);
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| edits += of_operation(operation));
    edits
}

/// Renames path parameters to valid identifiers, and encodes characters that are invalid in URLs or comments.
fn paths(document: &mut Value) -> usize {
    let Some(Value::Object(paths)) = document.get_mut("paths") else {
        return 0;
    };
    let mut edits = 0;
    for path in tree::sorted_keys(paths) {
        if path.starts_with("x-") {
            continue;
        }
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        let Some(new) = new_path(&path, &mut renamed) else {
            continue;
        };
        if new == path || paths.contains_key(&new) {
            continue;
        }
        let Some(mut item) = paths.remove(&path) else {
            continue;
        };
        for method in METHODS {
            let parameters = item.get_mut(method).and_then(|operation| operation.get_mut("parameters"));
            for parameter in parameters.and_then(Value::as_array_mut).into_iter().flatten() {
                if let Value::Object(parameter) = parameter
                    && tree::text(parameter, "in") == Some("path")
                    && let Some(name) = tree::text(parameter, "name").and_then(|name| renamed.get(name))
                {
                    parameter.insert(String::from("name"), Value::String(name.clone()));
                }
            }
        }
        paths.insert(new, item);
        edits += 1;
    }
    edits
}

/// Returns the path with valid names; `None` for a path that the lint rejects.
fn new_path(path: &str, renamed: &mut BTreeMap<String, String>) -> Option<String> {
    let mut setters: BTreeSet<String> = RESERVED_SETTERS.iter().map(|name| String::from(*name)).collect();
    setters.insert(String::from("body"));
    let mut new = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if name.is_empty() || renamed.contains_key(name) {
            return None;
        }
        let chosen = chosen(name, &setters, |_| false);
        setters.insert(names::snake(&chosen));
        new.push_str(&constant(before));
        new.push('{');
        new.push_str(&chosen);
        new.push('}');
        renamed.insert(String::from(name), chosen);
        rest = after;
    }
    new.push_str(&constant(rest));
    Some(new)
}

/// Percent-encodes characters that are invalid in a URL path, and `*`, which could end a comment.
fn constant(text: &str) -> String {
    let mut encoded = String::new();
    for c in text.chars() {
        if c.is_ascii_graphic() && !"\"<>\\^`|*{}".contains(c) {
            encoded.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                encoded.push('%');
                encoded.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0').to_ascii_uppercase());
                encoded.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    encoded
}

fn of_operation(operation: &mut Object) -> usize {
    let mut setters: BTreeSet<String> = RESERVED_SETTERS.iter().map(|name| String::from(*name)).collect();
    if operation.contains_key("requestBody") {
        setters.insert(String::from("body"));
    }
    let Some(Value::Array(parameters)) = operation.get_mut("parameters") else {
        return 0;
    };
    // Path parameters keep their names, because the path contains them. The generator identifies parameters by name alone.
    let place = |parameter: &Map<String, Value>| match tree::text(parameter, "in") {
        Some("path") => 0,
        Some("query") => 1,
        _ => 2,
    };
    let mut names_on_wire: BTreeSet<String> = BTreeSet::new();
    // Parameters of the contract take precedence, because the facade uses their names.
    let mut order: Vec<(bool, u8, String, usize)> = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        if let Value::Object(parameter) = parameter
            && !parameter.contains_key("$ref")
        {
            let name = String::from(tree::text(parameter, "name").unwrap_or_default());
            if name.is_empty() {
                continue;
            }
            names_on_wire.insert(name.clone());
            order.push((!tree::is_true(parameter, "x-canonical"), place(parameter), name, index));
        }
    }
    order.sort();
    let mut edits = 0;
    for (_, place, name, index) in order {
        let new = if place == 0 { name.clone() } else { chosen(&name, &setters, |it| names_on_wire.contains(it)) };
        setters.insert(names::snake(&new));
        if new != name
            && let Some(Value::Object(parameter)) = parameters.get_mut(index)
        {
            parameter.insert(String::from("name"), Value::String(new));
            parameter.entry("x-wire-name").or_insert(Value::String(name));
            edits += 1;
        }
    }
    edits
}

/// Returns the name if valid, else a similar unused one.
fn chosen(name: &str, setters: &BTreeSet<String>, is_other: impl Fn(&str) -> bool) -> String {
    let mut wanted = plain(name).replace(['{', '}', '/'], "-");
    if !has_letters(&wanted) {
        wanted = String::from("value");
    } else if !wanted.starts_with(|c: char| c.is_alphabetic()) {
        wanted = format!("x{wanted}");
    }
    let taken = |it: &str| setters.contains(&names::snake(it)) || (it != name && is_other(it));
    if taken(&wanted) { names::numbered(&wanted, taken) } else { wanted }
}
