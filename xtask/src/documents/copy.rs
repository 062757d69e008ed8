//! Documents that are really put in the place of ours, in a copy of the workspace: what is written, and that it can be undone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::case::Case;
use super::process::{self, Finished};
use super::{CARGO_LIMIT, Documents, Outcome, REGEN_LIMIT, Tree, different, succeeds, tree};

/// The only file whose text may tell JSON from YAML, since it names the source.
const RECORD: &str = "PROVENANCE.md";

/// A copy of the workspace and its own xtask.
pub(super) struct Copy<'a> {
    documents: &'a Documents<'a>,
    root: PathBuf,
    xtask: PathBuf,
}

impl<'a> Copy<'a> {
    /// Copies what git knows, or would take in, and builds xtask there: it knows where its workspace is from being built in it.
    pub(super) fn new(documents: &'a Documents<'a>) -> Result<Self, String> {
        let root = documents.target.join("copy");
        let mut list = Command::new("git");
        list.current_dir(&documents.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = process::run(&mut list, "copy.git", &documents.made, REGEN_LIMIT)?;
        succeeds(&listed)?;
        // What an earlier run has left in openapi/ goes; the rest is written over.
        let openapi = root.join("openapi");
        if openapi.exists() {
            fs::remove_dir_all(&openapi).map_err(|error| format!("{}: {error}", openapi.display()))?;
        }
        for name in listed.stdout.split('\0').filter(|name| !name.is_empty()) {
            copy(&documents.root.join(name), &root.join(name))
                .map_err(|error| format!("{name} can't be copied: {error}"))?;
        }
        let mut build = Command::new(process::cargo());
        build.current_dir(&root).args(["build", "--quiet", "--locked", "--package", "xtask"]);
        build.env("CARGO_TARGET_DIR", &documents.target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        succeeds(&process::run(&mut build, "copy.build", &documents.made, CARGO_LIMIT)?)?;
        let xtask = documents.target.join("debug").join(format!("xtask{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { documents, root, xtask })
    }

    fn regen(&self, arguments: &[&str]) -> Result<Finished, String> {
        let mut command = Command::new(&self.xtask);
        command.current_dir(&self.root).arg("regen").args(arguments);
        let name = format!("copy.regen{}", arguments.first().copied().unwrap_or_default());
        let finished = process::run(&mut command, &name, &self.documents.made, REGEN_LIMIT)?;
        succeeds(&finished).map_err(|reason| format!("regen {}: {reason}", arguments.join(" ")))?;
        Ok(finished)
    }

    fn openapi(&self) -> Result<Tree, String> {
        tree(&self.root.join("openapi"))
    }

    pub(super) fn run(&self, cases: &[&Case]) -> Outcome {
        let whole = tree(&self.root)?;
        let ours = self.openapi()?;
        for case in cases {
            self.case(case, &whole, &ours).map_err(|reason| format!("{}: {reason}", case.name))?;
        }
        self.regen(&["--from", "openapi/documine.yaml", "--no-build"])?;
        self.expect(&ours, "regen --from openapi/documine.yaml")
    }

    /// Whether `openapi/` is what it shall be.
    fn expect(&self, wanted: &Tree, after: &str) -> Outcome {
        let touched = different(wanted, &self.openapi()?);
        if touched.is_empty() { Ok(()) } else { Err(format!("{after}: differs in {}", touched.join(", "))) }
    }

    /// `regen --from` with a file of the case, and what openapi/ holds then.
    fn put(&self, case: &Case, file: &str, more: &[&str]) -> Result<Tree, String> {
        let file = self.documents.made.join(file).display().to_string();
        let mut arguments = vec!["--from", &file, "--no-build"];
        arguments.extend(case.arguments.iter().map(String::as_str));
        arguments.extend(more);
        self.regen(&arguments)?;
        self.openapi()
    }

    fn case(&self, case: &Case, whole: &Tree, ours: &Tree) -> Outcome {
        let written = self.put(case, &case.file, &[])?;
        if &written == ours {
            return Err(String::from("nothing was written"));
        }
        let outside: Vec<String> = different(whole, &tree(&self.root)?)
            .into_iter()
            .filter(|name| !Path::new(name).starts_with("openapi"))
            .collect();
        if !outside.is_empty() {
            return Err(format!("changed outside of openapi/: {}", outside.join(", ")));
        }
        self.regen(&[])?;
        self.expect(&written, "regen again")?;
        self.regen(&["--check"])?;
        self.expect(&written, "regen --check")?;
        self.regen(&["--restore", "--no-build"])?;
        self.expect(ours, "regen --restore")?;

        let mut from_yaml = self.put(case, case.by_hand.as_deref().unwrap_or(&case.file), &[])?;
        let mut from_json = written;
        for files in [&mut from_yaml, &mut from_json] {
            if let Some(record) = files.get_mut(Path::new(RECORD)) {
                *record = without_source(record);
            }
        }
        let differ = different(&from_json, &from_yaml);
        if !differ.is_empty() {
            return Err(format!("JSON and YAML differ in {}", differ.join(", ")));
        }
        self.regen(&["--restore", "--no-build"])?;
        self.expect(ours, "regen --restore after YAML")?;

        let private = self.put(case, &case.file, &["--private"])?;
        let touched = different(ours, &private);
        if touched.is_empty() || touched.iter().any(|name| !Path::new(name).starts_with("private")) {
            return Err(format!("--private changed {touched:?} in openapi/"));
        }
        self.packaged()?;
        self.regen(&["--restore", "--no-build"])?;
        self.expect(ours, "regen --restore after --private")
    }

    /// Neither a package nor git takes a private document.
    fn packaged(&self) -> Outcome {
        let mut list = Command::new(process::cargo());
        list.current_dir(&self.root).args(["package", "--list", "--package", "documine-api", "--allow-dirty"]);
        list.env("CARGO_TARGET_DIR", &self.documents.target);
        let listed = process::run(&mut list, "copy.package", &self.documents.made, CARGO_LIMIT)?;
        succeeds(&listed)?;
        if let Some(line) = listed.stdout.lines().find(|line| line.contains("private")) {
            return Err(format!("the package holds {line}"));
        }
        let mut ignored = Command::new("git");
        ignored.current_dir(&self.documents.root).args(["check-ignore", "openapi/private/documine.json"]);
        succeeds(&process::run(&mut ignored, "copy.ignore", &self.documents.made, REGEN_LIMIT)?)
            .map_err(|_| String::from("git would take in openapi/private/documine.json"))
    }
}

/// The record without the line that names the source.
fn without_source(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    text.lines().filter(|line| !line.starts_with("| source |")).collect::<Vec<&str>>().join("\n").into_bytes()
}

/// Copies a file or a link; what is the same already keeps its time, so that cargo builds nothing anew.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if from.is_symlink() {
        return if to.exists() { Ok(()) } else { link(&fs::read_link(from)?, to) };
    }
    if !from.exists() {
        // Removed, but git does not know it yet.
        return Ok(());
    }
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) { Ok(()) } else { fs::write(to, bytes) }
}

#[cfg(unix)]
fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

#[cfg(not(unix))]
fn link(target: &Path, to: &Path) -> std::io::Result<()> {
    // What git writes where it can't make links.
    fs::write(to, target.to_string_lossy().replace('\\', "/"))
}
