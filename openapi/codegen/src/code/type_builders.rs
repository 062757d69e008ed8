//! Removes the builders of models.
//!
//! Why: with builders for operations the generator also emits a builder for each model, half of all generated code. Models have
//! public fields and a `Default`, so the builders would be a second way to fill a model.
//! Finds: `types::builder`, the `builder()` of each model, and bodies of operations that are builders.
//! Holds afterwards: a body is a model, and a call without a body fails before sending, as with any other parameter.
//! Delete when: the generator has an option for no model builders.

use quote::ToTokens as _;
use serde_json::Value;
use syn::visit_mut::VisitMut as _;
use syn::{File, ImplItem, Item, Member, parse_quote};

use super::syntax::{self, Node, Walker};

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    let types = syntax::types(file)?;
    let before = types.len();
    types.retain(|item| !is_builder(item));
    if !uses_conversion_error(types) {
        types.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "error"));
    }
    edits += before - types.len();

    for item in syntax::builders(file)? {
        if let Item::Impl(implementation) = item {
            let before = implementation.items.len();
            implementation
                .items
                .retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "body_map"));
            edits += before - implementation.items.len();
        }
        Walker(&mut |node| edits += usize::from(edit_body(node))).visit_item_mut(item);
    }
    Ok(edits)
}

/// Matches `mod builder`, and an `impl` with `fn builder` only.
fn is_builder(item: &Item) -> bool {
    match item {
        Item::Mod(module) => module.ident == "builder",
        Item::Impl(implementation) => {
            implementation.trait_.is_none()
                && matches!(
                    implementation.items.as_slice(),
                    [ImplItem::Fn(function)] if function.sig.ident == "builder"
                )
        }
        _ => false,
    }
}

/// Returns `true` if the models use the error type for enums and constrained strings, which the passes remove from most
/// documents.
fn uses_conversion_error(types: &mut [Item]) -> bool {
    let mut is_used = false;
    for item in types.iter_mut().filter(|item| !matches!(item, Item::Mod(module) if module.ident == "error")) {
        Walker(&mut |node| {
            if let Node::Path(path) = node {
                is_used |= path.segments.iter().any(|segment| segment.ident == "ConversionError");
            }
        })
        .visit_item_mut(item);
    }
    is_used
}

/// Rewrites `types::builder::X` to `types::X` and removes the default body; returns `false` for another node.
fn edit_body(node: Node<'_>) -> bool {
    match node {
        Node::Path(path) => {
            let names = syntax::names(path);
            let is_builder =
                matches!(names.as_slice(), [types, builder, _] if types == "types" && builder == "builder");
            if is_builder {
                path.segments = path.segments.iter().filter(|segment| segment.ident != "builder").cloned().collect();
            }
            is_builder
        }
        Node::FieldValue(field) => {
            let is_default = matches!(&field.member, Member::Named(name) if name == "body")
                && field.expr.to_token_stream().to_string().replace(' ', "")
                    == "Ok(::std::default::Default::default())";
            if is_default {
                field.expr = parse_quote!(Err("body was not initialized".to_string()));
            }
            is_default
        }
        _ => false,
    }
}
