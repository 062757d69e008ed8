//! The cache of installed programs: a folder outside the tree, with one environment for each set of pinned versions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::error::{CheckError, failed};
use super::tree;
use crate::process;
use crate::workspace::root;

/// Long enough for a slow network.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// The Python program on the PATH.
pub(super) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const PYTHON_HELP: &str = "needs Python 3.11 or newer with venv (Debian: apt install python3 python3-venv)";
const NODE_HELP: &str = "needs Node.js 20 or newer with npm (Debian: apt install nodejs npm)";
const MAVEN: &str = if cfg!(windows) { "mvn.cmd" } else { "mvn" };
const MAVEN_HELP: &str =
    "needs a JDK 17 or newer and Maven 3.6.3 or newer (Debian: apt install openjdk-17-jdk-headless maven)";
const MAVEN_UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8";
const KEYCLOAK: &str = "26.7.3";
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Returns the path of a script or setting in `tests/conformance`.
pub(super) fn asset(name: &str) -> PathBuf {
    root().join("tests/conformance").join(name)
}

/// The cache, and the folder of this run in it.
pub(super) struct Cache {
    root: PathBuf,
    pub(super) folder: PathBuf,
}

impl Cache {
    /// Opens the cache: `DOCUMINE_CONFORMANCE_CACHE`, else `documine-conformance` in the user's cache folder.
    pub(super) fn open() -> Result<Self, CheckError> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("DOCUMINE_CONFORMANCE_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("documine-conformance")))
            .or_else(|| set("HOME").map(|folder| folder.join(".cache/documine-conformance")))
            .or_else(|| set("LOCALAPPDATA").map(|folder| folder.join("documine-conformance")))
            .ok_or_else(|| CheckError::Failed(String::from("no cache folder found; set DOCUMINE_CONFORMANCE_CACHE")))?;
        let root = std::path::absolute(&root).map_err(failed("the cache folder"))?;
        let folder = root.join(format!("run-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
        Ok(Self { root, folder })
    }

    /// Removes the output of this run unless `keep` is set.
    pub(super) fn close(self, keep: bool) {
        if !keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    /// Returns the Python of the environment with `tests/conformance/requirements/NAME.txt`; installs the environment if necessary.
    pub(super) fn python(&self, name: &str) -> Result<PathBuf, CheckError> {
        let requirements = asset("requirements").join(format!("{name}.txt"));
        let wanted = std::fs::read_to_string(&requirements).map_err(failed(&requirements.display().to_string()))?;
        let environment = self.root.join(format!("python-{name}"));
        let python =
            if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python") };
        if is_installed(&environment, &wanted) && python.exists() {
            return Ok(python);
        }
        clear(&environment)?;
        self.install(Command::new(PYTHON).args(["-m", "venv"]).arg(&environment), PYTHON_HELP)?;
        let command = &mut Command::new(&python);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        self.install(command.arg("--requirement").arg(&requirements), "pip could not install the packages")?;
        mark_installed(&environment, &wanted)?;
        Ok(python)
    }

    /// Returns a copy of `tests/conformance/NAME`, a program for Node.js, with the packages of its lock file installed.
    pub(super) fn node(&self, name: &str) -> Result<PathBuf, CheckError> {
        let sources = asset(name);
        let mut files = tree::snapshot(&sources)?;
        // Left by a manual run of npm.
        files.retain(|path, _| !path.starts_with("node_modules"));
        let folder = self.root.join(format!("node-{name}-{}", tree::fingerprint(&files)));
        if folder.exists() {
            return Ok(folder);
        }
        let made = self.folder.join(name);
        tree::copy(&sources, &made, files.keys())?;
        let command = &mut Command::new(NPM);
        command.current_dir(&made).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        self.install(command, NODE_HELP)?;
        publish(&made, &folder)?;
        Ok(folder)
    }

    /// Returns the program of the Spring service in `tests/conformance/springdoc`; builds it with Maven if necessary.
    pub(super) fn spring_service(&self) -> Result<PathBuf, CheckError> {
        let sources = asset("springdoc");
        let mut files = tree::snapshot(&sources)?;
        // Left by a manual run of Maven.
        files.retain(|path, _| !path.starts_with("target"));
        let wanted = tree::fingerprint(&files);
        let folder = self.root.join("springdoc-service");
        let jar = folder.join("target/extraction-service.jar");
        if is_installed(&folder, &wanted) && jar.exists() {
            return Ok(jar);
        }
        clear(&folder)?;
        tree::copy(&sources, &folder, files.keys())?;
        let command = &mut Command::new(MAVEN);
        command.args(["--batch-mode", "--quiet", "--file"]).arg(folder.join("pom.xml")).arg("package");
        self.install(command, MAVEN_HELP)?;
        mark_installed(&folder, &wanted)?;
        Ok(jar)
    }

    /// Returns the folder of the Keycloak distribution; downloads it with Maven and builds it if necessary.
    pub(super) fn keycloak(&self) -> Result<PathBuf, CheckError> {
        let home = self.root.join(format!("keycloak-{KEYCLOAK}"));
        if home.exists() {
            return Ok(home);
        }
        // The default repository of Maven would keep another copy of 180 MB; this repository is removed after the run.
        let work = self.folder.join("maven");
        std::fs::create_dir(&work).map_err(failed(&work.display().to_string()))?;
        let command = &mut Command::new(MAVEN);
        command.current_dir(&work).args(["--batch-mode", "--quiet", &format!("{MAVEN_UNPACK}:unpack")]);
        command.arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"));
        command.arg(format!("-DoutputDirectory={}", work.display()));
        command.arg(format!("-Dmaven.repo.local={}", work.join("repository").display()));
        self.install(command, MAVEN_HELP)?;
        let made = work.join(format!("keycloak-{KEYCLOAK}"));
        let command = &mut Command::new(PYTHON);
        self.install(command.arg(asset("keycloak/run.py")).arg("build").arg(&made), "Keycloak could not be built")?;
        publish(&made, &home)?;
        clear(&work)?;
        Ok(home)
    }

    /// Returns a Keycloak database with only the realms of `tests/conformance/keycloak`; made once and copied for each run.
    pub(super) fn keycloak_database(&self, home: &Path) -> Result<PathBuf, CheckError> {
        let sources = asset("keycloak");
        let realms = tree::fingerprint(&tree::snapshot(&sources)?);
        let folder = self.root.join(format!("keycloak-{KEYCLOAK}-realms-{realms}"));
        let database = folder.join("kc.mv.db");
        if database.exists() {
            return Ok(database);
        }
        let made = self.folder.join("keycloak-realms");
        std::fs::create_dir(&made).map_err(failed(&made.display().to_string()))?;
        let command = &mut Command::new(PYTHON);
        command.arg(sources.join("run.py")).arg("import").arg(home).arg(&made);
        let finished = process::run(command, "keycloak-import", &self.folder, INSTALL_LIMIT)?;
        if !finished.success() {
            return Err(CheckError::Failed(format!("import the realms into Keycloak\n{}", finished.tail())));
        }
        publish(&made, &folder)?;
        Ok(database)
    }

    /// Returns an empty folder for a copy of this workspace. Its path is the same in each run, so that cargo reuses its output.
    pub(super) fn copy_of_workspace(&self) -> Result<PathBuf, CheckError> {
        let workspace = tree::hash(root().as_os_str().as_encoded_bytes());
        let folder = self.root.join(format!("springdoc-copy-{workspace}"));
        clear(&folder)?;
        std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
        Ok(folder)
    }

    /// Runs an installation. A failed installation means that the check cannot run, not that it failed.
    fn install(&self, command: &mut Command, help: &str) -> Result<(), CheckError> {
        let not_run = |reason: String| CheckError::NotRun(format!("{help}\n{reason}"));
        match process::run(command, "install", &self.folder, INSTALL_LIMIT) {
            Ok(finished) if finished.success() => Ok(()),
            Ok(finished) => Err(not_run(finished.tail())),
            Err(error) => Err(not_run(error.into())),
        }
    }
}

/// Adds a hint on Java to an error of a program that needs Java.
pub(super) fn without_java(error: impl Into<CheckError>) -> CheckError {
    error.into().with_help(MAVEN_HELP)
}

/// Adds a hint on Node.js to an error of a program that needs Node.js.
pub(super) fn without_node(error: impl Into<CheckError>) -> CheckError {
    error.into().with_help(NODE_HELP)
}

/// Adds a hint on Python to an error of a program that needs Python.
pub(super) fn without_python(error: impl Into<CheckError>) -> CheckError {
    error.into().with_help("needs Python 3.11 or newer (Debian: apt install python3)")
}

/// Returns the marker of a finished installation. The marker is written last, so that an interrupted installation is repeated.
fn marker(folder: &Path) -> PathBuf {
    folder.join("documine-installed.txt")
}

fn is_installed(folder: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(marker(folder)).is_ok_and(|found| found == wanted)
}

fn mark_installed(folder: &Path, wanted: &str) -> Result<(), CheckError> {
    std::fs::write(marker(folder), wanted).map_err(failed("write the installation marker"))
}

/// Moves a finished folder to its final place atomically. Another run may have done so before.
fn publish(made: &Path, target: &Path) -> Result<(), CheckError> {
    match std::fs::rename(made, target) {
        Err(error) if !target.exists() => Err(failed(&target.display().to_string())(error)),
        _ => Ok(()),
    }
}

/// Removes a folder and its content if the folder exists.
pub(super) fn clear(folder: &Path) -> Result<(), CheckError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&folder.display().to_string())(error)),
        _ => Ok(()),
    }
}
