//! Who we are: credentials, tokens, and the one place that keeps a token fresh.
//!
//! ```text
//! Credentials ──► Origin ──► cache (one refresh at a time) ──► transport
//!                  │ flow/password, flow/refresh  (RFC 6749 sections 4.3 and 6)
//!                  │ a caller's own TokenSource
//!                  └─► endpoint (bare HTTP: no redirects, no token, bounded answers)
//! ```

mod cache;
mod credentials;
mod endpoint;
mod flow;
mod token;

pub use credentials::{Credentials, TokenSource};
pub use token::{Secret, TokenSet};

pub(crate) use cache::Authenticator;
pub(crate) use endpoint::{EndpointPaths, Endpoints, TokenEndpoint};
