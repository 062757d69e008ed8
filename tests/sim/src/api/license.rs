//! Tag 7: license and usage.

use axum::response::Response;
use http::StatusCode;

use super::api_call::{ApiCall, json, text_response};
use crate::api_error::ApiError;
use crate::service::App;

pub(super) fn get(app: &App) -> Response {
    text_response(StatusCode::OK, "application/json", app.workspace().license.to_json(app.now()).to_string())
}

pub(super) fn usage(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let (start, end) = (call.moment("startDate")?, call.moment("endDate")?);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(ApiError::bad_request("The parameter startDate must not be after endDate."));
    }
    let workspace = app.workspace();
    let mut usage = workspace.license.usage(&workspace.usage, start, end, app.now());
    if workspace.license_exhausted {
        usage["licensedPages"] = usage["analysedPages"].clone();
    }
    json(StatusCode::OK, &usage)
}
