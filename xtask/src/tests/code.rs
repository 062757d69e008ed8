//! The generator's side on snippets: what it is made to do, and how its refusals read.

use serde_json::json;

use super::{document, ids, marked, with_operation};
use crate::code;

fn client(document: &serde_json::Value) -> String {
    match code::generate(&marked(document, ids)) {
        Ok(generated) => generated.client,
        Err(reasons) => panic!("{reasons:#?}"),
    }
}

#[test]
fn encodes_form_body_as_form() {
    let body = json!({"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}}});
    let source = client(&document(
        json!({"/x": {"post": {"operationId": "uploadIt", "requestBody": body, "responses": {"204": {"description": ""}}}}}),
        json!({}),
    ));
    assert!(source.contains("body: Result<::reqwest::multipart::Form, String>"), "{source}");
    assert!(source.contains(".multipart(body)"), "{source}");
    assert!(!source.contains("reqwest::Body"), "{source}");
}

#[test]
fn reads_null_as_empty_collection() {
    let source = client(&document(
        json!({}),
        json!({
            "Part": {"type": "object", "properties": {"a": {"type": "string"}}},
            "A": {"type": "object", "required": ["must"], "properties": {
                "must": {"type": "array", "items": {"type": "string"}},
                "lists": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
                "parts": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Part"}},
                "numbers": {"type": "object", "additionalProperties": {"type": "integer"}},
                "any": {"type": "array", "items": {}},
                "partLists": {"type": "object", "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}},
                "partList": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                "fileId": {"type": "string", "x-test-id": "FileId"},
            }},
        }),
    ));
    for (field, reader) in [
        ("must", "scalars::read"),
        ("lists", "scalars::read"),
        ("parts", "null::map"),
        ("part_lists", "null::map_of_lists"),
        ("part_list", "null::list"),
        ("numbers", "scalars::read"),
        ("any", "null::as_default"),
        ("file_id", "null::blank_as_none"),
    ] {
        let attribute = attribute(&source, field);
        assert!(attribute.contains(&format!("\"crate::{reader}\"")), "{field}: {attribute}");
        assert!(attribute.contains("default"), "{field}: {attribute}");
    }
}

/// Returns the serde attribute of a field.
fn attribute<'a>(source: &'a str, field: &str) -> &'a str {
    let declared = source.find(&format!("pub {field}:")).expect("the field is there");
    let before = &source[..declared];
    // Behind the field before it.
    &before[before.rfind("pub ").unwrap_or_default()..]
}

#[test]
fn reads_scalars_in_any_exact_spelling() {
    let source = client(&document(
        json!({}),
        json!({
            "Count": {"type": "integer"},
            "Part": {"type": "object", "properties": {"a": {"type": "string"}}},
            "A": {"type": "object", "required": ["needed", "named"], "properties": {
                "needed": {"type": "integer", "format": "int32"},
                "named": {"type": "string"},
                "large": {"type": "integer", "format": "int64"},
                "share": {"type": "number", "format": "float"},
                "shares": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                "flag": {"type": "boolean"},
                "flagged": {"type": "boolean", "default": false},
                "byName": {"type": "object", "additionalProperties": {"type": "integer"}},
                "count": {"$ref": "#/components/schemas/Count"},
                "part": {"$ref": "#/components/schemas/Part"},
                "any": {},
            }},
        }),
    ));
    for field in ["needed", "named", "large", "share", "shares", "flag", "by_name"] {
        let attribute = attribute(&source, field);
        assert!(attribute.contains("\"crate::scalars::read\""), "{field}: {attribute}");
        assert_eq!(attribute.contains("default"), !["needed", "named"].contains(&field), "{field}: {attribute}");
    }
    for field in ["part", "any"] {
        assert!(!attribute(&source, field).contains("scalars"), "{field}");
    }
    let named = source.split("pub struct Count").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    assert!(!source.contains("pub struct Count") || named.contains("crate::scalars::read"), "{named}");
}

#[test]
fn models_are_non_exhaustive_with_defaults() {
    let source = client(&document(
        json!({}),
        json!({
            "Free": {"type": "object", "required": ["name", "sub"], "properties": {"name": {"type": "string"}, "sub": {"$ref": "#/components/schemas/Sub"}}},
            "Sub": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
            "Dossier": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "x-test-id": "DossierId"}}},
        }),
    ));
    let attributes = |name: &str| {
        let declared = source.find(&format!("pub struct {name} ")).expect("the model is there");
        let start = source[..declared].rfind("}\n").unwrap_or(0);
        source[start..declared].to_owned()
    };
    for name in ["Free", "Sub", "Dossier"] {
        let attributes = attributes(name);
        assert!(attributes.contains("#[non_exhaustive]"), "{name}: {attributes}");
        assert!(attributes.contains("derive(::schemars::JsonSchema)"), "{name}: {attributes}");
        assert_eq!(attributes.contains("derive(Default)"), name != "Dossier", "{name}: {attributes}");
    }
    assert!(!source.contains("ConversionError"), "{source}");
}

