//! Packages and uploads, in the ways in which tools describe them.

use super::*;

#[test]
fn reads_package_as_bytes_for_any_schema() {
    let resource = json!({"type": "object", "properties": {
        "inputStream": {"type": "object"}, "description": {"type": "string"}, "open": {"type": "boolean"}, "readable": {"type": "boolean"},
        "file": {"type": "string", "format": "binary"}, "filename": {"type": "string"}, "uri": {"type": "string"}, "url": {"type": "string"},
    }});
    let any = "*/*";
    for (name, media_type, schema) in [
        ("Resource", any, resource.clone()),
        ("Resource as JSON", "application/json", resource.clone()),
        ("Resource as a ZIP", "application/zip", resource),
        ("StreamingResponseBody", any, json!({"type": "object"})),
        ("StreamingResponseBody as JSON", "application/json", json!({"type": "object"})),
        ("a map", any, json!({"type": "object", "additionalProperties": {"type": "object"}})),
        ("an object", "application/json", json!({"type": "object", "properties": {"url": {"type": "string"}}})),
        ("byte[]", any, json!({"type": "array", "items": {"type": "string", "format": "byte"}})),
        ("a list", "application/json", json!({"type": "array", "items": {"type": "integer"}})),
        ("base64", any, json!({"type": "string", "format": "byte"})),
        ("binary", any, json!({"type": "string", "format": "binary"})),
        ("binary as JSON", "application/json", json!({"type": "string", "format": "binary"})),
        ("a text", "application/json", json!({"type": "string"})),
        ("anything", any, json!({})),
    ] {
        for shared in [false, true] {
            let passed = accepted(name, |document| {
                let schema = if shared {
                    document["components"]["schemas"]["PackageFile"] = schema.clone();
                    json!({"$ref": "#/components/schemas/PackageFile"})
                } else {
                    schema.clone()
                };
                answer(&mut document["paths"][DOWNLOAD]["get"], json!({media_type: {"schema": schema}}));
            });
            let download = &passed.document["paths"][DOWNLOAD]["get"];
            let content = json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}});
            assert_eq!(download["responses"]["2XX"]["content"], content, "{name}");
            let accept = download["x-accept"].as_str().unwrap_or_default();
            let wanted = match media_type {
                "application/zip" => accept == "application/zip, application/json",
                "application/json" => accept == "*/*",
                // A `*/*` with a form of JSON is called JSON first.
                _ => accept == "*/*" || accept == "application/json",
            };
            assert!(wanted, "{name}: {accept}");
            let method = &generated(&passed).client;
            assert!(method.contains("pub fn download_package("), "{name}");
        }
    }
}

// The form.

fn takes(document: &mut Value, body: Value) {
    upload(document)["requestBody"] = body;
}

#[test]
fn finds_file_part_for_any_schema() {
    let text = json!({"type": "string"});
    let binary = json!({"type": "string", "format": "binary"});
    let class = json!({"type": "object", "properties": {
        "name": text, "originalFilename": text, "empty": {"type": "boolean"}, "bytes": {"type": "string", "format": "byte"}, "size": {"type": "integer"},
        "inputStream": {"type": "object"}, "contentType": text, "resource": {"type": "object"},
    }});
    let form = |schema: Value| json!({"content": {"multipart/form-data": {"schema": schema}}});
    let with = |part: Value| json!({"type": "object", "required": ["file"], "properties": {"file": part}});
    let named = json!({"$ref": "#/components/schemas/MultipartFile"});
    for (name, body) in [
        ("binary", form(with(binary.clone()))),
        ("base64", form(with(json!({"type": "string", "format": "byte"})))),
        ("class", form(with(class.clone()))),
        ("named class", form(with(named.clone()))),
        ("list of files", form(with(json!({"type": "array", "items": binary})))),
        ("list of the class", form(with(json!({"type": "array", "items": named})))),
        ("wrapped", form(with(json!({"allOf": [named], "description": "d"})))),
        ("named form", form(json!({"$ref": "#/components/schemas/UploadForm"}))),
        ("called JSON", json!({"content": {"application/json": {"schema": with(binary.clone())}}})),
        ("called JSON, class", json!({"content": {"application/json": {"schema": with(named.clone())}}})),
        (
            "called JSON, list",
            json!({"content": {"application/json": {"schema": with(json!({"type": "array", "items": named}))}}}),
        ),
        ("any media type", json!({"content": {"*/*": {"schema": with(named.clone())}}})),
        ("the form is the file", form(named.clone())),
        ("nothing said", form(json!({"type": "object"}))),
        ("nothing said of the part", form(with(json!({})))),
        ("class without getters", form(with(json!({"type": "object"})))),
    ] {
        let passed = accepted(name, |document| {
            document["components"]["schemas"]["MultipartFile"] = class.clone();
            document["components"]["schemas"]["UploadForm"] = with(named.clone());
            takes(document, body);
        });
        let operation = &passed.document["paths"][UPLOAD]["post"];
        assert_eq!((&operation["x-part"], &operation["x-multipart"]), (&json!("file"), &json!(true)), "{name}");
    }
}

