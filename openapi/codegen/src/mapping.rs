//! Finds in a document what the contract names: its operations, then their parameters, bodies, answers and fields.
//!
//! Runs on a document whose shared parts are inlined and whose composed schemas are flat. An operation is found by its method and the
//! shape of its path; whether it is the right one is then told by what it takes and answers. A name that happens to match proves nothing,
//! and nothing is guessed: what is missing or ambiguous is a finding, with the decision the user may take. All findings come at once.

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

/// Where the contract's things are in a document.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// The path of the document's server, which every path begins with on the wire.
    pub server: String,
    /// What stands in place of the contract's leading `/api`, the server's path included.
    pub prefix: String,
    /// The operations of the contract, by operationId.
    pub operations: BTreeMap<String, OperationMapping>,
    /// A schema of the contract → the document's schemas that were found in its place.
    pub schemas: BTreeMap<String, Vec<SchemaMapping>>,
    /// An enum of the contract → the values that the document lists.
    pub enums: BTreeMap<String, BTreeSet<String>>,
    /// What a reader should know and what is no reason to refuse.
    pub notes: Vec<String>,
}

/// An operation of the contract.
#[derive(Clone, Debug, Default)]
pub struct OperationMapping {
    /// `None`: the document does not have it.
    pub location: Option<OperationLocation>,
    /// Whether the user said where it is.
    pub decided: bool,
    /// A query parameter of the contract → its name in the document; `None`: the document does not have it.
    pub query: BTreeMap<String, Option<String>>,
    /// Those parameters among them that the document takes as headers.
    pub headers: BTreeSet<String>,
    /// The part of the form that holds the file.
    pub part: Option<String>,
    /// A query parameter of the contract that is a part of the form instead → its name there, and whether the form needs it.
    pub parts: BTreeMap<String, (String, bool)>,
    /// Keys of [`SchemaMapping`]s.
    pub takes: Option<String>,
    /// The [`SchemaMapping`] of the response.
    pub answers: Option<String>,
    /// The documented statuses of success.
    pub success: Vec<String>,
    /// Whether an answer of success has content.
    pub with_content: bool,
    /// How a list comes.
    pub paging: Option<&'static str>,
}

/// Where an operation is.
#[derive(Clone, Debug)]
pub struct OperationLocation {
    /// As the document writes it.
    pub path: String,
    /// The method in lower case.
    pub method: String,
    /// As it goes over the wire, with the contract's names of the parameters.
    pub wire: String,
    /// The document's operationId, where it has one.
    pub id: Option<String>,
}

/// A schema of the document in the place of one of the contract's.
#[derive(Clone, Debug, Default)]
pub struct SchemaMapping {
    /// Names this pair.
    pub key: String,
    /// The document's name for it; inline schemas have none.
    pub name: Option<String>,
    /// The JSON pointer of the schema.
    pub pointer: String,
    /// The description in the document.
    pub description: Option<String>,
    /// The fields of the contract, by name.
    pub fields: BTreeMap<String, FieldMapping>,
    /// The fields that the contract does not know, as the document describes them.
    pub extra_fields: BTreeMap<String, Value>,
    /// Those among them that are required.
    pub required_extra_fields: BTreeSet<String>,
    /// Whether it stands in requests.
    pub is_request: bool,
}

/// A field of the contract.
#[derive(Clone, Debug, Default)]
pub struct FieldMapping {
    /// Its name in the document; `None`: the document does not have it.
    pub wire: Option<String>,
    /// As the document describes it.
    pub schema: Value,
    /// Whether its type is the document's, since the contract's does not fit and nothing depends on it.
    pub uses_document_type: bool,
    /// The [`SchemaMapping`] it leads to.
    pub target: Option<String>,
}

impl Mapping {
    /// Whether names and paths are the contract's own.
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
    /// The pair of this key, and the contract's name of it.
    pub fn bound(&self, key: &str) -> Option<(&str, &SchemaMapping)> {
        self.schemas
            .iter()
            .find_map(|(name, all)| all.iter().find(|bound| bound.key == key).map(|bound| (name.as_str(), bound)))
    }
}

