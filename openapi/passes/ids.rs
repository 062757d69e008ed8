//! Why: ids are all texts, so a file id fits where a dossier id belongs, and `..` in a path deletes the dossier instead of the file.
//! Looks for: path parameters and properties listed below.
//! Holds afterwards: each refers to a component schema that the code side replaces by a type of `crate::ids`, which can't be mixed
//! up and refuses what would change the path. A path parameter that is not listed is at least a `crate::ids::PathSegment`.
//! Delete when: never. The lists name our document's properties; what a document lacks is skipped.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names;
use super::open_enums::reference;
use super::walk::{self, Node, Object};

/// A path parameter → its type.
const PARAMETERS: [(&str, &str); 6] = [
    ("dossierId", "DossierId"),
    ("dossierTemplateId", "DossierTemplateId"),
    ("downloadId", "DownloadId"),
    ("fileId", "FileId"),
    ("reportTemplateId", "ReportTemplateId"),
    ("userId", "UserId"),
];

/// A property (`*`: of any schema) → its type, or the type of its items.
const PROPERTIES: [(&str, &str, &str); 17] = [
    ("*", "assignee", "UserId"),
    ("*", "createdBy", "UserId"),
    ("*", "dossierId", "DossierId"),
    ("*", "dossierTemplateId", "DossierTemplateId"),
    ("*", "downloadId", "DownloadId"),
    ("*", "fileId", "FileId"),
    ("*", "fileIds", "FileId"),
    ("*", "memberIds", "UserId"),
    ("*", "modifiedBy", "UserId"),
    ("*", "ownerId", "UserId"),
    ("*", "processedFileIds", "FileId"),
    ("*", "reportTemplateIds", "ReportTemplateId"),
    ("Dossier", "id", "DossierId"),
    ("DossierRequest", "id", "DossierId"),
    ("DossierTemplate", "id", "DossierTemplateId"),
    ("FileStatus", "id", "FileId"),
    ("User", "id", "UserId"),
];

/// For path parameters that the list does not name.
const ANY_PARAMETER: &str = "PathSegment";

pub(super) fn apply(document: &mut Value) -> usize {
    let mut stand_ins = StandIns::new(document);
    let mut edits = 0;
    walk::every(document, Node::Parameter, &mut |parameter, _| {
        if walk::text(parameter, "in") != Some("path") {
            return;
        }
        let name = walk::text(parameter, "name").unwrap_or_default();
        let id = PARAMETERS.iter().find(|(known, _)| *known == name).map_or(ANY_PARAMETER, |(_, id)| id);
        if let Some(Value::Object(schema)) = parameter.get_mut("schema")
            && !stand_ins.is_number(schema)
        {
            stand_ins.put(schema, id);
            edits += 1;
        }
    });
    walk::every(document, Node::Schema, &mut |schema, pointer| {
        let segments = walk::segments(pointer);
        let owner = match segments.as_slice() {
            [_, _, owner] => owner.as_str(),
            _ => "",
        };
        let Some(Value::Object(properties)) = schema.get_mut("properties") else {
            return;
        };
        for (wanted, name, id) in PROPERTIES {
            if wanted != "*" && wanted != owner {
                continue;
            }
            if let Some(Value::Object(property)) = properties.get_mut(name) {
                let place = match property.get_mut("items") {
                    Some(Value::Object(items)) => items,
                    _ => property,
                };
                if is_plain_text(place) {
                    stand_ins.put(place, id);
                    edits += 1;
                }
            }
        }
    });
    stand_ins.add_to(document);
    edits
}

/// A text without a meaning of its own.
fn is_plain_text(schema: &Object) -> bool {
    walk::text(schema, "type") == Some("string") && !schema.contains_key("format") && !schema.contains_key("enum")
}

/// The component schemas that stand for the types, by type; made on first use.
struct StandIns {
    names: BTreeMap<&'static str, String>,
    schemas: Object,
}

impl StandIns {
    fn new(document: &mut Value) -> Self {
        Self { names: BTreeMap::new(), schemas: walk::schemas_mut(document).cloned().unwrap_or_default() }
    }

    /// Whether the schema, or the one it refers to, can't hold text: of a path parameter anything else may hold `..`, a time or
    /// an open enum too.
    fn is_number(&self, schema: &Object) -> bool {
        let target = walk::schema_name(schema).and_then(|name| walk::object(&self.schemas, name));
        matches!(walk::text(target.unwrap_or(schema), "type"), Some("boolean" | "integer" | "number"))
    }

    /// Makes `schema` refer to the type.
    fn put(&mut self, schema: &mut Object, id: &'static str) {
        let schemas = &self.schemas;
        let name = self.names.entry(id).or_insert_with(|| names::free(schemas, &format!("{id}Text")));
        *schema = reference(name, schema.get("description").cloned());
    }

    fn add_to(self, document: &mut Value) {
        if let Some(schemas) = walk::schemas_mut(document) {
            for (id, name) in self.names {
                schemas.insert(name, json!({"type": "string", "x-replace": format!("crate::ids::{id}")}));
            }
        }
    }
}
