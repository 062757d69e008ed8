//! The identity provider of the simulator: one realm, shaped like Keycloak.
//!
//! It speaks OAuth 2.0 and OpenID Connect under `/auth/realms/{workspace}/`: password, refresh (with rotation if wished), authorization code with
//! PKCE and a login page, device code, revocation, logout, userinfo, discovery, keys. Statuses, headers and error bodies are those a real
//! Keycloak gives, because clients stumble over exactly these. Everything is drawn from a seed and lives by the simulated clock.

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