#[test]
fn numbers_colliding_enum_values() {
    let values = json!(["UTF_8", "UTF-8", "", "1st", "self", "Self", "unknown", "a\"b", "ü", "UTF_8"]);
    let passed =
        marked(&document(json!({}), json!({"Code": {"type": "string", "enum": values, "description": "a\nb"}})), ids);
    let enums = code::generate(&passed).map(|generated| generated.enums).expect("generates");
    for line in [
        "Utf8 = \"UTF_8\",",
        "Utf82 = \"UTF-8\",",
        "X = \"\",",
        "X1st = \"1st\",",
        "Self_ = \"self\",",
        "Self_2 = \"Self\",",
        "Unknown2 = \"unknown\",",
        "AB = \"a\\\"b\",",
        "Ü = \"ü\",",
    ] {
        assert!(enums.contains(line), "{line} not in {enums}");
    }
    let file: Result<syn::File, _> = syn::parse_str(&enums);
    assert!(file.is_ok(), "{enums}");
}

#[test]
fn generator_panic_names_the_operation() {
    // The lint refuses this; here the generator gets it all the same.
    let bad = json!({"operationId": "get_bad", "x-operation-id": "getBad", "responses": {
        "200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}},
        "201": {"description": "", "content": {"application/json": {"schema": {"type": "integer"}}}},
    }});
    let good =
        json!({"operationId": "get_good", "x-operation-id": "getGood", "responses": {"2XX": {"description": ""}}});
    let document = document(json!({"/bad": {"get": bad}, "/good": {"get": good}}), json!({}));
    let reasons = code::generate(&document).err().expect("refused");
    assert_eq!(reasons.len(), 1, "{reasons:#?}");
    assert!(reasons[0].starts_with("getBad: the generator failed: "), "{reasons:#?}");
    assert!(reasons[0].ends_with("(/paths/~1bad/get)"), "{reasons:#?}");
}

#[test]
fn generator_panic_names_the_schema() {
    let document = document(
        json!({}),
        json!({"A": {"$ref": "#/components/schemas/Gone"}, "B": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}),
    );
    let reasons = code::generate(&document).err().expect("refused");
    assert_eq!(reasons.len(), 1, "{reasons:#?}");
    assert!(reasons[0].starts_with("schema A: the generator failed: "), "{reasons:#?}");
    assert!(reasons[0].ends_with("(/components/schemas/A)"), "{reasons:#?}");
}

#[test]
fn generates_valid_code_for_any_text() {
    let hostile = "*/ \"# #![x] ``` \r\n\t{ } \u{202e} */ /* <script>\n        fn main() {}\n";
    let source = client(&with_operation(
        json!({"description": hostile, "summary": hostile, "parameters": [{"name": "type", "in": "query", "description": hostile, "schema": {"type": "string"}}]}),
        json!({"A": {"type": "object", "description": hostile, "properties": {"self": {"type": "string", "description": hostile}}}}),
    ));
    let file: Result<syn::File, _> = syn::parse_str(&source);
    assert!(file.is_ok(), "{source}");
}
