//! Removes the parts of a document that the client does not use.
//!
//! Why: callbacks, links and webhooks describe requests that this client never sends; a callback given by `$ref` makes the
//! document unreadable. Examples, servers, security and external documentation do not affect the generated code, but make the
//! document unreadable if malformed. Some `x-…` members control the generator (one even names a crate), others belong to the
//! passes: a document must not set them.
//! Finds: specification extensions among paths and media types, `callbacks`, `links`, `webhooks`, `example`, `examples`,
//! `externalDocs`, `security`, `servers`, … and those `x-…` members.
//! Holds afterwards: all of these are removed.
//! Delete when: the generator reads callbacks by `$ref`.

use serde_json::Value;

use crate::tree::{self, NodeKind, Object};

/// The sections of `components` that references may use.
const READ: [&str; 6] = ["headers", "parameters", "pathItems", "requestBodies", "responses", "schemas"];

/// Members that the passes set for later steps, and members that the generator reads.
const STEERING: [&str; 23] = [
    "x-accept",
    "x-canonical",
    "x-canonical-fields",
    "x-content-type",
    "x-multipart",
    "x-settled",
    "x-part",
    "x-parts",
    "x-places",
    "x-needed",
    "x-missing-query",
    "x-missing-forms",
    "x-missing",
    "x-id",
    "x-document-id",
    "x-open-enum",
    "x-operation-id",
    "x-read-also",
    "x-replace",
    "x-rust-type",
    "x-variant-of",
    "x-wire-name",
    "x-wire-names",
];

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        for key in tree::sorted_keys(object) {
            edits += usize::from(steers(&key) && remove(object, &key));
        }
        if node == NodeKind::Components {
            let before = object.len();
            object.retain(|section, _| READ.contains(&section.as_str()) || section.starts_with("x-"));
            edits += before - object.len();
        }
        if let (NodeKind::Document, Some(Value::Object(paths))) = (node, object.get_mut("paths")) {
            let before = paths.len();
            paths.retain(|path, _| !path.starts_with("x-"));
            edits += before - paths.len();
        }
        if let Some(Value::Object(content)) = object.get_mut("content") {
            let before = content.len();
            content.retain(|name, _| !tree::is_extension(NodeKind::MediaType, name));
            edits += before - content.len();
        }
        for key in unread(node) {
            edits += usize::from(remove(object, key));
        }
    });
    edits
}

fn steers(key: &str) -> bool {
    STEERING.contains(&key) || key.starts_with("x-dropshot-")
}

fn unread(node: NodeKind) -> &'static [&'static str] {
    match node {
        NodeKind::Document => &["externalDocs", "jsonSchemaDialect", "security", "servers", "webhooks"],
        NodeKind::Info => &["contact", "license", "termsOfService"],
        NodeKind::Operation => &["callbacks", "externalDocs", "security", "servers"],
        NodeKind::Response => &["links"],
        NodeKind::Tag => &["externalDocs"],
        NodeKind::Schema => &["example", "externalDocs", "xml"],
        NodeKind::Parameter | NodeKind::Header | NodeKind::MediaType => &["example", "examples"],
        NodeKind::PathItem => &["servers"],
        NodeKind::Components | NodeKind::RequestBody => &[],
    }
}

fn remove(object: &mut Object, key: &str) -> bool {
    object.remove(key).is_some()
}
