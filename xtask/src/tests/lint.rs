//! Hostile snippets: each is refused before the generator runs, with operation, place and reason.

use serde_json::{Value, json};

use super::{document, refused, with_operation};

/// Asserts one finding with all these parts.
#[track_caller]
fn finds(document: &Value, parts: &[&str]) {
    let findings = refused(document);
    let found = findings.iter().any(|finding| parts.iter().all(|part| finding.contains(part)));
    assert!(found, "no finding with {parts:?} among {findings:#?}");
}

fn parameter(parameter: Value) -> Value {
    with_operation(json!({"parameters": [parameter]}), json!({}))
}

#[test]
fn rejects_other_document_kinds_with_advice() {
    finds(
        &json!({"openapi": "3.2.0", "info": {"title": "", "version": ""}, "paths": {}}),
        &["3.2.0", "convert", "springdoc.api-docs.version=openapi_3_0", "/openapi"],
    );
    finds(
        &json!({"swagger": "2.0", "info": {"title": "", "version": ""}, "paths": {}}),
        &["Swagger 2.0", "convert", "swagger2openapi"],
    );
    finds(&json!({"hello": 1}), &["not an OpenAPI document"]);
    let findings = refused(&json!([]));
    assert!(findings.len() >= 3, "all at once: {findings:#?}");
}

#[test]
fn rejects_recursive_composition_without_overflow() {
    let schemas = json!({
        "A": {"allOf": [{"$ref": "#/components/schemas/B"}, {"type": "object"}]},
        "B": {"allOf": [{"$ref": "#/components/schemas/C"}]},
        "C": {"allOf": [{"$ref": "#/components/schemas/A"}]},
        "D": {"$ref": "#/components/schemas/D"},
        "Node": {"type": "object", "properties": {
            "next": {"$ref": "#/components/schemas/Node"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        }},
    });
    let findings = refused(&document(json!({}), schemas));
    for name in ["A", "B", "C", "D"] {
        let wanted = format!("the schema `{name}` contains itself (/components/schemas/{name})");
        assert!(findings.contains(&wanted), "{wanted} not among {findings:#?}");
    }
    assert!(!findings.iter().any(|finding| finding.contains("Node")), "a tree is legal: {findings:#?}");
}

#[test]
fn rejects_dangling_and_external_references() {
    let answer = |reference: &str| {
        let schema = json!({"schema": {"$ref": reference}});
        let responses = json!({"200": {"description": "", "content": {"application/json": schema}}});
        with_operation(json!({"responses": responses}), json!({}))
    };
    finds(
        &answer("#/components/schemas/Gone"),
        &["getX: ", "dangling reference #/components/schemas/Gone", "/paths/~1x/get/responses/"],
    );
    finds(&answer("https://evil.example/x.json#/A"), &["getX: ", "which is never followed"]);
    finds(&answer("../../etc/passwd"), &["getX: ", "which is never followed"]);
    finds(
        &with_operation(json!({"parameters": [{"$ref": "#/components/parameters/Gone"}]}), json!({})),
        &["getX: ", "dangling reference #/components/parameters/Gone"],
    );
}

#[test]
fn rejects_path_reference() {
    finds(&document(json!({"/a": {"$ref": "#/x"}}), json!({})), &["/paths/~1a", "dangling reference #/x"]);
    let outside = document(json!({"/a": {"$ref": "https://evil.example/paths.json"}}), json!({}));
    finds(&outside, &["/paths/~1a", "which is never followed"]);
}

#[test]
fn rejects_unsendable_parameters() {
    let inner = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let reasons = [
        (json!({"name": "X-Q", "in": "header", "required": true, "schema": inner}), "is an object"),
        (json!({"name": "q", "in": "query", "explode": false, "required": true, "schema": inner}), "is an object"),
        (
            json!({"name": "q", "in": "query", "required": true, "schema": {"type": "array", "items": inner}}),
            "is a list",
        ),
        (
            json!({"name": "q", "in": "query", "required": true, "content": {"application/json": {"schema": {"type": "string"}}}}),
            "has `content`",
        ),
        (json!({"name": "a b", "in": "header", "required": true, "schema": {"type": "string"}}), "header name"),
        (json!({"name": "q", "in": "moon", "schema": {"type": "string"}}), "in `moon`"),
        (json!({"in": "query", "required": true, "schema": {"type": "string"}}), "has no name"),
    ];
    for (given, reason) in reasons {
        finds(&parameter(given), &["getX: ", reason, "/paths/~1x/get"]);
    }
    let matrix = json!({"name": "id", "in": "path", "style": "matrix", "required": true, "schema": {"type": "string"}});
    let operation = json!({"operationId": "getX", "parameters": [matrix], "responses": {"204": {"description": ""}}});
    finds(&document(json!({"/x/{id}": {"get": operation}}), json!({})), &["getX: ", "style `matrix`"]);
}

#[test]
fn rejects_invalid_paths() {
    let at = |path: &str| {
        document(json!({path: {"get": {"operationId": "getX", "responses": {"204": {"description": ""}}}}}), json!({}))
    };
    finds(&at("/a/{id"), &["`{` without `}`"]);
    finds(&at("/a/{}"), &["`{}`"]);
    finds(&at("/a/{id}/{id}"), &["getX: ", "empty or duplicate `{id}` in the path"]);
    finds(&at("a"), &["does not start with `/`"]);
}

#[test]
fn rejects_contradictory_schemas() {
    let schemas = json!({
        "Odd": {"type": ["string", "null"]},
        "File": {"type": "file"},
        "Text": {"type": "string", "properties": {"a": {"type": "string"}}},
        "List": {"type": "object", "items": {"type": "string"}},
    });
    let document = document(json!({}), schemas);
    finds(&document, &["not one of OpenAPI 3.0", "/components/schemas/Odd"]);
    finds(&document, &["not one of OpenAPI 3.0", "/components/schemas/File"]);
    finds(&document, &["the type is \"string\", but the schema has `properties`", "/components/schemas/Text"]);
    finds(&document, &["the type is \"object\", but the schema has `items`", "/components/schemas/List"]);
}

#[test]
fn rejects_oversized_documents() {
    let long = format!("{{\"x\": \"{}\"}}", "a".repeat(33 * 1024 * 1024));
    let findings = crate::passes::prepare(&long, None).err().unwrap_or_default();
    assert!(findings.iter().any(|finding| finding.contains("bytes, more than")), "{findings:#?}");
    let mut wide = document(json!({}), json!({}));
    wide["x-wide"] = Value::Array(vec![json!(0); 1_000_001]);
    finds(&wide, &["values, more than 1000000"]);
}

#[test]
fn rejects_excessive_nesting() {
    let mut schema = json!({"type": "string"});
    for _ in 0..60 {
        schema = json!({"type": "array", "items": schema});
    }
    assert!(refused(&document(json!({}), json!({"A": schema.clone()}))).is_empty());
    for _ in 0..80 {
        schema = json!({"type": "array", "items": schema});
    }
    let findings = refused(&document(json!({}), json!({"A": schema})));
    assert!(!findings.is_empty());
}
