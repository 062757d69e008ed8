//! `2. Dossiers`: groups of files that share a template.

use std::sync::Arc;

use crate::client::{Client, named_call};
use crate::error::{Error, Result};
use crate::models::{Dossier, DossierId, DossierTemplateId, DownloadFileType, ReportTemplateId, Timestamp, UserId};

/// A handle to a dossier, identified by its id.
#[derive(Debug, Clone)]
pub struct DossierHandle {
    pub(crate) client: Client,
    pub(crate) path: DossierPath,
    snapshot: Option<Arc<Dossier>>,
    was_created: bool,
}

/// The ids of a dossier and of its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DossierPath {
    pub(crate) template: DossierTemplateId,
    pub(crate) dossier: DossierId,
}

/// The fields of a new dossier or of an update.
///
/// ```
/// use documine::DossierFields;
/// let fields = DossierFields::named("Q3 filings").description("all of them").attribute("Region", "EU");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DossierFields(documine_api::types::DossierRequest);

impl DossierFields {
    /// Creates fields with a name, the only required field.
    pub fn named(name: impl Into<String>) -> Self {
        let mut request = documine_api::types::DossierRequest::default();
        request.name = name.into();
        Self(request)
    }

    /// Copies the fields of `dossier`, for an update that changes some of them.
    ///
    /// Empty lists are omitted, because they may have been missing in the response. Setters such as [`members`](Self::members) send an empty list.
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

    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.0.description = Some(text.into());
        self
    }

    /// Sets the owner. Default: the user who creates the dossier.
    #[must_use]
    pub fn owner(mut self, user: UserId) -> Self {
        self.0.owner_id = Some(user);
        self
    }

    /// Sets the members, replacing the current ones.
    #[must_use]
    pub fn members(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.0.member_ids = Some(users.into_iter().collect());
        self
    }

    /// Sets the due date.
    #[must_use]
    pub fn due_date(mut self, at: Timestamp) -> Self {
        self.0.due_date = Some(at);
        self
    }

    /// Sets the default file versions of a package.
    #[must_use]
    pub fn download_file_types(mut self, types: impl IntoIterator<Item = DownloadFileType>) -> Self {
        self.0.download_file_types = Some(types.into_iter().collect());
        self
    }

    /// Sets the default reports of a package.
    #[must_use]
    pub fn report_templates(mut self, ids: impl IntoIterator<Item = ReportTemplateId>) -> Self {
        self.0.report_template_ids = Some(ids.into_iter().collect());
        self
    }

    /// Sets a dossier attribute by its label.
    #[must_use]
    pub fn attribute(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        let attributes = self.0.dossier_attributes.get_or_insert_default();
        attributes.insert(label.into(), value.into());
        self
    }

    /// Converts the fields into a request. With an `id`, the request is an update.
    pub(crate) fn into_request(self, id: Option<DossierId>) -> Result<documine_api::types::DossierRequest> {
        let mut request = self.0;
        if request.name.trim().is_empty() {
            return Err(Error::input("the dossier name is empty; set a name").with_operation("createOrUpdateDossier"));
        }
        request.id = id;
        Ok(request)
    }
}

/// The fields of a deletion.
#[derive(Debug, Clone)]
pub(crate) struct Deletion<P> {
    pub(crate) path: P,
    pub(crate) permanently: bool,
}

named_call! {
    /// Fetches a dossier (`getDossier`). Created by [`DossierHandle::get`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// println!("{:?}", dossier.get().await?.name);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such dossier.
    GetDossier(DossierPath) -> Dossier
}

named_call! {
    /// Updates a dossier (`createOrUpdateDossier` with its id). Created by [`DossierHandle::update`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let current = dossier.get().await?;
    /// dossier.update(DossierFields::of(&current).description("audited")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty name, before anything is sent.
    UpdateDossier(DossierUpdate) -> DossierHandle
}

