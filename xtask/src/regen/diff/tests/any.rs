//! What must hold for any documents.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{base, compared, compared_with, contract, edit, line, mapped, tree, vendored};
use crate::regen::diff::{Change, Effect, Side, compare};

#[test]
fn a_document_is_no_other_than_itself() {
    assert_eq!(compared(&base(), &base()), []);
    let (document, contract) = vendored();
    let none = BTreeSet::new();
    assert_eq!(compared_with(&contract, &document, &document, &none), []);
    // Nor are any of its parts, in other documents made of them.
    for path in tree::sorted_keys(document["paths"].as_object().expect("paths")) {
        let mut less = document.clone();
        edit(&mut less, &format!("/paths/{}", tree::escape(&path)), Value::Null);
        assert_eq!(compared_with(&contract, &less, &less, &none), [], "{path}");
    }
}

#[test]
fn what_is_taken_away_is_told() {
    let (document, contract) = vendored();
    let none = BTreeSet::new();
    let whole = mapped(&document, &contract, &none);
    for name in tree::sorted_keys(document["components"]["schemas"].as_object().expect("schemas")) {
        let properties = document["components"]["schemas"][&name]["properties"].as_object();
        // Every third: each costs a mapping of the whole document.
        for property in properties.map(tree::sorted_keys).unwrap_or_default().into_iter().step_by(3) {
            if name == "ErrorMessage" {
                // Error answers have no type: nobody reads them by it.
                continue;
            }
            let mut less = document.clone();
            let at = format!("/components/schemas/{}/properties/{}", tree::escape(&name), tree::escape(&property));
            edit(&mut less, &at, Value::Null);
            let mapping = mapped(&less, &contract, &none);
            let before = Side { document: &document, mapping: &whole, accepted: &none };
            let after = Side { document: &less, mapping: &mapping, accepted: &none };
            let gone = compare(&contract, &before, &after);
            let last = |change: &Change| change.place.ends_with(&property) && change.effect >= Effect::Raw;
            assert!(gone.iter().any(last), "{name}.{property}: {gone:#?}");
            let back = compare(&contract, &after, &before);
            let is_required = |change: &Change| change.what.key().ends_with("new-required");
            let bad = back.iter().filter(|change| change.effect > Effect::None && !is_required(change));
            // A type that followed the document and no longer does is one for callers.
            assert_eq!(
                bad.filter(|change| !change.what.key().contains("follows")).count(),
                0,
                "{name}.{property}: {back:#?}"
            );
        }
    }
}

#[test]
fn the_order_is_the_same_every_time() {
    let mut new = base();
    for (pointer, value) in [
        ("/components/schemas/Thing/properties/name", Value::Null),
        ("/components/schemas/Thing/properties/more", Value::Null),
        ("/components/schemas/Other/properties/mood", Value::Null),
        ("/info/version", json!("2")),
        ("/paths/~1api~1guess", Value::Null),
    ] {
        edit(&mut new, pointer, value);
    }
    let changes = compared(&base(), &new);
    let lines: Vec<String> = changes.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "caller operation-gone getGuess: ",
            "caller answer-field-gone getThing: answer name",
            "raw answer-field-gone POST /api/other/{key}: answer mood",
            "raw answer-field-gone getThing: answer more",
            "none version -: version",
        ]
    );
    assert_eq!(compared(&base(), &new), changes);
}

/// Names that try to get out of where they stand.
const HOSTILE: [&str; 6] = [
    "a`b`\n# c | d",
    "\u{1b}[31mred\u{7}",
    "\u{202e}txt.exe\u{2066}",
    "<script>alert(1)</script>",
    "\u{9b}2J\u{2028}x\r\ny",
    "](http://evil.example) **bold** $(reboot)",
];

#[test]
fn names_are_harmless() {
    for hostile in HOSTILE {
        let mut new = base();
        edit(&mut new, "/info/title", json!(hostile));
        edit(&mut new, "/servers/0/url", json!(hostile));
        new["tags"][0]["name"] = json!(hostile);
        new["components"]["schemas"]["Other"]["properties"][hostile] = json!({"type": hostile});
        new["components"]["schemas"]["Other"]["properties"]["sure"]["type"] = json!(hostile);
        new["components"]["schemas"]["OtherRequest"]["properties"]["count"]["pattern"] = json!(hostile);
        new["components"]["schemas"]["OtherRequest"]["properties"]["count"]["default"] = json!(hostile);
        new["components"]["schemas"]["State"]["enum"] = json!(["READY", hostile]);
        new["components"]["securitySchemes"][hostile] =
            json!({"type": hostile, "flows": {hostile: {"tokenUrl": hostile}}});
        new["components"]["securitySchemes"]["oauth"]["flows"][hostile] = json!({"tokenUrl": hostile});
        let other = &mut new["paths"]["/api/other/{key}"]["post"];
        other["operationId"] = json!(hostile);
        other["security"] = json!([{hostile: [hostile]}]);
        other["responses"][hostile] = json!({"description": ""});
        other["responses"]["200"]["content"][hostile] = json!({"schema": {}});
        other["responses"]["200"]["headers"][hostile] = json!({});
        other["parameters"][1]["name"] = json!(hostile);
        other["parameters"][2]["style"] = json!(hostile);
        new["paths"][format!("/api/{hostile}")] = json!({"get": {"operationId": hostile}});
        new["paths"]["/api/things"]["get"]["operationId"] = json!(hostile);
        new["paths"]["/api/things"]["get"]["parameters"][0]["name"] = json!("include\u{1b}Old");
        let changes = compared(&base(), &new);
        assert!(changes.len() > 15, "{changes:#?}");
        for change in &changes {
            let operation = change.operation.iter().chain(&change.also);
            for text in operation.chain([&change.place, &change.text]) {
                let hidden = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{2066}';
                assert!(!text.contains(hidden), "{text:?}");
            }
            assert_eq!(change.text.matches('`').count() % 2, 0, "{}", change.text);
            assert!(!change.place.contains('`'), "{}", change.place);
        }
    }
}

