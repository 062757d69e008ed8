//! `cargo xtask peers keycloak`: every login flow of the SDK at a real Keycloak.
//!
//! The stories are those of `tests/logins`, which the simulator's provider has to pass as well; here they are told at Keycloak with the realms of
//! `tests/peers/keycloak`. The service behind the logins is the simulator, which trusts the keys that Keycloak publishes.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use super::cache::{self, Cache};
use super::cargo;
use super::process;
use super::python;
use super::server::Server;
use super::verdict::{Judged, Stop, Tally, failed, strict};
use super::{say, script};

/// The stories take half a minute; each has a limit of its own.
const STORIES: Duration = Duration::from_secs(300);
/// Keycloak runs on this and what is newer.
const OLDEST_JAVA: u32 = 17;

/// Options of `keycloak`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the stories whose name holds this word (may be repeated).
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Only start Keycloak, say where it is, and stop it when Enter is pressed.
    #[arg(long)]
    wait: bool,
}

/// Tells the stories and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut tally = Tally::default();
    match Cache::open() {
        Err(stop) => tally.add("cache", &Err(stop)),
        Ok(cache) => {
            let judged = tell(&cache, args);
            let keep = matches!(judged, Err(Stop::Failed(_)));
            tally.add("logins at Keycloak", &judged);
            if keep {
                say(&format!("outputs of this run: {}", cache.folder.display()));
            }
            cache.close(keep);
        }
    }
    tally.finish("keycloak", strict())
}

fn tell(cache: &Cache, args: &Args) -> Judged {
    java(cache)?;
    let keycloak = start(cache)?;
    let base_url = keycloak.text("base_url")?;
    if args.wait {
        say(&format!("{base_url}/auth/realms/acme and {base_url}/auth/realms/acme-short; Enter stops it"));
        let _ = std::io::stdin().read_line(&mut String::new());
        return Ok(String::from("it ran"));
    }
    let program = cargo::program(&cache.folder, "--bin", "documine-logins", "documine-logins")?;
    let command = &mut Command::new(program);
    for word in &args.only {
        command.args(["--only", word]);
    }
    // All at once would be a rush that no provider sees, and too much for a small machine.
    command.args(["--at-once", "8", "keycloak", base_url]);
    let finished = process::run(command, "logins", &cache.folder, STORIES)?;
    let lines: Vec<&str> = finished.stdout.lines().collect();
    for line in &lines {
        say(&format!("        {line}"));
    }
    let sum = lines.last().copied().unwrap_or_default();
    if finished.success {
        return Ok(sum.to_owned());
    }
    let bad: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("FAILED")).collect();
    Err(Stop::Failed(format!("{sum}\n{}\n{}", bad.join("\n"), finished.stderr.trim_end())))
}

/// Whether there is a Java that Keycloak runs on.
fn java(cache: &Cache) -> Result<(), Stop> {
    let command = &mut Command::new("java");
    let finished =
        process::run(command.arg("-version"), "java", &cache.folder, STORIES).map_err(cache::without_java)?;
    match version(&finished.stderr) {
        Some(version) if version < OLDEST_JAVA => {
            Err(cache::without_java(Stop::NotRun(format!("there is a Java {version}"))))
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
fn start(cache: &Cache) -> Result<Server, Stop> {
    let started = Instant::now();
    let home = cache.keycloak()?;
    let golden = cache.keycloak_database(&home)?;
    let folder = cache.folder.join("keycloak");
    std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
    std::fs::copy(&golden, folder.join("kc.mv.db")).map_err(failed(&golden.display().to_string()))?;
    let command = &mut Command::new(python::program());
    command.arg(script("keycloak/run.py")).arg("serve").arg(home).arg(folder);
    let server = Server::start(command, "keycloak", &cache.folder).map_err(python::missing)?;
    say(&format!("        Keycloak is there after {:.0} s", started.elapsed().as_secs_f64()));
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
