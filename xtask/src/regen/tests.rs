//! Tests of the command on a temporary folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

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
    (code, output.result + &output.errors)
}

fn json(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("documine.json")).ok()
}

#[test]
fn writes_the_same_files_when_run_twice() {
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
    assert_eq!(left.len(), 7, "{left:?}");
}

#[test]
fn check_prints_a_diff_and_writes_nothing() {
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
fn refuses_a_document_that_the_build_refuses() {
    let folder = folder(&YAML.replace("/b:", "/b/{id:").replace("type: string", "type: text"));
    let (code, output) = run(folder.path(), false);
    assert_eq!(code, REFUSED);
    assert!(output.contains("getB: the path has a `{` without `}` (/paths/~1b~1{id/get)"), "{output}");
    assert!(output.contains("the type \"text\" is not one of OpenAPI 3.0"), "{output}");
    assert_eq!(json(folder.path()), None);
    let (code, output) = run(Path::new("/nowhere/at/all"), false);
    assert_eq!(code, REFUSED);
    assert!(output.contains("openapi/contract.toml: "), "{output}");
}

#[test]
fn table_counts_the_elements_of_an_operation() {
    let folder = folder(YAML);
    let (_, output) = run(folder.path(), false);
    let row = output.lines().find(|line| line.starts_with("getB")).expect("a row");
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words, ["getB", "GET", "/b", "inferred", "1", "0", "1", "0"]);
}

/// Makes a folder with the reconstruction and the contract of the repository.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi");
    for name in ["documine.yaml", "contract.toml"] {
        fs::copy(root.join(name), folder.path().join(name)).expect("copies");
    }
    let (code, output) = run(folder.path(), false);
    assert_eq!(code, DONE, "{output}");
    folder
}

