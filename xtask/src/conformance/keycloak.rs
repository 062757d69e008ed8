//! `cargo xtask conformance keycloak`: every login flow of the SDK at a real Keycloak.
//!
//! Runs the login tests of `tests/logins`, which the provider of the simulator passes as well, with the realms of `tests/conformance/keycloak`. The service
//! behind the logins is the simulator, which trusts the keys that Keycloak publishes.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use super::cache::{self, Cache, PYTHON, asset};
use super::error::{CheckError, failed};
use super::logins::{Args, Provider};
use super::server::Server;
use crate::process;
use crate::workspace::print;

/// Time limit of `java -version`.
const VERSION_LIMIT: Duration = Duration::from_secs(60);
/// Oldest Java that Keycloak supports.
const MIN_JAVA: u32 = 17;
const PROVIDER: Provider = Provider { name: "keycloak", title: "Keycloak 26.7.3", start, addresses: &["base_url"] };

/// Runs the suite.
pub(crate) fn run(args: &Args) -> ExitCode {
    PROVIDER.run(args)
}

/// Checks that Java is installed and new enough.
fn check_java(cache: &Cache) -> Result<(), CheckError> {
    let command = &mut Command::new("java");
    let finished =
        process::run(command.arg("-version"), "java", &cache.folder, VERSION_LIMIT).map_err(cache::without_java)?;
    match version(&finished.stderr) {
        Some(version) if version < MIN_JAVA => {
            Err(cache::without_java(CheckError::NotRun(format!("found Java {version}"))))
        }
        _ => Ok(()),
    }
}

/// Parses the major version from the output of `java -version`: `openjdk version "17.0.15" 2025-04-15`.
fn version(output: &str) -> Option<u32> {
    let quoted = output.split('"').nth(1)?;
    quoted.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Starts Keycloak with a database for this run.
pub(super) fn start(cache: &Cache) -> Result<Server, CheckError> {
    check_java(cache)?;
    let started = Instant::now();
    let home = cache.keycloak()?;
    let template = cache.keycloak_database(&home)?;
    let folder = cache.folder.join("keycloak");
    std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
    std::fs::copy(&template, folder.join("kc.mv.db")).map_err(failed(&template.display().to_string()))?;
    let command = &mut Command::new(PYTHON);
    command.arg(asset("keycloak/run.py")).arg("serve").arg(home).arg(folder);
    let server = Server::start(command, "keycloak", &cache.folder).map_err(cache::without_python)?;
    print(&format!("        Keycloak started in {:.0} s", started.elapsed().as_secs_f64()));
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_java_versions() {
        assert_eq!(version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(version("java version \"1.8.0_391\""), Some(1));
        assert_eq!(version("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(version("no java"), None);
    }
}
