//! `cargo xtask documents`: holds `regen` and the build against documents that nobody gave us (made by the program in `tests/documents`).
//!
//! A document that has to be refused goes to the real command, which must print why and leave every file under openapi/ as it is. One that
//! has to be accepted goes to the command with `--dry-run`, which runs the passes and the generator. Compiling what comes out takes some
//! seconds each, so that only the documents put together of many variants go to the compiler. With `--full` all do, some go through all
//! tests of the workspace, and the build script gets those that have to be refused. At the end two documents are really written, in a
//! copy of the workspace. Exit code: 0 as expected, 1 not, 2 nothing could be tried.

mod case;
mod copy;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::passes;
use case::{Case, Effort};
use process::Finished;

/// Options of `documents`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only this document; may be given again.
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Compile with each of them, run all tests of the workspace with some, and the build with those that are refused. Takes long.
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Only `regen`: compile nothing.
    #[arg(long)]
    quick: bool,
    /// Show the documents and their ends, and do nothing.
    #[arg(long)]
    list: bool,
    /// Where the documents are made.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The document and its decisions go to the build by these.
const DOCUMENT: &str = "DOCUMINE_OPENAPI";
const DECISIONS: &str = "DOCUMINE_OPENAPI_MAPPING";
/// How the last step is called, beside the names of cases.
const COPY: &str = "in a copy of the workspace";
/// How long one run of `regen` may take, and one of cargo.
const REGEN_LIMIT: Duration = Duration::from_secs(120);
const CARGO_LIMIT: Duration = Duration::from_secs(1800);
/// Runs of `regen` side by side.
const WORKERS: usize = 2;

/// Nothing, or what was otherwise than expected.
type Outcome = Result<(), String>;

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    let started = Instant::now();
    let tried = Documents::new(args).and_then(|documents| {
        let all = documents.make()?;
        let unknown = args.cases.iter().find(|name| *name != COPY && all.iter().all(|case| case.name != **name));
        if let Some(unknown) = unknown {
            return Err(format!("there is no case {unknown:?}; see --list"));
        }
        let wanted = |name: &str| args.cases.is_empty() || args.cases.iter().any(|case| case == name);
        let chosen: Vec<&Case> = all.iter().filter(|case| wanted(&case.name)).collect();
        if args.list {
            for case in chosen {
                print(&case.line());
            }
            return Ok(0);
        }
        let copied: Vec<&Case> = all.iter().filter(|case| case.by_hand.is_some()).collect();
        let copied = if wanted(COPY) && !args.quick { copied } else { Vec::new() };
        let (tried, failed) = documents.try_all(&chosen, &copied);
        let how = if failed == 0 { String::from("all") } else { format!("{failed} not") };
        print(&format!("{tried} documents, {how} as expected, in {:.0} s", started.elapsed().as_secs_f64()));
        Ok(failed)
    });
    match tried {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            complain(&reason);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "the command's complaint")]
fn complain(line: &str) {
    eprintln!("{line}");
}

/// Files and what they hold.
type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// All files below a folder, by their paths in it.
fn tree(folder: &Path) -> Result<Tree, String> {
    let mut found = Tree::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", next.display());
        for entry in fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                left.push(path);
            } else {
                let bytes = fs::read(&path).map_err(failed)?;
                found.insert(path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes);
            }
        }
    }
    Ok(found)
}

/// The files in which two trees differ.
fn different(one: &Tree, other: &Tree) -> Vec<String> {
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    names.filter(|name| one.get(*name) != other.get(*name)).map(|name| name.display().to_string()).collect()
}

/// Makes a folder's files again what they were.
fn put_back(folder: &Path, before: &Tree, now: &Tree) -> Outcome {
    for name in different(before, now) {
        let path = folder.join(&name);
        let done = match before.get(Path::new(&name)) {
            Some(bytes) => fs::write(&path, bytes),
            None => fs::remove_file(&path),
        };
        done.map_err(|error| format!("{} could not be put back: {error}", path.display()))?;
    }
    Ok(())
}

/// The workspace and the folder in which documents are made.
struct Documents<'a> {
    args: &'a Args,
    root: PathBuf,
    /// The documents, and what programs said.
    made: PathBuf,
    /// Where cargo builds with them.
    target: PathBuf,
    ours: Value,
    xtask: PathBuf,
    /// `openapi/` as it was.
    before: Tree,
}

impl<'a> Documents<'a> {
    fn new(args: &'a Args) -> Result<Self, String> {
        let failed = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().map_err(|error| failed(&root, error))?;
        let yaml = root.join("openapi/documine.yaml");
        let text = fs::read_to_string(&yaml).map_err(|error| failed(&yaml, error))?;
        let ours = crate::yaml::document(&text, "openapi/documine.yaml")?;
        let target = root.join("target/documents");
        let made = args.out.clone().unwrap_or_else(|| target.join("made"));
        fs::create_dir_all(&made).map_err(|error| failed(&made, error))?;
        let made = made.canonicalize().map_err(|error| failed(&made, error))?;
        let xtask = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
        let before = tree(&root.join("openapi"))?;
        Ok(Self { args, root, made, target, ours, xtask, before })
    }

