//! Other names of operations, schemas, paths, parameters and fields; names that are keywords, unusual or hostile.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lookup::{self, Object};

/// All operations have other operationIds.
pub fn all_operation_ids_renamed(document: &mut Value) {
    let mut count = 0;
    lookup::operations(document, &mut |_, method, operation| {
        count += 1;
        operation.insert(String::from("operationId"), json!(format!("{method}ResourceUsing_{count}")));
    });
}

/// No operation has an operationId.
pub fn no_operation_ids(document: &mut Value) {
    lookup::operations(document, &mut |_, _, operation| {
        operation.remove("operationId");
    });
}

/// Some operationIds are swapped between operations.
pub fn operation_ids_swapped(document: &mut Value) {
    let pairs = [
        ("GET /dossiers/{}", "GET /dossiers/{}/files/{}"),
        ("GET /downloads/{}", "GET /downloads/{}/download"),
        ("DELETE /dossiers/{}", "DELETE /downloads/{}"),
    ];
    for (one, other) in pairs {
        let (Some(one), Some(other)) = (lookup::operation(document, one), lookup::operation(document, other)) else {
            continue;
        };
        let id = |document: &Value, at: &str| document.pointer(&format!("{at}/operationId")).cloned();
        if let (Some(first), Some(second)) = (id(document, &one), id(document, &other)) {
            lookup::set(document, &one, "operationId", second);
            lookup::set(document, &other, "operationId", first);
        }
    }
}

/// All schemas have other names.
pub fn schemas_renamed(document: &mut Value) {
    rename_schemas(document, |number, _| format!("Model{number}Dto"));
}

fn rename_schemas(document: &mut Value, name: impl Fn(usize, &str) -> String) {
    const COMPONENTS: &str = "#/components/schemas/";
    let Some(schemas) = lookup::schemas(document) else {
        return;
    };
    let names: BTreeMap<String, String> =
        schemas.keys().enumerate().map(|(number, old)| (old.clone(), name(number, old))).collect();
    *schemas = std::mem::take(schemas)
        .into_iter()
        .map(|(old, schema)| (names.get(&old).cloned().unwrap_or(old), schema))
        .collect();
    lookup::every_object(document, &mut |object| {
        let target = lookup::text(object, "$ref").and_then(|reference| reference.strip_prefix(COMPONENTS));
        if let Some(new) = target.and_then(|old| names.get(old)) {
            let reference = format!("{COMPONENTS}{}", lookup::escape(new));
            object.insert(String::from("$ref"), json!(reference));
        }
        if let Some(Value::Object(mapping)) = object.get_mut("mapping") {
            for target in mapping.values_mut() {
                let old = target.as_str().and_then(|reference| reference.strip_prefix(COMPONENTS));
                if let Some(new) = old.and_then(|old| names.get(old)) {
                    *target = json!(format!("{COMPONENTS}{}", lookup::escape(new)));
                }
            }
        }
    });
}

/// Path parameters have other names, some of them the same name.
pub fn path_parameters_renamed(document: &mut Value) {
    rename_path_parameters(document, |name| match name {
        "dossierTemplateId" => String::from("template-id"),
        "dossierId" | "downloadId" => String::from("id"),
        "fileId" => String::from("document_id"),
        other => other.to_owned(),
    });
}

fn rename_path_parameters(document: &mut Value, name: impl Fn(&str) -> String) {
    lookup::parameters(document, &mut |parameter| {
        let old = lookup::text(parameter, "name").unwrap_or_default();
        if lookup::text(parameter, "in") == Some("path") {
            let new = name(old);
            parameter.insert(String::from("name"), json!(new));
        }
    });
    rename_paths(document, |path| {
        let segments = path.split('/').map(|segment| {
            let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            inner.map_or_else(|| segment.to_owned(), |inner| format!("{{{}}}", name(inner)))
        });
        segments.collect::<Vec<String>>().join("/")
    });
}

fn rename_paths(document: &mut Value, name: impl Fn(&str) -> String) {
    if let Some(paths) = lookup::object_at(document, "/paths") {
        *paths = std::mem::take(paths).into_iter().map(|(path, item)| (name(&path), item)).collect();
    }
}

/// All paths have another prefix than `/api`.
pub fn api_prefix_replaced(document: &mut Value) {
    rename_paths(document, |path| {
        path.strip_prefix("/api/").map_or(path.to_owned(), |rest| format!("/rest/v1/{rest}"))
    });
}

