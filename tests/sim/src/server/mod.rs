//! The HTTP side: one app, its routes, and the layers every request passes: journal, faults, sign-in, handler, check.

mod app;
mod body;
mod guard;
mod layers;
mod listener;
mod record;
mod refusal;
mod routes;
mod sim_routes;
mod snapshot;
mod socket;
mod store;
mod tampering;

pub(crate) use app::{App, Settings};
pub(crate) use body::drain;
pub(crate) use guard::OwnHosts;
pub(crate) use listener::{Gate, Listener};
pub(crate) use refusal::Refusal;
pub(crate) use routes::{Found, Routes};
pub(crate) use socket::{Connection, Socket};
pub(crate) use store::Store;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

/// The whole service as one router.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let own: Router = sim_routes::router(app).fallback(crate::api::handle).with_state(Arc::clone(app));
    own.merge(app.provider.router())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), layers::pass))
        .layer(DefaultBodyLimit::disable())
}
