//! The HTTP server: the router, and the layers that every request passes (journal, faults, sign-in, handler, check).

mod fault_injection;
mod guard;
mod incoming;
mod journal_entry;
mod layers;
mod sim_routes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::service::App;

/// Returns the API, the identity provider and `/__sim/` as one router.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let own: Router = sim_routes::router(app).fallback(crate::api::handle).with_state(Arc::clone(app));
    own.merge(app.provider.router())
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), layers::handle))
        .layer(DefaultBodyLimit::disable())
}
