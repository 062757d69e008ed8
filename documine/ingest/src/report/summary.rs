//! One pass over the documents of a journal: everything that the report shows above the table, and the rows of the table.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::coverage::{ComponentStatistics, ComponentSummary, DocumentValues};
use super::table::{Row, RowDocument, TableWriter};
use super::timeline::Timeline;
use super::{file, link};
use crate::document::{DocumentRecord, DocumentState, Failure};
use crate::error::Result;
use crate::journal::{Counts, JournalReader};
use crate::text;

/// Files in the report, for each cause of failure.
const SHOWN_FILES: usize = 100;

/// The names of the statuses of rows.
pub(super) const STATUSES: [&str; 3] = ["succeeded", "failed", "not finished"];

/// Failures of the same step for the same reason.
#[derive(Debug, Serialize)]
pub(super) struct FailureGroup {
    pub(super) step: &'static str,
    pub(super) reason: String,
    pub(super) count: u64,
    pub(super) retryable: u64,
    pub(super) files: Vec<FailedFile>,
    pub(super) not_shown: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct FailedFile {
    pub(super) source: String,
    pub(super) href: Option<String>,
    pub(super) cause: String,
    pub(super) attempts: u32,
}

/// The result of the pass.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) counts: Counts,
    pub(super) failures: Vec<FailureGroup>,
    pub(super) components: Vec<ComponentSummary>,
    pub(super) timeline: Timeline,
    pub(super) values: u64,
    /// Documents in the table.
    pub(super) listed: u64,
}

/// Reads all documents and writes the data of the table.
pub(super) fn read(journal: &JournalReader, path: &Path, limit: u64, data: impl Write) -> Result<Summary> {
    let failed = |error| file::failure(path, error);
    let mut summary = Summary::default();
    let mut groups: BTreeMap<(&'static str, String), FailureGroup> = BTreeMap::new();
    let mut components = Components::default();
    let mut table = TableWriter::new(data, limit).map_err(failed)?;
    for document in journal.documents() {
        let document = document?;
        let href = journal.location(&document.source)?.as_deref().and_then(link::href);
        count(&mut summary.counts, &document);
        summary.timeline.add(&document.times);
        if let Some(failure) = &document.failure {
            let group = groups
                .entry((failure.step.as_str(), failure.reason.clone()))
                .or_insert_with(|| FailureGroup::new(failure));
            group.add(&document.source, href.as_deref(), failure);
        }
        summary.values += components.add(&document, href.as_deref());
        let row = RowDocument { source: &document.source, href: href.as_deref(), file_id: document.file_id.as_deref() };
        summary.listed += u64::from(table.add(&row, &rows(&document)).map_err(failed)?);
    }
    table.finish(&STATUSES, &["Value"]).map_err(failed)?;
    summary.failures = groups.into_values().collect();
    summary.failures.sort_by_key(|group| std::cmp::Reverse(group.count));
    summary.components = components.list.into_iter().map(ComponentStatistics::finish).collect();
    Ok(summary)
}

/// The statistics of the components, in the order of their first appearance: that of the template.
#[derive(Default)]
struct Components {
    list: Vec<ComponentStatistics>,
    indices: HashMap<String, usize>,
}

impl Components {
    /// Adds the values of a document and returns their number.
    fn add(&mut self, document: &DocumentRecord, href: Option<&str>) -> u64 {
        let values = DocumentValues { source: &document.source, href };
        let mut count = 0;
        for component in document.components.iter().flat_map(documine::Components::iter) {
            count += component.len() as u64;
            let index = *self.indices.entry(component.name().to_owned()).or_insert(self.list.len());
            if index == self.list.len() {
                self.list.push(ComponentStatistics::new(component.name()));
            }
            self.list[index].add(&component, &values);
        }
        count
    }
}

fn count(counts: &mut Counts, document: &DocumentRecord) {
    counts.total += 1;
    match document.state {
        DocumentState::Succeeded => {
            counts.succeeded += 1;
            counts.pages += u64::from(document.pages.unwrap_or_default());
        }
        DocumentState::Failed => counts.failed += 1,
        DocumentState::Open => counts.open += 1,
    }
}

/// Returns one row for each value; a document without values has one row, with the cause of its failure.
fn rows(document: &DocumentRecord) -> Vec<Row<'_>> {
    let status = match document.state {
        DocumentState::Succeeded => 0,
        DocumentState::Failed => 1,
        DocumentState::Open => 2,
    };
    let values = document.components.iter().flat_map(documine::Components::iter).flat_map(|component| {
        component.iter().map(move |value| Row {
            status,
            component: Some(component.name()),
            page: value.page(),
            rule: value.rule(),
            texts: vec![text::shortened(value.raw())],
        })
    });
    let mut rows: Vec<_> = values.collect();
    if rows.is_empty() {
        let cause = document.failure.as_ref().map_or(Cow::Borrowed(""), |failure| {
            Cow::Owned(text::shortened(&format!("{}: {}", failure.step.as_str(), failure.cause)).into_owned())
        });
        rows.push(Row { status, texts: vec![cause], ..Row::default() });
    }
    rows
}

impl FailureGroup {
    fn new(failure: &Failure) -> Self {
        let (step, reason) = (failure.step.as_str(), failure.reason.clone());
        Self { step, reason, count: 0, retryable: 0, files: Vec::new(), not_shown: 0 }
    }

    fn add(&mut self, source: &str, href: Option<&str>, failure: &Failure) {
        self.count += 1;
        self.retryable += u64::from(failure.retryable);
        if self.files.len() < SHOWN_FILES {
            self.files.push(FailedFile {
                source: source.to_owned(),
                href: href.map(str::to_owned),
                cause: failure.cause.clone(),
                attempts: failure.attempts,
            });
        } else {
            self.not_shown += 1;
        }
    }
}
