//! `cargo xtask conformance keycloak`: every login flow of the SDK at a real Keycloak.
//!
//! The stories are those of `tests/logins`, which the simulator's provider has to pass as well; here they are told at Keycloak with the realms of
//! `tests/conformance/keycloak`. The service behind the logins is the simulator, which trusts the keys that Keycloak publishes.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use super::cache::{self, Cache};
use super::logins::{Args, Provider};
use super::report::{CheckError, failed};
use super::server::Server;
use super::{print, process, python, script};

/// For `java -version`.
const QUICK: Duration = Duration::from_secs(60);
/// Keycloak runs on this and what is newer.
const OLDEST_JAVA: u32 = 17;
const PROVIDER: Provider = Provider { name: "keycloak", title: "Keycloak 26.7.3", start, addresses: &["base_url"] };

/// Tells the stories and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    PROVIDER.run(args)
}

/// Whether there is a Java that Keycloak runs on.
fn java(cache: &Cache) -> Result<(), CheckError> {
    let command = &mut Command::new("java");
    let finished = process::run(command.arg("-version"), "java", &cache.folder, QUICK).map_err(cache::without_java)?;
    match version(&finished.stderr) {
        Some(version) if version < OLDEST_JAVA => {
            Err(cache::without_java(CheckError::NotRun(format!("there is a Java {version}"))))
        }
        _ => Ok(()),
    }
}

/// The version in what `java -version` says: `openjdk version "17.0.15" 2025-04-15`.
fn version(said: &str) -> Option<u32> {
    let quoted = said.split('"').nth(1)?;
    quoted.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Keycloak with a database of this run's own.
pub(super) fn start(cache: &Cache) -> Result<Server, CheckError> {
    java(cache)?;
    let started = Instant::now();
    let home = cache.keycloak()?;
    let golden = cache.keycloak_database(&home)?;
    let folder = cache.folder.join("keycloak");
    std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
    std::fs::copy(&golden, folder.join("kc.mv.db")).map_err(failed(&golden.display().to_string()))?;
    let command = &mut Command::new(python::program());
    command.arg(script("keycloak/run.py")).arg("serve").arg(home).arg(folder);
    let server = Server::start(command, "keycloak", &cache.folder).map_err(python::missing)?;
    print(&format!("        Keycloak is there after {:.0} s", started.elapsed().as_secs_f64()));
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java_are_read() {
        assert_eq!(version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(version("java version \"1.8.0_391\""), Some(1));
        assert_eq!(version("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(version("no java"), None);
    }
}
