//! Normalizes the spelling of a document.
//!
//! Why: documents spell the same thing differently. YAML reads `version: 1.0` as a number, Spring includes a pattern in a path
//! template (`{id:.+}`), tools join paths with two slashes.
//! Finds: numbers and booleans where OpenAPI requires strings, path templates with more than names in braces, `//` in paths,
//! the version `3.0`.
//! Holds afterwards: these are strings, templates have only names in braces, and the version is 3.0 with three parts, also for
//! a document of version 3.1. Two paths that become equal are merged if their methods differ; otherwise both stay for the lint.
//! Runs when a document is read, so that every reader gets the same form.
//! Delete when: never; a document is untrusted input.

use serde_json::{Value, json};

use crate::tree::{self, NodeKind, Object};
use crate::{downgrade, invalid_members};

/// Normalizes the spelling of a document.
pub fn apply(document: &mut Value) {
    tree::visit_all(document, &mut |node, object, _| texts(node, object));
    if document.get("openapi").and_then(Value::as_str).is_some_and(|version| version == "3.0") {
        document["openapi"] = json!("3.0.0");
    }
    downgrade::apply(document);
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        plain_paths(paths);
    }
}

fn texts(node: NodeKind, object: &mut Object) {
    for (key, value) in object.iter_mut() {
        if invalid_members::is_text(node, key) {
            to_text(value);
        }
    }
    let lists: &[&str] = match node {
        NodeKind::Operation => &["tags"],
        NodeKind::Schema if tree::text(object, "type") == Some("string") => &["enum", "required"],
        NodeKind::Schema => &["required"],
        _ => &[],
    };
    for list in lists {
        if let Some(Value::Array(values)) = object.get_mut(*list) {
            values.iter_mut().for_each(to_text);
        }
    }
    if node == NodeKind::Parameter
        && tree::text(object, "in") == Some("path")
        && let Some(name) = tree::text(object, "name").and_then(|name| plain_path(&format!("{{{name}}}")))
    {
        object.insert(String::from("name"), json!(name.trim_matches(['{', '}'])));
    }
}

fn to_text(value: &mut Value) {
    if value.is_number() || value.is_boolean() {
        *value = Value::String(value.to_string());
    }
}

fn plain_paths(paths: &mut Object) {
    for path in tree::sorted_keys(paths) {
        let Some(plain) = plain_path(&path).filter(|plain| *plain != path && !path.starts_with("x-")) else {
            continue;
        };
        match (paths.get(&path).cloned(), paths.get_mut(&plain)) {
            (Some(item), None) => {
                paths.insert(plain, item);
            }
            (Some(Value::Object(item)), Some(Value::Object(known)))
                if item.iter().all(|(key, value)| known.get(key).is_none_or(|known| known == value)) =>
            {
                known.extend(item);
            }
            _ => continue,
        }
        paths.remove(&path);
    }
}

/// Reduces braces to names and merges slashes: `/a//{id:[a-f]{36}}` → `/a/{id}`; `None` for unbalanced braces or a missing
/// name.
pub fn plain_path(path: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let end = closing_brace(after)?;
        plain.push_str(before);
        let inner = &after[..end];
        // `{?page,size}` is a query expression (RFC 6570).
        if !inner.starts_with(['?', '&']) {
            let name = inner.split(':').next().unwrap_or_default();
            let name = name.trim().trim_start_matches(['*', '+', '/', '#']).trim_end_matches('*');
            if name.is_empty() || name.contains(['{', '}']) {
                return None;
            }
            plain.push('{');
            plain.push_str(name);
            plain.push('}');
        }
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    if plain.starts_with('/') {
        while plain.contains("//") {
            plain = plain.replace("//", "/");
        }
    }
    Some(plain)
}

/// Returns the index of the brace that closes the one before `text`, skipping braces of a regular expression: pairs, escaped,
/// in a class.
fn closing_brace(text: &str) -> Option<usize> {
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if in_class => in_class = false,
            '[' => in_class = true,
            _ if in_class => {}
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
