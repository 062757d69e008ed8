//! Documents as other tools write them: what the generator would panic at, refuse or get wrong generates, and means what it meant.

mod bodies;
mod fuzz;
mod names;
mod parameters;
mod schemas;
mod texts;

use serde_json::{Value, json};

use super::{document, marked, passed, refused, with_operation};
use crate::{code, passes};

/// The generated client of a document, after all passes.
fn client(document: &Value) -> String {
    match code::generate(&passed(document)) {
        Ok(generated) => {
            parses(&generated.client);
            parses(&generated.enums);
            generated.client
        }
        Err(reasons) => panic!("{reasons:#?}"),
    }
}

#[track_caller]
fn parses(source: &str) {
    if let Err(error) = syn::parse_str::<syn::File>(source) {
        panic!("{error}: {source}");
    }
}

/// The document with component schemas only, after all passes, and that it generates.
fn schemas(schemas: Value) -> Value {
    let given = document(json!({}), schemas);
    client(&given);
    passed(&given)["components"]["schemas"].clone()
}

/// The operation `GET /x` after all passes, and that it generates.
fn operation(given: Value, schemas: Value) -> Value {
    let given = with_operation(given, schemas);
    client(&given);
    passed(&given)["paths"]["/x"]["get"].clone()
}
