//! Builds URLs and headers of requests without extra work.
//!
//! Why: the generator formats each URL as a string and parses it again, which takes a tenth of a call, and sends a header
//! `api-version` that no document declares. It sets `Accept` for some operations only.
//! Finds: the `send` of each builder: its `format!("{}/…", client.baseurl, …)`, its append of `api-version`, its
//! `.header(ACCEPT, …)`.
//! Holds afterwards: `transport::address` builds the URL from the parsed base URL; a header map exists only for operations with
//! header parameters; `PreparedRequest` sets `Accept` for all operations from the table of operations.
//! Delete when: the generator does the same.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use serde_json::Value;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut as _;
use syn::{Block, Expr, File, ImplItem, Item, Lit, LitStr, Local, Member, Pat, Path, Stmt, Token, parse_quote};

use super::syntax::{self, Node, Walker};

const HEADER: &str = "api-version";

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut edits = 0;
    for item in syntax::builders(file)? {
        let Item::Impl(implementation) = item else { continue };
        for item in &mut implementation.items {
            if let ImplItem::Fn(function) = item
                && function.sig.ident == "send"
            {
                edits += edit_send(&mut function.block)?;
            }
        }
    }
    Ok(edits)
}

fn edit_send(block: &mut Block) -> Result<usize, String> {
    let (addresses, headers) = (address(block), remove_api_version(block));
    if (addresses, headers) != (1, 1) {
        return Err(format!("`send` builds {addresses} URLs and {headers} headers `{HEADER}`, expected one each"));
    }
    let is_accept = |path: &Path| path.segments.last().is_some_and(|last| last.ident == "ACCEPT");
    Ok(addresses + headers + remove_calls(block, "header", &is_accept))
}

/// Replaces the formatting of URLs by calls of `address`; returns the number of edits.
fn address(block: &mut Block) -> usize {
    let mut found = 0;
    for statement in &mut block.stmts {
        if let Stmt::Local(Local { init: Some(init), .. }) = statement
            && let Some(expression) = join_base_url(&init.expr)
        {
            *init.expr = expression;
            found += 1;
        }
    }
    found
}

/// Rewrites `format!("{}/a/{}", client.baseurl, b)` to `address(client, &format!("/a/{}", b))` with a mapped error.
fn join_base_url(expression: &Expr) -> Option<Expr> {
    let Expr::Macro(call) = expression else { return None };
    if !call.mac.path.is_ident("format") {
        return None;
    }
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.mac.tokens.clone()).ok()?;
    let mut arguments = arguments.into_iter();
    let (Some(Expr::Lit(text)), Some(Expr::Field(base))) = (arguments.next(), arguments.next()) else { return None };
    let (Lit::Str(text), Member::Named(name)) = (text.lit, base.member) else { return None };
    let text = text.value();
    let path = text.strip_prefix("{}").filter(|_| name == "baseurl")?;
    let (client, path) = (base.base, LitStr::new(path, Span::call_site()));
    let rest: Vec<Expr> = arguments.collect();
    Some(if rest.is_empty() {
        parse_quote!(crate::transport::address(#client, #path).map_err(Error::InvalidRequest)?)
    } else {
        parse_quote!(crate::transport::address(#client, &format!(#path, #(#rest),*)).map_err(Error::InvalidRequest)?)
    })
}

/// Removes the header `api-version`; returns the number of edits.
fn remove_api_version(block: &mut Block) -> usize {
    let Some(map) = block.stmts.iter().find_map(header_map_name) else { return 0 };
    let before = block.stmts.len();
    block.stmts.retain(|statement| !appends_api_version(statement, &map));
    let removed = before - block.stmts.len();
    if !block.stmts.iter().any(|statement| contains_append(statement, &map)) {
        block.stmts.retain(|statement| header_map_name(statement).is_none());
        remove_calls(block, "headers", &|path| path.is_ident(&map));
    }
    removed
}

/// Returns the name of the header map that the statement creates.
fn header_map_name(statement: &Stmt) -> Option<Ident> {
    let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { return None };
    let made = init.expr.to_token_stream().to_string().replace(' ', "");
    made.contains("HeaderMap::with_capacity").then(|| name.ident.clone())
}

/// Returns `true` if the statement appends `api-version` to the map.
fn appends_api_version(statement: &Stmt, map: &Ident) -> bool {
    let Stmt::Expr(Expr::MethodCall(call), _) = statement else { return false };
    let on_map = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(map));
    let name = || call.args.first().map(|name| name.to_token_stream().to_string()).unwrap_or_default();
    on_map && call.method == "append" && name().contains(&format!("\"{HEADER}\""))
}

/// Returns `true` if the statement appends to the map at any depth.
fn contains_append(statement: &Stmt, map: &Ident) -> bool {
    let text = statement.to_token_stream().to_string().replace(' ', "");
    text.contains(&format!("{map}.append(")) || text.contains(&format!("{map}.insert("))
}

/// Removes calls of a method with the given first argument from call chains; returns the number of edits.
fn remove_calls(block: &mut Block, method: &'static str, argument: &dyn Fn(&Path) -> bool) -> usize {
    let mut edits = 0;
    Walker(&mut |node| {
        if let Node::Expr(expression) = node
            && let Expr::MethodCall(call) = &*expression
            && call.method == method
            && matches!(call.args.first(), Some(Expr::Path(name)) if argument(&name.path))
        {
            *expression = (*call.receiver).clone();
            edits += 1;
        }
    })
    .visit_block_mut(block);
    edits
}
