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
fn other_kinds_of_documents_are_refused_with_advice() {
    finds(
        &json!({"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}}),
        &["3.1.0", "convert", "/openapi"],
    );
    finds(&json!({"swagger": "2.0", "info": {"title": "", "version": ""}, "paths": {}}), &["Swagger 2.0", "convert"]);
    finds(&json!({"hello": 1}), &["not an OpenAPI document"]);
    let findings = refused(&json!([]));
    assert!(findings.len() >= 3, "all at once: {findings:#?}");
}

#[test]
fn a_schema_made_of_itself_is_found_before_it_overflows_the_stack() {
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
        let wanted = format!("the schema `{name}` is made of itself (/components/schemas/{name})");
        assert!(findings.contains(&wanted), "{wanted} not among {findings:#?}");
    }
    assert!(!findings.iter().any(|finding| finding.contains("Node")), "a tree is legal: {findings:#?}");
}

#[test]
fn references_that_lead_nowhere_or_out_are_named_with_their_operation() {
    let answer = |reference: &str| {
        let schema = json!({"schema": {"$ref": reference}});
        let responses = json!({"200": {"description": "", "content": {"application/json": schema}}});
        with_operation(json!({"responses": responses}), json!({}))
    };
    finds(&answer("#/components/schemas/Gone"), &["getX: ", "Gone leads nowhere", "/paths/~1x/get/responses/"]);
    finds(&answer("https://evil.example/x.json#/A"), &["getX: ", "leads out of the document"]);
    finds(&answer("../../etc/passwd"), &["getX: ", "leads out of the document"]);
    finds(
        &with_operation(json!({"parameters": [{"$ref": "#/components/parameters/Gone"}]}), json!({})),
        &["getX: ", "#/components/parameters/Gone leads nowhere"],
    );
}

#[test]
fn operations_that_would_meet_or_hide_something_are_named() {
    let operation = |id: &str| json!({"operationId": id, "responses": {"204": {"description": ""}}});
    let meets = document(json!({"/a": {"get": operation("getFile")}, "/b": {"get": operation("get_file")}}), json!({}));
    finds(&meets, &["get_file: ", "would be the method `get_file`, like getFile", "/paths/~1b/get"]);
    let pascal = document(json!({"/a": {"get": operation("get_1")}, "/b": {"get": operation("get1")}}), json!({}));
    finds(&pascal, &["would be the type `Get1`"]);
    for taken in ["new", "pre", "exec", "post", "inner", "baseurl", "newWithClient"] {
        let found = document(json!({"/a": {"get": operation(taken)}}), json!({}));
        finds(&found, &[taken, "the client has a method", "already"]);
    }
    for taken in ["error", "result", "byteStream"] {
        finds(&document(json!({"/a": {"get": operation(taken)}}), json!({})), &[taken, "of another meaning"]);
    }
    finds(
        &document(json!({"/a": {"get": {"responses": {"204": {"description": ""}}}}}), json!({})),
        &["GET /a: ", "no operationId"],
    );
    finds(&document(json!({"/a": {"$ref": "#/x"}}), json!({})), &["/paths/~1a", "another place"]);
}

#[test]
fn parameters_that_can_not_be_sent_are_named() {
    let reasons = [
        (
            json!({"name": "q", "in": "query", "style": "deepObject", "schema": {"type": "object"}}),
            "style `deepObject`",
        ),
        (
            json!({"name": "q", "in": "query", "style": "pipeDelimited", "schema": {"type": "array", "items": {"type": "string"}}}),
            "style `pipeDelimited`",
        ),
        (
            json!({"name": "q", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}}),
            "explode: false",
        ),
        (
            json!({"name": "pageable", "in": "query", "schema": {"type": "object", "properties": {"page": {"type": "integer"}}}}),
            "is an object",
        ),
        (
            json!({"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "string"}}}}),
            "by `content`",
        ),
        (json!({"name": "q", "in": "query"}), "has no schema"),
        (json!({"name": "q", "in": "moon", "schema": {"type": "string"}}), "in `moon`"),
        (json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}), "the path has no `{id}`"),
        (json!({"name": "send", "in": "query", "schema": {"type": "string"}}), "uses the name `send` already"),
        (json!({"name": "new", "in": "query", "schema": {"type": "string"}}), "uses the name `new` already"),
    ];
    for (given, reason) in reasons {
        finds(&parameter(given), &["getX: ", reason, "/paths/~1x/get"]);
    }
    let same = json!([
        {"name": "fileId", "in": "query", "schema": {"type": "string"}},
        {"name": "file_id", "in": "header", "schema": {"type": "string"}},
    ]);
    finds(&with_operation(json!({"parameters": same}), json!({})), &["`file_id`", "already", "/parameters/1"]);
}

#[test]
fn paths_and_their_parameters_have_to_fit() {
    let at = |path: &str| {
        document(json!({path: {"get": {"operationId": "getX", "responses": {"204": {"description": ""}}}}}), json!({}))
    };
    finds(&at("/a/{id}"), &["getX: ", "`id` is not declared", "/paths/~1a~1{id}/get"]);
    finds(&at("/a/{id"), &["`{` without `}`"]);
    finds(&at("/a/{}"), &["`{}`"]);
    finds(&at("a"), &["does not begin with `/`"]);
    let optional = json!({"/a/{id}": {"get": {
        "operationId": "getX",
        "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
        "responses": {"204": {"description": ""}},
    }}});
    finds(&document(optional, json!({})), &["not required"]);
}

#[test]
fn bodies_and_answers_the_generator_refuses_are_named() {
    let body = |content: Value| with_operation(json!({"requestBody": {"content": content}}), json!({}));
    let schema = json!({"schema": {"type": "object"}});
    finds(
        &body(json!({"application/json": schema, "text/csv": schema})),
        &["getX: ", "several media types: application/json, text/csv"],
    );
    finds(&body(json!({"application/pdf": schema})), &["media type application/pdf"]);
    finds(&body(json!({"application/json": {}})), &["has no schema", "/requestBody/content/application~1json"]);
    finds(&with_operation(json!({"responses": {"404": {"description": ""}}}), json!({})), &["getX: ", "no answer"]);
}

#[test]
fn schemas_that_would_be_read_wrongly_are_named() {
    let schemas = json!({
        "Choice": {"oneOf": [{"type": "string"}], "discriminator": {"propertyName": "kind"}},
        "Neither": {"not": {"type": "string"}},
        "Odd": {"type": ["string", "null"]},
        "List": {"type": "array"},
        "Twice": {"type": "object", "properties": {"fileId": {"type": "string"}, "file_id": {"type": "string"}}},
        "string": {"type": "object"},
        "getFile": {"type": "object", "properties": {"a": {"type": "string"}}},
        "GetFile": {"type": "object", "properties": {"a": {"type": "string"}}},
    });
    let document = document(json!({}), schemas);
    finds(&document, &["discriminator", "/components/schemas/Choice"]);
    finds(&document, &["`not`", "/components/schemas/Neither"]);
    finds(&document, &["not one of OpenAPI 3.0", "/components/schemas/Odd"]);
    finds(&document, &["without `items`", "/components/schemas/List"]);
    finds(&document, &["`file_id` would be the field `file_id`, like `fileId`", "/components/schemas/Twice"]);
    finds(&document, &["would be the type `GetFile`"]);
    finds(&document, &["would hide the type `String`", "/components/schemas/string"]);
}

#[test]
fn nesting_without_end_is_refused() {
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
