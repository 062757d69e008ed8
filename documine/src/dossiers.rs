//! `2. Dossiers`: groups of files under one template.

use std::sync::Arc;
use std::time::Duration;

use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::operation::{Polled, Wait};
use crate::{Dossier, DossierId, DossierTemplateId, DownloadFileType, FileStatus, ReportTemplateId, Timestamp, UserId};

/// A dossier that is known by its id.
#[derive(Debug, Clone)]
pub struct DossierHandle {
    pub(crate) client: Client,
    pub(crate) path: DossierPath,
    snapshot: Option<Arc<Dossier>>,
}

/// Where a dossier is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DossierPath {
    pub(crate) template: DossierTemplateId,
    pub(crate) dossier: DossierId,
}

/// What a caller says about a dossier: for a new one, or for an update.
///
/// ```
/// use documine::NewDossier;
/// let fields = NewDossier::named("Q3 filings").description("all of them").attribute("Region", "EU");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DossierFields(documine_api::types::DossierRequest);

/// [`DossierFields`] of a dossier that is to be created.
pub type NewDossier = DossierFields;

impl DossierFields {
    /// A name is all that a dossier needs.
    pub fn named(name: impl Into<String>) -> Self {
        let mut request = documine_api::types::DossierRequest::default();
        request.name = name.into();
        Self(request)
    }

    /// Everything as it is in `dossier`: the start of an update that changes one thing and keeps the rest.
    pub fn of(dossier: &Dossier) -> Self {
        let mut fields = Self::named(dossier.name.clone().unwrap_or_default());
        let request = &mut fields.0;
        request.description.clone_from(&dossier.description);
        request.owner_id.clone_from(&dossier.owner_id);
        request.member_ids = Some(dossier.member_ids.clone());
        request.due_date.clone_from(&dossier.due_date);
        request.download_file_types = Some(dossier.download_file_types.clone());
        request.report_template_ids = Some(dossier.report_template_ids.clone());
        request.dossier_attributes = Some(dossier.dossier_attributes.clone());
        fields
    }

    /// Another name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// What the dossier is for.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into());
        self
    }

    /// The user who owns it. Default: who creates it.
    #[must_use]
    pub fn owner(mut self, user: UserId) -> Self {
        self.0.owner_id = Some(user);
        self
    }

    /// The users who work with it, in place of those so far.
    #[must_use]
    pub fn members(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.0.member_ids = Some(users.into_iter().collect());
        self
    }

    /// When it is due.
    #[must_use]
    pub fn due_date(mut self, at: Timestamp) -> Self {
        self.0.due_date = Some(at);
        self
    }

    /// Which versions of its files a package holds unless told otherwise.
    #[must_use]
    pub fn download_file_types(mut self, types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        self.0.download_file_types = Some(types.into_iter().collect());
        self
    }

    /// Which reports a package holds unless told otherwise.
    #[must_use]
    pub fn report_templates(mut self, ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        self.0.report_template_ids = Some(ids.into_iter().collect());
        self
    }

    /// Sets one dossier attribute, by its label.
    #[must_use]
    pub fn attribute(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        let attributes = self.0.dossier_attributes.get_or_insert_default();
        attributes.insert(label.into(), value.into());
        self
    }

    /// The request: an `id` in it makes it an update.
    pub(crate) fn into_request(self, id: Option<DossierId>) -> documine_api::types::DossierRequest {
        let mut request = self.0;
        request.id = id;
        request
    }
}

/// Where something is deleted, and whether for good.
#[derive(Debug, Clone)]
pub struct Deletion<P> {
    pub(crate) path: P,
    pub(crate) permanently: bool,
}

impl<P> Call<Deletion<P>, ()> {
    /// For good, instead of into the trash, from which it could be brought back (for 96 hours unless the administrator has set another time).
    pub fn permanently(mut self) -> Self {
        self.params.permanently = true;
        self
    }
}

impl DossierHandle {
    pub(crate) fn new(client: &Client, template: DossierTemplateId, dossier: DossierId) -> Self {
        Self { client: client.clone(), path: DossierPath { template, dossier }, snapshot: None }
    }

    pub(crate) fn of(client: &Client, template: DossierTemplateId, dossier: Dossier) -> Self {
        let mut handle = Self::new(client, template, dossier.id.clone());
        handle.snapshot = Some(Arc::new(dossier));
        handle
    }

