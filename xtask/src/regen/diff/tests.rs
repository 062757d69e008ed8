//! Tests of the comparison: two small documents for each line of the table, and what must hold for any two.

mod any;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Change, Side, compare};
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

/// A document that has the contract's things, and an operation beside them at `/api/other`.
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

/// Puts a value at a pointer; `-` appends to a list, `null` takes away.
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

/// Where the contract's things are, whether or not the document is refused.
fn mapped(document: &Value, contract: &Contract, accepted: &BTreeSet<String>) -> Mapping {
    let mut plain = document.clone();
    for pass in passes::NORMALIZING_PASSES {
        (pass.apply)(&mut plain);
        canonical::sort(&mut plain);
    }
    let decisions = Decisions { accept_missing: accepted.clone(), ..Decisions::default() };
    mapping::map_contract(&plain, mapping::server_path(document), contract, &decisions).0
}

fn compared_with(contract: &Contract, old: &Value, new: &Value, accepted: &BTreeSet<String>) -> Vec<Change> {
    let (old_mapping, new_mapping) = (mapped(old, contract, accepted), mapped(new, contract, accepted));
    compare(
        contract,
        &Side { document: old, mapping: &old_mapping, accepted },
        &Side { document: new, mapping: &new_mapping, accepted },
    )
}

fn compared(old: &Value, new: &Value) -> Vec<Change> {
    compared_with(&contract(), old, new, &BTreeSet::new())
}

/// A change in one line, as the tests write it.
fn line(change: &Change) -> String {
    let place = change.place.as_str();
    let operation = change.operation.as_deref().unwrap_or("-");
    format!("{} {} {operation}: {place}", change.effect.word(), change.what.key())
}

/// The whole vendored document, and our contract.
fn vendored() -> (Value, Contract) {
    (serde_json::from_str(&crate::tests::vendored()).expect("JSON"), crate::tests::contract())
}
