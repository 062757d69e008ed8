//! Sends `OPTIONS` and `TRACE` requests.
//!
//! Why: the generator calls `client.options(…)` and `client.trace(…)`, which do not exist in the HTTP library.
//! Finds: these calls in builders.
//! Holds afterwards: `client.request(…)` builds such a request.
//! Delete when: the generator does the same.

use serde_json::Value;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, ExprMethodCall, File, Ident, parse_quote};

use super::syntax::{self, Node, Walker};
use crate::tree::{self, NodeKind};

pub(super) fn apply(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut expected = 0;
    tree::visit_kind(&mut document.clone(), NodeKind::Operation, &mut |_, pointer| {
        expected += usize::from(pointer.ends_with("/options") || pointer.ends_with("/trace"));
    });
    if expected == 0 {
        return Ok(0);
    }
    let mut found = 0;
    for item in syntax::builders(file)? {
        let mut edit = |node: Node<'_>| {
            if let Node::MethodCall(call) = node {
                found += usize::from(send_by_request(call));
            }
        };
        Walker(&mut edit).visit_item_mut(item);
    }
    if found == expected {
        Ok(expected)
    } else {
        Err(format!("expected {expected} calls of rare methods, found {found}"))
    }
}

/// Rewrites `client.options(url)` to `client.request(Method::OPTIONS, url)`; returns `false` for another call.
fn send_by_request(call: &mut ExprMethodCall) -> bool {
    let method: Ident = match call.method.to_string().as_str() {
        "options" => parse_quote!(OPTIONS),
        "trace" => parse_quote!(TRACE),
        _ => return false,
    };
    let of_client = matches!(&*call.receiver, Expr::Field(field)
        if matches!(&field.member, syn::Member::Named(name) if name == "client"));
    if !of_client || call.args.len() != 1 {
        return false;
    }
    call.method = parse_quote!(request);
    call.args.insert(0, parse_quote!(::reqwest::Method::#method));
    true
}
