//! Other media types, parameters, forms and statuses.

use serde_json::{Value, json};

use crate::lookup::{self, Object, Side};

const JSON: &str = "application/json";

/// Renames the media type JSON.
fn json_called(document: &mut Value, name: &str, on: impl Fn(Side) -> bool) {
    lookup::contents(document, &mut |content, side| {
        if on(side)
            && let Some(media) = content.remove(JSON)
        {
            content.insert(name.to_owned(), media);
        }
    });
}

/// Responses have the media type `*/*`, the default of Spring.
pub fn any_media_type(document: &mut Value) {
    json_called(document, "*/*", |side| side != Side::Request);
}

/// Responses have a JSON media type with a character set.
pub fn hal_media_type(document: &mut Value) {
    json_called(document, "application/hal+json;charset=UTF-8", |side| side != Side::Request);
}

/// Request bodies have a vendor media type of JSON.
pub fn vendor_request_type(document: &mut Value) {
    json_called(document, "application/vnd.documine.v1+json", |side| side == Side::Request);
}

/// Bodies and responses have several media types.
pub fn several_media_types(document: &mut Value) {
    lookup::contents(document, &mut |content, side| {
        let Some(media) = content.get(JSON).cloned() else {
            return;
        };
        let others: &[&str] = match side {
            Side::Request => &["application/xml", "application/x-www-form-urlencoded", "application/merge-patch+json"],
            _ => &["text/json", "application/problem+json", "application/yaml"],
        };
        for other in others {
            content.insert((*other).to_owned(), media.clone());
        }
    });
}

fn add_parameter(operation: &mut Object, parameter: Value) {
    if let Value::Array(list) = operation.entry("parameters").or_insert_with(|| json!([])) {
        list.push(parameter);
    }
}

/// Every operation declares the header that the transport sends anyway, and the one with the token.
pub fn tenant_header_declared(document: &mut Value) {
    lookup::operations(document, &mut |_, _, operation| {
        add_parameter(
            operation,
            json!({"name": "X-TENANT-ID", "in": "header", "required": true, "schema": {"type": "string"}}),
        );
        add_parameter(
            operation,
            json!({"name": "authorization", "in": "header", "required": true, "schema": {"type": "string"}}),
        );
    });
}

/// Operations have an optional header and an optional cookie.
pub fn optional_header(document: &mut Value) {
    lookup::operations(document, &mut |_, _, operation| {
        add_parameter(
            operation,
            json!({"name": "X-Request-Id", "in": "header", "schema": {"type": "string", "format": "uuid"}}),
        );
        add_parameter(operation, json!({"name": "SESSION", "in": "cookie", "schema": {"type": "string"}}));
    });
}

fn list_operations(document: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    lookup::operations(document, &mut |path, method, operation| {
        let end = path.rsplit('/').next().unwrap_or_default();
        if method == "get" && ["dossier-templates", "dossiers", "files", "downloads", "users"].contains(&end) {
            visit(operation);
        }
    });
}

/// Lists have paging parameters.
pub fn paging_parameters(document: &mut Value) {
    list_operations(document, &mut |operation| {
        add_parameter(
            operation,
            json!({"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}}),
        );
        add_parameter(
            operation,
            json!({"name": "size", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 20}}),
        );
        add_parameter(
            operation,
            json!({"name": "sort", "in": "query", "explode": true, "schema": {"type": "array", "items": {"type": "string"}}}),
        );
    });
}

/// Lists take an object that says which page, as Spring writes it.
pub fn pageable_object(document: &mut Value) {
    let pageable = json!({
        "type": "object",
        "properties": {
            "page": {"type": "integer", "format": "int32", "minimum": 0},
            "size": {"type": "integer", "format": "int32", "minimum": 1},
            "sort": {"type": "array", "items": {"type": "string"}},
        },
    });
    lookup::add_schema(document, "Pageable", pageable);
    list_operations(document, &mut |operation| {
        let schema = json!({"$ref": "#/components/schemas/Pageable"});
        add_parameter(operation, json!({"name": "pageable", "in": "query", "required": true, "schema": schema}));
    });
}

/// Each operation describes its errors in another way than the next.
pub fn problem_json_errors(document: &mut Value) {
    let problem = json!({"type": "object", "properties": {"type": {"type": "string", "format": "uri"}, "title": {"type": "string"}, "status": {"type": "integer"}}});
    lookup::add_schema(document, "Problem", problem.clone());
    let mut count = 0;
    lookup::operations(document, &mut |_, _, operation| {
        let Some(Value::Object(responses)) = operation.get_mut("responses") else {
            return;
        };
        count += 1;
        let content = |schema: Value| json!({"description": "An error.", "content": {"application/problem+json": {"schema": schema}}});
        responses.insert(String::from("400"), content(json!({"$ref": "#/components/schemas/Problem"})));
        responses.insert(String::from("401"), json!({"description": "No token."}));
        responses.insert(String::from("4XX"), content(problem.clone()));
        responses.insert(
            String::from("422"),
            content(json!({"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Problem"}]})),
        );
        let text = json!({"description": "", "content": {"text/html": {"schema": {"type": "string"}}}});
        responses.insert(String::from("default"), if count % 2 == 0 { text } else { content(problem.clone()) });
    });
}

