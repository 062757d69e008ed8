//! Changes for which the build refuses the document: incompatible meanings, other formats, circular references.

use serde_json::{Map, Value, json};

use super::traffic::form;
use crate::lookup;

fn add_parameter(document: &mut Value, line: &str, parameter: Value) {
    if let Some(at) = lookup::operation(document, line) {
        lookup::push(document, &at, "parameters", parameter);
    }
}

/// A list requires an unknown query parameter.
pub fn required_query_parameter(document: &mut Value) {
    let parameter = json!({"name": "view", "in": "query", "required": true, "schema": {"type": "string"}});
    add_parameter(document, "GET /dossiers/{}/files", parameter);
}

/// A download requires an unknown header.
pub fn required_header_parameter(document: &mut Value) {
    let parameter = json!({"name": "X-Audit-Reason", "in": "header", "required": true, "schema": {"type": "string"}});
    add_parameter(document, "GET /downloads/{}/download", parameter);
}

/// A list requires an object in the query.
pub fn required_deep_object(document: &mut Value) {
    let schema = json!({"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}}});
    let parameter = json!({"name": "span", "in": "query", "required": true, "style": "deepObject", "schema": schema});
    add_parameter(document, "GET /dossier-templates", parameter);
}

/// A dossier requires an unknown field.
pub fn required_body_field(document: &mut Value) {
    if let Some(at) = lookup::request(document, "POST /dossiers") {
        lookup::set(document, &format!("{at}/properties"), "costCentre", json!({"type": "string"}));
        lookup::push(document, &at, "required", json!("costCentre"));
    }
}

/// The form requires a second part.
pub fn required_second_part(document: &mut Value) {
    if let Some(at) = form(document) {
        lookup::set(document, &format!("{at}/properties"), "language", json!({"type": "string"}));
        lookup::push(document, &at, "required", json!("language"));
    }
}

/// The form has two files with unknown names.
pub fn two_files_in_the_form(document: &mut Value) {
    if let Some(at) = form(document) {
        let binary = json!({"type": "string", "format": "binary"});
        lookup::set(document, &at, "properties", json!({"original": binary, "redacted": binary}));
        lookup::remove(document, &at, "required");
    }
}

/// The upload takes JSON instead of a form.
pub fn upload_takes_json(document: &mut Value) {
    if let Some(at) = lookup::operation(document, "POST /dossiers/{}/files") {
        let schema = json!({"type": "object", "properties": {"url": {"type": "string"}, "name": {"type": "string"}}});
        lookup::set(document, &at, "requestBody", json!({"content": {"application/json": {"schema": schema}}}));
    }
}

/// Removes a value from the enum of a field.
fn drop_value(document: &mut Value, line: &str, field: &str, value: &str) {
    if let Some(at) = lookup::response(document, line)
        && let Some(set) = lookup::field(document, &at, field)
        && let Some(Value::Array(values)) = document.pointer_mut(&format!("{set}/enum"))
    {
        values.retain(|known| known != value);
    }
}

/// The enum of package states lacks READY.
pub fn download_state_without_ready(document: &mut Value) {
    drop_value(document, "GET /downloads/{}", "status", "READY");
}

/// The enum of file states lacks PROCESSED.
pub fn processed_missing(document: &mut Value) {
    drop_value(document, "GET /files/{}", "processingStatus", "PROCESSED");
}

/// The id of a file is a number.
pub fn id_as_integer(document: &mut Value) {
    if let Some(at) = lookup::response(document, "GET /files/{}") {
        lookup::set(document, &format!("{at}/properties"), "id", json!({"type": "integer", "format": "int64"}));
    }
}

/// A dossier has no id.
pub fn id_missing(document: &mut Value) {
    if let Some(at) = lookup::response(document, "GET /dossiers/{}") {
        super::fields::drop_field(document, &at, "id");
    }
}

/// A list comes without an envelope.
pub fn list_is_bare_array(document: &mut Value) {
    if let Some(at) = lookup::response(document, "GET /dossiers/{}/files")
        && let Some(items) = lookup::items(document, &at, "files")
        && let Some(place) = document.pointer_mut(&at)
    {
        *place = json!({"type": "array", "items": {"$ref": format!("#{items}")}});
    }
}

/// A state is an object with a code in it.
pub fn status_as_object(document: &mut Value) {
    if let Some(at) = lookup::response(document, "GET /files/{}") {
        let status = json!({"type": "object", "properties": {"code": {"type": "string"}, "text": {"type": "string"}}});
        lookup::set(document, &format!("{at}/properties"), "processingStatus", status);
    }
}

/// Components are an object of fixed fields instead of a map from names.
pub fn components_of_fixed_fields(document: &mut Value) {
    if let Some(at) = lookup::response(document, "GET /files/{}/components") {
        let list = json!({"type": "array", "items": {"type": "string"}});
        let components = json!({"type": "object", "properties": {"invoiceNumber": list, "total": list}});
        lookup::set(document, &format!("{at}/properties"), "components", components);
    }
}

/// Every path exists in two versions.
pub fn two_api_versions(document: &mut Value) {
    if let Some(paths) = lookup::object_at(document, "/paths") {
        let second: Vec<(String, Value)> = paths
            .iter()
            .filter_map(|(path, item)| Some((format!("/api/v2/{}", path.strip_prefix("/api/")?), item.clone())))
            .collect();
        paths.extend(second);
    }
}

/// A list has an unsupported form of paging.
pub fn another_paging(document: &mut Value) {
    if let Some(at) = lookup::operation(document, "GET /dossiers/{}/files") {
        lookup::set(document, &at, "x-paging", json!({"form": "cursor"}));
    }
}

fn refer(document: &mut Value, reference: &str) {
    if let Some(at) = lookup::response(document, "GET /files/{}") {
        lookup::set(document, &format!("{at}/properties"), "reference", json!({"$ref": reference}));
    }
}

/// A reference to a file of the machine.
pub fn file_reference(document: &mut Value) {
    refer(document, "../../../../etc/passwd#/root");
}

/// A reference to another machine.
pub fn url_reference(document: &mut Value) {
    refer(document, "http://127.0.0.1:9/models.json#/Model");
}

/// A reference without a target.
pub fn dangling_reference(document: &mut Value) {
    refer(document, "#/components/schemas/NoSuchModel");
}

/// References that lead to each other.
pub fn reference_circle(document: &mut Value) {
    lookup::add_schema(document, "Ping", json!({"$ref": "#/components/schemas/Pong"}));
    lookup::add_schema(document, "Pong", json!({"$ref": "#/components/schemas/Ping"}));
    refer(document, "#/components/schemas/Ping");
}

/// A schema that is made of itself.
pub fn all_of_circle(document: &mut Value) {
    let part = |name: &str| json!({"allOf": [{"$ref": format!("#/components/schemas/{name}")}, {"type": "object", "properties": {"a": {"type": "string"}}}]});
    lookup::add_schema(document, "Chicken", part("Egg"));
    lookup::add_schema(document, "Egg", part("Chicken"));
    refer(document, "#/components/schemas/Egg");
}

/// Models are nested more deeply than the compiler supports.
pub fn models_in_models(document: &mut Value) {
    for number in 0..150 {
        let inner = json!({"$ref": format!("#/components/schemas/Level{}", number + 1)});
        lookup::add_schema(
            document,
            &format!("Level{number}"),
            json!({"type": "object", "properties": {"inner": inner}}),
        );
    }
    lookup::add_schema(document, "Level150", json!({"type": "object", "properties": {"end": {"type": "string"}}}));
    refer(document, "#/components/schemas/Level0");
}

/// The document is of a newer version.
pub fn openapi_3_2(document: &mut Value) {
    lookup::set(document, "", "openapi", json!("3.2.0"));
}

/// Schemas are nested too deeply.
pub fn too_deep(document: &mut Value) {
    let mut schema = json!({"type": "string"});
    for _ in 0..118 {
        schema = json!({"type": "array", "items": schema});
    }
    lookup::add_schema(document, "Deep", schema);
}

/// A document without operations.
pub fn no_paths(document: &mut Value) {
    lookup::remove(document, "", "paths");
}

/// A document without a title.
pub fn no_title(document: &mut Value) {
    let empty = Value::Object(Map::new());
    lookup::set(document, "", "info", empty);
}
