//! A file and its states.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Timing;
use crate::analysis::{Component, ExtractedValue};
use crate::timestamp::Timestamp;

/// One uploaded file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) dossier_id: String,
    pub(crate) template_id: String,
    pub(crate) size: u64,
    pub(crate) pages: usize,
    pub(crate) ocr_pages: usize,
    pub(crate) excluded: bool,
    pub(crate) owner_id: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) added: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) deleted: Option<Timestamp>,
    /// The reason of a failure, if the analysis fails.
    pub(crate) failure: Option<String>,
    /// The planned states and their start times.
    pub(crate) timeline: Vec<StateChange>,
    pub(crate) components: Vec<Component>,
    /// Manually set values, by component.
    pub(crate) manual: BTreeMap<String, Vec<String>>,
    pub(crate) blob: String,
}

/// A state and its start time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateChange {
    pub(crate) at: Timestamp,
    pub(crate) state: String,
}

impl File {
    /// Returns the state at `now`.
    pub(crate) fn state(&self, now: Timestamp) -> &str {
        if self.deleted.is_some() {
            return "DELETED";
        }
        self.past_states(now).last().map_or("UNPROCESSED", |change| change.state.as_str())
    }

    pub(crate) fn is_processed(&self, now: Timestamp) -> bool {
        self.state(now) == "PROCESSED"
    }

    fn past_states(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &StateChange> {
        self.timeline.iter().filter(move |change| change.at <= now)
    }

    /// Returns when the analysis last ended.
    pub(crate) fn last_processed(&self, now: Timestamp) -> Option<Timestamp> {
        self.past_states(now).rfind(|change| change.state == "PROCESSED").map(|change| change.at)
    }

    /// Returns the blob that holds the text of the file.
    pub(crate) fn text_blob(&self) -> String {
        text_blob(&self.blob)
    }

    /// Returns the JSON of the API.
    pub(crate) fn to_json(&self, now: Timestamp) -> Value {
        let state = self.state(now);
        let updated = self.past_states(now).last().map_or(self.updated, |change| change.at.max(self.updated));
        json!({
            "id": self.id,
            "fileName": self.name,
            "dossierId": self.dossier_id,
            "dossierTemplateId": self.template_id,
            "fileSize": self.size,
            "numberOfPages": self.pages,
            "workflowStatus": "NEW",
            "processingStatus": state,
            "excluded": self.excluded,
            "assignee": null,
            "fileAttributes": self.attributes,
            "added": self.added.to_rfc3339(),
            "lastUpdated": updated.to_rfc3339(),
            "lastProcessed": self.last_processed(now).map(Timestamp::to_rfc3339),
            "softDeletedTime": self.deleted.map(Timestamp::to_rfc3339),
            "errorMessage": self.failure.as_ref().filter(|_| state == "ERROR"),
        })
    }

    /// Plans the states from the upload to the end of the analysis, and returns the end.
    pub(crate) fn plan_analysis(&mut self, now: Timestamp, timing: &Timing) -> Timestamp {
        self.timeline = vec![StateChange { at: now, state: "UNPROCESSED".to_owned() }];
        let mut at = now.plus(timing.work(timing.queue, 1));
        self.schedule(at, "PROCESSING");
        at = at.plus(timing.work(timing.structure_per_page, self.pages));
        if self.ocr_pages > 0 {
            self.schedule(at, "OCR_PROCESSING_QUEUED");
            at = at.plus(timing.work(timing.queue, 1));
            self.schedule(at, "OCR_PROCESSING");
            at = at.plus(timing.work(timing.ocr_per_page, self.ocr_pages));
        }
        self.plan_rules(at, timing)
    }

    /// Plans a reanalysis of a file, and returns the end.
    pub(crate) fn plan_reanalysis(&mut self, now: Timestamp, timing: &Timing, full: bool) -> Timestamp {
        // Planned states that have not started are dropped.
        self.timeline.retain(|change| change.at <= now);
        self.schedule(now, if full { "FULLREPROCESS" } else { "REPROCESS" });
        let at = now.plus(timing.work(timing.queue, 1));
        self.plan_rules(at, timing)
    }

    fn plan_rules(&mut self, mut at: Timestamp, timing: &Timing) -> Timestamp {
        self.schedule(at, "ANALYSE");
        at = at.plus(timing.work(timing.analysis_per_page, self.pages));
        if self.failure.is_some() {
            self.schedule(at, "ERROR");
            return at;
        }
        self.schedule(at, "INDEXING");
        at = at.plus(timing.work(timing.indexing, 1));
        self.schedule(at, "PROCESSED");
        at
    }

    /// Returns whether an analysis is planned or running.
    pub(crate) fn is_in_analysis(&self, now: Timestamp) -> bool {
        self.deleted.is_none() && self.timeline.last().is_some_and(|last| last.at > now)
    }

    /// Makes the planned or running analysis end in ERROR at the moment at which its rules have been applied.
    pub(crate) fn fail_analysis(&mut self, now: Timestamp, message: &str) {
        let is_end = |change: &StateChange| matches!(change.state.as_str(), "INDEXING" | "PROCESSED" | "ERROR");
        let end = self.timeline.iter().find(|change| change.at > now && is_end(change)).map(|change| change.at);
        let Some(end) = end else { return };
        self.failure = Some(message.to_owned());
        self.timeline.retain(|change| change.at <= now || !is_end(change));
        self.schedule(end, "ERROR");
    }

    /// Delays all planned states.
    pub(crate) fn delay_analysis(&mut self, now: Timestamp, delay: Duration) {
        for change in self.timeline.iter_mut().filter(|change| change.at > now) {
            change.at = change.at.plus(delay);
        }
    }

    /// Stops the analysis in its current state.
    pub(crate) fn halt(&mut self, now: Timestamp) {
        self.timeline.retain(|change| change.at <= now);
    }

    fn schedule(&mut self, at: Timestamp, state: &str) {
        self.timeline.push(StateChange { at, state: state.to_owned() });
    }

    /// Returns the components that users see: the values of the rules, unless they were set manually.
    pub(crate) fn effective_components(&self) -> Vec<Component> {
        let mut components = self.components.clone();
        for (name, values) in &self.manual {
            let position = components.iter().position(|component| component.name == *name);
            let original = position.and_then(|index| components[index].values.first()).map(|found| found.value.clone());
            let values = values
                .iter()
                .map(|value| ExtractedValue {
                    value: value.clone(),
                    original: original.clone().unwrap_or_default(),
                    description: Some("Set by hand".to_owned()),
                    rule: "Manual.0.0".to_owned(),
                    kind: "manual".to_owned(),
                    page: None,
                })
                .collect();
            match position {
                Some(index) => components[index].values = values,
                None => components.push(Component { name: name.clone(), values }),
            }
        }
        components
    }
}

/// Returns the blob that holds the text of the document in `blob`.
pub(crate) fn text_blob(blob: &str) -> String {
    format!("{blob}.text.json")
}
