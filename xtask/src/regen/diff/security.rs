//! Security: the schemes of a document, and what its calls ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::{Standing, What};
use super::words::{code, codes, name};
use super::{Change, MOST_ALSO, Side};
use crate::passes::tree::Object;

/// What a call asks for: alternatives of schemes with their scopes; none: nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirement {
    all: BTreeSet<BTreeMap<String, BTreeSet<String>>>,
    /// Whether a bearer token meets one of them.
    met: bool,
}

impl Requirement {
    fn shown(&self) -> String {
        if self.all.is_empty() {
            return String::from("nothing");
        }
        let one = |schemes: &BTreeMap<String, BTreeSet<String>>| {
            let words: Vec<String> = schemes
                .iter()
                .map(|(scheme, scopes)| {
                    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                    if scopes.is_empty() { scheme.clone() } else { format!("{scheme} ({})", scopes.join(", ")) }
                })
                .collect();
            if words.is_empty() { String::from("nothing") } else { code(&words.join(" and ")) }
        };
        self.all.iter().map(one).collect::<Vec<String>>().join(" or ")
    }

    fn scopes(&self) -> BTreeSet<&str> {
        self.all.iter().flat_map(|schemes| schemes.values().flatten()).map(String::as_str).collect()
    }
}

/// What an operation asks for: by itself, or as the document says for all.
pub(super) fn of(document: &Value, operation: &Object) -> Requirement {
    let said = operation.get("security").or_else(|| document.get("security"));
    let mut all = BTreeSet::new();
    for alternative in said.and_then(Value::as_array).into_iter().flatten() {
        let schemes = alternative.as_object().into_iter().flatten();
        all.insert(
            schemes
                .map(|(scheme, scopes)| {
                    let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
                    (scheme.clone(), scopes.collect())
                })
                .collect::<BTreeMap<String, BTreeSet<String>>>(),
        );
    }
    let schemes = document.pointer("/components/securitySchemes");
    let met = all.is_empty()
        || all.iter().any(|alternative| {
            alternative.keys().all(|scheme| schemes.and_then(|schemes| schemes.get(scheme)).is_none_or(is_bearer))
        });
    Requirement { all, met }
}

/// Whether the scheme is met by `Authorization: Bearer`, or by a header that the transport sends anyway.
fn is_bearer(scheme: &Value) -> bool {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    match text("type").as_str() {
        "oauth2" | "openidconnect" => true,
        "http" => text("scheme") == "bearer",
        "apikey" => text("in") == "header" && matches!(text("name").as_str(), "authorization" | "x-tenant-id"),
        // A reference, or a scheme without a type: nothing is known against it.
        _ => scheme.get("type").is_none(),
    }
}

/// Tells which calls ask for something else; the same of many is one change.
pub(super) fn requirements(all: Vec<(String, Requirement, Requirement, Standing)>, changes: &mut Vec<Change>) {
    let count = all.len();
    let mut groups: BTreeMap<(Requirement, Requirement, bool), Vec<String>> = BTreeMap::new();
    for (label, was, is, standing) in all {
        if was != is {
            groups.entry((was, is, standing == Standing::Other)).or_default().push(label);
        }
    }
    for ((was, is, other), mut labels) in groups {
        labels.sort();
        let further: Vec<&str> = is.scopes().difference(&was.scopes()).copied().collect();
        let what = if !is.met && was.met {
            What::Unmet
        } else if !further.is_empty() {
            What::Scopes
        } else {
            What::Requirement
        };
        let text = format!("asks for {}, was {}", is.shown(), was.shown());
        let standing = if other { Standing::Other } else { Standing::Named };
        let mut change = Change {
            what,
            effect: what.effect(standing),
            operation: None,
            also: Vec::new(),
            place: String::from("security"),
            text,
        };
        if labels.len() == count && count > 1 {
            change.text = format!("every call {}", change.text);
        } else {
            let mut labels = labels.into_iter();
            change.operation = labels.next();
            change.also = labels.take(MOST_ALSO).collect();
        }
        changes.push(change);
    }
}

/// Compares the schemes.
pub(super) fn schemes(old: &Side<'_>, new: &Side<'_>, changes: &mut Vec<Change>) {
    let of = |document: &'_ Value| -> BTreeMap<String, Value> {
        let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object).into_iter().flatten();
        schemes.map(|(name, scheme)| (name.clone(), scheme.clone())).collect()
    };
    let (before, after) = (of(old.document), of(new.document));
    let mut tell = |what: What, scheme: &str, text: String| {
        changes.push(Change {
            what,
            effect: what.effect(Standing::Other),
            operation: None,
            also: Vec::new(),
            place: format!("security scheme {}", name(scheme)),
            text,
        });
    };
    for (scheme, was) in &before {
        match after.get(scheme) {
            None => tell(What::SchemeLost, scheme, format!("is gone ({})", kind(was))),
            Some(is) => {
                let (told_was, told_is) = (facts(was), facts(is));
                let differ: Vec<&str> = told_was
                    .keys()
                    .chain(told_is.keys())
                    .filter(|key| told_was.get(*key) != told_is.get(*key))
                    .map(String::as_str)
                    .collect::<BTreeSet<&str>>()
                    .into_iter()
                    .collect();
                if !differ.is_empty() {
                    let shown = |facts: &BTreeMap<String, String>, key: &str| {
                        facts.get(key).map_or_else(|| String::from("nothing"), |fact| code(fact))
                    };
                    let lines: Vec<String> = differ
                        .iter()
                        .take(6)
                        .map(|key| format!("{} is {}, was {}", name(key), shown(&told_is, key), shown(&told_was, key)))
                        .collect();
                    let more = differ.len().saturating_sub(6);
                    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
                    tell(What::SchemeOther, scheme, format!("{}{more}", lines.join("; ")));
                }
            }
        }
    }
    for (scheme, is) in after.iter().filter(|(scheme, _)| !before.contains_key(*scheme)) {
        tell(What::SchemeGained, scheme, format!("is new ({})", kind(is)));
    }
}

fn kind(scheme: &Value) -> String {
    let facts = facts(scheme);
    let shown: Vec<&str> = ["type", "scheme"].iter().filter_map(|key| facts.get(*key)).map(String::as_str).collect();
    let flows: Vec<&str> =
        facts.keys().filter_map(|key| key.strip_prefix("flow ")?.strip_suffix(" tokenUrl")).collect();
    codes(shown.into_iter().chain(flows))
}

/// What matters of a scheme; texts for people do not.
fn facts(scheme: &Value) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for key in ["type", "scheme", "in", "name", "openIdConnectUrl", "bearerFormat"] {
        if let Some(fact) = scheme.get(key).and_then(Value::as_str) {
            facts.insert(key.to_owned(), fact.to_owned());
        }
    }
    for (flow, said) in scheme.get("flows").and_then(Value::as_object).into_iter().flatten() {
        for key in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
            if let Some(fact) = said.get(key).and_then(Value::as_str) {
                facts.insert(format!("flow {flow} {key}"), fact.to_owned());
            }
        }
        let scopes: Vec<&str> = said
            .get("scopes")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(scope, _)| scope.as_str())
            .collect();
        facts.insert(format!("flow {flow} scopes"), scopes.join(", "));
    }
    facts
}
