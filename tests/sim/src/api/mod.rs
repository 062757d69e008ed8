//! The API: sign-in, then the handler of the operation. One file per tag.

mod api_call;
mod components;
mod dossiers;
mod downloads;
mod fields;
mod files;
mod license;
mod lists;
mod packages;
mod range;
mod templates;
mod unzip;
mod upload;
mod upload_part;
mod users;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{ALLOW, WWW_AUTHENTICATE};

#[cfg(feature = "check")]
pub(crate) use lists::is_list;

use api_call::ApiCall;

use crate::api_error::ApiError;
use crate::service::{App, RouteMatch};

/// Serves a request of the API.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let found = app.routes.find(request.method().as_str(), request.uri().path());
    let (id, parameters) = match found {
        RouteMatch::Operation { id, parameters } => (id, parameters),
        RouteMatch::MethodNotAllowed(methods) => {
            let message = format!("The method {} is not allowed here.", request.method());
            return ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
                .with_header(ALLOW, &methods.join(", "))
                .into_response(app.now());
        }
        RouteMatch::NotFound => {
            return ApiError::not_found("There is nothing under this path.").into_response(app.now());
        }
    };
    let mut call = ApiCall::new(request, id, parameters);
    let response = match authenticate(&app, &mut call).await {
        Ok(()) => dispatch(&app, id, &mut call).await,
        Err(error) => Err(error),
    };
    call.drain().await;
    response.unwrap_or_else(|error| error.into_response(app.now()))
}

/// Checks the token, then the workspace.
async fn authenticate(app: &App, call: &mut ApiCall) -> Result<(), ApiError> {
    let authorization = call.header("authorization").unwrap_or("");
    let (scheme, bearer) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let bearer = if scheme.eq_ignore_ascii_case("bearer") { bearer.trim() } else { "" };
    let realm = &app.settings.workspace;
    let principal = app.provider.authorize(bearer, &app.settings.auth).await.map_err(|error| {
        ApiError::new(error.status(), error.to_string()).with_header(WWW_AUTHENTICATE, &error.www_authenticate(realm))
    })?;
    call.username = principal.username;
    match call.header("x-tenant-id") {
        None | Some("") => Err(ApiError::bad_request("The header X-TENANT-ID is missing.")),
        Some(tenant) if tenant == app.settings.workspace => Ok(()),
        Some(_) => {
            Err(ApiError::new(StatusCode::FORBIDDEN, "The token was not issued for the workspace in X-TENANT-ID."))
        }
    }
}

async fn dispatch(app: &Arc<App>, operation: &str, call: &mut ApiCall) -> Result<Response, ApiError> {
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
        "getComponents" => components::for_file(app, call),
        "getDossierComponents" => components::for_dossier(app, call),
        "prepareDossierDownload" => packages::for_dossier(app, call).await,
        "prepareFileDownload" => packages::for_file(app, call).await,
        "prepareFilesDownload" => packages::for_files(app, call).await,
        "getDownloads" => downloads::list(app, call).await,
        "getDownload" => downloads::get(app, call).await,
        "downloadPackage" => downloads::fetch(app, call).await,
        "deleteDownload" => downloads::delete(app, call),
        "getUsers" => users::list(app, call),
        "getLicense" => Ok(license::get(app)),
        "getLicenseUsage" => license::usage(app, call),
        other => Err(ApiError::new(
            StatusCode::NOT_IMPLEMENTED,
            format!("The simulator does not implement the operation {other}."),
        )),
    }
}
