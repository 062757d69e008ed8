//! The state of the service: templates, dossiers, files, packages, users, license.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Dossier, Download, File, License, Template, UsageEvent, User, ids};
use crate::timestamp::Timestamp;

/// The time that a dossier or file stays in the trash: 96 hours, the default of the product.
pub(crate) const TRASH_MILLIS: i64 = 96 * 3600 * 1000;

/// The complete state of the service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Workspace {
    pub(super) seed: u64,
    /// The number of ids given so far, by kind. Ids are derived from these counters.
    pub(super) counters: BTreeMap<String, u64>,
    pub(crate) templates: Vec<Template>,
    pub(crate) users: Vec<User>,
    pub(crate) license: License,
    pub(crate) dossiers: BTreeMap<String, Dossier>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) downloads: BTreeMap<String, Download>,
    pub(crate) usage: Vec<UsageEvent>,
    /// The failure message of the next package.
    #[serde(default)]
    pub(crate) fail_next_package: Option<String>,
    /// The failure message of the next analysis.
    #[serde(default)]
    pub(crate) fail_next_analysis: Option<String>,
    /// Planned failures and delays of analyses, by file name.
    #[serde(default)]
    pub(crate) planned_analyses: Vec<PlannedAnalysis>,
    /// True if the license has no pages left.
    #[serde(default)]
    pub(crate) license_exhausted: bool,
}

/// A failure or delay of the analyses of files whose name matches a pattern.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PlannedAnalysis {
    /// A file name in which `*` stands for any text and `?` for any character.
    pub(crate) pattern: String,
    pub(crate) effect: AnalysisEffect,
}

/// The effect of a [`PlannedAnalysis`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnalysisEffect {
    Fail(String),
    DelayMs(u64),
}

impl PlannedAnalysis {
    pub(crate) fn matches(&self, name: &str) -> bool {
        let pattern = regex::escape(&self.pattern).replace(r"\*", ".*").replace(r"\?", ".");
        regex::Regex::new(&format!("(?s)^{pattern}$")).is_ok_and(|pattern| pattern.is_match(name))
    }

    fn apply(&self, file: &mut File, now: Timestamp) {
        match &self.effect {
            AnalysisEffect::Fail(message) => file.fail_analysis(now, message),
            AnalysisEffect::DelayMs(delay) => file.delay_analysis(now, Duration::from_millis(*delay)),
        }
    }
}

impl Workspace {
    /// Returns a new id for an item of `kind`, with its running number.
    pub(crate) fn next_id(&mut self, kind: &str) -> (String, u64) {
        let counter = self.counters.entry(kind.to_owned()).or_insert(0);
        *counter += 1;
        (ids::id(self.seed, kind, *counter), *counter)
    }

    /// Returns an id that is derived from a name instead of a counter.
    pub(crate) fn derived_id(&self, kind: &str, number: u64) -> String {
        ids::id(self.seed, kind, number)
    }

    /// Adds a planned failure or delay, and applies it to analyses in progress. An earlier plan of the same kind for the same pattern is replaced.
    /// Returns the number of files whose analysis is affected at once.
    pub(crate) fn plan_analyses(&mut self, plan: PlannedAnalysis, now: Timestamp) -> usize {
        let kind = |effect: &AnalysisEffect| std::mem::discriminant(effect);
        self.planned_analyses
            .retain(|known| known.pattern != plan.pattern || kind(&known.effect) != kind(&plan.effect));
        let mut affected = 0;
        for file in self.files.values_mut().filter(|file| plan.matches(&file.name) && file.is_in_analysis(now)) {
            plan.apply(file, now);
            affected += 1;
            update_usage(&mut self.usage, file, now);
        }
        self.planned_analyses.push(plan);
        affected
    }

    /// Applies the planned failures and delays to a file whose analysis has just been planned.
    pub(crate) fn apply_planned_analyses(&self, file: &mut File, now: Timestamp) {
        for plan in &self.planned_analyses {
            if plan.matches(&file.name) {
                plan.apply(file, now);
            }
        }
    }

    /// Removes what has expired in the trash and among the packages. Returns the names of the blobs that are no longer used.
    pub(crate) fn purge_expired(&mut self, now: Timestamp) -> Vec<String> {
        let is_expired = |deleted: Option<Timestamp>| deleted.is_some_and(|deleted| now.0 - deleted.0 >= TRASH_MILLIS);
        let dossiers: Vec<String> = self
            .dossiers
            .values()
            .filter(|dossier| is_expired(dossier.deleted))
            .map(|dossier| dossier.id.clone())
            .collect();
        let files: Vec<String> =
            self.files.values().filter(|file| is_expired(file.deleted)).map(|file| file.id.clone()).collect();
        let downloads: Vec<String> = self
            .downloads
            .values()
            .filter(|download| download.expires <= now)
            .map(|download| download.id.clone())
            .collect();
        let mut blobs = Vec::new();
        for id in dossiers {
            blobs.extend(self.remove_dossier(&id, now));
        }
        for id in files {
            blobs.extend(self.remove_file(&id, now));
        }
        for id in downloads {
            blobs.extend(self.remove_download(&id));
        }
        blobs
    }

    /// Permanently removes a dossier with its files.
    pub(crate) fn remove_dossier(&mut self, id: &str, now: Timestamp) -> Vec<String> {
        let Some(dossier) = self.dossiers.remove(id) else { return Vec::new() };
        dossier.files.iter().flat_map(|file| self.remove_file(file, now)).collect()
    }

    /// Permanently removes a file. An analysis that has not ended is not counted.
    pub(crate) fn remove_file(&mut self, id: &str, now: Timestamp) -> Vec<String> {
        let Some(file) = self.files.remove(id) else { return Vec::new() };
        if let Some(dossier) = self.dossiers.get_mut(&file.dossier_id) {
            dossier.files.retain(|known| known != id);
        }
        self.usage.retain(|event| event.file_id != id || event.at <= now);
        vec![file.blob.clone(), file.text_blob()]
    }

    /// Removes a package.
    pub(crate) fn remove_download(&mut self, id: &str) -> Option<String> {
        self.downloads.remove(id).and_then(|download| download.blob)
    }
}

/// Moves the usage of a file to the end of its analysis. A failed analysis is not counted.
fn update_usage(usage: &mut Vec<UsageEvent>, file: &File, now: Timestamp) {
    let end = file.timeline.last().map_or(now, |last| last.at);
    usage.retain_mut(|event| {
        let is_open = event.file_id == file.id && event.at > now;
        if is_open {
            event.at = end;
        }
        !is_open || file.failure.is_none()
    });
}
