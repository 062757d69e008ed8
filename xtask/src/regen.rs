//! `cargo xtask regen`: makes the document that the build reads, from ours or from one of the user's own.
//!
//! Without options, `openapi/documine.yaml` becomes `openapi/documine.json` in canonical form (or, once a document was put in its place,
//! that one is made canonical again). `--from` puts another document there; everything that could go wrong in the build is tried
//! before anything is written, and then all files are written or none. Exit code: 0 done, 1 the files differ (`--check`), 2 refused.

mod diff;
mod folder;
mod mapped;
mod record;
mod report;
mod source;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use serde_json::Value;
use similar::TextDiff;

use crate::passes::contract::Contract;
use crate::passes::decisions::Decisions;
use crate::{code, passes};
use diff::{Effect, Side};
use folder::{CONTRACT, DECISIONS, DOCUMENT, FINGERPRINT, Files, Folder, MAPPED, OURS, PRIVATE, RECORD, TABLE};
use record::{Record, sha256};
use report::{Generated, Mode, Report};

/// Options of `regen`.
#[derive(clap::Args, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Args {
    /// Write nothing; fail with a diff when the files in openapi/ are not what would be written.
    #[arg(long, conflicts_with_all = ["from", "restore", "private", "dry_run", "map", "accept_missing"])]
    check: bool,
    /// Put this document (OpenAPI 3.0 or 3.1, JSON or YAML; `-`: standard input) in the place of the one in use.
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Put it into openapi/private/, which git ignores, the build prefers, and no package holds.
    #[arg(long, requires = "from")]
    private: bool,
    /// Write nothing, and report what would be done.
    #[arg(long)]
    dry_run: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    report: Form,
    /// Where the document has an operation of the contract: `getDownload='GET /api/downloads/{id}/status'`. Kept in mapping.toml.
    #[arg(long, value_name = "OPERATION=METHOD PATH")]
    map: Vec<String>,
    /// Operations of the contract that the document may lack; their calls then say so. Kept in mapping.toml.
    #[arg(long, value_name = "OPERATION", value_delimiter = ',', num_args = 1..)]
    accept_missing: Vec<String>,
    /// Back to our reconstruction; a replaced document, a private one and decisions about them go.
    #[arg(long, conflicts_with_all = ["from", "private", "map", "accept_missing"])]
    restore: bool,
    /// Do not build the client and the facade to see that they compile. The generator itself is always tried.
    #[arg(long)]
    no_build: bool,
}

/// The form of the report.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Text,
    Json,
    Markdown,
}

/// Done, or nothing to do.
const DONE: u8 = 0;
/// `--check` found a difference.
const DIFFERS: u8 = 1;
/// The document can't be used; nothing was written.
const REFUSED: u8 = 2;

/// Runs the command in this workspace and says how it ended.
pub(crate) fn run(args: &Args) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut output = Output::default();
    let code = regen(&root.join("openapi"), args, &mut output, Some(&|| build(&root)));
    #[expect(clippy::print_stdout, reason = "the command's result")]
    {
        print!("{}", output.result);
    }
    #[expect(clippy::print_stderr, reason = "the command's complaint")]
    {
        eprint!("{}", output.complaint);
    }
    ExitCode::from(code)
}

/// What there is to say.
#[derive(Default)]
struct Output {
    /// For stdout.
    result: String,
    /// For stderr.
    complaint: String,
}

/// Builds what depends on the document; the seconds it took, or what the compiler said.
type Build<'a> = &'a dyn Fn() -> Result<f64, String>;

/// The work itself on the folder that holds the document.
fn regen(openapi: &Path, args: &Args, output: &mut Output, build: Option<Build<'_>>) -> u8 {
    match Regen::new(openapi, args).and_then(|regen| regen.run(build, output)) {
        Ok(code) => code,
        Err(reasons) => {
            let (first, more) = reasons.split_first().map_or(("", &[][..]), |(first, more)| (first.as_str(), more));
            output.complaint.push_str("refused: ");
            output.complaint.push_str(first);
            for reason in more {
                output.complaint.push_str("\n         ");
                output.complaint.push_str(reason);
            }
            output.complaint.push_str("\nnothing was written\n");
            if args.report != Form::Text {
                output.result.push_str(&args.report.of(&refused(args, reasons)));
            }
            REFUSED
        }
    }
}

