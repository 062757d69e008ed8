//! Parts of composed schemas, and the merging of two parts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::tree::{self, Object};

/// A function that resolves a property to a scalar.
pub(super) type ResolveScalar<'a> = &'a dyn Fn(&Object) -> Option<Object>;

/// The type of a part.
#[derive(Clone, Debug)]
pub(super) enum PartType {
    /// No statement about the type.
    Open,
    /// Any JSON value, because the statements do not fit one type.
    Any,
    /// A scalar or a list.
    Plain(Object),
    /// An object.
    Model(Model),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) properties: BTreeMap<String, Value>,
    required: BTreeSet<String>,
    extra: Option<Value>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) shape: PartType,
    nullable: bool,
    text: Option<Value>,
}

impl Part {
    pub(super) fn any() -> Self {
        Self { shape: PartType::Any, nullable: false, text: None }
    }

    /// Returns the part that a schema declares itself, without its composition.
    pub(super) fn own(schema: &Object) -> Self {
        let shape = if is_model(schema) {
            PartType::Model(Model {
                properties: tree::object(schema, "properties")
                    .into_iter()
                    .flatten()
                    .map(|(name, property)| (name.clone(), property.clone()))
                    .collect(),
                required: texts(schema, "required"),
                extra: schema.get("additionalProperties").filter(|extra| **extra != json!(false)).cloned(),
            })
        } else if ["enum", "format", "items", "type"].iter().any(|key| schema.contains_key(*key)) {
            let members = ["enum", "format", "items", "type"];
            let plain = schema.iter().filter(|(key, _)| members.contains(&key.as_str()));
            PartType::Plain(plain.map(|(key, value)| (key.clone(), value.clone())).collect())
        } else {
            PartType::Open
        };
        Self { shape, nullable: tree::is_true(schema, "nullable"), text: schema.get("description").cloned() }
    }

    /// Returns `true` for a part that allows only `null`, in the forms of other OpenAPI versions and of tools.
    pub(super) fn is_null(&self) -> bool {
        match &self.shape {
            PartType::Open => self.nullable,
            PartType::Plain(plain) => {
                let only_null = plain
                    .get("enum")
                    .and_then(Value::as_array)
                    .is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null));
                tree::text(plain, "type") == Some("null") || only_null
            }
            _ => false,
        }
    }

    /// Returns `true` for a part without a type, or for an object without known members.
    pub(super) fn is_unspecified(&self) -> bool {
        match &self.shape {
            PartType::Open => true,
            PartType::Model(model) => {
                model.properties.is_empty() && model.extra.as_ref().is_none_or(|extra| !extra.is_object())
            }
            _ => false,
        }
    }

    pub(super) fn without_text(mut self) -> Self {
        self.text = None;
        self
    }

    /// Merges another part; values satisfy both.
    pub(super) fn merge_all(&mut self, other: Self, resolve: ResolveScalar<'_>) {
        self.text = self.text.take().or(other.text);
        self.nullable |= other.nullable;
        let own = std::mem::replace(&mut self.shape, PartType::Open);
        self.shape = match (own, other.shape) {
            (PartType::Open | PartType::Any, shape) | (shape, PartType::Open | PartType::Any) => shape,
            (PartType::Model(mut one), PartType::Model(other)) => {
                one.required.extend(other.required.iter().cloned());
                one.extra = one.extra.or(other.extra.clone());
                one.add(other, resolve);
                PartType::Model(one)
            }
            (PartType::Model(model), plain @ PartType::Plain(_))
            | (plain @ PartType::Plain(_), PartType::Model(model)) => {
                if model.properties.is_empty() {
                    plain
                } else {
                    PartType::Any
                }
            }
            (PartType::Plain(one), PartType::Plain(other)) => intersect(one, &other),
        };
    }

    /// Merges alternatives; values satisfy at least one.
    pub(super) fn merge_any(parts: Vec<Self>, resolve: ResolveScalar<'_>) -> Self {
        let nullable = parts.iter().any(|part| part.nullable || part.is_null());
        let mut shapes = parts.into_iter().filter(|part| !part.is_null()).map(|part| part.shape);
        let mut shape = shapes.next().unwrap_or(PartType::Any);
        if matches!(shape, PartType::Open) {
            shape = PartType::Any;
        }
        for other in shapes {
            shape = match (shape, other) {
                (PartType::Model(mut one), PartType::Model(other)) => {
                    one.required.retain(|name| other.required.contains(name));
                    if one.extra != other.extra {
                        one.extra = None;
                    }
                    one.add(other, resolve);
                    PartType::Model(one)
                }
                (PartType::Plain(one), PartType::Plain(other)) => {
                    unite(&one, &other).map_or(PartType::Any, PartType::Plain)
                }
                _ => PartType::Any,
            };
        }
        Self { shape, nullable, text: None }
    }

    /// Converts the part to a schema, with the flags and extensions of `origin`.
    pub(super) fn into_schema(self, origin: &Object) -> Object {
        let mut schema = match self.shape {
            PartType::Open | PartType::Any => Object::new(),
            PartType::Plain(plain) => plain,
            PartType::Model(model) => model.into_schema(),
        };
        if let Some(text) = self.text {
            schema.insert(String::from("description"), text);
        }
        if self.nullable {
            schema.insert(String::from("nullable"), Value::Bool(true));
        }
        copy_annotations(origin, &mut schema);
        schema
    }
}

impl Model {
    /// Adds properties; a property of both gets a type that fits both.
    fn add(&mut self, other: Self, resolve: ResolveScalar<'_>) {
        for (name, property) in other.properties {
            let merged = match self.properties.get(&name) {
                Some(known) => merge_property(known, &property, resolve),
                None => property,
            };
            self.properties.insert(name, merged);
        }
    }

