//! `cargo xtask regen`: writes the document that the build reads, from the reconstruction or from a document of the user.
//!
//! Without options, `openapi/documine.yaml` becomes `openapi/documine.json` in canonical form; after a replacement, the replacing document is brought to
//! canonical form again. `--from` replaces the document. All steps of the build run before anything is written, and either all files are written or
//! none. Exit code: 0 done, 1 the files differ (`--check`), 2 refused.

mod diff;
mod folder;
mod mapped;
mod oasdiff;
mod record;
mod report;
mod sanitize;
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
use diff::MappedDocument;
use folder::{CHANGES, CONTRACT, DECISIONS, DOCUMENT, FINGERPRINT, Files, Folder, MAPPED, OURS, PRIVATE, RECORD};
use record::{Record, sha256};
use report::{Generated, Mode, Report};

/// Options of `regen`.
#[derive(clap::Args, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Args {
    /// Write nothing; fail with a diff when the files in openapi/ are not what would be written.
    #[arg(long, conflicts_with_all = ["from", "restore", "private", "dry_run", "map", "accept_missing"])]
    check: bool,
    /// Replace the document in use by this one (OpenAPI 3.0 or 3.1, JSON or YAML; `-`: standard input).
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Write the document to openapi/private/, which git ignores, the build prefers, and packages exclude.
    #[arg(long, requires = "from")]
    private: bool,
    /// Write nothing, and report what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Output format of the report.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    report: Form,
    /// Map an operation of the contract to an operation of the document: `getDownload='GET /api/downloads/{id}/status'`. Saved in mapping.toml.
    #[arg(long, value_name = "OPERATION=METHOD PATH")]
    map: Vec<String>,
    /// Accept a document without these operations of the contract; their calls return an error. Saved in mapping.toml.
    #[arg(long, value_name = "OPERATION", value_delimiter = ',', num_args = 1..)]
    accept_missing: Vec<String>,
    /// Restore the reconstruction; removes a replacing or private document and the decisions about it.
    #[arg(long, conflicts_with_all = ["from", "private", "map", "accept_missing"])]
    restore: bool,
    /// Skip compiling the client and the facade. The generator itself always runs.
    #[arg(long)]
    no_build: bool,
}

/// Output format of the report.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Text,
    Json,
    Markdown,
}

/// Exit code: done, or nothing to do.
const DONE: u8 = 0;
/// Exit code: `--check` found a difference.
const DIFFERS: u8 = 1;
/// Exit code: the document cannot be used and nothing was written.
const REFUSED: u8 = 2;

/// Runs the command in this workspace.
pub(crate) fn run(args: &Args) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut output = Output::default();
    let code = regen(&root.join("openapi"), args, &mut output, Some(&|| build(&root)));
    if let Some([old, new]) = output.compared.as_ref().filter(|_| args.report != Form::Json) {
        output.result.push('\n');
        output.result.push_str(&oasdiff::changelog(Path::new("oasdiff"), old, new));
    }
    {
        print!("{}", output.result);
    }
    {
        eprint!("{}", output.errors);
    }
    ExitCode::from(code)
}

/// Output of the command.
#[derive(Default)]
struct Output {
    /// Text for stdout.
    result: String,
    /// Text for stderr.
    errors: String,
    /// The old and the new document, when `--from` replaced one by another.
    compared: Option<[String; 2]>,
}

/// Compiles the crates that depend on the document; returns the seconds taken, or the compiler's errors.
type Build<'a> = &'a dyn Fn() -> Result<f64, String>;

/// Runs the command on a folder that holds the document.
fn regen(openapi: &Path, args: &Args, output: &mut Output, build: Option<Build<'_>>) -> u8 {
    match Regen::new(openapi, args).and_then(|regen| regen.run(build, output)) {
        Ok(code) => code,
        Err(reasons) => {
            let (first, more) = reasons.split_first().map_or(("", &[][..]), |(first, more)| (first.as_str(), more));
            output.errors.push_str("refused: ");
            output.errors.push_str(first);
            for reason in more {
                output.errors.push_str("\n         ");
                output.errors.push_str(reason);
            }
            output.errors.push_str("\nnothing was written\n");
            if args.report != Form::Text {
                output.result.push_str(&args.report.of(&refused(args, reasons)));
            }
            REFUSED
        }
    }
}

/// Returns the report of a refused document.
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
    /// The reconstruction in canonical form.
    ours: String,
}

/// A document that the build can use, and the files to write.
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

