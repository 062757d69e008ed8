//! The plan by which components are passed to serde, and its adaptation to failures.
//!
//! A struct without `flatten` requests a type for each field. Behind `flatten` (and in tagged enums) serde buffers values before the field is known,
//! and rejects a text where a number is expected. Therefore the first attempt passes texts. A mismatch names the rejected text and the expected
//! type, and the next attempt passes the component with that text in that form. If several components have the same text, attempts with a sentinel
//! in place of one of them show which component was rejected.
//!
//! Empty lists are handled the same way: `None` for an `Option`, an empty list for a `Vec`, omitted for a `#[serde(default)]`.

use std::cell::Cell;

use super::component::Component;
use super::entry::{Access, ComponentEntry, ExpectedType};
use super::failure::{Failure, FailureKind, ReceivedValue, quoted_list};
use super::value::{ComponentValues, Origins, Sentinel};

pub(super) struct ReadPlan<'a> {
    entries: Vec<ComponentEntry<'a>>,
    probe: Option<Probe>,
    /// The fields of the type, if it is a struct without `flatten`.
    pub(super) fields: Cell<Option<&'static [&'static str]>>,
}

/// A sentinel in place of a value, or a component that is omitted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Probe {
    location: ValueLocation,
    sentinel: Option<Sentinel>,
}

/// A component, and optionally one of its values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ValueLocation {
    entry: usize,
    element: Option<usize>,
}

/// Runs one attempt with a plan.
pub(super) type AttemptFn<'f> = dyn Fn(&ReadPlan<'_>) -> Option<Failure> + 'f;

