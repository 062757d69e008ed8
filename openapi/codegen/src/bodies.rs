//! Reduces request bodies to one media type.
//!
//! Why: the generator supports one media type per body, out of four, requires a schema, and panics for an `encoding`.
//! Finds: the media types of request bodies, and files among the parameters.
//! Holds afterwards: a body has one media type, the first available of: JSON, a form with files, a form, bytes, any other. JSON
//! without a schema is any JSON value; JSON under another name is `application/json`; everything else is bytes.
//! `x-content-type` contains the media type to send. A file among the parameters is a form part. A JSON body with a file
//! becomes a form, because JSON cannot contain files.
//! Delete when: the generator supports any media type.

use serde_json::{Value, json};

use crate::media_types::{self, Family};
use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        edits += move_file_parameters(operation, &schemas);
        let Some(Value::Object(body)) = operation.get("requestBody") else {
            return;
        };
        if body.contains_key("$ref") {
            return;
        }
        let Some((name, media_type)) = preferred_media_type(body, &schemas) else {
            operation.remove("requestBody");
            edits += 1;
            return;
        };
        let (content, wanted) = reduced_content(&name, media_type, &schemas);
        if let Some(wanted) = wanted {
            operation.insert(String::from("x-content-type"), Value::String(wanted));
        }
        if let Some(Value::Object(body)) = operation.get_mut("requestBody")
            && body.get("content") != Some(&content)
        {
            body.insert(String::from("content"), content);
            edits += 1;
        }
    });
    edits
}