/// Some operations describe only errors.
pub fn errors_only(document: &mut Value) {
    for line in ["DELETE /files/{}", "DELETE /downloads/{}", "GET /license"] {
        if let Some(at) = lookup::operation(document, line)
            && let Some(responses) = lookup::object_at(document, &format!("{at}/responses"))
        {
            responses.retain(|status, _| !status.starts_with('2'));
        }
    }
}

/// `default` describes the success.
pub fn default_for_success(document: &mut Value) {
    lookup::operations(document, &mut |_, _, operation| {
        if let Some(Value::Object(responses)) = operation.get_mut("responses")
            && let Some(success) = responses.remove("200")
        {
            responses.retain(|status, _| !status.starts_with('2'));
            responses.insert(String::from("default"), success);
        }
    });
}

fn change_status(document: &mut Value, old: &str, new: &str, change: impl Fn(Value) -> Value) {
    lookup::operations(document, &mut |_, _, operation| {
        if let Some(Value::Object(responses)) = operation.get_mut("responses")
            && let Some(answer) = responses.remove(old)
        {
            responses.insert(new.to_owned(), change(answer));
        }
    });
}

/// Operations return 200 with a message instead of 204.
pub fn success_200_for_204(document: &mut Value) {
    change_status(
        document,
        "204",
        "200",
        |_| json!({"description": "OK", "content": {"*/*": {"schema": {"type": "string"}}}}),
    );
}

/// The status of success is `2XX`.
pub fn success_2xx(document: &mut Value) {
    change_status(document, "200", "2XX", |answer| answer);
    change_status(document, "204", "2XX", |answer| answer);
}

/// Returns the pointer of the upload form.
pub(super) fn form(document: &Value) -> Option<String> {
    lookup::request(document, "POST /dossiers/{}/files")
}

/// The part that holds the file has another name.
pub fn another_part_name(document: &mut Value) {
    if let Some(at) = form(document)
        && let Some(schema) = lookup::object_at(document, &at)
    {
        super::names::rename_fields(
            schema,
            |name| if name == "file" { String::from("document") } else { name.to_owned() },
        );
    }
    forget_encoding(document);
}

fn forget_encoding(document: &mut Value) {
    lookup::contents(document, &mut |content, _| {
        for media in content.values_mut().filter_map(Value::as_object_mut) {
            media.remove("encoding");
        }
    });
}

/// The form has more parts, which may be left out.
pub fn further_optional_part(document: &mut Value) {
    if let Some(at) = form(document) {
        let parts = format!("{at}/properties");
        lookup::set(document, &parts, "disableAutomaticAnalysis", json!({"type": "boolean", "default": false}));
        lookup::set(
            document,
            &parts,
            "metadata",
            json!({"type": "object", "properties": {"source": {"type": "string"}}}),
        );
    }
}

/// The form takes a list of files.
pub fn list_of_files_in_the_form(document: &mut Value) {
    if let Some(at) = form(document)
        && let Some(Value::Object(parts)) = document.pointer_mut(&format!("{at}/properties"))
    {
        for part in parts.values_mut() {
            if part.get("format").and_then(Value::as_str) == Some("binary") {
                *part = json!({"type": "array", "items": part.clone()});
            }
        }
    }
}

