//! The lint of references, in the document before the passes.
//!
//! A dangling reference is reported at its own position instead of the positions of its consequences.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Finding, operation_of};
use crate::schema_references::decoded;
use crate::tree::{self, Children, NodeKind, Object};

/// Maximum number of reported references.
const MAX_FINDINGS: usize = 50;
/// Maximum length of a chain of references.
const LONGEST_CHAIN: usize = 16;
const COMPONENTS: &str = "#/components/schemas/";

/// Finds dangling references in component schemas, operations and all that these refer to. Skips error responses and headers,
/// which nothing reads.
pub(crate) fn check(document: &Value) -> Vec<Finding> {
    let mut checker =
        ReferenceChecker { document, seen: BTreeSet::new(), next: Vec::new(), found: Vec::new(), more: 0 };
    for (key, node) in [("paths", NodeKind::PathItem), ("components", NodeKind::Components)] {
        match document.get(key) {
            Some(Value::Object(map)) if node == NodeKind::PathItem => {
                for path in tree::sorted_keys(map).into_iter().filter(|path| !path.starts_with("x-")) {
                    checker.next.push((format!("/paths/{}", tree::escape(&path)), node));
                }
            }
            Some(Value::Object(components)) => {
                for name in tree::object(components, "schemas").map(tree::sorted_keys).unwrap_or_default() {
                    checker.next.push((format!("/components/schemas/{}", tree::escape(&name)), NodeKind::Schema));
                }
            }
            _ => {}
        }
    }
    while let Some((pointer, node)) = checker.next.pop() {
        checker.check_node(&pointer, node);
    }
    checker.found.sort();
    if checker.more > 0 {
        checker.found.push(Finding {
            pointer: String::new(),
            operation: None,
            reason: format!("{} more references cannot be resolved", checker.more),
        });
    }
    checker.found
}

struct ReferenceChecker<'a> {
    document: &'a Value,
    /// Visited pointers.
    seen: BTreeSet<String>,
    next: Vec<(String, NodeKind)>,
    found: Vec<Finding>,
    more: usize,
}

impl ReferenceChecker<'_> {
    fn check_node(&mut self, pointer: &str, node: NodeKind) {
        if !self.seen.insert(pointer.to_owned()) {
            return;
        }
        let Some(object) = self.document.pointer(pointer).and_then(Value::as_object) else {
            return;
        };
        if let Some(reference) = tree::text(object, "$ref") {
            match self.target(reference) {
                Ok(target) => self.next.push((target, node)),
                Err(reason) if self.found.len() < MAX_FINDINGS => {
                    let operation = operation_of(self.document, pointer);
                    self.found.push(Finding { pointer: pointer.to_owned(), operation, reason });
                }
                Err(_) => self.more += 1,
            }
            // A path item may have members beside its reference.
            if node != NodeKind::PathItem {
                return;
            }
        }
        self.queue_children(pointer, node, object);
    }

    fn queue_children(&mut self, pointer: &str, node: NodeKind, object: &Object) {
        let has_success =
            tree::object(object, "responses").is_some_and(|all| all.keys().any(|status| status.starts_with('2')));
        for key in tree::sorted_keys(object) {
            let (Some(holds), Some(inner)) = (tree::children(node, &key), object.get(&key)) else {
                continue;
            };
            if (node, key.as_str()) == (NodeKind::Response, "headers") {
                continue;
            }
            let here = format!("{pointer}/{}", tree::escape(&key));
            match (holds, inner) {
                (Children::One(kind), _) => self.next.push((here, kind)),
                (Children::Map(kind), Value::Object(map)) => {
                    for name in tree::sorted_keys(map).into_iter().filter(|name| !tree::is_extension(kind, name)) {
                        let is_read =
                            kind != NodeKind::Response || name.starts_with('2') || (name == "default" && !has_success);
                        if is_read {
                            self.next.push((format!("{here}/{}", tree::escape(&name)), kind));
                        }
                    }
                }
                (Children::List(kind), Value::Array(list)) => {
                    self.next.extend((0..list.len()).map(|index| (format!("{here}/{index}"), kind)));
                }
                _ => {}
            }
        }
    }

    /// Returns the final target of a reference, or the reason for failing.
    fn target(&self, reference: &str) -> Result<String, String> {
        let mut current = reference;
        for _ in 0..LONGEST_CHAIN {
            let pointer = self.resolve_step(current)?;
            let next = self.document.pointer(&pointer).and_then(|target| target.get("$ref")).and_then(Value::as_str);
            match next {
                None => return Ok(pointer),
                Some(next) if next == reference => {
                    return Err(format!("cyclic reference {reference}"));
                }
                // A dangling next reference is reported at its own position.
                Some(next) if self.resolve_step(next).is_err() => return Ok(pointer),
                Some(next) => current = next,
            }
        }
        Err(format!("dangling or cyclic reference {reference}: more than {LONGEST_CHAIN} in a chain"))
    }

    /// Returns the direct target of a reference.
    fn resolve_step(&self, reference: &str) -> Result<String, String> {
        let schemas = self.document.pointer("/components/schemas").and_then(Value::as_object);
        let is_schema = |name: &str| schemas.is_some_and(|schemas| schemas.contains_key(name));
        // Accepts an unescaped schema name.
        if let Some(name) = reference.strip_prefix(COMPONENTS).filter(|name| is_schema(name)) {
            return Ok(format!("/components/schemas/{}", tree::escape(name)));
        }
        let Some(fragment) = reference.strip_prefix('#') else {
            let reason = match reference.split_once("://") {
                Some((scheme, _)) => {
                    format!(", which is never followed: nothing is fetched over {scheme}")
                }
                None if is_schema(reference) => {
                    format!(", which is never followed; {COMPONENTS}{reference} refers to a schema")
                }
                None => String::from(", which is never followed"),
            };
            return Err(format!("external reference {reference}{reason}; bundle all parts into one document"));
        };
        let pointer = decoded(reference)
            .ok_or_else(|| format!("dangling reference {reference}: its `%` escapes are not UTF-8"))?;
        if self.document.pointer(&pointer).is_some_and(Value::is_object) {
            return Ok(pointer);
        }
        let wrong_tilde = pointer.match_indices('~').any(|(at, _)| !pointer[at + 1..].starts_with(['0', '1']));
        let hint = if !fragment.is_empty() && !fragment.starts_with('/') {
            String::from(": a JSON pointer starts with `#/`")
        } else if wrong_tilde {
            String::from(": escape `~` as `~0` and `/` as `~1`")
        } else if self.document.pointer(&pointer).is_some() {
            String::from(": the target is not an object")
        } else {
            self.suggest(&pointer).map_or_else(String::new, |name| format!(": did you mean #{name}?"))
        };
        Err(format!("dangling reference {reference}{hint}"))
    }

    /// Returns a sibling of the missing pointer whose name differs in case and separators only.
    fn suggest(&self, pointer: &str) -> Option<String> {
        let (parent, name) = pointer.rsplit_once('/')?;
        let plain =
            |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let beside = self.document.pointer(parent)?.as_object()?;
        let names = tree::sorted_keys(beside);
        let found = names.iter().find(|known| plain(known) == plain(name))?;
        Some(format!("{parent}/{}", tree::escape(found)))
    }
}
