//! Merges two journals in the order of their sources.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::iter::Peekable;

use documine::Components;
use documine::extract::Component;

use super::{
    ChangeKind, ComponentChange, ComponentCounts, ContentChange, Difference, DifferenceCounts, DocumentDifference,
    JournalSummary, OutcomeChange, Presence, VERSION, ValueWithOrigin,
};
use crate::document::DocumentRecord;
use crate::error::Result;
use crate::journal::{Documents, JournalReader};

pub(super) fn compare(before: &JournalReader, after: &JournalReader, most_documents: usize) -> Result<Difference> {
    let moves = Moves::find(before, after)?;
    let mut comparison = Comparison { most_documents, ..Comparison::default() };
    for pair in Merge::new(before.documents(), after.documents()) {
        match pair? {
            Pair::Both(old, new) => comparison.add(&old, &new, None, after)?,
            Pair::Before(old) if moves.from.contains(&old.source) => {}
            Pair::Before(old) => {
                comparison.counts.only_before += 1;
                comparison.list(&old.source, Presence::OnlyBefore, before)?;
            }
            Pair::After(new) => match moves.to.get(&new.source) {
                // A journal that another process writes can lose a document between the two passes.
                Some(source) if let Some(old) = before.document(source)? => {
                    comparison.counts.moved += 1;
                    comparison.add(&old, &new, Some(source), after)?;
                }
                _ => {
                    comparison.counts.only_after += 1;
                    comparison.list(&new.source, Presence::OnlyAfter, after)?;
                }
            },
        }
    }
    Ok(Difference {
        version: VERSION,
        before: summary(before)?,
        after: summary(after)?,
        counts: comparison.counts,
        components: comparison.components,
        documents: comparison.documents,
        documents_left_out: comparison.left_out,
    })
}

fn summary(journal: &JournalReader) -> Result<JournalSummary> {
    Ok(JournalSummary {
        path: journal.path().display().to_string(),
        template: journal.setting("dossier_template_id")?,
        counts: journal.counts()?,
    })
}

/// Documents with the same content under another source.
#[derive(Default)]
struct Moves {
    /// Sources of the second journal, with those of the first.
    to: HashMap<String, String>,
    /// Sources of the first journal.
    from: HashSet<String>,
}

impl Moves {
    /// Matches the documents that are in one journal only by their content. Equal contents are matched in the order of their sources.
    fn find(before: &JournalReader, after: &JournalReader) -> Result<Self> {
        let mut gone: HashMap<String, VecDeque<String>> = HashMap::new();
        let mut new = Vec::new();
        for pair in Merge::new(before.documents_without_components(), after.documents_without_components()) {
            match pair? {
                Pair::Both(..) => {}
                Pair::Before(document) => {
                    let DocumentRecord { source, sha256, .. } = *document;
                    if let Some(sha256) = sha256 {
                        gone.entry(sha256).or_default().push_back(source);
                    }
                }
                Pair::After(document) => {
                    let DocumentRecord { source, sha256, .. } = *document;
                    new.extend(sha256.map(|sha256| (sha256, source)));
                }
            }
        }
        let mut moves = Self::default();
        for (sha256, source) in new {
            if let Some(old) = gone.get_mut(&sha256).and_then(VecDeque::pop_front) {
                moves.from.insert(old.clone());
                moves.to.insert(source, old);
            }
        }
        Ok(moves)
    }
}

/// The documents of two journals in the order of their sources.
struct Merge<'a> {
    before: Peekable<Documents<'a>>,
    after: Peekable<Documents<'a>>,
}

enum Pair {
    Both(Box<DocumentRecord>, Box<DocumentRecord>),
    Before(Box<DocumentRecord>),
    After(Box<DocumentRecord>),
}

impl<'a> Merge<'a> {
    fn new(before: Documents<'a>, after: Documents<'a>) -> Self {
        Self { before: before.peekable(), after: after.peekable() }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.before.peek(), self.after.peek()) {
            (None, None) => return None,
            // SQLite compares the bytes of texts, as `str` does.
            (Some(Ok(before)), Some(Ok(after))) => before.source.cmp(&after.source),
            // An error is taken at once.
            (Some(Err(_)), _) | (_, None) => Ordering::Less,
            (_, Some(_)) => Ordering::Greater,
        };
        let before = if order.is_le() { self.before.next() } else { None };
        let after = if order.is_ge() { self.after.next() } else { None };
        let pair = match (before.transpose(), after.transpose()) {
            (Err(error), _) | (_, Err(error)) => return Some(Err(error)),
            (Ok(Some(before)), Ok(Some(after))) => Pair::Both(Box::new(before), Box::new(after)),
            (Ok(Some(before)), Ok(None)) => Pair::Before(Box::new(before)),
            (Ok(None), Ok(Some(after))) => Pair::After(Box::new(after)),
            (Ok(None), Ok(None)) => return None,
        };
        Some(Ok(pair))
    }
}

