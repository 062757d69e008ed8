//! Runs the code generator and turns its panics into messages that name the operation.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::thread;

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use serde_json::Value;

use crate::canonical;
use crate::tree::{self, METHODS, Object};

/// The generator recurses over schemas; the stack of a build script's main thread is not ours to choose.
const STACK: usize = 64 * 1024 * 1024;

/// The generated source as tokens, or one line for each operation that stops the generator.
pub(super) fn run(document: &Value) -> Result<proc_macro2::TokenStream, Vec<String>> {
    let source = match attempt(document) {
        Ok(source) => source,
        Err(error) => return Err(culprits(document, &error)),
    };
    source.parse().map_err(|error| vec![format!("the generated source is no Rust: {error}")])
}

/// One run in a thread of its own, so that a panic is an answer too.
fn attempt(document: &Value) -> Result<String, String> {
    // The generator gets text: what it reads then does not depend on how maps of this process keep their keys.
    let text = canonical::text(document);
    let replacements = replacements(document);
    let speak = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let joined = thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || generate(&text, &replacements))
        .map(thread::JoinHandle::join);
    panic::set_hook(speak);
    match joined {
        Ok(Ok(result)) => result,
        Ok(Err(payload)) => Err(panic_text(payload.as_ref())),
        Err(error) => Err(format!("no thread to run the generator in: {error}")),
    }
}

fn generate(text: &str, replacements: &[(String, String)]) -> Result<String, String> {
    let document: openapiv3::OpenAPI =
        serde_json::from_str(text).map_err(|error| format!("not readable as OpenAPI 3.0: {error}"))?;
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote::quote!(crate::Inner))
        .with_map_type("::indexmap::IndexMap")
        .with_derive("PartialEq");
    for (schema, path) in replacements {
        settings.with_replacement(schema, path, [TypeImpl::Display, TypeImpl::FromStr].into_iter());
    }
    Generator::new(&settings)
        .generate_tokens(&document)
        .map(|tokens| tokens.to_string())
        .map_err(|error| error.to_string())
}

/// Component schemas that stand for a type of ours, with its path.
fn replacements(document: &Value) -> Vec<(String, String)> {
    let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else {
        return Vec::new();
    };
    tree::sorted_keys(schemas)
        .into_iter()
        .filter_map(|name| {
            let schema = schemas.get(&name)?.as_object()?;
            let type_name = crate::names::pascal(&name);
            let path = if tree::is_true(schema, "x-open-enum") {
                format!("crate::enums::{type_name}")
            } else {
                String::from(tree::text(schema, "x-replace")?)
            };
            Some((type_name, path))
        })
        .collect()
}

/// Finds what fails on its own, schemas first; the generator names neither.
fn culprits(document: &Value, error: &str) -> Vec<String> {
    let mut found = failing_schemas(document);
    if found.is_empty() {
        found = failing_operations(document);
    }
    if found.is_empty() {
        found.push(format!("the generator stopped, though at no schema or operation alone: {error}"));
    }
    found
}

/// Schemas that fail with nothing but what they refer to, those left out that only refer to a failing one.
fn failing_schemas(document: &Value) -> Vec<String> {
    let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut failing: BTreeMap<String, (BTreeSet<String>, String)> = BTreeMap::new();
    for (name, schema) in schemas {
        let mut reached = BTreeSet::new();
        tree::collect_references(schema, schemas, &mut reached);
        reached.remove(name);
        let part = schemas.iter().filter(|(other, _)| *other == name || reached.contains(*other));
        let part: Object = part.map(|(name, schema)| (name.clone(), schema.clone())).collect();
        let mut alone = document.clone();
        alone["paths"] = Value::Object(Object::new());
        alone["components"]["schemas"] = Value::Object(part);
        if let Err(error) = attempt(&alone) {
            failing.insert(name.clone(), (reached, error));
        }
    }
    failing
        .iter()
        .filter(|(_, (reached, _))| !reached.iter().any(|other| failing.contains_key(other)))
        .map(|(name, (_, error))| {
            format!("schema {name}: the generator stopped: {error} (/components/schemas/{})", tree::escape(name))
        })
        .collect()
}

/// Operations that fail without any other.
fn failing_operations(document: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let item = Object::from_iter([(String::from(method), operation.clone())]);
            let mut alone = document.clone();
            alone["paths"] = Value::Object(Object::from_iter([(path.clone(), Value::Object(item))]));
            if let Err(error) = attempt(&alone) {
                let id = operation.get("x-operation-id").and_then(Value::as_str).unwrap_or_default();
                let pointer = format!("/paths/{}/{method}", tree::escape(path));
                found.push(format!("{id}: the generator stopped: {error} ({pointer})"));
            }
        }
    }
    found
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| String::from(*text)))
        .unwrap_or_else(|| String::from("a panic without a message"))
}