    /// Makes the documents and reads the table of them.
    fn make(&self) -> Result<Vec<Case>, String> {
        let ours = self.made.join("ours.json");
        fs::write(&ours, passes::canonical::text(&self.ours))
            .map_err(|error| format!("{}: {error}", ours.display()))?;
        let mut program = Command::new(process::cargo());
        program.current_dir(&self.root).args(["run", "--quiet", "--locked", "--package", "documine-documents", "--"]);
        program.arg(&ours).arg(&self.made);
        let finished = process::run(&mut program, "make", &self.made, CARGO_LIMIT)?;
        succeeds(&finished).map_err(|reason| format!("the documents can't be made: {reason}"))?;
        case::read(&self.made.join("cases.json"))
    }

    /// Tries the cases; how many there were, and how many ended otherwise.
    fn try_all(&self, cases: &[&Case], copied: &[&Case]) -> (usize, usize) {
        let mut failed = self.regen_all(cases);
        for case in cases {
            failed += usize::from(!self.build(case));
        }
        let mut tried = cases.len();
        if !copied.is_empty() {
            tried += 1;
            let started = Instant::now();
            let outcome = copy::Copy::new(self).and_then(|copy| copy.run(copied));
            failed += usize::from(!report(COPY, "written", started, &outcome));
        }
        (tried, failed)
    }

    /// The place of a case's document.
    fn place(&self, case: &Case) -> PathBuf {
        self.made.join(&case.file)
    }

    /// `regen` with each document; how many ended otherwise.
    fn regen_all(&self, cases: &[&Case]) -> usize {
        let (accepted, refused): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.effort.is_some());
        let next = AtomicUsize::new(0);
        let failed = AtomicUsize::new(0);
        let turn = Mutex::new(());
        let try_one = |case: &Case| {
            let started = Instant::now();
            let outcome = self.regen(case);
            let _turn = turn.lock();
            if !report(&case.name, "regen", started, &outcome) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some(case) = accepted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        try_one(case);
                    }
                });
            }
        });
        // One after the other: these may write, if they are wrongly accepted.
        refused.into_iter().for_each(try_one);
        failed.into_inner()
    }

    fn regen(&self, case: &Case) -> Outcome {
        let mut command = Command::new(&self.xtask);
        command.arg("regen").arg("--from").arg(self.place(case)).args(&case.arguments);
        let said = format!("{}.regen", case.name);
        command.arg(if case.effort.is_some() { "--dry-run" } else { "--no-build" });
        let finished = process::run(&mut command, &said, &self.made, REGEN_LIMIT)?;
        let outcome = if case.effort.is_some() { accepts(&finished, case) } else { refuses(&finished, case) };
        let openapi = self.root.join("openapi");
        let now = tree(&openapi)?;
        let touched = different(&self.before, &now);
        if touched.is_empty() {
            return outcome;
        }
        put_back(&openapi, &self.before, &now)?;
        let names = touched.join(", ");
        Err(format!("{}; it changed {names} in openapi/ (put back)", outcome.err().unwrap_or_default()))
    }

    /// What cargo does with a document; whether it ended as expected. Most go no further than `regen`.
    fn build(&self, case: &Case) -> bool {
        let mut fine = true;
        let mut step = |name: &str, work: &dyn Fn() -> Outcome| {
            let started = Instant::now();
            fine = fine && report(&case.name, name, started, &work());
        };
        match case.effort {
            Some(effort) if (effort >= Effort::Checked || self.args.full) && !self.args.quick => {
                step("cargo check", &|| self.check(case));
                if effort == Effort::Tested && self.args.full {
                    step("cargo test", &|| self.test(case));
                    step("example", &|| self.example(case));
                }
            }
            None if self.args.full => step("build script", &|| self.refuse(case)),
            _ => {}
        }
        fine
    }

    /// Cargo with the document of a case, as a subscriber would call it.
    fn cargo(&self, case: &Case, arguments: &[&str]) -> Command {
        let mut command = Command::new(process::cargo());
        command.current_dir(&self.root).args(arguments).arg("--locked");
        if self.place(case).extension().is_some_and(|extension| extension == "yaml") {
            command.args(["--features", "documine-api/yaml"]);
        }
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", DECISIONS] {
            command.env_remove(variable);
        }
        command.env("CARGO_TARGET_DIR", &self.target).env("CARGO_TERM_COLOR", "never");
        command.env(DOCUMENT, self.place(case));
        if let Some(decisions) = &case.decisions {
            command.env(DECISIONS, self.made.join(decisions));
        }
        command
    }

    fn check(&self, case: &Case) -> Outcome {
        let packages = ["check", "--package", "documine", "--package", "documine-api", "--examples"];
        let mut command = self.cargo(case, &packages);
        command.args(["--message-format", "short"]);
        let finished = process::run(&mut command, &format!("{}.check", case.name), &self.made, CARGO_LIMIT)?;
        succeeds(&finished)?;
        let warnings: Vec<&str> = finished.stderr.lines().filter(|line| line.contains("warning: ")).collect();
        if warnings.is_empty() { Ok(()) } else { Err(format!("rustc warns: {}", warnings.join("\n"))) }
    }

    fn test(&self, case: &Case) -> Outcome {
        // The other two crates do not look at the variables.
        let packages = ["test", "--workspace", "--exclude", "xtask", "--exclude", "documine-documents"];
        let mut command = self.cargo(case, &packages);
        succeeds(&process::run(&mut command, &format!("{}.test", case.name), &self.made, CARGO_LIMIT)?)
    }

    fn example(&self, case: &Case) -> Outcome {
        let mut command = self.cargo(case, &["run", "--quiet", "--example", "pipeline"]);
        command.args(["--", "--json", "--out"]).arg(self.made.join(format!("{}.out", case.name)));
        let finished = process::run(&mut command, &format!("{}.example", case.name), &self.made, CARGO_LIMIT)?;
        succeeds(&finished)?;
        let last = finished.stdout.lines().last().unwrap_or_default();
        match serde_json::from_str::<Value>(last) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the example's last line is no JSON ({error}): {last}")),
        }
    }

    /// The build must end with the same reasons as `regen`, and not by a panic.
    fn refuse(&self, case: &Case) -> Outcome {
        let mut command = self.cargo(case, &["check", "--quiet", "--package", "documine-api"]);
        let finished = process::run(&mut command, &format!("{}.build", case.name), &self.made, CARGO_LIMIT)?;
        if finished.code == Some(0) {
            return Err(String::from("the build accepts it"));
        }
        no_panic(&finished)?;
        // What reading a text finds is said otherwise by a build, which reads it as UTF-8 from the beginning.
        if case.is_text || case.form == "JsonUtf16" {
            return Ok(());
        }
        says(&finished.stderr, &case.says)
    }
}

