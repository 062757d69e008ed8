//! `cargo xtask conformance`: runs independent programs that validate this workspace.
//!
//! The programs are installed from the package registries into a cache outside the tree, run on 127.0.0.1, and stopped. A program that cannot run is
//! reported with the reason and the command that installs it; it never counts as passed, and counts as failed when `CI=true`. The scripts and settings
//! are in `tests/conformance/`.

mod browser;
mod cache;
mod cargo;
mod error;
mod faults;
mod keycloak;
mod keyring;
mod logins;
mod oidc_provider;
mod report;
mod s3;
mod server;
mod simulator;
mod springdoc;
mod traffic;
mod tree;
mod validators;

use std::process::ExitCode;

/// The suites.
#[derive(clap::Subcommand)]
pub(crate) enum Suite {
    /// Validate the document, the simulator and the traffic of the pipeline example with independent programs.
    Validators(validators::Args),
    /// Replace the document by the one of a Spring service, build, and run the pipeline example against that service.
    Springdoc(springdoc::Args),
    /// Save a login in GNOME's keyring: an unlocked one and a locked one.
    Keyring,
    /// Compare the simulator's faults with the same faults made by mitmproxy and nginx.
    Faults(faults::Args),
    /// Run all login tests at a real Keycloak.
    Keycloak(logins::Args),
    /// Run all login tests at a strict provider made with the library oidc-provider.
    OidcProvider(logins::Args),
    /// List, read, write and move objects of a real S3 server.
    S3,
    /// Log in with a real browser at the pages of both providers, and use the run report in it.
    Browser(browser::Args),
}

/// Runs a suite.
pub(crate) fn run(suite: &Suite) -> ExitCode {
    match suite {
        Suite::Validators(args) => validators::run(args),
        Suite::Springdoc(args) => springdoc::run(args),
        Suite::Keyring => keyring::run(),
        Suite::Faults(args) => faults::run(args),
        Suite::Keycloak(args) => keycloak::run(args),
        Suite::OidcProvider(args) => oidc_provider::run(args),
        Suite::S3 => s3::run(),
        Suite::Browser(args) => browser::run(args),
    }
}
