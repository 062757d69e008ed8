//! Why: callbacks, links and webhooks describe requests that this client never sends, and a callback given by `$ref` stops the
//! reader of the document. Examples, servers, security and outside documentation never reach the generated code, but stop the
//! reader when they are not written quite as it wants them. Some `x-…` members steer the generator (one even names a crate), others
//! are the passes' own: a document must not set them.
//! Looks for: specification extensions among paths and media types, `callbacks`, `links`, `webhooks`, `example`, `examples`, `externalDocs`, `security`, `servers`, … and those `x-…`.
//! Holds afterwards: none of them is left.
//! Delete when: the generator reads callbacks by `$ref`.

use serde_json::Value;

use crate::walk::{self, Node, Object};

/// The sections of `components` that something refers to.
const READ: [&str; 6] = ["headers", "parameters", "pathItems", "requestBodies", "responses", "schemas"];

/// Members that the passes set for the generator's side, and those that the generator knows.
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
    walk::everything(document, &mut |node, object, _| {
        for key in walk::sorted_keys(object) {
            edits += usize::from(steers(&key) && remove(object, &key));
        }
        if node == Node::Components {
            let before = object.len();
            object.retain(|section, _| READ.contains(&section.as_str()) || section.starts_with("x-"));
            edits += before - object.len();
        }
        if let (Node::Document, Some(Value::Object(paths))) = (node, object.get_mut("paths")) {
            let before = paths.len();
            paths.retain(|path, _| !path.starts_with("x-"));
            edits += before - paths.len();
        }
        if let Some(Value::Object(content)) = object.get_mut("content") {
            let before = content.len();
            content.retain(|name, _| !walk::is_extension(Node::MediaType, name));
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

fn unread(node: Node) -> &'static [&'static str] {
    match node {
        Node::Document => &["externalDocs", "jsonSchemaDialect", "security", "servers", "webhooks"],
        Node::Info => &["contact", "license", "termsOfService"],
        Node::Operation => &["callbacks", "externalDocs", "security", "servers"],
        Node::Response => &["links"],
        Node::Tag => &["externalDocs"],
        Node::Schema => &["example", "externalDocs", "xml"],
        Node::Parameter | Node::Header | Node::MediaType => &["example", "examples"],
        Node::PathItem => &["servers"],
        Node::Components | Node::RequestBody => &[],
    }
}

fn remove(object: &mut Object, key: &str) -> bool {
    object.remove(key).is_some()
}
