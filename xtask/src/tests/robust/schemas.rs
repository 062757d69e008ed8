//! Composed schemas, schemas that leave something out, references to anywhere.

use serde_json::{Value, json};

use super::{client, document, passed, refused, schemas, with_operation};

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn wrapped(name: &str) -> Value {
    json!({"allOf": [reference(name)]})
}

fn keys(schema: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn merges_all_of_objects() {
    let found = schemas(json!({
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}},
        "More": {
            "type": "object",
            "description": "more",
            "properties": {"own": {"type": "string"}},
            "allOf": [reference("Base"), {"required": ["own"], "properties": {"n": {"type": "integer"}, "id": {"type": "boolean"}}}],
        },
    }));
    let more = &found["More"];
    assert_eq!(keys(more), ["id", "n", "own"]);
    assert_eq!(more["required"], json!(["id", "own"]));
    assert_eq!(more["description"], "more");
    assert_eq!(more["properties"]["n"], json!({"type": "integer"}));
    assert_eq!(more["properties"]["id"], json!({}), "what can't be both is any value");
    assert!(more.get("allOf").is_none());
}

#[test]
fn keeps_wrapped_references() {
    let found = schemas(json!({
        "A": {"type": "object", "properties": {"a": {"type": "string"}}},
        "B": {"type": "object", "properties": {
            "plain": {"allOf": [reference("A")], "description": "d"},
            "typed": {"type": "object", "allOf": [reference("A")]},
            "told": {"allOf": [reference("A"), {"description": "d"}]},
            "one": {"oneOf": [reference("A")]},
            "null": {"anyOf": [reference("A"), {"type": "null"}]},
        }},
    }));
    for name in ["plain", "typed", "told", "one", "null"] {
        let property = &found["B"]["properties"][name];
        assert_eq!(property["allOf"], json!([reference("A")]), "{name}: {property}");
        assert!(property.get("type").is_none() && property.get("oneOf").is_none(), "{name}: {property}");
    }
    assert_eq!(found["B"]["properties"]["told"]["description"], "d");
    assert_eq!(found.as_object().map(serde_json::Map::len), Some(2), "{found}");
}

#[test]
fn merges_fields_of_one_of_objects() {
    let found = schemas(json!({
        "One": {"type": "object", "required": ["kind", "a"], "properties": {"kind": {"type": "string", "enum": ["one"]}, "a": {"type": "string"}}},
        "Two": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["two"]}, "b": {"type": "string"}}},
        "Any": {"oneOf": [reference("One"), reference("Two")], "discriminator": {"propertyName": "kind"}},
        "Bare": {"anyOf": [reference("One"), reference("Two")]},
    }));
    assert_eq!(keys(&found["Any"]), ["a", "b", "kind"]);
    assert_eq!(found["Any"]["required"], json!(["kind"]));
    assert_eq!(found["Any"]["properties"]["kind"], json!({"type": "string"}), "open for new kinds");
    let kind = found["Bare"]["properties"]["kind"]["allOf"][0]["$ref"].as_str().unwrap_or_default();
    let kind = kind.rsplit('/').next().unwrap_or_default();
    assert_eq!(found[kind]["enum"], json!(["one", "two"]), "{found:#}");
}

#[test]
fn reduces_alternatives_to_common_type() {
    let found = schemas(json!({
        "Texts": {"oneOf": [{"type": "string"}, {"type": "string", "enum": ["a"]}]},
        "Numbers": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
        "Mixed": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "string"}}}]},
        "Not": {"not": {"type": "string"}},
        "Listed": {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}]},
        "Required": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    }));
    assert_eq!(found["Texts"], json!({"type": "string"}));
    assert_eq!(found["Numbers"], json!({"type": "number"}));
    assert_eq!(found["Mixed"], json!({}));
    assert_eq!(found["Not"], json!({}));
    assert_eq!(found["Listed"], json!({"type": "array", "items": {"type": "string"}}));
    assert_eq!(keys(&found["Required"]), ["a", "b"]);
    assert!(found["Required"].get("required").is_none());
}

