//! Compares the components of a file with a type and collects every problem.

use std::collections::VecDeque;
use std::fmt::{self, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::component::Component;
use super::de::{attempt, read};
use super::error::{ExtractError, short_name};
use super::failure::{Failure, FailureKind, quoted_list, truncated};
use super::named_values::NamedValues;
use super::plan::ReadPlan;

/// Most problems in a report: each one costs another reading of the type.
const MAX_PROBLEMS: usize = 1_000;

/// Every difference between the components of a file and a type: missing, extra and unparsable components.
///
/// Created by [`Components::check`](crate::Components::check). `Display` has one line for each problem; the report can be serialized.
///
/// Serde stops at the first error. The report continues by reading the type again with other texts in place of the rejected ones, so `Deserialize`
/// of the type runs several times. A type that accepts none of these texts ends the report early, and so do 1,000 problems;
/// [`is_complete`](Self::is_complete) is `false` then.
///
/// ```
/// use documine::extract::NamedValues;
///
/// #[derive(serde::Deserialize)]
/// # #[allow(dead_code)]
/// struct Study { title: String, animals: u32, doses: Vec<f64>, sponsor: Option<String> }
///
/// let (animals, doses, note) = (["many".to_owned()], ["1".to_owned(), "x".to_owned(), "y".to_owned()], ["".to_owned()]);
/// let values = NamedValues::new([("animals", &animals[..]), ("doses", &doses[..]), ("note", &note[..])]);
/// let report = values.of_file(Some("a.pdf"), None).check::<Study>();
/// assert!(!report.is_satisfied());
/// assert_eq!(
///     report.to_string(),
///     "a.pdf does not fit Study: 1 missing, 3 unparsable, 1 extra\n  \
///      component \"title\" (field Study.title) is missing; the file has \"animals\", \"doses\", \"note\"\n  \
///      component \"animals\" (field Study.animals): expected a whole number from 0 to 4294967295, found \"many\"\n  \
///      component \"doses\" (field Study.doses[1]): expected a number, found \"x\"\n  \
///      component \"doses\" (field Study.doses[2]): expected a number, found \"y\"\n  \
///      extra: \"note\""
/// );
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct ExtractReport {
    type_name: String,
    file: Option<String>,
    missing: Vec<ExtractError>,
    unparsable: Vec<ExtractError>,
    extra: Vec<String>,
    rejects_extra: bool,
    complete: bool,
}

impl ExtractReport {
    /// Returns the required components that are not listed or have no value.
    pub fn missing(&self) -> &[ExtractError] {
        &self.missing
    }

    /// Returns the values that do not fit their field, one error for each value.
    pub fn unparsable(&self) -> &[ExtractError] {
        &self.unparsable
    }

    /// Returns the components that the type does not read, in the order of the template.
    ///
    /// They are no obstacle, except for a type with `deny_unknown_fields`: see [`rejects_extra`](Self::rejects_extra). An optional struct behind `#[serde(flatten)]` reads nothing if any of its
    /// values is invalid, so its components may be listed.
    pub fn extra(&self) -> &[String] {
        &self.extra
    }

    /// Returns whether the type rejects extra components (`deny_unknown_fields`), so that [`extract`](NamedValues::extract) fails.
    pub fn rejects_extra(&self) -> bool {
        self.rejects_extra
    }

    /// Returns whether all required components are present, all values fit, and the type rejects no extra component.
    pub fn is_satisfied(&self) -> bool {
        self.missing.is_empty() && self.unparsable.is_empty() && !self.rejects_extra
    }

    /// Returns whether the report lists every problem. `false` if the type could not be read past a problem, or after 1,000 problems.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl ExtractReport {
    fn count(&self) -> usize {
        self.missing.len() + self.unparsable.len() + self.extra.len()
    }
}

impl Display for ExtractReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_deref().map_or_else(|| "the file".to_owned(), |file| truncated(file, 200));
        let (missing, unparsable, extra) = (self.missing.len(), self.unparsable.len(), self.extra.len());
        let fits = if self.is_satisfied() { "fits" } else { "does not fit" };
        write!(f, "{file} {fits} {}: {missing} missing, {unparsable} unparsable, {extra} extra", self.type_name)?;
        for error in self.missing.iter().chain(&self.unparsable) {
            f.write_str("\n  ")?;
            error.write_reason(f)?;
        }
        if !self.extra.is_empty() {
            let rejected = if self.rejects_extra { " (rejected by `deny_unknown_fields`)" } else { "" };
            write!(f, "\n  extra{rejected}: {}", quoted_list(&self.extra))?;
        }
        if !self.complete {
            let reason = if self.count() < MAX_PROBLEMS {
                "the type could not be read past the last one"
            } else {
                "the report ends here because of their number"
            };
            write!(f, "\n  more problems are possible: {reason}")?;
        }
        Ok(())
    }
}

impl NamedValues<'_> {
    /// Compares the components with the type and returns every problem instead of the first.
    #[must_use = "the report says whether the type can be read"]
    pub fn check<T: DeserializeOwned>(&self) -> ExtractReport {
        let mut trial = Trial { given: self, changes: Vec::new() };
        let mut report = ExtractReport {
            type_name: short_name(std::any::type_name::<T>()).to_owned(),
            file: self.file_name.or(self.file_id).map(str::to_owned),
            missing: Vec::new(),
            unparsable: Vec::new(),
            extra: Vec::new(),
            rejects_extra: false,
            complete: true,
        };
        loop {
            match trial.read::<T>() {
                Ok(unread) => {
                    report.extra.extend(unread.into_iter().filter(|name| !trial.is_changed(name)));
                    break;
                }
                Err(failure) => {
                    if let FailureKind::Unknown { name, .. } = &failure.kind {
                        report.extra.push(name.clone());
                        report.rejects_extra = true;
                    }
                    let (problem, can_continue) = trial.change(failure);
                    match problem {
                        Some(problem) if matches!(problem.kind, FailureKind::Unknown { .. }) => {}
                        Some(problem) => {
                            let error = ExtractError::new::<T>(problem, self);
                            if error.is_missing() { report.missing.push(error) } else { report.unparsable.push(error) }
                        }
                        None => {}
                    }
                    if !can_continue || report.count() >= MAX_PROBLEMS {
                        report.complete = false;
                        break;
                    }
                }
            }
        }
        let place = |name: &String| self.names().position(|listed| listed == name);
        report.extra.sort_by_key(place);
        report
    }
}

