//! Compilation of the operations of a document into specifications for the check.

use std::collections::HashMap;

use http::Method;
use serde_json::{Value, json};

use super::document::{essence, may_be_json, resolved};
use super::schema::{CompiledSchema, SchemaCompiler, SchemaForm, Strictness};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The specification of an operation.
pub(super) struct OperationSpec {
    pub(super) method: Method,
    /// The path with its `{parameters}`.
    pub(super) path: String,
    pub(super) parameters: Vec<ParameterSpec>,
    pub(super) body: Option<RequestBodySpec>,
    /// Responses by status (`200`, `4XX`) or `default`.
    pub(super) responses: HashMap<String, ResponseSpec>,
    pub(super) secured: bool,
}

/// The location of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterLocation {
    Path,
    Query,
    Header,
    Cookie,
}

/// The specification of a parameter.
pub(super) struct ParameterSpec {
    pub(super) name: String,
    pub(super) location: ParameterLocation,
    pub(super) required: bool,
    /// The type of the value, and the type of the items of an array.
    pub(super) kind: String,
    pub(super) items: Option<String>,
    pub(super) schema: Option<CompiledSchema>,
}

/// The specification of a request body.
pub(super) struct RequestBodySpec {
    pub(super) required: bool,
    pub(super) content: Vec<MediaSpec>,
}

/// A media type with the schema of its JSON, or the parts of its form.
pub(super) struct MediaSpec {
    pub(super) name: String,
    pub(super) schema: Option<CompiledSchema>,
    /// Name and necessity of each part of `multipart/form-data`.
    pub(super) parts: Vec<(String, bool)>,
}

/// The specification of a response.
pub(super) struct ResponseSpec {
    pub(super) content: Vec<MediaSpec>,
    pub(super) required_headers: Vec<String>,
}

/// The context of the compilation.
struct CompileContext<'a> {
    document: &'a Value,
    schemas: SchemaCompiler,
    strictness: Strictness,
}

/// Returns the name and full path of an operation, given its method, its path in the document, and the operation.
type OperationNaming = dyn Fn(&str, &str, &Value) -> Result<(String, String), String>;

/// Names an operation as the document does.
pub(super) fn by_id(method: &str, path: &str, operation: &Value) -> Result<(String, String), String> {
    let id = operation["operationId"].as_str().ok_or_else(|| format!("{method} {path} has no operationId"))?;
    Ok((id.to_owned(), path.to_owned()))
}

/// Names an operation as the table of operations does. The names of path parameters are ignored.
pub(super) fn by_table(method: &str, path: &str, _: &Value) -> Result<(String, String), String> {
    let path = format!("{}{path}", documine_api::document::SERVER_PATH);
    let same = |known: &str| {
        let (known, path) = (known.trim_end_matches('/').split('/'), path.trim_end_matches('/').split('/'));
        known.map(segment_shape).eq(path.map(segment_shape))
    };
    let known = documine_api::operations::OPERATIONS
        .iter()
        .find(|known| !known.missing && known.method.eq_ignore_ascii_case(method) && same(known.path));
    let known = known.ok_or_else(|| format!("{method} {path} is not in the table of operations"))?;
    Ok((known.id.to_owned(), path))
}

/// Returns a path segment, with one placeholder for all parameters.
fn segment_shape(segment: &str) -> &str {
    if segment.starts_with('{') && segment.ends_with('}') { "{}" } else { segment }
}

/// Compiles all operations of a document, with names from `naming`.
pub(super) fn operations(
    document: &Value,
    strictness: Strictness,
    naming: &OperationNaming,
) -> Result<HashMap<String, OperationSpec>, String> {
    let context = CompileContext { document, schemas: SchemaCompiler::new(document, strictness)?, strictness };
    let paths = document["paths"].as_object().ok_or("the document has no paths")?;
    let mut all = HashMap::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        for name in METHODS {
            let Some(operation) = item.get(name) else { continue };
            let (id, path) = naming(name, path, operation)?;
            let compiled = context.operation(&path, name, item, operation).map_err(|error| format!("{id}: {error}"))?;
            if all.insert(id.clone(), compiled).is_some() {
                return Err(format!("{id} occurs twice"));
            }
        }
    }
    Ok(all)
}

