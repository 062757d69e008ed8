//! How each component is handed to serde, and what a failure teaches about it.
//!
//! A struct without `flatten` says for each field which type it wants. Behind `flatten` (and in tagged enums) serde buffers values before it
//! knows the field, and refuses a text where a number is wanted. So the first attempt gives texts; a mismatch says what was wanted of
//! which text, and in the next attempt the component with that text is given that way. When several components hold that text, attempts
//! with a mark in the place of one of them tell which one it is.
//! The same for empty lists: nothing for an `Option`, an empty list for a `Vec`, left out for a `#[serde(default)]`.

use super::entry::{Entry, Want};
use super::failure::{Failure, Found, Kind, list};
use super::value::{Mark, Values};

pub(super) struct Plan<'a> {
    entries: Vec<Entry<'a>>,
    probe: Option<Probe>,
}

/// The place of a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Probe {
    place: Place,
    mark: Option<Mark>,
}

/// A component, and one of its values if it is about that.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    entry: usize,
    element: Option<usize>,
}

/// Makes one attempt by a plan.
pub(super) type Attempt<'f> = dyn Fn(&Plan<'_>) -> Option<Failure> + 'f;

impl<'a> Plan<'a> {
    pub(super) fn new(listed: &[(&'a str, &'a [String])]) -> Self {
        Self { entries: listed.iter().map(|(name, texts)| Entry::new(name, texts)).collect(), probe: None }
    }

    /// Forgets what the last attempt buffered.
    pub(super) fn begin(&self) {
        for entry in &self.entries {
            entry.buffered.set(false);
        }
    }

    pub(super) fn name(&self, index: usize) -> Option<&'a str> {
        self.entries.get(index).map(|entry| entry.name)
    }

    pub(super) fn entry(&self, index: usize) -> Option<(&'a str, Values<'_>)> {
        let entry = self.entries.get(index)?;
        let probe = self.probe.filter(|probe| probe.place.entry == index);
        let mark = probe.and_then(|probe| Some((probe.place.element, probe.mark?)));
        Some((
            entry.name,
            Values {
                texts: entry.texts,
                shape: entry.shape,
                items: &entry.items,
                buffered: Some(&entry.buffered),
                mark,
            },
        ))
    }

    /// Whether a type with these fields (a map, if none are given) is not to see the component.
    pub(super) fn skips(&self, index: usize, fields: Option<&[&str]>) -> bool {
        let left_out = self.probe.is_some_and(|probe| probe.place.entry == index && probe.mark.is_none());
        left_out || self.entries.get(index).is_some_and(|entry| entry.is_skipped(fields))
    }

    /// Changes the plan so that the next attempt gets further; false when there is nothing to try.
    pub(super) fn learn(&mut self, failure: &Failure, attempt: &Attempt<'_>) -> bool {
        match (&failure.kind, &failure.component) {
            (Kind::Missing(name), _) => self.change(name, Entry::supply),
            (Kind::NoValue, Some(name)) => self.change(name, Entry::skip),
            (Kind::Variant { .. }, None) => {
                let place = self.culprit(failure, attempt);
                place.and_then(|place| self.entries.get_mut(place.entry)).is_some_and(Entry::trim)
            }
            (Kind::Mismatch { found, expected }, None) => {
                let Some(place) = self.culprit(failure, attempt) else { return false };
                self.entries
                    .get_mut(place.entry)
                    .is_some_and(|entry| entry.adapt(found, place.element, Want::new(expected)))
            }
            _ => false,
        }
    }

    fn change(&mut self, name: &str, how: fn(&mut Entry<'a>) -> bool) -> bool {
        self.entries.iter_mut().find(|entry| entry.name == name).is_some_and(how)
    }

    /// Names the component and the value of a failure behind the buffer.
    pub(super) fn locate(&mut self, failure: Failure, attempt: &Attempt<'_>) -> Failure {
        if failure.component.is_some() {
            return failure;
        }
        let Some(place) = self.culprit(&failure, attempt) else { return failure };
        let Some(entry) = self.entries.get(place.entry) else { return failure };
        let mut failure = failure.at(entry.name);
        match (&failure.kind, place.element) {
            (Kind::Mismatch { found: Found::List, .. }, _) if entry.texts.len() > 1 => {
                failure.kind = Kind::Count { count: entry.texts.len(), expected: "one".to_owned() };
            }
            (Kind::Mismatch { found: Found::Nothing, .. }, None) if entry.texts.is_empty() => {
                failure.kind = Kind::NoValue;
            }
            (_, Some(element)) if entry.texts.len() > 1 => failure = failure.with_index(element),
            _ => {}
        }
        match (place.element.and_then(|element| entry.texts.get(element)), entry.texts) {
            (Some(text), _) | (None, [text]) => failure.with_value(text),
            (None, []) => failure,
            (None, several) => failure.with_value(&list(several)),
        }
    }

    /// Which component a failure is about, when its own words leave more than one.
    fn culprit(&mut self, failure: &Failure, attempt: &Attempt<'_>) -> Option<Place> {
        let suspects = self.suspects(failure);
        if let [only] = suspects[..]
            && !matches!(failure.kind, Kind::Other(_))
        {
            return Some(only);
        }
        let mark = failure.mark();
        let mut convicted = Vec::new();
        for place in suspects {
            self.probe = Some(Probe { place, mark });
            let outcome = attempt(self);
            self.probe = None;
            let guilty = match mark {
                Some(mark) => outcome.is_some_and(|outcome| outcome.shows(mark, failure)),
                // Left out: the same failure can only come from elsewhere.
                None => outcome.as_ref() != Some(failure),
            };
            if guilty {
                convicted.push(place);
                // A mark convicts one; leaving out may change the failure in other ways too.
                if mark.is_some() {
                    break;
                }
            }
        }
        if let [only] = convicted[..] { Some(only) } else { None }
    }

    fn suspects(&self, failure: &Failure) -> Vec<Place> {
        let all = self.entries.iter().enumerate().filter(|(_, entry)| entry.buffered.get());
        let whole = |entry| Place { entry, element: None };
        match (&failure.kind, failure.found()) {
            (_, Some(found @ (Found::Text(_) | Found::Parsed(_)))) => all
                .flat_map(|(index, entry)| {
                    entry.positions(&found).into_iter().map(move |at| Place { entry: index, element: Some(at) })
                })
                .collect(),
            (_, Some(found)) => all.filter(|(_, entry)| entry.gave(&found)).map(|(index, _)| whole(index)).collect(),
            (Kind::Count { count, .. }, None) => {
                all.filter(|(_, entry)| entry.texts.len() == *count).map(|(index, _)| whole(index)).collect()
            }
            (Kind::Other(_), None) => all.map(|(index, _)| whole(index)).collect(),
            _ => Vec::new(),
        }
    }
}

