//! Generation of the table of operations that `documine-api/src/operations.rs` includes.
//!
//! The table lists the document's operations in the order of its tags, and for each generated method its operation and its
//! `Accept` header.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use syn::File;
use syn::visit_mut::VisitMut as _;

use super::syntax::{Node, Walker};
use crate::tree::{self, METHODS, Object};

struct OperationRow<'a> {
    tag: usize,
    path: &'a str,
    method: &'a str,
    operation: &'a Object,
}

impl OperationRow<'_> {
    fn text(&self, key: &str) -> &str {
        tree::text(self.operation, key).unwrap_or_default()
    }

    /// Returns the document's spelling of the id, for an alternative format the id of its main operation.
    fn id(&self) -> &str {
        tree::text(self.operation, "x-variant-of").unwrap_or_else(|| self.text("x-operation-id"))
    }

    fn is_variant(&self) -> bool {
        self.operation.contains_key("x-variant-of")
    }
}

pub(super) fn source(document: &Value, file: &mut File) -> Result<String, String> {
    let rows = rows(document);
    let own: Vec<&OperationRow<'_>> = rows.iter().filter(|row| !row.is_variant()).collect();
    let mut source = String::from("/// Every operation of the document, in the order of its tags.\n");
    source.push_str("pub static OPERATIONS: &[Operation] = &[\n");
    for row in &own {
        let variants = rows.iter().any(|other| other.is_variant() && other.id() == row.id());
        let _ = writeln!(
            source,
            "    Operation {{ id: {:?}, method: {:?}, path: {:?}, tag: {:?}, response: ResponseKind::{}, paging: Paging::{}, items: {:?}, provenance: Provenance::{}, canonical: {}, missing: {}, missing_query: &{}, part: {:?}, parts: &{} }},",
            row.id(),
            row.method.to_uppercase(),
            row.path,
            row.operation.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str).unwrap_or_default(),
            response_kind(row.operation, variants),
            paging(row.operation),
            row.operation.get("x-paging").and_then(|paging| paging.get("items")).and_then(Value::as_str),
            provenance(row.operation),
            tree::is_true(row.operation, "x-canonical"),
            tree::is_true(row.operation, "x-missing"),
            missing_query(row.operation),
            tree::text(row.operation, "x-part"),
            parts(row.operation),
        );
    }
    source.push_str("];\n\n/// Every generated method.\nstatic METHODS: &[Method] = &[\n");
    let mut named: Vec<&OperationRow<'_>> = rows.iter().collect();
    named.sort_by_key(|row| row.text("operationId"));
    for row in &named {
        let index = own.iter().position(|other| other.id() == row.id()).unwrap_or_default();
        let _ = writeln!(
            source,
            "    Method {{ name: {:?}, operation: {index}, accept: {:?}, content_type: {:?}, missing: {} }},",
            row.text("operationId"),
            row.text("x-accept"),
            tree::text(row.operation, "x-content-type"),
            tree::is_true(row.operation, "x-missing")
        );
    }
    source.push_str("];\n");

    let listed: BTreeSet<String> = named.iter().map(|row| String::from(row.text("operationId"))).collect();
    let called_methods = called_methods(file);
    if listed == called_methods {
        Ok(source)
    } else {
        Err(format!(
            "unexpected method names of the generator: {:?}",
            listed.symmetric_difference(&called_methods).collect::<Vec<_>>()
        ))
    }
}

fn rows(document: &Value) -> Vec<OperationRow<'_>> {
    let tags: Vec<&str> = document
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tag| tag.get("name")?.as_str())
        .collect();
    let mut rows: Vec<OperationRow<'_>> = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method).and_then(Value::as_object) else {
                continue;
            };
            let tag = operation.get("tags").and_then(|tags| tags.get(0)).and_then(Value::as_str);
            let tag = tag.and_then(|tag| tags.iter().position(|known| *known == tag)).unwrap_or(tags.len());
            rows.push(OperationRow { tag, path, method, operation });
        }
    }
    rows.sort_by_key(|row| (row.tag, row.path, row.method));
    rows
}

fn response_kind(operation: &Object, has_variants: bool) -> &'static str {
    let content = operation
        .get("responses")
        .and_then(|responses| responses.get("2XX"))
        .and_then(|response| response.get("content"))
        .and_then(Value::as_object);
    match content {
        None => "Empty",
        Some(content) if !content.contains_key("application/json") => "Binary",
        Some(_) if has_variants => "JsonOrXml",
        Some(_) => "Json",
    }
}

fn paging(operation: &Object) -> &'static str {
    let paging = operation.get("x-paging");
    let form = paging.and_then(|paging| paging.get("form").unwrap_or(paging).as_str());
    match form {
        None => "NotAList",
        Some("page") => "PageSize",
        Some("link") => "Link",
        Some(_) => "None",
    }
}

/// Returns the query parameters that are form parts in the document, each with its part and default.
fn parts(operation: &Object) -> String {
    let parts = tree::object(operation, "x-parts").into_iter().flatten();
    let parts: Vec<(&str, &str, Option<&str>)> = parts
        .filter_map(|(name, part)| {
            let text = |key: &str| part.get(key).and_then(Value::as_str);
            Some((name.as_str(), text("part")?, text("default")))
        })
        .collect();
    format!("{parts:?}")
}

/// Returns the query parameters of the contract that the document lacks, each with its default.
fn missing_query(operation: &Object) -> String {
    let missing = tree::object(operation, "x-missing-query").cloned().unwrap_or_default();
    let pairs = tree::sorted_keys(&missing).into_iter().map(|name| {
        let default = missing.get(&name).and_then(Value::as_str).map(str::to_owned);
        format!("({name:?}, {default:?})")
    });
    format!("[{}]", pairs.collect::<Vec<String>>().join(", "))
}

fn provenance(operation: &Object) -> &'static str {
    match tree::text(operation, "x-provenance") {
        Some("published") => "Published",
        Some("described") => "Described",
        Some("inferred") => "Inferred",
        _ => "Unmarked",
    }
}

/// Returns the operation ids that the generated source passes to the hooks.
fn called_methods(file: &mut File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    Walker(&mut |node| {
        if let Node::FieldValue(field) = node
            && let (syn::Member::Named(name), syn::Expr::Lit(literal)) = (&field.member, &field.expr)
            && name == "operation_id"
            && let syn::Lit::Str(text) = &literal.lit
        {
            names.insert(text.value());
        }
    })
    .visit_file_mut(file);
    names
}
