//! Fields with other types, values and rules, and more or fewer of them.

use serde_json::{Map, Value, json};

use crate::lookup::{self, Object};

/// Operations that return a list in an envelope.
const LISTS: &[&str] =
    &["GET /dossier-templates", "GET /dossiers", "GET /dossiers/{}/files", "GET /downloads", "GET /users"];

/// No schema has a format, except files in forms, which only the format identifies.
pub fn formats_removed(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        if lookup::text(schema, "format").is_some_and(|format| format != "binary") {
            schema.remove("format");
        }
    });
}

/// No schema and no body requires anything.
pub fn nothing_required(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        schema.remove("required");
    });
    lookup::operations(document, &mut |_, _, operation| {
        if let Some(Value::Object(body)) = operation.get_mut("requestBody") {
            body.remove("required");
        }
    });
}

/// Response models require all fields.
pub fn everything_required(document: &mut Value) {
    for line in ["GET /files/{}", "GET /dossiers/{}", "GET /downloads/{}", "GET /files/{}/components", "GET /license"] {
        let Some(at) = lookup::response(document, line) else {
            continue;
        };
        let fields = document.pointer(&format!("{at}/properties")).and_then(Value::as_object);
        let Some(names) = fields.map(|fields| fields.keys().cloned().collect::<Vec<String>>()) else {
            continue;
        };
        lookup::set(document, &at, "required", json!(names));
    }
}

/// List envelopes have counts, links and flags.
pub fn envelope_with_more_keys(document: &mut Value) {
    for line in LISTS {
        let Some(list) = lookup::response(document, line) else {
            continue;
        };
        if let Some(Value::Object(properties)) = document.pointer_mut(&format!("{list}/properties")) {
            properties.insert(String::from("total"), json!({"type": "integer", "format": "int64"}));
            properties.insert(String::from("page"), json!({"type": "integer", "format": "int32"}));
            properties.insert(String::from("hasNext"), json!({"type": "boolean"}));
            properties.insert(String::from("warnings"), json!({"type": "array", "items": {"type": "string"}}));
            let link = json!({"type": "object", "properties": {"href": {"type": "string", "format": "uri"}}});
            properties.insert(String::from("_links"), json!({"type": "object", "additionalProperties": link}));
        }
    }
}

/// Returns whether a field contains ids, by its name.
fn is_id(name: &str) -> bool {
    // Ids of rules are names, not UUIDs.
    if name.ends_with("RuleId") {
        return false;
    }
    name == "id" || name.ends_with("Id") || name.ends_with("Ids") || name.ends_with("_id")
}

/// Ids have the format `uuid`, in fields and paths.
pub fn ids_as_uuid(document: &mut Value) {
    let mark = |schema: &mut Value| {
        if let Value::Object(schema) = schema {
            let holder = if let Some(Value::Object(items)) = schema.get_mut("items") { items } else { schema };
            if lookup::text(holder, "type") == Some("string") {
                holder.insert(String::from("format"), json!("uuid"));
            }
        }
    };
    lookup::every_schema(document, &mut |schema| {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.iter_mut().filter(|(name, _)| is_id(name)).for_each(|(_, inner)| mark(inner));
        }
    });
    lookup::parameters(document, &mut |parameter| {
        if lookup::text(parameter, "in") == Some("path")
            && let Some(schema) = parameter.get_mut("schema")
        {
            mark(schema);
        }
    });
}

/// Enums have unknown values with unusual characters.
pub fn enum_supersets(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && values.iter().all(Value::is_string)
        {
            values.extend(["ON_HOLD", "on-hold", "2ND_PASS", "", "ÄNDERUNG", "SELF"].map(Value::from));
        }
    });
}

/// Enums are texts without a list of values.
pub fn enums_without_values(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        schema.remove("enum");
    });
}

/// Models have unknown fields.
pub fn unknown_fields(document: &mut Value) {
    let mut more = Map::new();
    more.insert(String::from("etag"), json!({"type": "string"}));
    more.insert(String::from("revision"), json!({"type": "integer"}));
    more.insert(String::from("score"), json!({"type": "number", "format": "float"}));
    more.insert(String::from("anything"), json!({}));
    more.insert(String::from("labels"), json!({"type": "object", "additionalProperties": {"type": "string"}}));
    more.insert(String::from("audit"), json!({"type": "object", "required": ["by"], "properties": {"by": {"type": "string"}, "at": {"type": "string", "format": "date"}}}));
    more.insert(String::from("x-internal"), json!({"type": "string"}));
    more.insert(String::from("extra"), json!({"type": "string"}));
    more.insert(String::from("mode"), json!({"type": "string", "enum": ["A", "B"], "default": "A"}));
    for line in ["GET /files/{}", "GET /dossiers/{}", "GET /downloads/{}", "GET /dossier-templates/{}", "GET /license"]
    {
        if let Some(at) = lookup::response(document, line) {
            if let Some(Value::Object(properties)) = document.pointer_mut(&format!("{at}/properties")) {
                properties.extend(more.clone());
            }
            lookup::push(document, &at, "required", json!("revision"));
        }
    }
    for line in ["POST /dossiers", "POST /dossiers/{}/create-download"] {
        if let Some(at) = lookup::request(document, line) {
            lookup::set(document, &format!("{at}/properties"), "priority", json!({"type": "integer", "default": 3}));
        }
    }
}

