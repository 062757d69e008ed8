//! Tests of the report's three forms.

use super::super::diff::{Change, Effect, What};
use super::{Generated, Missing, Mode, Report, Row, count, found};
use crate::passes::{decisions::Decisions, prepare};

fn change(what: What, effect: Effect, operation: Option<&str>, place: &str, text: &str) -> Change {
    Change {
        what,
        effect,
        operation: operation.map(str::to_owned),
        also: Vec::new(),
        place: place.to_owned(),
        text: text.to_owned(),
    }
}

fn report() -> Report {
    let mut shared = change(
        What::AnswerFieldGone,
        Effect::Caller,
        Some("getFile"),
        "answer fileName",
        "is gone: the model's field `FileStatus.fileName` stays empty",
    );
    shared.also.push(String::from("getFiles"));
    Report {
        source: String::from("official.json"),
        sha256: String::from("ab12"),
        mode: Mode::Replaced,
        operations: 24,
        mapped: vec![
            Row {
                id: String::from("getFile"),
                method: String::from("get"),
                path: String::from("/api/files/{fileId}"),
                there: Some(String::from("getFileStatus")),
                decided: false,
            },
            Row {
                id: String::from("getFiles"),
                method: String::from("get"),
                path: String::from("/api/files"),
                there: None,
                decided: true,
            },
        ],
        missing: vec![Missing { id: String::from("getUsers"), line: String::from("GET /api/users"), accepted: true }],
        changes: vec![
            shared,
            change(What::OperationGone, Effect::Raw, Some("GET /api/old"), "", "is gone"),
            change(What::AnswerValuesGained, Effect::None, Some("getFile"), "answer state", "gains `NEW`"),
            change(What::Servers, Effect::None, None, "servers", "are `https://b.example`, were `https://a.example`"),
        ],
        notes: vec![String::from("getFiles: something is lived with")],
        refused: Vec::new(),
        generated: Some(Generated { lines: 1200, bytes: 34_000, seconds: 0.42 }),
        build_seconds: Some(12.34),
        outcome: String::from("openapi/documine.json written"),
    }
}

const TEXT: &str = "\
official.json: taken (replaced)
breaking for code that uses the facade (1 change), code that uses the raw client (1 change)
24 operations in the document: 2 of the 3 that the facade calls, 1 missing, 22 beside them for the raw client

Missing:
  getUsers (GET /api/users): the call says that it is not supported

Breaking for code that uses the facade:
  getFile and 1 other  answer fileName: is gone: the model's field `FileStatus.fileName` stays empty

Breaking for code that uses the raw client:
  GET /api/old: is gone

security: as before
servers: servers: are `https://b.example`, were `https://a.example`
values gained: getFile  answer state: gains `NEW`
values lost: as before

Nobody has to follow:
  getFile  answer state: gains `NEW`
  servers: are `https://b.example`, were `https://a.example`

Notes:
  getFiles: something is lived with

sha256 ab12
generated 1200 lines, 34000 bytes in 0.4 s
built in 12.3 s
openapi/documine.json written
";

#[test]
fn the_text() {
    assert_eq!(report().text(), TEXT);
}

#[test]
fn a_refusal_comes_first() {
    let mut report = report();
    report.refused = vec![String::from("getFile: requires a body (/paths/~1x)")];
    let text = report.text();
    assert!(text.starts_with("official.json: refused, 1 reason\n"), "{text}");
    assert!(text.contains("\nRefused, because:\n  getFile: requires a body (/paths/~1x)\n"), "{text}");
    assert!(report.markdown().starts_with("# The document `official.json` is refused\n"));
}

#[test]
fn nothing_to_tell_is_short() {
    let mut report = report();
    report.changes.clear();
    report.missing.clear();
    report.notes.clear();
    let text = report.text();
    assert!(text.contains("\nnothing changed\n"), "{text}");
    assert!(text.lines().count() < 15, "{text}");
    report.changes = vec![change(What::Version, Effect::None, None, "version", "is `2`, was `1`")];
    assert!(
        report.text().contains("\nbreaking for nobody (1 change that nobody has to follow)\n"),
        "{}",
        report.text()
    );
}

#[test]
fn long_lists_are_cut_in_the_text_alone() {
    let mut report = report();
    report.changes = (0..500)
        .map(|number| change(What::AnswerFieldGone, Effect::Raw, Some("x"), &format!("answer f{number}"), "is gone"))
        .collect();
    let text = report.text();
    assert!(text.lines().count() < 40, "{text}");
    assert!(text.contains("  … and 488 more (--report markdown shows all)\n"), "{text}");
    assert!(report.markdown().contains("- `x` `answer f499`: is gone\n"));
    assert_eq!(report.json()["changes"].as_array().map(Vec::len), Some(500));
}