impl Failure {
    /// What the reader was given, if the failure is about that.
    fn found(&self) -> Option<Found> {
        match (&self.kind, &self.value) {
            (Kind::Mismatch { found, .. } | Kind::Refused { found, .. }, _) => Some(found.clone()),
            (Kind::Variant { .. }, Some(value)) => Some(Found::Text(value.clone())),
            _ => None,
        }
    }

    /// A mark that the reader who complained will not accept either; `None` when leaving the component out tells more.
    fn mark(&self) -> Option<Mark> {
        match &self.kind {
            Kind::Mismatch { found, expected } | Kind::Refused { found, expected } => {
                let takes_texts = matches!(Want::new(expected), Want::Text | Want::Else);
                Some(if takes_texts && !matches!(found, Found::Text(_)) { Mark::Number } else { Mark::Text })
            }
            Kind::Variant { .. } => Some(Mark::Text),
            _ => None,
        }
    }

    /// Whether this is the failure `first` again, but about the mark.
    fn shows(&self, mark: Mark, first: &Self) -> bool {
        let same = match (&self.kind, &first.kind) {
            (
                Kind::Mismatch { expected: now, .. } | Kind::Refused { expected: now, .. },
                Kind::Mismatch { expected, .. } | Kind::Refused { expected, .. },
            ) => now == expected,
            (Kind::Variant { known: now }, Kind::Variant { known }) => now == known,
            _ => false,
        };
        same && self.found().is_some_and(|found| match found {
            Found::Text(text) => mark == Mark::Text && text == Mark::TEXT,
            Found::Parsed(number) => mark == Mark::Number && number == Mark::NUMBER.to_string(),
            _ => false,
        })
    }
}
