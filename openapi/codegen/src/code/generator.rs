//! Runs the code generator and turns its panics into messages that name the operation.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::thread;

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use serde_json::Value;

use crate::canonical;
use crate::tree::{self, METHODS, Object};

/// Stack size in bytes. The generator recurses over schemas, and the size of the main thread's stack depends on the platform.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Returns the generated source as tokens, or one line per schema or operation that makes the generator fail.
pub(super) fn run(document: &Value) -> Result<proc_macro2::TokenStream, Vec<String>> {
    let source = match run_in_thread(document) {
        Ok(source) => source,
        Err(error) => return Err(find_causes(document, &error)),
    };
    source.parse().map_err(|error| vec![format!("the generated source is not valid Rust: {error}")])
}

/// Runs the generator once, in a thread of its own, so that a panic becomes an error.
fn run_in_thread(document: &Value) -> Result<String, String> {
    // The generator reads text, so that the order of keys in maps of this process has no effect.
    let text = canonical::text(document);
    let replacements = replacements(document);
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let joined = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || generate(&text, &replacements))
        .map(thread::JoinHandle::join);
    panic::set_hook(default_hook);
    match joined {
        Ok(Ok(result)) => result,
        Ok(Err(payload)) => Err(panic_text(payload.as_ref())),
        Err(error) => Err(format!("starting a thread for the generator failed: {error}")),
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

/// Returns the component schemas that are replaced by handwritten types, with the path of the type.
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

/// Returns the schemas, else the operations, that fail alone, because the generator names neither.
fn find_causes(document: &Value, error: &str) -> Vec<String> {
    let mut found = failing_schemas(document);
    if found.is_empty() {
        found = failing_operations(document);
    }
    if found.is_empty() {
        found.push(format!("the generator failed, but for no single schema or operation: {error}"));
    }
    found
}

/// Returns the schemas that fail with nothing but their references, except those that only refer to a failing schema.
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
        if let Err(error) = run_in_thread(&alone) {
            failing.insert(name.clone(), (reached, error));
        }
    }
    failing
        .iter()
        .filter(|(_, (reached, _))| !reached.iter().any(|other| failing.contains_key(other)))
        .map(|(name, (_, error))| {
            format!("schema {name}: the generator failed: {error} (/components/schemas/{})", tree::escape(name))
        })
        .collect()
}

/// Returns the operations that fail without any other operation.
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
            if let Err(error) = run_in_thread(&alone) {
                let id = operation.get("x-operation-id").and_then(Value::as_str).unwrap_or_default();
                let pointer = format!("/paths/{}/{method}", tree::escape(path));
                found.push(format!("{id}: the generator failed: {error} ({pointer})"));
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
        .unwrap_or_else(|| String::from("panic without a message"))
}
