//! Reads the names of a type's fields out of its JSON schema.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// The names at the top of an object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) needs: Vec<String>,
    pub(super) can_use: Vec<String>,
    /// Every other name is read too: a map, or a map behind `flatten`.
    pub(super) any: bool,
}

pub(super) fn fields<T: JsonSchema>() -> Fields {
    let root: Schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
    let mut fields = Fields::default();
    if let Some(object) = root.as_object() {
        let root = root.as_value();
        collect(object, root, &mut fields, true, 0);
    }
    // A name that one part needs and another part can use is needed.
    fields.can_use.retain(|name| !fields.needs.contains(name));
    fields
}

/// A schema may refer to itself; nothing a struct is read from lies deeper than this.
const DEEPEST: usize = 12;

/// Adds the names of `schema`. `certain` is false inside alternatives, of which a type reads one.
fn collect(schema: &Map<String, Value>, root: &Value, into: &mut Fields, certain: bool, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|pointer| resolve(pointer, root)) {
        collect(target, root, into, certain, depth + 1);
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        let list = if certain && required.contains(&name.as_str()) { &mut into.needs } else { &mut into.can_use };
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    if matches!(schema.get("additionalProperties"), Some(Value::Object(_) | Value::Bool(true))) {
        into.any = true;
    }
    for part in parts(schema, "allOf") {
        collect(part, root, into, certain, depth + 1);
    }
    for word in ["anyOf", "oneOf"] {
        let alternatives: Vec<Fields> = parts(schema, word)
            .map(|part| {
                let mut fields = Fields::default();
                collect(part, root, &mut fields, certain, depth + 1);
                fields
            })
            .collect();
        merge(&alternatives, into);
    }
}

/// What every alternative needs is needed; the rest can be used.
fn merge(alternatives: &[Fields], into: &mut Fields) {
    for fields in alternatives {
        into.any |= fields.any;
        for name in fields.needs.iter().chain(&fields.can_use) {
            let everywhere = alternatives.iter().all(|other| other.needs.contains(name));
            let list = if everywhere { &mut into.needs } else { &mut into.can_use };
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
    }
}

fn parts<'a>(schema: &'a Map<String, Value>, word: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    schema.get(word).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The schema that a reference inside the document points to.
fn resolve<'a>(pointer: &str, root: &'a Value) -> Option<&'a Map<String, Value>> {
    root.pointer(pointer.strip_prefix('#')?)?.as_object()
}
