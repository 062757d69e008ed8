//! Why: the generator makes, sends and decodes a request in one method, so nobody can send one in a way of his own without paying twice
//! for the answer: once for the headers and the body that were read already, once for those that the generated client reads.
//! Finds: the `send` of each operation's builder, whose request is made before its `let info = OperationInfo { … }`.
//! Holds afterwards: a method `prepare` makes the request, as a `PreparedRequest` that knows the type of its answer; `send` begins
//! with it.
//! Delete when: the generator gives requests without sending them.

use serde_json::Value;
use syn::{Block, Expr, File, Ident, ImplItem, ImplItemFn, Item, Local, Pat, ReturnType, Stmt, Type, parse_quote};

use super::syntax;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::builders(file)? {
        let Item::Impl(implementation) = item else { continue };
        let Some(place) = implementation.items.iter().position(is_send) else { continue };
        let ImplItem::Fn(send) = &mut implementation.items[place] else { continue };
        let prepare = divided(send).ok_or("a `send` is not built as expected")?;
        implementation.items.insert(place, ImplItem::Fn(prepare));
        edits += 1;
    }
    Ok(edits)
}

fn is_send(item: &ImplItem) -> bool {
    matches!(item, ImplItem::Fn(function) if function.sig.ident == "send")
}

/// Leaves the second half in `send`; the first one becomes a method of its own.
fn divided(send: &mut ImplItemFn) -> Option<ImplItemFn> {
    let (answer, error) = outcome(&send.sig.output)?;
    let end = send.block.stmts.iter().position(|statement| info(statement).is_some())?;
    let told = send.block.stmts.get(end)?.clone();
    // The generator gives other names where a parameter has these.
    let info = info(&told)?;
    let request = send.block.stmts.get(..end)?.iter().rev().find_map(changeable)?;
    let rest = send.block.stmts.split_off(end + 1);
    send.block.stmts.truncate(end);
    let Block { stmts: first, .. } = &send.block;
    let prepare: ImplItemFn = parse_quote! {
        /// Makes the request that [`send`](Self::send) sends, for whoever sends it otherwise.
        pub fn prepare(self) -> Result<crate::PreparedRequest<#answer>, #error> {
            #(#first)*
            #told
            crate::PreparedRequest::new(#request, &#info).map_err(Error::Custom)
        }
    };
    send.block = parse_quote! {{
        let client = self.client;
        let (mut #request, #info) = self.prepare()?.unchecked();
        #(#rest)*
    }};
    Some(prepare)
}

/// `Result<ResponseValue<A>, E>` → A and E.
fn outcome(output: &ReturnType) -> Option<(Type, Type)> {
    let ReturnType::Type(_, result) = output else { return None };
    let [value, error] = syntax::arguments(result)[..] else { return None };
    let [answer] = syntax::arguments(value)[..] else { return None };
    Some((answer.clone(), error.clone()))
}

/// `let x = OperationInfo { … }` → x.
fn info(statement: &Stmt) -> Option<Ident> {
    let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { return None };
    let Expr::Struct(made) = &*init.expr else { return None };
    (made.path.segments.last()?.ident == "OperationInfo").then(|| name.ident.clone())
}

/// `let mut x = …` → x.
fn changeable(statement: &Stmt) -> Option<Ident> {
    match statement {
        Stmt::Local(Local { pat: Pat::Ident(name), .. }) if name.mutability.is_some() => Some(name.ident.clone()),
        _ => None,
    }
}
