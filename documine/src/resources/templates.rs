//! `1. Dossier Templates`: the rules for the analysis of documents.

use documine_api::types::DossierRequest;

use crate::client::{Client, named_call};
use crate::error::{Error, Result};
use crate::list::{ListRequest, named_list};
use crate::models::{Dossier, DossierId, DossierTemplate, DossierTemplateId};
use crate::resources::dossiers::{DossierFields, DossierHandle};
use crate::resources::lost_response::{Recoverable, send_recoverable, within_deadline};
use crate::resources::uploads::is_same_name;
use crate::timeout::Deadline;
use crate::transport::CallOptions;

/// Most ids in the text of an error.
const MAX_SHOWN_IDS: usize = 20;

impl Client {
    /// Lists the dossier templates of the workspace (`getDossierTemplates`).
    pub fn dossier_templates(&self) -> ListDossierTemplates {
        ListDossierTemplates::new(self, (), |client, (), _| {
            Box::pin(async move {
                ListRequest::new(client.requests().get_dossier_templates().prepare(), |list| {
                    (list.dossier_templates, list.extra)
                })
            })
        })
    }

    /// Returns a handle to a dossier template. Sends no request.
    pub fn dossier_template(&self, id: impl Into<DossierTemplateId>) -> DossierTemplateHandle {
        DossierTemplateHandle { client: self.clone(), id: id.into() }
    }
}

/// A handle to a dossier template, identified by its id.
#[derive(Debug, Clone)]
pub struct DossierTemplateHandle {
    client: Client,
    id: DossierTemplateId,
}

/// The filter of a list of dossiers. Default: active dossiers only.
#[derive(Debug, Clone)]
pub(crate) struct DossierFilter {
    template: DossierTemplateId,
    active: Option<bool>,
    archived: Option<bool>,
    soft_deleted: Option<bool>,
}

impl DossierTemplateHandle {
    /// Returns the template's id.
    pub fn id(&self) -> &DossierTemplateId {
        &self.id
    }

    /// Fetches the template (`getDossierTemplate`).
    pub fn get(&self) -> GetDossierTemplate {
        GetDossierTemplate::new(&self.client, self.id.clone(), |client, id, options| {
            Box::pin(async move {
                let request = client.requests().get_dossier_template().dossier_template_id(id);
                client.fetch(request.prepare(), &options).await
            })
        })
    }

    /// Lists the template's dossiers (`getDossiers`). Default: active dossiers only.
    pub fn dossiers(&self) -> ListDossiers {
        let filter = DossierFilter { template: self.id.clone(), active: None, archived: None, soft_deleted: None };
        ListDossiers::new(&self.client, filter, |client, filter, _| {
            Box::pin(async move {
                let mut request = client.requests().get_dossiers().dossier_template_id(filter.template);
                if let Some(yes) = filter.active {
                    request = request.include_active(yes);
                }
                if let Some(yes) = filter.archived {
                    request = request.include_archived(yes);
                }
                if let Some(yes) = filter.soft_deleted {
                    request = request.include_soft_deleted(yes);
                }
                ListRequest::new(request.prepare(), |list| (list.dossiers, list.extra))
            })
        })
    }

    /// Returns a handle to a dossier of this template. Sends no request.
    pub fn dossier(&self, id: impl Into<DossierId>) -> DossierHandle {
        DossierHandle::new(&self.client, self.id.clone(), id.into())
    }

    /// Creates a dossier (`createOrUpdateDossier` without an id).
    ///
    /// ```
    /// # async fn f(client: documine::Client, id: documine::DossierTemplateId) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let dossier = client.dossier_template(id).create_dossier(DossierFields::named("Q3 filings")).await?;
    /// println!("{}", dossier.id());
    /// # Ok(()) }
    /// ```
    pub fn create_dossier(&self, fields: DossierFields) -> CreateDossier {
        CreateDossier::new(&self.client, (self.clone(), fields), |client, (template, fields), options| {
            Box::pin(async move {
                let creation = DossierCreation { template, request: fields.into_request(None)? };
                creation.send(&client, options).await
            })
        })
    }

    /// Returns the active dossier of this name, or creates it (`getDossiers`, `createOrUpdateDossier`). [`DossierHandle::was_created`] distinguishes the two.
    ///
    /// An existing dossier is not changed: the other fields are only used for a creation.
    ///
    /// ```
    /// # async fn f(client: documine::Client, id: documine::DossierTemplateId) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let dossier = client.dossier_template(id).find_or_create_dossier(DossierFields::named("Q3 filings")).await?;
    /// dossier.upload_all(["a.pdf", "b.pdf"]).skip_existing(true).await?;
    /// # Ok(()) }
    /// ```
    pub fn find_or_create_dossier(&self, fields: DossierFields) -> FindOrCreateDossier {
        FindOrCreateDossier::new(&self.client, (self.clone(), fields), |client, (template, fields), options| {
            Box::pin(async move {
                let creation = DossierCreation { template, request: fields.into_request(None)? };
                let deadline = Deadline::new(options.deadline);
                let work = creation.find_or_create(&client, options);
                Box::pin(within_deadline(DossierCreation::OPERATION, deadline, work)).await
            })
        })
    }
}

/// The creation of a dossier, which can be found by its name.
struct DossierCreation {
    template: DossierTemplateHandle,
    request: DossierRequest,
}

impl DossierCreation {
    async fn find_or_create(&self, client: &Client, options: CallOptions) -> Result<DossierHandle> {
        match self.find_by_name(&options).await? {
            Some(dossier) => Ok(self.handle(dossier)),
            None => send_recoverable(self, client, options).await,
        }
    }

