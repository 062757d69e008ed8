//! Tests of the checker with a small document and with the vendored document.

#![allow(clippy::expect_used)]

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::{Checker, Side, Violation};

fn document() -> String {
    json!({
        "openapi": "3.0.3",
        "security": [{ "o": [] }],
        "paths": { "/api/things/{thingId}": {
            "parameters": [{ "name": "thingId", "in": "path", "required": true, "schema": { "type": "string" } }],
            "post": {
                "operationId": "putThing",
                "parameters": [
                    { "name": "flag", "in": "query", "schema": { "type": "boolean" } },
                    { "name": "since", "in": "query", "required": true, "schema": { "type": "string", "format": "date-time" } },
                    { "name": "ids", "in": "query", "schema": { "type": "array", "items": { "type": "integer" } } },
                ],
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": {
                    "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Things" } } } },
                    "204": { "description": "" },
                    "4XX": { "$ref": "#/components/responses/Error" },
                },
            },
            "put": {
                "operationId": "upload",
                "requestBody": { "required": true, "content": { "multipart/form-data": { "schema": {
                    "type": "object", "required": ["file"], "properties": { "file": { "type": "string", "format": "binary" } },
                } } } },
                "responses": { "200": { "description": "", "content": { "application/zip": {} } } },
            },
        } },
        "components": {
            "responses": { "Error": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } } },
            "schemas": {
                "Error": { "type": "object", "properties": { "message": { "type": "string" } } },
                "Thing": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string" },
                    "note": { "type": "string", "nullable": true },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                } },
                "Things": { "type": "object", "properties": { "things": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } } } },
            },
        },
    })
    .to_string()
}