#[test]
fn resolves_recursive_hierarchies() {
    let found = schemas(json!({
        "Animal": {
            "type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}},
            "oneOf": [reference("Cat"), reference("Dog")], "discriminator": {"propertyName": "kind"},
        },
        "Cat": {"allOf": [reference("Animal"), {"type": "object", "properties": {"claws": {"type": "integer"}, "mate": reference("Animal")}}]},
        "Dog": {"allOf": [reference("Animal"), {"type": "object", "properties": {"bark": {"type": "string"}}}]},
        "Lion": {"allOf": [reference("Cat"), {"properties": {"mane": {"type": "string"}}}]},
    }));
    assert_eq!(keys(&found["Animal"]), ["bark", "claws", "kind", "mate"]);
    assert_eq!(keys(&found["Cat"]), ["claws", "kind", "mate"]);
    assert_eq!(keys(&found["Dog"]), ["bark", "kind"]);
    assert_eq!(keys(&found["Lion"]), ["claws", "kind", "mane", "mate"]);
    assert_eq!(found["Cat"]["properties"]["mate"], reference("Animal"));
}

#[test]
fn rejects_only_recursive_composition() {
    let given = document(
        json!({}),
        json!({
            "A": {"allOf": [reference("B"), {"type": "object"}]},
            "B": {"allOf": [reference("A")]},
            "Fine": {"oneOf": [reference("Fine"), {"type": "string"}]},
            "UsesA": {"allOf": [reference("A"), {"properties": {"x": {"type": "string"}}}]},
        }),
    );
    assert_eq!(
        refused(&given),
        [
            "the schema `A` contains itself (/components/schemas/A)",
            "the schema `B` contains itself (/components/schemas/B)"
        ]
    );
}

#[test]
fn accepts_recursive_property() {
    let found = schemas(json!({
        "Node": {"type": "object", "properties": {"next": {"oneOf": [reference("Node"), reference("Leaf")]}}},
        "Leaf": {"type": "object", "properties": {"value": {"type": "string"}}},
    }));
    assert_eq!(found["Node"]["properties"]["next"], wrapped("NodeNext"));
    assert_eq!(keys(&found["NodeNext"]), ["next", "value"]);
    assert_eq!(found["NodeNext"]["properties"]["next"], wrapped("NodeNext"));
}

#[test]
fn handles_deep_and_wide_schemas() {
    let mut given = serde_json::Map::new();
    // A diamond in each layer, closed into one circle, and a long chain.
    for layer in 0..60 {
        for side in ["L", "R"] {
            let next = if layer == 59 {
                vec![reference("Top")]
            } else {
                vec![reference(&format!("L{}", layer + 1)), reference(&format!("R{}", layer + 1))]
            };
            let key = if layer == 59 { "oneOf" } else { "allOf" };
            given.insert(
                format!("{side}{layer}"),
                json!({key: next, "properties": {format!("p{layer}{side}"): {"type": "string"}}}),
            );
        }
    }
    given.insert(String::from("Top"), json!({"oneOf": [reference("L0"), reference("R0")]}));
    for at in 0..3000 {
        let part = if at == 2999 {
            json!({"properties": {"end": {"type": "string"}}})
        } else {
            reference(&format!("Chain{}", at + 1))
        };
        given.insert(format!("Chain{at}"), json!({"allOf": [part, {"type": "object"}]}));
    }
    let started = std::time::Instant::now();
    let findings = refused(&document(json!({}), Value::Object(given.clone())));
    // All of it is seen through; what the compiler could not follow is said.
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(findings[0].starts_with("3000 models are nested in each other"), "{findings:#?}");
    given.retain(|name, _| !name.starts_with("Chain"));
    assert_eq!(refused(&document(json!({}), Value::Object(given))), Vec::<String>::new());
    assert!(started.elapsed() < std::time::Duration::from_secs(300), "{:?}", started.elapsed());
}

