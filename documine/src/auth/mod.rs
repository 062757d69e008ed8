//! Who we are: credentials, tokens, and the one place that keeps a token fresh.
//!
//! ```text
//! transport ──► cache     the token in use; one refresh at a time
//!                 │
//!               origin    where tokens come from; outage: the pause between failed requests
//!                 ├─ store/      what processes share: lock, read, adopt, keep
//!                 ├─ flow/       password, refresh, log_out  (RFC 6749 sections 4.3 and 6, RFC 7009)
//!                 │    └─ endpoint   bare HTTP: no redirects, no token, bounded answers
//!                 │         ├─ client_auth   the client's credentials, in the form or in the header
//!                 │         └─ members       tolerant reading of answers, discovery documents and claims
//!                 └─ a caller's own TokenSource
//! ```
//!
//! Where the provider's endpoints are, it says itself, if asked (discovery.rs).
//!
//! A person logs in before there are credentials: `Login` runs a flow with somebody in it (flow/device, RFC 8628; flow/code, RFC 6749 section
//! 4.1, with the listener of loopback.rs), and gives tokens or puts them into a store.

mod cache;
mod client_auth;
mod credentials;
mod discovery;
mod endpoint;
mod event;
mod flow;
mod known;
mod login;
mod loopback;
mod members;
mod origin;
mod outage;
mod store;
mod token;

pub use client_auth::ClientAuthMethod;
pub use credentials::{Credentials, TokenSource};
pub use event::LoginEvent;
pub use flow::code::Authorization;
pub use flow::device::DeviceCode;
pub use flow::log_out::LoggedOut;
pub use login::Login;
pub use loopback::Loopback;
#[cfg(feature = "keyring")]
pub use store::KeyringStore;
pub use store::{FileStore, MemoryStore, StoreLock, StoredLogin, TokenStore};
pub use token::{Secret, TokenSet};

pub(crate) use cache::Authenticator;
pub(crate) use discovery::Issuer;
pub(crate) use endpoint::{EndpointPaths, Endpoints, TokenEndpoint};
pub(crate) use event::Listener;
pub(crate) use flow::code::ExpectedIssuer;
pub(crate) use members::Members;
pub(crate) use origin::Origin;