    /// The dossier's id.
    pub fn id(&self) -> &DossierId {
        &self.path.dossier
    }

    /// The id of its template.
    pub fn template_id(&self) -> &DossierTemplateId {
        &self.path.template
    }

    /// The dossier as the service described it when this handle came from a creation or an update; [`get`](Self::get) reads it afresh.
    pub fn snapshot(&self) -> Option<&Dossier> {
        self.snapshot.as_deref()
    }

    /// Reads the dossier (`getDossier`).
    pub fn get(&self) -> Call<DossierPath, Dossier> {
        Call::new(&self.client, self.path.clone(), |client, path, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let request = call.raw.get_dossier().dossier_template_id(path.template).dossier_id(path.dossier);
                call.finish(request.send().await).await
            })
        })
    }

    /// Changes the dossier (`createOrUpdateDossier` with its id). Start from [`DossierFields::of`] to keep what is not to change.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let now = dossier.get().await?;
    /// dossier.update(DossierFields::of(&now).description("audited")).await?;
    /// # Ok(()) }
    /// ```
    pub fn update(&self, fields: DossierFields) -> Call<(DossierPath, DossierFields), DossierHandle> {
        Call::new(&self.client, (self.path.clone(), fields), |client, (path, fields), options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let request = call
                    .raw
                    .create_or_update_dossier()
                    .dossier_template_id(path.template.clone())
                    .body(fields.into_request(Some(path.dossier)));
                let dossier = call.finish(request.send().await).await?;
                Ok(DossierHandle::of(&client, path.template, dossier))
            })
        })
    }

    /// Moves the dossier to the trash (`deleteDossier`), or deletes it [for good](Call::permanently).
    pub fn delete(&self) -> Call<Deletion<DossierPath>, ()> {
        let deletion = Deletion { path: self.path.clone(), permanently: false };
        Call::new(&self.client, deletion, |client, Deletion { path, permanently }, options| {
            Box::pin(async move {
                let call = client.prepare(options);
                let request = call
                    .raw
                    .delete_dossier()
                    .dossier_template_id(path.template)
                    .dossier_id(path.dossier)
                    .delete_permanently(permanently);
                call.finish(request.send().await).await
            })
        })
    }

    /// Waits until no file of the dossier is being worked on, 30 minutes at most unless told otherwise; gives the files.
    ///
    /// One list request a look, however many files there are. Files in the trash and files whose analysis is switched off do not count.
    /// A dossier in which a file ended as `ERROR` is reported as [`WaitError::Failed`](crate::WaitError::Failed) when all others are done.
    pub fn processed(&self) -> Wait<Vec<FileStatus>> {
        let dossier = self.clone();
        let what = format!("the analysis of dossier {}", self.id());
        Wait::new(
            what,
            Arc::clone(self.client.clock()),
            FILES_DEADLINE,
            Arc::new(move || {
                let dossier = dossier.clone();
                Box::pin(async move { dossier.look_at_files().await })
            }),
        )
    }

    async fn look_at_files(&self) -> Result<Polled<Vec<FileStatus>>> {
        use crate::files::{Analysis, analysis};
        let files = self.files().await?;
        let counted: Vec<_> =
            files.iter().filter(|file| file.soft_deleted_time.is_none() && !file.excluded.unwrap_or(false)).collect();
        let working = counted.iter().filter(|file| matches!(analysis(file), Analysis::Working)).count();
        if working > 0 {
            return Ok(Polled::Working(format!("{} of {} files processed", counted.len() - working, counted.len())));
        }
        let failed: Vec<_> = counted
            .iter()
            .filter_map(|file| match analysis(file) {
                Analysis::Failed(message) => Some(format!("{}: {message}", crate::files::name_of(file))),
                _ => None,
            })
            .collect();
        if failed.is_empty() {
            return Ok(Polled::Done(files));
        }
        Ok(Polled::Failed {
            state: "ERROR".into(),
            message: format!("{} of {} files: {}", failed.len(), counted.len(), failed.join("; ")),
        })
    }
}

/// How long files may take unless a caller says otherwise: optical character recognition of a long scan takes its time.
pub(crate) const FILES_DEADLINE: Duration = Duration::from_secs(1800);