#[test]
fn gives_inline_objects_unused_names() {
    let given = with_operation(
        json!({"responses": {"200": {"description": "", "content": {"application/json": {"schema": {
            "type": "object", "properties": {"rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}},
        }}}}}}),
        json!({
            "GetXAnswer": {"type": "object", "properties": {"b": {"type": "string"}}},
            "Owner": {"type": "object", "properties": {"part": {"type": "object", "properties": {"c": {"type": "string"}}}}},
            "OwnerPart": {"type": "object", "properties": {"d": {"type": "string"}}},
        }),
    );
    let source = client(&given);
    for name in ["GetXAnswer", "GetXAnswer2", "GetXAnswer2Rows", "Owner", "OwnerPart", "OwnerPart2"] {
        assert_eq!(source.matches(&format!("pub struct {name} ")).count(), 1, "{name}");
    }
}

#[test]
fn adds_omitted_types() {
    let found = schemas(json!({"A": {
        "required": ["a", "gone", "a"],
        "properties": {
            "a": {"items": {"type": "string"}}, "b": {"type": "array"}, "c": true, "d": {"enum": ["x", "y"]},
            "e": {"type": "string", "enum": [1, true, "x", null]}, "f": {"enum": [1, "a"]}, "g": {"enum": []},
            "h": {"format": "int64"}, "i": {"type": "object", "additionalProperties": false}, "j": {"type": "string", "required": true},
            "k": {"minimum": 3}, "l": null, "m": {"const": "x"},
        },
    }}));
    let a = &found["A"];
    assert_eq!(a["type"], "object");
    assert_eq!(a["required"], json!(["a"]));
    let properties = &a["properties"];
    assert_eq!(properties["a"], json!({"type": "array", "items": {"type": "string"}}));
    assert_eq!(properties["b"], json!({"type": "array", "items": {}}));
    for any in ["c", "f", "g", "i", "k", "l"] {
        assert_eq!(properties[any], json!({}), "{any}");
    }
    assert_eq!(found["Ad"]["enum"], json!(["x", "y"]));
    assert_eq!(found["Ae"]["enum"], json!(["1", "true", "x"]));
    assert_eq!(found["Am"]["enum"], json!(["x"]));
    assert_eq!(properties["h"], json!({"type": "integer"}));
    assert_eq!(properties["j"], json!({"type": "string"}));
}

#[test]
fn propagates_nullable_components() {
    let given = document(
        json!({}),
        json!({
            "Text": {"type": "string", "nullable": true},
            "Alias": reference("Text"),
            "State": {"type": "string", "enum": ["A", null]},
            "User": {"type": "object", "required": ["a", "b", "c", "must"], "properties": {
                "a": reference("Text"), "b": reference("Alias"), "c": reference("State"), "must": {"type": "string"},
                "list": {"type": "array", "items": reference("Text")},
            }},
        }),
    );
    let found = &passed(&given)["components"]["schemas"];
    assert_eq!(found["User"]["required"], json!(["must"]));
    assert!(found["Text"].get("nullable").is_none());
    let source = client(&given);
    assert!(source.contains("pub list: ::std::vec::Vec<::std::option::Option<Text>>"), "{source}");
}

#[test]
fn read_only_fields_are_not_required_in_requests() {
    let model = json!({"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "string", "readOnly": true}, "name": {"type": "string"}}});
    let given = with_operation(
        json!({"requestBody": {"content": {"application/json": {"schema": reference("Sent")}}}}),
        json!({"Sent": {"type": "object", "properties": {"inner": reference("Inner")}}, "Inner": model, "Answered": model}),
    );
    let found = &passed(&given)["components"]["schemas"];
    assert_eq!(found["Inner"]["required"], json!(["name"]));
    assert_eq!(found["Answered"]["required"], json!(["id", "name"]));
}

#[test]
fn follows_references_to_any_location() {
    let mut given = with_operation(
        json!({"responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A/properties/part"}}}}}}),
        json!({
            "A": {"type": "object", "properties": {
                "part": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/A/properties/part"}}},
                "odd": {"$ref": "#/components/schemas/Page%3CFoo%3E"},
                "slash": {"$ref": "#/components/schemas/x~1y"},
            }},
            "Page<Foo>": {"type": "object", "properties": {"n": {"type": "integer"}}},
            "x/y": {"type": "object", "properties": {"n": {"type": "integer"}}},
        }),
    );
    given["paths"]["/y"] = json!({"$ref": "#/paths/~1x"});
    given["paths"]["/z"] = json!({"post": {"operationId": "z", "requestBody": {"content": {"application/json": {
        "schema": {"$ref": "#/paths/~1x/get/responses/200/content/application~1json/schema"},
    }}}, "responses": {"204": {"description": ""}}}});
    let source = client(&given);
    for name in ["pub struct APart ", "pub struct PageFoo ", "pub struct XY ", "pub fn get_x(", "pub fn get_x2("] {
        assert_eq!(source.matches(name).count(), 1, "{name}");
    }
    let again = source.find("pub again: ::std::boxed::Box<::std::option::Option<APart>>").expect("the field is there");
    assert!(
        source[..again].trim_end().ends_with("skip_serializing_if = \"::std::option::Option::is_none\")]"),
        "{source}"
    );
}
