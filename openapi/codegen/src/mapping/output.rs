//! The mapping as JSON for the simulator, and as a Markdown page for the crate's documentation.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Mapping, SchemaMapping};
use crate::contract::{Contract, ResponseKind, Type};
use crate::media_types::{self, Family};
use crate::tree::{self, escape};

impl Mapping {
    /// Returns the mapping as JSON for the simulator; `document` is the mapped document.
    pub fn to_json(&self, contract: &Contract, document: &Value) -> Value {
        let mut operations = Map::new();
        for (id, mapped) in &self.operations {
            let Some(place) = &mapped.location else {
                operations.insert(id.clone(), Value::Null);
                continue;
            };
            let operation = document
                .pointer(&format!("/paths/{}/{}", escape(&place.path), place.method))
                .and_then(Value::as_object);
            let types: Vec<&str> = operation.map(media_types::of_success).unwrap_or_default();
            let first = |wanted: Family| types.iter().find(|name| media_types::family(name) == wanted);
            let accept = operation.and_then(|operation| tree::text(operation, "x-accept"));
            // The contract expects no content, but the document declares a response body.
            let empty = contract.operations.get(id).is_some_and(|spec| matches!(spec.answers(), ResponseKind::Empty));
            let schema = operation.filter(|_| empty && mapped.with_content).and_then(success_schema);
            operations.insert(
                id.clone(),
                json!({
                    "document": {"path": place.path, "method": place.method, "operationId": place.id},
                    "path": place.wire,
                    "query": mapped.query,
                    "headers": mapped.headers,
                    "part": mapped.part,
                    "takes": mapped.takes,
                    "answers": mapped.answers,
                    "success": mapped.success,
                    "content": mapped.with_content,
                    "accept": accept,
                    "xml": first(Family::Xml),
                    "other": first(Family::Other),
                    "sample": schema.map(|schema| sample(schema, document, 0)),
                }),
            );
        }
        let mut schemas_json = Map::new();
        for (name, sources) in &self.schemas {
            for bound in sources {
                schemas_json.insert(bound.key.clone(), schema_json(contract, name, bound, document));
            }
        }
        json!({
            "identity": self.is_identity(contract),
            "prefix": self.prefix,
            "server": self.server,
            "operations": operations,
            "shapes": schemas_json,
        })
    }

    /// Returns the mapping as a Markdown page.
    pub fn to_markdown(&self, contract: &Contract) -> String {
        let mut text = String::from(
            "# Operations of the contract in the document\n\n| operation | in the document | name in the document |\n|---|---|---|\n",
        );
        for (id, mapped) in &self.operations {
            let (place, name) = match &mapped.location {
                Some(place) => {
                    let name = place.id.as_ref().map_or_else(|| String::from("none"), |id| inline_code(id));
                    let name = if mapped.decided { format!("{name}, chosen by the user") } else { name };
                    (inline_code(&format!("{} {}", place.method.to_uppercase(), place.wire)), name)
                }
                None => (String::from("**missing**: a call fails and sends nothing"), String::new()),
            };
            let _ = writeln!(text, "| {} | {place} | {name} |", inline_code(id));
        }
        let other: Vec<(String, String)> = self
            .schemas
            .iter()
            .flat_map(|(name, sources)| sources.iter().map(move |bound| (name, bound)))
            .flat_map(|(name, bound)| {
                let renamed = bound.fields.iter().filter(|(field, found)| found.wire.as_ref() != Some(*field));
                renamed.map(move |(field, found)| {
                    (
                        format!("{name}.{field}"),
                        found.wire.as_deref().map_or_else(|| String::from("missing"), inline_code),
                    )
                })
            })
            .collect();
        if !other.is_empty() {
            text.push_str("\n| field | in the document |\n|---|---|\n");
            for (field, wire) in other {
                let _ = writeln!(text, "| {} | {wire} |", inline_code(&field));
            }
        }
        let _ = writeln!(text, "\n{} operations of the contract, below `{}`.", contract.operations.len(), self.prefix);
        text
    }
}

/// Returns the JSON schema of an operation's success response.
fn success_schema(operation: &Map<String, Value>) -> Option<&Value> {
    let responses = tree::object(operation, "responses")?;
    let mut statuses: Vec<&String> = responses.keys().filter(|status| status.starts_with('2')).collect();
    statuses.sort();
    statuses.into_iter().find_map(|status| responses.get(status)?.pointer("/content/application~1json/schema"))
}

