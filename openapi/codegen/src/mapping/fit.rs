//! Whether a schema of the document fits a type of the contract.

use serde_json::Value;

use super::Mapper;
use crate::contract::Type;
use crate::tree::{self, Object};

/// Who makes the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// References that lead to references that lead … end here.
const LONGEST_CHAIN: usize = 16;

impl Mapper<'_> {
    /// What stands behind references, and where.
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

    /// Nothing when it fits, the pairs of schemas being noted; else why not.
    pub(super) fn fit(
        &mut self,
        kind: &Type<'_>,
        schema: &Value,
        pointer: &str,
        side: Direction,
    ) -> Result<Option<String>, String> {
        let (at, found) = self.resolved(schema, pointer);
        let Some(object) = found.as_object() else {
            return Ok(None);
        };
        if reference_of(&found).is_some() {
            // It leads nowhere, which is reported where it stands.
            return Ok(None);
        }
        if says_nothing(object) {
            return Ok(match kind {
                Type::Schema(name) => self.schema(name, schema, pointer, side),
                _ => None,
            });
        }
        let is = word(object);
        let wrong = |wanted: &str| Err(format!("is {} instead of {wanted}", described(object)));
        match kind {
            // As Java writes times when it is not told to write texts; the model reads all of these.
            Type::Timestamp if side == Direction::Response && matches!(is, "integer" | "number" | "array") => Ok(None),
            Type::Text | Type::Id(_) | Type::Timestamp => match is {
                "string" if tree::text(object, "format") != Some("binary") => Ok(None),
                _ => wrong("a text"),
            },
            Type::Integer if is == "integer" => Ok(None),
            Type::Integer => wrong("a whole number"),
            Type::Number if matches!(is, "integer" | "number") => Ok(None),
            Type::Number => wrong("a number"),
            Type::Boolean if is == "boolean" => Ok(None),
            Type::Boolean => wrong("true or false"),
            Type::Enum(name) if is == "string" => self.values(name, object).map(|()| None),
            Type::Enum(_) => wrong("a text"),
            Type::Schema(name) if is == "object" => Ok(self.schema(name, schema, pointer, side)),
            Type::Schema(_) => wrong("an object"),
            Type::List(inner) if is == "array" => match object.get("items") {
                Some(items) => {
                    self.fit(inner, items, &format!("{at}/items"), side).map_err(|why| format!("holds what {why}"))
                }
                None => Ok(None),
            },
            Type::List(_) => wrong("a list"),
            Type::Map(inner) if is == "object" && !object.contains_key("properties") => {
                match object.get("additionalProperties") {
                    Some(values @ Value::Object(any)) if !any.is_empty() => self
                        .fit(inner, values, &format!("{at}/additionalProperties"), side)
                        .map_err(|why| format!("has values of which each {why}")),
                    Some(Value::Bool(false)) => wrong("a map"),
                    _ => Ok(None),
                }
            }
            Type::Map(_) if is == "object" => Err(String::from("is an object of fixed fields instead of a map")),
            Type::Map(_) => wrong("a map"),
        }
    }

    /// The values of a set: what a document lists must hold what the facade waits for.
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
                if listed.is_empty() { String::from("nothing") } else { listed.join(", ") }
            ))
        }
    }
}

/// The target of a reference, written plainly or as the only member of `allOf`.
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

/// An object of which nothing is said: any JSON, or a map of it.
pub(super) fn is_undescribed(schema: &Object) -> bool {
    let is_map_of_any = match schema.get("additionalProperties") {
        Some(Value::Object(values)) => says_nothing(values),
        Some(extra) => *extra == Value::Bool(true),
        None => false,
    };
    says_nothing(schema) || (is_map_of_any && !schema.contains_key("properties"))
}

/// Any JSON.
fn says_nothing(schema: &Object) -> bool {
    !["type", "properties", "items", "enum", "allOf", "oneOf", "anyOf", "additionalProperties", "$ref"]
        .iter()
        .any(|key| schema.contains_key(*key))
}

fn word(schema: &Object) -> &str {
    match tree::text(schema, "type") {
        Some(kind) => kind,
        None if schema.contains_key("properties") || schema.contains_key("additionalProperties") => "object",
        None if schema.contains_key("items") => "array",
        None if schema.contains_key("enum") => "string",
        None => "of a composed form",
    }
}

fn described(schema: &Object) -> String {
    let word = word(schema);
    let article = match word {
        "object" | "array" | "integer" => "an ",
        "string" | "number" | "boolean" => "a ",
        _ => "",
    };
    format!("{article}{word}")
}
