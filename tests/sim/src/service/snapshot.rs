//! The state as JSON, for tests.

use serde_json::{Value, json};

use super::App;

impl App {
    /// Returns dossiers, files, packages and sign-ins.
    pub(crate) fn snapshot(&self) -> Value {
        let now = self.now();
        let workspace = self.workspace();
        let mut dossiers: Vec<_> = workspace.dossiers.values().collect();
        dossiers.sort_by_key(|dossier| dossier.number);
        let files: Vec<Value> = dossiers
            .iter()
            .flat_map(|dossier| &dossier.files)
            .filter_map(|id| workspace.files.get(id))
            .map(|file| {
                let mut value = file.to_json(now);
                value["ocrPages"] = json!(file.ocr_pages);
                value["timeline"] = file
                    .timeline
                    .iter()
                    .map(|change| json!({"at": change.at.to_rfc3339(), "state": change.state}))
                    .collect();
                value
            })
            .collect();
        let mut downloads: Vec<_> = workspace.downloads.values().collect();
        downloads.sort_by_key(|download| download.number);
        json!({
            "now": now.to_rfc3339(),
            "workspace": self.settings.workspace,
            "dossierTemplates": workspace.templates.iter().map(|template| {
                let mut value = template.to_json();
                value["reportTemplates"] = json!(template.reports);
                value
            }).collect::<Vec<_>>(),
            "dossiers": dossiers.iter().map(|dossier| dossier.to_json()).collect::<Vec<_>>(),
            "files": files,
            "downloads": downloads.iter().map(|download| {
                let mut value = download.to_json(now);
                value["expires"] = json!(download.expires.to_rfc3339());
                value
            }).collect::<Vec<_>>(),
            "license": workspace.license.to_json(now),
            "usage": workspace.license.usage(&workspace.usage, None, None, now),
            "signIns": self.provider.snapshot(),
        })
    }

    /// Returns the violations of the document.
    #[cfg(feature = "check")]
    pub(crate) fn violations_json(&self) -> Value {
        let violations = self.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        json!({"checked": true, "violations": *violations, "lines": violations.iter().map(ToString::to_string).collect::<Vec<_>>()})
    }

    /// Returns an empty list that says `checked: false`, because the feature `check` is off.
    #[cfg(not(feature = "check"))]
    #[allow(clippy::unused_self, reason = "the same call with and without the feature")]
    pub(crate) fn violations_json(&self) -> Value {
        json!({"checked": false, "violations": [], "lines": []})
    }

    #[cfg(feature = "check")]
    pub(crate) fn clear_violations(&self) {
        self.violations.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    #[cfg(not(feature = "check"))]
    #[allow(clippy::unused_self, reason = "the same call with and without the feature")]
    pub(crate) fn clear_violations(&self) {}
}
