//! Why: callbacks, links and webhooks describe requests that this client never sends, and a callback given by `$ref` stops the
//! reader of the document. Examples and outside documentation never reach the generated code.
//! Looks for: `callbacks`, `links`, `webhooks`, `example`, `examples`, `externalDocs`, `termsOfService`.
//! Holds afterwards: none of them is left outside of `x-…` members.
//! Delete when: the generator reads callbacks by `$ref`.

use serde_json::Value;

use super::walk::{self, Node, Object};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    walk::everything(document, &mut |node, object, _| {
        for key in unread(node) {
            edits += usize::from(remove(object, key));
        }
    });
    edits
}

fn unread(node: Node) -> &'static [&'static str] {
    match node {
        Node::Document => &["externalDocs", "webhooks"],
        Node::Info => &["termsOfService"],
        Node::Components => &["callbacks", "examples", "links"],
        Node::Operation => &["callbacks", "externalDocs"],
        Node::Response => &["links"],
        Node::Tag => &["externalDocs"],
        Node::Schema => &["example", "externalDocs", "xml"],
        Node::Parameter | Node::Header | Node::MediaType => &["example", "examples"],
        Node::PathItem | Node::RequestBody => &[],
    }
}

fn remove(object: &mut Object, key: &str) -> bool {
    object.remove(key).is_some()
}
