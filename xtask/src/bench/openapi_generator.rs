//! The client that openapi-generator makes from the document, generated for each run under `target/bench`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::figures::NotMeasured;
use super::program::{cargo, optimized, output};
use crate::process::first_line;
use crate::workspace::root;

/// Python package of the generator, as in `tests/bench/openapi_generator/requirements.txt`.
pub(super) const GENERATOR: &str = "openapi-generator-cli==7.26.0";

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const GENERATE_LIMIT: Duration = Duration::from_secs(120);
const BUILD_LIMIT: Duration = Duration::from_secs(900);

const JAVA_HELP: &str = "needs Java 11 or newer (Debian: apt install default-jre-headless)";
const PYTHON_HELP: &str = "needs Python 3 with venv and pip (Debian: apt install python3 python3-venv)";

/// Generates the client, builds the program with it and returns the path of the program.
pub(super) fn make(folder: &Path) -> Result<PathBuf, NotMeasured> {
    first_line(Command::new("java").arg("-version")).ok_or(JAVA_HELP)?;
    let generator = generator(folder)?;
    let openapi_generator = folder.join("openapi_generator");
    let generated = openapi_generator.join("generated");
    if generated.exists() {
        std::fs::remove_dir_all(&generated).map_err(|error| format!("{}: {error}", generated.display()))?;
    }
    let sources = openapi_generator.join("src");
    std::fs::create_dir_all(&sources).map_err(|error| format!("{}: {error}", sources.display()))?;
    let mut generate = Command::new(generator);
    generate.args(["generate", "-g", "rust", "--library", "reqwest", "--additional-properties=supportAsync=true"]);
    generate.arg("-i").arg(root().join("openapi/documine.json")).arg("-o").arg(&generated);
    output(&mut generate, "generate", folder, GENERATE_LIMIT)?;
    let bench = root().join("tests/bench");
    for (from, to) in [
        (bench.join("openapi_generator/manifest.toml"), openapi_generator.join("Cargo.toml")),
        (bench.join("openapi_generator/main.rs"), sources.join("main.rs")),
        (bench.join("src/jobs.rs"), sources.join("jobs.rs")),
        // The same versions of the common dependencies.
        (root().join("Cargo.lock"), openapi_generator.join("Cargo.lock")),
    ] {
        std::fs::copy(&from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    let target = folder.join("openapi_generator-build");
    let mut build = cargo();
    build.current_dir(&openapi_generator).args(["build", "--release", "--target-dir"]).arg(&target);
    output(optimized(&mut build), "openapi_generator-build", folder, BUILD_LIMIT)?;
    Ok(target.join("release/documine-bench-openapi-generator"))
}

/// Returns the generator in its own Python environment; installs it if necessary.
fn generator(folder: &Path) -> Result<PathBuf, NotMeasured> {
    let environment = folder.join("generator");
    let program = environment.join("bin/openapi-generator-cli");
    let marker = environment.join("installed.txt");
    if std::fs::read_to_string(&marker).is_ok_and(|found| found == GENERATOR) && program.exists() {
        return Ok(program);
    }
    let help = |reason: NotMeasured| format!("{PYTHON_HELP}\n{reason}");
    let mut venv = Command::new("python3");
    output(venv.args(["-m", "venv", "--clear"]).arg(&environment), "venv", folder, INSTALL_LIMIT).map_err(help)?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]);
    pip.arg(root().join("tests/bench/openapi_generator/requirements.txt"));
    output(&mut pip, "pip", folder, INSTALL_LIMIT).map_err(help)?;
    std::fs::write(&marker, GENERATOR).map_err(|error| format!("{}: {error}", marker.display()))?;
    Ok(program)
}
