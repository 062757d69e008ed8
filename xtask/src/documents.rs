//! `cargo xtask documents`: checks `regen` and the build with documents that differ from the reconstruction (crate `documine-documents`).
//!
//! A document that must be refused goes to `regen`, which must name the reason and leave every file in openapi/ unchanged. A document that must be
//! accepted goes to `regen --dry-run`, which runs the passes and the generator. Compiling takes seconds for each document, so that only documents of
//! many variants go to the compiler. With `--full` all accepted documents are compiled, and some go through all tests of the workspace.
//! Exit code: 0 as expected, 1 not, 2 nothing was checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use documine_documents::{Case, CheckLevel, Expected, cases};
use serde_json::Value;

use crate::process::{self, Finished};
use crate::workspace::{print, print_error, root};

/// Options of `documents`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Check only this document; may be repeated.
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Compile each accepted document, and run all tests of the workspace with some. Takes long.
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Run only `regen`; compile nothing.
    #[arg(long)]
    quick: bool,
    /// List the documents and their expected outcomes.
    #[arg(long)]
    list: bool,
    /// Folder for the documents and the output of the programs.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Environment variable with the document for the build.
const DOCUMENT: &str = "DOCUMINE_OPENAPI";
/// Environment variable with the user's decisions for the build.
const DECISIONS: &str = "DOCUMINE_OPENAPI_MAPPING";
/// Time limit of one run of `regen`.
const REGEN_LIMIT: Duration = Duration::from_secs(120);
/// Time limit of one run of cargo.
const CARGO_LIMIT: Duration = Duration::from_secs(1800);
/// Number of runs of `regen` in parallel.
const WORKERS: usize = 2;

/// `Err`: the difference from the expected outcome.
type Outcome = Result<(), String>;

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match check(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            print_error(&reason);
            ExitCode::from(2)
        }
    }
}

/// Checks the chosen cases and returns the number of failures.
fn check(args: &Args) -> Result<usize, String> {
    let started = Instant::now();
    let all = cases();
    if let Some(unknown) = args.cases.iter().find(|name| all.iter().all(|case| case.name != **name)) {
        return Err(format!("unknown case {unknown:?}; `--list` shows all"));
    }
    let chosen: Vec<&Case> =
        all.iter().filter(|case| args.cases.is_empty() || args.cases.iter().any(|name| case.name == *name)).collect();
    if args.list {
        for case in chosen {
            print(&description(case));
        }
        return Ok(0);
    }
    let checker = Checker::new(args)?;
    for case in &chosen {
        case.write(&checker.reconstruction, &checker.folder)?;
    }
    let failed = checker.regen_all(&chosen) + chosen.iter().filter(|case| !checker.build(case)).count();
    let seconds = started.elapsed().as_secs_f64();
    print(&format!("{} documents, {failed} with another outcome than expected, in {seconds:.0} s", chosen.len()));
    Ok(failed)
}

fn description(case: &Case) -> String {
    let outcome = match case.expected {
        Expected::Refused(_) => "refused",
        Expected::Accepted { check: CheckLevel::Generate, .. } => "accepted",
        Expected::Accepted { check: CheckLevel::Compile, .. } => "accepted, compiled",
        Expected::Accepted { check: CheckLevel::Test, .. } => "accepted, compiled, tested with --full",
    };
    let edited = if case.edit_text.is_some() { ", text edited" } else { "" };
    format!("{}: {outcome}\n    {:?}{edited}: {:?}", case.name, case.format, case.variants)
}

/// Files with their content.
type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Reads all files below a folder.
fn tree(folder: &Path) -> Result<Tree, String> {
    let mut files = Tree::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(next) = pending.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", next.display());
        for entry in fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else {
                let bytes = fs::read(&path).map_err(failed)?;
                files.insert(path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes);
            }
        }
    }
    Ok(files)
}

/// Lists the files in which two trees differ.
fn differences(one: &Tree, other: &Tree) -> Vec<String> {
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    names.filter(|name| one.get(*name) != other.get(*name)).map(|name| name.display().to_string()).collect()
}

