//! `2. Dossiers`: groups of files under one template.

use std::sync::Arc;

use crate::client::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::models::{Dossier, DossierId, DossierTemplateId, DownloadFileType, ReportTemplateId, Timestamp, UserId};

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
    ///
    /// An empty list is left out: it may have been missing in the answer. [`members`](Self::members) and the like send one on purpose.
    pub fn of(dossier: &Dossier) -> Self {
        let mut fields = Self::named(dossier.name.clone().unwrap_or_default());
        let request = &mut fields.0;
        request.description.clone_from(&dossier.description);
        request.owner_id.clone_from(&dossier.owner_id);
        request.member_ids = (!dossier.member_ids.is_empty()).then(|| dossier.member_ids.clone());
        request.due_date.clone_from(&dossier.due_date);
        request.download_file_types =
            (!dossier.download_file_types.is_empty()).then(|| dossier.download_file_types.clone());
        request.report_template_ids =
            (!dossier.report_template_ids.is_empty()).then(|| dossier.report_template_ids.clone());
        request.dossier_attributes =
            (!dossier.dossier_attributes.is_empty()).then(|| dossier.dossier_attributes.clone());
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
    pub(crate) fn into_request(self, id: Option<DossierId>) -> Result<documine_api::types::DossierRequest> {
        let mut request = self.0;
        if request.name.trim().is_empty() {
            return Err(Error::input("the dossier has no name; give it one").with_operation("createOrUpdateDossier"));
        }
        request.id = id;
        Ok(request)
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

    /// The dossier as the service described it when this handle came from a creation or an update; [`get`](Self::get) reads it afresh. `None`
    /// also where the service answered an update without content.
    pub fn snapshot(&self) -> Option<&Dossier> {
        self.snapshot.as_deref()
    }

    /// Reads the dossier (`getDossier`).
    pub fn get(&self) -> Call<DossierPath, Dossier> {
        Call::new(&self.client, self.path.clone(), |client, path, options| {
            Box::pin(async move {
                let request =
                    client.requests().get_dossier().dossier_template_id(path.template).dossier_id(path.dossier);
                client.fetch(request.prepare(), &options).await
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
                let request = client
                    .requests()
                    .create_or_update_dossier()
                    .dossier_template_id(path.template.clone())
                    .body(fields.into_request(Some(path.dossier.clone()))?);
                // A service that answers a change without content (204) has made it all the same.
                Ok(match client.fetch_optional(request.prepare(), &options).await? {
                    Some(dossier) => DossierHandle::of(&client, path.template, dossier),
                    None => DossierHandle::new(&client, path.template, path.dossier),
                })
            })
        })
    }

    /// Moves the dossier to the trash (`deleteDossier`), or deletes it [for good](Call::permanently).
    pub fn delete(&self) -> Call<Deletion<DossierPath>, ()> {
        let deletion = Deletion { path: self.path.clone(), permanently: false };
        Call::new(&self.client, deletion, |client, Deletion { path, permanently }, options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .delete_dossier()
                    .dossier_template_id(path.template)
                    .dossier_id(path.dossier)
                    .delete_permanently(permanently);
                client.execute(request.prepare(), &options).await
            })
        })
    }
}