/// Optional fields of the facade are missing.
pub fn without_optional_field(document: &mut Value) {
    let fields = [
        ("GET /files/{}", "numberOfPages"),
        ("GET /files/{}", "errorMessage"),
        ("GET /dossiers/{}", "ownerId"),
        ("GET /dossiers/{}", "dueDate"),
        ("GET /downloads/{}", "errorMessage"),
        ("GET /files/{}/components", "componentDetails"),
        ("GET /license", "licensedPages"),
        ("POST /files", "processedFileIds"),
    ];
    for (line, field) in fields {
        if let Some(at) = lookup::response(document, line) {
            drop_field(document, &at, field);
        }
    }
}

pub(super) fn drop_field(document: &mut Value, schema: &str, field: &str) {
    lookup::remove(document, &format!("{schema}/properties"), field);
    if let Some(Value::Array(required)) = document.pointer_mut(&format!("{schema}/required")) {
        required.retain(|name| name != field);
    }
}

/// Fields of which only the models know have another type.
pub fn known_field_of_another_type(document: &mut Value) {
    let fields = [
        ("GET /files/{}", "fileSize", json!({"type": "string"})),
        ("GET /files/{}", "added", json!({"type": "integer", "format": "int64"})),
        (
            "GET /files/{}",
            "assignee",
            json!({"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}),
        ),
        ("GET /dossiers/{}", "archivedTime", json!({"type": "array", "items": {"type": "integer"}})),
        ("GET /downloads/{}", "fileName", json!({"type": "boolean"})),
        ("GET /license", "active", json!({"type": "string", "enum": ["YES", "NO"]})),
    ];
    for (line, field, schema) in fields {
        if let Some(at) = lookup::response(document, line)
            && lookup::field(document, &at, field).is_some()
        {
            lookup::set(document, &format!("{at}/properties"), field, schema);
        }
    }
}

/// Schemas have limits, patterns and defaults that real responses violate.
pub fn constraints_added(document: &mut Value) {
    lookup::every_schema(document, &mut |schema: &mut Object| {
        let more = match lookup::text(schema, "type") {
            Some("string") if !schema.contains_key("enum") && lookup::text(schema, "format").is_none() => {
                json!({"minLength": 1, "maxLength": 3, "pattern": "^(?=[a-z])[a-z\\d]{1,3}$", "default": "abc", "readOnly": true})
            }
            Some("integer") => {
                json!({"minimum": 1, "maximum": 2, "exclusiveMaximum": true, "multipleOf": 2, "default": 1})
            }
            Some("number") => json!({"minimum": 0.5, "maximum": 1e300}),
            Some("array") => json!({"minItems": 1, "maxItems": 2, "uniqueItems": true}),
            Some("object") => json!({"minProperties": 1, "maxProperties": 1}),
            _ => json!({}),
        };
        if let Value::Object(more) = more {
            schema.extend(more);
        }
    });
}

/// Fields have the schemas that Java tools write for unknown classes.
pub fn java_objects(document: &mut Value) {
    let whole = json!({"type": "integer", "format": "int32"});
    let flag = json!({"type": "boolean"});
    lookup::add_schema(
        document,
        "LocalTime",
        json!({"type": "object", "properties": {"hour": whole, "minute": whole, "second": whole, "nano": whole}}),
    );
    lookup::add_schema(
        document,
        "JsonNode",
        json!({"type": "object", "properties": {"array": flag, "object": flag, "null": flag, "nodeType": {"type": "string"}}}),
    );
    let sort = json!({"type": "object", "properties": {"empty": flag, "sorted": flag, "unsorted": flag}});
    lookup::add_schema(
        document,
        "PageableObject",
        json!({"type": "object", "properties": {"paged": flag, "unpaged": flag, "offset": whole, "sort": sort}}),
    );
    for line in ["GET /files/{}", "GET /dossiers/{}", "GET /license"] {
        let Some(at) = lookup::response(document, line) else {
            continue;
        };
        if let Some(Value::Object(properties)) = document.pointer_mut(&format!("{at}/properties")) {
            properties.insert(
                String::from("features"),
                json!({"type": "object", "additionalProperties": {"type": "object"}}),
            );
            properties.insert(String::from("anyObject"), json!({"type": "object"}));
            properties.insert(String::from("anyList"), json!({"type": "array", "items": {"type": "object"}}));
            properties.insert(String::from("closingTime"), json!({"$ref": "#/components/schemas/LocalTime"}));
            properties.insert(String::from("tree"), json!({"$ref": "#/components/schemas/JsonNode"}));
            properties.insert(String::from("pageable"), json!({"$ref": "#/components/schemas/PageableObject"}));
            for name in ["dossierAttributes", "fileAttributes"] {
                if let Some(attributes) = properties.get_mut(name) {
                    *attributes = json!({"type": "object", "additionalProperties": {"type": "object"}});
                }
            }
        }
    }
}

/// The document has version 3.1 and lists of types with `null`.
pub fn openapi_3_1(document: &mut Value) {
    lookup::set(document, "", "openapi", json!("3.1.0"));
    lookup::set(document, "", "jsonSchemaDialect", json!("https://json-schema.org/draft/2020-12/schema"));
    lookup::every_schema(document, &mut |schema| {
        let may_be_null = schema.remove("nullable") == Some(Value::Bool(true));
        if let Some(Value::String(kind)) = schema.get("type").filter(|_| may_be_null) {
            let types = json!([kind, "null"]);
            schema.insert(String::from("type"), types);
        }
        if let Some(example) = schema.remove("example") {
            schema.insert(String::from("examples"), json!([example]));
        }
    });
}