/// The document in use before the command.
struct Before {
    text: String,
    document: Value,
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
            // The public document stays in canonical form, too, while a private one is in use.
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
        if let Some(before) = before.filter(|before| self.args.from.is_some() && before.text != prepared.text) {
            output.compared = Some([before.text, prepared.text.clone()]);
        }
        if self.args.report == Form::Text && prepared.mode == Mode::Reconstruction {
            output.result.push_str(&details(&prepared, &report));
        } else {
            output.result.push_str(&self.args.report.of(&report));
        }
        Ok(DONE)
    }

    /// Returns whether the command may change the document or its mapping.
    fn changes_build(&self) -> bool {
        self.args.from.is_some()
            || self.args.restore
            || !self.args.map.is_empty()
            || !self.args.accept_missing.is_empty()
    }

    fn our_document(&self) -> Result<Value, Vec<String>> {
        serde_json::from_str(&self.ours).map_err(|error| one(error.to_string()))
    }

    /// Reads the document in use and maps it to the contract. `None`: the build cannot use it.
    fn before(&self) -> Option<Before> {
        let folder = Folder::in_use(self.openapi);
        let text = folder.read(DOCUMENT).ok()??;
        let decisions = saved_decisions(&folder).ok()?;
        let passed = passes::prepare(&text, Some((&self.contract, &decisions))).ok()?;
        Some(Before { document: serde_json::from_str(&text).ok()?, text, mapping: passed.mapping })
    }

    /// Prepares the document of a folder again: the reconstruction from its YAML, a replacing document from itself.
    fn refresh(&self, folder: &Folder, with_decisions: bool) -> Result<Prepared, Vec<String>> {
        let replaced = folder.record().map_err(one)?.is_some_and(|record| !record.ours);
        let decisions = if with_decisions { self.decisions(folder)? } else { saved_decisions(folder)? };
        if !replaced && !folder.private {
            return self.prepare(folder, &self.our_document()?, &format!("openapi/{OURS}"), decisions);
        }
        let text = folder.read(DOCUMENT).map_err(one)?;
        let text = text
            .ok_or_else(|| one(format!("{} is missing; run `cargo xtask regen --restore`", folder.shown(DOCUMENT))))?;
        let document = source::parse(&text, &folder.shown(DOCUMENT)).map_err(one)?;
        self.prepare(folder, &document, "changed by hand", decisions)
    }

    /// Merges the decisions of the command line into those saved in a folder.
    fn decisions(&self, folder: &Folder) -> Result<Decisions, Vec<String>> {
        let mut decisions = saved_decisions(folder)?;
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

    /// Runs all steps of the build and returns the files that the build needs.
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
            (folder.common(CHANGES), Some(diff::changes_page())),
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

    /// Lists the files of a private document, to be removed.
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
            output.errors.push_str(&diff);
            let _ = writeln!(output.errors, "{header} is out of date: run `cargo xtask regen`");
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
        let (mapped, missing) = report::mapped_and_missing(&self.contract, mapping, &prepared.decisions.accept_missing);
        let changes = before.map_or_else(Vec::new, |before| {
            let old = MappedDocument { document: &before.document, mapping: &before.mapping };
            diff::compare(&old, &MappedDocument { document: &prepared.document, mapping })
        });
        Report {
            source: prepared.source.clone(),
            sha256: sha256(&prepared.text),
            mode: prepared.mode,
            operations: report::operation_count(&prepared.document),
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

    /// Lists the files with what was done to each.
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

/// Reads the decisions saved in a folder.
fn saved_decisions(folder: &Folder) -> Result<Decisions, Vec<String>> {
    match folder.read(DECISIONS).map_err(one)? {
        Some(text) => Decisions::read(&text, &folder.shown(DECISIONS)),
        None => Ok(Decisions::default()),
    }
}

/// Describes the reconstruction for its authors: the provenance of its elements and the edits of each pass.
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

/// Compiles the client and the facade with the new document and returns the seconds taken.
fn build(root: &Path) -> Result<f64, String> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let started = Instant::now();
    let run = Command::new(cargo)
        .current_dir(root)
        .args(["check", "--quiet", "--package", "documine", "--message-format", "short"])
        .output()
        .map_err(|error| format!("build the client: start cargo: {error}"))?;
    if run.status.success() {
        return Ok(started.elapsed().as_secs_f64());
    }
    let stderr = String::from_utf8_lossy(&run.stderr);
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    Err(format!(
        "the client does not compile with this document, which is a bug; please report it:\n{}",
        lines.join("\n")
    ))
}

#[cfg(test)]
mod tests;
