//! The lint: finds what the generator rejects or misinterprets, before it runs.
//!
//! The generator panics without naming the operation, misinterprets some documents silently, and overflows its stack on a cycle
//! of schemas, which cannot be caught. Every finding names the operation, the JSON pointer and the reason, and all findings are
//! reported together.

mod operations;
pub(crate) mod references;
mod schemas;

use std::fmt::{self, Display};

use serde_json::Value;

use crate::tree;

/// A reason for rejecting a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The JSON pointer.
    pub pointer: String,
    /// The operation as the document spells it; `None` outside operations.
    pub operation: Option<String>,
    /// The reason.
    pub reason: String,
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operation {
            Some(operation) => write!(f, "{operation}: {} ({})", self.reason, self.pointer),
            None => write!(f, "{} ({})", self.reason, self.pointer),
        }
    }
}

/// A collection of findings.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, operation: Option<&str>, pointer: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Finding { pointer: pointer.into(), operation: operation.map(String::from), reason: reason.into() });
    }

    fn lines(mut self) -> Vec<String> {
        self.0.sort();
        self.0.dedup();
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// Returns findings that make running the passes pointless: the document is not an OpenAPI 3.0 document.
pub(crate) fn check_before_passes(document: &Value) -> Vec<String> {
    let mut findings = Findings::default();
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0.") => {}
        Some(version) => {
            let advice = "supported are 3.0.x and 3.1.x: springdoc writes 3.0 with `springdoc.api-docs.version=openapi_3_0`; \
                          convert other documents with a tool";
            findings.add(None, "/openapi", format!("OpenAPI {version}; {advice}"));
        }
        None if document.get("swagger").is_some() => {
            let advice = "convert the document to OpenAPI 3.0 first, for example with `swagger2openapi`";
            findings.add(None, "/swagger", format!("Swagger 2.0; {advice}"));
        }
        None => findings.add(None, "", "no member `openapi`: not an OpenAPI document"),
    }
    if !document.get("paths").is_some_and(Value::is_object) {
        findings.add(None, "/paths", "no paths");
    }
    for key in ["title", "version"] {
        let place = format!("/info/{key}");
        if !document.pointer(&place).is_some_and(Value::is_string) {
            findings.add(None, place, "is missing or not a string");
        }
    }
    if depth(document) > MAX_DEPTH {
        findings.add(None, "", format!("nested deeper than {MAX_DEPTH} levels"));
    }
    let nodes = nodes(document);
    if nodes > MAX_NODES {
        findings.add(None, "", format!("{nodes} values, more than {MAX_NODES}"));
    }
    findings.lines()
}

/// Maximum nesting, far more than a real document needs; the passes recurse.
const MAX_DEPTH: usize = 120;

/// Maximum number of values, ten times those of a document with a thousand operations.
const MAX_NODES: usize = 1_000_000;
/// Maximum length of the text, in bytes.
const MAX_SIZE: usize = 32 * 1024 * 1024;

/// Returns a finding if the text is too long.
pub(crate) fn check_size(text: &str) -> Vec<String> {
    let mut findings = Findings::default();
    if text.len() > MAX_SIZE {
        findings.add(None, "", format!("the document has {} bytes, more than {MAX_SIZE}", text.len()));
    }
    findings.lines()
}

fn nodes(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Object(map) => map.values().map(nodes).sum(),
        Value::Array(list) => list.iter().map(nodes).sum(),
        _ => 0,
    };
    1 + inner
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Object(map) => map.values().map(depth).max(),
        Value::Array(list) => list.iter().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

/// Returns what the generator would reject in a document after the passes; `with_references` includes dangling references.
pub(crate) fn check_after_passes(document: &Value, with_references: bool) -> Vec<String> {
    let mut document = document.clone();
    let mut findings = Findings::default();
    if with_references {
        references(&mut document, &mut findings);
    }
    schemas::check(&mut document, &mut findings);
    operations::check(&mut document, &mut findings);
    findings.lines()
}

/// Finds references other than those to component schemas, which the passes leave only if they cannot be resolved.
fn references(document: &mut Value, findings: &mut Findings) {
    let known = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut at: Vec<(String, String)> = Vec::new();
    tree::visit_all(document, &mut |_, object, pointer| {
        if let Some(reference) = tree::text(object, "$ref") {
            let found = tree::schema_name(object).is_some_and(|name| known.contains_key(name));
            if !found {
                at.push((String::from(pointer), String::from(reference)));
            }
        }
    });
    for (pointer, reference) in at {
        let reason = if reference.starts_with('#') {
            format!("dangling or cyclic reference {reference}")
        } else {
            format!("external reference {reference}, which is never followed")
        };
        let operation = operation_of(document, &pointer);
        findings.add(operation.as_deref(), pointer, reason);
    }
}

/// Returns the label of the operation that contains the pointer.
fn operation_of(document: &Value, pointer: &str) -> Option<String> {
    let segments = tree::segments(pointer);
    let [paths, path, method, ..] = segments.as_slice() else {
        return None;
    };
    if paths != "paths" {
        return None;
    }
    let operation = document.get("paths")?.get(path)?.get(method)?.as_object()?;
    Some(label(operation, path, method))
}

/// Returns the name of an operation in findings: the document's operationId, else method and path.
fn label(operation: &tree::Object, path: &str, method: &str) -> String {
    tree::text(operation, "x-operation-id")
        .or_else(|| tree::text(operation, "operationId"))
        .filter(|id| !id.is_empty())
        .map_or_else(|| format!("{} {path}", method.to_uppercase()), String::from)
}
