//! Handles and calls, one module per tag of the API.

pub(crate) mod components;
pub(crate) mod dossiers;
pub(crate) mod downloads;
pub(crate) mod files;
pub(crate) mod license;
mod lost_response;
pub(crate) mod templates;
pub(crate) mod uploads;
pub(crate) mod users;