/// Restores the files of a folder.
fn restore(folder: &Path, before: &Tree, now: &Tree) -> Outcome {
    for name in differences(before, now) {
        let path = folder.join(&name);
        let restored = match before.get(Path::new(&name)) {
            Some(bytes) => fs::write(&path, bytes),
            None => fs::remove_file(&path),
        };
        restored.map_err(|error| format!("restore {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The workspace and the folder with the documents.
struct Checker<'a> {
    args: &'a Args,
    root: PathBuf,
    /// Folder of the documents and of the output of programs.
    folder: PathBuf,
    /// Target folder of cargo.
    target: PathBuf,
    reconstruction: Value,
    xtask: PathBuf,
    /// Files in `openapi/` before the checks.
    before: Tree,
}

impl<'a> Checker<'a> {
    fn new(args: &'a Args) -> Result<Self, String> {
        let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let root = root();
        let yaml = root.join("openapi/documine.yaml");
        let text = fs::read_to_string(&yaml).map_err(|error| failed(&yaml, error))?;
        let reconstruction = crate::yaml::document(&text, "openapi/documine.yaml")?;
        let target = root.join("target/documents");
        let folder = args.out.clone().unwrap_or_else(|| target.join("made"));
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let folder = folder.canonicalize().map_err(|error| failed(&folder, error))?;
        let xtask = std::env::current_exe().map_err(|error| format!("find this program: {error}"))?;
        let before = tree(&root.join("openapi"))?;
        Ok(Self { args, root, folder, target, reconstruction, xtask, before })
    }

    /// Runs `regen` with each document and returns the number of failures.
    fn regen_all(&self, cases: &[&Case]) -> usize {
        let (accepted, refused): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|case| matches!(case.expected, Expected::Accepted { .. }));
        let next = AtomicUsize::new(0);
        let failed = AtomicUsize::new(0);
        let output = Mutex::new(());
        let check = |case: &Case| {
            let started = Instant::now();
            let outcome = self.regen(case);
            let _output = output.lock();
            if !report(case.name, "regen", started, &outcome) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some(case) = accepted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        check(case);
                    }
                });
            }
        });
        // One after the other, because a wrongly accepted document writes files.
        refused.into_iter().for_each(check);
        failed.into_inner()
    }

    fn regen(&self, case: &Case) -> Outcome {
        let mut command = Command::new(&self.xtask);
        command.arg("regen").arg("--from").arg(self.folder.join(case.file())).args(case.arguments());
        let is_accepted = matches!(case.expected, Expected::Accepted { .. });
        command.arg(if is_accepted { "--dry-run" } else { "--no-build" });
        let finished = process::run(&mut command, &format!("{}.regen", case.name), &self.folder, REGEN_LIMIT)?;
        let outcome = match &case.expected {
            Expected::Accepted { messages, .. } => {
                succeeds(&finished).and_then(|()| contains(&finished.stdout, messages))
            }
            Expected::Refused(messages) => refuses(&finished, messages),
        };
        let openapi = self.root.join("openapi");
        let now = tree(&openapi)?;
        let changed = differences(&self.before, &now);
        if changed.is_empty() {
            return outcome;
        }
        restore(&openapi, &self.before, &now)?;
        let names = changed.join(", ");
        Err(format!("{}; regen changed {names} in openapi/ (restored)", outcome.err().unwrap_or_default()))
    }

    /// Runs cargo with a document as the level of the case demands; returns whether everything passed.
    fn build(&self, case: &Case) -> bool {
        let Expected::Accepted { check: level, .. } = case.expected else { return true };
        if self.args.quick || (level < CheckLevel::Compile && !self.args.full) {
            return true;
        }
        let step = |name: &str, work: &dyn Fn() -> Outcome| {
            let started = Instant::now();
            report(case.name, name, started, &work())
        };
        let tested = level == CheckLevel::Test && self.args.full;
        step("cargo check", &|| self.compile(case))
            && (!tested || (step("cargo test", &|| self.test(case)) && step("example", &|| self.example(case))))
    }

    /// Returns cargo with the document of a case, as a subscriber runs it.
    fn cargo(&self, case: &Case, arguments: &[&str]) -> Command {
        let mut command = process::cargo();
        command.current_dir(&self.root).args(arguments).arg("--locked");
        if case.format.extension() == "yaml" {
            command.args(["--features", "documine-api/yaml"]);
        }
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", DECISIONS] {
            command.env_remove(variable);
        }
        command.env("CARGO_TARGET_DIR", &self.target).env("CARGO_TERM_COLOR", "never");
        command.env(DOCUMENT, self.folder.join(case.file()));
        if let Some(decisions) = case.decisions_file() {
            command.env(DECISIONS, self.folder.join(decisions));
        }
        command
    }

    fn compile(&self, case: &Case) -> Outcome {
        let arguments = ["check", "--package", "documine", "--package", "documine-api", "--examples"];
        let mut command = self.cargo(case, &arguments);
        command.args(["--message-format", "short"]);
        let finished = process::run(&mut command, &format!("{}.check", case.name), &self.folder, CARGO_LIMIT)?;
        succeeds(&finished)?;
        let warnings: Vec<&str> = finished.stderr.lines().filter(|line| line.contains("warning: ")).collect();
        if warnings.is_empty() { Ok(()) } else { Err(format!("rustc warns: {}", warnings.join("\n"))) }
    }

    fn test(&self, case: &Case) -> Outcome {
        // The two excluded crates do not read the variables.
        let arguments = ["test", "--workspace", "--exclude", "xtask", "--exclude", "documine-documents"];
        let mut command = self.cargo(case, &arguments);
        succeeds(&process::run(&mut command, &format!("{}.test", case.name), &self.folder, CARGO_LIMIT)?)
    }

    fn example(&self, case: &Case) -> Outcome {
        let mut command = self.cargo(case, &["run", "--quiet", "--example", "pipeline"]);
        command.args(["--", "--json", "--out"]).arg(self.folder.join(format!("{}.packages", case.name)));
        let finished = process::run(&mut command, &format!("{}.example", case.name), &self.folder, CARGO_LIMIT)?;
        succeeds(&finished)?;
        let last = finished.stdout.lines().last().unwrap_or_default();
        match serde_json::from_str::<Value>(last) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the last line of the example is not JSON ({error}): {last}")),
        }
    }
}

