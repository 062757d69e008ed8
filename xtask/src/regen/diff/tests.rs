//! Tests of the comparison: two small documents for each kind of change, and properties of any two documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CHANGE_KINDS, Change, ChangeKind, MappedDocument, compare};
use crate::passes::contract::Contract;
use crate::passes::decisions::Decisions;
use crate::passes::mapping::{self, Mapping};
use crate::passes::{self, canonical, tree};

const CONTRACT: &str = r#"
[ids]
ThingId = "thingId"

[operations.getThings]
rank = "core"
is = "GET /api/things"
tag = "things"
answers = "ThingList"
items = "things"
query.includeOld = { is = "boolean", default = "false" }
paging = ["none", "page"]
success = [200]

[operations.getThing]
rank = "core"
is = "GET /api/things/{thingId}"
tag = "things"
answers = "Thing"
xml = true
success = [200]

[operations.putThing]
rank = "extra"
is = "PUT /api/things/{thingId}"
tag = "things"
takes = "ThingRequest"
answers = "nothing"
success = [204]

[operations.sendFile]
rank = "extra"
is = "POST /api/things/{thingId}/file"
tag = "things"
part = "file"
answers = "nothing"
success = [204]

[operations.getFile]
rank = "extra"
is = "GET /api/things/{thingId}/file"
tag = "things"
answers = "bytes"
success = [200]

[operations.getGuess]
rank = "inferred"
is = "GET /api/guess"
tag = "things"
answers = "nothing"
success = [204]

[schemas.ThingList.fields]
things = { is = "[Thing]", need = "declared" }

[schemas.Thing]
one_of = ["here", "there"]

[schemas.Thing.fields]
id = { is = "ThingId", need = "always", also = ["thingId"] }
name = "text"
state = { is = "State", need = "declared" }
size = { is = "integer", need = "known" }
made = "timestamp"
labels = { is = "{text}", need = "known" }
inner = { is = "[Inner]", need = "known" }
here = "text"
there = "text"

[schemas.Inner.fields]
value = { is = "text", need = "always" }

[schemas.ThingRequest.fields]
name = { is = "text", need = "always" }
color = "text"
state = "State"
kind = { is = "text", need = "known" }

[enums.State]
values = ["READY", "BUSY"]
needed = ["READY"]
"#;

fn contract() -> Contract {
    Contract::read(CONTRACT).expect("the contract of the tests")
}

fn answer(schema: &str) -> Value {
    json!({"200": {"description": "", "content": {"application/json": {"schema": schema_at(schema)}}}})
}

