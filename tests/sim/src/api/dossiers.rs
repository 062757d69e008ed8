//! Tag 2: dossiers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value};

use super::api_call::{ApiCall, json, no_content};
use super::fields;
use super::lists;
use crate::api_error::{ApiError, excerpt};
use crate::service::App;
use crate::state::{Dossier, Workspace};
use crate::timestamp::Timestamp;

pub(super) fn list(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let active = call.flag("includeActive", true)?;
    let archived = call.flag("includeArchived", false)?;
    let deleted = call.flag("includeSoftDeleted", false)?;
    let dossiers = {
        let workspace = app.workspace();
        workspace.template(call.template_id())?;
        let included = |dossier: &&Dossier| match (dossier.deleted.is_some(), dossier.archived.is_some()) {
            (true, _) => deleted,
            (false, true) => archived,
            (false, false) => active,
        };
        let mut dossiers: Vec<&Dossier> = workspace
            .dossiers
            .values()
            .filter(|dossier| dossier.template_id == call.template_id())
            .filter(included)
            .collect();
        dossiers.sort_by_key(|dossier| dossier.number);
        dossiers.into_iter().map(Dossier::to_json).collect()
    };
    lists::list_response(app, call, "dossiers", dossiers)
}

pub(super) fn get(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let dossier = app.workspace().dossier(call.template_id(), call.dossier_id())?.to_json();
    json(StatusCode::OK, &dossier)
}

pub(super) fn delete(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let now = app.now();
    let permanently = call.flag("deletePermanently", false)?;
    let mut workspace = app.workspace();
    let dossier = workspace.dossier(call.template_id(), call.dossier_id())?;
    if dossier.archived.is_some() {
        return Err(ApiError::conflict(format!(
            "The dossier {} is archived and can no longer be changed.",
            dossier.name
        )));
    }
    if permanently {
        let removed = workspace.remove_dossier(call.dossier_id(), now);
        app.blobs.remove(removed);
    } else if let Some(dossier) = workspace.dossiers.get_mut(call.dossier_id()) {
        dossier.deleted.get_or_insert(now);
    }
    Ok(no_content())
}

/// The validated fields of a request.
struct DossierRequest {
    id: Option<String>,
    name: String,
    description: Option<String>,
    owner_id: Option<String>,
    member_ids: Option<Vec<String>>,
    due_date: Option<String>,
    download_file_types: Option<Vec<String>>,
    report_template_ids: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, String>>,
}

pub(super) async fn create_or_update(app: &Arc<App>, call: &mut ApiCall) -> Result<Response, ApiError> {
    let request = DossierRequest::read(&call.object().await?)?;
    let now = app.now();
    let mut workspace = app.workspace();
    request.check(&workspace, call.template_id())?;
    if let Some(id) = request.id.clone() {
        workspace.open_dossier(call.template_id(), &id)?;
        let dossier =
            workspace.dossiers.get_mut(&id).ok_or_else(|| ApiError::not_found("There is no such dossier."))?;
        request.change(dossier, now);
        return json(StatusCode::OK, &dossier.to_json());
    }
    let dossier = request.create(&mut workspace, call, now)?;
    let json_value = dossier.to_json();
    workspace.dossiers.insert(dossier.id.clone(), dossier);
    json(StatusCode::CREATED, &json_value)
}

impl DossierRequest {
    fn read(object: &Map<String, Value>) -> Result<Self, ApiError> {
        let name = fields::text(object, "name")?.ok_or_else(|| ApiError::bad_request("The field name is missing."))?;
        if name.trim().is_empty() {
            return Err(ApiError::bad_request("The field name must not be blank."));
        }
        Ok(Self {
            id: fields::text(object, "id")?,
            name,
            description: fields::text(object, "description")?,
            owner_id: fields::text(object, "ownerId")?,
            member_ids: fields::texts(object, "memberIds")?,
            due_date: fields::moment(object, "dueDate")?,
            download_file_types: fields::file_types(object)?,
            report_template_ids: fields::texts(object, "reportTemplateIds")?,
            attributes: fields::text_map(object, "dossierAttributes")?,
        })
    }

    /// Checks that the users and report templates exist.
    fn check(&self, workspace: &Workspace, template: &str) -> Result<(), ApiError> {
        let template = workspace.template(template)?;
        for user in self.owner_id.iter().chain(self.member_ids.iter().flatten()) {
            if !workspace.users.iter().any(|known| known.id == *user) {
                return Err(ApiError::not_found(format!("There is no user {}.", excerpt(user))));
            }
        }
        for report in self.report_template_ids.iter().flatten() {
            fields::report_template(template, report)?;
        }
        Ok(())
    }

    fn create(self, workspace: &mut Workspace, call: &ApiCall, now: Timestamp) -> Result<Dossier, ApiError> {
        let template = workspace.template(call.template_id())?.clone();
        if template.status != "ACTIVE" {
            return Err(ApiError::conflict(format!(
                "The dossier template {} is not active, so it takes no new dossiers.",
                template.name
            )));
        }
        let caller = call
            .username
            .as_deref()
            .and_then(|name| workspace.users.iter().find(|user| user.username == name))
            .or(workspace.users.first());
        let owner = self.owner_id.or_else(|| caller.map(|user| user.id.clone())).unwrap_or_default();
        let (id, number) = workspace.next_id("dossier");
        Ok(Dossier {
            id,
            number,
            template_id: template.id,
            name: self.name,
            description: self.description,
            member_ids: self.member_ids.unwrap_or_else(|| vec![owner.clone()]),
            owner_id: owner,
            due_date: self.due_date,
            download_file_types: self.download_file_types.unwrap_or_else(|| vec!["ORIGINAL".to_owned()]),
            report_template_ids: self.report_template_ids.unwrap_or_else(|| template.reports.into_keys().collect()),
            attributes: self.attributes.unwrap_or_default(),
            added: now,
            modified: now,
            archived: None,
            deleted: None,
            files: Vec::new(),
        })
    }

    /// Updates a dossier. Absent lists, members and owners stay unchanged.
    fn change(self, dossier: &mut Dossier, now: Timestamp) {
        dossier.name = self.name;
        dossier.description = self.description;
        dossier.due_date = self.due_date;
        if let Some(owner) = self.owner_id {
            dossier.owner_id = owner;
        }
        if let Some(members) = self.member_ids {
            dossier.member_ids = members;
        }
        if let Some(types) = self.download_file_types {
            dossier.download_file_types = types;
        }
        if let Some(reports) = self.report_template_ids {
            dossier.report_template_ids = reports;
        }
        if let Some(attributes) = self.attributes {
            dossier.attributes = attributes;
        }
        dossier.modified = now;
    }
}
