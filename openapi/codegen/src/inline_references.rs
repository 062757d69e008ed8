//! Inlines shared parameters, bodies and responses.
//!
//! Why: parameters, bodies and responses may be shared by reference, or declared on a path for all its operations. Every pass
//! would have to resolve them.
//! Finds: `$ref` of parameters, bodies, responses, headers and whole paths, to any target in the document, and `parameters` of
//! a path item.
//! Holds afterwards: operations contain all of these; the only remaining references lead to component schemas. A reference
//! without a target, in a cycle or out of the document remains for the lint.
//! Delete when: never; it keeps the other passes simple.

use serde_json::{Map, Value};

use crate::schema_references;
use crate::tree::{self, METHODS, NodeKind};

/// The sections of `components` that are unused afterwards.
const SECTIONS: [&str; 5] = ["headers", "parameters", "pathItems", "requestBodies", "responses"];
/// Maximum length of a chain of references.
const MAX_STEPS: usize = 16;

pub(super) fn apply(document: &mut Value) -> usize {
    let whole = document.clone();
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        if matches!(
            node,
            NodeKind::PathItem | NodeKind::Parameter | NodeKind::RequestBody | NodeKind::Response | NodeKind::Header
        ) && let Some(target) = resolve(&whole, object)
        {
            *object = target;
            edits += 1;
        }
    });
    tree::visit_kind(document, NodeKind::PathItem, &mut |item, _| {
        let Some(Value::Array(shared)) = item.remove("parameters") else {
            return;
        };
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                edits += add_shared_parameters(&shared, operation);
            }
        }
    });
    if let Some(Value::Object(components)) = document.get_mut("components") {
        for section in SECTIONS {
            components.remove(section);
        }
    }
    edits
}

fn resolve(document: &Value, object: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut current = object.clone();
    let mut steps = 0;
    while let Some(reference) = tree::text(&current, "$ref") {
        let pointer = schema_references::decoded(reference)?;
        steps += 1;
        if steps > MAX_STEPS {
            return None;
        }
        current.clone_from(document.pointer(&pointer)?.as_object()?);
    }
    (steps > 0).then_some(current)
}

/// Adds the parameters of the path that the operation does not override.
fn add_shared_parameters(shared: &[Value], operation: &mut Map<String, Value>) -> usize {
    let own = operation.entry("parameters").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(own) = own else {
        return 0;
    };
    let key = |parameter: &Value| (parameter.get("name").cloned(), parameter.get("in").cloned());
    let missing: Vec<Value> =
        shared.iter().filter(|parameter| !own.iter().any(|known| key(known) == key(parameter))).cloned().collect();
    let added = missing.len();
    own.extend(missing);
    added
}
