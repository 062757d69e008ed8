//! Clean builds of a program with the SDK, compared with other SDKs: time and number of crates.

use std::path::Path;
use std::time::{Duration, Instant};

use super::figures::NotMeasured;
use super::figures::{Row, Subject, Unit};
use super::program::{cargo, output};
use crate::workspace::{print, root};

const FETCH_LIMIT: Duration = Duration::from_secs(300);
const BUILD_LIMIT: Duration = Duration::from_secs(1200);

/// Builds the SDKs one after the other. The other SDKs come from the registry in fixed versions.
pub(super) fn run(folder: &Path) -> [Row; 2] {
    let ours = format!("documine = {{ path = '{}' }}", root().join("documine").display());
    let sdks = [
        (Subject::Ours, ours.as_str()),
        (Subject::Octocrab, r#"octocrab = "=0.54.9""#),
        // The default features contain no calls.
        (Subject::AsyncOpenai, r#"async-openai = { version = "=0.43.0", features = ["full"] }"#),
    ];
    let mut time = Row::new("build", "clean release build", Unit::Seconds);
    let mut crates = Row::new("build", "crates in the program", Unit::Count);
    for (who, dependency) in sdks {
        print(&format!("clean build: {}", who.name()));
        let measured = measure(who.name(), dependency, folder);
        time.add(who, measured.as_ref().map(|(seconds, _)| vec![*seconds]).map_err(Clone::clone));
        crates.add(who, measured.map(|(_, crates)| vec![f64::from(crates)]));
    }
    [time, crates]
}

/// Measures the seconds of a clean build and the number of crates besides the program.
fn measure(name: &str, dependency: &str, folder: &Path) -> Result<(f64, u32), NotMeasured> {
    let program = folder.join("build").join(name);
    let target = program.join("target");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap_or(path))
            .and_then(|()| std::fs::write(path, text))
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    let manifest = format!(
        "[package]\nname = \"program\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n\n[workspace]\n"
    );
    write(&program.join("Cargo.toml"), &manifest)?;
    write(&program.join("src/main.rs"), "fn main() {}\n")?;
    let run = |arguments: &[&str], limit| {
        let mut command = cargo();
        command.current_dir(&program).args(arguments).env("CARGO_TARGET_DIR", &target);
        output(&mut command, &format!("build-{name}-{}", arguments[0]), folder, limit)
    };
    run(&["fetch"], FETCH_LIMIT)?;
    let tree = run(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"], FETCH_LIMIT)?;
    match std::fs::remove_dir_all(&target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", target.display()));
        }
        _ => {}
    }
    let start = Instant::now();
    run(&["build", "--release"], BUILD_LIMIT)?;
    let seconds = start.elapsed().as_secs_f64();
    // Frees hundreds of megabytes.
    let _ = std::fs::remove_dir_all(&target);
    Ok((seconds, crates(&tree)))
}

/// Counts the crates of a tree without the program at its root. cargo marks repeated crates by `(*)`.
fn crates(tree: &str) -> u32 {
    let names: std::collections::BTreeSet<&str> =
        tree.lines().skip(1).map(|line| line.trim().trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    u32::try_from(names.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::crates;

    #[test]
    fn counts_repeated_crates_once() {
        assert_eq!(crates("program v0.0.0 (/x)\na v1.0.0\nb v1.0.0\n\na v1.0.0 (*)\na v2.0.0\n"), 3);
    }
}