/// The server URL has a path, and the paths of the document lack `/api`.
pub fn server_path(document: &mut Value) {
    let servers =
        json!([{"url": "https://{host}/documine/api/", "variables": {"host": {"default": "documine.example"}}}]);
    lookup::set(document, "", "servers", servers);
    rename_paths(document, |path| path.strip_prefix("/api/").map_or(path.to_owned(), |rest| format!("/{rest}")));
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Fields have snake case names.
pub fn snake_case_fields(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| rename_fields(schema, snake));
}

pub(super) fn rename_fields(schema: &mut Object, name: impl Fn(&str) -> String) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        *properties = std::mem::take(properties).into_iter().map(|(old, inner)| (name(&old), inner)).collect();
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        for field in required {
            if let Some(old) = field.as_str() {
                *field = json!(name(old));
            }
        }
    }
}

/// Query parameters have snake case names.
pub fn snake_case_query(document: &mut Value) {
    lookup::parameters(document, &mut |parameter| {
        if lookup::text(parameter, "in") == Some("query") {
            let new = snake(lookup::text(parameter, "name").unwrap_or_default());
            parameter.insert(String::from("name"), json!(new));
        }
    });
}

/// The id of a file is called `fileId` in its status as well.
pub fn file_id_for_id(document: &mut Value) {
    if let Some(status) = lookup::response(document, "GET /files/{}")
        && let Some(schema) = lookup::object_at(document, &status)
    {
        rename_fields(schema, |name| if name == "id" { String::from("fileId") } else { name.to_owned() });
    }
}

/// The list of an envelope is called `content`.
pub fn envelope_key_renamed(document: &mut Value) {
    for (line, key) in [("GET /dossiers/{}/files", "files"), ("GET /dossiers", "dossiers")] {
        if let Some(list) = lookup::response(document, line)
            && let Some(schema) = lookup::object_at(document, &list)
        {
            rename_fields(schema, |name| if name == key { String::from("content") } else { name.to_owned() });
        }
    }
}

/// Operations, schemas, fields and parameters are named by keywords of Rust and by names of the generated code.
pub fn keyword_names(document: &mut Value) {
    let words = ["type", "self", "Self", "crate", "async", "match", "fn", "gen", "dyn", "_", "box"];
    let fields: Object = words.iter().map(|word| ((*word).to_owned(), json!({"type": "string"}))).collect();
    let types =
        ["String", "Option", "Vec", "Result", "Error", "Self", "Box", "Default", "Client", "types", "builder", "u8"];
    let mut last = json!({"type": "object", "properties": fields});
    for name in types {
        lookup::add_schema(document, name, last);
        last = json!({"type": "object", "properties": {"inner": {"$ref": format!("#/components/schemas/{name}")}}});
    }
    if let Some(status) = lookup::response(document, "GET /dossiers/{}")
        && let Some(Value::Object(properties)) = document.pointer_mut(&format!("{status}/properties"))
    {
        properties.extend(fields.clone());
    }
    let parameters: Vec<Value> =
        ["client", "send", "body", "new", "header_map", "self", "request", "value", "result", "type"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
    let answer =
        json!({"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}});
    for id in ["new", "exec", "client", "move", "baseurl", "clone", "Error", "async", "delete"] {
        let operation = json!({"operationId": id, "parameters": parameters, "responses": {"200": answer}});
        lookup::add_operation(document, "get", &format!("/api/words/{}", id.to_lowercase()), operation);
    }
}

/// Names that differ by case or separators only.
pub fn case_only_names(document: &mut Value) {
    let fields = json!({"userName": {"type": "string"}, "username": {"type": "string"}, "user_name": {"type": "integer"}, "USER-NAME": {"type": "string"}});
    for name in ["caseOnly", "CaseOnly", "case_only", "CASE-ONLY"] {
        lookup::add_schema(document, name, json!({"type": "object", "properties": fields}));
    }
    let enumeration = json!({"type": "string", "enum": ["UTF_8", "UTF-8", "utf8", "Utf8"]});
    lookup::add_schema(document, "Encoding", enumeration);
    for (number, id) in ["getFile", "get_file", "get-file", "GetFile", "get_1", "get1"].iter().enumerate() {
        let schema = ["caseOnly", "CaseOnly", "case_only", "CASE-ONLY", "Encoding", "Encoding"][number];
        let parameters: Vec<Value> = ["sortBy", "sort_by", "SortBy"]
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
        let operation = json!({
            "operationId": id,
            "parameters": parameters,
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}}}},
        });
        lookup::add_operation(document, "get", &format!("/api/case/{number}"), operation);
    }
}

