//! Applies wire names to fields and parameters.
//!
//! Why: the document passes rename properties and parameters that would not result in distinct identifiers; requests and
//! responses must use the original names.
//! Finds: `x-wire-names` (name → wire name) and `x-read-also` (name → further names) of component schemas, and `x-wire-name` of
//! query and header parameters.
//! Holds afterwards: the field uses the wire name, and reads the further names as well; the builder sends the parameter under
//! its wire name.
//! Delete when: no pass renames anything.

use std::collections::BTreeMap;

use serde_json::Value;
use syn::ext::IdentExt as _;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, Field, File, Item, ItemStruct, Lit, LitStr, Meta, parse_quote};

use super::syntax::{self, Node, Walker};
use crate::names;
use crate::tree::{self, NodeKind, Object};

pub(super) fn apply(file: &mut File, document: &Value) -> Result<usize, String> {
    Ok(fields(file, document)? + parameters(file, document)?)
}

fn fields(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut edits = 0;
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        let wire = schema.get("x-wire-names").and_then(Value::as_object);
        let also = schema.get("x-read-also").and_then(Value::as_object);
        if wire.is_none() && also.is_none() {
            continue;
        }
        let type_name = names::pascal(name);
        let model = syntax::models(file)?
            .find(|model| model.ident == type_name)
            .ok_or_else(|| format!("the schema `{name}` renames properties, but there is no struct `{type_name}`"))?;
        // Finds all fields before renaming any, because the lookup uses the current names.
        let mut found: Vec<(usize, Option<&str>, Vec<&str>)> = Vec::new();
        for property in properties(wire, also) {
            let at = model
                .fields
                .iter()
                .position(|field| wire_name(field).as_deref() == Some(property))
                .ok_or_else(|| format!("the struct `{type_name}` has no field for `{property}`"))?;
            let own = wire.and_then(|wire| wire.get(property)).and_then(Value::as_str);
            let aliases = also.and_then(|also| also.get(property)).and_then(Value::as_array);
            found.push((at, own, aliases.into_iter().flatten().filter_map(Value::as_str).collect()));
        }
        for (at, own, aliases) in found {
            edits += rename(model, at, own, &aliases);
        }
    }
    Ok(edits)
}

/// Returns the properties with a wire name or further names, without duplicates.
fn properties<'a>(wire: Option<&'a Object>, also: Option<&'a Object>) -> Vec<&'a str> {
    let mut names: Vec<&str> = wire.into_iter().chain(also).flat_map(Object::keys).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the JSON name of a field; `None` for a flattened field.
fn wire_name(field: &Field) -> Option<String> {
    let options = syntax::serde_options(&field.attrs);
    if options.iter().any(|option| option.path().is_ident("flatten")) {
        return None;
    }
    let renamed = options.iter().find_map(|option| match option {
        Meta::NameValue(option) if option.path.is_ident("rename") => match &option.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    renamed.or_else(|| field.ident.as_ref().map(|ident| ident.unraw().to_string()))
}

fn rename(model: &mut ItemStruct, at: usize, own: Option<&str>, aliases: &[&str]) -> usize {
    let Some(field) = model.fields.iter_mut().nth(at) else {
        return 0;
    };
    let before = syntax::serde_options(&field.attrs);
    let mut options: syn::punctuated::Punctuated<Meta, syn::Token![,]> =
        before.into_iter().filter(|option| own.is_none() || !option.path().is_ident("rename")).collect();
    if let Some(own) = own {
        options.push(parse_quote!(rename = #own));
    }
    for alias in aliases {
        options.push(parse_quote!(alias = #alias));
    }
    syntax::set_serde_options(&mut field.attrs, &options);
    usize::from(own.is_some()) + aliases.len()
}

fn parameters(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut wanted: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    tree::visit_kind(&mut document.clone(), NodeKind::Operation, &mut |operation, _| {
        let Some(id) = tree::text(operation, "operationId") else {
            return;
        };
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str);
            if let (Some("header" | "query"), Some(name), Some(wire)) = (text("in"), text("name"), text("x-wire-name"))
            {
                wanted.entry(names::pascal(id)).or_default().insert(String::from(name), String::from(wire));
            }
        }
    });
    if wanted.is_empty() {
        return Ok(0);
    }
    let mut edits = 0;
    let builders = syntax::builders(file)?;
    for (builder, names) in &wanted {
        let mut sent = WireNameEditor { names, found: Vec::new() };
        for item in builders.iter_mut() {
            if let Item::Impl(implementation) = item
                && syntax::self_name(implementation).is_some_and(|own| own == builder)
            {
                Walker(&mut |node| sent.edit(node)).visit_item_impl_mut(implementation);
            }
        }
        sent.found.sort();
        let expected: Vec<&String> = names.keys().collect();
        if sent.found.iter().collect::<Vec<_>>() != expected {
            return Err(format!(
                "the builder `{builder}` sends {:?}, expected to find {expected:?}, each once",
                sent.found
            ));
        }
        edits += names.len();
    }
    Ok(edits)
}

/// Replaces the name of a parameter by its wire name.
struct WireNameEditor<'a> {
    names: &'a BTreeMap<String, String>,
    found: Vec<String>,
}

impl WireNameEditor<'_> {
    fn put(&mut self, arguments: &mut syn::punctuated::Punctuated<Expr, syn::Token![,]>) {
        if let Some(Expr::Lit(literal)) = arguments.first_mut()
            && let Lit::Str(text) = &mut literal.lit
            && let Some(wire) = self.names.get(&text.value())
        {
            self.found.push(text.value());
            *text = LitStr::new(wire, text.span());
        }
    }
}

impl WireNameEditor<'_> {
    fn edit(&mut self, node: Node<'_>) {
        match node {
            Node::Call(call) => {
                if let Expr::Path(function) = &*call.func
                    && matches!(syntax::names(&function.path).as_slice(), [.., kind, new] if kind == "QueryParam" && new == "new")
                {
                    self.put(&mut call.args);
                }
            }
            Node::MethodCall(call) if call.method == "append" => {
                if matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("header_map")) {
                    self.put(&mut call.args);
                }
            }
            _ => {}
        }
    }
}