    fn into_schema(self) -> Object {
        let mut schema = Object::from_iter([(String::from("type"), json!("object"))]);
        let required: Vec<&String> = self.required.iter().filter(|name| self.properties.contains_key(*name)).collect();
        if !required.is_empty() {
            schema.insert(String::from("required"), json!(required));
        }
        if !self.properties.is_empty() {
            schema.insert(String::from("properties"), Value::Object(self.properties.into_iter().collect()));
        }
        if let Some(extra) = self.extra {
            schema.insert(String::from("additionalProperties"), extra);
        }
        schema
    }
}

/// Copies flags and extensions, which do not depend on the composition.
pub(super) fn copy_annotations(origin: &Object, schema: &mut Object) {
    for (key, value) in origin {
        if ["deprecated", "readOnly", "writeOnly"].contains(&key.as_str()) || key.starts_with("x-") {
            schema.insert(key.clone(), value.clone());
        }
    }
}

fn is_model(schema: &Object) -> bool {
    let is_typed = schema.contains_key("type");
    let has_parts = ["additionalProperties", "properties", "required"].iter().any(|key| schema.contains_key(*key));
    tree::text(schema, "type") == Some("object") || (!is_typed && has_parts)
}

fn texts(schema: &Object, key: &str) -> BTreeSet<String> {
    let texts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(String::from).collect()
}

/// Returns the schema as a scalar; `None` if it is not one.
pub(super) fn scalar(schema: &Object) -> Option<Object> {
    let kind = kind(schema)?;
    if ["boolean", "integer", "number", "string"].contains(&kind) {
        let mut plain = Object::from_iter([(String::from("type"), json!(kind))]);
        for key in ["enum", "format"] {
            plain.extend(schema.get(key).map(|value| (String::from(key), value.clone())));
        }
        return Some(plain);
    }
    None
}

/// Returns the type of a scalar or list, inferred from an enum if not declared.
fn kind(schema: &Object) -> Option<&str> {
    if schema.contains_key("type") {
        return tree::text(schema, "type");
    }
    let values = schema.get("enum").and_then(Value::as_array)?;
    (!values.is_empty() && values.iter().all(|value| value.is_string() || value.is_null())).then_some("string")
}

/// Merges two schemas of one property.
fn merge_property(one: &Value, other: &Value, resolve: ResolveScalar<'_>) -> Value {
    if without_annotations(one) == without_annotations(other) {
        return one.clone();
    }
    let (Some(first), Some(second)) = (one.as_object(), other.as_object()) else {
        return json!({});
    };
    let merged = match (resolve(first), resolve(second)) {
        (Some(first), Some(second)) => unite(&first, &second),
        _ => match (tree::text(first, "type"), tree::text(second, "type")) {
            (Some("array"), Some("array")) => unite(first, second),
            _ => None,
        },
    };
    let mut merged = merged.unwrap_or_default();
    if let Some(text) = first.get("description").or_else(|| second.get("description")) {
        merged.insert(String::from("description"), text.clone());
    }
    if tree::is_true(first, "nullable") || tree::is_true(second, "nullable") {
        merged.insert(String::from("nullable"), Value::Bool(true));
    }
    Value::Object(merged)
}

/// Removes members that do not affect the type.
fn without_annotations(schema: &Value) -> Value {
    const ANNOTATIONS: [&str; 5] = ["deprecated", "description", "readOnly", "title", "writeOnly"];
    let Some(schema) = schema.as_object() else {
        return schema.clone();
    };
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
        && schema.keys().all(|key| key == "allOf" || ANNOTATIONS.contains(&key.as_str()) || key.starts_with("x-"))
    {
        return only.clone();
    }
    let kept = schema.iter().filter(|(key, _)| !ANNOTATIONS.contains(&key.as_str()) && !key.starts_with("x-"));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Merges two plain schemas; values satisfy both.
fn intersect(mut one: Object, other: &Object) -> PartType {
    match (kind(&one), kind(other)) {
        (Some("integer"), Some("number")) | (Some("number"), Some("integer")) => {
            return PartType::Plain(Object::from_iter([(String::from("type"), json!("number"))]));
        }
        (Some(first), Some(second)) if first != second => return PartType::Any,
        (Some("array"), _)
            if one.contains_key("items") && other.contains_key("items") && one.get("items") != other.get("items") =>
        {
            one.insert(String::from("items"), json!({}));
        }
        _ => {}
    }
    for (key, value) in other {
        one.entry(key.clone()).or_insert_with(|| value.clone());
    }
    PartType::Plain(one)
}

/// Merges two plain schemas; values satisfy at least one. Merges enums, and integers with numbers; `None` if no type fits.
fn unite(one: &Object, other: &Object) -> Option<Object> {
    let (first, second) = (kind(one)?, kind(other)?);
    let kind = match (first, second) {
        ("integer", "number") | ("number", "integer") => "number",
        _ if first == second => first,
        _ => return None,
    };
    let mut wide = Object::from_iter([(String::from("type"), json!(kind))]);
    if kind == "array" {
        let same = one.get("items") == other.get("items");
        let items = one.get("items").filter(|_| same).cloned().unwrap_or_else(|| json!({}));
        wide.insert(String::from("items"), items);
        return Some(wide);
    }
    if one.get("format") == other.get("format") {
        wide.extend(one.get("format").map(|format| (String::from("format"), format.clone())));
    }
    if let (Some(Value::Array(values)), Some(Value::Array(others))) = (one.get("enum"), other.get("enum")) {
        let mut values = values.clone();
        for value in others {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        wide.insert(String::from("enum"), Value::Array(values));
    }
    Some(wide)
}
