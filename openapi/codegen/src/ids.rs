//! Why: ids are all texts, so a file id fits where a dossier id belongs, and `..` in a path deletes the dossier instead of the file.
//! Finds: path parameters, and schemas marked `x-id` by the pass `canonical_names`, which knows from the contract what they name.
//! Holds afterwards: each refers to a component schema that the code side replaces by a type of `crate::ids`, which can't be mixed
//! up and refuses what would change the path. A path parameter that is not marked is at least a `crate::ids::PathSegment`.
//! Delete when: never.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::names;
use crate::open_enums::reference;
use crate::tree::{self, NodeKind, Object};

/// For path parameters that the contract does not name.
const ANY_PARAMETER: &str = "PathSegment";

pub(super) fn apply(document: &mut Value) -> usize {
    let mut stand_ins = StandIns::new(document);
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Parameter, &mut |parameter, _| {
        let in_path = tree::text(parameter, "in") == Some("path");
        if let Some(Value::Object(schema)) = parameter.get_mut("schema")
            && in_path
            && !schema.contains_key("x-id")
            && !stand_ins.is_number(schema)
        {
            stand_ins.put(schema, ANY_PARAMETER);
            edits += 1;
        }
    });
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        if let Some(id) = tree::text(schema, "x-id").map(str::to_owned) {
            stand_ins.put(schema, &id);
            edits += 1;
        }
    });
    stand_ins.add_to(document);
    edits
}

/// The component schemas that stand for the types, by type; made on first use.
struct StandIns {
    names: BTreeMap<String, String>,
    schemas: Object,
}

impl StandIns {
    fn new(document: &mut Value) -> Self {
        Self { names: BTreeMap::new(), schemas: tree::schemas_mut(document).cloned().unwrap_or_default() }
    }

    /// Whether the schema, or the one it refers to, can't hold text: of a path parameter anything else may hold `..`, a time or
    /// an open enum too.
    fn is_number(&self, schema: &Object) -> bool {
        let target = tree::schema_name(schema).and_then(|name| tree::object(&self.schemas, name));
        matches!(tree::text(target.unwrap_or(schema), "type"), Some("boolean" | "integer" | "number"))
    }

    /// Makes `schema` refer to the type.
    fn put(&mut self, schema: &mut Object, id: &str) {
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