/// The report of a document that can't be used.
fn refused(args: &Args, reasons: Vec<String>) -> Report {
    Report {
        source: args.from.as_deref().map_or_else(|| format!("openapi/{DOCUMENT}"), source::name),
        sha256: String::new(),
        mode: if args.private { Mode::Private } else { Mode::Replaced },
        operations: 0,
        mapped: Vec::new(),
        missing: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        refused: reasons,
        generated: None,
        build_seconds: None,
        outcome: String::from("nothing was written"),
    }
}

impl Form {
    fn of(self, report: &Report) -> String {
        match self {
            Self::Text => report.text(),
            Self::Markdown => report.markdown(),
            Self::Json => format!("{:#}\n", report.json()),
        }
    }
}

/// One run of the command.
struct Regen<'a> {
    openapi: &'a Path,
    args: &'a Args,
    contract: Contract,
    /// Our reconstruction, in canonical form.
    ours: String,
}

/// A document that the build will be able to use, and the files that say so.
struct Prepared {
    files: Files,
    text: String,
    document: Value,
    decisions: Decisions,
    passed: passes::PreparedDocument,
    source: String,
    mode: Mode,
    generated: Generated,
}

/// The document that was in use before, as far as it can be used.
struct Before {
    document: Value,
    decisions: Decisions,
    mapping: passes::mapping::Mapping,
}

fn one(reason: String) -> Vec<String> {
    vec![reason]
}

impl<'a> Regen<'a> {
    fn new(openapi: &'a Path, args: &'a Args) -> Result<Self, Vec<String>> {
        let public = Folder::new(openapi, false);
        let need = |name: &str| {
            let text = std::fs::read_to_string(public.common(name));
            text.map_err(|error| one(format!("openapi/{name}: {error}")))
        };
        let contract = Contract::read(&need(CONTRACT)?)?;
        let yaml = need(OURS)?;
        let ours = crate::yaml::document(&yaml, &format!("openapi/{OURS}")).map_err(one)?;
        Ok(Self { openapi, args, contract, ours: passes::canonical::text(&ours) })
    }

    fn run(&self, build: Option<Build<'_>>, output: &mut Output) -> Result<u8, Vec<String>> {
        let before = self.before();
        let in_use = Folder::in_use(self.openapi);
        let (mut files, prepared) = if let Some(from) = &self.args.from {
            if in_use.private && !self.args.private {
                return Err(one(format!(
                    "openapi/{PRIVATE}/{DOCUMENT} is in use, and the build prefers it; give --private too, or --restore first"
                )));
            }
            let folder = Folder::new(self.openapi, self.args.private);
            let (document, name) = source::read(from).map_err(one)?;
            let prepared = self.prepare(&folder, &document, &name, self.decisions(&folder)?)?;
            (Files::new(), prepared)
        } else if self.args.restore {
            let folder = Folder::new(self.openapi, false);
            let prepared =
                self.prepare(&folder, &self.our_document()?, &format!("openapi/{OURS}"), Decisions::default())?;
            (self.leftovers(), prepared)
        } else {
            // The public one is kept in order, too, while a private one is in use.
            let mut files = Files::new();
            if in_use.private {
                files = self.refresh(&Folder::new(self.openapi, false), false)?.files;
            }
            let prepared = self.refresh(&in_use, true)?;
            (files, prepared)
        };
        files.extend(prepared.files.iter().cloned());
        let different = folder::different(&files).map_err(one)?;
        if self.args.check {
            return Ok(self.check(&different, output));
        }
        let mut seconds = None;
        if !different.is_empty() && !self.args.dry_run {
            let written = folder::write(&different).map_err(one)?;
            if let Some(build) = build.filter(|_| !self.args.no_build && self.changes_build()) {
                match build() {
                    Ok(took) => seconds = Some(took),
                    Err(reason) => {
                        written.undo().map_err(one)?;
                        return Err(one(reason));
                    }
                }
            }
        }
        let report = self.report(&prepared, before.as_ref(), &different, seconds);
        if self.args.report == Form::Text && prepared.mode == Mode::Reconstruction {
            output.result.push_str(&details(&prepared, &report));
        } else {
            output.result.push_str(&self.args.report.of(&report));
        }
        Ok(DONE)
    }

    /// Whether the command is about another document than the one that was built last.
    fn changes_build(&self) -> bool {
        self.args.from.is_some()
            || self.args.restore
            || !self.args.map.is_empty()
            || !self.args.accept_missing.is_empty()
    }

