//! Reads the field names of a type from its JSON schema.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// The field names of an object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) required: Vec<String>,
    pub(super) optional: Vec<String>,
    /// True if any other name is read as well: a map, or a map behind `flatten`.
    pub(super) any: bool,
}

pub(super) fn fields<T: JsonSchema>() -> Fields {
    let root: Schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
    let mut fields = Fields::default();
    if let Some(object) = root.as_object() {
        let root = root.as_value();
        collect(object, root, &mut fields, true, 0);
    }
    // A name that one part requires and another part accepts is required.
    fields.optional.retain(|name| !fields.required.contains(name));
    fields
}

/// The limit on nesting, because a schema may refer to itself.
const MAX_DEPTH: usize = 12;

/// Adds the names of `schema`. `certain` is false inside alternatives, of which a type reads one.
fn collect(schema: &Map<String, Value>, root: &Value, into: &mut Fields, certain: bool, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|pointer| resolve(pointer, root)) {
        collect(target, root, into, certain, depth + 1);
    }
    let listed_as_required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        let list = if certain && listed_as_required.contains(&name.as_str()) {
            &mut into.required
        } else {
            &mut into.optional
        };
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
    for keyword in ["anyOf", "oneOf"] {
        let alternatives: Vec<Fields> = parts(schema, keyword)
            .map(|part| {
                let mut fields = Fields::default();
                collect(part, root, &mut fields, certain, depth + 1);
                fields
            })
            .collect();
        merge(&alternatives, into);
    }
}

/// Adds the names of alternatives: required if all alternatives require them, otherwise optional.
fn merge(alternatives: &[Fields], into: &mut Fields) {
    for fields in alternatives {
        into.any |= fields.any;
        for name in fields.required.iter().chain(&fields.optional) {
            let everywhere = alternatives.iter().all(|other| other.required.contains(name));
            let list = if everywhere { &mut into.required } else { &mut into.optional };
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
    }
}

fn parts<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Map<String, Value>> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Resolves a reference within the document.
fn resolve<'a>(pointer: &str, root: &'a Value) -> Option<&'a Map<String, Value>> {
    root.pointer(pointer.strip_prefix('#')?)?.as_object()
}
