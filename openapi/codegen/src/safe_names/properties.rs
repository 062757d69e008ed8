//! Names of properties.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plain;
use crate::names;
use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| edits += of_schema(schema));
    edits
}

fn of_schema(schema: &mut Object) -> usize {
    let Some(properties) = tree::object(schema, "properties") else {
        return 0;
    };
    let mut fields: BTreeSet<String> = BTreeSet::new();
    // The field `extra` holds additional properties; models of the contract always have it.
    if schema.contains_key("x-canonical-fields")
        || tree::object(schema, "additionalProperties").is_some_and(|extra| !extra.is_empty())
    {
        fields.insert(String::from("extra"));
    }
    // Fields of the contract keep their names.
    let canonical = schema.get("x-canonical-fields").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_other = |name: &String| !canonical.iter().any(|field| field.as_str() == Some(name));
    let mut order: Vec<(bool, bool, String)> =
        tree::sorted_keys(properties).into_iter().map(|name| (is_other(&name), plain(&name) != name, name)).collect();
    order.sort();
    let mut renamed: Vec<(String, String)> = Vec::new();
    let mut keys: BTreeSet<String> = properties.keys().cloned().collect();
    for (_, _, name) in order {
        let wanted = plain(&name);
        let wanted = if wanted.is_empty() { String::from("empty") } else { wanted };
        let taken = |candidate: &str| {
            fields.contains(&names::snake(candidate)) || (candidate != name && keys.contains(candidate))
        };
        let chosen = if taken(&wanted) { names::numbered(&base_name(&wanted), taken) } else { wanted };
        fields.insert(names::snake(&chosen));
        if chosen != name {
            keys.insert(chosen.clone());
            renamed.push((name, chosen));
        }
    }
    if renamed.is_empty() {
        return 0;
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, chosen) in &renamed {
            if let Some(property) = properties.remove(name) {
                properties.insert(chosen.clone(), property);
            }
        }
    }
    for name in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some((_, chosen)) = renamed.iter().find(|(old, _)| name.as_str() == Some(old)) {
            *name = Value::String(chosen.clone());
        }
    }
    let mut wire = tree::object(schema, "x-wire-names").cloned().unwrap_or_default();
    for (name, chosen) in &renamed {
        // A name that already has a wire name keeps it.
        let name = match wire.remove(name) {
            Some(earlier) => earlier,
            None => Value::String(name.clone()),
        };
        wire.insert(chosen.clone(), name);
    }
    schema.insert(String::from("x-wire-names"), Value::Object(wire));
    if let Some(Value::Object(also)) = schema.get_mut("x-read-also") {
        for (name, chosen) in &renamed {
            if let Some(aliases) = also.remove(name) {
                also.insert(chosen.clone(), aliases);
            }
        }
    }
    renamed.len()
}

/// Returns a name to which a number can be appended.
fn base_name(name: &str) -> String {
    if super::has_letters(name) { String::from(name) } else { String::from("field") }
}
