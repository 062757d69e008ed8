//! Control of the service outside its API: actions of users in the product, expiry, and planned failures.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::analysis::{DocumentText, RuleInput, Rules, apply_rules};
use crate::patches::{ControlError, PatchHandle};
use crate::service::App;
use crate::state::{AnalysisEffect, File, PlannedAnalysis, Timing, Workspace};
use crate::timestamp::Timestamp;

/// Control of the simulated service. Every action takes effect at once.
#[derive(Clone)]
pub struct Control {
    app: Arc<App>,
}

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
    FailAnalysis { name: String, message: String },
    DelayAnalysis { name: String, delay_ms: u64 },
    ClearAnalysisPlans,
    SetTiming(TimingChange),
    PatchResponse { operation: String, field: String, value: Value },
    ClearPatches,
    DisableUser { username: String },
    EnableUser { username: String },
    ExpireAccessTokens,
    ExpireRefreshTokens,
    ExhaustLicense { exhausted: bool },
}

/// Durations to change. Absent ones stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TimingChange {
    speed: Option<f64>,
    /// The time from the upload to PROCESSED, independent of the number of pages.
    analysis_ms: Option<u64>,
    /// The time from the request of a package to READY, independent of the number of files.
    package_ms: Option<u64>,
}

impl TimingChange {
    fn apply(self, timing: Timing) -> Timing {
        let fixed = Timing::fixed(
            Duration::from_millis(self.analysis_ms.unwrap_or_default()),
            Duration::from_millis(self.package_ms.unwrap_or_default()),
        );
        let mut changed = timing;
        changed.speed = self.speed.unwrap_or(changed.speed);
        if self.analysis_ms.is_some() {
            changed.queue = fixed.queue;
            changed.structure_per_page = fixed.structure_per_page;
            changed.ocr_per_page = fixed.ocr_per_page;
            changed.analysis_per_page = fixed.analysis_per_page;
            changed.indexing = fixed.indexing;
        }
        if self.package_ms.is_some() {
            changed.package_queue = fixed.package_queue;
            changed.package = fixed.package;
            changed.package_per_file = fixed.package_per_file;
        }
        changed
    }
}

impl Control {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Starts a reanalysis of a file, as changed rules would. A processed file becomes unprocessed again.
    pub fn reanalyse(&self, file_id: &str) -> Result<(), ControlError> {
        self.start_reanalysis(file_id, false)
    }

    /// Starts a full reanalysis of a file.
    pub fn reanalyse_fully(&self, file_id: &str) -> Result<(), ControlError> {
        self.start_reanalysis(file_id, true)
    }

    /// Excludes a file from the analysis or includes it again.
    pub fn exclude_file(&self, file_id: &str, excluded: bool) -> Result<(), ControlError> {
        let timing = self.app.timing();
        self.with_file(file_id, |file, now| {
            file.updated = now;
            match (file.excluded, excluded) {
                (false, true) => file.halt(now),
                (true, false) if !file.is_processed(now) => drop(file.plan_analysis(now, &timing)),
                _ => {}
            }
            file.excluded = excluded;
        })
    }

