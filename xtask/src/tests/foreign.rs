//! Documents as other tools write them.

mod files;
mod names;
mod references;
mod schemas;
mod spellings;

use serde_json::{Value, json};

use super::{built, document, passed, refused, vendored, with_operation};
use crate::passes::PreparedDocument;
use crate::{code, passes};

/// Runs the build's steps on the reconstruction after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Result<PreparedDocument, Vec<String>> {
    let mut document: Value = serde_json::from_str(&vendored()).expect("JSON");
    change(&mut document);
    built(&document.to_string())
}

#[track_caller]
fn accepted(name: &str, change: impl FnOnce(&mut Value)) -> PreparedDocument {
    changed(change).unwrap_or_else(|findings| panic!("{name}: {findings:#?}"))
}

#[track_caller]
fn generated(passed: &PreparedDocument) -> code::Generated {
    code::generate(&passed.document).unwrap_or_else(|reasons| panic!("{reasons:#?}"))
}

/// Returns the source of a model.
fn model(source: &str, name: &str) -> String {
    let start = source.find(&format!("pub struct {name} ")).unwrap_or_else(|| panic!("no model {name}"));
    let end = source[start..].find("\n    }").expect("its end");
    source[start..start + end].to_owned()
}

/// Returns the attributes and the type of a field.
fn field<'a>(model: &'a str, name: &str) -> (&'a str, &'a str) {
    let at = model.find(&format!("pub {name}:")).unwrap_or_else(|| panic!("no field {name} in {model}"));
    let after_last = model[..at].rfind("pub ").and_then(|last| Some(last + model[last..at].find('\n')?));
    let attributes = &model[after_last.unwrap_or(0)..at];
    let kind = model[at..].split_once(": ").map_or("", |(_, rest)| rest.lines().next().unwrap_or_default());
    (attributes, kind.trim_end_matches(','))
}

const UPLOAD: &str = "/api/dossier-templates/{dossierTemplateId}/dossiers/{dossierId}/files";
const DOWNLOAD: &str = "/api/downloads/{downloadId}/download";

fn upload(document: &mut Value) -> &mut Value {
    &mut document["paths"][UPLOAD]["post"]
}

fn answer(operation: &mut Value, content: Value) {
    operation["responses"] = json!({"200": {"description": "", "content": content}});
}

// Any JSON.
