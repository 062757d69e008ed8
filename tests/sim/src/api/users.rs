//! Tag 6: users.

use axum::response::Response;

use super::api_call::ApiCall;
use super::lists;
use crate::api_error::ApiError;
use crate::service::App;

pub(super) fn list(app: &App, call: &ApiCall) -> Result<Response, ApiError> {
    let users = app.workspace().users.iter().map(|user| user.to_json(&app.settings.workspace)).collect();
    lists::list_response(app, call, "users", users)
}
