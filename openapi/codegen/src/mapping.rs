//! The mapping from the contract to a document: operations, then their parameters, bodies, responses and fields.
//!
//! The document has inlined shared parts and flat composed schemas. An operation is found by its method and the shape of its
//! path; its request and response then confirm the match. A matching name alone proves nothing, and nothing is guessed: a
//! missing or ambiguous operation is a finding with the decision that the user may take. All findings are reported together.

mod fields;
mod fit;
mod locations;
mod operation;
mod output;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::contract::{Contract, Rank};
use crate::decisions::Decisions;
use crate::lint::Finding;

pub use locations::{server_path, shape};

/// The mapping from the contract to a document.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// The path of the document's server, the start of every wire path.
    pub server: String,
    /// The replacement for the contract's leading `/api`, including the server's path.
    pub prefix: String,
    /// The operations of the contract, by operationId.
    pub operations: BTreeMap<String, OperationMapping>,
    /// The document's schemas for each schema of the contract.
    pub schemas: BTreeMap<String, Vec<SchemaMapping>>,
    /// The document's values for each enum of the contract.
    pub enums: BTreeMap<String, BTreeSet<String>>,
    /// Differences that are not a reason for rejecting the document.
    pub notes: Vec<String>,
}

/// The mapping of an operation of the contract.
#[derive(Clone, Debug, Default)]
pub struct OperationMapping {
    /// The location in the document; `None` if the document lacks the operation.
    pub location: Option<OperationLocation>,
    /// `true` if the user has chosen the location.
    pub decided: bool,
    /// The document's name of each query parameter; `None` if the document lacks the parameter.
    pub query: BTreeMap<String, Option<String>>,
    /// The query parameters that are headers in the document.
    pub headers: BTreeSet<String>,
    /// The form part that holds the file.
    pub part: Option<String>,
    /// The query parameters that are form parts in the document, with the name of the part and whether the part is required.
    pub parts: BTreeMap<String, (String, bool)>,
    /// The key of the [`SchemaMapping`] of the request.
    pub takes: Option<String>,
    /// The key of the [`SchemaMapping`] of the response.
    pub answers: Option<String>,
    /// The documented success statuses.
    pub success: Vec<String>,
    /// `true` if a success response has content.
    pub with_content: bool,
    /// The kind of paging.
    pub paging: Option<&'static str>,
}

/// The location of an operation in the document.
#[derive(Clone, Debug)]
pub struct OperationLocation {
    /// The path template of the document.
    pub path: String,
    /// The method in lower case.
    pub method: String,
    /// The wire path, with the contract's parameter names.
    pub wire: String,
    /// The document's operationId.
    pub id: Option<String>,
}

/// A schema of the document that corresponds to one of the contract.
#[derive(Clone, Debug, Default)]
pub struct SchemaMapping {
    /// The unique key of the pair.
    pub key: String,
    /// The document's name; `None` for inline schemas.
    pub name: Option<String>,
    /// The JSON pointer of the schema.
    pub pointer: String,
    /// The description in the document.
    pub description: Option<String>,
    /// The fields of the contract, by the contract's name.
    pub fields: BTreeMap<String, FieldMapping>,
    /// The document's schemas of fields outside the contract.
    pub extra_fields: BTreeMap<String, Value>,
    /// The required fields outside the contract.
    pub required_extra_fields: BTreeSet<String>,
    /// `true` if requests contain the schema.
    pub is_request: bool,
}

/// The mapping of a field of the contract.
#[derive(Clone, Debug, Default)]
pub struct FieldMapping {
    /// The document's name; `None` if the document lacks the field.
    pub wire: Option<String>,
    /// The document's schema.
    pub schema: Value,
    /// `true` if the model uses the document's type, because the contract's does not fit and nothing depends on it.
    pub uses_document_type: bool,
    /// The key of the [`SchemaMapping`] of the field's type.
    pub target: Option<String>,
}

impl Mapping {
    /// Returns `true` if names and paths are the contract's own.
    pub fn is_identity(&self, contract: &Contract) -> bool {
        self.operations.iter().all(|(id, mapped)| {
            let same_place = mapped.location.as_ref().is_some_and(|place| {
                contract.operations.get(id).is_some_and(|spec| spec.path() == place.wire)
                    && place.id.as_ref() == Some(id)
            });
            let same_names = mapped.query.iter().all(|(name, wire)| wire.as_ref() == Some(name));
            same_place && same_names && mapped.headers.is_empty()
        }) && self.schemas.iter().all(|(name, all)| {
            all.iter().all(|bound| {
                let same_fields = bound
                    .fields
                    .iter()
                    .all(|(field, found)| found.wire.as_ref() == Some(field) && !found.uses_document_type);
                bound.name.as_ref() == Some(name) && same_fields && bound.extra_fields.is_empty()
            })
        })
    }
}

