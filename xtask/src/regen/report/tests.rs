//! Tests of the three formats of the report.

use super::super::diff::{Change, ChangeKind, Effect};
use super::{Generated, MappedOperation, MissingOperation, Mode, Report, mapped_and_missing, operation_count};
use crate::passes::{decisions::Decisions, prepare};

fn change(kind: ChangeKind, effect: Effect, operation: Option<&str>, location: &str, text: &str) -> Change {
    Change {
        kind,
        effect,
        operation: operation.map(str::to_owned),
        location: location.to_owned(),
        text: text.to_owned(),
    }
}

fn report() -> Report {
    Report {
        source: String::from("official.json"),
        sha256: String::from("ab12"),
        mode: Mode::Replaced,
        operations: 24,
        mapped: vec![
            MappedOperation {
                id: String::from("getFile"),
                method: String::from("get"),
                path: String::from("/api/files/{fileId}"),
                operation_id: Some(String::from("getFileStatus")),
                decided: false,
            },
            MappedOperation {
                id: String::from("getFiles"),
                method: String::from("get"),
                path: String::from("/api/files"),
                operation_id: None,
                decided: true,
            },
        ],
        missing: vec![MissingOperation {
            id: String::from("getUsers"),
            line: String::from("GET /api/users"),
            accepted: true,
        }],
        changes: vec![
            change(ChangeKind::FieldGone, Effect::Caller, None, "FileStatus.fileName", "is missing"),
            change(ChangeKind::FurtherOperationGone, Effect::Raw, Some("GET /api/old"), "", "is missing"),
            change(ChangeKind::ValuesNew, Effect::None, None, "ProcessingStatus", "gains `NEW`"),
            change(ChangeKind::ParameterMapped, Effect::None, Some("getFile"), "query all", "is `b`, was `a`"),
        ],
        notes: vec![String::from("getFiles: a tolerated deviation")],
        refused: Vec::new(),
        generated: Some(Generated { lines: 1200, bytes: 34_000, seconds: 0.42 }),
        build_seconds: Some(12.34),
        outcome: String::from("openapi/documine.json written"),
    }
}

const TEXT: &str = "\
official.json: accepted (replaced)
breaking code that uses the facade (1 change), code that uses the raw client (1 change)
24 operations in the document: 2 of the 3 that the facade calls, 1 missing, 22 for the raw client only

Missing:
  getUsers (GET /api/users): the call returns an error

Breaking code that uses the facade:
  FileStatus.fileName: is missing

Breaking code that uses the raw client:
  GET /api/old: is missing

Breaking no code:
  ProcessingStatus: gains `NEW`
  getFile  query all: is `b`, was `a`

Notes:
  getFiles: a tolerated deviation

sha256 ab12
generated 1200 lines, 34000 bytes in 0.4 s
built in 12.3 s
openapi/documine.json written
";

#[test]
fn text_lists_everything() {
    assert_eq!(report().text(), TEXT);
}

#[test]
fn refusal_comes_first() {
    let mut report = report();
    report.refused = vec![String::from("getFile: requires a body (/paths/~1x)")];
    let text = report.text();
    assert!(text.starts_with("official.json: refused, 1 reason\n"), "{text}");
    assert!(text.contains("\nReasons:\n  getFile: requires a body (/paths/~1x)\n"), "{text}");
    assert!(report.markdown().starts_with("# The document `official.json` is refused\n"));
}

#[test]
fn text_without_changes_is_short() {
    let mut report = report();
    report.changes.clear();
    report.missing.clear();
    report.notes.clear();
    let text = report.text();
    assert!(text.contains("\nnothing changed\n"), "{text}");
    assert!(text.lines().count() < 15, "{text}");
    report.changes = vec![change(ChangeKind::PathPrefix, Effect::None, None, "", "is `2`, was `1`")];
    assert!(report.text().contains("\nbreaking no code (1 change)\n"), "{}", report.text());
}

#[test]
fn text_alone_truncates_long_lists() {
    let mut report = report();
    report.changes = (0..500)
        .map(|number| {
            change(ChangeKind::FurtherFieldGone, Effect::Raw, Some("x"), &format!("Model.f{number}"), "is missing")
        })
        .collect();
    let text = report.text();
    assert!(text.lines().count() < 40, "{text}");
    assert!(text.contains("  … and 488 more (--report markdown shows all)\n"), "{text}");
    assert!(report.markdown().contains("- `x` `Model.f499`: is missing\n"));
    assert_eq!(report.json()["changes"].as_array().map(Vec::len), Some(500));
}

#[test]
fn markdown_lists_everything() {
    let text = report().markdown();
    for part in [
        "| `getUsers` | `GET /api/users` | the call returns an error |\n",
        "| `getFile` | `GET /api/files/{fileId}` | `getFileStatus` |\n",
        "| `getFiles` | `GET /api/files`, as decided | none |\n",
        "- `FileStatus.fileName`: is missing\n",
        "- `getFile` `query all`: is `b`, was `a`\n",
        "~~~text\n- getFiles: a tolerated deviation\n~~~\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn json_keeps_its_keys() {
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
            "what": "field-gone", "effect": "caller", "operation": null, "place": "FileStatus.fileName", "text": "is missing",
        })
    );
    assert_eq!(json["mapped"][1]["operationId"], serde_json::Value::Null);
}

#[test]
fn sanitises_untrusted_texts() {
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
    report.mapped[0].operation_id = Some(hostile.to_owned());
    // The comparison sanitises its texts itself; the report must not rely on that.
    report.changes = vec![change(ChangeKind::PathPrefix, Effect::Raw, Some(hostile), hostile, hostile)];
    let (text, markdown, json) = (report.text(), report.markdown(), format!("{:#}", report.json()));
    for shown in [&text, &markdown, &json] {
        let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{2028}';
        assert!(!shown.contains(hidden), "{shown:?}");
    }
    // No untrusted text begins a line, except the source and the outcome in the text.
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
fn lists_mapped_and_missing_operations() {
    let mut document: serde_json::Value = serde_json::from_str(&crate::tests::vendored()).expect("JSON");
    for gone in ["/api/users", "/api/license/usage"] {
        document["paths"].as_object_mut().expect("paths").remove(gone);
    }
    let contract = crate::tests::contract();
    let accept_missing = std::iter::once(String::from("getLicenseUsage")).collect();
    let decisions = Decisions { accept_missing, ..Decisions::default() };
    let passed = prepare(&document.to_string(), Some((&contract, &decisions))).expect("is accepted");
    let (mapped, missing) = mapped_and_missing(&contract, &passed.mapping, &decisions.accept_missing);
    assert_eq!(mapped.len(), operation_count(&document));
    let missing: Vec<(&str, &str, bool)> =
        missing.iter().map(|missing| (missing.id.as_str(), missing.line.as_str(), missing.accepted)).collect();
    assert_eq!(missing, [("getLicenseUsage", "GET /api/license/usage", true), ("getUsers", "GET /api/users", true)]);
}