/// Prints how a step ended; whether it ended well.
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

/// The end of a message, for a reader who has to find out what went wrong.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

fn no_panic(finished: &Finished) -> Outcome {
    for bad in ["panicked at", "the generator stopped", "overflowed its stack"] {
        if finished.stderr.contains(bad) || finished.stdout.contains(bad) {
            return Err(format!("no named cause ({bad}):\n{}", tail(&finished.stderr)));
        }
    }
    Ok(())
}

fn succeeds(finished: &Finished) -> Outcome {
    no_panic(finished)?;
    match finished.code {
        Some(0) => Ok(()),
        code => Err(format!("ended with {code:?}:\n{}", tail(&format!("{}\n{}", finished.stdout, finished.stderr)))),
    }
}

/// Whether a text holds all parts; `one|other` is either.
fn says<T: AsRef<str>>(text: &str, parts: &[T]) -> Outcome {
    let is_there = |part: &&str| part.split('|').any(|either| text.contains(either));
    let missing: Vec<&str> = parts.iter().map(AsRef::as_ref).filter(|part| !is_there(part)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("does not print {missing:?}, but:\n{}", tail(text))) }
}

fn accepts(finished: &Finished, case: &Case) -> Outcome {
    succeeds(finished)?;
    says(&finished.stdout, &case.says)
}

fn refuses(finished: &Finished, case: &Case) -> Outcome {
    no_panic(finished)?;
    if finished.code != Some(2) {
        return Err(format!("ended with {:?} instead of 2:\n{}", finished.code, tail(&finished.stderr)));
    }
    if let Some(odd) = finished.stderr.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("the message holds the control character {odd:?}"));
    }
    says(&finished.stderr, &["refused: ", "nothing was written"])?;
    says(&finished.stderr, &case.says)
}

#[cfg(test)]
mod tests {
    use super::{different, says, tree};

    #[test]
    fn parts_may_be_one_of_several() {
        assert!(says("too deep by far", &["deep|nest", "far"]).is_ok());
        assert!(says("too deep by far", &["deep", "near|nest"]).is_err());
    }

    #[test]
    fn trees_differ_in_files_that_changed_came_or_went() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), "1").expect("writes");
        let before = tree(folder.path()).expect("a tree");
        std::fs::create_dir(folder.path().join("in")).expect("a folder");
        std::fs::write(folder.path().join("in/b"), "1").expect("writes");
        std::fs::write(folder.path().join("a"), "2").expect("writes");
        let after = tree(folder.path()).expect("a tree");
        assert_eq!(different(&before, &after), ["a", "in/b"]);
        assert_eq!(different(&after, &before), ["a", "in/b"]);
        assert!(different(&after, &after).is_empty());
        super::put_back(folder.path(), &before, &after).expect("puts back");
        assert_eq!(tree(folder.path()), Ok(before));
    }
}