impl CompileContext<'_> {
    fn operation(&self, path: &str, method: &str, item: &Value, operation: &Value) -> Result<OperationSpec, String> {
        let mut parameters: Vec<ParameterSpec> = Vec::new();
        // Parameters of the path come first, so that the operation's own parameters replace them.
        for list in [&item["parameters"], &operation["parameters"]] {
            for parameter in list.as_array().into_iter().flatten() {
                for parameter in self.parameters(parameter)? {
                    parameters.retain(|known| (&known.name, known.location) != (&parameter.name, parameter.location));
                    parameters.push(parameter);
                }
            }
        }
        let body = match operation.get("requestBody") {
            None => None,
            Some(body) => {
                let body = resolved(self.document, body)?;
                Some(RequestBodySpec {
                    required: body["required"] == true,
                    content: self.content(&body["content"], SchemaForm::Open)?,
                })
            }
        };
        let mut responses = HashMap::new();
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            if status.starts_with("x-") {
                continue;
            }
            let success = status.starts_with('2') || status.eq_ignore_ascii_case("default");
            if self.strictness == Strictness::Lenient && !success {
                continue;
            }
            let response = resolved(self.document, response)?;
            let mut required_headers = Vec::new();
            for (name, header) in response["headers"].as_object().into_iter().flatten() {
                if self.strictness == Strictness::Strict && resolved(self.document, header)?["required"] == true {
                    required_headers.push(name.clone());
                }
            }
            let content = self.content(&response["content"], SchemaForm::Closed)?;
            responses.insert(status.to_ascii_uppercase(), ResponseSpec { content, required_headers });
        }
        let security = operation.get("security").or_else(|| self.document.get("security"));
        Ok(OperationSpec {
            method: method.to_ascii_uppercase().parse().map_err(|_| format!("`{method}` is not a method"))?,
            path: path.to_owned(),
            parameters,
            body,
            responses,
            secured: security.and_then(Value::as_array).is_some_and(|schemes| !schemes.is_empty()),
        })
    }

    /// Compiles a parameter as it is sent: an object in the query, such as `pageable`, is sent as one parameter per property unless its style
    /// differs.
    fn parameters(&self, parameter: &Value) -> Result<Vec<ParameterSpec>, String> {
        let given = resolved(self.document, parameter)?;
        let shape = given.get("schema").map(|schema| resolved(self.document, schema)).transpose()?;
        let properties = shape.and_then(|shape| shape["properties"].as_object());
        let is_spread = given["in"] == "query"
            && given.get("style").is_none_or(|style| style == "form")
            && given.get("explode") != Some(&Value::Bool(false));
        match properties.filter(|_| is_spread) {
            None => Ok(vec![self.parameter(given)?]),
            Some(properties) => properties
                .iter()
                .map(|(name, schema)| self.parameter(&json!({"name": name, "in": "query", "schema": schema})))
                .collect(),
        }
    }

    fn parameter(&self, parameter: &Value) -> Result<ParameterSpec, String> {
        let parameter = resolved(self.document, parameter)?;
        let name = parameter["name"].as_str().ok_or("a parameter has no name")?;
        let location = match parameter["in"].as_str() {
            Some("path") => ParameterLocation::Path,
            Some("query") => ParameterLocation::Query,
            Some("header") => ParameterLocation::Header,
            Some("cookie") => ParameterLocation::Cookie,
            _ => return Err(format!("the parameter `{name}` has no valid location")),
        };
        let schema = parameter.get("schema");
        let shape = schema.map(|schema| resolved(self.document, schema)).transpose()?.unwrap_or(&Value::Null);
        let items = shape.get("items").map(|items| resolved(self.document, items)).transpose()?;
        let kind = |shape: &Value| shape["type"].as_str().unwrap_or("string").to_owned();
        Ok(ParameterSpec {
            name: name.to_owned(),
            location,
            required: parameter["required"] == true,
            kind: kind(shape),
            items: items.map(kind),
            schema: schema.map(|schema| self.schemas.compile(schema, SchemaForm::Open)).transpose()?,
        })
    }

    fn content(&self, content: &Value, form: SchemaForm) -> Result<Vec<MediaSpec>, String> {
        let mut all = Vec::new();
        let is_extension = |name: &str| name.starts_with("x-") && !name.contains('/');
        for (name, media) in content.as_object().into_iter().flatten().filter(|(name, _)| !is_extension(name)) {
            let (essence, schema) = (essence(name), media.get("schema"));
            let compiled = match schema {
                Some(schema) if may_be_json(&essence) => Some(self.schemas.compile(schema, form)?),
                _ => None,
            };
            let parts = match schema {
                Some(schema) if essence == "multipart/form-data" => parts(resolved(self.document, schema)?),
                _ => Vec::new(),
            };
            all.push(MediaSpec { name: name.clone(), schema: compiled, parts });
        }
        Ok(all)
    }
}

fn parts(schema: &Value) -> Vec<(String, bool)> {
    let required =
        |name: &String| schema["required"].as_array().is_some_and(|list| list.iter().any(|item| item == name));
    let declared = schema["properties"].as_object().into_iter().flatten();
    declared.map(|(name, _)| (name.clone(), required(name))).collect()
}
