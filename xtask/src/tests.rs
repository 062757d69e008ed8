//! Tests of the passes over the document and over the generated code, and of the lint.
//!
//! The tests are in this crate, because a build script cannot be tested itself.

#![allow(clippy::needless_pass_by_value, reason = "snippets read best as literals")]

mod code;
mod document;
mod foreign;
mod layers;
mod lint;
mod mapping;
mod order;
mod robust;
mod variants;
mod vendored;

use serde_json::{Value, json};

use crate::passes;

/// Makes a document with these paths and component schemas.
fn document(paths: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// Makes a document with one operation, `GET /x`; adds a response if there is none.
fn with_operation(mut operation: Value, schemas: Value) -> Value {
    if operation.get("responses").is_none() {
        operation["responses"] = json!({"204": {"description": ""}});
    }
    if operation.get("operationId").is_none() {
        operation["operationId"] = json!("getX");
    }
    document(json!({"/x": {"get": operation}}), schemas)
}

/// Runs all passes on a document.
fn passed(document: &Value) -> Value {
    match passes::prepare(&document.to_string(), None) {
        Ok(passed) => passed.document,
        Err(findings) => panic!("refused: {findings:#?}"),
    }
}

/// Returns the findings of the lint.
fn refused(document: &Value) -> Vec<String> {
    match passes::prepare(&document.to_string(), None) {
        Ok(_) => Vec::new(),
        Err(findings) => findings,
    }
}

/// Returns the reconstruction in canonical form, independent of the document in use.
pub(crate) fn vendored() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/documine.yaml");
    let text = std::fs::read_to_string(path).expect("openapi/documine.yaml is there");
    passes::canonical::text(&crate::yaml::document(&text, "openapi/documine.yaml").expect("reads"))
}

/// Reads the contract of the facade.
pub(crate) fn contract() -> passes::contract::Contract {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/contract.toml");
    let text = std::fs::read_to_string(path).expect("openapi/contract.toml is there");
    passes::contract::Contract::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Runs all steps of the build on a document.
fn built(text: &str) -> Result<passes::PreparedDocument, Vec<String>> {
    passes::prepare(text, Some((&contract(), &passes::decisions::Decisions::default())))
}

/// Runs the passes on a document, with `mark` in place of the pass `canonical`.
fn marked(document: &Value, mark: fn(&mut Value)) -> Value {
    let mut document = document.clone();
    passes::canonical::sort(&mut document);
    let run = |all: &[passes::Pass], document: &mut Value| {
        for pass in all {
            (pass.apply)(document);
            passes::canonical::sort(document);
        }
    };
    run(passes::NORMALIZING_PASSES, &mut document);
    mark(&mut document);
    passes::canonical::sort(&mut document);
    run(passes::ADAPTING_PASSES, &mut document);
    document
}

/// Renames `x-test-id` to `x-id`, which the passes remove from documents.
fn ids(document: &mut Value) {
    passes::tree::visit_kind(document, passes::tree::NodeKind::Schema, &mut |schema, _| {
        if let Some(id) = schema.remove("x-test-id") {
            schema.insert(String::from("x-id"), id);
        }
    });
}