impl<'a> ReadPlan<'a> {
    pub(super) fn new(components: &[Component<'a>]) -> Self {
        let entries = components.iter().map(|component| ComponentEntry::new(*component)).collect();
        Self { entries, probe: None, fields: Cell::default() }
    }

    /// Resets the record of the way in which components were read.
    pub(super) fn reset(&self) {
        for entry in &self.entries {
            entry.access.set(Access::Typed);
        }
    }

    /// Returns the components that the type does not read. The last attempt must have succeeded.
    pub(super) fn unread(&mut self, attempt: &AttemptFn<'_>) -> Vec<&'a str> {
        let access: Vec<Access> = self.entries.iter().map(|entry| entry.access.get()).collect();
        let mut unread = Vec::new();
        for (entry, access) in access.into_iter().enumerate() {
            let is_unread = match access {
                Access::Typed => false,
                Access::Ignored => true,
                // Serde drops buffered components that no field reads; a field rejects the sentinel.
                Access::Buffered => {
                    let location = ValueLocation { entry, element: None };
                    self.probe = Some(Probe { location, sentinel: Some(Sentinel::Bytes) });
                    let outcome = attempt(self);
                    self.probe = None;
                    outcome.is_none()
                }
            };
            if is_unread {
                unread.extend(self.name(entry));
            }
        }
        unread
    }

    pub(super) fn name(&self, index: usize) -> Option<&'a str> {
        self.entries.get(index).map(|entry| entry.name)
    }

    pub(super) fn entry(&self, index: usize) -> Option<(&'a str, ComponentValues<'_>)> {
        let entry = self.entries.get(index)?;
        let probe = self.probe.filter(|probe| probe.location.entry == index);
        let sentinel = probe.and_then(|probe| Some((probe.location.element, probe.sentinel?)));
        Some((
            entry.name,
            ComponentValues {
                texts: entry.texts,
                shape: entry.shape,
                forms: &entry.forms,
                sourced: entry.sourced,
                origins: Origins::Component(entry.component),
                access: Some(&entry.access),
                sentinel,
            },
        ))
    }

    /// Returns whether the component is hidden from a type with these fields (a map, if there are none).
    pub(super) fn skips(&self, index: usize, fields: Option<&[&str]>) -> bool {
        let omitted = self.probe.is_some_and(|probe| probe.location.entry == index && probe.sentinel.is_none());
        omitted || self.entries.get(index).is_some_and(|entry| entry.is_skipped(fields))
    }

    /// Adapts the plan to a failure. Returns false if no change can help.
    pub(super) fn adapt_to(&mut self, failure: &Failure, attempt: &AttemptFn<'_>) -> bool {
        match (&failure.kind, &failure.component) {
            (FailureKind::Missing(name), _) => self.change(name, ComponentEntry::pass_empty_list),
            (FailureKind::NoValue, Some(name)) => self.change(name, ComponentEntry::hide_empty_list),
            (FailureKind::Variant { .. }, None) => {
                let location = self.locate_field(failure, attempt);
                location.and_then(|location| self.entries.get_mut(location.entry)).is_some_and(ComponentEntry::trim)
            }
            (FailureKind::InvalidType { found, expected }, None) => {
                let Some(location) = self.locate_field(failure, attempt) else { return false };
                self.entries
                    .get_mut(location.entry)
                    .is_some_and(|entry| entry.adapt(found, location.element, ExpectedType::new(expected)))
            }
            _ => false,
        }
    }

    fn change(&mut self, name: &str, change: fn(&mut ComponentEntry<'a>) -> bool) -> bool {
        self.entries.iter_mut().find(|entry| entry.name == name).is_some_and(change)
    }

    /// Adds component and value to a failure behind serde's buffer.
    pub(super) fn add_location(&mut self, failure: Failure, attempt: &AttemptFn<'_>) -> Failure {
        if failure.component.is_some() {
            return failure;
        }
        let Some(location) = self.locate_field(&failure, attempt) else { return failure };
        let Some(entry) = self.entries.get(location.entry) else { return failure };
        let mut failure = failure.in_component(entry.name);
        match (&failure.kind, location.element) {
            (FailureKind::InvalidType { found: ReceivedValue::List, .. }, _) if entry.texts.len() > 1 => {
                failure.kind = FailureKind::Count { count: entry.texts.len(), expected: "one".to_owned() };
            }
            (FailureKind::InvalidType { found: ReceivedValue::Unit, .. }, None) if entry.texts.is_empty() => {
                failure.kind = FailureKind::NoValue;
            }
            (_, Some(element)) if entry.texts.len() > 1 => failure = failure.with_index(element),
            _ => {}
        }
        match (location.element.and_then(|element| entry.texts.get(element)), entry.texts) {
            (Some(text), _) | (None, [text]) => failure.with_value(text),
            (None, []) => failure,
            (None, several) => failure.with_value(&quoted_list(several)),
        }
    }

    /// Returns the component that caused a failure, with further attempts if there are several candidates.
    fn locate_field(&mut self, failure: &Failure, attempt: &AttemptFn<'_>) -> Option<ValueLocation> {
        let candidates = self.candidates(failure);
        if let [only] = candidates[..]
            && !matches!(failure.kind, FailureKind::Other(_) | FailureKind::NoValue)
        {
            return Some(only);
        }
        let sentinel = failure.sentinel();
        let mut matches = Vec::new();
        for location in candidates {
            self.probe = Some(Probe { location, sentinel });
            let outcome = attempt(self);
            self.probe = None;
            let is_match = match sentinel {
                Some(sentinel) => outcome.is_some_and(|outcome| outcome.is_caused_by(sentinel, failure)),
                // Without the component, the same failure must have another cause.
                None => outcome.as_ref() != Some(failure),
            };
            if is_match {
                matches.push(location);
                // A sentinel identifies one component; omitting components may change the failure in other ways.
                if sentinel.is_some() {
                    break;
                }
            }
        }
        if let [only] = matches[..] { Some(only) } else { None }
    }

    fn candidates(&self, failure: &Failure) -> Vec<ValueLocation> {
        let all = self.entries.iter().enumerate().filter(|(_, entry)| entry.access.get() == Access::Buffered);
        let component = |entry| ValueLocation { entry, element: None };
        match (&failure.kind, failure.found()) {
            (_, Some(found @ (ReceivedValue::Text(_) | ReceivedValue::Scalar(_)))) => all
                .flat_map(|(index, entry)| {
                    entry.positions(&found).into_iter().map(move |at| ValueLocation { entry: index, element: Some(at) })
                })
                .collect(),
            (_, Some(found)) => {
                all.filter(|(_, entry)| entry.may_have_passed(&found)).map(|(index, _)| component(index)).collect()
            }
            (FailureKind::Count { count, .. }, None) => {
                all.filter(|(_, entry)| entry.texts.len() == *count).map(|(index, _)| component(index)).collect()
            }
            (FailureKind::Other(_) | FailureKind::NoValue, None) => all.map(|(index, _)| component(index)).collect(),
            _ => Vec::new(),
        }
    }
}

impl Failure {
    /// Returns the value that the visitor received, if the failure is about a value.
    fn found(&self) -> Option<ReceivedValue> {
        match (&self.kind, &self.value) {
            (FailureKind::InvalidType { found, .. } | FailureKind::InvalidValue { found, .. }, _) => {
                Some(found.clone())
            }
            (FailureKind::Variant { .. }, Some(value)) => Some(ReceivedValue::Text(value.clone())),
            _ => None,
        }
    }

    /// Returns a sentinel that the same visitor rejects, too; `None` if omitting the component is more conclusive.
    fn sentinel(&self) -> Option<Sentinel> {
        match &self.kind {
            FailureKind::InvalidType { found, expected } | FailureKind::InvalidValue { found, expected } => {
                let takes_texts = matches!(ExpectedType::new(expected), ExpectedType::Text | ExpectedType::Other);
                Some(if takes_texts && !matches!(found, ReceivedValue::Text(_)) {
                    Sentinel::Number
                } else {
                    Sentinel::Text
                })
            }
            FailureKind::Variant { .. } => Some(Sentinel::Text),
            _ => None,
        }
    }

    /// Returns whether this is the failure `first` again, caused by the sentinel.
    fn is_caused_by(&self, sentinel: Sentinel, first: &Self) -> bool {
        let same = match (&self.kind, &first.kind) {
            (
                FailureKind::InvalidType { expected: now, .. } | FailureKind::InvalidValue { expected: now, .. },
                FailureKind::InvalidType { expected, .. } | FailureKind::InvalidValue { expected, .. },
            ) => now == expected,
            (FailureKind::Variant { known: now }, FailureKind::Variant { known }) => now == known,
            _ => false,
        };
        same && self.found().is_some_and(|found| match found {
            ReceivedValue::Text(text) => sentinel == Sentinel::Text && text == Sentinel::TEXT,
            ReceivedValue::Scalar(number) => sentinel == Sentinel::Number && number == Sentinel::NUMBER.to_string(),
            _ => false,
        })
    }
}