/// The part that holds the file is described by the getters of Spring's `MultipartFile`.
pub fn multipart_file_class(document: &mut Value) {
    let text = json!({"type": "string"});
    let class = json!({"type": "object", "properties": {
        "name": text, "originalFilename": text, "contentType": text, "empty": {"type": "boolean"}, "size": {"type": "integer", "format": "int64"},
        "bytes": {"type": "array", "items": {"type": "string", "format": "byte"}}, "inputStream": {"type": "object"},
    }});
    lookup::add_schema(document, "MultipartFile", class);
    if let Some(at) = form(document)
        && let Some(Value::Object(parts)) = document.pointer_mut(&format!("{at}/properties"))
    {
        for part in parts.values_mut().filter(|part| part.get("format").and_then(Value::as_str) == Some("binary")) {
            *part = json!({"$ref": "#/components/schemas/MultipartFile"});
        }
    }
    forget_encoding(document);
}

/// Takes the flag of the upload out of its query, with the name it had there.
fn take_flag(document: &mut Value) -> Option<(String, String)> {
    let at = lookup::operation(document, "POST /dossiers/{}/files")?;
    let list = format!("{at}/parameters");
    let count = document.pointer(&list)?.as_array()?.len();
    for index in 0..count {
        let own = format!("{list}/{index}");
        let target = document.pointer(&format!("{own}/$ref")).and_then(Value::as_str);
        let place = target.map_or_else(|| own.clone(), |target| target.trim_start_matches('#').to_owned());
        let name = document.pointer(&format!("{place}/name")).and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.to_lowercase().replace(['_', '-'], "") == "keepmanualchanges"
            && let Some(Value::Array(parameters)) = document.pointer_mut(&list)
        {
            parameters.remove(index);
            return Some((at, name));
        }
    }
    None
}

/// Moves the flag that keeps changes by hand into the form, where the flag is required.
pub fn keep_in_the_form(document: &mut Value) {
    if let Some(form) = form(document)
        && let Some((_, name)) = take_flag(document)
    {
        lookup::set(document, &format!("{form}/properties"), &name, json!({"type": "boolean", "default": false}));
        lookup::push(document, &form, "required", json!(name));
    }
}

/// The same as a header.
pub fn keep_in_a_header(document: &mut Value) {
    if let Some((at, _)) = take_flag(document) {
        let header =
            json!({"name": "X-Keep-Manual-Changes", "in": "header", "required": true, "schema": {"type": "boolean"}});
        lookup::push(document, &at, "parameters", header);
    }
}

/// The package is described as an object.
pub fn package_as_object(document: &mut Value) {
    if let Some(at) = lookup::operation(document, "GET /downloads/{}/download") {
        let schema = json!({"type": "object", "properties": {"url": {"type": "string"}}});
        let answer = json!({"description": "", "content": {"*/*": {"schema": schema}}});
        lookup::set(document, &at, "responses", json!({"200": answer}));
    }
}

/// Components come as JSON only.
pub fn without_xml(document: &mut Value) {
    lookup::contents(document, &mut |content, _| {
        content.remove("application/xml");
    });
}

/// Query parameters that the facade would send are not there.
pub fn without_query_parameters(document: &mut Value) {
    for line in ["GET /dossiers", "DELETE /dossiers/{}", "GET /files/{}/components", "POST /dossiers/{}/files"] {
        if let Some(at) = lookup::operation(document, line) {
            lookup::remove(document, &at, "parameters");
        }
    }
}

/// Bodies, answers and headers stand among the components and refer to each other.
pub fn shared_by_reference(document: &mut Value) {
    let mut bodies = Object::new();
    let mut answers = Object::new();
    lookup::operations(document, &mut |_, _, operation| {
        if let Some(body) = operation.get_mut("requestBody")
            && body.get("$ref").is_none()
        {
            let name = format!("Body{}", bodies.len());
            let shared = std::mem::replace(body, json!({"$ref": format!("#/components/requestBodies/{name}")}));
            bodies.insert(name, shared);
        }
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            for response in responses.values_mut().filter(|response| response.get("$ref").is_none()) {
                let name = format!("Answer{}", answers.len());
                let shared =
                    std::mem::replace(response, json!({"$ref": format!("#/components/responses/{name}Again")}));
                answers.insert(format!("{name}Again"), json!({"$ref": format!("#/components/responses/{name}")}));
                answers.insert(name, shared);
            }
        }
    });
    for (section, more) in [("requestBodies", bodies), ("responses", answers)] {
        if let Some(components) = lookup::object_at(document, "/components")
            && let Value::Object(shared) = components.entry(section).or_insert_with(|| json!({}))
        {
            shared.extend(more);
        }
    }
}
