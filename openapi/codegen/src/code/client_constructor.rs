//! Leaves one constructor of the client.
//!
//! Why: the generated `Client::new` sets a total timeout of 15 seconds, which aborts large transfers, and panics if building
//! the HTTP client fails. A base URL with a trailing `/` results in paths that begin with `//`.
//! Finds: `new` and `new_with_client` of the client.
//! Holds afterwards: the only constructor takes a `reqwest::Client` of the caller; a trailing slash is removed.
//! Delete when: the generator does neither.

use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{File, ImplItem, Item, Member, parse_quote};

use super::syntax;

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
        let mut slash = TrailingSlashTrimmer(0);
        for item in &mut implementation.items {
            if let ImplItem::Fn(function) = item
                && function.sig.ident == "new_with_client"
            {
                slash.visit_impl_item_fn_mut(function);
            }
        }
        edits += slash.0;
    }
    if edits == 2 { Ok(edits) } else { Err(format!("expected one `new` and one base URL, changed {edits}")) }
}

struct TrailingSlashTrimmer(usize);

impl VisitMut for TrailingSlashTrimmer {
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        visit_mut::visit_field_value_mut(self, field);
        if matches!(&field.member, Member::Named(name) if name == "baseurl") {
            field.expr = parse_quote!(baseurl.trim_end_matches('/').to_string());
            self.0 += 1;
        }
    }
}
