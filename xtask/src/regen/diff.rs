//! Compares two documents by what the contract names in them.
//!
//! Both documents were mapped to the contract, so that an operation or a field that only has another name is not reported as a loss. The report covers
//! what this project alone knows: which operations, parameters, fields and values of the contract were found, renamed or lost, and which operations and
//! fields of the raw client appeared or disappeared. A complete comparison is left to oasdiff (`regen::oasdiff`).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use heck::ToKebabCase;
use serde_json::Value;

use super::sanitize::{code_span, plain_name};
use crate::passes::mapping::{Mapping, OperationLocation, OperationMapping, SchemaMapping, server_path, shape};
use crate::passes::tree::{METHODS, text};

/// A document as it was read, and its mapping to the contract.
#[derive(Clone, Copy)]
pub(crate) struct MappedDocument<'a> {
    pub(crate) document: &'a Value,
    pub(crate) mapping: &'a Mapping,
}

/// A difference between the old and the new document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) effect: Effect,
    /// The contract's name of the operation, else method and path. `None` for schemas and for the document as a whole.
    pub(crate) operation: Option<String>,
    /// Element of the operation or document, such as `query includeActive` or `FileStatus.fileName`. May be empty.
    pub(crate) location: String,
    /// One line. Names from the document are code spans and cannot end the line or the span.
    pub(crate) text: String,
}

/// Code that a change breaks, in ascending order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Breaks no code.
    None,
    /// Breaks code that calls `client.raw()` or reads fields outside of the contract.
    Raw,
    /// Breaks code that uses the facade.
    Caller,
}

impl Effect {
    /// Returns the name used in reports and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Raw => "raw",
            Self::Caller => "caller",
        }
    }
}

macro_rules! change_kinds {
    ($($kind:ident $effect:ident $description:literal)*) => {
        /// Kinds of changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum ChangeKind {
            $(#[doc = $description] $kind,)*
        }

        /// All kinds with their effect and description; openapi/CHANGES.md shows the same table.
        const CHANGE_KINDS: &[(ChangeKind, Effect, &str)] = &[$((ChangeKind::$kind, Effect::$effect, $description),)*];
    };
}

change_kinds! {
    PathPrefix None "the paths of the contract are below another prefix"
    OperationGone Caller "an operation of the contract is missing; its call returns an error without sending a request"
    OperationNew None "an operation of the contract that was missing is there"
    OperationMoved None "an operation of the contract has another method or path"
    OperationRenamed None "an operation of the contract has another operationId"
    Paging None "a list is paged in another way that the client supports"
    FurtherOperationGone Raw "an operation outside of the contract is missing"
    FurtherOperationNew None "an operation outside of the contract is new; the raw client has it"
    FurtherOperationRenamed Raw "an operation outside of the contract has another operationId, by which the raw client names it"
    ParameterGone Caller "a parameter of the contract is missing"
    ParameterNew None "a parameter of the contract that was missing is there"
    ParameterMapped None "a parameter of the contract has another name or place"
    FieldGone Caller "a field of the contract is missing: it stays empty in responses and is not sent in requests"
    FieldNew None "a field of the contract that was missing is there"
    FieldMapped None "a field of the contract has another name"
    FieldType Caller "a field of a model takes the type of the document, or has the type of the contract again"
    FurtherFieldGone Raw "a field outside of the contract is missing"
    FurtherFieldNew None "a field outside of the contract is new"
    ValuesGone Caller "values of an enum are missing; the service may reject requests with them"
    ValuesNew None "an enum has new values"
}

impl ChangeKind {
    /// Returns the name used in JSON and in openapi/CHANGES.md.
    pub(crate) fn key(self) -> String {
        format!("{self:?}").to_kebab_case()
    }

    fn effect(self) -> Effect {
        CHANGE_KINDS.iter().find(|(kind, _, _)| *kind == self).map_or(Effect::None, |(_, effect, _)| *effect)
    }
}

/// Returns the text of openapi/CHANGES.md.
pub(crate) fn changes_page() -> String {
    let mut page = String::from(PAGE_HEAD);
    for (kind, effect, description) in CHANGE_KINDS {
        let _ = writeln!(page, "| `{}` | {} | {description} |", kind.key(), effect.name());
    }
    page
}

