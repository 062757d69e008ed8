//! Where the conformance are installed: a folder outside the tree, one environment for each set of pinned versions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process;
use super::python;
use super::report::{CheckError, failed};
use super::script;
use super::tree;

/// Enough for a slow network.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
const PYTHON_HELP: &str = "needs Python 3.10 or newer with venv (Debian: apt install python3 python3-venv)";
const NODE_HELP: &str = "needs Node.js 20 or newer with npm (Debian: apt install nodejs npm)";
const MAVEN: &str = if cfg!(windows) { "mvn.cmd" } else { "mvn" };
const MAVEN_HELP: &str =
    "needs a JDK 17 or newer and Maven 3.6.3 or newer (Debian: apt install openjdk-17-jdk-headless maven)";
const MAVEN_UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8";
const KEYCLOAK: &str = "26.7.3";
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const REDOCLY: &str = "@redocly/cli@2.77.0";

/// The cache and the folder of this run in it.
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
            .ok_or_else(|| {
                CheckError::Failed(String::from("no place for a cache: set DOCUMINE_CONFORMANCE_CACHE to a folder"))
            })?;
        let root = std::path::absolute(&root).map_err(failed("the cache folder"))?;
        let folder = root.join(format!("run-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
        Ok(Self { root, folder })
    }

    /// Removes what this run wrote, unless somebody has to look at it.
    pub(super) fn close(self, keep: bool) {
        if !keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    /// The Python of the environment that holds `tests/conformance/requirements/NAME.txt`, installed if need be.
    pub(super) fn python(&self, name: &str) -> Result<PathBuf, CheckError> {
        let requirements = script("requirements").join(format!("{name}.txt"));
        let wanted = std::fs::read_to_string(&requirements).map_err(failed(&requirements.display().to_string()))?;
        let environment = self.root.join(format!("python-{name}"));
        let python =
            if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python") };
        if is_installed(&environment, &wanted) && python.exists() {
            return Ok(python);
        }
        let base = if cfg!(windows) { "python" } else { "python3" };
        clear(&environment)?;
        self.install(Command::new(base).args(["-m", "venv"]).arg(&environment), PYTHON_HELP)?;
        self.install(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
                .arg(&requirements),
            "pip could not install it",
        )?;
        mark_installed(&environment, &wanted)?;
        Ok(python)
    }

    /// The script to run with `node` for redocly, installed if need be.
    pub(super) fn redocly(&self) -> Result<PathBuf, CheckError> {
        let folder = self.root.join("node-redocly");
        let program = folder.join("node_modules/@redocly/cli/bin/cli.js");
        if is_installed(&folder, REDOCLY) && program.exists() {
            return Ok(program);
        }
        clear(&folder)?;
        std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
        let command = &mut Command::new(NPM);
        command.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]);
        self.install(command.arg(&folder).arg(REDOCLY), NODE_HELP)?;
        mark_installed(&folder, REDOCLY)?;
        Ok(program)
    }

    /// A copy of `tests/conformance/NAME`, programs of ours for Node.js, with the packages that its lock file names beside them.
    pub(super) fn node(&self, name: &str) -> Result<PathBuf, CheckError> {
        let sources = script(name);
        let mut files = tree::snapshot(&sources)?;
        // What npm leaves when somebody runs it by hand.
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
        put(&made, &folder)?;
        Ok(folder)
    }

    /// The program of the Spring service in `tests/conformance/springdoc`, built by Maven in the cache if need be.
    pub(super) fn spring_service(&self) -> Result<PathBuf, CheckError> {
        let sources = script("springdoc");
        let mut files = tree::snapshot(&sources)?;
        // What Maven leaves when somebody runs it by hand.
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

    /// The folder of Keycloak's distribution, fetched by Maven and built if need be.
    pub(super) fn keycloak(&self) -> Result<PathBuf, CheckError> {
        let home = self.root.join(format!("keycloak-{KEYCLOAK}"));
        if home.exists() {
            return Ok(home);
        }
        // Maven's usual repository would keep the 180 MB a second time; this one goes with the run.
        let work = self.folder.join("maven");
        std::fs::create_dir(&work).map_err(failed(&work.display().to_string()))?;
        let command = &mut Command::new(MAVEN);
        command.current_dir(&work).args(["--batch-mode", "--quiet", &format!("{MAVEN_UNPACK}:unpack")]);
        command.arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"));
        command.arg(format!("-DoutputDirectory={}", work.display()));
        command.arg(format!("-Dmaven.repo.local={}", work.join("repository").display()));
        self.install(command, MAVEN_HELP)?;
        let made = work.join(format!("keycloak-{KEYCLOAK}"));
        let command = &mut Command::new(python::program());
        self.install(command.arg(script("keycloak/run.py")).arg("build").arg(&made), "Keycloak could not be built")?;
        put(&made, &home)?;
        clear(&work)?;
        Ok(home)
    }

    /// A database of Keycloak's that holds the realms of `tests/conformance/keycloak` and nothing else: made once, copied for each run.
    pub(super) fn keycloak_database(&self, home: &Path) -> Result<PathBuf, CheckError> {
        let sources = script("keycloak");
        let realms = tree::fingerprint(&tree::snapshot(&sources)?);
        let folder = self.root.join(format!("keycloak-{KEYCLOAK}-realms-{realms}"));
        let database = folder.join("kc.mv.db");
        if database.exists() {
            return Ok(database);
        }
        let made = self.folder.join("keycloak-realms");
        std::fs::create_dir(&made).map_err(failed(&made.display().to_string()))?;
        let command = &mut Command::new(python::program());
        command.arg(sources.join("run.py")).arg("import").arg(home).arg(&made);
        let finished = process::run(command, "keycloak-import", &self.folder, INSTALL_LIMIT)?;
        if !finished.success {
            return Err(CheckError::Failed(format!("Keycloak does not take the realms\n{}", finished.tail())));
        }
        put(&made, &folder)?;
        Ok(database)
    }

    /// A folder that is the same in each run for this workspace, so that cargo finds its own work again; empty.
    pub(super) fn copy_of_workspace(&self) -> Result<PathBuf, CheckError> {
        let root = super::root();
        let root = root.canonicalize().map_err(failed(&root.display().to_string()))?;
        let folder = self.root.join(format!("springdoc-copy-{}", tree::hash(root.as_os_str().as_encoded_bytes())));
        clear(&folder)?;
        std::fs::create_dir_all(&folder).map_err(failed(&folder.display().to_string()))?;
        Ok(folder)
    }

    /// A suite that can't be installed did not run; that says nothing about our work.
    fn install(&self, command: &mut Command, help: &str) -> Result<(), CheckError> {
        let not_run = |reason: String| CheckError::NotRun(format!("{help}\n{reason}"));
        match process::run(command, "install", &self.folder, INSTALL_LIMIT) {
            Ok(finished) if finished.success => Ok(()),
            Ok(finished) => Err(not_run(finished.tail())),
            Err(CheckError::Failed(reason) | CheckError::NotRun(reason)) => Err(not_run(reason)),
        }
    }
}

