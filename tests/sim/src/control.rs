//! Control of the service outside its API: actions of users in the product, expiry, and planned failures.

use std::fmt;
use std::sync::{Arc, PoisonError};

use serde::Deserialize;

use crate::analysis::{DocumentText, RuleInput, Rules, apply_rules};
use crate::service::App;
use crate::state::{File, Workspace};
use crate::timestamp::Timestamp;

/// Control of the simulated service. Every action takes effect at once.
#[derive(Clone)]
pub struct Control {
    app: Arc<App>,
}

/// The error for an id that the service does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownId(String);

/// An action as JSON, for `POST /__sim/control`.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ControlAction {
    Reanalyse { file_id: String },
    ReanalyseFully { file_id: String },
    ExcludeFile { file_id: String, excluded: bool },
    EditComponent { file_id: String, name: String, values: Vec<String> },
    SetFileAttribute { file_id: String, label: String, value: String },
    RestoreFile { file_id: String },
    FailNextAnalysis { message: String },
    ArchiveDossier { dossier_id: String },
    RestoreDossier { dossier_id: String },
    FailNextPackage { message: String },
    ExpirePackages,
    RevokeTokens,
}

impl Control {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Starts a reanalysis of a file, as changed rules would. A processed file becomes unprocessed again.
    pub fn reanalyse(&self, file_id: &str) -> Result<(), UnknownId> {
        self.start_reanalysis(file_id, false)
    }

    /// Starts a full reanalysis of a file.
    pub fn reanalyse_fully(&self, file_id: &str) -> Result<(), UnknownId> {
        self.start_reanalysis(file_id, true)
    }

    /// Excludes a file from the analysis or includes it again.
    pub fn exclude_file(&self, file_id: &str, excluded: bool) -> Result<(), UnknownId> {
        let timing = &self.app.settings.timing;
        self.with_file(file_id, |file, now| {
            file.updated = now;
            match (file.excluded, excluded) {
                (false, true) => file.halt(now),
                (true, false) if !file.is_processed(now) => drop(file.plan_analysis(now, timing)),
                _ => {}
            }
            file.excluded = excluded;
        })
    }

    /// Sets the values of a component manually, as users do in the product.
    pub fn edit_component(&self, file_id: &str, name: &str, values: &[&str]) -> Result<(), UnknownId> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.with_file(file_id, |file, now| {
            file.updated = now;
            file.manual.insert(name.to_owned(), values);
        })
    }

    /// Sets an attribute of a file and starts a reanalysis.
    pub fn set_file_attribute(&self, file_id: &str, label: &str, value: &str) -> Result<(), UnknownId> {
        self.with_file(file_id, |file, _| drop(file.attributes.insert(label.to_owned(), value.to_owned())))?;
        self.start_reanalysis(file_id, false)
    }

    /// Restores a file from the trash.
    pub fn restore_file(&self, file_id: &str) -> Result<(), UnknownId> {
        self.with_file(file_id, |file, now| {
            file.deleted = None;
            file.updated = now;
        })
    }

    /// Makes the next uploaded file end in ERROR with this message.
    pub fn fail_next_analysis(&self, message: &str) {
        self.app.workspace().fail_next_analysis = Some(message.to_owned());
    }

    /// Archives a dossier, which makes it permanently read-only.
    pub fn archive_dossier(&self, dossier_id: &str) -> Result<(), UnknownId> {
        let now = self.app.now();
        self.with_dossier(dossier_id, |dossier| dossier.archived = Some(now))
    }

    /// Restores a dossier from the trash.
    pub fn restore_dossier(&self, dossier_id: &str) -> Result<(), UnknownId> {
        self.with_dossier(dossier_id, |dossier| dossier.deleted = None)
    }

    /// Makes the next requested package end in FAILED with this message.
    pub fn fail_next_package(&self, message: &str) {
        self.app.workspace().fail_next_package = Some(message.to_owned());
    }

    /// Expires all packages.
    pub fn expire_packages(&self) {
        let now = self.app.now();
        self.app.workspace().downloads.values_mut().for_each(|download| download.expires = now);
    }

    /// Ends all sessions and thereby invalidates all access and refresh tokens.
    pub fn revoke_tokens(&self) {
        self.app.provider.revoke_all();
    }

    /// Replaces the extraction rules for later uploads and reanalyses.
    pub fn replace_rules(&self, rules: Rules) {
        *self.app.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// Returns the identity provider, which has its own controls.
    pub fn provider(&self) -> &crate::idp::Provider {
        &self.app.provider
    }

    pub(crate) fn perform(&self, action: ControlAction) -> Result<(), UnknownId> {
        match action {
            ControlAction::Reanalyse { file_id } => self.reanalyse(&file_id),
            ControlAction::ReanalyseFully { file_id } => self.reanalyse_fully(&file_id),
            ControlAction::ExcludeFile { file_id, excluded } => self.exclude_file(&file_id, excluded),
            ControlAction::EditComponent { file_id, name, values } => {
                self.edit_component(&file_id, &name, &values.iter().map(String::as_str).collect::<Vec<_>>())
            }
            ControlAction::SetFileAttribute { file_id, label, value } => {
                self.set_file_attribute(&file_id, &label, &value)
            }
            ControlAction::RestoreFile { file_id } => self.restore_file(&file_id),
            ControlAction::ArchiveDossier { dossier_id } => self.archive_dossier(&dossier_id),
            ControlAction::RestoreDossier { dossier_id } => self.restore_dossier(&dossier_id),
            ControlAction::FailNextAnalysis { message } => {
                self.fail_next_analysis(&message);
                Ok(())
            }
            ControlAction::FailNextPackage { message } => {
                self.fail_next_package(&message);
                Ok(())
            }
            ControlAction::ExpirePackages => {
                self.expire_packages();
                Ok(())
            }
            ControlAction::RevokeTokens => {
                self.revoke_tokens();
                Ok(())
            }
        }
    }

    fn start_reanalysis(&self, file_id: &str, full: bool) -> Result<(), UnknownId> {
        let timing = &self.app.settings.timing;
        let rules = self.app.rules();
        let text = self.with_file(file_id, |file, _| self.app.blobs.path(&file.text_blob()))?;
        let text = std::fs::read(text).ok().and_then(|bytes| serde_json::from_slice::<DocumentText>(&bytes).ok());
        self.with_file(file_id, |file, now| {
            if let Some(text) = &text {
                file.components = apply_rules(&rules, &RuleInput { file_name: &file.name, text });
            }
            file.failure = None;
            file.plan_reanalysis(now, timing, full);
        })
    }

    fn with_file<T>(&self, file_id: &str, work: impl FnOnce(&mut File, Timestamp) -> T) -> Result<T, UnknownId> {
        let now = self.app.now();
        let mut workspace = self.app.workspace();
        let file = workspace.files.get_mut(file_id).ok_or_else(|| UnknownId(format!("there is no file {file_id}")))?;
        Ok(work(file, now))
    }

    fn with_dossier(&self, dossier_id: &str, work: impl FnOnce(&mut crate::state::Dossier)) -> Result<(), UnknownId> {
        let now = self.app.now();
        let mut workspace: std::sync::MutexGuard<'_, Workspace> = self.app.workspace();
        let dossier = workspace
            .dossiers
            .get_mut(dossier_id)
            .ok_or_else(|| UnknownId(format!("there is no dossier {dossier_id}")))?;
        work(dossier);
        dossier.modified = now;
        Ok(())
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
