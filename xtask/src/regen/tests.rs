//! The command on a folder of its own.

use std::fs;
use std::path::Path;

use super::{Args, DIFFERS, DONE, Output, REFUSED, regen};

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
    fs::write(folder.path().join("contract.toml"), "[ids]\n[operations]\n[schemas]\n[enums]\n").expect("writes");
    folder
}

fn run(folder: &Path, check: bool) -> (u8, String) {
    with(folder, &Args { check, ..Args::default() })
}

fn with(folder: &Path, args: &Args) -> (u8, String) {
    let mut output = Output::default();
    let code = regen(folder, args, &mut output, None);
    (code, output.result + &output.complaint)
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
    assert_eq!(left.len(), 6, "{left:?}");
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
    assert!(output.contains("openapi/contract.toml: "), "{output}");
}

#[test]
fn the_table_counts_what_an_operation_is_made_of() {
    let folder = folder(YAML);
    let (_, output) = run(folder.path(), false);
    let row = output.lines().find(|line| line.starts_with("getB")).expect("a row");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words, ["getB", "GET", "/b", "inferred", "1", "0", "1", "0"]);
}