#[test]
fn the_markdown_has_everything() {
    let text = report().markdown();
    for part in [
        "| `getUsers` | `GET /api/users` | the call says that it is not supported |\n",
        "| `getFile` | `GET /api/files/{fileId}` | `getFileStatus` |\n",
        "| `getFiles` | `GET /api/files`, as decided | nothing |\n",
        "- `getFile` `answer fileName`: is gone: the model's field `FileStatus.fileName` stays empty (also `getFiles`)\n",
        "- values gained: 1 change\n  - `getFile` `answer state`: gains `NEW`\n",
        "~~~text\n- getFiles: something is lived with\n~~~\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn the_json_keeps_its_keys() {
    let json = report().json();
    let keys: Vec<&String> = json.as_object().map(|object| object.keys().collect()).unwrap_or_default();
    let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "breaking",
            "buildSeconds",
            "changes",
            "format",
            "generated",
            "mapped",
            "missing",
            "mode",
            "notes",
            "operations",
            "outcome",
            "refused",
            "sha256",
            "source",
        ]
    );
    assert_eq!(json["breaking"], serde_json::json!({"facade": 0, "caller": 1, "raw": 1, "none": 2}));
    assert_eq!(json["operations"], serde_json::json!({"document": 24, "mapped": 2, "missing": 1, "further": 22}));
    assert_eq!(
        json["changes"][0],
        serde_json::json!({
            "what": "answer-field-gone", "effect": "caller", "operation": "getFile", "also": ["getFiles"],
            "place": "answer fileName", "text": "is gone: the model's field `FileStatus.fileName` stays empty",
        })
    );
    assert_eq!(json["mapped"][1]["operationId"], serde_json::Value::Null);
}

#[test]
fn outside_texts_break_nothing() {
    let hostile = "a`b`\n# c | d\r\n~~~\n<script>\u{1b}[2J\u{9b}1m\u{202e}\u{2028}|x|`";
    let mut report = report();
    report.source = hostile.to_owned();
    report.sha256 = hostile.to_owned();
    report.outcome = hostile.to_owned();
    report.notes = vec![hostile.to_owned()];
    report.refused = vec![hostile.to_owned(), format!("~~~\n{hostile}")];
    report.missing[0].id = hostile.to_owned();
    report.missing[0].line = hostile.to_owned();
    report.mapped[0].path = hostile.to_owned();
    report.mapped[0].there = Some(hostile.to_owned());
    // Not as the comparison makes them: that makes its texts harmless itself.
    report.changes = vec![change(What::Version, Effect::Raw, Some(hostile), hostile, hostile)];
    let (text, markdown, json) = (report.text(), report.markdown(), format!("{:#}", report.json()));
    for shown in [&text, &markdown, &json] {
        let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{2028}';
        assert!(!shown.contains(hidden), "{shown:?}");
    }
    // Nothing from outside begins a line, but the source and the outcome in the text.
    assert!(text.lines().all(|line| !line.starts_with('#') && !line.starts_with('~')), "{text}");
    assert_eq!(markdown.lines().filter(|line| line.starts_with("~~~")).count(), 4, "{markdown}");
    assert_eq!(markdown.lines().filter(|line| line.starts_with("# ")).count(), 1, "{markdown}");
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let bare = line.replace("\\|", "");
        assert_eq!(bare.matches('|').count(), 4, "{line}");
    }
    let mut is_block = false;
    for line in markdown.lines() {
        is_block ^= line.starts_with("~~~");
        if !is_block {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
            let outside: String = line.split('`').step_by(2).collect();
            assert!(!outside.contains('<'), "{line}");
        }
    }
}

#[test]
fn the_rows_come_from_the_mapping() {
    let mut document: serde_json::Value = serde_json::from_str(&crate::tests::vendored()).expect("JSON");
    for gone in ["/api/users", "/api/license/usage"] {
        document["paths"].as_object_mut().expect("paths").remove(gone);
    }
    let contract = crate::tests::contract();
    let accept_missing = std::iter::once(String::from("getLicenseUsage")).collect();
    let decisions = Decisions { accept_missing, ..Decisions::default() };
    let passed = prepare(&document.to_string(), Some((&contract, &decisions))).expect("is taken");
    let (rows, missing) = found(&contract, &passed.mapping, &decisions.accept_missing);
    assert_eq!(rows.len(), count(&document));
    let missing: Vec<(&str, &str, bool)> =
        missing.iter().map(|missing| (missing.id.as_str(), missing.line.as_str(), missing.accepted)).collect();
    assert_eq!(missing, [("getLicenseUsage", "GET /api/license/usage", true), ("getUsers", "GET /api/users", true)]);
}