impl Mapping {
    /// Finds a schema mapping by key, with the contract's name of the schema.
    pub fn bound(&self, key: &str) -> Option<(&str, &SchemaMapping)> {
        self.schemas
            .iter()
            .find_map(|(name, all)| all.iter().find(|bound| bound.key == key).map(|bound| (name.as_str(), bound)))
    }
}

/// The state of mapping a document.
#[derive(Clone)]
struct Mapper<'a> {
    document: &'a Value,
    contract: &'a Contract,
    mapping: Mapping,
    findings: Vec<Finding>,
    /// The current operation.
    operation: String,
}

impl Mapper<'_> {
    fn refuse(&mut self, pointer: impl Into<String>, reason: impl Into<String>) {
        let operation = (!self.operation.is_empty()).then(|| self.operation.clone());
        let finding = Finding { pointer: pointer.into(), operation, reason: reason.into() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn note(&mut self, text: impl Into<String>) {
        let text = if self.operation.is_empty() { text.into() } else { format!("{}: {}", self.operation, text.into()) };
        if !self.mapping.notes.contains(&text) {
            self.mapping.notes.push(text);
        }
    }
}

/// Maps the whole contract to a document with the server path `server`.
/// // The mapping is complete even with findings: operations that were not found count as missing.
pub fn map_contract(
    document: &Value,
    server: String,
    contract: &Contract,
    decisions: &Decisions,
) -> (Mapping, Vec<Finding>) {
    let mut mapper = Mapper {
        document,
        contract,
        mapping: Mapping { server, ..Mapping::default() },
        findings: Vec::new(),
        operation: String::new(),
    };
    for fault in decisions.find_errors(contract) {
        mapper.refuse("", fault);
    }
    let places = locations::find(&mut mapper, decisions);
    let claimed: BTreeSet<(String, String)> =
        places.values().flatten().map(|place| (place.path.clone(), place.method.clone())).collect();
    for (id, spec) in &contract.operations {
        mapper.operation.clone_from(id);
        let decided = decisions.map.contains_key(id);
        let found = if let Some(place) = places.get(id).cloned().flatten() {
            let accepted = decisions.accept_missing.contains(id);
            let mut attempt = mapper.clone();
            let found = attempt.operation(spec, &place);
            let fits = attempt.findings.len() == mapper.findings.len();
            if fits || !accepted {
                mapper = attempt;
                OperationMapping { decided, ..found }
            } else {
                // The user has accepted that the operation may be missing.
                mapper.note(format!("the document's {} does not fit: treated as missing, as accepted", spec.line()));
                OperationMapping::default()
            }
        } else {
            mapper.report_missing(spec, decisions, &claimed);
            OperationMapping::default()
        };
        mapper.mapping.operations.insert(id.clone(), found);
    }
    mapper.operation.clear();
    mapper.check_request_names();
    mapper.findings.sort();
    (mapper.mapping, mapper.findings)
}

impl Mapper<'_> {
    /// Checks that each field of a request model has a single wire name; responses may have several.
    fn check_request_names(&mut self) {
        let mut conflicts: Vec<(String, String)> = Vec::new();
        for (name, sources) in &self.mapping.schemas {
            let mut sent = sources.iter().filter(|bound| bound.is_request);
            let Some(first) = sent.next() else {
                continue;
            };
            for other in sent {
                for (field, found) in &other.fields {
                    let (one, two) =
                        (first.fields.get(field).and_then(|found| found.wire.as_ref()), found.wire.as_ref());
                    if let (Some(one), Some(two)) = (one, two)
                        && one != two
                    {
                        conflicts.push((
                            other.pointer.clone(),
                            format!("{name}.{field} is called `{two}` here and `{one}` in {}, but the facade sends one model", first.pointer),
                        ));
                    }
                }
            }
        }
        for (pointer, reason) in conflicts {
            self.refuse(pointer, reason);
        }
    }

    /// Reports a missing operation.
    fn report_missing(
        &mut self,
        spec: &crate::contract::OperationSpec,
        decisions: &Decisions,
        claimed: &BTreeSet<(String, String)>,
    ) {
        let id = self.operation.clone();
        if decisions.accept_missing.contains(&id) {
            self.note("missing in the document, as accepted: a call fails as unsupported");
            return;
        }
        if decisions.map.contains_key(&id) {
            // Reported already: the location chosen by the user does not exist.
            return;
        }
        let candidates = self.candidates(spec, claimed);
        let hint = match candidates.as_slice() {
            [] => String::new(),
            all => {
                let options: Vec<String> = all.iter().map(|place| format!("--map {id}='{place}'")).collect();
                format!("; to choose a candidate: {}", options.join(" or "))
            }
        };
        if spec.rank == Rank::Inferred {
            self.note(format!(
                "the document does not have {} (an inferred path): a call fails as unsupported{hint}",
                spec.line()
            ));
            return;
        }
        let depends = if spec.rank == Rank::Core { "the main job depends on it" } else { "the facade offers it" };
        self.refuse(
            "/paths",
            format!("no operation matches {}, but {depends}{hint}; to accept that: --accept-missing {id}", spec.line()),
        );
    }
}