/// Prints the outcome of a step and returns whether the step passed.
fn report(case: &str, step: &str, started: Instant, outcome: &Outcome) -> bool {
    let seconds = started.elapsed().as_secs_f64();
    match outcome {
        Ok(()) => print(&format!("ok     {seconds:>6.1} s  {case}: {step}")),
        Err(reason) => {
            print(&format!("FAILED {seconds:>6.1} s  {case}: {step}: {}", reason.replace('\n', "\n           ")));
        }
    }
    outcome.is_ok()
}

/// Neither a panic nor a message of the generator names a cause.
fn names_a_cause(finished: &Finished) -> Outcome {
    for bad in ["panicked at", "the generator failed", "overflowed its stack"] {
        if finished.stderr.contains(bad) || finished.stdout.contains(bad) {
            return Err(format!("no named cause ({bad}):\n{}", finished.tail()));
        }
    }
    Ok(())
}

fn succeeds(finished: &Finished) -> Outcome {
    names_a_cause(finished)?;
    if finished.success() { Ok(()) } else { Err(format!("exit code {:?}:\n{}", finished.code, finished.tail())) }
}

/// Checks that a text contains all parts; `one|other` is either.
fn contains(text: &str, parts: &[&str]) -> Outcome {
    let is_there = |part: &&&str| part.split('|').any(|either| text.contains(either));
    let missing: Vec<&&str> = parts.iter().filter(|part| !is_there(part)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the output lacks {missing:?}:\n{text}")) }
}

fn refuses(finished: &Finished, messages: &[&str]) -> Outcome {
    names_a_cause(finished)?;
    if finished.code != Some(2) {
        return Err(format!("exit code {:?} instead of 2:\n{}", finished.code, finished.tail()));
    }
    if let Some(control) = finished.stderr.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("the message contains the control character {control:?}"));
    }
    contains(&finished.stderr, &["refused: ", "nothing was written"])?;
    contains(&finished.stderr, messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_one_of_several_parts() {
        assert!(contains("too deep by far", &["deep|nest", "far"]).is_ok());
        assert!(contains("too deep by far", &["deep", "near|nest"]).is_err());
    }

    #[test]
    fn finds_and_restores_changed_new_and_removed_files() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "1").expect("writes");
        let before = tree(folder.path()).expect("a tree");
        fs::create_dir(folder.path().join("in")).expect("a folder");
        fs::write(folder.path().join("in/b"), "1").expect("writes");
        fs::write(folder.path().join("a"), "2").expect("writes");
        let after = tree(folder.path()).expect("a tree");
        assert_eq!(differences(&before, &after), ["a", "in/b"]);
        assert_eq!(differences(&after, &before), ["a", "in/b"]);
        assert!(differences(&after, &after).is_empty());
        restore(folder.path(), &before, &after).expect("restores");
        assert_eq!(tree(folder.path()), Ok(before));
    }
}
