//! Replaces ids by typed ids.
//!
//! Why: all ids are strings, so a file id could be used as a dossier id, and `..` in a path would delete the dossier instead of
//! the file.
//! Finds: path parameters, and schemas marked `x-id` by the pass `canonical_names`, which knows the id type from the contract.
//! Holds afterwards: each refers to a component schema that the generator replaces by a type of `crate::ids`, which is distinct
//! and rejects strings that would change the path. A path parameter without a mark is a `crate::ids::PathSegment`.
//! Delete when: never.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::names;
use crate::open_enums::reference;
use crate::tree::{self, NodeKind, Object};

/// The type of path parameters outside the contract.
const ANY_PARAMETER: &str = "PathSegment";

pub(super) fn apply(document: &mut Value) -> usize {
    let mut placeholders = IdPlaceholders::new(document);
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Parameter, &mut |parameter, _| {
        let in_path = tree::text(parameter, "in") == Some("path");
        if let Some(Value::Object(schema)) = parameter.get_mut("schema")
            && in_path
            && !schema.contains_key("x-id")
            && !placeholders.is_number(schema)
        {
            placeholders.replace(schema, ANY_PARAMETER);
            edits += 1;
        }
    });
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        if let Some(id) = tree::text(schema, "x-id").map(str::to_owned) {
            placeholders.replace(schema, &id);
            edits += 1;
        }
    });
    placeholders.add_to(document);
    edits
}

/// The component schemas that stand for id types, by type; created on first use.
struct IdPlaceholders {
    names: BTreeMap<String, String>,
    schemas: Object,
}

impl IdPlaceholders {
    fn new(document: &mut Value) -> Self {
        Self { names: BTreeMap::new(), schemas: tree::schemas_mut(document).cloned().unwrap_or_default() }
    }

    /// Returns `true` for numbers, booleans and other types that cannot contain `..`, also behind a reference. Timestamps and
    /// open enums can.
    fn is_number(&self, schema: &Object) -> bool {
        let target = tree::schema_name(schema).and_then(|name| tree::object(&self.schemas, name));
        matches!(tree::text(target.unwrap_or(schema), "type"), Some("boolean" | "integer" | "number"))
    }

    /// Replaces `schema` by a reference to the type.
    fn replace(&mut self, schema: &mut Object, id: &str) {
        let schemas = &self.schemas;
        let name = self.names.entry(id.to_owned()).or_insert_with(|| names::free(schemas, &format!("{id}Text")));
        *schema = reference(name, schema.get("description").cloned());
    }

    fn add_to(self, document: &mut Value) {
        if let Some(schemas) = tree::schemas_mut(document) {
            for (id, name) in self.names {
                schemas.insert(name, json!({"type": "string", "x-replace": format!("crate::ids::{id}")}));
            }
        }
    }
}