/// Further fields and parameters differ from those of the contract only in case and separators.
pub fn contract_fields_in_other_case(document: &mut Value) {
    let text = json!({"type": "string"});
    for (line, fields) in [
        ("GET /files/{}", ["id", "fileName", "processingStatus"]),
        ("GET /dossiers/{}", ["id", "name", "ownerId"]),
        ("GET /downloads/{}", ["downloadId", "status", "fileName"]),
    ] {
        let Some(at) = lookup::response(document, line) else {
            continue;
        };
        let properties = format!("{at}/properties");
        for field in
            fields.into_iter().filter(|field| lookup::field(document, &at, field).is_some()).collect::<Vec<_>>()
        {
            let mut title = field.to_owned();
            title[..1].make_ascii_uppercase();
            for other in [field.to_uppercase(), title, format!("{field}_")] {
                lookup::set(document, &properties, &other, text.clone());
            }
        }
    }
    if let Some(at) = lookup::operation(document, "POST /dossiers/{}/files") {
        for name in ["KEEPMANUALCHANGES", "KeepManualChanges", "keep_manual_changes"] {
            lookup::push(document, &at, "parameters", json!({"name": name, "in": "query", "schema": text}));
        }
    }
}

/// Names that begin with digits, are empty, or contain slashes, blanks and other scripts.
pub fn odd_names(document: &mut Value) {
    let names =
        ["1st", "", "a/b", "a~b", "with blank", "größe", "名前", "$ref-like", "x.y.z", "-", "💧", "a%20b", "+1", "-1"];
    let fields: Object = names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    for (number, name) in names.iter().enumerate() {
        lookup::add_schema(document, name, json!({"type": "object", "properties": fields}));
        let parameters: Vec<Value> = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}}))
            .collect();
        let operation = json!({
            "operationId": name,
            "tags": [name],
            "parameters": parameters,
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{}", lookup::escape(name))}}}}},
        });
        lookup::add_operation(document, "get", &format!("/api/odd/{number}"), operation);
    }
}

/// Texts that end a string, comment, attribute or code fence and continue with code.
pub(super) const BREAKOUTS: &[&str] = &[
    "\"#; fn main() { loop {} } //",
    "*/ compile_error!(\"out\"); /*",
    "`]\n```\n\n```rust\nuse std::fs;\n```",
    "#![allow(warnings)] #![feature(x)]",
    "\"); std::process::exit(1); (\"",
    "{0} {} {{ }} %s",
    "</script><script>alert(1)</script>",
    "[link](javascript:alert(1)) <http://x.example",
    "one\r\ntwo\rthree\u{2028}four",
    "\u{202e}reversed\u{2066} \u{200b}\u{feff}",
    "\\\" \\ \\u{41} \u{0007}\u{001b}[31m",
    "'\"; r#\"raw\"#; b'x'",
    "//! inner\n/// outer\n#[doc = \"x\"]",
];

/// Names that try to break out of the generated code.
pub fn breakout_names(document: &mut Value) {
    let fields: Object = BREAKOUTS.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    for (number, name) in BREAKOUTS.iter().enumerate() {
        let schema = json!({"type": "object", "title": name, "properties": fields, "required": [name]});
        lookup::add_schema(document, name, schema);
        lookup::add_schema(
            document,
            &format!("Values{number}"),
            json!({"type": "string", "enum": BREAKOUTS, "default": name}),
        );
        let parameters = json!([
            {"name": name, "in": "query", "schema": {"$ref": format!("#/components/schemas/Values{number}")}},
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
        ]);
        let operation = json!({
            "operationId": name,
            "tags": [name],
            "parameters": parameters,
            "responses": {"200": {"description": name, "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{}", lookup::escape(name))}}}}},
        });
        let plain: String = name.chars().filter(|c| !"{}/".contains(*c)).collect();
        lookup::add_operation(document, "get", &format!("/api/out/{number}/{plain}/{{id}}"), operation);
    }
}

/// Words that YAML 1.1 does not read as texts.
pub fn yaml_words(document: &mut Value) {
    let words = ["no", "on", "yes", "off", "y", "n", "null_", "0123", "1_000", "1e3x", "12:30", "0o7", "~x"];
    let fields: Object = words.iter().map(|word| ((*word).to_owned(), json!({"type": "string"}))).collect();
    lookup::add_schema(document, "Words", json!({"type": "object", "properties": fields, "required": ["no", "on"]}));
    let answer = json!({"description": "no", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Words"}}}});
    let parameters = json!([{"name": "on", "in": "query", "schema": {"type": "string", "enum": words}}]);
    lookup::add_operation(
        document,
        "get",
        "/api/no",
        json!({"operationId": "yes", "tags": ["off"], "parameters": parameters, "responses": {"200": answer}}),
    );
}