fn headers(more: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer t"));
    headers.insert("x-tenant-id", HeaderValue::from_static("acme"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in more {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

/// Returns the violations as texts.
fn texts(found: &[Violation]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

fn post(query: &str, headers: &HeaderMap, body: &Value) -> Vec<String> {
    let checker = Checker::new(&document()).expect("compiles");
    let body = Bytes::from(body.to_string());
    texts(&checker.check_request("putThing", &Method::POST, "/api/things/1", Some(query), headers, Some(&body)))
}

const SINCE: &str = "since=2024-01-01T00%3A00%3A00.000%2B00%3A00";

#[test]
fn accepts_valid_requests() {
    let none: [&str; 0] = [];
    assert_eq!(post(SINCE, &headers(&[]), &json!({ "name": "a", "note": null, "labels": { "k": "v" } })), none);
    let query = format!("{SINCE}&flag=true&ids=1&ids=2");
    assert_eq!(post(&query, &headers(&[]), &json!({ "name": "a", "own": 1 })), none);
}

#[test]
fn describes_invalid_requests_in_one_line_each() {
    let good = json!({ "name": "a" });
    let at = |found: Vec<String>| {
        found.into_iter().map(|line| line.split(": ").next().map(str::to_owned)).collect::<Vec<_>>()
    };
    let one = |location: &str| vec![Some(format!("putThing request {location}"))];
    assert_eq!(at(post("", &headers(&[]), &good)), one("query/since"));
    assert_eq!(at(post("since=today", &headers(&[]), &good)), one("query/since"));
    assert_eq!(at(post(&format!("{SINCE}&flag=yes"), &headers(&[]), &good)), one("query/flag"));
    assert_eq!(at(post(&format!("{SINCE}&flag=true&flag=true"), &headers(&[]), &good)), one("query/flag"));
    assert_eq!(at(post(&format!("{SINCE}&ids=x"), &headers(&[]), &good)), one("query/ids/0"));
    assert_eq!(at(post(&format!("{SINCE}&page=1"), &headers(&[]), &good)), one("query/page"));
    assert_eq!(at(post(SINCE, &headers(&[("authorization", "Basic x")]), &good)), one("header/authorization"));
    assert_eq!(at(post(SINCE, &headers(&[("x-tenant-id", "")]), &good)), one("header/x-tenant-id"));
    assert_eq!(at(post(SINCE, &headers(&[("content-type", "text/plain")]), &good)), one("content-type"));
    assert_eq!(at(post(SINCE, &headers(&[]), &json!({ "name": 1 }))), one("/name"));
    assert_eq!(post(SINCE, &headers(&[]), &json!({})), [r#"putThing request: "name" is a required property"#]);
}

#[test]
fn reports_unknown_operations_methods_and_paths() {
    let checker = Checker::new(&document()).expect("compiles");
    let check = |operation: &str, method: Method, path: &str| {
        let body = Bytes::from_static(br#"{"name":"a"}"#);
        texts(&checker.check_request(operation, &method, path, Some(SINCE), &headers(&[]), Some(&body)))
    };
    assert_eq!(check("", Method::GET, "/x"), ["(unknown operation) request: GET /x is no operation of the document"]);
    assert_eq!(check("putThing", Method::PATCH, "/api/things/1"), ["putThing request: PATCH instead of POST"]);
    assert_eq!(check("putThing", Method::POST, "/api/things/1/2").len(), 1);
    assert_eq!(check("putThing", Method::POST, "/api/things/"), ["putThing request path/thingId: empty"]);
    assert_eq!(check("putThing", Method::POST, "/api/things/a%20b"), [""; 0]);
}

#[test]
fn checks_form_parts() {
    let checker = Checker::new(&document()).expect("compiles");
    let check = |names: &[&str]| {
        let part = |name: &&str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.pdf\"\r\n\r\nx\r\n")
        };
        let parts = names.iter().map(part).collect::<Vec<_>>().concat();
        let body = Bytes::from(format!("{parts}--b--\r\n"));
        let headers = headers(&[("content-type", "multipart/form-data; boundary=b")]);
        texts(&checker.check_request("upload", &Method::PUT, "/api/things/1", None, &headers, Some(&body)))
    };
    assert_eq!(check(&["file"]), [""; 0]);
    let expected = ["upload request /file: the part is missing", "upload request /data: not a part of this form"];
    assert_eq!(check(&["data"]), expected);
    let headers = headers(&[("content-type", "multipart/form-data; boundary=b")]);
    assert!(checker.check_request("upload", &Method::PUT, "/api/things/1", None, &headers, None).is_empty());
}

#[test]
fn responses_contain_declared_fields_only() {
    let checker = Checker::new(&document()).expect("compiles");
    let check = |status: u16, body: &Value| {
        let status = StatusCode::from_u16(status).expect("a status");
        let body = Bytes::from(body.to_string());
        texts(&checker.check_response("putThing", status, &headers(&[]), Some(&body)))
    };
    assert_eq!(check(200, &json!({ "things": [{ "name": "a", "note": null, "labels": { "x": "y" } }] })), [""; 0]);
    assert_eq!(check(200, &json!({ "things": [{ "name": "a", "size": 3 }] })).len(), 1);
    assert!(
        check(200, &json!({ "things": [{ "name": "a", "size": 3 }] }))[0].starts_with("putThing response /things/0: ")
    );
    assert_eq!(check(200, &json!({ "more": 1 })).len(), 1);
    assert!(check(200, &json!({ "things": null }))[0].starts_with("putThing response /things: "));
    assert_eq!(check(404, &json!({ "message": "gone" })), [""; 0]);
    assert_eq!(check(500, &json!({})), ["putThing response status: 500 is not documented"]);
    assert_eq!(check(204, &json!({})), ["putThing response: a body, where none is documented"]);
    let html = headers(&[("content-type", "text/html")]);
    let found = checker.check_response("putThing", StatusCode::OK, &html, Some(&Bytes::from_static(b"<p>")));
    assert_eq!(texts(&found), ["putThing response content-type: `text/html` instead of application/json"]);
    assert_eq!(found[0].side, Side::Response);
    let broken = checker.check_response("putThing", StatusCode::OK, &headers(&[]), Some(&Bytes::from_static(b"{")));
    assert_eq!(broken.len(), 1);
}

#[test]
fn allows_ranges_of_binary_responses() {
    let checker = Checker::new(&document()).expect("compiles");
    let check = |operation: &str, status: StatusCode, more: &[(&'static str, &'static str)]| {
        texts(&checker.check_response(operation, status, &headers(more), Some(&Bytes::from_static(b"PK"))))
    };
    let partial = StatusCode::PARTIAL_CONTENT;
    let range = ("content-range", "bytes 0-1/9");
    assert_eq!(check("upload", partial, &[("content-type", "application/zip"), range]), [""; 0]);
    assert_eq!(check("upload", StatusCode::RANGE_NOT_SATISFIABLE, &[("content-range", "bytes */9")]), [""; 0]);
    let bare = check("upload", partial, &[("content-type", "application/zip")]);
    assert_eq!(bare, ["upload response header/content-range: missing"]);
    assert_eq!(check("upload", partial, &[range]).len(), 1);
    assert_eq!(check("putThing", partial, &[range]), ["putThing response status: 206 is not documented"]);
}

#[test]
fn rejects_invalid_documents_with_the_reason() {
    assert!(Checker::new("{").expect_err("refused").contains("not JSON"));
    assert!(Checker::new("{}").expect_err("refused").contains("paths"));
    let lost = document().replace("#/components/responses/Error", "#/components/responses/Lost");
    assert!(
        Checker::new(&lost).expect_err("refused").contains("putThing: `#/components/responses/Lost` leads nowhere")
    );
}

/// Specification extensions are not paths, responses or media types in any place.
#[test]
fn ignores_specification_extensions() {
    let note = json!({ "get": { "responses": {} }, "$ref": "#/nowhere", "schema": { "$ref": "#/nowhere" } });
    let mut document: Value = serde_json::from_str(&document()).expect("JSON");
    for location in [
        "",
        "/paths",
        "/paths/~1api~1things~1{thingId}",
        "/paths/~1api~1things~1{thingId}/post",
        "/paths/~1api~1things~1{thingId}/post/requestBody",
        "/paths/~1api~1things~1{thingId}/post/requestBody/content",
        "/paths/~1api~1things~1{thingId}/post/responses",
        "/paths/~1api~1things~1{thingId}/post/responses/200",
        "/paths/~1api~1things~1{thingId}/post/responses/200/content",
        "/components",
        "/components/responses",
        "/components/schemas/Thing",
    ] {
        document.pointer_mut(location).expect(location)["x-note"] = note.clone();
        document.pointer_mut(location).expect(location)["x-text"] = json!("for people");
    }
    let checker = Checker::new(&document.to_string()).expect("compiles");
    let body = Bytes::from(json!({ "name": "a" }).to_string());
    let found =
        checker.check_request("putThing", &Method::POST, "/api/things/1", Some(SINCE), &headers(&[]), Some(&body));
    assert_eq!(texts(&found), [""; 0]);
}

/// Every example of the vendored document passes as a response of its operation, and fails with one additional field.
#[test]
fn examples_of_the_vendored_document_are_valid() {
    if !documine_api::document::IS_RECONSTRUCTION {
        // Another document has other examples, or none.
        return;
    }
    let checker = Checker::vendored().expect("compiles");
    let document: Value = serde_json::from_str(documine_api::DOCUMENT).expect("JSON");
    let mut seen = 0;
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let response = super::document::resolved(&document, response).expect("resolves");
                let Some(example) = response.pointer("/content/application~1json/example") else { continue };
                let status: StatusCode = status.parse().expect("a status");
                let check = |body: &Value| {
                    checker.check_response(id, status, &headers(&[]), Some(&Bytes::from(body.to_string())))
                };
                assert_eq!(texts(&check(example)), [""; 0], "{id} {status}");
                let mut more = example.clone();
                more["notDeclared"] = 1.into();
                assert_eq!(check(&more).len(), 1, "{id} {status}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 22, "{seen} examples");
}