const PAGE_HEAD: &str = "\
# Effects of a changed document

`cargo xtask regen --from FILE` compares the new document with the one in use. Both are mapped to openapi/contract.toml first, so that an operation
or a field that only has another name is not reported as a loss. `regen` writes this page from `xtask/src/regen/diff.rs`.

The report lists the changes that this table names, the most severe effect first:

- `none`: breaks no code.
- `raw`: breaks code that calls `client.raw()` or reads fields outside of the contract.
- `caller`: breaks code that uses the facade.

A document that the facade cannot use is refused with the reasons, and nothing is compared. For a complete comparison (types, limits, security, servers,
status codes), install [oasdiff](https://github.com/oasdiff/oasdiff) with `go install github.com/oasdiff/oasdiff@latest`; `regen` runs it when it is on
the PATH.

| in JSON | effect | change |
|---|---|---|
";

/// Returns all changes: the most severe effect first, then by operation and location.
pub(crate) fn compare(old: &MappedDocument<'_>, new: &MappedDocument<'_>) -> Vec<Change> {
    let mut changes = Changes::default();
    let prefixes = (&old.mapping.prefix, &new.mapping.prefix);
    if prefixes.0 != prefixes.1 {
        changes.add(
            ChangeKind::PathPrefix,
            None,
            "",
            format!("is {}, was {}", code_span(prefixes.1), code_span(prefixes.0)),
        );
    }
    for (id, after) in &new.mapping.operations {
        let absent = OperationMapping::default();
        changes.operation(id, (old.mapping, old.mapping.operations.get(id).unwrap_or(&absent)), (new.mapping, after));
    }
    changes.further_operations(old, new);
    for (schema, after) in &new.mapping.schemas {
        if let Some(before) = old.mapping.schemas.get(schema) {
            changes.schema(schema, before, after);
        }
    }
    for (name, after) in &new.mapping.enums {
        if let Some(before) = old.mapping.enums.get(name) {
            changes.values(name, before, after);
        }
    }
    let mut changes = changes.0;
    changes.sort_by(|one, other| {
        (other.effect, &one.operation, &one.location, one.kind, &one.text).cmp(&(
            one.effect,
            &other.operation,
            &other.location,
            other.kind,
            &other.text,
        ))
    });
    changes
}

/// The changes found so far.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, kind: ChangeKind, operation: Option<&str>, location: &str, text: String) {
        self.0.push(Change {
            kind,
            effect: kind.effect(),
            operation: operation.map(str::to_owned),
            location: location.to_owned(),
            text,
        });
    }

    /// Compares an operation of the contract.
    fn operation(&mut self, id: &str, old: (&Mapping, &OperationMapping), new: (&Mapping, &OperationMapping)) {
        let ((old_mapping, before), (new_mapping, after)) = (old, new);
        let (was, is) = match (&before.location, &after.location) {
            (None, None) => return,
            (Some(was), None) => {
                let text = format!("{} is missing: the call returns an error", code_span(&line(was)));
                return self.add(ChangeKind::OperationGone, Some(id), "", text);
            }
            (None, Some(is)) => {
                return self.add(ChangeKind::OperationNew, Some(id), "", format!("is {}", code_span(&line(is))));
            }
            (Some(was), Some(is)) => (was, is),
        };
        if (&was.method, tail(old_mapping, was)) != (&is.method, tail(new_mapping, is)) {
            let text = format!("is {}, was {}", code_span(&line(is)), code_span(&line(was)));
            self.add(ChangeKind::OperationMoved, Some(id), "", text);
        }
        if was.id != is.id {
            let name = |place: &OperationLocation| code_span(place.id.as_deref().unwrap_or_default());
            self.add(
                ChangeKind::OperationRenamed,
                Some(id),
                "",
                format!("has the operationId {}, was {}", name(is), name(was)),
            );
        }
        if before.paging != after.paging {
            let form = |mapped: &OperationMapping| mapped.paging.unwrap_or("none").to_owned();
            self.add(ChangeKind::Paging, Some(id), "", format!("is {}, was {}", form(after), form(before)));
        }
        if before.part != after.part {
            let name = |mapped: &OperationMapping| code_span(mapped.part.as_deref().unwrap_or_default());
            let text = format!("is the part {}, was {}", name(after), name(before));
            self.add(ChangeKind::ParameterMapped, Some(id), "file", text);
        }
        for name in after.query.keys() {
            let location = format!("query {name}");
            match (parameter(before, name), parameter(after, name)) {
                (Some(was), Some(is)) if was != is => {
                    self.add(ChangeKind::ParameterMapped, Some(id), &location, format!("is {is}, was {was}"));
                }
                (Some(_), None) => self.add(ChangeKind::ParameterGone, Some(id), &location, String::from("is missing")),
                (None, Some(is)) => self.add(ChangeKind::ParameterNew, Some(id), &location, format!("is {is}")),
                _ => {}
            }
        }
    }

    /// Compares the operations outside of the contract by method and path.
    fn further_operations(&mut self, old: &MappedDocument<'_>, new: &MappedDocument<'_>) {
        let (before, after) = (further(old), further(new));
        for (key, (label, _)) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
            // An operation that the contract names now is not lost to the raw client.
            if !new
                .mapping
                .operations
                .values()
                .any(|mapped| mapped.location.as_ref().is_some_and(|place| key_of(new, place) == *key))
            {
                self.add(ChangeKind::FurtherOperationGone, Some(label), "", String::from("is missing"));
            }
        }
        for (key, (label, id)) in &after {
            match before.get(key) {
                None => {
                    let text = format!("is new; the raw client has it as {}", code_span(id));
                    self.add(ChangeKind::FurtherOperationNew, Some(label), "", text);
                }
                Some((_, was)) if was != id => {
                    let text = format!("has the operationId {}, was {}", code_span(id), code_span(was));
                    self.add(ChangeKind::FurtherOperationRenamed, Some(label), "", text);
                }
                Some(_) => {}
            }
        }
    }

    /// Compares a schema of the contract, which may stand for several schemas of a document.
    fn schema(&mut self, schema: &str, before: &[SchemaMapping], after: &[SchemaMapping]) {
        // No operation that uses the schema is left, or none used it before; the operations say so themselves.
        if before.is_empty() || after.is_empty() {
            return;
        }
        let (old_fields, new_fields) = (Fields::of(before), Fields::of(after));
        for (name, is) in &new_fields.contract {
            let location = format!("{schema}.{name}");
            let absent = Field::default();
            let was = old_fields.contract.get(name).unwrap_or(&absent);
            match (was.is_missing, is.is_missing) {
                (false, true) => {
                    self.add(ChangeKind::FieldGone, None, &location, String::from("is missing"));
                    continue;
                }
                (true, false) => {
                    self.add(ChangeKind::FieldNew, None, &location, format!("is {}", code_spans(&is.names)));
                }
                (false, false) if was.names != is.names => {
                    let text = format!("is {}, was {}", code_spans(&is.names), code_spans(&was.names));
                    self.add(ChangeKind::FieldMapped, None, &location, text);
                }
                _ => {}
            }
            if was.has_document_type != is.has_document_type {
                let text = if is.has_document_type {
                    "has the type of the document"
                } else {
                    "has the type of the contract again"
                };
                self.add(ChangeKind::FieldType, None, &location, text.to_owned());
            }
        }
        for name in old_fields.further.difference(&new_fields.further) {
            let location = format!("{schema}.{}", plain_name(name));
            self.add(ChangeKind::FurtherFieldGone, None, &location, String::from("is missing"));
        }
        for name in new_fields.further.difference(&old_fields.further) {
            let location = format!("{schema}.{}", plain_name(name));
            self.add(ChangeKind::FurtherFieldNew, None, &location, String::from("is new"));
        }
    }

    fn values(&mut self, name: &str, before: &BTreeSet<String>, after: &BTreeSet<String>) {
        // A document that lists no values accepts any.
        if before.is_empty() || after.is_empty() {
            return;
        }
        for (kind, values, verb) in [
            (ChangeKind::ValuesGone, before.difference(after), "loses"),
            (ChangeKind::ValuesNew, after.difference(before), "gains"),
        ] {
            let values: BTreeSet<&str> = values.map(String::as_str).collect();
            if !values.is_empty() {
                self.add(kind, None, name, format!("{verb} {}", code_spans(&values)));
            }
        }
    }
}