    fn our_document(&self) -> Result<Value, Vec<String>> {
        serde_json::from_str(&self.ours).map_err(|error| one(error.to_string()))
    }

    /// The document in use and where it has the contract's things; `None` when it can't be used.
    fn before(&self) -> Option<Before> {
        let folder = Folder::in_use(self.openapi);
        let text = folder.read(DOCUMENT).ok()??;
        let decisions = kept(&folder).ok()?;
        let passed = passes::prepare(&text, Some((&self.contract, &decisions))).ok()?;
        Some(Before { document: serde_json::from_str(&text).ok()?, decisions, mapping: passed.mapping })
    }

    /// The document of a folder once more: ours from its YAML, a replaced one from itself.
    fn refresh(&self, folder: &Folder, with_decisions: bool) -> Result<Prepared, Vec<String>> {
        let replaced = folder.record().map_err(one)?.is_some_and(|record| !record.ours);
        let decisions = if with_decisions { self.decisions(folder)? } else { kept(folder)? };
        if !replaced && !folder.private {
            return self.prepare(folder, &self.our_document()?, &format!("openapi/{OURS}"), decisions);
        }
        let text = folder.read(DOCUMENT).map_err(one)?;
        let text =
            text.ok_or_else(|| one(format!("{} is not there; --restore puts ours back", folder.shown(DOCUMENT))))?;
        let document = source::parse(&text, &folder.shown(DOCUMENT)).map_err(one)?;
        self.prepare(folder, &document, "changed by hand", decisions)
    }

    /// The decisions that a folder holds, and those of the command line.
    fn decisions(&self, folder: &Folder) -> Result<Decisions, Vec<String>> {
        let mut decisions = kept(folder)?;
        for pair in &self.args.map {
            let (operation, target) = pair.split_once('=').ok_or_else(|| {
                one(format!(
                    "--map {pair:?}: write OPERATION='METHOD PATH', as in getDownload='GET /api/downloads/{{id}}'"
                ))
            })?;
            decisions.accept_missing.remove(operation);
            decisions.map.insert(operation.to_owned(), target.to_owned());
        }
        for operation in &self.args.accept_missing {
            decisions.map.remove(operation);
            decisions.accept_missing.insert(operation.clone());
        }
        Ok(decisions)
    }

    /// Tries all that the build will do, and gives the files that it needs.
    fn prepare(
        &self,
        folder: &Folder,
        document: &Value,
        source: &str,
        decisions: Decisions,
    ) -> Result<Prepared, Vec<String>> {
        let text = passes::canonical::text(document);
        let passed = passes::prepare(&text, Some((&self.contract, &decisions)))?;
        let started = Instant::now();
        let generated = code::generate(&passed.document)?;
        let seconds = started.elapsed().as_secs_f64();
        let sources = [&generated.client, &generated.enums, &generated.operations];

        let ours = text == self.ours;
        let before = folder.record().map_err(one)?;
        let record = Record::of(&text, ours, source, before.as_ref());
        let decided = (decisions != Decisions::default()).then(|| decisions.text());
        let files = vec![
            (folder.path(DOCUMENT), Some(text.clone())),
            (folder.path(DECISIONS), decided),
            (folder.path(MAPPED), Some(mapped::table(&passed.mapping, &self.contract))),
            (folder.path(RECORD), Some(record.text())),
            (folder.common(TABLE), Some(diff::page())),
            (folder.common(FINGERPRINT), Some(format!("{}\n", passes::fingerprint(&self.ours)))),
        ];
        Ok(Prepared {
            files,
            document: document.clone(),
            decisions,
            text,
            passed,
            source: record.source().to_owned(),
            mode: match (folder.private, ours) {
                (true, _) => Mode::Private,
                (false, true) => Mode::Reconstruction,
                (false, false) => Mode::Replaced,
            },
            generated: Generated {
                lines: sources.iter().map(|source| source.lines().count()).sum(),
                bytes: sources.iter().map(|source| source.len()).sum(),
                seconds,
            },
        })
    }

    /// What a private document leaves when ours comes back.
    fn leftovers(&self) -> Files {
        let private = Folder::new(self.openapi, true);
        [DOCUMENT, DECISIONS, MAPPED, RECORD].into_iter().map(|name| (private.path(name), None)).collect()
    }

