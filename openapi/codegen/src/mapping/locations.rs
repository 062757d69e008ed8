//! The locations of the contract's operations, by method and path shape, with any path prefix.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Mapper, OperationLocation};
use crate::contract::{OperationSpec, parameter, parameters};
use crate::decisions::Decisions;
use crate::normalize::plain_path;
use crate::tree::{METHODS, Object};

/// The start of every path in the contract.
const API: &str = "/api";
/// Maximum number of candidates for a missing operation.
const MAX_CANDIDATES: usize = 3;

/// Returns the path without its parameters' names: `/a/{x}/b` → `/a/{}/b`.
pub fn shape(path: &str) -> String {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| if parameter(segment).is_some() { "{}" } else { segment })
        .collect::<Vec<&str>>()
        .join("/")
}

/// Returns the path of the document's first server without a trailing slash, the start of every wire path.
pub fn server_path(document: &Value) -> String {
    let Some(server) = document.pointer("/servers/0") else {
        return String::new();
    };
    let mut url = server.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.as_str(),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if path.is_empty() || path.contains(['{', '}']) { String::new() } else { format!("/{path}") }
}

/// Returns the document's operations: path, method, operation.
fn operations(document: &Value) -> impl Iterator<Item = (&String, &'static str, &Object)> {
    document.get("paths").and_then(Value::as_object).into_iter().flatten().flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((path, method, item.get(method)?.as_object()?)))
    })
}

/// Returns the location of each operation of the contract; `None` if it was not found.
pub(super) fn find(mapper: &mut Mapper<'_>, decisions: &Decisions) -> BTreeMap<String, Option<OperationLocation>> {
    mapper.mapping.prefix = prefix(mapper);
    let mut places: BTreeMap<String, Option<OperationLocation>> = BTreeMap::new();
    for (id, spec) in &mapper.contract.operations {
        mapper.operation.clone_from(id);
        let place = match decisions.map.get(id) {
            Some(target) => chosen_location(mapper, spec, target),
            None => location_by_shape(mapper, spec),
        };
        places.insert(id.clone(), place);
    }
    mapper.operation.clear();
    let mut claims: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (id, place) in &places {
        if let Some(place) = place {
            claims.entry((place.path.clone(), place.method.clone())).or_default().push(id.clone());
        }
    }
    for ((path, method), ids) in claims {
        if ids.len() > 1 {
            let line = format!("{} {path}", method.to_uppercase());
            mapper.refuse("/paths", format!("{line} matches {}; choose one with --map", ids.join(" and ")));
        }
    }
    places
}

/// Returns the prefix of most operations of the contract, which replaces `/api`.
fn prefix(mapper: &mut Mapper<'_>) -> String {
    let mut operations_by_prefix: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (path, method, _) in operations(mapper.document) {
        let shape = shape(&format!("{}{path}", mapper.mapping.server));
        for (id, spec) in &mapper.contract.operations {
            let tail = spec.path().strip_prefix(API).unwrap_or(spec.path());
            if spec.method() == method
                && let Some(prefix) = shape.strip_suffix(&self::shape(tail))
                && !prefix.contains("{}")
            {
                operations_by_prefix.entry(prefix.to_owned()).or_default().insert(id);
            }
        }
    }
    let most = operations_by_prefix.values().map(BTreeSet::len).max().unwrap_or(0);
    let best: Vec<String> =
        operations_by_prefix.into_iter().filter(|(_, ids)| ids.len() == most).map(|(prefix, _)| prefix).collect();
    if best.len() > 1 && !best.contains(&String::from(API)) {
        let all: Vec<String> = best.iter().map(|prefix| format!("`{prefix}`")).collect();
        let reason = format!("ambiguous path prefix: the same operations exist below {}", all.join(" and "));
        mapper.refuse("/paths", reason);
    }
    if best.len() > 1 && best.contains(&String::from(API)) {
        let reason =
            format!("ambiguous path prefix: the operations exist below `{API}` and below {}", best.join(" and "));
        mapper.refuse("/paths", reason);
    }
    best.into_iter().next().unwrap_or_else(|| String::from(API))
}