/// Returns an operation as people write it: `GET /api/users`.
fn line(place: &OperationLocation) -> String {
    format!("{} {}", place.method.to_uppercase(), place.path)
}

/// Returns the path on the wire without the prefix of the document.
fn tail<'a>(mapping: &Mapping, place: &'a OperationLocation) -> &'a str {
    place.wire.strip_prefix(mapping.prefix.as_str()).unwrap_or(&place.wire)
}

/// Describes where the document has a query parameter of the contract.
fn parameter(mapped: &OperationMapping, name: &str) -> Option<String> {
    if let Some((part, _)) = mapped.parts.get(name) {
        return Some(format!("the part {}", code_span(part)));
    }
    let wire = mapped.query.get(name)?.as_ref()?;
    let kind = if mapped.headers.contains(name) { "header" } else { "query parameter" };
    Some(format!("the {kind} {}", code_span(wire)))
}

/// Key of an operation outside of the contract: method and shape of the path below the prefix.
type FurtherKey = (&'static str, String);

fn key_of(side: &MappedDocument<'_>, place: &OperationLocation) -> FurtherKey {
    let method = METHODS.iter().find(|method| **method == place.method).copied().unwrap_or_default();
    (method, below_prefix(side, &place.path))
}

fn below_prefix(side: &MappedDocument<'_>, path: &str) -> String {
    let whole = shape(&format!("{}{path}", server_path(side.document)));
    whole.strip_prefix(side.mapping.prefix.as_str()).map_or_else(|| format!("whole path {whole}"), str::to_owned)
}

/// Collects the operations outside of the contract, each with its label and operationId.
fn further<'a>(side: &MappedDocument<'a>) -> BTreeMap<FurtherKey, (String, &'a str)> {
    let named: BTreeSet<(&str, &str)> = side
        .mapping
        .operations
        .values()
        .filter_map(|mapped| mapped.location.as_ref())
        .map(|place| (place.method.as_str(), place.path.as_str()))
        .collect();
    let mut operations = BTreeMap::new();
    for (path, item) in side.document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method).and_then(Value::as_object) else { continue };
            if !named.contains(&(method, path)) {
                let label = plain_name(&format!("{} {path}", method.to_uppercase()));
                let id = text(operation, "operationId").unwrap_or_default();
                operations.entry((method, below_prefix(side, path))).or_insert((label, id));
            }
        }
    }
    operations
}