/// Reads every file below a folder.
fn all(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(all(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else {
            files.insert(name, fs::read_to_string(&path).expect("reads"));
        }
    }
    files
}

/// Writes a document that differs from the reconstruction by a title and by `change`.
fn official(folder: &Path, change: impl Fn(&mut Value)) -> (tempfile::TempDir, String) {
    let mut document: Value = serde_json::from_str(&json(folder).expect("is there")).expect("JSON");
    document["info"]["title"] = Value::from("The official one");
    change(&mut document);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("official.json");
    fs::write(&file, document.to_string()).expect("writes");
    let file = file.display().to_string();
    (folder, file)
}

fn from(file: &str) -> Args {
    Args { from: Some(file.to_owned()), ..Args::default() }
}

#[test]
fn replaces_and_restores_the_reconstruction() {
    let folder = repository();
    let before = all(folder.path());
    let (_place, file) = official(folder.path(), |document| {
        document["paths"]["/api/about"] =
            serde_json::json!({"get": {"operationId": "getAbout", "responses": {"204": {"description": "x"}}}});
    });
    let (code, output) = with(folder.path(), &Args { dry_run: true, ..from(&file) });
    assert_eq!((code, all(folder.path())), (DONE, before.clone()), "{output}");
    assert!(output.contains("openapi/documine.json would be written"), "{output}");

    let (code, output) = with(folder.path(), &from(&file));
    assert_eq!(code, DONE, "{output}");
    let after = all(folder.path());
    assert_eq!(after["documine.yaml"], before["documine.yaml"], "the reconstruction is unchanged");
    assert_eq!(after["reconstruction.txt"], before["reconstruction.txt"]);
    assert!(after["documine.json"].contains("The official one"));
    assert!(after["PROVENANCE.md"].contains("| source | `official.json` |"), "{}", after["PROVENANCE.md"]);
    // Running the command again changes nothing.
    assert_eq!(run(folder.path(), true).0, DONE);
    assert_eq!(run(folder.path(), false).0, DONE);
    assert_eq!(with(folder.path(), &from(&file)).0, DONE);
    assert_eq!(all(folder.path()), after);

    let (code, output) = with(folder.path(), &Args { restore: true, ..Args::default() });
    assert_eq!((code, all(folder.path())), (DONE, before), "{output}");
}

#[test]
fn writes_the_same_files_from_json_and_yaml() {
    let folder = repository();
    let before = all(folder.path());
    let yaml = folder.path().join("documine.yaml").display().to_string();
    assert_eq!(with(folder.path(), &from(&yaml)).0, DONE);
    assert_eq!(all(folder.path()), before, "replacing the reconstruction by itself changes nothing");
    let (_place, file) = official(folder.path(), |document| document["info"]["title"] = Value::from("DocuMine API"));
    assert_eq!(with(folder.path(), &from(&file)).0, DONE);
    assert_eq!(all(folder.path()), before, "nor does the JSON form");
}

#[test]
fn writes_nothing_when_it_refuses_a_document() {
    let folder = repository();
    let before = all(folder.path());
    for (change, part) in [
        (
            (|document| document["components"]["schemas"]["DownloadState"]["enum"] = serde_json::json!(["DONE"]))
                as fn(&mut Value),
            "READY",
        ),
        (|document| drop(document["paths"].as_object_mut().map(|paths| paths.remove("/api/license"))), "getLicense"),
        (|document| document["openapi"] = Value::from("3.2.0"), "3.2"),
    ] {
        let (_place, file) = official(folder.path(), change);
        let (code, output) = with(folder.path(), &from(&file));
        assert_eq!(code, REFUSED, "{output}");
        assert!(output.contains(part) && output.contains("nothing was written"), "{output}");
        assert_eq!(all(folder.path()), before);
        let (_, output) = with(folder.path(), &Args { report: super::Form::Json, ..from(&file) });
        let report: Value = serde_json::from_str(output.split("refused: ").next().unwrap_or_default()).expect("JSON");
        assert!(report["refused"].as_array().is_some_and(|reasons| reasons[0].to_string().contains(part)), "{report}");
    }
    let (code, output) = with(folder.path(), &from("/nowhere/official.json"));
    assert!(code == REFUSED && output.contains("/nowhere/official.json"), "{output}");
}

#[test]
fn restores_the_files_when_the_client_does_not_compile() {
    let folder = repository();
    let before = all(folder.path());
    let (_place, file) = official(folder.path(), |_| {});
    let mut output = Output::default();
    let code = regen(folder.path(), &from(&file), &mut output, Some(&|| Err(String::from("does not compile"))));
    assert_eq!((code, all(folder.path())), (REFUSED, before), "{}", output.errors);
    assert!(output.errors.contains("does not compile"));
}

#[test]
fn saves_decisions_beside_the_document() {
    let folder = repository();
    let (_place, file) = official(folder.path(), |document| {
        let paths = document["paths"].as_object_mut().expect("paths");
        paths.remove("/api/license");
        let usage = paths.remove("/api/license/usage").expect("is there");
        paths.insert(String::from("/api/usage"), usage);
    });
    let (code, output) = with(folder.path(), &from(&file));
    assert_eq!(code, REFUSED);
    assert!(output.contains("--map getLicenseUsage='GET /api/usage'"), "{output}");
    let args = Args {
        map: vec![String::from("getLicenseUsage=GET /api/usage")],
        accept_missing: vec![String::from("getLicense")],
        ..from(&file)
    };
    let (code, output) = with(folder.path(), &args);
    assert_eq!(code, DONE, "{output}");
    let after = all(folder.path());
    assert!(after["mapping.toml"].contains("\"getLicenseUsage\" = \"GET /api/usage\""), "{}", after["mapping.toml"]);
    assert!(after["mapped.toml"].contains("getLicense = \"missing\""), "{}", after["mapped.toml"]);
    assert_eq!(run(folder.path(), true).0, DONE);
    // The next version of the document uses the saved decisions.
    assert_eq!(with(folder.path(), &from(&file)).0, DONE);
    assert_eq!(all(folder.path()), after);
    let wrong = Args { map: vec![String::from("getLicenseUsage")], ..from(&file) };
    assert!(with(folder.path(), &wrong).1.contains("write OPERATION='METHOD PATH'"));
}

#[test]
fn keeps_a_private_document_separate_and_uses_it() {
    let folder = repository();
    let before = all(folder.path());
    let (_place, file) = official(folder.path(), |_| {});
    let (code, output) = with(folder.path(), &Args { private: true, ..from(&file) });
    assert_eq!(code, DONE, "{output}");
    let after = all(folder.path());
    for (name, text) in &before {
        assert_eq!(after.get(name), Some(text), "{name} is public");
    }
    let private: Vec<&String> = after.keys().filter(|name| name.starts_with("private/")).collect();
    assert_eq!(private, ["private/PROVENANCE.md", "private/documine.json", "private/mapped.toml"]);
    assert_eq!(run(folder.path(), true).0, DONE);
    let (code, output) = with(folder.path(), &from(&file));
    assert!(code == REFUSED && output.contains("--private"), "{output}");
    assert_eq!(with(folder.path(), &Args { restore: true, ..Args::default() }).0, DONE);
    assert_eq!(all(folder.path()), before);
}

#[test]
fn names_the_kind_of_a_file_that_is_no_document() {
    let folder = repository();
    for (bytes, part) in [
        (&b"PK\x03\x04"[..], "ZIP"),
        (&b"<!doctype html>"[..], "web page"),
        (&b"\xff\xfea\0"[..], "UTF-16"),
        (&b"{\"openapi\": \"3.0.0\", \"openapi\": \"3.0.0\"}"[..], "duplicate"),
        (&b"[1]"[..], "mapping"),
        (&b"{\"swagger\": \"2.0\", \"paths\": {}, \"info\": {\"title\": \"t\", \"version\": \"1\"}}"[..], "2.0"),
    ] {
        let file = folder.path().join("given");
        fs::write(&file, bytes).expect("writes");
        let (code, output) = with(folder.path(), &from(&file.display().to_string()));
        assert!(code == REFUSED && output.contains(part), "{part}: {output}");
    }
}
