//! Removes the builders of models.
//!
//! Why: with builders for operations the generator also emits a builder for each model, half of all generated code. Models have
//! public fields and a `Default`, so the builders would be a second way to fill a model.
//! Finds: `types::builder`, the `builder()` of each model, and bodies of operations that are builders.
//! Holds afterwards: a body is a model, and a call without a body fails before sending, as with any other parameter.
//! Delete when: the generator has an option for no model builders.

use serde_json::Value;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, File, ImplItem, Item, Member, parse_quote};

use super::syntax;

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
        let mut bodies = BodyEditor(0);
        bodies.visit_item_mut(item);
        edits += bodies.0;
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
fn uses_conversion_error(types: &[Item]) -> bool {
    struct ConversionErrorFinder(bool);
    impl<'ast> Visit<'ast> for ConversionErrorFinder {
        fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
            if module.ident != "error" {
                visit::visit_item_mod(self, module);
            }
        }
        fn visit_path(&mut self, path: &'ast syn::Path) {
            visit::visit_path(self, path);
            self.0 |= path.segments.iter().any(|segment| segment.ident == "ConversionError");
        }
    }
    let mut uses = ConversionErrorFinder(false);
    for item in types {
        uses.visit_item(item);
    }
    uses.0
}

/// Rewrites `types::builder::X` to `types::X` and removes the default body.
struct BodyEditor(usize);

impl VisitMut for BodyEditor {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let [types, builder, _] = names.as_slice()
            && types == "types"
            && builder == "builder"
        {
            path.segments = path.segments.iter().filter(|segment| segment.ident != "builder").cloned().collect();
            self.0 += 1;
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        visit_mut::visit_field_value_mut(self, field);
        let default: Expr = parse_quote!(Ok(::std::default::Default::default()));
        if matches!(&field.member, Member::Named(name) if name == "body") && field.expr == default {
            field.expr = parse_quote!(Err("body was not initialized".to_string()));
            self.0 += 1;
        }
    }
}
