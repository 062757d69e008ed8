//! Leaves one constructor of the client.
//!
//! Why: the generated `Client::new` sets a total timeout of 15 seconds, which aborts large transfers, and panics if building
//! the HTTP client fails. A base URL with a trailing `/` results in paths that begin with `//`.
//! Finds: `new` and `new_with_client` of the client.
//! Holds afterwards: the only constructor takes a `reqwest::Client` of the caller; a trailing slash is removed.
//! Delete when: the generator does neither.

use serde_json::Value;
use syn::visit_mut::VisitMut as _;
use syn::{File, ImplItem, ImplItemFn, Item, Member, parse_quote};

use super::syntax::{self, Node, Walker};

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in &mut file.items {
        let Item::Impl(implementation) = item else {
            continue;
        };
        if implementation.trait_.is_some() || syntax::self_name(implementation).is_none_or(|name| name != "Client") {
            continue;
        }
        let before = implementation.items.len();
        implementation.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "new"));
        edits += before - implementation.items.len();
        for item in &mut implementation.items {
            if let ImplItem::Fn(function) = item
                && function.sig.ident == "new_with_client"
            {
                edits += trim_trailing_slash(function);
            }
        }
    }
    if edits == 2 { Ok(edits) } else { Err(format!("expected one `new` and one base URL, changed {edits}")) }
}

/// Removes a trailing slash from the base URL; returns the number of edits.
fn trim_trailing_slash(function: &mut ImplItemFn) -> usize {
    let mut edits = 0;
    Walker(&mut |node| {
        if let Node::FieldValue(field) = node
            && matches!(&field.member, Member::Named(name) if name == "baseurl")
        {
            field.expr = parse_quote!(baseurl.trim_end_matches('/').to_string());
            edits += 1;
        }
    })
    .visit_impl_item_fn_mut(function);
    edits
}
