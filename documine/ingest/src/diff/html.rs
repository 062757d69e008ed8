//! The difference as an HTML page in the style of the run report.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::{ChangeKind, ComponentCounts, Difference, DifferenceCounts, DocumentDifference, Presence, ValueWithOrigin};
use crate::journal::Counts;
use crate::report::page::Page;
use crate::report::table::{Row, RowDocument, TableWriter};
use crate::report::{link, plot};
use crate::text::{count, shortened};

/// The names of the statuses of rows. The style sheet colours the first three.
const STATUSES: [&str; 7] = ["added", "lost", "changed", "other outcome", "other content", "only before", "only after"];
const OTHER_OUTCOME: usize = 3;
const OTHER_CONTENT: usize = 4;
const ONLY_BEFORE: usize = 5;
const ONLY_AFTER: usize = 6;

#[derive(Serialize)]
struct Context<'a> {
    title: &'static str,
    has_differences: bool,
    sentence: String,
    journals: [Journal<'a>; 2],
    counts: DifferenceCounts,
    components: Vec<ComponentRow<'a>>,
    left_out: u64,
}

#[derive(Serialize)]
struct Journal<'a> {
    label: &'static str,
    path: &'a str,
    template: Option<&'a str>,
    counts: Counts,
}

#[derive(Serialize)]
struct ComponentRow<'a> {
    #[serde(flatten)]
    counts: &'a ComponentCounts,
    bar: String,
}

pub(super) fn write(difference: &Difference, writer: &mut impl Write) -> io::Result<()> {
    let counts = difference.counts;
    let sentence = if difference.has_differences() {
        let total = counts.different + counts.only_before + counts.only_after;
        let all = counts.compared + counts.only_before + counts.only_after;
        format!("{} of {} documents differ", count(total), count(all))
    } else {
        "No differences".to_owned()
    };
    let context = Context {
        title: "Difference of two runs",
        has_differences: difference.has_differences(),
        sentence,
        journals: [("Before", &difference.before), ("After", &difference.after)].map(|(label, journal)| Journal {
            label,
            path: &journal.path,
            template: journal.template.as_deref(),
            counts: journal.counts,
        }),
        counts,
        components: difference.components.iter().map(ComponentRow::new).collect(),
        left_out: difference.documents_left_out,
    };
    Page::render("difference.html", &context)?.write(writer, |data| {
        let mut table = TableWriter::new(data, u64::MAX)?;
        for document in &difference.documents {
            let href = document.location.as_deref().and_then(link::href);
            let head = RowDocument { source: &document.source, href: href.as_deref(), file_id: None };
            table.add(&head, &rows(document))?;
        }
        table.finish(&STATUSES, &["Before", "After"]).map(drop)
    })
}

impl<'a> ComponentRow<'a> {
    fn new(counts: &'a ComponentCounts) -> Self {
        let bar = plot::shares(&[
            ("added", counts.added),
            ("changed", counts.changed),
            ("lost", counts.lost),
            ("equal", counts.equal),
        ]);
        Self { counts, bar }
    }
}

fn rows(document: &DocumentDifference) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut plain =
        |status, texts: [Cow<'static, str>; 2]| rows.push(Row { status, texts: texts.into(), ..Row::default() });
    match document.presence {
        Presence::Both => {}
        Presence::OnlyBefore => plain(ONLY_BEFORE, ["".into(), "".into()]),
        Presence::OnlyAfter => plain(ONLY_AFTER, ["".into(), "".into()]),
    }
    if let Some(outcome) = &document.outcome {
        let cause = outcome
            .failure
            .as_ref()
            .map_or_else(String::new, |failure| format!(": {}: {}", failure.step.as_str(), shortened(&failure.cause)));
        let text = |state: crate::document::DocumentState| {
            let cause = if state == crate::document::DocumentState::Failed { cause.as_str() } else { "" };
            Cow::Owned(format!("{}{cause}", state.as_str()))
        };
        plain(OTHER_OUTCOME, [text(outcome.before), text(outcome.after)]);
    }
    if let Some(content) = &document.content {
        plain(OTHER_CONTENT, [content.before.clone().into(), content.after.clone().into()]);
    }
    rows.extend(document.components.iter().map(|change| {
        // A lost value is found where it was.
        let origin = change.after.first().or(change.before.first());
        Row {
            status: match change.kind {
                ChangeKind::Added => 0,
                ChangeKind::Lost => 1,
                ChangeKind::Changed => 2,
            },
            component: Some(&change.component),
            page: origin.and_then(|value| value.page),
            rule: origin.and_then(|value| value.rule.as_deref()),
            texts: vec![list(&change.before), list(&change.after)],
        }
    }));
    rows
}

fn list(values: &[ValueWithOrigin]) -> Cow<'_, str> {
    match values {
        [] => Cow::Borrowed(""),
        [value] => shortened(&value.value),
        several => Cow::Owned(
            several.iter().map(|value| format!("• {}", shortened(&value.value))).collect::<Vec<_>>().join("\n"),
        ),
    }
}