    /// Sets the values of a component manually, as users do in the product.
    pub fn edit_component(&self, file_id: &str, name: &str, values: &[&str]) -> Result<(), ControlError> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.with_file(file_id, |file, now| {
            file.updated = now;
            file.manual.insert(name.to_owned(), values);
        })
    }

    /// Sets an attribute of a file and starts a reanalysis.
    pub fn set_file_attribute(&self, file_id: &str, label: &str, value: &str) -> Result<(), ControlError> {
        self.with_file(file_id, |file, _| drop(file.attributes.insert(label.to_owned(), value.to_owned())))?;
        self.start_reanalysis(file_id, false)
    }

    /// Restores a file from the trash.
    pub fn restore_file(&self, file_id: &str) -> Result<(), ControlError> {
        self.with_file(file_id, |file, now| {
            file.deleted = None;
            file.updated = now;
        })
    }

    /// Makes the next uploaded file end in ERROR with this message.
    pub fn fail_next_analysis(&self, message: &str) {
        self.app.workspace().fail_next_analysis = Some(message.to_owned());
    }

    /// Makes every analysis of files with this name end in ERROR with this message: analyses in progress, and those of later uploads.
    ///
    /// In `name`, `*` stands for any text and `?` for any character. Returns the number of files whose analysis is in progress. Ends with
    /// [`clear_analysis_plans`](Self::clear_analysis_plans); a later message for the same name replaces this one.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let sim = documine_sim::Simulator::start().await?;
    /// assert_eq!(sim.control().fail_analysis("scan-*.pdf", "the pages are blank"), 0);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn fail_analysis(&self, name: &str, message: &str) -> usize {
        self.plan_analyses(name, AnalysisEffect::Fail(message.to_owned()))
    }

    /// Delays every analysis of files with this name by `delay` of simulated time: the remaining states of analyses in progress, and all states
    /// after UNPROCESSED of later uploads. Name and result as in [`fail_analysis`](Self::fail_analysis).
    pub fn delay_analysis(&self, name: &str, delay: Duration) -> usize {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.plan_analyses(name, AnalysisEffect::DelayMs(delay))
    }

    /// Removes the plans of [`fail_analysis`](Self::fail_analysis) and [`delay_analysis`](Self::delay_analysis) for later analyses.
    pub fn clear_analysis_plans(&self) {
        self.app.workspace().planned_analyses.clear();
    }

    fn plan_analyses(&self, name: &str, effect: AnalysisEffect) -> usize {
        let now = self.app.now();
        self.app.workspace().plan_analyses(PlannedAnalysis { pattern: name.to_owned(), effect }, now)
    }

    /// Returns the durations of the service's work.
    pub fn timing(&self) -> Timing {
        self.app.timing()
    }

    /// Sets the durations of analyses and packages that start from now on. Work in progress keeps its plan.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use documine_sim::{Simulator, Timing};
    /// use std::time::Duration;
    ///
    /// let sim = Simulator::start().await?;
    /// // Every analysis takes ten minutes, every package five seconds.
    /// sim.control().set_timing(Timing::fixed(Duration::from_secs(600), Duration::from_secs(5)));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn set_timing(&self, timing: Timing) {
        *self.app.timing.lock().unwrap_or_else(PoisonError::into_inner) = timing;
    }

    /// Replaces a field in all later successful JSON responses of an operation, and returns a handle that counts the replaced values.
    ///
    /// `field` is the name of a field, which is replaced at any depth, or a JSON pointer (`/files/0/processingStatus`), both in the names of the
    /// contract. Several patches of one operation are all applied. Patched responses never count as violations.
    ///
    /// # Errors
    /// There is no such operation, or its responses have no such field (checked with the vendored document only); the error names the closest one.
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let sim = documine_sim::Simulator::start().await?;
    /// let patch = sim.control().patch_response("getLicense", "licensedPages", 0)?;
    /// // … the code under test …
    /// assert!(patch.verify().is_err(), "no response had the field so far");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn patch_response(
        &self,
        operation: &str,
        field: &str,
        value: impl Into<Value>,
    ) -> Result<PatchHandle, ControlError> {
        self.app.patches.add(operation, field, value.into())
    }

    /// Removes all patches of responses.
    pub fn clear_patches(&self) {
        self.app.patches.clear();
    }

    /// Archives a dossier, which makes it permanently read-only.
    pub fn archive_dossier(&self, dossier_id: &str) -> Result<(), ControlError> {
        let now = self.app.now();
        self.with_dossier(dossier_id, |dossier| dossier.archived = Some(now))
    }

    /// Restores a dossier from the trash.
    pub fn restore_dossier(&self, dossier_id: &str) -> Result<(), ControlError> {
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

    /// Expires all current access tokens. Refresh tokens stay valid.
    pub fn expire_access_tokens(&self) {
        self.app.provider.expire_access_tokens();
    }

    /// Expires all current refresh tokens. Access tokens stay valid.
    pub fn expire_refresh_tokens(&self) {
        self.app.provider.expire_refresh_tokens();
    }

    /// Disables a user: logins and refreshes fail.
    pub fn disable_user(&self, username: &str) -> Result<(), ControlError> {
        self.switch_user(username, false)
    }

    /// Enables a disabled user.
    pub fn enable_user(&self, username: &str) -> Result<(), ControlError> {
        self.switch_user(username, true)
    }

    fn switch_user(&self, username: &str, enabled: bool) -> Result<(), ControlError> {
        if self.app.provider.set_user_enabled(username, enabled) {
            return Ok(());
        }
        Err(ControlError(format!("there is no user `{username}` that can sign in")))
    }

    /// Uses up the pages of the license, or makes them available again: `getLicenseUsage` reports no free page, and uploads answer 403. The behaviour
    /// of the real service is unknown; this one is inferred.
    pub fn exhaust_license(&self, exhausted: bool) {
        self.app.workspace().license_exhausted = exhausted;
    }

    /// Replaces the extraction rules for later uploads and reanalyses.
    pub fn replace_rules(&self, rules: Rules) {
        *self.app.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// Returns the identity provider, which has its own controls.
    pub fn provider(&self) -> &crate::idp::Provider {
        &self.app.provider
    }

    pub(crate) fn perform(&self, action: ControlAction) -> Result<(), ControlError> {
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
            ControlAction::PatchResponse { operation, field, value } => {
                self.patch_response(&operation, &field, value).map(drop)
            }
            ControlAction::DisableUser { username } => self.disable_user(&username),
            ControlAction::EnableUser { username } => self.enable_user(&username),
            other => {
                self.perform_infallible(other);
                Ok(())
            }
        }
    }

    fn perform_infallible(&self, action: ControlAction) {
        match action {
            ControlAction::FailNextAnalysis { message } => self.fail_next_analysis(&message),
            ControlAction::FailNextPackage { message } => self.fail_next_package(&message),
            ControlAction::FailAnalysis { name, message } => drop(self.fail_analysis(&name, &message)),
            ControlAction::DelayAnalysis { name, delay_ms } => {
                self.delay_analysis(&name, Duration::from_millis(delay_ms));
            }
            ControlAction::ClearAnalysisPlans => self.clear_analysis_plans(),
            ControlAction::SetTiming(change) => self.set_timing(change.apply(self.timing())),
            ControlAction::ClearPatches => self.clear_patches(),
            ControlAction::ExpirePackages => self.expire_packages(),
            ControlAction::RevokeTokens => self.revoke_tokens(),
            ControlAction::ExpireAccessTokens => self.expire_access_tokens(),
            ControlAction::ExpireRefreshTokens => self.expire_refresh_tokens(),
            ControlAction::ExhaustLicense { exhausted } => self.exhaust_license(exhausted),
            // `perform` handles all others.
            _ => {}
        }
    }

    fn start_reanalysis(&self, file_id: &str, full: bool) -> Result<(), ControlError> {
        let timing = self.app.timing();
        let rules = self.app.rules();
        let text = self.with_file(file_id, |file, _| self.app.blobs.path(&file.text_blob()))?;
        let text = std::fs::read(text).ok().and_then(|bytes| serde_json::from_slice::<DocumentText>(&bytes).ok());
        self.with_file(file_id, |file, now| {
            if let Some(text) = &text {
                file.components = apply_rules(&rules, &RuleInput { file_name: &file.name, text });
            }
            file.failure = None;
            file.plan_reanalysis(now, &timing, full);
        })?;
        let now = self.app.now();
        let mut workspace = self.app.workspace();
        if let Some(mut file) = workspace.files.remove(file_id) {
            workspace.apply_planned_analyses(&mut file, now);
            workspace.files.insert(file_id.to_owned(), file);
        }
        Ok(())
    }

    fn with_file<T>(&self, file_id: &str, work: impl FnOnce(&mut File, Timestamp) -> T) -> Result<T, ControlError> {
        let now = self.app.now();
        let mut workspace = self.app.workspace();
        let file =
            workspace.files.get_mut(file_id).ok_or_else(|| ControlError(format!("there is no file {file_id}")))?;
        Ok(work(file, now))
    }

    fn with_dossier(
        &self,
        dossier_id: &str,
        work: impl FnOnce(&mut crate::state::Dossier),
    ) -> Result<(), ControlError> {
        let now = self.app.now();
        let mut workspace: std::sync::MutexGuard<'_, Workspace> = self.app.workspace();
        let dossier = workspace
            .dossiers
            .get_mut(dossier_id)
            .ok_or_else(|| ControlError(format!("there is no dossier {dossier_id}")))?;
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
