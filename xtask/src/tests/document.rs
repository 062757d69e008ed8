//! Each document pass on a snippet: what it is for holds afterwards.

use serde_json::{Value, json};

use super::{document, ids, marked, passed, with_operation};

fn operation(document: &Value) -> &Value {
    &document["paths"]["/x"]["get"]
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    &document["components"]["schemas"][name]
}

fn json_answer(schema: Value) -> Value {
    json!({"200": {"description": "", "content": {"application/json": {"schema": schema}}}})
}

#[test]
fn removes_callbacks_links_and_examples() {
    let document = passed(&with_operation(
        json!({
            "callbacks": {"done": {"$ref": "#/components/callbacks/Done"}},
            "responses": {"200": {"description": "", "links": {"next": {}}, "content": {
                "application/json": {"schema": {"type": "string", "example": "a"}, "example": "b", "examples": {}},
            }}},
        }),
        json!({}),
    ));
    let text = document.to_string();
    for gone in ["callbacks", "links", "example"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn accepts_keyword_as_property_name() {
    let properties = json!({
        "example": {"type": "string"}, "default": {"type": "integer", "default": 3}, "pattern": {"type": "string", "pattern": "x"},
        "enum": {"type": "string"}, "links": {"type": "string"}, "properties": {"type": "string"}, "x-y": {"type": "string", "minLength": 3},
    });
    let document = passed(&document(json!({}), json!({"A": {"type": "object", "properties": properties}})));
    let kept = &schema(&document, "A")["properties"];
    assert_eq!(kept.as_object().map(serde_json::Map::len), Some(7), "{kept}");
    assert_eq!(kept["default"], json!({"type": "integer"}));
    assert_eq!(kept["x-y"], json!({"type": "string"}));
}

#[test]
fn inlines_shared_components() {
    let mut given = document(
        json!({"/x/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}, {"name": "v", "in": "query", "description": "of the path", "schema": {"type": "string"}}],
            "get": {
                "operationId": "getX",
                "parameters": [{"name": "v", "in": "query", "description": "of the operation", "schema": {"type": "string"}}],
                "responses": {"204": {"$ref": "#/components/responses/Done"}},
            },
        }}),
        json!({}),
    );
    given["components"]["parameters"] =
        json!({"Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}});
    given["components"]["responses"] =
        json!({"Done": {"$ref": "#/components/responses/Real"}, "Real": {"description": "ready"}});
    let document = passed(&given);
    let operation = &document["paths"]["/x/{id}"]["get"];
    assert_eq!(operation["responses"], json!({"2XX": {"description": "ready"}}));
    let names: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().map(|it| &it["name"]).collect();
    assert_eq!(names, ["v", "id"]);
    assert_eq!(operation["parameters"][0]["description"], "of the operation");
    assert!(document["components"].get("parameters").is_none());
}

#[test]
fn removes_headers_set_by_the_transport() {
    let header = |name: &str| json!({"name": name, "in": "header", "required": true, "schema": {"type": "string"}});
    let parameters = json!([
        header("x-tenant-id"), header("Authorization"), header("If-Match"),
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
    ]);
    let document = passed(&with_operation(json!({"parameters": parameters}), json!({})));
    assert_eq!(operation(&document)["parameters"].as_array().map(Vec::len), Some(1));
    assert_eq!(operation(&document)["parameters"][0]["name"], "If-Match");
}

#[test]
fn keeps_one_success_response() {
    let bytes = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
    let json_of = |kind: &str| json!({"application/json": {"schema": {"type": kind}}});
    let cases = [
        (json!({"204": {"description": "d"}, "404": {"description": ""}, "default": {"description": ""}}), None),
        (json!({"default": {"description": "d"}}), Some(bytes.clone())),
        (
            json!({"200": {"description": "d", "content": json_of("string")}, "201": {"description": "", "content": json_of("string")}}),
            Some(json_of("string")),
        ),
        (
            json!({"200": {"description": "d", "content": json_of("string")}, "201": {"description": "", "content": json_of("integer")}}),
            Some(bytes.clone()),
        ),
        (
            json!({"200": {"description": "d", "content": json_of("string")}, "204": {"description": ""}}),
            Some(bytes.clone()),
        ),
        (
            json!({"200": {"description": "d", "content": {"application/pdf": {}, "image/png": {}}}}),
            Some(bytes.clone()),
        ),
        (json!({"200": {"description": "d", "content": {"application/json": {}}}}), Some(bytes.clone())),
        (
            json!({"200": {"description": "d", "content": {"*/*": {"schema": {"type": "string"}}}}}),
            Some(json_of("string")),
        ),
        (
            json!({"200": {"description": "d", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}),
            Some(bytes),
        ),
        (
            json!({"2XX": {"description": "d", "content": {"application/hal+json;charset=utf-8": {"schema": {"type": "string"}}}}}),
            Some(json_of("string")),
        ),
    ];
    for (responses, content) in cases {
        let document = passed(&with_operation(json!({"responses": responses}), json!({})));
        let mut wanted = json!({"description": "d"});
        if let Some(content) = content {
            wanted["content"] = content;
        }
        assert_eq!(operation(&document)["responses"], json!({"2XX": wanted}), "{responses}");
    }
}

#[test]
fn creates_operations_for_alternative_formats() {
    let schema = json!({"schema": {"type": "string"}});
    let content =
        json!({"application/json": schema, "application/xml": schema, "text/xml": schema, "text/csv": schema});
    let document =
        passed(&with_operation(json!({"responses": {"200": {"description": "", "content": content}}}), json!({})));
    assert_eq!(operation(&document)["x-accept"], "application/json");
    let xml = &document["paths"]["/x#xml"]["get"];
    assert_eq!(xml["operationId"], "get_x_xml");
    assert_eq!(xml["x-variant-of"], "getX");
    assert_eq!(xml["x-accept"], "application/xml, text/xml");
    assert_eq!(document["paths"]["/x#csv"]["get"]["operationId"], "get_x_csv");
    assert_eq!(document["paths"].as_object().map(serde_json::Map::len), Some(3));
}

#[test]
fn accept_header_lists_documented_json() {
    let accept = |content: Value| {
        let document =
            passed(&with_operation(json!({"responses": {"200": {"description": "", "content": content}}}), json!({})));
        operation(&document)["x-accept"].clone()
    };
    assert_eq!(
        accept(json!({"application/zip": {}, "application/octet-stream": {}})),
        "application/octet-stream, application/zip, application/json"
    );
    assert_eq!(accept(json!({})), "application/json");
    assert_eq!(accept(json!({"*/*": {}})), "application/json");
    // Named as springdoc does, JSON is what is wanted, not the form beside it.
    let any_json = json!({"*/*": {"schema": {"type": "object"}}, "application/xml": {"schema": {"type": "string"}}});
    assert_eq!(accept(any_json), "application/json");
}

#[test]
fn descriptions_cannot_escape_comments() {
    let hostile =
        "a\r\nb\rc */ d /* e \u{202e}f\u{0} <b>g</b>\n```\n#![x]\n```\n        indented\n~~~rust\n[x] `[y]<z>`\n";
    let document = passed(&with_operation(
        json!({"description": hostile, "summary": hostile}),
        json!({"A": {"title": "B", "type": "string", "description": hostile}}),
    ));
    for text in [&operation(&document)["description"], &schema(&document, "A")["description"]] {
        let text = text.as_str().unwrap_or_default();
        assert!(text.starts_with("a\nb\nc * / d / * e f  &lt;b>g&lt;/b>"), "{text:?}");
        assert!(text.ends_with("\\[x\\] `[y]<z>`"), "{text:?}");
        for bad in ["*/", "/*", "```", "~~~", "\r", "\u{202e}", "\0", "    indented"] {
            assert!(!text.contains(bad), "{bad:?} in {text:?}");
        }
    }
    assert!(schema(&document, "A").get("title").is_none());
}

#[test]
fn sanitizes_version_for_header() {
    let mut given = document(json!({}), json!({}));
    given["info"]["version"] = json!("1.0-ü\n");
    assert_eq!(passed(&given)["info"]["version"], "1.0-?");
}

#[test]
fn documents_deprecation() {
    let document = passed(&with_operation(json!({"deprecated": true, "description": "Old."}), json!({})));
    assert_eq!(operation(&document)["description"], "Old.\n\nDeprecated: the service may remove it.");
}

#[test]
fn removes_constraints_and_most_formats() {
    let properties = json!({
        "a": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^x$", "format": "uuid"},
        "b": {"type": "integer", "format": "int32", "minimum": 1, "enum": [1, 2]},
        "c": {"type": "array", "uniqueItems": true, "minItems": 1, "items": {"type": "number", "format": "float"}},
        "d": {"type": "string", "format": "date"},
        "e": {"type": "string", "format": "binary"},
    });
    let document = passed(&document(json!({}), json!({"A": {"type": "object", "properties": properties}})));
    assert_eq!(
        schema(&document, "A")["properties"],
        json!({
            "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "array", "items": {"type": "number"}},
            "d": {"type": "string"}, "e": {"type": "string", "format": "binary"},
        })
    );
}

#[test]
fn makes_nullable_property_optional() {
    let given = json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string", "nullable": true}, "b": {"type": "string"}}});
    let document = passed(&document(json!({}), json!({"A": given})));
    assert_eq!(schema(&document, "A")["required"], json!(["b"]));
    assert_eq!(schema(&document, "A")["properties"]["a"], json!({"type": "string"}));
}

#[test]
fn names_enums_after_owner_and_property() {
    let choice = json!({"type": "string", "enum": ["A", "B", null], "nullable": true, "description": "which"});
    let given = with_operation(
        json!({"parameters": [{"name": "sortBy", "in": "query", "schema": choice}], "responses": json_answer(json!({"type": "array", "items": choice}))}),
        json!({
            "State": choice,
            "File": {"type": "object", "properties": {"workflow": choice, "tags": {"type": "array", "items": choice}}},
            "FileWorkflow": {"type": "object"},
        }),
    );
    let document = passed(&given);
    assert_eq!(
        schema(&document, "File")["properties"]["workflow"]["allOf"],
        json!([{"$ref": "#/components/schemas/FileWorkflow2"}])
    );
    assert_eq!(schema(&document, "File")["properties"]["workflow"]["description"], "which");
    for name in ["State", "FileWorkflow2", "FileTags", "GetXSortBy", "GetXAnswer"] {
        let schema = schema(&document, name);
        assert_eq!(schema["x-open-enum"], true, "{name}: {:#}", document["components"]);
        assert_eq!(schema["enum"], json!(["A", "B"]), "{name}");
    }
}

#[test]
fn replaces_plain_string_ids_and_times() {
    let properties = json!({
        "id": {"type": "string", "x-test-id": "DossierId"},
        "dossierId": {"type": "string", "format": "uuid", "description": "whose", "x-test-id": "DossierId"},
        "memberIds": {"type": "array", "items": {"type": "string", "x-test-id": "UserId"}}, "fileId": {"type": "integer"},
        "added": {"type": "string", "format": "date-time", "nullable": true},
    });
    let given = document(
        json!({"/x/{dossierId}/{other}/{page}/{state}/{time}/{alias}": {"get": {
            "operationId": "getX",
            "parameters": [
                {"name": "dossierId", "in": "path", "required": true, "schema": {"type": "string", "x-test-id": "DossierId"}},
                {"name": "other", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "page", "in": "path", "required": true, "schema": {"type": "integer"}},
                {"name": "state", "in": "path", "required": true, "schema": {"type": "string", "enum": ["A"]}},
                {"name": "time", "in": "path", "required": true, "schema": {"type": "string", "format": "date-time"}},
                {"name": "alias", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Alias"}},
            ],
            "responses": {"204": {"description": ""}},
        }}}),
        json!({"Alias": {"type": "string"}, "Dossier": {"type": "object", "properties": properties}, "Other": {"type": "object", "properties": {"id": {"type": "string"}}}}),
    );
    let document = marked(&given, ids);
    let target = |schema: &Value| {
        let reference = schema["allOf"][0]["$ref"].as_str().unwrap_or_default();
        let name = reference.rsplit('/').next().unwrap_or_default();
        document["components"]["schemas"][name]["x-replace"].as_str().unwrap_or("-").to_owned()
    };
    let dossier = &schema(&document, "Dossier")["properties"];
    assert_eq!(target(&dossier["id"]), "crate::ids::DossierId");
    assert_eq!(target(&dossier["dossierId"]), "crate::ids::DossierId");
    assert_eq!(dossier["dossierId"]["description"], "whose");
    assert_eq!(target(&dossier["memberIds"]["items"]), "crate::ids::UserId");
    assert_eq!(target(&dossier["added"]), "crate::Timestamp");
    assert_eq!(target(&dossier["fileId"]), "-", "a number stays a number");
    assert_eq!(target(&schema(&document, "Other")["properties"]["id"]), "-");
    let parameters = &document["paths"]["/x/{dossierId}/{other}/{page}/{state}/{time}/{alias}"]["get"]["parameters"];
    assert_eq!(target(&parameters[0]["schema"]), "crate::ids::DossierId");
    assert_eq!(target(&parameters[1]["schema"]), "crate::ids::PathSegment");
    assert_eq!(target(&parameters[2]["schema"]), "-");
    for any in 3..6 {
        assert_eq!(target(&parameters[any]["schema"]), "crate::ids::PathSegment", "{parameters}");
    }
}

#[test]
fn request_lists_can_be_empty_or_absent() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let given = with_operation(
        json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outer"}}}}}),
        json!({
            "Outer": {"type": "object", "required": ["must"], "properties": {"must": list, "may": list, "inner": {"$ref": "#/components/schemas/Inner"}}},
            "Inner": {"type": "object", "properties": {"may": list, "labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
            "Answer": {"type": "object", "properties": {"may": list}},
        }),
    );
    let document = passed(&given);
    assert_eq!(schema(&document, "Outer")["properties"]["may"]["nullable"], true);
    assert_eq!(schema(&document, "Inner")["properties"]["may"]["nullable"], true);
    assert_eq!(schema(&document, "Inner")["properties"]["labels"]["nullable"], true);
    assert!(schema(&document, "Outer")["properties"]["must"].get("nullable").is_none());
    assert!(schema(&document, "Answer")["properties"]["may"].get("nullable").is_none());
}

#[test]
fn preserves_unknown_fields() {
    let properties = json!({"a": {"type": "string"}});
    let document = passed(&document(
        json!({}),
        json!({
            "Open": {"type": "object", "properties": properties},
            "Closed": {"type": "object", "properties": properties, "additionalProperties": false},
            "Own": {"type": "object", "properties": properties, "additionalProperties": {"type": "string"}},
            "Taken": {"type": "object", "properties": {"extra": {"type": "string"}}, "additionalProperties": false},
            "Map": {"type": "object"},
        }),
    ));
    assert_eq!(schema(&document, "Open")["additionalProperties"], json!({}));
    assert_eq!(schema(&document, "Closed")["additionalProperties"], json!({}));
    assert_eq!(schema(&document, "Own")["additionalProperties"], json!({"type": "string"}));
    assert_eq!(schema(&document, "Taken")["additionalProperties"], json!(true));
    assert!(schema(&document, "Map").get("additionalProperties").is_none());
}
