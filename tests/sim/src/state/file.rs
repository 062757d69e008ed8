//! A file, and the states it passes through.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Timing;
use crate::analysis::{Component, Found};
use crate::time::Stamp;

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
    pub(crate) added: Stamp,
    pub(crate) updated: Stamp,
    pub(crate) deleted: Option<Stamp>,
    /// Why the analysis fails, if it does.
    pub(crate) failure: Option<String>,
    /// The states with the moments at which they begin.
    pub(crate) timeline: Vec<Step>,
    pub(crate) components: Vec<Component>,
    /// Values that people set by hand, by component.
    pub(crate) manual: BTreeMap<String, Vec<String>>,
    pub(crate) blob: String,
}

/// A state and the moment at which it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Stamp,
    pub(crate) state: String,
}

impl File {
    /// The state at this moment.
    pub(crate) fn state(&self, now: Stamp) -> &str {
        if self.deleted.is_some() {
            return "DELETED";
        }
        self.reached(now).last().map_or("UNPROCESSED", |step| step.state.as_str())
    }

    pub(crate) fn is_processed(&self, now: Stamp) -> bool {
        self.state(now) == "PROCESSED"
    }

    fn reached(&self, now: Stamp) -> impl DoubleEndedIterator<Item = &Step> {
        self.timeline.iter().filter(move |step| step.at <= now)
    }

    /// When the analysis last ended.
    pub(crate) fn last_processed(&self, now: Stamp) -> Option<Stamp> {
        self.reached(now).rfind(|step| step.state == "PROCESSED").map(|step| step.at)
    }

    /// The blob that holds the text read from it.
    pub(crate) fn text_blob(&self) -> String {
        text_blob(&self.blob)
    }

    /// As the API shows it.
    pub(crate) fn to_json(&self, now: Stamp) -> Value {
        let state = self.state(now);
        let updated = self.reached(now).last().map_or(self.updated, |step| step.at.max(self.updated));
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
            "added": self.added.text(),
            "lastUpdated": updated.text(),
            "lastProcessed": self.last_processed(now).map(Stamp::text),
            "softDeletedTime": self.deleted.map(Stamp::text),
            "errorMessage": self.failure.as_ref().filter(|_| state == "ERROR"),
        })
    }

    /// Plans the states from the upload to the end of the analysis; gives the moment of the end.
    pub(crate) fn plan_analysis(&mut self, now: Stamp, timing: &Timing) -> Stamp {
        self.timeline = vec![Step { at: now, state: "UNPROCESSED".to_owned() }];
        let mut at = now.plus(timing.work(timing.queue, 1));
        self.step(at, "PROCESSING");
        at = at.plus(timing.work(timing.structure_per_page, self.pages));
        if self.ocr_pages > 0 {
            self.step(at, "OCR_PROCESSING_QUEUED");
            at = at.plus(timing.work(timing.queue, 1));
            self.step(at, "OCR_PROCESSING");
            at = at.plus(timing.work(timing.ocr_per_page, self.ocr_pages));
        }
        self.plan_end(at, timing)
    }

    /// Plans a further analysis of a file that was analysed before.
    pub(crate) fn plan_reanalysis(&mut self, now: Stamp, timing: &Timing, full: bool) -> Stamp {
        // What has not happened yet does not happen any more.
        self.timeline.retain(|step| step.at <= now);
        self.step(now, if full { "FULLREPROCESS" } else { "REPROCESS" });
        let at = now.plus(timing.work(timing.queue, 1));
        self.plan_end(at, timing)
    }

    fn plan_end(&mut self, mut at: Stamp, timing: &Timing) -> Stamp {
        self.step(at, "ANALYSE");
        at = at.plus(timing.work(timing.analysis_per_page, self.pages));
        if self.failure.is_some() {
            self.step(at, "ERROR");
            return at;
        }
        self.step(at, "INDEXING");
        at = at.plus(timing.work(timing.indexing, 1));
        self.step(at, "PROCESSED");
        at
    }

    /// Stops the analysis where it is.
    pub(crate) fn halt(&mut self, now: Stamp) {
        self.timeline.retain(|step| step.at <= now);
    }

    fn step(&mut self, at: Stamp, state: &str) {
        self.timeline.push(Step { at, state: state.to_owned() });
    }

    /// The components as people see them: what the rules found, unless somebody set other values.
    pub(crate) fn shown_components(&self) -> Vec<Component> {
        let mut shown = self.components.clone();
        for (name, values) in &self.manual {
            let before = shown.iter().position(|component| component.name == *name);
            let original = before.and_then(|index| shown[index].values.first()).map(|found| found.value.clone());
            let values = values
                .iter()
                .map(|value| Found {
                    value: value.clone(),
                    original: original.clone().unwrap_or_default(),
                    description: Some("Set by hand".to_owned()),
                    rule: "Manual.0.0".to_owned(),
                    kind: "manual".to_owned(),
                    page: None,
                })
                .collect();
            match before {
                Some(index) => shown[index].values = values,
                None => shown.push(Component { name: name.clone(), values }),
            }
        }
        shown
    }
}

/// The blob that holds the text of the document in `blob`.
pub(crate) fn text_blob(blob: &str) -> String {
    format!("{blob}.text.json")
}