fn schema_at(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn thing_id() -> Value {
    json!({"name": "thingId", "in": "path", "required": true, "schema": {"type": "string"}})
}

/// Returns a document with all elements of the contract, and a further operation at `/api/other`.
#[expect(clippy::too_many_lines, reason = "a document")]
fn base() -> Value {
    let mut things = answer("ThingList");
    things["401"] = json!({"description": ""});
    let mut thing = answer("Thing");
    thing["200"]["content"]["application/xml"] = json!({"schema": schema_at("Thing")});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://things.example"}],
        "tags": [{"name": "things"}],
        "security": [{"oauth": ["openid"]}],
        "paths": {
            "/api/things": {
                "get": {
                    "operationId": "getThings", "tags": ["things"],
                    "parameters": [
                        {"name": "includeOld", "in": "query", "schema": {"type": "boolean", "default": false}},
                        {"name": "further", "in": "query", "schema": {"type": "string"}},
                    ],
                    "responses": things,
                },
            },
            "/api/things/{thingId}": {
                "parameters": [thing_id()],
                "get": {"operationId": "getThing", "tags": ["things"], "responses": thing},
                "put": {
                    "operationId": "putThing", "tags": ["things"],
                    "requestBody": {
                        "required": true,
                        "content": {
                            "application/json": {"schema": schema_at("ThingRequest")},
                            "text/csv": {"schema": {"type": "string"}},
                        },
                    },
                    "responses": {"204": {"description": ""}},
                },
            },
            "/api/things/{thingId}/file": {
                "parameters": [thing_id()],
                "get": {
                    "operationId": "getFile", "tags": ["things"],
                    "responses": {"200": {"description": "", "content": {
                        "application/zip": {"schema": {"type": "string", "format": "binary"}},
                    }}},
                },
                "post": {
                    "operationId": "sendFile", "tags": ["things"],
                    "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}, "note": {"type": "string"}},
                    }}}},
                    "responses": {"204": {"description": ""}},
                },
            },
            "/api/guess": {"get": {"operationId": "getGuess", "tags": ["things"], "responses": {"204": {"description": ""}}}},
            "/api/other/{key}": {
                "post": {
                    "operationId": "other", "tags": ["things"],
                    "parameters": [
                        {"name": "key", "in": "path", "required": true, "schema": {"type": "string"}},
                        {"name": "q", "in": "query", "schema": {"type": "string"}},
                        {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    ],
                    "requestBody": {"content": {
                        "application/json": {"schema": schema_at("OtherRequest")},
                        "text/csv": {"schema": {"type": "string"}},
                    }},
                    "responses": {
                        "200": {
                            "description": "",
                            "headers": {"X-Left": {"schema": {"type": "integer"}}},
                            "content": {
                                "application/json": {"schema": schema_at("Other")},
                                "application/xml": {"schema": schema_at("Other")},
                            },
                        },
                        "404": {"description": ""},
                    },
                },
            },
        },
        "components": {
            "securitySchemes": {
                "oauth": {"type": "oauth2", "flows": {"authorizationCode": {
                    "authorizationUrl": "https://login.example/a", "tokenUrl": "https://login.example/t", "scopes": {"openid": ""},
                }}},
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            },
            "schemas": {
                "ThingList": {"type": "object", "properties": {"things": {"type": "array", "items": schema_at("Thing")}}},
                "Thing": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string"},
                        "name": {"type": "string"},
                        "state": schema_at("State"),
                        "size": {"type": "integer", "format": "int64"},
                        "made": {"type": "string", "format": "date-time"},
                        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                        "inner": {"type": "array", "items": schema_at("Inner")},
                        "here": {"type": "string"},
                        "more": {"type": "integer"},
                    },
                },
                "Inner": {"type": "object", "required": ["value"], "properties": {"value": {"type": "string"}}},
                "State": {"type": "string", "enum": ["READY", "BUSY", "STUCK"]},
                "ThingRequest": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "color": {"type": "string", "maxLength": 7},
                        "state": schema_at("State"),
                        "kind": {"type": "string"},
                        "more": {"type": "string"},
                    },
                },
                "Other": {
                    "type": "object",
                    "required": ["sure"],
                    "properties": {
                        "sure": {"type": "string"},
                        "perhaps": {"type": "string"},
                        "mood": {"type": "string", "enum": ["good", "bad"]},
                        "tree": schema_at("Other"),
                        "deep": {"type": "array", "items": {"type": "object", "properties": {"leaf": {"type": "string"}}}},
                    },
                },
                "OtherRequest": {
                    "type": "object",
                    "required": ["sure"],
                    "properties": {
                        "sure": {"type": "string"},
                        "perhaps": {"type": "string", "nullable": true},
                        "mood": {"type": "string", "enum": ["good", "bad"]},
                        "count": {"type": "integer", "minimum": 1, "default": 1},
                    },
                },
            },
        },
    })
}

/// Sets a value at a pointer. `-` appends to a list, `null` removes.
fn edit(document: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    let last = last.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) if value.is_null() => assert!(object.remove(&last).is_some(), "{pointer}"),
        Some(Value::Object(object)) => _ = object.insert(last, value),
        Some(Value::Array(items)) if value.is_null() => _ = items.remove(last.parse().expect("an index")),
        Some(Value::Array(items)) if last == "-" => items.push(value),
        Some(Value::Array(items)) => items[last.parse::<usize>().expect("an index")] = value,
        _ => panic!("nothing at {pointer}"),
    }
}

/// Maps a document to the contract, whether or not the build refuses it.
fn mapped(document: &Value, contract: &Contract) -> Mapping {
    let mut plain = document.clone();
    for pass in passes::NORMALIZING_PASSES {
        (pass.apply)(&mut plain);
        canonical::sort(&mut plain);
    }
    let decisions = Decisions { accept_missing: contract.operations.keys().cloned().collect(), ..Decisions::default() };
    mapping::map_contract(&plain, mapping::server_path(document), contract, &decisions).0
}

