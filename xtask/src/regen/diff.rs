//! What changed from one document to another, and whom it concerns.
//!
//! Two documents are compared as they were read, each with where it has the contract's things: an operation or a field that is only
//! spelled otherwise is no change for anybody. The effects of all kinds of changes stand in one table, `diff/rules.rs`, which
//! openapi/CHANGES.md shows.
//!
//! The comparison does not trust the documents: circles, references that lead nowhere and schemas of any size end it in time that
//! grows with what the documents hold, and their names are made harmless before they stand in a text.

mod fields;
mod operations;
mod rules;
mod schema;
mod security;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::collections::BTreeSet;

use serde_json::Value;

use self::rules::Standing;
pub(crate) use self::rules::{What, page};
use self::words::{code, codes};
use crate::passes::contract::Contract;
use crate::passes::mapping::{Mapping, server_path};

/// A document with where it has the contract's things.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    /// As it was read, before any pass.
    pub(crate) document: &'a Value,
    pub(crate) mapping: &'a Mapping,
    /// The operations of the contract that it may lack: what the user decided (`Decisions::accept_missing`).
    pub(crate) accepted: &'a BTreeSet<String>,
}

/// How many further operations a change names.
pub(crate) const MOST_ALSO: usize = 100;

/// Something that is otherwise in the new document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) what: What,
    pub(crate) effect: Effect,
    /// The contract's name of the operation, else method and path; `None`: the document as a whole.
    pub(crate) operation: Option<String>,
    /// The other operations that it concerns, the first hundred of them: a schema that several share is told once.
    pub(crate) also: Vec<String>,
    /// Where in the operation or document: `query includeActive`, `answer files[].processingStatus`. May be empty.
    pub(crate) place: String,
    /// One line. Names of the document stand in backticks, and are clean: nothing in them ends the line or the backticks.
    pub(crate) text: String,
}

/// Whom a change concerns; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Nobody notices.
    None,
    /// Breaks code that calls `client.raw()`, or that reads that further field.
    Raw,
    /// Breaks code that uses the facade.
    Caller,
    /// The facade depends on it: the mapping refuses the document.
    Facade,
}

impl Effect {
    /// As it is called in reports.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Raw => "raw",
            Self::Caller => "caller",
            Self::Facade => "facade",
        }
    }
}

/// Everything that changed: the worst first, then by operation and place.
pub(crate) fn compare(contract: &Contract, old: &Side<'_>, new: &Side<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    whole(old, new, &mut changes);
    security::schemes(old, new, &mut changes);
    let mut fields = fields::Fields::new(contract, [old.document, new.document], [old.mapping, new.mapping]);
    operations::compare(contract, old, new, &mut fields, &mut changes);
    changes.extend(fields.finish());
    changes.sort_by(|one, other| {
        let key = |change: &Change| (std::cmp::Reverse(change.effect), change.operation.clone());
        key(one).cmp(&key(other)).then_with(|| {
            (&one.place, one.what, &one.text, &one.also).cmp(&(&other.place, other.what, &other.text, &other.also))
        })
    });
    changes.dedup();
    changes
}

/// What a document says of itself.
fn whole(old: &Side<'_>, new: &Side<'_>, changes: &mut Vec<Change>) {
    let mut tell = |what: What, place: &str, text: String| {
        let effect = what.effect(Standing::Other);
        changes.push(Change { what, effect, operation: None, also: Vec::new(), place: place.to_owned(), text });
    };
    for (pointer, what, place) in [
        ("/info/title", What::Title, "title"),
        ("/info/version", What::Version, "version"),
        ("/openapi", What::OpenApi, "openapi"),
    ] {
        let of =
            |side: &Side<'_>| side.document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (was, is) = (of(old), of(new));
        if was != is {
            tell(what, place, format!("is {}, was {}", code(&is), code(&was)));
        }
    }
    let (was, is) = (servers(old.document), servers(new.document));
    let prefixes = (&old.mapping.prefix, &new.mapping.prefix);
    if was != is || server_path(old.document) != server_path(new.document) || prefixes.0 != prefixes.1 {
        let shown = |urls: &[String]| codes(urls.iter().map(String::as_str));
        let moved = if prefixes.0 == prefixes.1 {
            String::new()
        } else {
            format!("; the calls are below {}, were below {}", code(prefixes.1), code(prefixes.0))
        };
        tell(What::Servers, "servers", format!("are {}, were {}{moved}", shown(&is), shown(&was)));
    }
    let (was, is) = (tags(old.document), tags(new.document));
    for tag in is.difference(&was) {
        tell(What::TagGained, "tags", format!("gain {}", code(tag)));
    }
    for tag in was.difference(&is) {
        tell(What::TagLost, "tags", format!("lose {}", code(tag)));
    }
}

fn servers(document: &Value) -> Vec<String> {
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    servers.filter_map(|server| server.get("url")?.as_str()).map(str::to_owned).collect()
}

fn tags(document: &Value) -> BTreeSet<&str> {
    let tags = document.get("tags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| tag.get("name")?.as_str()).collect()
}
