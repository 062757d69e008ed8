//! Tag 7: licence and usage.

use axum::response::Response;
use http::StatusCode;

use super::call::{Call, json, text_answer};
use crate::server::{App, Refusal};

pub(super) fn get(app: &App) -> Response {
    text_answer(StatusCode::OK, "application/json", app.world().license.to_json(app.now()).to_string())
}

pub(super) fn usage(app: &App, call: &Call) -> Result<Response, Refusal> {
    let (start, end) = (call.moment("startDate")?, call.moment("endDate")?);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Refusal::bad_request("The parameter startDate must not lie after endDate."));
    }
    let world = app.world();
    json(StatusCode::OK, &world.license.usage(&world.usage, start, end, app.now()))
}