#[test]
fn does_not_take_file_description_for_file() {
    let text = json!({"type": "string"});
    for names in [vec!["name", "originalFilename", "contentType", "size"], vec!["submittedFileName", "contentType"]] {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        let passed = accepted("description", |document| {
            document["components"]["schemas"]["FileStatus"]["properties"]["upload"] =
                json!({"type": "object", "properties": properties});
        });
        let upload = passed.document["components"]["schemas"].to_string();
        assert!(upload.contains(names[0]) && !upload.contains("\"format\":\"binary\""), "{names:?}");
    }
}

#[test]
fn moves_file_parameter_to_form_part() {
    let binary = json!({"type": "string", "format": "binary"});
    let class = json!({"type": "object", "properties": {"originalFilename": {"type": "string"}, "size": {"type": "integer"}, "inputStream": {"type": "object"}}});
    let dto = json!({"type": "object", "properties": {"document": binary, "keepManualChanges": {"type": "boolean"}}});
    for (name, part, parameter) in [
        ("binary", "file", json!({"name": "file", "in": "query", "required": true, "schema": binary})),
        (
            "list",
            "files",
            json!({"name": "files", "in": "query", "required": true, "schema": {"type": "array", "items": binary}}),
        ),
        ("class", "file", json!({"name": "file", "in": "query", "required": true, "schema": class})),
        (
            "named class",
            "upload",
            json!({"name": "upload", "in": "query", "schema": {"$ref": "#/components/schemas/MultipartFile"}}),
        ),
        (
            "an object with a file in it",
            "document",
            json!({"name": "dto", "in": "query", "required": true, "schema": dto}),
        ),
        ("form data", "file", json!({"name": "file", "in": "formData", "required": true, "type": "file"})),
    ] {
        let passed = accepted(name, |document| {
            document["components"]["schemas"]["MultipartFile"] = class.clone();
            let operation = upload(document).as_object_mut().expect("an operation");
            operation.remove("requestBody");
            operation["parameters"].as_array_mut().expect("parameters").push(parameter);
        });
        let operation = &passed.document["paths"][UPLOAD]["post"];
        assert_eq!((&operation["x-part"], &operation["x-multipart"]), (&json!(part), &json!(true)), "{name}");
        let parameters = operation["parameters"].to_string();
        assert!(!parameters.contains(&format!("\"{part}\"")), "{name}: {parameters}");
    }
    // With a form beside it, the file is one part more.
    let found = passed(&with_operation(
        json!({
            "parameters": [{"name": "file", "in": "query", "schema": binary}],
            "requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"note": {"type": "string"}}}}}},
        }),
        json!({}),
    ));
    assert_eq!(found["paths"]["/x"]["get"]["x-multipart"], json!(true));
}

#[test]
fn sends_upload_flag_where_document_declares_it() {
    let flag = json!({"type": "boolean"});
    for (name, part, required, schema) in [
        ("required", "keepManualChanges", true, flag.clone()),
        ("optional", "keepManualChanges", false, flag.clone()),
        ("a text", "keepManualChanges", true, json!({"type": "string"})),
        ("another spelling", "keep_manual_changes", true, flag.clone()),
    ] {
        let passed = accepted(name, |document| {
            let operation = upload(document);
            operation["parameters"] = json!([]);
            let required = if required { json!(["file", part]) } else { json!(["file"]) };
            let form = json!({"type": "object", "required": required, "properties": {"file": {"type": "string", "format": "binary"}, part: schema}});
            operation["requestBody"] = json!({"content": {"multipart/form-data": {"schema": form}}});
        });
        let generated = generated(&passed);
        let default = if required { "Some(\"false\")" } else { "None" };
        let row = format!("parts: &[(\"keepManualChanges\", {part:?}, {default})]");
        assert!(generated.operations.contains(&row), "{name}: {row} not in {}", generated.operations);
        // The raw client does not send it in the query.
        assert!(generated.operations.contains("missing_query: &[(\"keepManualChanges\", Some(\"false\"))]"), "{name}");
        assert!(generated.client.contains("pub fn keep_manual_changes<"), "{name}");
    }
    for (name, header) in [("the same", "keepManualChanges"), ("another", "X-Keep-Manual-Changes")] {
        let passed = accepted(name, |document| {
            upload(document)["parameters"] =
                json!([{"name": header, "in": "header", "required": true, "schema": flag}]);
        });
        let parameters = passed.document["paths"][UPLOAD]["post"]["parameters"].as_array().cloned().unwrap_or_default();
        let found = parameters.iter().find(|parameter| parameter["name"] == "keepManualChanges").expect("is there");
        assert_eq!(found["in"], "header", "{name}");
        assert!(header == "keepManualChanges" || found["x-wire-name"] == header, "{name}: {found}");
        assert!(generated(&passed).client.contains("keep_manual_changes: Result<Option<bool>, String>"), "{name}");
    }
    // In the query and, optionally, in the form: the query is what we know.
    let passed = accepted("both", |document| {
        let form = json!({"type": "object", "properties": {"file": {"type": "string", "format": "binary"}, "keepManualChanges": flag}});
        upload(document)["requestBody"] = json!({"content": {"multipart/form-data": {"schema": form}}});
    });
    assert!(generated(&passed).operations.contains("parts: &[] }"));
}

// Paths.