    fn check(&self, different: &Files, output: &mut Output) -> u8 {
        if different.is_empty() {
            output.result.push_str("openapi/ is up to date\n");
            return DONE;
        }
        for (path, text) in different {
            let name = path.strip_prefix(self.openapi).unwrap_or(path).display().to_string();
            let current = std::fs::read_to_string(path).unwrap_or_default();
            let wanted = text.clone().unwrap_or_default();
            let diff = TextDiff::from_lines(&current, &wanted);
            let header = format!("openapi/{name}");
            let diff = diff
                .unified_diff()
                .context_radius(3)
                .header(&header, &format!("{header}, as regen writes it"))
                .to_string();
            output.complaint.push_str(&diff);
            let _ = writeln!(output.complaint, "{header} is not what the document says: run `cargo xtask regen`");
        }
        DIFFERS
    }

    fn report(
        &self,
        prepared: &Prepared,
        before: Option<&Before>,
        different: &Files,
        build_seconds: Option<f64>,
    ) -> Report {
        let mapping = &prepared.passed.mapping;
        let (mapped, missing) = report::found(&self.contract, mapping, &prepared.decisions.accept_missing);
        let changes = before.map_or_else(Vec::new, |before| {
            let old = Side {
                document: &before.document,
                mapping: &before.mapping,
                accepted: &before.decisions.accept_missing,
            };
            let new = Side { document: &prepared.document, mapping, accepted: &prepared.decisions.accept_missing };
            let mut changes = diff::compare(&self.contract, &old, &new);
            // The document is accepted, so whatever looks like trouble for the facade was brought to a form that it lives with.
            for change in changes.iter_mut().filter(|change| change.effect == Effect::Facade) {
                change.effect = Effect::Raw;
                change.text.push_str("; the facade lives with it");
            }
            changes
        });
        Report {
            source: prepared.source.clone(),
            sha256: sha256(&prepared.text),
            mode: prepared.mode,
            operations: report::count(&prepared.document),
            mapped,
            missing,
            changes,
            notes: mapping.notes.clone(),
            refused: Vec::new(),
            generated: Some(prepared.generated),
            build_seconds,
            outcome: self.outcome(different),
        }
    }

    /// What became of the files.
    fn outcome(&self, different: &Files) -> String {
        if different.is_empty() {
            return String::from("openapi/ is up to date");
        }
        let lines = different.iter().map(|(path, text)| {
            let name = path.strip_prefix(self.openapi).unwrap_or(path).display();
            let done = match (text.is_some(), self.args.dry_run) {
                (true, false) => "written",
                (true, true) => "would be written",
                (false, false) => "removed",
                (false, true) => "would be removed",
            };
            format!("openapi/{name} {done}")
        });
        lines.collect::<Vec<String>>().join(", ")
    }
}

/// The decisions that a folder holds.
fn kept(folder: &Folder) -> Result<Decisions, Vec<String>> {
    match folder.read(DECISIONS).map_err(one)? {
        Some(text) => Decisions::read(&text, &folder.shown(DECISIONS)),
        None => Ok(Decisions::default()),
    }
}

/// What those who work on our own document look at: how sure its elements are, and what the passes do with it.
fn details(prepared: &Prepared, report: &Report) -> String {
    let mut text = table::operations(&prepared.document);
    text.push_str("\nPasses (edits on this document):\n");
    for (name, edits) in &prepared.passed.counts {
        let _ = writeln!(text, "  {name:<20} {edits:>5}");
    }
    let Generated { lines, bytes, seconds } = prepared.generated;
    let _ = write!(text, "\ngenerated: {lines} lines, {bytes} bytes, in {seconds:.1} s");
    if let Some(built) = report.build_seconds {
        let _ = write!(text, "; built in {built:.1} s");
    }
    for note in &report.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    let _ = writeln!(text, "\n{}", report.outcome);
    text
}

/// Compiles the client and the facade with the document that was just written.
fn build(root: &Path) -> Result<f64, String> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let started = Instant::now();
    let run = Command::new(cargo)
        .current_dir(root)
        .args(["check", "--quiet", "--package", "documine", "--message-format", "short"])
        .output()
        .map_err(|error| format!("cargo can't be run to build the client: {error}"))?;
    if run.status.success() {
        return Ok(started.elapsed().as_secs_f64());
    }
    let said = String::from_utf8_lossy(&run.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    Err(format!(
        "the client does not compile with this document, which is a mistake of ours; please report it:\n{}",
        lines.join("\n")
    ))
}

#[cfg(test)]
mod tests;
