//! The mapping as the build wrote it down, and the names that it gives.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Where a document has what the contract names.
#[derive(Debug, Deserialize)]
pub(crate) struct WireMapping {
    identity: bool,
    operations: BTreeMap<String, Option<WireOperation>>,
    shapes: BTreeMap<String, WireShape>,
}

/// An operation of the contract.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireOperation {
    query: BTreeMap<String, Option<String>>,
    /// Those of them that are headers.
    headers: BTreeSet<String>,
    takes: Option<String>,
    /// The shape of its answer.
    pub(super) answers: Option<String>,
    /// The documented statuses of success.
    pub(super) success: Vec<String>,
    /// Whether a success has a body.
    pub(super) content: bool,
    /// The media types that its requests ask for.
    pub(super) accept: Option<String>,
    /// Its media type beside JSON, if that is XML.
    pub(super) xml: Option<String>,
    /// Its media type that is neither.
    pub(super) other: Option<String>,
    /// What is answered where the contract knows of no body.
    pub(super) sample: Option<Value>,
}

/// A schema of the document in the place of one of the contract's.
#[derive(Debug, Deserialize)]
pub(crate) struct WireShape {
    /// By the contract's names; `None`: the document does not have it.
    pub(super) fields: BTreeMap<String, Option<WireField>>,
    /// What must be there and the contract does not know, with a value for it.
    pub(super) extra: BTreeMap<String, Value>,
}

/// A field of the contract.
#[derive(Debug, Deserialize)]
pub(crate) struct WireField {
    pub(super) wire: String,
    #[serde(default)]
    pub(super) shape: Option<String>,
    #[serde(default, rename = "holds")]
    pub(super) cardinality: Cardinality,
    /// Whether it may be `null`.
    #[serde(default)]
    pub(super) nullable: bool,
    /// Whether every answer must have it; then `sample` is a value for it.
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) sample: Value,
}

/// How many values of its shape a field cardinality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Cardinality {
    #[default]
    #[serde(rename = "one")]
    One,
    #[serde(rename = "list")]
    List,
    #[serde(rename = "map")]
    Map,
    #[serde(rename = "map of lists")]
    MapOfLists,
}

impl WireMapping {
    /// Reads the mapping; `None` if nothing has to be translated.
    ///
    /// Another document may agree in every name and still answer with other statuses or media types, so only ours is passed by.
    pub(super) fn read(text: &str, ours: bool) -> Result<Option<Self>, String> {
        let wire: Self = serde_json::from_str(text).map_err(|error| format!("the mapping can't be read: {error}"))?;
        Ok((!ours || !wire.identity).then_some(wire))
    }

    pub(crate) fn operation(&self, id: &str) -> Option<&WireOperation> {
        self.operations.get(id)?.as_ref()
    }

    pub(super) fn shape(&self, key: &str) -> Option<&WireShape> {
        self.shapes.get(key)
    }

    /// The body of a request in the contract's names. What the contract does not know stays as it is.
    pub(crate) fn request(&self, operation: &WireOperation, body: Map<String, Value>) -> Map<String, Value> {
        match operation.takes.as_deref().and_then(|key| self.shape(key)) {
            Some(shape) => self.to_contract(shape, body),
            None => body,
        }
    }

    fn to_contract(&self, shape: &WireShape, body: Map<String, Value>) -> Map<String, Value> {
        let mut made = Map::new();
        let mut unknown = Vec::new();
        for (name, value) in body {
            let known = shape.fields.iter().find_map(|(ours, field)| {
                let field = field.as_ref().filter(|field| field.wire == name)?;
                Some((ours, field))
            });
            match known {
                Some((ours, field)) => {
                    let value = match field.shape.as_deref().and_then(|key| self.shape(key)) {
                        Some(shape) => self.value_to_contract(shape, field.cardinality, value),
                        None => value,
                    };
                    made.insert(ours.clone(), value);
                }
                None => unknown.push((name, value)),
            }
        }
        for (name, value) in unknown {
            // Under a name of ours it would mean something else.
            if !shape.fields.contains_key(&name) {
                made.insert(name, value);
            }
        }
        made
    }

    fn value_to_contract(&self, shape: &WireShape, cardinality: Cardinality, value: Value) -> Value {
        match (cardinality, value) {
            (Cardinality::One, Value::Object(object)) => Value::Object(self.to_contract(shape, object)),
            (Cardinality::List, Value::Array(items)) => {
                items.into_iter().map(|item| self.value_to_contract(shape, Cardinality::One, item)).collect()
            }
            (Cardinality::Map | Cardinality::MapOfLists, Value::Object(object)) => {
                let inner = if cardinality == Cardinality::Map { Cardinality::One } else { Cardinality::List };
                Value::Object(
                    object.into_iter().map(|(key, item)| (key, self.value_to_contract(shape, inner, item))).collect(),
                )
            }
            (_, other) => other,
        }
    }
}

impl WireOperation {
    /// What the document calls a query parameter; `None` if it does not have it.
    pub(crate) fn query<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.query.get(name).map_or(Some(name), Option::as_deref)
    }

    /// Returns whether the document takes a query parameter of the contract as a header.
    pub(crate) fn is_header(&self, name: &str) -> bool {
        self.headers.contains(name)
    }

    pub(crate) fn has_xml(&self) -> bool {
        self.xml.is_some()
    }

    /// Whether this media type is the one of its XML.
    pub(crate) fn is_xml(&self, media_type: &str) -> bool {
        self.xml
            .as_deref()
            .is_some_and(|xml| xml.split(';').next().unwrap_or(xml).trim().eq_ignore_ascii_case(media_type))
    }
}

impl WireShape {
    /// What the document calls a field; `None` if it does not have it.
    pub(super) fn wire<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match self.fields.get(name) {
            Some(field) => field.as_ref().map(|field| field.wire.as_str()),
            None => Some(name),
        }
    }
}
