//! Clean builds (`cargo build`) of a program of a few lines with the SDK, compared with other SDKs: CPU time, wall time, number of crates.
//!
//! CPU time is user and system time of cargo, the compiler and all build scripts. Unlike wall time, it hardly depends on cores and load.

use std::path::Path;
use std::time::{Duration, Instant};

use super::figures::NotMeasured;
use super::figures::{Row, Subject, Unit};
use super::program::{cargo, output};
use crate::workspace::{print, root};

const FETCH_LIMIT: Duration = Duration::from_secs(300);
const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// The row that the goals refer to.
pub(super) const CPU: &str = "CPU of a clean build";

const DOCUMINE: &str = r#"let client = documine::Client::from_env()?;
    println!("{} templates", client.dossier_templates().await?.len());"#;
const OCTOCRAB: &str = r#"let client = octocrab::Octocrab::builder().personal_token("secret").build()?;
    println!("{}", client.repos("rust-lang", "rust").get().await?.name);"#;
const ASYNC_OPENAI: &str = r#"let client = async_openai::Client::new();
    println!("{} models", client.models().list().await?.data.len());"#;

/// A dependency and the body of a program that uses it.
struct Sdk {
    subject: Subject,
    dependency: String,
    body: &'static str,
}

/// Builds the SDKs one after the other. The other SDKs come from the registry in fixed versions.
pub(super) fn run(folder: &Path) -> [Row; 3] {
    let mut cpu = Row::new("build", CPU, Unit::Seconds);
    let mut wall = Row::new("build", "wall of a clean build", Unit::Seconds);
    let mut crates = Row::new("build", "compiled crates", Unit::Count);
    for sdk in sdks() {
        print(&format!("clean build: {}", sdk.subject.name()));
        let measured = measure(&sdk, folder);
        let add = |row: &mut Row, number: fn(&Build) -> f64| {
            row.add(sdk.subject, measured.as_ref().map(|build| vec![number(build)]).map_err(Clone::clone));
        };
        add(&mut cpu, |build| build.cpu);
        add(&mut wall, |build| build.wall);
        add(&mut crates, |build| f64::from(build.crates));
    }
    [cpu, wall, crates]
}

fn sdks() -> [Sdk; 4] {
    let path = root().join("documine");
    let ours = |features: &str| format!("documine = {{ path = '{}'{features} }}", path.display());
    let sdk = |subject, dependency: String, body| Sdk { subject, dependency, body };
    [
        sdk(Subject::Ours, ours(""), DOCUMINE),
        sdk(Subject::OursMinimal, ours(r#", default-features = false, features = ["rustls"]"#), DOCUMINE),
        sdk(Subject::Octocrab, String::from(r#"octocrab = "=0.54.9""#), OCTOCRAB),
        // The default features contain no calls. Like documine, `full` contains the whole API.
        sdk(
            Subject::AsyncOpenai,
            String::from(r#"async-openai = { version = "=0.43.0", features = ["full"] }"#),
            ASYNC_OPENAI,
        ),
    ]
}

/// The seconds of a clean build, and the number of crates besides the program.
struct Build {
    cpu: f64,
    wall: f64,
    crates: u32,
}

fn measure(sdk: &Sdk, folder: &Path) -> Result<Build, NotMeasured> {
    let name = sdk.subject.name().replace([' ', ','], "-");
    let program = folder.join("build").join(&name);
    let target = program.join("target");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap_or(path))
            .and_then(|()| std::fs::write(path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&program.join("Cargo.toml"), &manifest(&sdk.dependency))?;
    write(&program.join("src/main.rs"), &source(sdk.body))?;
    let run = |arguments: &[&str], limit| {
        let mut command = cargo();
        command.current_dir(&program).args(arguments).env("CARGO_TARGET_DIR", &target).env_remove("RUSTC_WRAPPER");
        // As with a dependency from the registry, which cargo never compiles incrementally.
        command.env("CARGO_INCREMENTAL", "0");
        output(&mut command, &format!("build-{name}-{}", arguments[0]), folder, limit)
    };
    run(&["fetch"], FETCH_LIMIT)?;
    let tree = run(&["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"], FETCH_LIMIT)?;
    match std::fs::remove_dir_all(&target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", target.display()));
        }
        _ => {}
    }
    let (start, before) = (Instant::now(), children_cpu()?);
    run(&["build"], BUILD_LIMIT)?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), children_cpu()? - before);
    // Frees hundreds of megabytes.
    let _ = std::fs::remove_dir_all(&target);
    Ok(Build { cpu, wall, crates: crates(&tree) })
}

fn manifest(dependency: &str) -> String {
    format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n[workspace]\n"
    )
}

fn source(body: &str) -> String {
    format!(
        "#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    {body}\n    Ok(())\n}}\n"
    )
}

/// Returns the CPU seconds of all children that have ended, and of their children.
#[cfg(unix)]
fn children_cpu() -> Result<f64, NotMeasured> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| format!("CPU time: {error}"))?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or_default()).as_secs_f64())
}

#[cfg(not(unix))]
fn children_cpu() -> Result<f64, NotMeasured> {
    Err(String::from("CPU time is measured on Unix only"))
}

/// Counts the crates of a tree without the program at its root. cargo marks repeated crates by `(*)`.
fn crates(tree: &str) -> u32 {
    let names: std::collections::BTreeSet<&str> =
        tree.lines().skip(1).map(|line| line.trim().trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    u32::try_from(names.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_repeated_crates_once() {
        assert_eq!(crates("program v0.0.0 (/x)\na v1.0.0\nb v1.0.0\n\na v1.0.0 (*)\na v2.0.0\n"), 3);
    }

    #[test]
    fn programs_differ_in_dependency_and_body_only() {
        let [ours, minimal, ..] = sdks();
        assert_eq!(source(ours.body), source(minimal.body));
        assert!(manifest(&ours.dependency).contains("documine' }\ntokio = "), "{}", manifest(&ours.dependency));
        assert!(minimal.dependency.ends_with(r#"documine', default-features = false, features = ["rustls"] }"#));
    }

    #[cfg(unix)]
    #[test]
    fn cpu_time_of_children_grows() {
        let before = children_cpu().expect("CPU time");
        let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let status = std::process::Command::new("sh").args(["-c", script]).status().expect("a shell");
        assert!(status.success());
        assert!(children_cpu().expect("CPU time") > before);
    }
}