#[test]
fn broken_documents_end() {
    let mut new = base();
    new["components"]["schemas"]["Other"] = json!({"$ref": "#/components/schemas/Other"});
    new["components"]["schemas"]["OtherRequest"] = json!({"allOf": [{"$ref": "#/components/schemas/OtherRequest"}, {"oneOf": [{"$ref": "#/components/schemas/OtherRequest"}]}]});
    new["components"]["schemas"]["Inner"] = json!({"$ref": "https://elsewhere.example/x.json"});
    new["components"]["schemas"]["State"] = json!({"$ref": "#/nowhere"});
    assert!(!compared(&base(), &new).is_empty());
    assert!(!compared(&new, &base()).is_empty());
    for nonsense in [
        json!({}),
        json!(null),
        json!({"paths": 1, "components": []}),
        json!({"paths": {"/x": {"get": 1, "post": {"parameters": [1, {"in": 2}]}}}}),
    ] {
        assert_eq!(compared(&nonsense, &nonsense), []);
        compared(&nonsense, &base());
        compared(&base(), &nonsense);
    }
}

#[test]
fn composed_schemas_are_compared_by_what_they_hold() {
    let flat = base();
    let mut composed = base();
    composed["components"]["schemas"]["Base"] =
        json!({"type": "object", "required": ["sure"], "properties": {"sure": {"type": "string"}}});
    let mut rest = flat["components"]["schemas"]["Other"].clone();
    edit(&mut rest, "/properties/sure", Value::Null);
    edit(&mut rest, "/required", Value::Null);
    composed["components"]["schemas"]["Other"] = json!({"allOf": [{"$ref": "#/components/schemas/Base"}, rest]});
    assert_eq!(compared(&flat, &composed), []);
    // A wrapper that says `null` is the reference's with `null`.
    let mut wrapped = base();
    wrapped["components"]["schemas"]["Thing"]["properties"]["state"] =
        json!({"nullable": true, "allOf": [{"$ref": "#/components/schemas/State"}]});
    let lines: Vec<String> = compared(&flat, &wrapped).iter().map(line).collect();
    assert_eq!(lines, ["none null-said getThing: answer state"]);
}

/// A document of this many operations that share this many schemas, each of which leads to ten others.
fn big(operations: usize, schemas: usize) -> Value {
    let mut paths = Map::new();
    for number in 0..operations {
        let name = format!("S{}", number % schemas);
        paths.insert(
            format!("/api/many/{number}"),
            json!({"get": {"operationId": format!("many{number}"), "responses": super::answer(&name)}}),
        );
    }
    let mut all = Map::new();
    for number in 0..schemas {
        let mut properties = Map::new();
        for next in 1..=10_usize {
            let target = format!("S{}", (number * 7 + next * next) % schemas);
            properties.insert(format!("p{next}"), super::schema_at(&target));
        }
        properties.insert(String::from("text"), json!({"type": "string"}));
        all.insert(format!("S{number}"), json!({"type": "object", "properties": properties}));
    }
    let mut document = base();
    document["paths"].as_object_mut().expect("paths").extend(paths);
    document["components"]["schemas"].as_object_mut().expect("schemas").extend(all);
    document
}

#[test]
fn big_documents_stay_fast() {
    let old = big(1000, 1000);
    let text = old.to_string().replace(r#""text":{"type":"string"}"#, r#""text":{"type":"integer"}"#);
    let new: Value = serde_json::from_str(&text).expect("JSON");
    let (contract, none) = (contract(), BTreeSet::new());
    let mappings = [&old, &new].map(|document| mapped(document, &contract, &none));
    let [before, after] = [(&old, &mappings[0]), (&new, &mappings[1])].map(|(document, mapping)| Side {
        document,
        mapping,
        accepted: &none,
    });
    let began = Instant::now();
    let changes = compare(&contract, &before, &after);
    let took = began.elapsed();
    // Each schema once, with the operations that it concerns.
    assert_eq!(changes.len(), 1000, "{took:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn pairs_of_everything_with_everything_end() {
    // Each step pairs other schemas with each other: circles of lengths that have no common divisor.
    let circle = |length: usize| {
        let mut document = base();
        for number in 0..length {
            let next = super::schema_at(&format!("C{}", (number + 1) % length));
            document["components"]["schemas"][format!("C{number}")] =
                json!({"type": "object", "properties": {"a": next, "b": {"type": "string"}}});
        }
        document["components"]["schemas"]["Other"]["properties"]["c"] = super::schema_at("C0");
        document
    };
    let began = Instant::now();
    let changes = compared(&circle(227), &circle(229));
    assert!(changes.iter().any(|change| change.what.key() == "unfinished"), "{}", changes.len());
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let none = BTreeSet::new();
    assert_eq!(compared_with(&contract(), &circle(97), &circle(97), &none), []);
}
