//! The API: sign-in, then the handler of the operation. One file a tag.

mod call;
mod components;
mod dossiers;
mod downloads;
mod files;
mod license;
mod lists;
mod packages;
mod range;
mod shown;
mod templates;
mod unzip;
mod upload;
mod users;
mod xml;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{ALLOW, WWW_AUTHENTICATE};

#[cfg(feature = "check")]
pub(crate) use lists::is_list;
pub(crate) use shown::components_files;
pub(crate) use xml::file as components_xml;

use call::Call;

use crate::server::{App, Found, Refusal};

/// Serves a request of the API.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let found = app.routes.find(request.method().as_str(), request.uri().path());
    let (id, parameters) = match found {
        Found::Operation { id, parameters } => (id, parameters),
        Found::OtherMethods(methods) => {
            let message = format!("The method {} is not allowed here.", request.method());
            return Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
                .with_header(ALLOW, &methods.join(", "))
                .into_response(app.now());
        }
        Found::Nothing => return Refusal::not_found("There is nothing under this path.").into_response(app.now()),
    };
    let mut call = Call::new(request, id, parameters);
    let answer = match admit(&app, &mut call).await {
        Ok(()) => dispatch(&app, id, &mut call).await,
        Err(refusal) => Err(refusal),
    };
    call.drain().await;
    answer.unwrap_or_else(|refusal| refusal.into_response(app.now()))
}

/// Token first, then workspace.
async fn admit(app: &App, call: &mut Call) -> Result<(), Refusal> {
    let authorization = call.header("authorization").unwrap_or("");
    let (scheme, bearer) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let bearer = if scheme.eq_ignore_ascii_case("bearer") { bearer.trim() } else { "" };
    let realm = &app.settings.workspace;
    let principal = app.provider.authorize(bearer, &app.settings.auth).await.map_err(|refusal| {
        Refusal::new(refusal.status(), refusal.to_string())
            .with_header(WWW_AUTHENTICATE, &refusal.www_authenticate(realm))
    })?;
    call.username = principal.username;
    match call.header("x-tenant-id") {
        None | Some("") => Err(Refusal::bad_request("The header X-TENANT-ID is missing.")),
        Some(tenant) if tenant == app.settings.workspace => Ok(()),
        Some(_) => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "The token was not issued for the workspace in X-TENANT-ID."))
        }
    }
}

async fn dispatch(app: &Arc<App>, operation: &str, call: &mut Call) -> Result<Response, Refusal> {
    match operation {
        "getDossierTemplates" => templates::list(app, call),
        "getDossierTemplate" => templates::get(app, call),
        "getDossiers" => dossiers::list(app, call),
        "createOrUpdateDossier" => dossiers::create_or_update(app, call).await,
        "getDossier" => dossiers::get(app, call),
        "deleteDossier" => dossiers::delete(app, call),
        "uploadFile" => upload::upload(app, call).await,
        "getFiles" => files::list(app, call),
        "getFile" => files::get(app, call),
        "deleteFile" => files::delete(app, call),
        "getComponents" => components::of_file(app, call),
        "getDossierComponents" => components::of_dossier(app, call),
        "prepareDossierDownload" => packages::of_dossier(app, call).await,
        "prepareFileDownload" => packages::of_file(app, call).await,
        "prepareFilesDownload" => packages::of_files(app, call).await,
        "getDownloads" => downloads::list(app, call).await,
        "getDownload" => downloads::get(app, call).await,
        "downloadPackage" => downloads::fetch(app, call).await,
        "deleteDownload" => downloads::delete(app, call),
        "getUsers" => users::list(app, call),
        "getLicense" => Ok(license::get(app)),
        "getLicenseUsage" => license::usage(app, call),
        other => Err(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            format!("The simulator does not know the operation {other}."),
        )),
    }
}