fn location_by_shape(mapper: &mut Mapper<'_>, spec: &OperationSpec) -> Option<OperationLocation> {
    let tail = spec.path().strip_prefix(API).unwrap_or(spec.path());
    let wanted = shape(&format!("{}{tail}", mapper.mapping.prefix));
    let method = spec.method();
    let found: Vec<(&String, &Object)> = operations(mapper.document)
        .filter(|(path, known, _)| *known == method && shape(&format!("{}{path}", mapper.mapping.server)) == wanted)
        .map(|(path, _, operation)| (path, operation))
        .collect();
    match found.as_slice() {
        [] => None,
        [(path, operation)] => place(mapper, spec, path, operation),
        several => {
            let all: Vec<&str> = several.iter().map(|(path, _)| path.as_str()).collect();
            mapper.refuse("/paths", format!("{} have the same shape; choose one with --map", all.join(" and ")));
            None
        }
    }
}

/// Returns the location chosen by the user.
fn chosen_location(mapper: &mut Mapper<'_>, spec: &OperationSpec, target: &str) -> Option<OperationLocation> {
    let (method, path) = target.split_once(' ')?;
    let method = method.to_lowercase();
    let path = plain_path(path).unwrap_or_else(|| path.to_owned());
    let path = path.as_str();
    let same = |known: &str| {
        known == path
            || shape(known) == shape(path)
            || shape(&format!("{}{known}", mapper.mapping.server)) == shape(path)
    };
    let exact = operations(mapper.document).find(|(known, verb, _)| *verb == method && *known == path);
    let found = exact.or_else(|| operations(mapper.document).find(|(known, verb, _)| *verb == method && same(known)));
    if let Some((path, _, operation)) = found {
        return place(mapper, spec, path, operation);
    }
    mapper.refuse("/paths", format!("the document has no {target}, the target of --map"));
    None
}

/// Returns the location with the contract's parameter names in the wire path.
fn place(mapper: &mut Mapper<'_>, spec: &OperationSpec, path: &str, operation: &Object) -> Option<OperationLocation> {
    let wanted: Vec<&str> = parameters(spec.path()).collect();
    let given: Vec<&str> = parameters(path).collect();
    if wanted.len() != given.len() {
        let reason = format!(
            "{path} has {} path parameters, and the facade fills {}: {}",
            given.len(),
            wanted.len(),
            wanted.join(", ")
        );
        mapper.refuse("/paths", reason);
        return None;
    }
    // Matches parameters by name if all names are the contract's, else by position.
    let by_name = given.iter().all(|name| wanted.contains(name));
    let mut left = wanted.into_iter();
    let segments: Vec<String> = format!("{}{path}", mapper.mapping.server)
        .split('/')
        .map(|segment| match (parameter(segment), by_name) {
            (Some(_), false) => format!("{{{}}}", left.next().unwrap_or_default()),
            _ => segment.to_owned(),
        })
        .collect();
    Some(OperationLocation {
        path: path.to_owned(),
        method: spec.method(),
        wire: segments.join("/"),
        id: operation.get("operationId").and_then(Value::as_str).map(str::to_owned),
    })
}

impl Mapper<'_> {
    /// Returns unused operations whose request and response fit a missing operation.
    pub(super) fn candidates(&self, spec: &OperationSpec, claimed: &BTreeSet<(String, String)>) -> Vec<String> {
        let count = parameters(spec.path()).count();
        let mut found: Vec<(usize, String)> = Vec::new();
        for (path, method, operation) in operations(self.document) {
            let taken = claimed.contains(&(path.clone(), method.to_owned()));
            if taken || method != spec.method() || parameters(path).count() != count {
                continue;
            }
            let mut attempt = self.clone();
            attempt.findings.clear();
            if let Some(place) = place(&mut attempt, spec, path, operation) {
                attempt.operation(spec, &place);
                if attempt.findings.is_empty() {
                    found.push((differing_segments(spec.path(), path), format!("{} {path}", method.to_uppercase())));
                }
            }
        }
        found.sort();
        found.into_iter().take(MAX_CANDIDATES).map(|(_, line)| line).collect()
    }
}

/// Returns the number of path segments that differ.
fn differing_segments(one: &str, other: &str) -> usize {
    let words = |path: &str| -> BTreeSet<String> {
        let mut words: Vec<String> = shape(path).split('/').map(str::to_owned).collect();
        words.sort();
        words.into_iter().collect()
    };
    words(one).symmetric_difference(&words(other)).count()
}
