//! The mapping written by the build, and the names it defines.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// The document's names for the contract.
#[derive(Debug, Deserialize)]
pub(crate) struct WireMapping {
    identity: bool,
    operations: BTreeMap<String, Option<WireOperation>>,
    shapes: BTreeMap<String, WireShape>,
}

/// The document's form of an operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireOperation {
    query: BTreeMap<String, Option<String>>,
    /// The query parameters that are headers in the document.
    headers: BTreeSet<String>,
    takes: Option<String>,
    /// The shape of the response.
    pub(super) answers: Option<String>,
    /// The documented success statuses.
    pub(super) success: Vec<String>,
    /// True if a success has a body.
    pub(super) content: bool,
    /// The accepted media types of requests.
    pub(super) accept: Option<String>,
    /// The media type of XML, if the operation has one.
    pub(super) xml: Option<String>,
    /// The media type that is neither JSON nor XML.
    pub(super) other: Option<String>,
    /// A sample body, for operations whose contract has no body.
    pub(super) sample: Option<Value>,
}

/// The document's form of a model.
#[derive(Debug, Deserialize)]
pub(crate) struct WireShape {
    /// Fields by their contract name. `None`: missing in the document.
    pub(super) fields: BTreeMap<String, Option<WireField>>,
    /// Required fields that the contract lacks, with sample values.
    pub(super) extra: BTreeMap<String, Value>,
}

/// The document's form of a field.
#[derive(Debug, Deserialize)]
pub(crate) struct WireField {
    pub(super) wire: String,
    #[serde(default)]
    pub(super) shape: Option<String>,
    #[serde(default, rename = "holds")]
    pub(super) cardinality: Cardinality,
    /// True if the field may be `null`.
    #[serde(default)]
    pub(super) nullable: bool,
    /// True if every response must have the field. `sample` is then a value for it.
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) sample: Value,
}

/// The number of values in a field.
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
    /// Parses the mapping. `None` if no translation is necessary.
    ///
    /// Another document can agree in every name and still differ in statuses or media types, so only the vendored document needs no translation.
    pub(super) fn read(text: &str, ours: bool) -> Result<Option<Self>, String> {
        let wire: Self = serde_json::from_str(text).map_err(|error| format!("invalid mapping: {error}"))?;
        Ok((!ours || !wire.identity).then_some(wire))
    }

    pub(crate) fn operation(&self, id: &str) -> Option<&WireOperation> {
        self.operations.get(id)?.as_ref()
    }

    pub(super) fn shape(&self, key: &str) -> Option<&WireShape> {
        self.shapes.get(key)
    }

    /// Translates a request body to the contract's names. Unknown fields stay unchanged.
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
            // Under a contract name the value would have another meaning.
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
    /// Returns the document's name of a query parameter. `None` if it is missing in the document.
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

    /// Returns whether `media_type` is the XML media type of the operation.
    pub(crate) fn is_xml(&self, media_type: &str) -> bool {
        self.xml
            .as_deref()
            .is_some_and(|xml| xml.split(';').next().unwrap_or(xml).trim().eq_ignore_ascii_case(media_type))
    }
}

impl WireShape {
    /// Returns the document's name of a field. `None` if it is missing in the document.
    pub(super) fn wire<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match self.fields.get(name) {
            Some(field) => field.as_ref().map(|field| field.wire.as_str()),
            None => Some(name),
        }
    }
}
