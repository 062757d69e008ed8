//! `cargo xtask conformance oidc-provider`: every login flow of the SDK at a provider made of the certified library oidc-provider.
//!
//! It is strict where Keycloak is not and words its refusals otherwise; the stories are the same. Its realms are those of `tests/conformance/keycloak`.

use std::process::{Command, ExitCode};

use super::cache::{self, Cache};
use super::logins::{Args, Provider};
use super::report::CheckError;
use super::script;
use super::server::Server;

const PROVIDER: Provider =
    Provider { name: "oidc-provider", title: "oidc-provider 9.13.3", start, addresses: &["base_url", "control_url"] };

/// Tells the stories and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    PROVIDER.run(args)
}

/// The provider with its realms; it stops with its standard input.
pub(super) fn start(cache: &Cache) -> Result<Server, CheckError> {
    let folder = cache.node("oidc-provider")?;
    let command = &mut Command::new("node");
    command.arg(folder.join("server.mjs"));
    command.args(["realm.json", "short.json"].map(|name| script("keycloak").join(name)));
    Server::start(command, "oidc-provider", &cache.folder).map_err(cache::without_node)
}