/// Texts that types accept, for required components without an acceptable value. An empty list is accepted by lists.
const STAND_INS: [&[&str]; 9] = [
    &[],
    &["0"],
    &["1"],
    &["2000-01-01"],
    &["2000-01-01T00:00:00Z"],
    &["2000-01-01T00:00:00"],
    &["00000000-0000-0000-0000-000000000000"],
    &["a"],
    &["http://localhost/"],
];

/// The components of a file, changed so that a type can be read past its problems.
struct Trial<'a> {
    given: &'a NamedValues<'a>,
    changes: Vec<(String, Change)>,
}

/// The change of one component.
enum Change {
    /// Without the invalid values; each text with its index among all values.
    Reduced(Vec<(usize, String)>),
    Omitted,
    /// Replaced by the first of these texts.
    StandIn {
        texts: VecDeque<Vec<String>>,
        is_adapted: bool,
    },
}

impl Change {
    fn stand_in() -> Self {
        let texts = STAND_INS.iter().map(|texts| texts.iter().map(ToString::to_string).collect()).collect();
        Self::StandIn { texts, is_adapted: false }
    }

    fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Reduced(texts) => Some(texts.iter().map(|(_, text)| text.clone()).collect()),
            Self::Omitted => None,
            Self::StandIn { texts, .. } => texts.front().cloned(),
        }
    }
}

impl Trial<'_> {
    fn is_changed(&self, name: &str) -> bool {
        self.changes.iter().any(|(changed, _)| changed == name)
    }

    /// Reads the type, and returns the components that it does not read.
    fn read<T: DeserializeOwned>(&self) -> Result<Vec<String>, Failure> {
        let changed: Vec<(&str, Option<Vec<String>>)> =
            self.changes.iter().map(|(name, change)| (name.as_str(), change.texts())).collect();
        let given = &self.given.components;
        let listed =
            given.iter().filter_map(|component| match changed.iter().find(|(name, _)| *name == component.name()) {
                Some((name, texts)) => Some(Component::new(name, texts.as_deref()?, &[])),
                None => Some(*component),
            });
        let is_listed = |name: &str| given.iter().any(|component| component.name() == name);
        let unlisted = changed.iter().filter(|(name, _)| !is_listed(name));
        let stand_ins = unlisted.filter_map(|(name, texts)| Some(Component::new(name, texts.as_deref()?, &[])));
        let components: Vec<Component<'_>> = listed.chain(stand_ins).collect();
        let mut plan = ReadPlan::new(&components);
        read::<T>(&mut plan)?;
        let unread = plan.unread(&|plan: &ReadPlan<'_>| attempt::<T>(plan).err());
        Ok(unread.into_iter().map(str::to_owned).collect())
    }

    /// Changes the component of a failure. Returns the failure if it is a new problem of the file, and whether another attempt can help.
    fn change(&mut self, mut failure: Failure) -> (Option<Failure>, bool) {
        let Some(name) = failure.component.clone() else { return (Some(failure), false) };
        let given = self.given.components.iter().find(|component| component.name() == name);
        let Some((_, change)) = self.changes.iter_mut().find(|(changed, _)| *changed == name) else {
            let change = match (&failure.kind, given, failure.index) {
                (FailureKind::Missing(_), ..) => Change::stand_in(),
                (_, Some(component), Some(index)) => {
                    let texts = component.values().iter().cloned().enumerate();
                    Change::Reduced(texts.filter(|(other, _)| *other != index).collect())
                }
                _ => Change::Omitted,
            };
            self.changes.push((name, change));
            return (Some(failure), true);
        };
        match change {
            // With a new number of values, only errors of a single value are problems of the file.
            Change::Reduced(texts) => {
                let at = failure.index.or((texts.len() == 1).then_some(0)).filter(|at| *at < texts.len());
                let of_list =
                    matches!(failure.kind, FailureKind::Count { .. } | FailureKind::NoValue | FailureKind::Missing(_));
                if let (Some(at), false) = (at, of_list) {
                    let (index, _) = texts.remove(at);
                    failure.index = Some(index);
                    return (Some(failure), true);
                }
                *change = Change::Omitted;
                (None, true)
            }
            Change::Omitted => {
                *change = Change::stand_in();
                (None, true)
            }
            Change::StandIn { texts, is_adapted } => {
                texts.pop_front();
                let adapted = match &failure.kind {
                    FailureKind::Variant { known } => known.first().map(|known| vec![(*known).to_owned()]),
                    FailureKind::Count { expected, .. } => {
                        expected.parse().ok().filter(|count| *count <= 64).map(|count| vec!["1".to_owned(); count])
                    }
                    _ => None,
                };
                if let (Some(adapted), false) = (adapted, *is_adapted) {
                    *is_adapted = true;
                    texts.push_front(adapted);
                }
                (None, !texts.is_empty())
            }
        }
    }
}
