//! Authentication: credentials, tokens, and the cache that keeps a token valid.
//!
//! ```text
//! transport ──► authenticator      the token in use; one refresh at a time
//!                 │
//!               token_provider     where tokens come from; refresh_failure: the delay between failed requests
//!                 ├─ store/          shared by processes: lock, load, adopt, save
//!                 ├─ flow/log_out    revocation (RFC 7009) and end of the session
//!                 ├─ token_endpoint  plain HTTP: no redirects, no token, bounded responses
//!                 │    ├─ oauth_request   the requests, built by the `oauth2` crate
//!                 │    └─ lenient         lenient parsing of responses, discovery documents and claims
//!                 └─ the caller's TokenSource
//! ```
//!
//! discovery.rs reads the provider's endpoints from its discovery document. identity_provider.rs holds endpoints and connections, which the
//! clients and logins of many users share.
//!
//! A person logs in with `Login` before a client has credentials: by device code (flow/device, RFC 8628) or by authorization code (flow/code,
//! RFC 6749 section 4.1, with the callback server of loopback/). `Login` returns tokens and can save them in a store. A pending
//! `Authorization` can be stored (flow/authorization_record) and resumed by another process.

mod authenticator;
mod client_auth;
mod credentials;
mod discovery;
mod endpoint_urls;
mod event;
mod flow;
mod identity;
mod identity_provider;
mod lenient;
mod login;
mod loopback;
mod oauth_request;
mod refresh_failure;
mod secret;
mod store;
mod token;
mod token_endpoint;
mod token_provider;
mod token_state;

pub use client_auth::ClientAuthMethod;
pub use credentials::{Credentials, TokenSource};
pub use event::LoginEvent;
pub use flow::code::Authorization;
pub use flow::device::DeviceCode;
pub use flow::log_out::LoggedOut;
pub use identity::Identity;
pub use login::Login;
pub use loopback::Loopback;
pub use secret::Secret;
#[cfg(feature = "keyring")]
pub use store::KeyringStore;
pub use store::{FileStore, MemoryStore, StoreLock, StoredLogin, TokenStore};
pub use token::TokenSet;

pub(crate) use authenticator::Authenticator;
pub(crate) use discovery::Issuer;
pub(crate) use endpoint_urls::{EndpointPaths, Endpoints};
pub(crate) use event::LoginListener;
pub(crate) use identity_provider::IdentityProvider;
pub(crate) use token_provider::TokenProvider;
