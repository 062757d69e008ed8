//! Further or missing operations, and texts that try to break out of comments.

use serde_json::{Value, json};

use super::names::BREAKOUTS;
use crate::lookup::{self, Object};

/// Unknown operations with all methods and many media types.
pub fn extra_operations(document: &mut Value) {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}}});
    let answer = json!({"200": {"description": "", "content": {"application/json": {"schema": schema}}}});
    let body = |name: &str, schema: &Value| json!({"content": {name: {"schema": schema}}});
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    for (method, media_type) in
        [("put", "application/json"), ("patch", "application/merge-patch+json"), ("post", "application/xml")]
    {
        let operation = json!({"tags": ["8. Rules"], "parameters": [id], "requestBody": body(media_type, &schema), "responses": answer});
        lookup::add_operation(document, method, "/api/rules/{id}", operation);
    }
    for (method, status) in [("get", "200"), ("head", "200"), ("options", "204"), ("trace", "200"), ("delete", "202")] {
        let operation =
            json!({"tags": ["8. Rules"], "parameters": [id], "responses": {status: {"description": "Done."}}});
        lookup::add_operation(document, method, "/api/rules/{id}", operation);
    }
    for (number, media_type) in
        ["text/plain", "application/octet-stream", "image/png", "application/x-www-form-urlencoded"].iter().enumerate()
    {
        let text = json!({"type": "string"});
        let form = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}});
        let schema = if media_type.ends_with("urlencoded") { &form } else { &text };
        lookup::add_operation(
            document,
            "post",
            &format!("/api/rules/import/{number}"),
            json!({"requestBody": body(media_type, schema), "responses": answer}),
        );
    }
    let form = json!({"type": "object", "required": ["rules", "name"], "properties": {"rules": {"type": "string", "format": "binary"}, "name": {"type": "string"}}});
    lookup::add_operation(
        document,
        "post",
        "/api/rules",
        json!({"requestBody": body("multipart/form-data", &form), "responses": answer}),
    );
}

/// Operations with features that the generator does not support.
pub fn odd_operations(document: &mut Value) {
    let one = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let json = |schema: &Value| json!({"description": "", "content": {"application/json": {"schema": schema}}});
    let object = json!({"type": "object", "properties": {"from": {"type": "string"}, "to": {"type": "string"}}});
    let list = json!({"type": "array", "items": {"type": "string"}});
    let query = |name: &str, more: Value| {
        let mut parameter = json!({"name": name, "in": "query"});
        if let (Value::Object(parameter), Value::Object(more)) = (&mut parameter, more) {
            parameter.extend(more);
        }
        parameter
    };
    let parameters = json!([
        query("filter", json!({"style": "deepObject", "schema": object})),
        query("span", json!({"schema": object})),
        query("ids", json!({"style": "pipeDelimited", "explode": false, "schema": list})),
        query("names", json!({"explode": false, "schema": list})),
        query("where", json!({"content": {"application/json": {"schema": object}}})),
        query("either", json!({"schema": {"oneOf": [{"type": "string"}, {"type": "integer"}]}})),
        query("nothing", json!({})),
    ]);
    lookup::add_operation(
        document,
        "get",
        "/api/odd-parameters",
        json!({"operationId": "oddParameters", "parameters": parameters, "responses": {"200": json(&one)}}),
    );
    let answers = json!({"200": json(&one), "201": json(&list), "202": {"description": "later"}, "204": {"description": "nothing"}, "default": json(&object)});
    lookup::add_operation(
        document,
        "get",
        "/api/odd-answers",
        json!({"operationId": "oddAnswers", "responses": answers}),
    );
    lookup::add_operation(
        document,
        "get",
        "/api/no-schema",
        json!({"responses": {"200": {"description": "", "content": {"application/json": {}}}}}),
    );
    lookup::add_operation(
        document,
        "get",
        "/api/no-content",
        json!({"responses": {"200": {"description": "", "content": {}}}}),
    );
    let bodies = json!({"content": {"application/json": {"schema": one}, "application/xml": {"schema": one}, "multipart/form-data": {"schema": one}}});
    lookup::add_operation(
        document,
        "post",
        "/api/odd-body",
        json!({"requestBody": bodies, "responses": {"200": {"description": ""}}}),
    );
    lookup::add_operation(
        document,
        "put",
        "/api/odd-body",
        json!({"requestBody": {"content": {"application/json": {}}}, "responses": {"200": {"description": ""}}}),
    );
    lookup::add_operation(document, "get", "/api/undeclared/{id}", json!({"responses": {"200": {"description": ""}}}));
    lookup::add_operation(
        document,
        "get",
        "/api/half{open}-{shut}/x",
        json!({"responses": {"200": {"description": ""}}}),
    );
    lookup::add_operation(
        document,
        "get",
        "/api/no-id-here",
        json!({"operationId": "", "responses": {"200": {"description": ""}}}),
    );
    for path in ["/api/twice/1", "/api/twice/2"] {
        lookup::add_operation(
            document,
            "get",
            path,
            json!({"operationId": "sameId", "responses": {"200": {"description": ""}}}),
        );
    }
    lookup::add_schema(document, "Mixed", json!({"enum": ["a", 1, null, true], "nullable": true}));
    lookup::add_schema(document, "Numbers", json!({"type": "integer", "enum": [1, 2, -3]}));
    lookup::add_schema(document, "NotThat", json!({"not": {"type": "string"}}));
    lookup::add_schema(document, "Loose", json!({"type": "array"}));
    lookup::add_schema(
        document,
        "Pair",
        json!({"type": "object", "required": ["ghost"], "properties": {"a": {"$ref": "#/components/schemas/Mixed"}, "b": {"$ref": "#/components/schemas/NotThat"}, "c": {"$ref": "#/components/schemas/Loose"}, "d": {"$ref": "#/components/schemas/Numbers"}}}),
    );
    lookup::add_operation(
        document,
        "get",
        "/api/odd-schemas",
        json!({"responses": {"200": json(&json!({"$ref": "#/components/schemas/Pair"}))}}),
    );
}