fn compared_by(contract: &Contract, old: &Value, new: &Value) -> Vec<Change> {
    let (old_mapping, new_mapping) = (mapped(old, contract), mapped(new, contract));
    compare(
        &MappedDocument { document: old, mapping: &old_mapping },
        &MappedDocument { document: new, mapping: &new_mapping },
    )
}

fn compared(old: &Value, new: &Value) -> Vec<Change> {
    compared_by(&contract(), old, new)
}

/// Formats a change as the tests write it: `caller operation-gone getGuess: `.
fn line(change: &Change) -> String {
    let operation = change.operation.as_deref().unwrap_or("-");
    format!("{} {} {operation}: {}", change.effect.name(), change.kind.key(), change.location)
}

fn lines(old: &Value, new: &Value) -> Vec<String> {
    compared(old, new).iter().map(line).collect()
}

/// Returns the base document with edits.
fn edited(edits: &[(&str, Value)]) -> Value {
    let mut document = base();
    for (pointer, value) in edits {
        edit(&mut document, pointer, value.clone());
    }
    document
}

const GUESS: &str = "/paths/~1api~1guess";
const THING: &str = "/components/schemas/Thing/properties";

#[test]
fn reports_each_kind_of_change() {
    let text = json!({"type": "string"});
    let mut moved = base();
    let guess = moved["paths"].as_object_mut().expect("paths").remove("/api/guess").expect("is there");
    moved["paths"]["/api/guess/"] = guess;
    let mut prefixed = base();
    let paths = prefixed["paths"].as_object_mut().expect("paths");
    *paths = paths.iter().map(|(path, item)| (path.replacen("/api", "/v2/api", 1), item.clone())).collect();
    let renamed = |field: &str, name: &str| {
        let mut document = base();
        let schema = document.pointer(&format!("{THING}/{field}")).cloned().expect("is there");
        edit(&mut document, &format!("{THING}/{field}"), Value::Null);
        edit(&mut document, &format!("{THING}/{name}"), schema);
        if field == "id" {
            edit(&mut document, "/components/schemas/Thing/required", json!([name]));
        }
        document
    };
    let new_operation = json!({"get": {"operationId": "new2", "responses": {}}});
    let cases: Vec<(Value, &str, &str)> = vec![
        (prefixed, "none path-prefix -: ", "none path-prefix -: "),
        (edited(&[(GUESS, Value::Null)]), "caller operation-gone getGuess: ", "none operation-new getGuess: "),
        (moved, "none operation-moved getGuess: ", "none operation-moved getGuess: "),
        (
            edited(&[("/paths/~1api~1guess/get/operationId", json!("other2"))]),
            "none operation-renamed getGuess: ",
            "none operation-renamed getGuess: ",
        ),
        (
            edited(&[("/paths/~1api~1things/get/x-paging", json!({"form": "page"}))]),
            "none paging getThings: ",
            "none paging getThings: ",
        ),
        (
            edited(&[("/paths/~1api~1new", new_operation)]),
            "none further-operation-new GET /api/new: ",
            "raw further-operation-gone GET /api/new: ",
        ),
        (
            edited(&[("/paths/~1api~1other~1{key}/post/operationId", json!("another"))]),
            "raw further-operation-renamed POST /api/other/{key}: ",
            "raw further-operation-renamed POST /api/other/{key}: ",
        ),
        (
            edited(&[("/paths/~1api~1things/get/parameters/0", Value::Null)]),
            "caller parameter-gone getThings: query includeOld",
            "none parameter-new getThings: query includeOld",
        ),
        (
            edited(&[("/paths/~1api~1things/get/parameters/0/name", json!("include_old"))]),
            "none parameter-mapped getThings: query includeOld",
            "none parameter-mapped getThings: query includeOld",
        ),
        (
            edited(&[(&format!("{THING}/name"), Value::Null)]),
            "caller field-gone -: Thing.name",
            "none field-new -: Thing.name",
        ),
        (renamed("id", "thingId"), "none field-mapped -: Thing.id", "none field-mapped -: Thing.id"),
        (
            edited(&[(&format!("{THING}/size"), text.clone())]),
            "caller field-type -: Thing.size",
            "caller field-type -: Thing.size",
        ),
        (
            edited(&[(&format!("{THING}/more"), Value::Null)]),
            "raw further-field-gone -: Thing.more",
            "none further-field-new -: Thing.more",
        ),
        (
            edited(&[("/components/schemas/State/enum/2", Value::Null)]),
            "caller values-gone -: State",
            "none values-new -: State",
        ),
    ];
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for (document, forward, backward) in cases {
        assert_eq!(lines(&base(), &document), [forward]);
        assert_eq!(lines(&document, &base()), [backward]);
        kinds.extend([forward, backward].map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()));
    }
    let all: BTreeSet<String> = CHANGE_KINDS.iter().map(|(kind, _, _)| kind.key()).collect();
    assert_eq!(kinds, all);
}