fn schema_json(contract: &Contract, name: &str, bound: &SchemaMapping, document: &Value) -> Value {
    let declared = document.pointer(&format!("{}/required", bound.pointer)).and_then(Value::as_array);
    let is_required = |wire: &str| declared.into_iter().flatten().any(|name| name == wire);
    let mut fields = Map::new();
    for (field, found) in &bound.fields {
        let spec = contract.schemas.get(name).and_then(|schema| schema.fields.get(field));
        let container_kind = spec.and_then(|spec| contract.kind(spec.is())).map_or("one", |kind| container_kind(&kind));
        fields.insert(
            field.clone(),
            match &found.wire {
                None => Value::Null,
                Some(_) if found.uses_document_type => Value::Null,
                Some(wire) => {
                    let mut field = json!({"wire": wire, "shape": found.target, "holds": container_kind});
                    if is_nullable(&found.schema, document) {
                        field["nullable"] = json!(true);
                    }
                    if !bound.is_request && is_required(wire) {
                        field["required"] = json!(true);
                        field["sample"] = sample(&found.schema, document, 0);
                    }
                    field
                }
            },
        );
    }
    let mut extra = Map::new();
    let uses_document_type = bound.fields.values().filter(|found| found.uses_document_type).filter_map(|found| {
        let wire = found.wire.as_ref()?;
        Some((wire, &found.schema))
    });
    let required = bound.required_extra_fields.iter().filter_map(|name| Some((name, bound.extra_fields.get(name)?)));
    if !bound.is_request {
        for (name, schema) in required.chain(uses_document_type.filter(|(wire, _)| is_required(wire))) {
            extra.insert(name.clone(), sample(schema, document, 0));
        }
    }
    json!({"fields": fields, "extra": extra})
}

/// Returns `true` if the schema allows `null`.
fn is_nullable(schema: &Value, document: &Value) -> bool {
    [schema, resolved(schema, document)].iter().any(|schema| schema.get("nullable") == Some(&Value::Bool(true)))
}

fn container_kind(kind: &Type<'_>) -> &'static str {
    match kind {
        Type::List(_) => "list",
        Type::Map(inner) if matches!(**inner, Type::List(_)) => "map of lists",
        Type::Map(_) => "map",
        _ => "one",
    }
}

/// Maximum nesting of a sample value.
const MAX_SAMPLE_DEPTH: usize = 8;

/// Returns a sample value of a schema, for required fields that the simulator does not know.
fn sample(schema: &Value, document: &Value, depth: usize) -> Value {
    let schema = resolved(schema, document);
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    if let Some(example) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return example.clone();
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) || depth > MAX_SAMPLE_DEPTH {
        return Value::Null;
    }
    match (text("type"), text("format")) {
        (Some("integer" | "number"), _) => {
            let least = schema.get("minimum").filter(|least| least.is_number());
            least.cloned().unwrap_or_else(|| json!(0))
        }
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) => json!([]),
        (Some("string"), Some("date-time")) => json!("2020-01-23T04:56:07.000+00:00"),
        (Some("string"), Some("date")) => json!("2020-01-23"),
        (Some("string"), Some("uuid")) => json!("00000000-0000-4000-8000-000000000000"),
        (Some("string"), _) => json!("text"),
        _ => {
            let mut made = Map::new();
            let properties = schema.get("properties").and_then(Value::as_object);
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                let property = properties.and_then(|properties| properties.get(name)).cloned().unwrap_or_default();
                made.insert(name.to_owned(), sample(&property, document, depth + 1));
            }
            Value::Object(made)
        }
    }
}

/// Returns a schema after following its references.
fn resolved<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..16 {
        let target =
            super::fit::reference_of(schema).and_then(|reference| document.pointer(reference.strip_prefix('#')?));
        let Some(target) = target else {
            break;
        };
        schema = target;
    }
    schema
}

/// Returns a name of the document as inline code that cannot break the table.
fn inline_code(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control() && *c != '`' && *c != '|').take(120).collect();
    if plain.trim().is_empty() { String::from("none") } else { format!("`{plain}`") }
}
