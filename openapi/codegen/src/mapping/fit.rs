//! The check of a schema in the document against a type of the contract.

use serde_json::Value;

use super::Mapper;
use crate::contract::Type;
use crate::tree::{self, Object};

/// The direction of the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Maximum length of a chain of references.
const LONGEST_CHAIN: usize = 16;

impl Mapper<'_> {
    /// Follows references; returns the pointer and the schema.
    pub(super) fn resolved(&self, schema: &Value, pointer: &str) -> (String, Value) {
        let mut at = String::from(pointer);
        let mut current = schema;
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = reference_of(current) else {
                break;
            };
            let Some(target) = reference.strip_prefix('#').and_then(|target| self.document.pointer(target)) else {
                break;
            };
            reference.trim_start_matches('#').clone_into(&mut at);
            current = target;
        }
        (at, current.clone())
    }

    /// Checks a schema against a type and maps contained schemas; returns the key of the mapped schema, or the mismatch.
    pub(super) fn fit(
        &mut self,
        kind: &Type<'_>,
        schema: &Value,
        pointer: &str,
        direction: Direction,
    ) -> Result<Option<String>, String> {
        let (at, found) = self.resolved(schema, pointer);
        let Some(object) = found.as_object() else {
            return Ok(None);
        };
        if reference_of(&found).is_some() {
            // The dangling reference is reported at its own position.
            return Ok(None);
        }
        if is_any(object) {
            return Ok(match kind {
                Type::Schema(name) => self.schema(name, schema, pointer, direction),
                _ => None,
            });
        }
        let is = type_name(object);
        let wrong = |wanted: &str| Err(format!("is {} instead of {wanted}", described(object)));
        match kind {
            // Java writes times in these forms unless configured for strings; the model reads all of them.
            Type::Timestamp if direction == Direction::Response && matches!(is, "integer" | "number" | "array") => {
                Ok(None)
            }
            Type::Text | Type::Id(_) | Type::Timestamp => match is {
                "string" if tree::text(object, "format") != Some("binary") => Ok(None),
                _ => wrong("a string"),
            },
            Type::Integer if is == "integer" => Ok(None),
            Type::Integer => wrong("an integer"),
            Type::Number if matches!(is, "integer" | "number") => Ok(None),
            Type::Number => wrong("a number"),
            Type::Boolean if is == "boolean" => Ok(None),
            Type::Boolean => wrong("a boolean"),
            Type::Enum(name) if is == "string" => self.values(name, object).map(|()| None),
            Type::Enum(_) => wrong("a string"),
            Type::Schema(name) if is == "object" => Ok(self.schema(name, schema, pointer, direction)),
            Type::Schema(_) => wrong("an object"),
            Type::List(inner) if is == "array" => match object.get("items") {
                Some(items) => self
                    .fit(inner, items, &format!("{at}/items"), direction)
                    .map_err(|why| format!("has items of a wrong type: each {why}")),
                None => Ok(None),
            },
            Type::List(_) => wrong("an array"),
            Type::Map(inner) if is == "object" && !object.contains_key("properties") => {
                match object.get("additionalProperties") {
                    Some(values @ Value::Object(any)) if !any.is_empty() => self
                        .fit(inner, values, &format!("{at}/additionalProperties"), direction)
                        .map_err(|why| format!("has values of a wrong type: each {why}")),
                    Some(Value::Bool(false)) => wrong("a map"),
                    _ => Ok(None),
                }
            }
            Type::Map(_) if is == "object" => Err(String::from("is an object with fixed fields instead of a map")),
            Type::Map(_) => wrong("a map"),
        }
    }

    /// Checks that an enum of the document contains the values that the facade waits for.
    fn values(&mut self, name: &str, schema: &Object) -> Result<(), String> {
        let Some(listed) = schema.get("enum").and_then(Value::as_array) else {
            return Ok(());
        };
        let listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
        let spec = self.contract.enums.get(name);
        let missing: Vec<&str> = spec
            .into_iter()
            .flat_map(|spec| &spec.needed)
            .map(String::as_str)
            .filter(|needed| !listed.contains(needed))
            .collect();
        let known = self.mapping.enums.entry(name.to_owned()).or_default();
        known.extend(listed.iter().map(|value| (*value).to_owned()));
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "does not list {}, which the facade waits for (listed: {})",
                missing.join(", "),
                if listed.is_empty() { String::from("none") } else { listed.join(", ") }
            ))
        }
    }
}

/// Returns the target of a reference, also of one that is the only member of `allOf`.
pub(super) fn reference_of(schema: &Value) -> Option<&str> {
    let object = schema.as_object()?;
    if let Some(reference) = tree::text(object, "$ref") {
        return Some(reference);
    }
    match object.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if !object.contains_key("properties") && !object.contains_key("type") => {
            only.get("$ref").and_then(Value::as_str)
        }
        _ => None,
    }
}

/// Returns `true` for a schema without any statement: any JSON, or a map of any JSON.
pub(super) fn is_undescribed(schema: &Object) -> bool {
    let is_map_of_any = match schema.get("additionalProperties") {
        Some(Value::Object(values)) => is_any(values),
        Some(extra) => *extra == Value::Bool(true),
        None => false,
    };
    is_any(schema) || (is_map_of_any && !schema.contains_key("properties"))
}

/// Returns `true` for any JSON.
fn is_any(schema: &Object) -> bool {
    !["type", "properties", "items", "enum", "allOf", "oneOf", "anyOf", "additionalProperties", "$ref"]
        .iter()
        .any(|key| schema.contains_key(*key))
}

fn type_name(schema: &Object) -> &str {
    match tree::text(schema, "type") {
        Some(kind) => kind,
        None if schema.contains_key("properties") || schema.contains_key("additionalProperties") => "object",
        None if schema.contains_key("items") => "array",
        None if schema.contains_key("enum") => "string",
        None => "of a composed form",
    }
}

fn described(schema: &Object) -> String {
    let type_name = type_name(schema);
    let article = match type_name {
        "object" | "array" | "integer" => "an ",
        "string" | "number" | "boolean" => "a ",
        _ => "",
    };
    format!("{article}{type_name}")
}
