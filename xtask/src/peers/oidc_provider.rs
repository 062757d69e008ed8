//! `cargo xtask peers oidc-provider`: every login flow of the SDK at a provider made of the certified library oidc-provider.
//!
//! It is strict where Keycloak is not and words its refusals otherwise; the stories are the same. Its realms are those of `tests/peers/keycloak`.

use std::process::{Command, ExitCode};

use super::cache::{self, Cache};
use super::logins::{self, Choice};
use super::server::Server;
use super::verdict::{Judged, Stop, Tally, strict};
use super::{say, script};

/// Options of `oidc-provider`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    choice: Choice,
}

/// Tells the stories and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut tally = Tally::default();
    match Cache::open() {
        Err(stop) => tally.add("cache", &Err(stop)),
        Ok(cache) => {
            let judged = tell(&cache, args);
            let keep = matches!(judged, Err(Stop::Failed(_)));
            tally.add("logins at oidc-provider 9.13.3", &judged);
            if keep {
                say(&format!("outputs of this run: {}", cache.folder.display()));
            }
            cache.close(keep);
        }
    }
    tally.finish("oidc-provider", strict())
}

fn tell(cache: &Cache, args: &Args) -> Judged {
    let provider = start(cache)?;
    let (base_url, control_url) = (provider.text("base_url")?, provider.text("control_url")?);
    if args.choice.waits(base_url) {
        return Ok(String::from("it ran"));
    }
    logins::tell(cache, &args.choice, &["oidc-provider", base_url, control_url])
}

/// The provider with its realms; it stops with its standard input.
pub(super) fn start(cache: &Cache) -> Result<Server, Stop> {
    let folder = cache.node("oidc-provider")?;
    let command = &mut Command::new("node");
    command.arg(folder.join("server.mjs"));
    command.args(["realm.json", "short.json"].map(|name| script("keycloak").join(name)));
    Server::start(command, "oidc-provider", &cache.folder).map_err(cache::without_node)
}