named_call! {
    /// Deletes a dossier (`deleteDossier`). Created by [`DossierHandle::delete`].
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// dossier.delete().permanently(true).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such dossier.
    DeleteDossier(Deletion<DossierPath>) -> ()
}

impl DeleteDossier {
    /// Sets whether the dossier is deleted permanently instead of moved to the trash. Default: `false`.
    ///
    /// The trash keeps items for 96 hours unless the administrator has set another time.
    pub fn permanently(mut self, yes: bool) -> Self {
        self.call.params.permanently = yes;
        self
    }
}

/// The ids of a dossier and the fields of its update.
pub(crate) struct DossierUpdate {
    path: DossierPath,
    fields: DossierFields,
}

impl DossierHandle {
    pub(crate) fn new(client: &Client, template: DossierTemplateId, dossier: DossierId) -> Self {
        Self { client: client.clone(), path: DossierPath { template, dossier }, snapshot: None, was_created: false }
    }

    pub(crate) fn of(client: &Client, template: DossierTemplateId, dossier: Dossier) -> Self {
        let mut handle = Self::new(client, template, dossier.id.clone());
        handle.snapshot = Some(Arc::new(dossier));
        handle
    }

    /// Marks the dossier as created by this call.
    pub(crate) fn created(mut self) -> Self {
        self.was_created = true;
        self
    }

    /// Returns the dossier's id.
    pub fn id(&self) -> &DossierId {
        &self.path.dossier
    }

    /// Returns the id of the dossier's template.
    pub fn template_id(&self) -> &DossierTemplateId {
        &self.path.template
    }

    /// Returns the dossier as the creation, update or search that returned this handle has read it; [`get`](Self::get) fetches the current state.
    ///
    /// `None` for other handles, and after an update whose response had no content.
    pub fn snapshot(&self) -> Option<&Dossier> {
        self.snapshot.as_deref()
    }

    /// Returns whether the call that returned this handle created the dossier. `false` for other handles.
    ///
    /// See [`find_or_create_dossier`](crate::DossierTemplateHandle::find_or_create_dossier).
    pub fn was_created(&self) -> bool {
        self.was_created
    }

    /// Fetches the dossier (`getDossier`).
    pub fn get(&self) -> GetDossier {
        GetDossier::new(&self.client, self.path.clone(), |client, path, options| {
            Box::pin(async move {
                let request =
                    client.requests().get_dossier().dossier_template_id(path.template).dossier_id(path.dossier);
                client.fetch(request.prepare(), &options).await
            })
        })
    }

    /// Updates the dossier (`createOrUpdateDossier` with its id). Start from [`DossierFields::of`] to keep the other fields.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let current = dossier.get().await?;
    /// dossier.update(DossierFields::of(&current).description("audited")).await?;
    /// # Ok(()) }
    /// ```
    pub fn update(&self, fields: DossierFields) -> UpdateDossier {
        UpdateDossier::new(
            &self.client,
            DossierUpdate { path: self.path.clone(), fields },
            |client, DossierUpdate { path, fields }, options| {
                Box::pin(async move {
                    let request = client
                        .requests()
                        .create_or_update_dossier()
                        .dossier_template_id(path.template.clone())
                        .body(fields.into_request(Some(path.dossier.clone()))?);
                    // A response without content (204) is a success.
                    Ok(match client.fetch_optional(request.prepare(), &options).await? {
                        Some(dossier) => DossierHandle::of(&client, path.template, dossier),
                        None => DossierHandle::new(&client, path.template, path.dossier),
                    })
                })
            },
        )
    }

    /// Moves the dossier to the trash (`deleteDossier`), or deletes it [permanently](DeleteDossier::permanently).
    pub fn delete(&self) -> DeleteDossier {
        let deletion = Deletion { path: self.path.clone(), permanently: false };
        DeleteDossier::new(&self.client, deletion, |client, Deletion { path, permanently }, options| {
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
