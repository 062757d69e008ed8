//! Every login flow of the SDK, told as stories that hold at any identity provider.
//!
//! ```text
//! stories/*   what a program and a person do, and what must come of it; the same at every provider
//!   stage     the SDK's client, and a simulated service that trusts the provider's published keys
//!   raw       requests that the SDK would not make: replays, wrong verifiers
//!   answers   what such requests are answered, word by word
//! sharing     several processes with one login, some of which are killed
//! provider    what a provider has to show to be a stage; one small adapter each
//!   simulator, keycloak, oidc_provider
//!   pages, browser    the login pages, where they are Keycloak's or like them
//! ```
//!
//! A new provider is an implementation of [`Provider`] and a line in `main.rs`.

mod answers;
mod browser;
mod clock;
pub mod keycloak;
pub mod oidc_provider;
pub mod pages;
mod provider;
mod raw;
mod run;
mod sharing;
pub mod simulator;
mod stage;
mod stories;

pub use browser::{Browser, Page};
pub use provider::{Act, Clients, Facts, Grant, Later, Place, Provider, REDIRECT, Realm, Screen, User, Users};
pub use run::{Choice, run};
pub use sharing::{Orders, Sharing, hold, share, work};

/// What ends a story early: one line.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
