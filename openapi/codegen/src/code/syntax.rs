//! Shared helpers of the code passes: finding modules and models, reading types and attributes.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, ExprCall, ExprMethodCall, FieldValue, Fields, File, GenericArgument, Ident, Item, ItemStruct, Lit,
    LitStr, Meta, PathArguments, Token, Type, parse_quote,
};

/// Returns the items of the module `name` among `items`.
pub(super) fn module<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

/// Returns the items of the module of the models.
pub(super) fn types(file: &mut File) -> Result<&mut Vec<Item>, String> {
    module(&mut file.items, "types").ok_or_else(|| String::from("no module `types`"))
}

/// Returns the items of the module of the builders.
pub(super) fn builders(file: &mut File) -> Result<&mut Vec<Item>, String> {
    module(&mut file.items, "builder").ok_or_else(|| String::from("no module `builder`"))
}

/// Returns the structs with named fields among the models.
pub(super) fn models(file: &mut File) -> Result<impl Iterator<Item = &mut ItemStruct>, String> {
    Ok(types(file)?.iter_mut().filter_map(|item| match item {
        Item::Struct(model) if matches!(model.fields, Fields::Named(_)) => Some(model),
        _ => None,
    }))
}

/// Adds an attribute to the structs and enums among the models; returns the number of edits.
pub(super) fn add_model_attribute(file: &mut File, attribute: &Attribute) -> Result<usize, String> {
    let mut edits = 0;
    for item in types(file)? {
        let attributes = match item {
            Item::Struct(model) => &mut model.attrs,
            Item::Enum(model) => &mut model.attrs,
            _ => continue,
        };
        attributes.push(attribute.clone());
        edits += 1;
    }
    Ok(edits)
}

/// Returns the name of the type of an `impl`, if the type is a plain path.
pub(super) fn self_name(implementation: &syn::ItemImpl) -> Option<&Ident> {
    last_segment(&implementation.self_ty).map(|segment| &segment.ident)
}

/// Returns the last segment of a type's path: `::std::vec::Vec<T>` → `Vec<T>`.
pub(super) fn last_segment(kind: &Type) -> Option<&syn::PathSegment> {
    match kind {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Returns the name of a foreign type. The generator writes foreign paths in full, which distinguishes `Vec` from a model of that name.
pub(super) fn foreign_name(kind: &Type) -> Option<String> {
    match path_names(kind).as_slice() {
        [_, .., name] => Some(name.clone()),
        _ => None,
    }
}

/// Returns the name of a type among the models.
pub(super) fn model_name(kind: &Type) -> Option<String> {
    match path_names(kind).as_slice() {
        [name] => Some(name.clone()),
        _ => None,
    }
}

/// Returns the segments of a type's path, without arguments.
pub(super) fn path_names(kind: &Type) -> Vec<String> {
    match kind {
        Type::Path(path) if path.qself.is_none() => names(&path.path),
        _ => Vec::new(),
    }
}

/// Returns the segments of a path, without arguments.
pub(super) fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Returns the type arguments of the last segment: `Map<K, V>` → `K`, `V`.
pub(super) fn arguments(kind: &Type) -> Vec<&Type> {
    let Some(PathArguments::AngleBracketed(arguments)) = last_segment(kind).map(|segment| &segment.arguments) else {
        return Vec::new();
    };
    arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(kind) => Some(kind),
            _ => None,
        })
        .collect()
}

/// Returns the options in `#[serde(…)]`.
pub(super) fn serde_options(attributes: &[Attribute]) -> Punctuated<Meta, Token![,]> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .filter_map(|attribute| attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok())
        .flatten()
        .collect()
}

/// Returns `true` if `#[serde(…)]` contains the option.
pub(super) fn has_serde_option(attributes: &[Attribute], name: &str) -> bool {
    serde_options(attributes).iter().any(|option| option.path().is_ident(name))
}

/// Replaces the options in `#[serde(…)]`.
pub(super) fn set_serde_options(attributes: &mut Vec<Attribute>, options: &Punctuated<Meta, Token![,]>) {
    attributes.retain(|attribute| !attribute.path().is_ident("serde"));
    attributes.push(parse_quote!(#[serde(#options)]));
}

/// Sets `deserialize_with` of a field; with `or_absent` also `default`.
pub(super) fn read_with(field: &mut syn::Field, reader: &str, or_absent: bool) {
    let mut options = serde_options(&field.attrs);
    if or_absent && !options.iter().any(|option| option.path().is_ident("default")) {
        options.push(parse_quote!(default));
    }
    let read: Meta = parse_quote!(deserialize_with = #reader);
    options.push(read);
    set_serde_options(&mut field.attrs, &options);
}

/// Returns `true` for a `derive` that contains `Default`.
pub(super) fn derives_default(attribute: &Attribute) -> bool {
    attribute.path().is_ident("derive")
        && attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).is_ok_and(|traits| {
            traits.iter().filter_map(|path| path.segments.last()).any(|segment| segment.ident == "Default")
        })
}

/// Replaces doc comments for which `change` returns a text; returns the number of edits.
pub(super) fn change_docs(file: &mut File, change: impl Fn(&str) -> Option<String>) -> usize {
    let mut edits = 0;
    Walker(&mut |node| {
        if let Node::Attribute(attribute) = node
            && let Meta::NameValue(doc) = &mut attribute.meta
            && doc.path.is_ident("doc")
            && let Expr::Lit(literal) = &mut doc.value
            && let Lit::Str(text) = &mut literal.lit
            && let Some(changed) = change(&text.value())
        {
            *text = LitStr::new(&changed, text.span());
            edits += 1;
        }
    })
    .visit_file_mut(file);
    edits
}

/// A part of the syntax tree that code passes edit.
pub(super) enum Node<'a> {
    Attribute(&'a mut Attribute),
    Call(&'a mut ExprCall),
    Expr(&'a mut Expr),
    FieldValue(&'a mut FieldValue),
    MethodCall(&'a mut ExprMethodCall),
    Path(&'a mut syn::Path),
    Text(&'a mut LitStr),
}

/// Passes each [`Node`] of a tree to a closure, inner nodes first.
///
/// The only visitor, because the compiler generates the code for a whole syntax tree once per visitor.
pub(super) struct Walker<'a>(pub(super) &'a mut dyn FnMut(Node<'_>));

macro_rules! visit {
    ($($method:ident($kind:ty) => $node:ident),* $(,)?) => {
        impl VisitMut for Walker<'_> {
            $(fn $method(&mut self, node: &mut $kind) {
                visit_mut::$method(self, node);
                (self.0)(Node::$node(node));
            })*
        }
    };
}

visit! {
    visit_attribute_mut(Attribute) => Attribute,
    visit_expr_call_mut(ExprCall) => Call,
    visit_expr_mut(Expr) => Expr,
    visit_field_value_mut(FieldValue) => FieldValue,
    visit_expr_method_call_mut(ExprMethodCall) => MethodCall,
    visit_path_mut(syn::Path) => Path,
    visit_lit_str_mut(LitStr) => Text,
}
