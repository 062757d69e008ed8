//! Names of operations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{has_letters, plain};
use crate::names::{self, RESERVED_BUILDER_TYPES, RESERVED_METHODS};
use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    // The current name by pointer; names that take precedence come first.
    let mut operations: Vec<(bool, String, String)> = Vec::new();
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, pointer| {
        let segments = tree::segments(pointer);
        let [_, path, method] = segments.as_slice() else {
            return;
        };
        let given = plain(tree::text(operation, "operationId").unwrap_or_default());
        let name = if has_letters(&given) { given } else { from_path(path, method) };
        operations.push((!tree::is_true(operation, "x-canonical"), String::from(pointer), name));
    });
    operations.sort();
    let mut methods: BTreeSet<String> = RESERVED_METHODS.iter().map(|name| String::from(*name)).collect();
    let mut types: BTreeSet<String> = RESERVED_BUILDER_TYPES.iter().map(|name| String::from(*name)).collect();
    let mut chosen: BTreeMap<String, String> = BTreeMap::new();
    for (_, pointer, name) in operations {
        let taken = |name: &str| methods.contains(&names::snake(name)) || types.contains(&builder(name));
        let name = if taken(&name) { names::numbered(&name, taken) } else { name };
        methods.insert(names::snake(&name));
        types.insert(builder(&name));
        chosen.insert(pointer, name);
    }
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, pointer| {
        if let Some(name) = chosen.get(pointer)
            && tree::text(operation, "operationId") != Some(name)
        {
            operation.insert(String::from("operationId"), Value::String(name.clone()));
            edits += 1;
        }
    });
    edits
}

/// Returns the name of the generated builder. The pass `operation_names` cases a name before the generator does.
fn builder(name: &str) -> String {
    names::pascal(&names::snake(name))
}

/// Derives an operationId: `get` + `/api/files/{id}` → `getApiFilesById`.
fn from_path(path: &str, method: &str) -> String {
    let words = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(parameter) => format!("by-{}", plain(parameter)),
        None => plain(part),
    });
    let words: Vec<String> = words.filter(|word| has_letters(word)).map(|word| names::pascal(&word)).collect();
    format!("{method}{}", words.concat())
}
