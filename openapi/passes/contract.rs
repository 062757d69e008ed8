//! What the facade needs from any document: `openapi/contract.toml`, read into types. How its terms are written stands in its head.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The contract.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    /// A type of id → the name of its path parameter.
    pub(crate) ids: BTreeMap<String, String>,
    pub(crate) operations: BTreeMap<String, OperationSpec>,
    pub(crate) schemas: BTreeMap<String, SchemaSpec>,
    pub(crate) enums: BTreeMap<String, EnumSpec>,
}

/// How much depends on an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rank {
    Core,
    Extra,
    Inferred,
}

/// An operation that the facade calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationSpec {
    pub(crate) rank: Rank,
    is: String,
    pub(crate) tag: String,
    pub(crate) takes: Option<String>,
    pub(crate) part: Option<String>,
    pub(crate) answers: String,
    #[serde(default)]
    pub(crate) xml: bool,
    pub(crate) items: Option<String>,
    #[serde(default)]
    pub(crate) paging: Vec<String>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, QuerySpec>,
    pub(crate) success: Vec<u16>,
}

/// What a successful answer holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answers<'a> {
    Nothing,
    Bytes,
    Json(&'a str),
}

impl OperationSpec {
    /// The method, in small letters as documents write it.
    pub(crate) fn method(&self) -> String {
        self.is.split(' ').next().unwrap_or_default().to_lowercase()
    }

    pub(crate) fn path(&self) -> &str {
        self.is.split_once(' ').map_or("", |(_, path)| path)
    }

    /// As people write it: `GET /api/users`.
    pub(crate) fn line(&self) -> &str {
        &self.is
    }

    pub(crate) fn answers(&self) -> Answers<'_> {
        match self.answers.as_str() {
            "nothing" => Answers::Nothing,
            "bytes" => Answers::Bytes,
            schema => Answers::Json(schema),
        }
    }
}

/// A query parameter that the facade sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuerySpec {
    pub(crate) is: String,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
}

/// A model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemaSpec {
    /// Of these fields a document must have one.
    #[serde(default)]
    pub(crate) one_of: Vec<String>,
    pub(crate) fields: BTreeMap<String, FieldSpec>,
}

/// What the facade does with a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Need {
    Always,
    Declared,
    #[default]
    Used,
    Known,
}

/// A field of a model, or only its type.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum FieldSpec {
    Short(String),
    Long(LongField),
}

/// A field with more than its type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongField {
    is: String,
    #[serde(default)]
    need: Need,
    #[serde(default)]
    also: Vec<String>,
}

impl FieldSpec {
    pub(crate) fn is(&self) -> &str {
        match self {
            Self::Short(is) => is,
            Self::Long(field) => &field.is,
        }
    }

    pub(crate) fn need(&self) -> Need {
        match self {
            Self::Short(_) => Need::default(),
            Self::Long(field) => field.need,
        }
    }

    pub(crate) fn also(&self) -> &[String] {
        match self {
            Self::Short(_) => &[],
            Self::Long(field) => &field.also,
        }
    }
}

/// A set of values that may grow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnumSpec {
    pub(crate) values: Vec<String>,
    #[serde(default)]
    pub(crate) needed: Vec<String>,
}

/// A type of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type<'a> {
    Text,
    Integer,
    Number,
    Boolean,
    Timestamp,
    Id(&'a str),
    Enum(&'a str),
    Schema(&'a str),
    List(Box<Type<'a>>),
    Map(Box<Type<'a>>),
}

impl Contract {
    /// Reads one, and checks that its names lead somewhere.
    pub(crate) fn read(text: &str) -> Result<Self, Vec<String>> {
        let contract: Self =
            toml::from_str(text).map_err(|error| vec![format!("openapi/contract.toml: {}", error.message())])?;
        let mut faults: Vec<String> = Vec::new();
        for (name, schema) in &contract.schemas {
            for (field, spec) in &schema.fields {
                if contract.kind(spec.is()).is_none() {
                    faults.push(format!("openapi/contract.toml: {name}.{field}: there is no type `{}`", spec.is()));
                }
            }
            for field in schema.one_of.iter().filter(|field| !schema.fields.contains_key(*field)) {
                faults.push(format!("openapi/contract.toml: {name} has no field {field}"));
            }
        }
        for (id, operation) in &contract.operations {
            let answer = match operation.answers() {
                Answers::Json(schema) => Some(schema),
                Answers::Bytes | Answers::Nothing => None,
            };
            for schema in operation.takes.as_deref().into_iter().chain(answer) {
                if !contract.schemas.contains_key(schema) {
                    faults.push(format!("openapi/contract.toml: {id}: there is no schema `{schema}`"));
                }
            }
            let known: BTreeSet<&str> = contract.ids.values().map(String::as_str).collect();
            for name in parameters(operation.path()).filter(|name| !known.contains(name)) {
                faults.push(format!("openapi/contract.toml: {id}: no id has the path parameter `{name}`"));
            }
            for (name, query) in &operation.query {
                if contract.kind(&query.is).is_none() {
                    faults.push(format!("openapi/contract.toml: {id}: {name}: there is no type `{}`", query.is));
                }
            }
        }
        if faults.is_empty() { Ok(contract) } else { Err(faults) }
    }

    /// The type that a text of the contract means.
    pub(crate) fn kind<'a>(&'a self, text: &'a str) -> Option<Type<'a>> {
        let inner = |open, close| text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
        if let Some(item) = inner('[', ']') {
            return Some(Type::List(Box::new(self.kind(item)?)));
        }
        if let Some(value) = inner('{', '}') {
            return Some(Type::Map(Box::new(self.kind(value)?)));
        }
        Some(match text {
            "text" => Type::Text,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            "timestamp" => Type::Timestamp,
            id if self.ids.contains_key(id) => Type::Id(text),
            name if self.enums.contains_key(name) => Type::Enum(text),
            name if self.schemas.contains_key(name) => Type::Schema(text),
            _ => return None,
        })
    }

    /// The type of id that a path parameter of this name holds.
    pub(crate) fn id_of_parameter(&self, name: &str) -> Option<&str> {
        self.ids.iter().find(|(_, parameter)| *parameter == name).map(|(id, _)| id.as_str())
    }
}

/// The names of a path's parameters, in order.
pub(crate) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(parameter)
}

/// The parameter that a segment of a path consists of.
pub(crate) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.contains(['{', '}']))
}