/// Callbacks, links, webhooks and examples, some by reference.
pub fn callbacks_and_links(document: &mut Value) {
    lookup::set(document, "", "webhooks", json!({"done": {"post": {"responses": {"200": {"description": ""}}}}}));
    lookup::set(document, "", "externalDocs", json!({"url": "https://documine.example/docs"}));
    let callback = json!({"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}});
    lookup::set(document, "/components", "callbacks", json!({"Done": callback}));
    lookup::set(document, "/components", "links", json!({"Next": {"operationId": "getFile"}}));
    lookup::set(document, "/components", "examples", json!({"One": {"value": {"a": 1}}}));
    lookup::operations(document, &mut |_, _, operation| {
        operation.insert(
            String::from("callbacks"),
            json!({"done": {"$ref": "#/components/callbacks/Done"}, "own": callback}),
        );
        operation.insert(String::from("externalDocs"), json!({"url": "not a url at all"}));
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            for response in responses.values_mut().filter_map(Value::as_object_mut) {
                if !response.contains_key("$ref") {
                    response.insert(String::from("links"), json!({"next": {"$ref": "#/components/links/Next"}}));
                }
            }
        }
    });
}

fn drop_operation(document: &mut Value, line: &str) {
    if let Some(at) = lookup::operation(document, line)
        && let Some((item, method)) = at.rsplit_once('/')
    {
        lookup::remove(document, item, method);
    }
}

/// The operations with inferred paths are missing.
pub fn without_inferred_operations(document: &mut Value) {
    for line in ["GET /downloads", "GET /users", "GET /bulk/components"] {
        drop_operation(document, line);
    }
}

/// An operation of the facade is missing.
pub fn without_license(document: &mut Value) {
    drop_operation(document, "GET /license");
}

/// The central operation `getFile` is missing.
pub fn without_get_file(document: &mut Value) {
    drop_operation(document, "GET /files/{}");
}

/// The status of a package has another path.
pub fn another_download_path(document: &mut Value) {
    if let Some(at) = lookup::operation(document, "GET /downloads/{}")
        && let Some(Value::Object(operation)) = document.pointer(&at).cloned()
        && let Some((item, method)) = at.rsplit_once('/')
    {
        let path = item.trim_start_matches("/paths/").replace("~1", "/").replace("~0", "~");
        let parameters = document.pointer(&format!("{item}/parameters")).cloned();
        lookup::remove(document, item, method);
        let path = format!("{path}/status");
        lookup::add_operation(document, "get", &path, Value::Object(operation));
        if let Some(parameters) = parameters {
            lookup::set(document, &format!("/paths/{}", lookup::escape(&path)), "parameters", parameters);
        }
    }
}

/// Every text tries to break out of its generated comment.
pub fn breakout_texts(document: &mut Value) {
    let mut count = 0;
    lookup::every_object(document, &mut |object: &mut Object| {
        for key in ["description", "summary", "title"] {
            if let Some(Value::String(text)) = object.get_mut(key) {
                count += 1;
                let more = BREAKOUTS[count % BREAKOUTS.len()];
                *text = format!("{more}\n\n    indented {more}\n\n```\n{text}\n~~~\n{more}");
            }
        }
    });
    let tags: Vec<Value> = BREAKOUTS.iter().map(|text| json!({"name": text, "description": text})).collect();
    lookup::set(document, "", "tags", json!(tags));
    lookup::operations(document, &mut |_, _, operation| {
        count += 1;
        let text = BREAKOUTS[count % BREAKOUTS.len()];
        operation.insert(String::from("tags"), json!([text]));
        operation.insert(String::from("summary"), json!(text));
        operation.insert(String::from("description"), json!(format!("{text}\r{text}")));
    });
    lookup::set(document, "/info", "version", json!("1.0 \"#`*/"));
}

/// Very long texts.
pub fn long_texts(document: &mut Value) {
    let long = "A sentence that says little, with `code` and a [link](https://documine.example/x). ".repeat(400);
    lookup::every_object(document, &mut |object| {
        if let Some(Value::String(text)) = object.get_mut("summary") {
            text.push_str(&long);
        }
    });
}

/// Everything is deprecated.
pub fn deprecated_everywhere(document: &mut Value) {
    let mark = |object: &mut Object| {
        object.insert(String::from("deprecated"), json!(true));
    };
    lookup::operations(document, &mut |_, _, operation| mark(operation));
    lookup::parameters(document, &mut |parameter| mark(parameter));
    lookup::every_schema(document, &mut |schema| {
        if !schema.contains_key("$ref") {
            mark(schema);
        }
    });
}

/// Extensions of other tools everywhere, some with the names that the passes use.
pub fn extensions_everywhere(document: &mut Value) {
    let foreign = |object: &mut Object| {
        object.insert(String::from("x-java-class"), json!("com.example.Model<T>"));
        object.insert(String::from("x-order"), json!(7));
        for ours in [
            "x-id",
            "x-canonical",
            "x-missing",
            "x-open-enum",
            "x-replace",
            "x-multipart",
            "x-wire-name",
            "x-operation-id",
            "x-part",
            "x-needed",
        ] {
            object.insert(ours.to_owned(), json!(true));
        }
    };
    lookup::operations(document, &mut |_, _, operation| foreign(operation));
    lookup::parameters(document, &mut |parameter| foreign(parameter));
    lookup::every_schema(document, &mut |schema| {
        if !schema.contains_key("$ref") {
            foreign(schema);
        }
    });
    lookup::set(document, "/paths", "x-note", json!({"get": {"responses": {}}}));
    lookup::set(document, "", "x-tagGroups", json!([{"name": "all", "tags": []}]));
}

/// Path parameters have patterns, and some paths have two slashes.
pub fn patterns_in_paths(document: &mut Value) {
    if let Some(paths) = lookup::object_at(document, "/paths") {
        let all = std::mem::take(paths);
        let pattern = |path: String| path.replace("Id}", "Id:[a-f0-9-]{1,36}}").replace("/files", "//files");
        *paths = all
            .into_iter()
            .map(|(path, item)| if path.starts_with('/') { (pattern(path), item) } else { (path, item) })
            .collect();
    }
    lookup::set(document, "/components", "x-note", json!({"$ref": "#/nowhere"}));
    lookup::contents(document, &mut |content, _| {
        content.insert(String::from("x-note"), json!("for people"));
    });
}