#[derive(Default)]
struct Comparison {
    counts: DifferenceCounts,
    components: Vec<ComponentCounts>,
    indices: HashMap<String, usize>,
    documents: Vec<DocumentDifference>,
    left_out: u64,
    most_documents: usize,
}

impl Comparison {
    /// Compares a document of both journals.
    fn add(
        &mut self,
        old: &DocumentRecord,
        new: &DocumentRecord,
        moved_from: Option<&str>,
        journal: &JournalReader,
    ) -> Result<()> {
        let outcome = (old.state != new.state).then(|| OutcomeChange {
            before: old.state,
            after: new.state,
            failure: new.failure.clone().or_else(|| old.failure.clone()),
        });
        let content = match (&old.sha256, &new.sha256) {
            (Some(before), Some(after)) if before != after => {
                Some(ContentChange { before: before.clone(), after: after.clone() })
            }
            _ => None,
        };
        let components = match (&old.components, &new.components) {
            (Some(before), Some(after)) => self.compare_components(before, after),
            _ => Vec::new(),
        };
        let counts = &mut self.counts;
        counts.compared += 1;
        counts.outcome_changed += u64::from(outcome.is_some());
        counts.content_changed += u64::from(content.is_some());
        counts.values_changed += u64::from(!components.is_empty());
        if outcome.is_none() && content.is_none() && components.is_empty() {
            return Ok(());
        }
        counts.different += 1;
        self.push(journal, |location| DocumentDifference {
            source: new.source.clone(),
            presence: Presence::Both,
            moved_from: moved_from.map(str::to_owned),
            outcome,
            content,
            components,
            location,
        })
    }

    /// Lists a document of one journal.
    fn list(&mut self, source: &str, presence: Presence, journal: &JournalReader) -> Result<()> {
        self.push(journal, |location| DocumentDifference {
            source: source.to_owned(),
            presence,
            moved_from: None,
            outcome: None,
            content: None,
            components: Vec::new(),
            location,
        })
    }

    fn push(
        &mut self,
        journal: &JournalReader,
        document: impl FnOnce(Option<String>) -> DocumentDifference,
    ) -> Result<()> {
        if self.documents.len() >= self.most_documents {
            self.left_out += 1;
            return Ok(());
        }
        let mut document = document(None);
        document.location = journal.location(&document.source)?;
        self.documents.push(document);
        Ok(())
    }

    fn compare_components(&mut self, before: &Components, after: &Components) -> Vec<ComponentChange> {
        let gone = before.names().filter(|name| after.get(name).is_none());
        let mut changes = Vec::new();
        for name in after.names().chain(gone) {
            let (old, new) = (before.values(name), after.values(name));
            let kind = match (old.is_empty(), new.is_empty()) {
                _ if old == new => None,
                (true, _) => Some(ChangeKind::Added),
                (_, true) => Some(ChangeKind::Lost),
                _ => Some(ChangeKind::Changed),
            };
            let counts = self.counts_of(name);
            *match kind {
                None => &mut counts.equal,
                Some(ChangeKind::Added) => &mut counts.added,
                Some(ChangeKind::Lost) => &mut counts.lost,
                Some(ChangeKind::Changed) => &mut counts.changed,
            } += 1;
            if let Some(kind) = kind {
                let component = name.to_owned();
                let (before, after) = (values(before.get(name)), values(after.get(name)));
                changes.push(ComponentChange { component, kind, before, after });
            }
        }
        changes
    }

    fn counts_of(&mut self, name: &str) -> &mut ComponentCounts {
        let next = self.components.len();
        let index = *self.indices.entry(name.to_owned()).or_insert(next);
        if index == next {
            self.components.push(ComponentCounts { component: name.to_owned(), ..ComponentCounts::default() });
        }
        &mut self.components[index]
    }
}

fn values(component: Option<Component<'_>>) -> Vec<ValueWithOrigin> {
    let values = component.iter().flat_map(Component::iter).map(|value| ValueWithOrigin {
        value: value.raw().to_owned(),
        page: value.page(),
        rule: value.rule().map(str::to_owned),
    });
    values.collect()
}