    /// Searches for the active dossier of this name.
    ///
    /// # Errors
    /// Several dossiers have the name.
    async fn find_by_name(&self, options: &CallOptions) -> Result<Option<Dossier>> {
        let name = self.request.name.as_str();
        let mut list = self.template.dossiers();
        list.list.call.options.call = options.clone();
        let mut found = list.await?;
        found.retain(|dossier| {
            let is_active = dossier.archived_time.is_none() && dossier.soft_deleted_time.is_none();
            is_active && dossier.name.as_deref().is_some_and(|listed| is_same_name(listed, name))
        });
        // Names may differ only in their Unicode form; the given form takes precedence.
        if found.iter().any(|dossier| dossier.name.as_deref() == Some(name)) {
            found.retain(|dossier| dossier.name.as_deref() == Some(name));
        }
        if found.len() > 1 {
            let ids: Vec<_> = found.iter().take(MAX_SHOWN_IDS).map(|dossier| dossier.id.as_str()).collect();
            let more = if found.len() > MAX_SHOWN_IDS { ", …" } else { "" };
            let count = found.len();
            return Err(Error::input(format!(
                "dossier name {name:?}: {count} active dossiers have this name: {}{more}; pass the id of one of them to `dossier(id)`",
                ids.join(", ")
            ))
            .with_operation("getDossiers"));
        }
        Ok(found.pop())
    }

    fn handle(&self, dossier: Dossier) -> DossierHandle {
        DossierHandle::of(&self.template.client, self.template.id.clone(), dossier)
    }
}

impl Recoverable for DossierCreation {
    type Output = DossierHandle;

    const OPERATION: &'static str = "createOrUpdateDossier";
    const NOT_FOUND: &'static str = "the list of the template does not contain the dossier";

    async fn send(&self, client: &Client, options: CallOptions) -> Result<DossierHandle> {
        let request = client
            .requests()
            .create_or_update_dossier()
            .dossier_template_id(self.template.id.clone())
            .body(self.request.clone());
        Ok(self.handle(client.fetch(request.prepare(), &options).await?).created())
    }

    async fn find(&self, options: &CallOptions) -> Result<Option<DossierHandle>> {
        Ok(self.find_by_name(options).await?.map(|dossier| self.handle(dossier).created()))
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

named_list! {
    /// Lists the dossier templates of the workspace (`getDossierTemplates`). Created by [`Client::dossier_templates`].
    ///
    /// ```
    /// # async fn f(client: documine::Client) -> documine::Result<()> {
    /// for template in client.dossier_templates().await? {
    ///     println!("{}: {:?}", template.id, template.name);
    /// }
    /// # Ok(()) }
    /// ```
    ListDossierTemplates(()) -> DossierTemplate
}

named_call! {
    /// Fetches a dossier template (`getDossierTemplate`). Created by [`DossierTemplateHandle::get`].
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// println!("{:?}", template.get().await?.name);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such template.
    GetDossierTemplate(DossierTemplateId) -> DossierTemplate
}

named_list! {
    /// Lists the dossiers of a template (`getDossiers`). Default: active dossiers only. Created by [`DossierTemplateHandle::dossiers`].
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// let all = template.dossiers().include_archived(true).include_soft_deleted(true).await?;
    /// # Ok(()) }
    /// ```
    ListDossiers(DossierFilter) -> Dossier
}

named_call! {
    /// Creates a dossier (`createOrUpdateDossier` without an id). Created by [`DossierTemplateHandle::create_dossier`].
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let dossier = template.create_dossier(DossierFields::named("Q3 filings")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty name, before anything is sent. A creation is retried only if the service cannot
    /// have processed it, unless [`RetryMode::EvenIfSent`](crate::retry::RetryMode::EvenIfSent) is set.
    CreateDossier((DossierTemplateHandle, DossierFields)) -> DossierHandle
}

named_call! {
    /// Returns the active dossier of a name, or creates it (`getDossiers`, `createOrUpdateDossier`). Created by
    /// [`DossierTemplateHandle::find_or_create_dossier`].
    ///
    /// ```
    /// # async fn f(template: documine::DossierTemplateHandle) -> documine::Result<()> {
    /// use documine::DossierFields;
    /// let dossier = template.find_or_create_dossier(DossierFields::named("Q3 filings")).await?;
    /// println!("{}: {}", dossier.id(), if dossier.was_created() { "created" } else { "found" });
    /// # Ok(()) }
    /// ```
    ///
    /// After a lost response of the creation, the dossier is searched in the list, in every retry mode. If the list does not contain it after 7 s,
    /// the creation is repeated, at most twice and not with [`RetryMode::Never`](crate::retry::RetryMode::Never). So one call creates one dossier,
    /// unless the service takes longer than 7 s to list it. Two concurrent calls may create one each, because the service does not refuse equal
    /// names. Names are equal if they differ only in their Unicode form or in spaces around them. Archived dossiers and dossiers in the trash are
    /// ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty name, and if several active dossiers have the name; the text contains their ids.
    /// If the search after a lost response fails, the error is that of the creation, with the failure of the search as a note.
    FindOrCreateDossier((DossierTemplateHandle, DossierFields)) -> DossierHandle
}

impl ListDossiers {
    /// Includes active dossiers. Default: `true`.
    pub fn include_active(mut self, yes: bool) -> Self {
        self.list.call.params.active = Some(yes);
        self
    }

    /// Includes archived dossiers. Default: `false`.
    pub fn include_archived(mut self, yes: bool) -> Self {
        self.list.call.params.archived = Some(yes);
        self
    }

    /// Includes dossiers in the trash. Default: `false`.
    pub fn include_soft_deleted(mut self, yes: bool) -> Self {
        self.list.call.params.soft_deleted = Some(yes);
        self
    }
}
