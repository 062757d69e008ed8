//! The facade's requirements for any document: the types of `openapi/contract.toml`, whose head explains the terms.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The contract.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The name of the path parameter of each id type.
    pub ids: BTreeMap<String, String>,
    /// The operations, by operationId.
    pub operations: BTreeMap<String, OperationSpec>,
    /// The models, by name.
    pub schemas: BTreeMap<String, SchemaSpec>,
    /// The enums, by name.
    pub enums: BTreeMap<String, EnumSpec>,
}

/// The importance of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// The main job depends on the operation: a document without it is rejected.
    Core,
    /// The facade offers the operation: a document without it is rejected, unless the user accepts.
    Extra,
    /// The path is a guess: a document without the operation is accepted.
    Inferred,
}

/// An operation that the facade calls.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationSpec {
    /// The importance.
    pub rank: Rank,
    is: String,
    /// The tag of the API.
    pub tag: String,
    /// The schema of the JSON request body.
    pub takes: Option<String>,
    /// The name of the form part that holds the file.
    pub part: Option<String>,
    /// The schema of the JSON response, `bytes`, or `nothing`.
    pub answers: String,
    /// `true` if the response may be XML as well.
    #[serde(default)]
    pub xml: bool,
    /// The field of the response that holds the list.
    pub items: Option<String>,
    /// The supported kinds of paging.
    #[serde(default)]
    pub paging: Vec<String>,
    /// The query parameters, by name.
    #[serde(default)]
    pub query: BTreeMap<String, QuerySpec>,
    /// The success statuses of the simulator.
    pub success: Vec<u16>,
}

/// The content of a successful response.
#[derive(Debug, PartialEq, Eq)]
pub enum ResponseKind<'a> {
    /// No body.
    Empty,
    /// Bytes of any media type.
    Bytes,
    /// JSON of the named schema.
    Json(&'a str),
}

impl OperationSpec {
    /// Returns the method in lower case, as in documents.
    pub fn method(&self) -> String {
        self.is.split(' ').next().unwrap_or_default().to_lowercase()
    }

    /// Returns the path template.
    pub fn path(&self) -> &str {
        self.is.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Returns method and path: `GET /api/users`.
    pub fn line(&self) -> &str {
        &self.is
    }

    /// Returns the content of a successful response.
    pub fn answers(&self) -> ResponseKind<'_> {
        match self.answers.as_str() {
            "nothing" => ResponseKind::Empty,
            "bytes" => ResponseKind::Bytes,
            schema => ResponseKind::Json(schema),
        }
    }
}

/// A query parameter that the facade sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// The type, in the notation of the contract.
    pub is: String,
    /// The value that an absent parameter stands for.
    pub default: Option<String>,
    /// Other names with the same meaning.
    #[serde(default)]
    pub also: Vec<String>,
}

/// A model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSpec {
    /// Fields of which a document must have at least one.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// The fields, by name.
    pub fields: BTreeMap<String, FieldSpec>,
}

/// The dependence of the facade on a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Present in every response, or sent with every request.
    Always,
    /// Declared by the document, optional in responses.
    Declared,
    /// Optional in the document; the type must fit.
    #[default]
    Used,
    /// Optional in the document; another type is accepted.
    Known,
}

/// A field of a model.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum FieldSpec {
    /// The type alone.
    Short(String),
    /// A table.
    Long(LongField),
}

/// A field with more settings than the type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongField {
    is: String,
    #[serde(default)]
    need: Need,
    #[serde(default)]
    also: Vec<String>,
}

impl FieldSpec {
    /// Returns the type, in the notation of the contract.
    pub fn is(&self) -> &str {
        match self {
            Self::Short(is) => is,
            Self::Long(field) => &field.is,
        }
    }

    /// Returns the dependence of the facade on the field.
    pub fn need(&self) -> Need {
        match self {
            Self::Short(_) => Need::default(),
            Self::Long(field) => field.need,
        }
    }

    /// Returns other names with the same meaning.
    pub fn also(&self) -> &[String] {
        match self {
            Self::Short(_) => &[],
            Self::Long(field) => &field.also,
        }
    }
}

/// An open enum.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumSpec {
    /// The values that are variants with every document.
    pub values: Vec<String>,
    /// The values that a document with a list of values must contain.
    #[serde(default)]
    pub needed: Vec<String>,
}

/// A type of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type<'a> {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A date-time.
    Timestamp,
    /// An id of the named type.
    Id(&'a str),
    /// A value of the named enum.
    Enum(&'a str),
    /// An object of the named schema.
    Schema(&'a str),
    /// A list.
    List(Box<Type<'a>>),
    /// A map from strings.
    Map(Box<Type<'a>>),
}

impl Contract {
    /// Parses a contract and checks that every name in the contract is defined.
    pub fn read(text: &str) -> Result<Self, Vec<String>> {
        let contract: Self =
            toml::from_str(text).map_err(|error| vec![format!("openapi/contract.toml: {}", error.message())])?;
        let mut faults: Vec<String> = Vec::new();
        for (name, schema) in &contract.schemas {
            for (field, spec) in &schema.fields {
                if contract.kind(spec.is()).is_none() {
                    faults.push(format!("openapi/contract.toml: {name}.{field}: unknown type `{}`", spec.is()));
                }
            }
            for field in schema.one_of.iter().filter(|field| !schema.fields.contains_key(*field)) {
                faults.push(format!("openapi/contract.toml: {name}: `one_of` names the unknown field {field}"));
            }
        }
        for (id, operation) in &contract.operations {
            let answer = match operation.answers() {
                ResponseKind::Json(schema) => Some(schema),
                ResponseKind::Bytes | ResponseKind::Empty => None,
            };
            for schema in operation.takes.as_deref().into_iter().chain(answer) {
                if !contract.schemas.contains_key(schema) {
                    faults.push(format!("openapi/contract.toml: {id}: unknown schema `{schema}`"));
                }
            }
            let known: BTreeSet<&str> = contract.ids.values().map(String::as_str).collect();
            for name in parameters(operation.path()).filter(|name| !known.contains(name)) {
                faults.push(format!("openapi/contract.toml: {id}: no id type has the path parameter `{name}`"));
            }
            for (name, query) in &operation.query {
                if contract.kind(&query.is).is_none() {
                    faults.push(format!("openapi/contract.toml: {id}: {name}: unknown type `{}`", query.is));
                }
            }
        }
        if faults.is_empty() { Ok(contract) } else { Err(faults) }
    }

    /// Parses a type in the notation of the contract; `None` for an unknown type.
    pub fn kind<'a>(&'a self, text: &'a str) -> Option<Type<'a>> {
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

    /// Returns the id type of the path parameter `name`.
    pub fn id_of_parameter(&self, name: &str) -> Option<&str> {
        self.ids.iter().find(|(_, parameter)| *parameter == name).map(|(id, _)| id.as_str())
    }
}

/// Returns the parameter names of a path template, in order.
pub fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(parameter)
}

/// Returns the parameter name of a path segment that is one parameter.
pub fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').filter(|name| !name.contains(['{', '}']))
}
