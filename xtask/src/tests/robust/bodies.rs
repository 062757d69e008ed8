//! Bodies of any media type, answers of any kind.

use serde_json::{Value, json};

use super::{client, code, document, operation, passed};

fn bytes() -> Value {
    json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
}

/// Runs the passes on a body; returns its content and the media type that the client sends.
fn body(content: Value) -> (Value, Value) {
    let operation = operation(json!({"requestBody": {"content": content}}), json!({}));
    (operation["requestBody"]["content"].clone(), operation["x-content-type"].clone())
}

#[test]
fn prefers_sendable_media_type() {
    let text = json!({"schema": {"type": "string"}});
    let json_of = |schema: Value| json!({"application/json": {"schema": schema}});
    let form = json!({"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}});
    let no_type = Value::Null;
    let cases = [
        (
            json!({"application/json": text, "text/csv": text, "multipart/form-data": text}),
            json_of(json!({"type": "string"})),
            no_type.clone(),
        ),
        (json!({"application/json": {}}), json_of(json!({})), no_type.clone()),
        (
            json!({"application/json": {"schema": {"type": "string"}, "encoding": {"a": {}}}}),
            json_of(json!({"type": "string"})),
            no_type.clone(),
        ),
        (json!({"application/json;charset=UTF-8": text}), json_of(json!({"type": "string"})), no_type.clone()),
        (
            json!({"application/vnd.x+json": text, "text/plain": text}),
            json_of(json!({"type": "string"})),
            json!("application/vnd.x+json"),
        ),
        (json!({"*/*": text}), json_of(json!({"type": "string"})), no_type.clone()),
        (json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}), bytes(), no_type.clone()),
        (json!({"application/pdf": {}}), bytes(), json!("application/pdf")),
        (json!({"text/plain": text, "application/xml": text}), bytes(), json!("application/xml")),
        (json!({"image/*": {}}), bytes(), no_type.clone()),
        (json!({"text/\u{fc}": {}}), bytes(), no_type.clone()),
        (json!({"application/json": {"schema": form}}), bytes(), no_type.clone()),
        (
            json!({"application/x-www-form-urlencoded": text, "text/csv": text}),
            json!({"application/x-www-form-urlencoded": {"schema": {"type": "string"}}}),
            no_type,
        ),
    ];
    for (given, content, media_type) in cases {
        assert_eq!(body(given.clone()), (content, media_type), "{given}");
    }
    let empty = operation(json!({"requestBody": {"content": {}}}), json!({}));
    assert!(empty.get("requestBody").is_none());
    let form = operation(json!({"requestBody": {"content": {"application/json": {"schema": form}}}}), json!({}));
    assert_eq!(form["x-multipart"], true, "a file is sent in a form");
}

#[test]
fn operation_table_lists_media_types() {
    let body = json!({"content": {"application/pdf": {}}});
    let given = document(
        json!({"/x": {"post": {"operationId": "send", "requestBody": body, "responses": {}}, "get": {"operationId": "look", "responses": {}}}}),
        json!({}),
    );
    let table = code::generate(&passed(&given)).map(|generated| generated.operations).expect("generates");
    assert!(table.contains("content_type: Some(\"application/pdf\")"), "{table}");
    assert!(table.contains("content_type: None"), "{table}");
}

#[test]
fn undocumented_success_returns_bytes() {
    for responses in [
        json!({}),
        json!({"404": {"description": ""}, "500": {"description": ""}}),
        json!({"302": {"description": ""}}),
        json!({"default": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}}}),
    ] {
        let found = operation(json!({"responses": responses}), json!({}));
        assert_eq!(found["responses"]["2XX"]["content"], bytes(), "{responses}");
    }
    let given = document(json!({"/x": {"get": {"operationId": "getX"}}}), json!({}));
    assert!(client(&given).contains("ResponseValue<ByteStream>"));
}

#[test]
fn keeps_bytes_and_empty_head_responses() {
    let list = json!({"type": "array", "items": {"type": "string", "format": "byte"}});
    let found =
        operation(json!({"responses": {"200": {"description": "", "content": {"*/*": {"schema": list}}}}}), json!({}));
    assert_eq!(found["responses"]["2XX"]["content"], bytes());
    let answer = json!({"200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}}});
    let given = document(
        json!({"/x": {"head": {"operationId": "a", "responses": answer}, "options": {"operationId": "b", "responses": answer}, "trace": {"operationId": "c", "responses": {}}}}),
        json!({}),
    );
    assert!(passed(&given)["paths"]["/x"]["head"]["responses"]["2XX"].get("content").is_none());
    let source = client(&given);
    for method in ["OPTIONS", "TRACE"] {
        assert!(source.contains(&format!("::reqwest::Method::{method}")), "{source}");
    }
}