#[test]
fn finds_no_change_between_equal_documents() {
    assert_eq!(compared(&base(), &base()), []);
    let document: Value = serde_json::from_str(&crate::tests::vendored()).expect("JSON");
    let contract = crate::tests::contract();
    assert_eq!(compared_by(&contract, &document, &document), []);
}

#[test]
fn reports_every_removed_field_of_the_reconstruction() {
    let document: Value = serde_json::from_str(&crate::tests::vendored()).expect("JSON");
    let contract = crate::tests::contract();
    for schema in ["FileStatus", "Dossier", "DownloadStatus"] {
        for property in
            tree::sorted_keys(document["components"]["schemas"][schema]["properties"].as_object().expect("has fields"))
        {
            let mut less = document.clone();
            edit(
                &mut less,
                &format!("/components/schemas/{schema}/properties/{}", tree::escape(&property)),
                Value::Null,
            );
            let changes = compared_by(&contract, &document, &less);
            // An operation whose response lacks a needed field is not the contract's operation.
            let reported = changes.iter().any(|change| {
                change.location == format!("{schema}.{property}") || change.kind == ChangeKind::OperationGone
            });
            assert!(reported, "{schema}.{property}: {changes:#?}");
        }
    }
}

#[test]
fn sorts_changes_by_effect_operation_and_location() {
    let new = edited(&[
        (&format!("{THING}/name"), Value::Null),
        (&format!("{THING}/more"), Value::Null),
        (GUESS, Value::Null),
        ("/paths/~1api~1other~1{key}", Value::Null),
    ]);
    let expected = [
        "caller field-gone -: Thing.name",
        "caller operation-gone getGuess: ",
        "raw further-field-gone -: Thing.more",
        "raw further-operation-gone POST /api/other/{key}: ",
    ];
    assert_eq!(lines(&base(), &new), expected);
}

/// Names that try to end the line or the code span in which they are shown.
const HOSTILE: [&str; 6] = [
    "a`b`\n# c | d",
    "\u{1b}[31mred\u{7}",
    "\u{202e}txt.exe\u{2066}",
    "<script>alert(1)</script>",
    "\u{9b}2J\u{2028}x\r\ny",
    "](http://evil.example) **bold** $(reboot)",
];

#[test]
fn sanitises_names_from_the_document() {
    for hostile in HOSTILE {
        let mut new = base();
        edit(&mut new, &format!("{THING}/name"), Value::Null);
        new["components"]["schemas"]["Thing"]["properties"][hostile] = json!({"type": hostile});
        new["components"]["schemas"]["State"]["enum"] = json!(["READY", hostile]);
        new["paths"]["/api/other/{key}"]["post"]["operationId"] = json!(hostile);
        new["paths"][format!("/api/{hostile}")] = json!({"get": {"operationId": hostile}});
        new["paths"]["/api/things"]["get"]["operationId"] = json!(hostile);
        let changes = compared(&base(), &new);
        assert!(changes.len() > 5, "{changes:#?}");
        for change in &changes {
            for text in change.operation.iter().chain([&change.location, &change.text]) {
                let hidden = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{2066}';
                assert!(!text.contains(hidden), "{text:?}");
            }
            assert_eq!(change.text.matches('`').count() % 2, 0, "{}", change.text);
            assert!(!change.location.contains('`'), "{}", change.location);
        }
    }
}

#[test]
fn compares_broken_documents() {
    for broken in [
        json!({}),
        json!(null),
        json!({"paths": 1, "components": []}),
        json!({"paths": {"/x": {"get": 1, "post": {"parameters": [1, {"in": 2}]}}}}),
    ] {
        assert_eq!(compared(&broken, &broken), []);
        compared(&broken, &base());
        compared(&base(), &broken);
    }
}