/// Moves file parameters into the form; returns the number of moved parts.
/// // Older tools describe Spring's `MultipartFile` as a query parameter. An object with a file is moved with all its
/// properties, and so are the `formData` parameters of Swagger 2.0.
fn move_file_parameters(operation: &mut Object, schemas: &Object) -> usize {
    let takes_form = operation.get("requestBody").is_none_or(|body| {
        let content = body.get("content").and_then(Value::as_object);
        content.is_some_and(|content| content.keys().any(|name| media_types::family(name) == Family::Multipart))
    });
    let Some(Value::Array(parameters)) = operation.get_mut("parameters").filter(|_| takes_form) else {
        return 0;
    };
    let mut parts = Object::new();
    let mut required: Vec<Value> = Vec::new();
    parameters.retain(|parameter| {
        let Some(parameter) = parameter.as_object() else {
            return true;
        };
        let (name, place) = (tree::text(parameter, "name"), tree::text(parameter, "in"));
        let schema = tree::object(parameter, "schema");
        let target = schema.and_then(|schema| tree::resolve_schema(schema, schemas));
        let media_type = parameter.get("schema").map(|schema| json!({"schema": schema}));
        let is_moved =
            place == Some("formData") || (place == Some("query") && holds_file(media_type.as_ref(), schemas));
        let (Some(name), true) = (name, is_moved) else {
            return true;
        };
        let object = target.and_then(|target| Some((target, tree::object(target, "properties")?)));
        if let Some((target, properties)) = object {
            parts.extend(properties.clone());
            required.extend(target.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
        } else {
            let is_file = tree::text(parameter, "type") == Some("file");
            let bare = if is_file { json!({"type": "string", "format": "binary"}) } else { json!({"type": "string"}) };
            parts.insert(name.to_owned(), schema.cloned().map_or(bare, Value::Object));
            required.extend(tree::is_true(parameter, "required").then(|| json!(name)));
        }
        false
    });
    let moved = parts.len();
    if moved == 0 {
        return 0;
    }
    let form = form(operation, schemas);
    let mut properties = tree::object(&form, "properties").cloned().unwrap_or_default();
    required.extend(form.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
    properties.extend(parts);
    let form = json!({"type": "object", "properties": properties, "required": required});
    operation.insert(String::from("requestBody"), json!({"content": {"multipart/form-data": {"schema": form}}}));
    moved
}

/// Returns the schema of the operation's form; empty without a form.
fn form(operation: &Object, schemas: &Object) -> Object {
    let content = tree::object(operation, "requestBody").and_then(|body| tree::object(body, "content"));
    let form = content.into_iter().flatten().find(|(name, _)| media_types::family(name) == Family::Multipart);
    let schema = form.and_then(|(_, media_type)| media_type.get("schema")).and_then(Value::as_object);
    schema.and_then(|schema| tree::resolve_schema(schema, schemas)).cloned().unwrap_or_default()
}

/// Returns the preferred media type with its description.
fn preferred_media_type(body: &Object, schemas: &Object) -> Option<(String, Object)> {
    let content = tree::object(body, "content")?;
    let mut names = tree::sorted_keys(content);
    names.sort_by_key(|name| rank(name, content.get(name), schemas));
    let name = names.into_iter().next()?;
    let media_type = content.get(&name).and_then(Value::as_object).cloned().unwrap_or_default();
    Some((name, media_type))
}

fn rank(name: &str, media_type: Option<&Value>, schemas: &Object) -> usize {
    let essence = media_types::essence(name);
    let has_schema = media_type.is_some_and(|media_type| media_type.get("schema").is_some());
    match media_types::family(name) {
        Family::Json if essence == "application/json" => 0,
        Family::Json => 1,
        _ if is_range(&essence) && has_schema && !holds_file(media_type, schemas) => 2,
        Family::Multipart => 3,
        _ if is_range(&essence) && holds_file(media_type, schemas) && !is_whole_file(media_type, schemas) => 3,
        _ if essence == "application/x-www-form-urlencoded" => 4,
        _ if essence == "application/octet-stream" => 5,
        _ => 6,
    }
}

/// Returns `true` for ranges such as `*/*` and `image/*`.
fn is_range(essence: &str) -> bool {
    essence.contains('*')
}

/// Returns the content of the body, and the media type to send if it differs from the name in the content.
fn reduced_content(name: &str, mut media_type: Object, schemas: &Object) -> (Value, Option<String>) {
    let essence = media_types::essence(name);
    let holds_file = holds_file(Some(&Value::Object(media_type.clone())), schemas);
    media_type.remove("encoding");
    match rank(name, Some(&Value::Object(media_type.clone())), schemas) {
        0 | 1 if is_bytes(&media_type, schemas) => (bytes(), header_value(name)),
        0..=2 if holds_file => (json!({"multipart/form-data": media_type}), None),
        rank @ 0..=2 => {
            media_type.entry("schema").or_insert_with(|| json!({}));
            (json!({"application/json": media_type}), header_value(name).filter(|_| rank == 1))
        }
        3 => (json!({"multipart/form-data": media_type}), None),
        4 => {
            media_type.entry("schema").or_insert_with(|| json!({}));
            (json!({"application/x-www-form-urlencoded": media_type}), None)
        }
        5 => (bytes(), None),
        _ => (bytes(), header_value(name).filter(|_| !is_range(&essence))),
    }
}

fn bytes() -> Value {
    json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
}

/// Returns the media type as a header value; `None` if it is not one.
fn header_value(name: &str) -> Option<String> {
    let name = name.trim();
    let is_plain = name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    (is_plain && name.contains('/')).then(|| String::from(name))
}

fn is_whole_file(media_type: Option<&Value>, schemas: &Object) -> bool {
    media_type.and_then(Value::as_object).is_some_and(|media_type| is_bytes(media_type, schemas))
}

fn is_bytes(media_type: &Object, schemas: &Object) -> bool {
    let schema = tree::object(media_type, "schema").and_then(|schema| tree::resolve_schema(schema, schemas));
    schema.is_some_and(is_file)
}

/// Returns `true` if the body is a file, a list of files, or an object with one of these among its properties.
fn holds_file(media_type: Option<&Value>, schemas: &Object) -> bool {
    let schema = media_type.and_then(|media_type| media_type.get("schema")).and_then(Value::as_object);
    let Some(schema) = schema.and_then(|schema| tree::resolve_schema(schema, schemas)) else {
        return false;
    };
    let is_file_or_list = |schema: &Object| {
        let items = tree::object(schema, "items").and_then(|items| tree::resolve_schema(items, schemas));
        is_file(schema) || items.is_some_and(is_file)
    };
    let mut properties = tree::object(schema, "properties").into_iter().flatten();
    is_file_or_list(schema)
        || properties.any(|(_, property)| {
            let property = property.as_object().and_then(|property| tree::resolve_schema(property, schemas));
            property.is_some_and(is_file_or_list)
        })
}

fn is_file(schema: &Object) -> bool {
    tree::text(schema, "format") == Some("binary")
}
