//! Spellings of one meaning: numbers for texts, OpenAPI 3.1, patterns in paths, extensions.

use super::*;

#[test]
fn reads_numbers_as_texts_where_texts_are_expected() {
    let yaml = "
openapi: 3.0
info: {title: 2024, version: 1.0, description: true}
tags: [{name: 7}]
paths:
  /a/{id}:
    get:
      operationId: 12
      tags: [7]
      summary: 3
      parameters:
        - {name: 1, in: query, schema: {type: string}}
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        200:
          description: 4.50
          content:
            application/json:
              schema: {$ref: '#/components/schemas/A'}
components:
  schemas:
    A:
      type: object
      title: 2024-01-01
      required: [1, true]
      properties:
        1: {type: string, example: 2024-01-01}
        true: {type: string, default: 5}
        answer: {type: string, enum: [YES, NO, ON, 2, 3.5, true]}
";
    let document = crate::yaml::document(yaml, "t").expect("reads");
    for (pointer, wanted) in [
        ("/openapi", json!("3.0.0")),
        ("/info/title", json!("2024")),
        ("/info/version", json!("1.0")),
        ("/info/description", json!("true")),
        ("/tags/0/name", json!("7")),
        ("/paths/~1a~1{id}/get/operationId", json!("12")),
        ("/paths/~1a~1{id}/get/tags/0", json!("7")),
        ("/paths/~1a~1{id}/get/summary", json!("3")),
        ("/paths/~1a~1{id}/get/parameters/0/name", json!("1")),
        ("/paths/~1a~1{id}/get/responses/200/description", json!("4.5")),
        ("/components/schemas/A/title", json!("2024-01-01")),
        ("/components/schemas/A/required", json!(["1", "true"])),
        ("/components/schemas/A/properties/answer/enum", json!(["YES", "NO", "ON", "2", "3.5", "true"])),
    ] {
        assert_eq!(document.pointer(pointer), Some(&wanted), "{pointer}");
    }
    assert!(refused(&document).is_empty(), "{:#?}", refused(&document));
    // The same in JSON.
    let text = r#"{"openapi": 3.0, "info": {"title": 1, "version": 1.0}, "paths": {}}"#;
    let read = passes::read::json(text, "t").expect("reads");
    assert_eq!(read, json!({"openapi": "3.0.0", "info": {"title": "1", "version": "1.0"}, "paths": {}}));
    for version in ["3.0", "3.0.1", "3.0.4"] {
        assert!(refused(&json!({"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {}})).is_empty());
    }
}

#[test]
fn reads_openapi_3_1_as_3_0() {
    let mut given = with_operation(
        json!({"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}),
        json!({"A": {"type": "object", "properties": {
            "text": {"type": ["string", "null"], "examples": ["a"]},
            "either": {"type": ["string", "integer"], "description": "d", "minLength": 2},
            "number": {"type": ["integer", "number"], "exclusiveMinimum": 0},
            "list": {"type": ["array", "null"], "items": {"type": "string"}, "prefixItems": [{"type": "string"}]},
            "fixed": {"const": "only"},
            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
            "encoded": {"type": "string", "contentEncoding": "base64"},
            "anything": true,
            "maybe": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "null"}]},
            "told": {"$ref": "#/components/schemas/B", "description": "beside"},
        }}, "B": {"type": "object", "properties": {"b": {"type": "string"}}}}),
    );
    given["openapi"] = json!("3.1.0");
    given["jsonSchemaDialect"] = json!("https://json-schema.org/draft/2020-12/schema");
    given["webhooks"] = json!({"done": {"post": {}}});
    given["info"]["summary"] = json!("s");
    let read = passes::read::json(&given.to_string(), "t").expect("reads");
    assert_eq!(read["openapi"], "3.0.3");
    assert_eq!((read.get("webhooks"), read.get("jsonSchemaDialect")), (None, None));
    let properties = &read["components"]["schemas"]["A"]["properties"];
    for (name, wanted) in [
        ("text", json!({"type": "string", "nullable": true})),
        ("either", json!({"description": "d"})),
        ("number", json!({"type": "number", "minimum": 0, "exclusiveMinimum": true})),
        ("list", json!({"type": "array", "nullable": true, "items": {"type": "string"}})),
        ("fixed", json!({"enum": ["only"]})),
        ("file", json!({"type": "string", "format": "binary"})),
        ("encoded", json!({"type": "string", "format": "byte"})),
    ] {
        assert_eq!(properties[name], wanted, "{name}");
    }
    let found = passed(&given);
    assert_eq!(found["components"]["schemas"]["A"]["properties"]["anything"], json!({}));
    assert!(code::generate(&found).is_ok());
}

// The package.

#[test]
fn finds_path_with_patterns_slashes_and_stars() {
    for (from, to) in [
        ("{downloadId}", "{downloadId:.+}"),
        ("{downloadId}", "{downloadId:[a-f0-9-]{36}}"),
        ("{downloadId}", "{downloadId:[^/{}]+}"),
        ("{downloadId}", "{downloadId:(?:[a-z]{8})-[0-9]{1,4}}"),
        ("{downloadId}", "{id:a|b}"),
        ("{downloadId}", "{*downloadId}"),
        ("{downloadId}", "{downloadId*}"),
        ("{downloadId}", "{ downloadId }"),
        ("/download\"", "/download/\""),
        ("/api/downloads", "/api//downloads"),
        ("/api/downloads", "//api/downloads"),
    ] {
        let text = vendored();
        let paths = text.replace(from, to);
        assert!(paths != text, "{from}");
        // The names of the parameters stay what they were.
        let document = passes::read::json(
            &paths.replace(&format!("\"name\": \"{}\"", to.trim_matches(['{', '}'])), "\"name\": \"downloadId\""),
            "t",
        );
        let document = document.unwrap_or_else(|error| panic!("{to}: {error}"));
        let passed = built(&document.to_string()).unwrap_or_else(|findings| panic!("{to}: {findings:#?}"));
        let place = passed.mapping.operations["downloadPackage"].location.as_ref().expect("is there");
        assert_eq!(place.wire.trim_end_matches('/'), DOWNLOAD, "{to}");
    }
}

#[test]
fn leaves_invalid_path_template_to_lint() {
    for (path, plain) in [
        ("/a/{id:[0-9]{2}}/b/{name}", Some("/a/{id}/b/{name}")),
        ("/a{?page,size}", Some("/a")),
        ("/a/{id", None),
        ("/a/{:x}", None),
        ("/a/{id:[0-9]{2}", None),
        ("/a/{id}.json", Some("/a/{id}.json")),
        ("/a///b", Some("/a/b")),
    ] {
        assert_eq!(passes::normalize::plain_path(path).as_deref(), plain, "{path}");
    }
    // Two paths that become one are joined where they can be.
    let operation = |id: &str| json!({"operationId": id, "responses": {"204": {"description": ""}}});
    let found = passed(&document(
        json!({"/a/{id:.+}": {"get": operation("getA")}, "/a/{id}": {"put": operation("putA")}}),
        json!({}),
    ));
    let methods: Vec<&String> =
        found["paths"]["/a/{id}"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(methods, ["get", "put"]);
}

#[test]
fn accepts_extensions_at_every_level() {
    let plain = generated(&accepted("ours", |_| {}));
    let passed = accepted("extensions", |document| {
        let note = json!({"$ref": "#/nowhere", "get": {"responses": {}}, "type": "what"});
        passes::tree::visit_all(document, &mut |_, object, _| {
            object.insert(String::from("x-note"), note.clone());
        });
        document["paths"]["x-note"] = note.clone();
        for item in document["paths"].as_object_mut().expect("paths").values_mut() {
            for method in passes::tree::METHODS {
                if let Some(operation) = item.get_mut(method) {
                    operation["responses"]["x-note"] = note.clone();
                    if let Some(body) = operation.get_mut("requestBody") {
                        body["content"]["x-note"] = note.clone();
                    }
                }
            }
        }
        for section in ["responses", "parameters"] {
            document["components"][section]["x-note"] = note.clone();
        }
        document["components"]["x-note"] = note.clone();
        document["servers"] = json!([{"url": "/", "x-note": note}]);
    });
    assert!(generated(&passed).client == plain.client, "the client depends on extensions");
}
