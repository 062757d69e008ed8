//! Gives builders a multipart form as body.
//!
//! Why: the generator does not support multipart forms; the document pass `multipart` has turned such a body into raw bytes.
//! Finds: the builder of each operation with `x-multipart`.
//! Holds afterwards: `body` of the builder takes a `reqwest::multipart::Form`; the request has the boundary of the form.
//! Delete when: the generator supports multipart forms.

use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprMethodCall, File, Item, LitStr, Path, parse_quote};

use super::syntax;
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
                form.visit_item_mut(item);
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

impl VisitMut for Form {
    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let body: Path = parse_quote!(reqwest::Body);
        if *path == body {
            *path = parse_quote!(::reqwest::multipart::Form);
            self.types += 1;
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        if call.method != "body" {
            return;
        }
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

    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        if text.value().contains("`reqwest::Body`") {
            let fitting = text.value().replace("`reqwest::Body`", "`reqwest::multipart::Form`");
            *text = LitStr::new(&fitting, text.span());
        }
    }
}
