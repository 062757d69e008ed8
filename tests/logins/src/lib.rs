//! Every login flow of the SDK as scenarios that must pass at every identity provider.
//!
//! ```text
//! scenarios/*   steps of a program and a user, and the expected results; the same at every provider
//!   harness     the SDK's client, and a simulated service that trusts the provider's published keys
//!   raw         requests that the SDK never sends: replays, wrong verifiers
//!   responses   the exact responses to such requests
//! sharing       several processes with one login, some of which are killed
//! provider      the interface of a provider; one small adapter each
//!   simulator, keycloak, oidc_provider
//!   pages, browser    Keycloak-like login pages
//! ```
//!
//! A new provider is an implementation of [`Provider`] and a line in `main.rs`.

mod browser;
mod clock;
mod harness;
pub mod keycloak;
pub mod oidc_provider;
pub mod pages;
mod provider;
mod raw;
mod responses;
mod run;
mod scenarios;
mod sharing;
pub mod simulator;

pub use browser::{Browser, Page};
pub use provider::{
    BoxFutureResult, Capabilities, Clients, Decision, DevicePrompt, Grant, Provider, REDIRECT, Realm, RealmKind, User,
    Users,
};
pub use run::{Selection, run};
pub use sharing::{Sharing, WorkerArguments, hold_lock, share, work};

/// A failed scenario: one line.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
