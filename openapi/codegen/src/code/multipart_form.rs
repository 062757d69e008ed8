//! Gives builders a multipart form as body.
//!
//! Why: the generator does not support multipart forms; the document pass `multipart` has turned such a body into raw bytes.
//! Finds: the builder of each operation with `x-multipart`.
//! Holds afterwards: `body` of the builder takes a `reqwest::multipart::Form`; the request has the boundary of the form.
//! Delete when: the generator supports multipart forms.

use serde_json::Value;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, File, Item, LitStr, parse_quote};

use super::syntax::{self, Node, Walker};
use crate::names;
use crate::tree::{self, NodeKind};

/// The edits per builder: the type of the field and the bound of the setter.
const BODY_TYPES: usize = 2;

pub(super) fn apply(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut wanted: Vec<String> = Vec::new();
    tree::visit_kind(&mut document.clone(), NodeKind::Operation, &mut |operation, _| {
        if tree::is_true(operation, "x-multipart") {
            wanted.extend(tree::text(operation, "operationId").map(names::pascal));
        }
    });
    let builders = syntax::builders(file)?;
    for name in &wanted {
        let mut form = Form::default();
        for item in builders.iter_mut() {
            let is_wanted = match &*item {
                Item::Struct(builder) => builder.ident == *name,
                Item::Impl(implementation) => syntax::self_name(implementation).is_some_and(|own| own == name),
                _ => false,
            };
            if is_wanted {
                Walker(&mut |node| form.edit(node)).visit_item_mut(item);
            }
        }
        if (form.types, form.calls) != (BODY_TYPES, 1) {
            return Err(format!(
                "the builder `{name}` has {} body types and {} body calls, expected {BODY_TYPES} and 1",
                form.types, form.calls
            ));
        }
    }
    Ok(wanted.len() * (BODY_TYPES + 1))
}

#[derive(Default)]
struct Form {
    types: usize,
    calls: usize,
}

impl Form {
    fn edit(&mut self, node: Node<'_>) {
        match node {
            Node::Path(path) if syntax::names(path) == ["reqwest", "Body"] => {
                *path = parse_quote!(::reqwest::multipart::Form);
                self.types += 1;
            }
            Node::MethodCall(call) if call.method == "body" => {
                // In `.header(CONTENT_TYPE, …).body(body)` the form sets the header, because the value contains the boundary.
                if let Expr::MethodCall(header) = &*call.receiver
                    && header.method == "header"
                {
                    let client = header.receiver.clone();
                    call.receiver = client;
                    call.method = parse_quote!(multipart);
                    self.calls += 1;
                }
            }
            Node::Text(text) if text.value().contains("`reqwest::Body`") => {
                let fitting = text.value().replace("`reqwest::Body`", "`reqwest::multipart::Form`");
                *text = LitStr::new(&fitting, text.span());
            }
            _ => {}
        }
    }
}
