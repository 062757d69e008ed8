//! Splits building a request from sending it.
//!
//! Why: the generator builds, sends and decodes a request in one method. A caller that sends a request in another way would
//! read the response twice: once for headers and body, once in the generated client.
//! Finds: the `send` of each builder, which builds the request before `let info = OperationInfo { … }`.
//! Holds afterwards: a method `prepare` builds the request as a `PreparedRequest` with the type of the response; `send` calls
//! `prepare` prepare_statements.
//! Delete when: the generator returns requests without sending them.

use serde_json::Value;
use syn::{Block, Expr, File, Ident, ImplItem, ImplItemFn, Item, Local, Pat, ReturnType, Stmt, Type, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::builders(file)? {
        let Item::Impl(implementation) = item else { continue };
        let Some(place) = implementation.items.iter().position(is_send) else { continue };
        let ImplItem::Fn(send) = &mut implementation.items[place] else { continue };
        let prepare = split_prepare(send).ok_or("unexpected structure of a `send` method")?;
        implementation.items.insert(place, ImplItem::Fn(prepare));
        edits += 1;
    }
    Ok(edits)
}

fn is_send(item: &ImplItem) -> bool {
    matches!(item, ImplItem::Fn(function) if function.sig.ident == "send")
}

/// Moves the prepare_statements half of `send` to a method of its own.
fn split_prepare(send: &mut ImplItemFn) -> Option<ImplItemFn> {
    let (answer, error) = response_and_error_types(&send.sig.output)?;
    let end = send.block.stmts.iter().position(|statement| info(statement).is_some())?;
    let info_statement = send.block.stmts.get(end)?.clone();
    // The generator uses other names if a parameter has one of these.
    let info = info(&info_statement)?;
    let request = send.block.stmts.get(..end)?.iter().rev().find_map(mutable_binding)?;
    let send_statements = send.block.stmts.split_off(end + 1);
    send.block.stmts.truncate(end);
    let Block { stmts: prepare_statements, .. } = &send.block;
    let prepare: ImplItemFn = parse_quote! {
        /// Builds the request that [`send`](Self::send) sends, for sending it in another way.
        pub fn prepare(self) -> Result<crate::PreparedRequest<#answer>, #error> {
            #(#prepare_statements)*
            #info_statement
            crate::PreparedRequest::new(#request, &#info).map_err(Error::Custom)
        }
    };
    send.block = parse_quote! {{
        let client = self.client;
        let (mut #request, #info) = self.prepare()?.unchecked();
        #(#send_statements)*
    }};
    Some(prepare)
}

/// Returns A and E of `Result<ResponseValue<A>, E>`.
fn response_and_error_types(output: &ReturnType) -> Option<(Type, Type)> {
    let ReturnType::Type(_, result) = output else { return None };
    let [value, error] = syntax::arguments(result)[..] else { return None };
    let [answer] = syntax::arguments(value)[..] else { return None };
    Some((answer.clone(), error.clone()))
}

/// Returns x of `let x = OperationInfo { … }`.
fn info(statement: &Stmt) -> Option<Ident> {
    let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { return None };
    let Expr::Struct(made) = &*init.expr else { return None };
    (made.path.segments.last()?.ident == "OperationInfo").then(|| name.ident.clone())
}

/// Returns x of `let mut x = …`.
fn mutable_binding(statement: &Stmt) -> Option<Ident> {
    match statement {
        Stmt::Local(Local { pat: Pat::Ident(name), .. }) if name.mutability.is_some() => Some(name.ident.clone()),
        _ => None,
    }
}