/// Looks for one thing after the other.
#[derive(Clone)]
struct Mapper<'a> {
    document: &'a Value,
    contract: &'a Contract,
    mapping: Mapping,
    findings: Vec<Finding>,
    /// The operation that is looked at.
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

/// Maps the whole contract; all paths stand below `server`. The mapping is complete also when there are findings: what was not found
/// counts as missing.
pub fn map_contract(
    document: &Value,
    server: String,
    contract: &Contract,
    decisions: &Decisions,
) -> (Mapping, Vec<Finding>) {
    let mut search = Mapper {
        document,
        contract,
        mapping: Mapping { server, ..Mapping::default() },
        findings: Vec::new(),
        operation: String::new(),
    };
    for fault in decisions.faults(contract) {
        search.refuse("", fault);
    }
    let places = locations::find(&mut search, decisions);
    let claimed: BTreeSet<(String, String)> =
        places.values().flatten().map(|place| (place.path.clone(), place.method.clone())).collect();
    for (id, spec) in &contract.operations {
        search.operation.clone_from(id);
        let decided = decisions.map.contains_key(id);
        let mapped = if let Some(place) = places.get(id).cloned().flatten() {
            let accepted = decisions.accept_missing.contains(id);
            let mut attempt = search.clone();
            let mapped = attempt.operation(spec, &place);
            let fits = attempt.findings.len() == search.findings.len();
            if fits || !accepted {
                search = attempt;
                OperationMapping { decided, ..mapped }
            } else {
                // The user said beforehand that the facade can do without it.
                search.note(format!("the document's {} does not fit, and may be missing", spec.line()));
                OperationMapping::default()
            }
        } else {
            search.missing(spec, decisions, &claimed);
            OperationMapping::default()
        };
        search.mapping.operations.insert(id.clone(), mapped);
    }
    search.operation.clear();
    search.requests_agree();
    search.findings.sort();
    (search.mapping, search.findings)
}

impl Mapper<'_> {
    /// A model that is sent has one spelling of each field: answers may be read from several.
    fn requests_agree(&mut self) {
        let mut odd: Vec<(String, String)> = Vec::new();
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
                        odd.push((
                            other.pointer.clone(),
                            format!("{name}.{field} is called `{two}` here and `{one}` in {}, and the facade sends one model", first.pointer),
                        ));
                    }
                }
            }
        }
        for (pointer, reason) in odd {
            self.refuse(pointer, reason);
        }
    }

    /// An operation that was not found.
    fn missing(
        &mut self,
        spec: &crate::contract::OperationSpec,
        decisions: &Decisions,
        claimed: &BTreeSet<(String, String)>,
    ) {
        let id = self.operation.clone();
        if decisions.accept_missing.contains(&id) {
            self.note("the document does not have it; accepted: the call answers that it is not supported");
            return;
        }
        if decisions.map.contains_key(&id) {
            // Said already: the place that the user named is not there.
            return;
        }
        let candidates = self.candidates(spec, claimed);
        let perhaps = match candidates.as_slice() {
            [] => String::new(),
            all => {
                let options: Vec<String> = all.iter().map(|place| format!("--map {id}='{place}'")).collect();
                format!("; if it is one of these, say so: {}", options.join(" or "))
            }
        };
        if spec.rank == Rank::Inferred {
            self.note(format!(
                "the document does not have {} (a path that we guessed): the call answers that it is not supported{perhaps}",
                spec.line()
            ));
            return;
        }
        let depends = if spec.rank == Rank::Core { "the main job depends on it" } else { "the facade offers it" };
        self.refuse(
            "/paths",
            format!(
                "no operation has the form {}, and {depends}{perhaps}; to do without it: --accept-missing {id}",
                spec.line()
            ),
        );
    }
}
