//! `1. Dossier Templates`: the rules for the analysis of documents.

use crate::client::{Client, named_call};
use crate::list::{ListRequest, named_list};
use crate::models::{Dossier, DossierId, DossierTemplate, DossierTemplateId};
use crate::resources::dossiers::{DossierFields, DossierHandle};

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
        CreateDossier::new(&self.client, (self.id.clone(), fields), |client, (template, fields), options| {
            Box::pin(async move {
                let request = client
                    .requests()
                    .create_or_update_dossier()
                    .dossier_template_id(template.clone())
                    .body(fields.into_request(None)?);
                let dossier = client.fetch(request.prepare(), &options).await?;
                Ok(DossierHandle::of(&client, template, dossier))
            })
        })
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
    CreateDossier((DossierTemplateId, DossierFields)) -> DossierHandle
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