/// The fields of all schemas that a document has in the place of one schema of the contract.
struct Fields<'a> {
    contract: BTreeMap<&'a str, Field<'a>>,
    further: BTreeSet<&'a str>,
}

/// A field of the contract in one document.
#[derive(Default)]
struct Field<'a> {
    names: BTreeSet<&'a str>,
    is_missing: bool,
    has_document_type: bool,
}

impl<'a> Fields<'a> {
    fn of(schemas: &'a [SchemaMapping]) -> Self {
        let mut contract: BTreeMap<&str, Field<'a>> = BTreeMap::new();
        for (name, found) in schemas.iter().flat_map(|bound| &bound.fields) {
            let field = contract.entry(name).or_default();
            field.names.extend(found.wire.as_deref());
            field.is_missing |= found.wire.is_none();
            field.has_document_type |= found.uses_document_type;
        }
        Self {
            contract,
            further: schemas.iter().flat_map(|bound| bound.extra_fields.keys()).map(String::as_str).collect(),
        }
    }
}

fn code_spans(names: &BTreeSet<&str>) -> String {
    const MAX_NAMES: usize = 12;
    let mut shown: Vec<String> = names.iter().take(MAX_NAMES).map(|name| code_span(name)).collect();
    if names.len() > MAX_NAMES {
        shown.push(format!("{} more", names.len() - MAX_NAMES));
    }
    shown.join(", ")
}
