//! The identity provider of the simulator: one realm, shaped like Keycloak.
//!
//! Implements OAuth 2.0 and OpenID Connect under `/auth/realms/{workspace}/`: password, refresh (with optional rotation), authorization code with
//! PKCE and a login page, device code, revocation, logout, userinfo, discovery, keys. Statuses, headers and error bodies are those of a real
//! Keycloak, because they often cause errors in clients. All ids follow from a seed, and all lifetimes from the simulated clock.

mod authorize;
mod bearer;
mod client;
mod config;
mod control;
mod device;
mod endpoints;
mod grants;
mod ids;
mod login;
mod pages;
mod params;
mod pkce;
mod realm;
mod remote_keys;
mod responses;
mod routes;
mod signing_keys;
mod state;
#[cfg(test)]
mod tests;
mod tokens;

pub use bearer::{AuthMode, BearerError, Principal};
pub use config::{ClientAuth, ClientSettings, IdpConfig, Pkce, UserSettings};
pub use realm::Provider;
pub use routes::operation;

pub(crate) use routes::OPERATIONS;
