//! Why: the generator makes each address as a text and has it parsed anew, which is a tenth of what a call costs, and sends a header
//! `api-version` that no document asks for. It sets `Accept` for some operations and not for others.
//! Finds: the `send` of each operation's builder: its `format!("{}/…", client.baseurl, …)`, its append of `api-version`, its
//! `.header(ACCEPT, …)`.
//! Holds afterwards: the address comes from `transport::address`, which knows the base URL as one; a map of headers is made only where the operation has
//! headers of its own; `Accept` is left to `PreparedRequest`, which has it for all of them from the table of operations.
//! Delete when: the generator does both.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use serde_json::Value;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprMethodCall, File, ImplItemFn, Item, Lit, LitStr, Local, Member, Pat, Path, Stmt, Token,
    parse_quote,
};

use super::syntax;

const HEADER: &str = "api-version";

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut senders = Senders::default();
    for item in syntax::builders(file)? {
        if let Item::Impl(implementation) = item {
            senders.visit_item_impl_mut(implementation);
        }
    }
    match senders.trouble {
        Some(trouble) => Err(trouble),
        None => Ok(senders.edits),
    }
}

#[derive(Default)]
struct Senders {
    edits: usize,
    trouble: Option<String>,
}

impl VisitMut for Senders {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        if function.sig.ident != "send" {
            return;
        }
        let (addresses, headers) = (address(&mut function.block), own_header(&mut function.block));
        if (addresses, headers) != (1, 1) {
            self.trouble = Some(format!(
                "a `send` makes {addresses} addresses and {headers} headers `{HEADER}`, expected one each"
            ));
        }
        let is_accept = |path: &Path| path.segments.last().is_some_and(|last| last.ident == "ACCEPT");
        self.edits += addresses + headers + without(&mut function.block, "header", &is_accept);
    }
}

/// Has the client make the address; says how many were found.
fn address(block: &mut Block) -> usize {
    let mut found = 0;
    for statement in &mut block.stmts {
        if let Stmt::Local(Local { init: Some(init), .. }) = statement
            && let Some(expression) = joined(&init.expr)
        {
            *init.expr = expression;
            found += 1;
        }
    }
    found
}

/// `format!("{}/a/{}", client.baseurl, b)` → `address(client, &format!("/a/{}", b))`, and its error as one of the generated client's.
fn joined(expression: &Expr) -> Option<Expr> {
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

/// Leaves out the header; says how many were found.
fn own_header(block: &mut Block) -> usize {
    let Some(map) = block.stmts.iter().find_map(map_of_headers) else { return 0 };
    let before = block.stmts.len();
    block.stmts.retain(|statement| !appends_own(statement, &map));
    let removed = before - block.stmts.len();
    if !block.stmts.iter().any(|statement| mentions_append(statement, &map)) {
        block.stmts.retain(|statement| map_of_headers(statement).is_none());
        without(block, "headers", &|path| path.is_ident(&map));
    }
    removed
}

/// The name of the map, where the statement makes it.
fn map_of_headers(statement: &Stmt) -> Option<Ident> {
    let Stmt::Local(Local { pat: Pat::Ident(name), init: Some(init), .. }) = statement else { return None };
    let made = init.expr.to_token_stream().to_string().replace(' ', "");
    made.contains("HeaderMap::with_capacity").then(|| name.ident.clone())
}

/// Whether the statement appends that header to the map.
fn appends_own(statement: &Stmt, map: &Ident) -> bool {
    let Stmt::Expr(Expr::MethodCall(call), _) = statement else { return false };
    let on_map = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(map));
    let name = || call.args.first().map(|name| name.to_token_stream().to_string()).unwrap_or_default();
    on_map && call.method == "append" && name().contains(&format!("\"{HEADER}\""))
}

/// Whether anything in the statement appends to the map, at whatever depth.
fn mentions_append(statement: &Stmt, map: &Ident) -> bool {
    let text = statement.to_token_stream().to_string().replace(' ', "");
    text.contains(&format!("{map}.append(")) || text.contains(&format!("{map}.insert("))
}

/// Takes such calls out of the block; says how many were found.
fn without(block: &mut Block, method: &'static str, argument: &dyn Fn(&Path) -> bool) -> usize {
    let mut without = Without { method, argument, taken: 0 };
    without.visit_block_mut(block);
    without.taken
}

/// Takes calls of a method out of their chains, where their first argument is this path.
struct Without<'a> {
    method: &'static str,
    argument: &'a dyn Fn(&Path) -> bool,
    taken: usize,
}

impl VisitMut for Without<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = expression
            && method == self.method
            && matches!(args.first(), Some(Expr::Path(name)) if (self.argument)(&name.path))
        {
            *expression = (**receiver).clone();
            self.taken += 1;
        }
    }
}
