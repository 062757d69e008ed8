//! Tag 6: users.

use axum::response::Response;

use super::call::Call;
use super::lists;
use crate::server::{App, Refusal};

pub(super) fn list(app: &App, call: &Call) -> Result<Response, Refusal> {
    let users = app.world().users.iter().map(|user| user.to_json(&app.settings.workspace)).collect();
    lists::answer(app, call, "users", users)
}
