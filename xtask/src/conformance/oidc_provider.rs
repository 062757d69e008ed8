//! `cargo xtask conformance oidc-provider`: every login flow of the SDK at a provider made with the certified library oidc-provider.
//!
//! The provider is stricter than Keycloak and has other error texts. Tests and realms are the same as at Keycloak.

use std::process::{Command, ExitCode};

use super::cache::{self, Cache, asset};
use super::error::CheckError;
use super::logins::{Args, Provider};
use super::server::Server;

const PROVIDER: Provider =
    Provider { name: "oidc-provider", title: "oidc-provider 9.13.3", start, addresses: &["base_url", "control_url"] };

/// Runs the suite.
pub(crate) fn run(args: &Args) -> ExitCode {
    PROVIDER.run(args)
}

/// Starts the provider with its realms. The provider stops when its standard input ends.
pub(super) fn start(cache: &Cache) -> Result<Server, CheckError> {
    let folder = cache.node("oidc-provider")?;
    let command = &mut Command::new("node");
    command.arg(folder.join("server.mjs"));
    command.args(["realm.json", "short.json"].map(|name| asset("keycloak").join(name)));
    Server::start(command, "oidc-provider", &cache.folder).map_err(cache::without_node)
}
