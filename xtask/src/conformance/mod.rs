//! `cargo xtask conformance …`: runs programs by others that tell whether ours is right.
//!
//! The conformance are installed from the package registries into a cache outside the tree, started on 127.0.0.1 and stopped again.
//! One that can't run says why and how to get it; it never counts as passed, and under `CI=true` it counts as failed. The scripts
//! and adapters stand in `tests/conformance/`, see the README there.

mod browser;
mod cache;
mod cargo;
mod faults;
mod keycloak;
mod keyring;
mod logins;
mod oidc_provider;
mod process;
mod python;
mod report;
mod server;
mod springdoc;
mod traffic;
mod tree;
mod validators;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The jobs of the test bench.
#[derive(clap::Subcommand)]
pub(crate) enum Suite {
    /// Let independent programs validator the document, the simulator and the traffic of the pipeline example.
    Validators(validators::Args),
    /// Put the document of a Spring service in the place of ours, build, and run the pipeline example against that service.
    Springdoc(springdoc::Args),
    /// Keep a login in GNOME's keyring: one that is open, and one that is locked.
    Keyring,
    /// Hold the simulator's own faults against the same faults made by mitmproxy and nginx.
    Faults(faults::Args),
    /// Tell every login story of the SDK at a real Keycloak.
    Keycloak(logins::Args),
    /// Tell every login story of the SDK at a strict provider, made of the library oidc-provider.
    OidcProvider(logins::Args),
    /// Let a person with a real browser log in at the pages of both providers.
    Browser(browser::Args),
}

/// Runs one job and says how it ended.
pub(crate) fn run(suite: &Suite) -> ExitCode {
    match suite {
        Suite::Validators(args) => validators::run(args),
        Suite::Springdoc(args) => springdoc::run(args),
        Suite::Keyring => keyring::run(),
        Suite::Faults(args) => faults::run(args),
        Suite::Keycloak(args) => keycloak::run(args),
        Suite::OidcProvider(args) => oidc_provider::run(args),
        Suite::Browser(args) => browser::run(args),
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A script or setting of ours.
fn script(name: &str) -> PathBuf {
    root().join("tests/conformance").join(name)
}

/// One line of the command's result.
fn print(line: &str) {
    #[expect(clippy::print_stdout, reason = "the command's result")]
    {
        println!("{line}");
    }
}
