//! `cargo xtask regen`: the document for people becomes the document for the build.
//!
//! Reads `openapi/documine.yaml`, checks that the build will be able to use it, writes `openapi/documine.json` in canonical form
//! and prints the table of operations. `--check` writes nothing and fails when the two differ. Exit code: 0 done, 1 the two
//! differ (`--check`), 2 refused.

#[allow(dead_code, reason = "the command that puts another document in place calls it")]
mod diff;
#[allow(dead_code, reason = "the command that puts another document in place calls it")]
mod report;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use similar::TextDiff;

use crate::passes;

/// Options of `regen`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail with a diff when openapi/documine.json is not what would be written.
    #[arg(long)]
    check: bool,
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
    let mut output = String::new();
    let code = regen(&root.join("openapi"), args.check, &mut output);
    if code == DONE {
        #[expect(clippy::print_stdout, reason = "the command's result")]
        {
            print!("{output}");
        }
    } else {
        #[expect(clippy::print_stderr, reason = "the command's complaint")]
        {
            eprint!("{output}");
        }
    }
    ExitCode::from(code)
}

/// The work itself on the folder that holds the document; what there is to say goes to `output`.
fn regen(folder: &Path, check: bool, output: &mut String) -> u8 {
    match prepare(folder).and_then(|prepared| finish(&prepared, check, output)) {
        Ok(code) => code,
        Err(refusal) => {
            output.push_str("refused: ");
            output.push_str(&refusal);
            output.push('\n');
            REFUSED
        }
    }
}

struct Prepared {
    target: PathBuf,
    text: String,
    table: String,
}

fn prepare(folder: &Path) -> Result<Prepared, String> {
    let source = folder.join("documine.yaml");
    let yaml = std::fs::read_to_string(&source).map_err(|error| format!("openapi/documine.yaml: {error}"))?;
    let document = crate::yaml::document(&yaml, "openapi/documine.yaml")?;
    let text = passes::canonical::text(&document);

    // What the build would refuse is refused here, all of it at once and before anything is written.
    let passed = passes::run(&text, None).map_err(|findings| findings.join("\n"))?;
    let mut table = table::operations(&document);
    table.push_str("\nPasses (edits on this document):\n");
    for (name, edits) in &passed.counts {
        let _ = writeln!(table, "  {name:<20} {edits:>5}");
    }
    Ok(Prepared { target: folder.join("documine.json"), text, table })
}

fn finish(prepared: &Prepared, check: bool, output: &mut String) -> Result<u8, String> {
    let Prepared { target, text, table } = prepared;
    let current = match std::fs::read_to_string(target) {
        Ok(current) => current,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("openapi/documine.json: {error}")),
    };
    if current == *text {
        output.push_str(table);
        output.push_str("\nopenapi/documine.json is up to date\n");
        return Ok(DONE);
    }
    if check {
        let diff = TextDiff::from_lines(&current, text);
        output.push_str(
            &diff
                .unified_diff()
                .context_radius(3)
                .header("openapi/documine.json", "openapi/documine.yaml, canonical")
                .to_string(),
        );
        output.push_str("\nopenapi/documine.json is not what openapi/documine.yaml says: run `cargo xtask regen`\n");
        return Ok(DIFFERS);
    }
    replace(target, text).map_err(|error| format!("openapi/documine.json: {error}"))?;
    output.push_str(table);
    output.push_str("\nopenapi/documine.json written\n");
    Ok(DONE)
}

/// Writes beside `target` and renames, so that a build that runs meanwhile never reads half a document.
fn replace(target: &Path, text: &str) -> std::io::Result<()> {
    let fresh = target.with_extension("json.new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, target).inspect_err(|_| {
        let _ = std::fs::remove_file(&fresh);
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{DIFFERS, DONE, REFUSED, regen};

    const YAML: &str = "\
openapi: 3.0.3
info: {version: '1', title: t}
paths:
  /b:
    get:
      operationId: getB
      x-provenance: inferred
      tags: [two]
      responses:
        200: {description: ok, content: {application/json: {schema: {type: string, x-provenance: published}}}}
";

    fn folder(yaml: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("documine.yaml"), yaml).expect("writes");
        folder
    }

    fn run(folder: &Path, check: bool) -> (u8, String) {
        let mut output = String::new();
        let code = regen(folder, check, &mut output);
        (code, output)
    }

    fn json(folder: &Path) -> Option<String> {
        fs::read_to_string(folder.join("documine.json")).ok()
    }

    #[test]
    fn twice_is_once() {
        let folder = folder(YAML);
        let (code, output) = run(folder.path(), false);
        assert_eq!(code, DONE, "{output}");
        assert!(output.contains("documine.json written"), "{output}");
        let first = json(folder.path()).expect("is there");
        assert!(first.starts_with("{\n  \"info\": {\n    \"title\""), "{first}");
        assert!(first.ends_with("}\n"), "{first}");
        let (code, output) = run(folder.path(), false);
        assert_eq!((code, json(folder.path())), (DONE, Some(first)));
        assert!(output.contains("up to date"), "{output}");
        assert_eq!(run(folder.path(), true).0, DONE);
        let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn check_shows_the_difference_and_writes_nothing() {
        let folder = folder(YAML);
        run(folder.path(), false);
        let before = json(folder.path());
        fs::write(folder.path().join("documine.yaml"), YAML.replace("getB", "getC")).expect("writes");
        let (code, output) = run(folder.path(), true);
        assert_eq!(code, DIFFERS);
        assert!(output.contains("-        \"operationId\": \"getB\","), "{output}");
        assert!(output.contains("+        \"operationId\": \"getC\","), "{output}");
        assert!(output.contains("cargo xtask regen"), "{output}");
        assert_eq!(json(folder.path()), before);
    }

    #[test]
    fn what_the_build_would_refuse_is_refused_and_nothing_is_written() {
        let folder = folder(&YAML.replace("/b:", "/b/{id}:").replace("operationId: getB", "operationId: new"));
        let (code, output) = run(folder.path(), false);
        assert_eq!(code, REFUSED);
        assert!(output.contains("new: the client has a method `new`"), "{output}");
        assert!(output.contains("`id` is not declared (/paths/~1b~1{id}/get)"), "{output}");
        assert_eq!(json(folder.path()), None);
        let (code, output) = run(Path::new("/nowhere/at/all"), false);
        assert_eq!(code, REFUSED);
        assert!(output.contains("openapi/documine.yaml: "), "{output}");
    }

    #[test]
    fn the_table_counts_what_an_operation_is_made_of() {
        let folder = folder(YAML);
        let (_, output) = run(folder.path(), false);
        let row = output.lines().find(|line| line.starts_with("getB")).expect("a row");
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(words, ["getB", "GET", "/b", "inferred", "1", "0", "1", "0"]);
    }
}
