//! Parameters of any form.

use serde_json::{Value, json};

use super::{document, operation, passed};

/// The parameters of `GET /x` with these, after all passes: name → parameter.
fn parameters(given: Value, schemas: Value) -> std::collections::BTreeMap<String, Value> {
    let operation = operation(json!({"parameters": given}), schemas);
    let list = operation["parameters"].as_array().cloned().unwrap_or_default();
    list.into_iter().map(|parameter| (parameter["name"].as_str().unwrap_or_default().to_owned(), parameter)).collect()
}

#[test]
fn expands_query_object_to_parameters() {
    let pageable = json!({"type": "object", "required": ["page"], "properties": {
        "page": {"type": "integer", "description": "which"}, "sort": {"type": "array", "items": {"type": "string"}},
        "inner": {"type": "object", "properties": {"a": {"type": "string"}}},
    }});
    let found = parameters(
        json!([
            {"name": "pageable", "in": "query", "required": true, "schema": {"$ref": "#/components/schemas/Pageable"}},
            {"name": "inline", "in": "query", "schema": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}}},
            {"name": "deep", "in": "query", "style": "deepObject", "schema": {"type": "object", "properties": {"y": {"type": "string"}}}},
            {"name": "sort", "in": "query", "schema": {"type": "string"}},
            {"name": "rest", "in": "query", "required": true, "schema": {"type": "object", "additionalProperties": {"type": "string"}}},
        ]),
        json!({"Pageable": pageable}),
    );
    assert_eq!(found.keys().collect::<Vec<_>>(), ["deep[y]", "page", "sort", "x"]);
    assert_eq!(found["page"]["required"], true);
    assert_eq!(found["page"]["description"], "which");
    assert!(found["x"].get("required").is_none(), "the object need not be there");
    assert_eq!(found["sort"]["schema"], json!({"type": "string"}), "what is declared itself wins");
}

#[test]
fn sends_list_in_one_value_as_string() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let found = parameters(
        json!([
            {"name": "commas", "in": "query", "explode": false, "schema": list},
            {"name": "pipes", "in": "query", "style": "pipeDelimited", "schema": list, "description": "Which."},
            {"name": "X-List", "in": "header", "schema": list},
            {"name": "many", "in": "query", "schema": {"$ref": "#/components/schemas/Many"}},
            {"name": "any", "in": "query", "schema": {"type": "array", "items": {}}},
            {"name": "open", "in": "query", "schema": {}},
            {"name": "none", "in": "query"},
            {"name": "null", "in": "header", "schema": {"type": "string", "nullable": true}},
        ]),
        json!({"Many": list}),
    );
    assert_eq!(found["commas"]["description"], "The values, separated by commas.");
    assert_eq!(found["pipes"]["description"], "Which.\n\nThe values, separated by `|`.");
    for text in ["commas", "pipes", "X-List", "open", "none", "null"] {
        assert_eq!(found[text]["schema"], json!({"type": "string"}), "{text}");
    }
    assert_eq!(found["many"]["schema"], list);
    assert_eq!(found["any"]["schema"], json!({"type": "array", "items": {"type": "string"}}));
}

#[test]
fn omits_and_documents_unsendable_parameters() {
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let found = operation(
        json!({"description": "Does it.", "parameters": [
            {"name": "json", "in": "query", "content": {"application/json": {"schema": object}}},
            {"name": "X-O", "in": "header", "schema": object},
            {"name": "bad header", "in": "header", "schema": {"type": "string"}},
            {"name": "objects", "in": "query", "schema": {"type": "array", "items": object}},
            {"name": "s", "in": "cookie", "required": true, "schema": {"type": "string"}},
        ]}),
        json!({}),
    );
    assert_eq!(found["parameters"], json!([]));
    let text = found["description"].as_str().unwrap_or_default();
    assert!(text.starts_with("Does it.\n\n"), "{text}");
    for name in ["json", "X-O", "bad header", "objects"] {
        assert!(text.contains(&format!("The parameter `{name}` cannot be sent by this method.")), "{text}");
    }
}

#[test]
fn matches_path_and_parameters() {
    let given = document(
        json!({"/x/{id}/{other}": {"get": {"operationId": "getX", "responses": {}, "parameters": [
            {"name": "other", "in": "path", "schema": {"type": "array", "items": {"type": "string"}}},
            {"name": "gone", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": {"type": "integer"}},
        ]}}}),
        json!({}),
    );
    super::client(&given);
    let found = passed(&given);
    let parameters = found["paths"]["/x/{id}/{other}"]["get"]["parameters"].as_array().cloned().unwrap_or_default();
    let names: Vec<&Value> = parameters.iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["other", "q", "id"]);
    assert!(parameters.iter().all(|parameter| parameter["in"] != "path" || parameter["required"] == true));
    assert_eq!(parameters[1]["schema"], json!({"type": "string"}));
}