/// A jar that was built in an earlier run can miss its Java in this one.
pub(super) fn without_java(stop: CheckError) -> CheckError {
    match stop {
        CheckError::NotRun(reason) => CheckError::NotRun(format!("{MAVEN_HELP}\n{reason}")),
        failed @ CheckError::Failed(_) => failed,
    }
}

/// A program that ran by Node.js in an earlier run can miss it in this one.
pub(super) fn without_node(stop: CheckError) -> CheckError {
    match stop {
        CheckError::NotRun(reason) => CheckError::NotRun(format!("{NODE_HELP}\n{reason}")),
        failed @ CheckError::Failed(_) => failed,
    }
}

/// The mark is written last, so an installation that broke off is done again.
fn marker(folder: &Path) -> PathBuf {
    folder.join("documine-installed.txt")
}

fn is_installed(folder: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(marker(folder)).is_ok_and(|found| found == wanted)
}

fn mark_installed(folder: &Path, wanted: &str) -> Result<(), CheckError> {
    std::fs::write(marker(folder), wanted).map_err(failed("the mark of an installation"))
}

/// Puts a finished folder where others look for it, in one step. Another run may have been faster.
fn put(made: &Path, place: &Path) -> Result<(), CheckError> {
    match std::fs::rename(made, place) {
        Err(error) if !place.exists() => Err(failed(&place.display().to_string())(error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, if it is there.
pub(super) fn clear(folder: &Path) -> Result<(), CheckError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&folder.display().to_string())(error)),
        _ => Ok(()),
    }
}
