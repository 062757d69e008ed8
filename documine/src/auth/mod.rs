//! Who we are: credentials, tokens, and the one place that keeps a token fresh.
//!
//! ```text
//! Credentials ──► Origin ──► cache (one refresh at a time) ──► transport
//!                  │ flow/password, flow/refresh  (RFC 6749 sections 4.3 and 6)
//!                  │ a caller's own TokenSource
//!                  └─► endpoint (bare HTTP: no redirects, no token, bounded answers)
//! ```
//!
//! Where the provider's endpoints are, it says itself, if asked (discovery.rs).
//!
//! A person logs in before there are credentials: `Login` runs a flow with somebody in it (flow/device, RFC 8628; flow/code, RFC 6749 section
//! 4.1, with the listener of loopback.rs), and gives tokens.

mod cache;
mod credentials;
mod discovery;
mod endpoint;
mod flow;
mod login;
mod loopback;
mod token;

pub use credentials::{Credentials, TokenSource};
pub use flow::code::Authorization;
pub use flow::device::DeviceCode;
pub use login::Login;
pub use loopback::Loopback;
pub use token::{Secret, TokenSet};

pub(crate) use cache::Authenticator;
pub(crate) use discovery::Issuer;
pub(crate) use endpoint::{EndpointPaths, Endpoints, TokenEndpoint};
