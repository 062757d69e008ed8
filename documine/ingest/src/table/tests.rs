#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Table, ValueType, WrittenTable, check_all, write_all, write_failed};
use crate::document::{DocumentRecord, Failure, Step};
use crate::error::ErrorKind;
use crate::journal::{JournalReader, fixture};

/// A folder with a journal.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new(documents: &[DocumentRecord]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fixture::write(&folder.path().join("run.sqlite"), documents);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn reader(&self) -> JournalReader {
        JournalReader::open(self.path("run.sqlite")).unwrap()
    }

    fn write(&self, table: &Table) -> WrittenTable {
        table.write(&self.reader()).unwrap()
    }

    /// Writes a table as CSV and returns its text.
    fn csv(&self, settings: impl Fn(Table) -> Table) -> String {
        let path = self.path("values.csv");
        self.write(&settings(Table::csv(&path)));
        fs::read_to_string(path).unwrap()
    }

    /// Writes a table as JSON Lines and returns its objects.
    fn json(&self, settings: impl Fn(Table) -> Table) -> Vec<Value> {
        let path = self.path("values.jsonl");
        self.write(&settings(Table::jsonl(&path)));
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Creates a document with these components.
fn document(source: &str, components: &Value) -> DocumentRecord {
    fixture::succeeded(source, json!({ "components": components }))
}

/// Documents with every kind of text, one with provenance, one without values, and one that failed.
fn documents() -> Vec<DocumentRecord> {
    let with_details = json!({
        "components": {"date": ["2024-03-12"], "total": ["1.234,50", "7"], "void": []},
        "componentDetails": {"total": {"values": [
            {"value": "1.234,50", "originalValue": "EUR 1.234,50", "valueDescription": "sum, \"net\"", "componentRuleId": "Rule.1",
             "entityReferences": [{"page": 3}]},
            {"value": "7"},
        ]}},
    });
    vec![
        fixture::succeeded("b.pdf", with_details),
        document(
            "a,1.pdf",
            &json!({"text": ["a \"quoted\", text\nin two lines", "", "\u{1f980} é", "=1+1"], "total": ["x"]}),
        ),
        document("c.pdf", &json!({})),
        fixture::failed("d.pdf", Failure::new(Step::Wait, "analysis_failed", "no text")),
    ]
}

const LONG_HEADER: &str =
    "source,sha256,component,index,value,original,description,page,rule,dossier_id,file_id,file_name,analysed_at\n";
const WIDE_HEADER: &str = "source,sha256,dossier_id,file_id,file_name,pages,analysed_at";

fn sha256(source: &str) -> String {
    format!("{:064x}", source.len())
}

#[test]
fn long_csv_has_one_row_per_value_with_its_origin() {
    let fixture = Fixture::new(&documents());
    let path = fixture.path("values.csv");
    let written = fixture.write(&Table::csv(&path));
    let text = fs::read_to_string(&path).unwrap();
    let (a, b) = (sha256("a,1.pdf"), sha256("b.pdf"));
    let rest = "d-1,f-b.pdf,b.pdf,2026-01-02T03:04:05Z";
    let rest_a = ",,,,,d-1,\"f-a,1.pdf\",\"a,1.pdf\",2026-01-02T03:04:05Z";
    let expected = [
        LONG_HEADER.trim_end().to_owned(),
        format!("\"a,1.pdf\",{a},text,0,\"a \"\"quoted\"\", text\nin two lines\"{rest_a}"),
        format!("\"a,1.pdf\",{a},text,1,{rest_a}"),
        format!("\"a,1.pdf\",{a},text,2,\u{1f980} é{rest_a}"),
        format!("\"a,1.pdf\",{a},text,3,=1+1{rest_a}"),
        format!("\"a,1.pdf\",{a},total,0,x{rest_a}"),
        format!("b.pdf,{b},date,0,2024-03-12,,,,,{rest}"),
        format!("b.pdf,{b},total,0,\"1.234,50\",\"EUR 1.234,50\",\"sum, \"\"net\"\"\",3,Rule.1,{rest}"),
        format!("b.pdf,{b},total,1,7,,,,,{rest}"),
        String::new(),
    ]
    .join("\n");
    assert_eq!(text, expected);
    assert_eq!((written.rows, written.documents, written.unparsed, written.truncated), (8, 3, 0, 0));
    assert_eq!((written.bytes, written.path), (text.len() as u64, path));
}

#[test]
fn wide_csv_has_one_row_per_document() {
    let fixture = Fixture::new(&documents());
    let text = fixture.csv(|table| table.wide(true));
    let expected = [
        format!("{WIDE_HEADER},text,total,date,void"),
        format!(
            "\"a,1.pdf\",{},d-1,\"f-a,1.pdf\",\"a,1.pdf\",2,2026-01-02T03:04:05Z,\"a \"\"quoted\"\", text\nin two lines; ; \u{1f980} é; =1+1\",x,,",
            sha256("a,1.pdf")
        ),
        format!("b.pdf,{},d-1,f-b.pdf,b.pdf,2,2026-01-02T03:04:05Z,,\"1.234,50; 7\",2024-03-12,", sha256("b.pdf")),
        format!("c.pdf,{},d-1,f-c.pdf,c.pdf,2,2026-01-02T03:04:05Z,,,,", sha256("c.pdf")),
        String::new(),
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn fixed_columns_and_separator_of_a_wide_table() {
    let fixture = Fixture::new(&documents());
    let text = fixture.csv(|table| table.wide(true).columns(["void", "total", "new"]).separator(" | "));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], format!("{WIDE_HEADER},void,total,new"));
    assert!(lines[2].ends_with("Z,,\"1.234,50 | 7\","), "{}", lines[2]);
}

#[test]
fn json_lines_have_every_column_and_distinguish_empty_from_missing() {
    let fixture = Fixture::new(&documents());
    let long = fixture.json(|table| table);
    assert_eq!(long.len(), 8);
    let keys: Vec<_> = LONG_HEADER.trim_end().split(',').collect();
    for row in &long {
        assert!(keys.iter().all(|key| row.get(key).is_some()), "{row}");
        assert_eq!(row.as_object().unwrap().len(), keys.len());
    }
    assert_eq!(long[0]["value"], "a \"quoted\", text\nin two lines");
    assert_eq!((&long[1]["value"], &long[1]["original"], &long[1]["index"]), (&json!(""), &Value::Null, &json!(1)));
    assert_eq!((&long[6]["page"], &long[6]["rule"]), (&json!(3), &json!("Rule.1")));
    let wide = fixture.json(|table| table.wide(true));
    assert_eq!(wide.len(), 3);
    assert_eq!(
        (&wide[1]["total"], &wide[1]["void"], &wide[1]["pages"]),
        (&json!("1.234,50; 7"), &Value::Null, &json!(2))
    );
}

#[test]
fn a_journal_without_successes_gives_a_header_only() {
    let fixture = Fixture::new(&[fixture::failed("a.pdf", Failure::new(Step::Wait, "stalled", "stalled"))]);
    assert_eq!(fixture.csv(|table| table), LONG_HEADER);
    assert_eq!(fixture.csv(|table| table.wide(true)), format!("{WIDE_HEADER}\n"));
    assert_eq!(fixture.json(|table| table), Vec::<Value>::new());
    let empty = Fixture::new(&[]);
    assert_eq!(empty.csv(|table| table), LONG_HEADER);
}

#[test]
fn typed_values_stand_beside_the_text_of_a_long_table() {
    let fixture = Fixture::new(&[
        document(
            "1.pdf",
            &json!({"total": ["1.234,50"], "day": ["03/04/2024"], "paid": ["yes"], "count": ["12"], "note": ["n"]}),
        ),
        document("2.pdf", &json!({"total": ["about 5", " "], "day": ["soon"]})),
    ]);
    let settings = |table: Table| {
        table
            .column_type("total", ValueType::DecimalComma)
            .column_type("day", ValueType::DateDayFirst)
            .column_type("paid", ValueType::Boolean)
            .column_type("count", ValueType::Integer)
    };
    let rows = fixture.json(settings);
    let typed = |component: &str| {
        let row = rows.iter().find(|row| row["component"] == component).unwrap();
        (row["number"].clone(), row["date"].clone(), row["boolean"].clone())
    };
    assert_eq!(typed("total"), (json!(1234.5), Value::Null, Value::Null));
    assert_eq!(typed("day"), (Value::Null, json!("2024-04-03"), Value::Null));
    assert_eq!(typed("paid"), (Value::Null, Value::Null, json!(true)));
    assert_eq!(typed("count"), (json!(12), Value::Null, Value::Null));
    assert_eq!(typed("note"), (Value::Null, Value::Null, Value::Null));
    let about = rows.iter().find(|row| row["value"] == "about 5").unwrap();
    assert_eq!(about["number"], Value::Null);
    let header = "source,sha256,component,index,value,number,date,boolean,original,description,";
    assert!(fixture.csv(settings).starts_with(header));
    assert_eq!(fixture.write(&settings(Table::csv(fixture.path("x.csv")))).unparsed, 2, "a blank value is no value");
}

#[test]
fn typed_values_replace_the_text_of_a_wide_table() {
    let fixture = Fixture::new(&[
        document("1.pdf", &json!({"total": ["EUR 1.234,50"], "day": ["12 March 2024"]})),
        document("2.pdf", &json!({"total": ["1,00 €", "2,00 €"], "day": ["soon"]})),
    ]);
    let table = Table::jsonl(fixture.path("w.jsonl"))
        .wide(true)
        .column_type("total", ValueType::Amount)
        .column_type("day", ValueType::Date);
    let written = fixture.write(&table);
    let rows = fixture.json(|_| Table { path: fixture.path("values.jsonl"), ..table.clone() });
    assert_eq!((&rows[0]["total"], &rows[0]["day"]), (&json!(1234.5), &json!("2024-03-12")));
    assert_eq!((&rows[1]["total"], &rows[1]["day"]), (&Value::Null, &Value::Null));
    assert_eq!(written.unparsed, 3, "two values for one typed cell, and one of another form");
}

#[test]
fn inferred_types_fit_every_value() {
    let fixture = Fixture::new(&[
        document(
            "1.pdf",
            &json!({"n": ["12,50"], "i": ["4711"], "id": ["00123"], "d": ["2024-02-29"], "b": ["true"], "m": ["1"]}),
        ),
        document(
            "2.pdf",
            &json!({"n": ["1.234,56"], "i": ["-1"], "id": ["5"], "d": ["2023-01-01"], "b": ["false"], "m": ["2", "3"]}),
        ),
        document("3.pdf", &json!({"n": [""], "x": ["1.234"], "y": ["1"]})),
    ]);
    let wide = fixture.json(|table| table.wide(true).infer_types(true).column_type("y", ValueType::Text));
    assert_eq!((&wide[1]["n"], &wide[1]["i"], &wide[1]["d"]), (&json!(1234.56), &json!(-1), &json!("2023-01-01")));
    assert_eq!((&wide[1]["b"], &wide[0]["id"], &wide[1]["id"]), (&json!(false), &json!("00123"), &json!("5")));
    assert_eq!((&wide[0]["m"], &wide[1]["m"]), (&json!("1"), &json!("2; 3")), "several values in one document");
    assert_eq!((&wide[2]["n"], &wide[2]["x"], &wide[2]["y"]), (&Value::Null, &json!("1.234"), &json!("1")));
    let long = fixture.json(|table| table.infer_types(true));
    let numbers: Vec<_> = long.iter().filter(|row| row["component"] == "m").map(|row| row["number"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn components_with_the_name_of_a_column_get_a_prefix() {
    let fixture = Fixture::new(&[document(
        "1.pdf",
        &json!({"source": ["s"], "Pages": ["p"], "component:source": ["c"], "value": ["v"], "": ["e"]}),
    )]);
    let rows = fixture.json(|table| table.wide(true));
    assert_eq!(rows[0]["source"], "1.pdf");
    assert_eq!(rows[0]["component:source"], "s");
    assert_eq!(rows[0]["component:Pages"], "p");
    assert_eq!(rows[0]["component:component:source"], "c");
    assert_eq!((&rows[0]["value"], &rows[0][""]), (&json!("v"), &json!("e")));
}

#[test]
fn formulas_are_escaped_on_request() {
    let fixture = Fixture::new(&[document("1.pdf", &json!({"=x": ["=1+1", "-12.50", "@a"]}))]);
    assert!(fixture.csv(|table| table).contains(",=x,0,=1+1,"));
    let text = fixture.csv(|table| table.escape_formulas(true));
    for part in [",'=x,0,'=1+1,", ",'=x,1,-12.50,", ",'=x,2,'@a,"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn wrong_settings_are_found_before_a_file_changes() {
    let fixture = Fixture::new(&documents());
    fs::create_dir(fixture.path("folder.csv")).unwrap();
    fs::write(fixture.path("text.sqlite"), "no database, but more than sixteen bytes").unwrap();
    let before = fixture.names();
    let cases = [
        (Table::csv(fixture.path("folder.csv")), "the output is a directory; add a file name"),
        (Table::csv(fixture.path("")), "the output is a directory; add a file name"),
        (Table::csv(fixture.path("missing/values.csv")), "does not exist; create it"),
        (Table::csv(fixture.path("run.sqlite/values.csv")), "does not exist; create it"),
        (
            Table::csv(fixture.path("run.sqlite")),
            "would replace a SQLite database, possibly a journal; choose another file",
        ),
        (Table::sqlite(fixture.path("run.sqlite"), "Document"), "is one of the journal's own; choose another name"),
        (Table::sqlite(fixture.path("text.sqlite"), "t"), "file is not a database; choose another file"),
        (Table::csv(fixture.path("v.csv")).columns(["a"]), "columns are set for a long table; add wide(true)"),
        (
            Table::csv(fixture.path("v.csv")).wide(true).columns(["a", "b", "a"]),
            "the column \"a\" is set twice; remove one",
        ),
    ];
    for (table, expected) in cases {
        let error = table.check().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().starts_with(&table.path().display().to_string()), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Sink | ErrorKind::Input));
        assert_eq!(table.write(&fixture.reader()).unwrap_err().to_string(), error.to_string());
    }
    assert_eq!(fixture.names(), before);
}

#[cfg(unix)]
#[test]
fn folders_without_write_permission_are_found_before_the_run() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new(&[]);
    let folder = fixture.path("locked");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        return; // An administrator may write everywhere.
    }
    let error = Table::csv(folder.join("v.csv")).check().unwrap_err().to_string();
    assert!(error.contains("is not writable: permission denied; make it writable, or choose another one"), "{error}");
}

#[test]
fn chooses_the_format_by_the_extension() {
    for name in ["v.csv", "v.CSV", "v.jsonl", "v.ndjson", "v.sqlite", "v.db"] {
        assert!(Table::from_path(name).is_ok(), "{name}");
    }
    assert_eq!(Table::from_path("v.xlsx").is_ok(), cfg!(feature = "xlsx"));
    assert_eq!(Table::from_path("v.parquet").is_ok(), cfg!(feature = "parquet"));
    for name in ["v.txt", "v", "folder/", ".csv"] {
        let error = Table::from_path(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        let expected =
            "unknown format of a table; use the extension .csv, .jsonl, .ndjson, .xlsx, .parquet, .sqlite or .db";
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    if cfg!(not(feature = "parquet")) {
        let error = Table::from_path("v.parquet").unwrap_err().to_string();
        assert!(error.contains("Parquet files are not compiled in; enable the feature parquet"), "{error}");
    }
}

#[test]
fn a_full_disk_is_named_with_its_remedy() {
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let advice = "; free space and write the table again from the journal";
    let expect = |fault: super::Fault| {
        let error = super::failure(Path::new("v.csv"), &*fault).to_string();
        assert!(error.starts_with("v.csv: the output cannot be written: ") && error.ends_with(advice), "{error}");
    };
    expect(full().into());
    expect(super::csv::io_error(::csv::Error::from(full())).into());
    expect(serde_json::Error::io(full()).into());
    #[cfg(feature = "xlsx")]
    expect(zip::result::ZipError::Io(full()).into());
    #[cfg(feature = "parquet")]
    expect(parquet::errors::ParquetError::from(full()).into());
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
    expect(rusqlite::Error::SqliteFailure(code, None).into());
}

/// Returns a table of each format.
fn all_formats(fixture: &Fixture) -> Vec<Table> {
    vec![
        Table::csv(fixture.path("v.csv")),
        Table::jsonl(fixture.path("v.jsonl")),
        #[cfg(feature = "xlsx")]
        Table::xlsx(fixture.path("v.xlsx")),
        #[cfg(feature = "parquet")]
        Table::parquet(fixture.path("v.parquet")),
        Table::sqlite(fixture.path("v.sqlite"), "v"),
    ]
}

#[test]
fn the_same_journal_gives_the_same_bytes() {
    let fixture = Fixture::new(&documents());
    for table in all_formats(&fixture) {
        for wide in [false, true] {
            let table = table.clone().wide(wide).infer_types(true).column_type("total", ValueType::Number);
            let _ = fs::remove_file(table.path());
            let first = fixture.write(&table);
            let bytes = fs::read(table.path()).unwrap();
            assert_eq!(first.bytes, bytes.len() as u64);
            // A second table of the same name, so that the time of the file differs.
            fs::remove_file(table.path()).unwrap();
            assert_eq!(fixture.write(&table), first);
            assert!(fs::read(table.path()).unwrap() == bytes, "{} differs", table.path().display());
        }
    }
}

#[test]
fn files_of_killed_runs_are_removed_and_nothing_else_is_left() {
    let fixture = Fixture::new(&documents());
    for table in all_formats(&fixture) {
        let name = table.path().file_name().unwrap().to_str().unwrap();
        fs::write(fixture.path(&format!(".{name}.documine-tmp-aaaaaa")), "half a table").unwrap();
        fixture.write(&table);
    }
    write_failed(fixture.path("failed.jsonl"), &fixture.reader()).unwrap();
    let mut expected: Vec<_> = all_formats(&fixture)
        .iter()
        .map(|table| table.path().file_name().unwrap().to_str().unwrap().to_owned())
        .chain(["failed.jsonl".to_owned(), "run.sqlite".to_owned()])
        .collect();
    expected.sort();
    assert_eq!(fixture.names(), expected);
}

#[test]
fn a_damaged_journal_leaves_the_old_file() {
    let fixture = Fixture::new(&documents());
    let connection = rusqlite::Connection::open(fixture.path("run.sqlite")).unwrap();
    connection.execute("UPDATE components SET json = '{' WHERE document = 3", []).unwrap();
    for table in all_formats(&fixture) {
        if table.path().ends_with("v.sqlite") {
            continue;
        }
        fs::write(table.path(), "old").unwrap();
        let error = table.write(&fixture.reader()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        assert_eq!(fs::read_to_string(table.path()).unwrap(), "old");
        fs::remove_file(table.path()).unwrap();
    }
    assert_eq!(fixture.names(), ["run.sqlite"]);
}

#[test]
fn several_tables_need_several_targets() {
    let fixture = Fixture::new(&documents());
    let tables = all_formats(&fixture);
    let written = write_all(&tables, &fixture.reader()).unwrap();
    assert_eq!(written.len(), tables.len());
    assert!(written.iter().all(|table| table.rows == 8 && table.documents == 3));
    let twice = [Table::csv(fixture.path("v.csv")), Table::jsonl(fixture.path("v.csv"))];
    let error = check_all(&twice).unwrap_err().to_string();
    assert!(error.ends_with("two tables have this target; choose another file"), "{error}");
    let one_file = [Table::sqlite(fixture.path("v.sqlite"), "a"), Table::sqlite(fixture.path("v.sqlite"), "b")];
    check_all(&one_file).unwrap();
}

#[test]
fn documents_that_failed_are_listed_as_json_lines() {
    let mut failure = Failure::new(Step::Upload, "rejected", "HTTP 413 \"too large\"").retryable(true);
    failure.attempts = 3;
    let fixture = Fixture::new(&[
        document("b.pdf", &json!({"a": ["1"]})),
        fixture::failed("z.pdf", Failure::new(Step::Wait, "stalled", "no progress")),
        fixture::failed("c \"1\".pdf", failure),
    ]);
    let path = fixture.path("failed.jsonl");
    let written = write_failed(&path, &fixture.reader()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let first = r#"{"source":"c \"1\".pdf","step":"upload","reason":"rejected","cause":"HTTP 413 \"too large\"","attempts":3,"retryable":true}"#;
    let second =
        r#"{"source":"z.pdf","step":"wait","reason":"stalled","cause":"no progress","attempts":1,"retryable":false}"#;
    assert_eq!(text, format!("{first}\n{second}\n"));
    assert_eq!((written.rows, written.documents, written.bytes), (2, 2, text.len() as u64));
    let none = Fixture::new(&documents()[..1]);
    write_failed(none.path("failed.jsonl"), &none.reader()).unwrap();
    assert_eq!(fs::read(none.path("failed.jsonl")).unwrap(), b"");
    let error = write_failed(none.path("run.sqlite"), &none.reader()).unwrap_err().to_string();
    assert!(error.contains("would replace a SQLite database"), "{error}");
}

mod sqlite {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::types::Value as SqlValue;

    fn rows(path: &Path, sql: &str) -> Vec<Vec<SqlValue>> {
        let connection = Connection::open(path).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|index| row.get(index)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn text(text: &str) -> SqlValue {
        SqlValue::Text(text.to_owned())
    }

    #[test]
    fn sqlite_tables_have_typed_columns() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("v.sqlite");
        let table = Table::sqlite(&path, "my \"values\"");
        let written = fixture.write(&table.clone().column_type("total", ValueType::Number));
        assert_eq!(written.unparsed, 1);
        let found = rows(
            &path,
            "SELECT value, number, page FROM \"my \"\"values\"\"\" WHERE component = 'total' ORDER BY source, \"index\"",
        );
        assert_eq!(
            found,
            [
                [text("x"), SqlValue::Null, SqlValue::Null],
                [text("1.234,50"), SqlValue::Real(1234.5), SqlValue::Integer(3)],
                [text("7"), SqlValue::Real(7.0), SqlValue::Null],
            ]
        );
        fixture.write(&table.wide(true).infer_types(true));
        let found = rows(&path, "SELECT source, date, total, void FROM \"my \"\"values\"\"\" ORDER BY 1");
        assert_eq!(found[1], [text("b.pdf"), text("2024-03-12"), text("1.234,50; 7"), SqlValue::Null]);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn sqlite_keeps_texts_that_look_like_numbers() {
        let fixture = Fixture::new(&[document("1.pdf", &json!({"id": ["00123", "1e5", ""]}))]);
        let path = fixture.path("v.sqlite");
        fixture.write(&Table::sqlite(&path, "v"));
        assert_eq!(rows(&path, "SELECT value FROM v"), [[text("00123")], [text("1e5")], [text("")]]);
    }

    #[test]
    fn a_table_in_the_journal_leaves_the_journal_readable() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("run.sqlite");
        let before: Vec<_> = fixture.reader().documents().map(Result::unwrap).collect();
        let table = Table::sqlite(&path, "invoice_values");
        for _ in 0..2 {
            assert_eq!(fixture.write(&table).rows, 8);
        }
        assert_eq!(rows(&path, "SELECT count(*) FROM invoice_values"), [[SqlValue::Integer(8)]]);
        let after: Vec<_> = fixture.reader().documents().map(Result::unwrap).collect();
        assert_eq!(after, before);
    }

    #[test]
    fn other_tables_stay_and_a_failed_write_changes_nothing() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("mine.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE other (a); INSERT INTO other VALUES (1)").unwrap();
        fixture.write(&Table::sqlite(&path, "v"));
        let journal = Connection::open(fixture.path("run.sqlite")).unwrap();
        journal.execute("UPDATE components SET json = '{' WHERE document = 3", []).unwrap();
        Table::sqlite(&path, "v").write(&fixture.reader()).unwrap_err();
        assert_eq!(rows(&path, "SELECT count(*) FROM v"), [[SqlValue::Integer(8)]]);
        assert_eq!(rows(&path, "SELECT a FROM other"), [[SqlValue::Integer(1)]]);
        Table::sqlite(fixture.path("new.db"), "v").write(&fixture.reader()).unwrap_err();
        assert!(!fixture.path("new.db").exists());
    }

    #[test]
    fn a_name_of_a_view_is_refused_with_the_reason() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("mine.db");
        Connection::open(&path).unwrap().execute_batch("CREATE VIEW v AS SELECT 1").unwrap();
        let error = Table::sqlite(&path, "v").write(&fixture.reader()).unwrap_err().to_string();
        assert!(error.contains("the output cannot be written"), "{error}");
    }

    #[test]
    fn sqlite_limits_the_columns() {
        let fixture = Fixture::new(&[]);
        let table = |columns: usize| {
            Table::sqlite(fixture.path("v.sqlite"), "v")
                .wide(true)
                .columns((0..columns).map(|index| format!("c{index}")))
        };
        fixture.write(&table(1993));
        let error = table(1994).write(&fixture.reader()).unwrap_err().to_string();
        assert!(
            error.ends_with("2001 columns exceed the limit of SQLite, 2000; use the long form, or set the columns"),
            "{error}"
        );
    }
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Field, Row};

    fn open(path: &Path) -> SerializedFileReader<fs::File> {
        SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap()
    }

    fn rows(path: &Path) -> Vec<Row> {
        open(path).get_row_iter(None).unwrap().map(Result::unwrap).collect()
    }

    fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
        row.get_column_iter().find(|(column, _)| *column == name).unwrap().1
    }

    fn text(text: &str) -> Field {
        Field::Str(text.to_owned())
    }

    #[test]
    fn long_parquet_has_typed_optional_columns() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("v.parquet");
        let written = fixture.write(&Table::parquet(&path).infer_types(true).column_type("total", ValueType::Number));
        assert_eq!((written.rows, written.unparsed), (8, 1));
        let rows = rows(&path);
        assert_eq!(rows.len(), 8);
        let names: Vec<_> = rows[0].get_column_iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.join(","), LONG_HEADER.trim_end().replace("value,", "value,number,date,boolean,"));
        assert_eq!(*field(&rows[0], "value"), text("a \"quoted\", text\nin two lines"));
        assert_eq!((field(&rows[1], "value"), field(&rows[1], "original")), (&text(""), &Field::Null));
        assert_eq!(*field(&rows[5], "date"), Field::Date(19_794));
        assert_eq!((field(&rows[6], "number"), field(&rows[6], "page")), (&Field::Double(1234.5), &Field::Long(3)));
        assert_eq!((field(&rows[7], "number"), field(&rows[7], "index")), (&Field::Double(7.0), &Field::Long(1)));
        assert_eq!(*field(&rows[4], "number"), Field::Null);
    }

    #[test]
    fn wide_parquet_has_one_column_per_component() {
        let fixture = Fixture::new(&[
            document(
                "1.pdf",
                &json!({"n": ["12,50"], "i": ["4711"], "b": ["true"], "d": ["1969-12-31"], "a.b c": ["x", "y"]}),
            ),
            document("2.pdf", &json!({"n": ["1.5"]})),
        ]);
        let path = fixture.path("v.parquet");
        fixture.write(&Table::parquet(&path).wide(true).infer_types(true));
        let rows = rows(&path);
        let cells = |row: &Row| ["pages", "n", "i", "b", "d", "a.b c"].map(|name| field(row, name).clone());
        let first =
            [Field::Long(2), Field::Double(12.5), Field::Long(4711), Field::Bool(true), Field::Date(-1), text("x; y")];
        assert_eq!(cells(&rows[0]), first);
        assert_eq!(
            cells(&rows[1]),
            [Field::Long(2), Field::Double(1.5), Field::Null, Field::Null, Field::Null, Field::Null]
        );
    }

    #[test]
    fn parquet_without_rows_has_the_columns() {
        let fixture = Fixture::new(&[]);
        let path = fixture.path("v.parquet");
        assert_eq!(fixture.write(&Table::parquet(&path)).rows, 0);
        let reader = open(&path);
        let file = reader.metadata().file_metadata();
        assert_eq!((file.num_rows(), file.schema_descr().num_columns()), (0, 13));
        assert_eq!(file.created_by(), Some(concat!("documine-ingest version ", env!("CARGO_PKG_VERSION"))));
    }
}

#[cfg(feature = "xlsx")]
mod workbooks {
    use super::*;
    use std::io::Read;

    /// Returns the cells of the first sheet: the reference and the text of the value.
    fn cells(path: &Path) -> Vec<(String, String)> {
        let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
        let mut xml = String::new();
        archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut xml).unwrap();
        let parts = xml.split("<c r=\"").skip(1);
        let cell = |part: &str| {
            let content = part.split("</c>").next().unwrap();
            let text = content.trim_end_matches("</is>").trim_end_matches("</t>").trim_end_matches("</v>");
            (part.split('"').next().unwrap().to_owned(), text.rsplit('>').next().unwrap().to_owned())
        };
        parts.map(cell).collect()
    }

    fn cell(path: &Path, reference: &str) -> Option<String> {
        cells(path).into_iter().find(|(name, _)| name == reference).map(|(_, text)| text)
    }

    #[test]
    fn workbooks_have_the_columns_of_the_table() {
        let fixture = Fixture::new(&documents());
        let path = fixture.path("v.xlsx");
        let table = Table::xlsx(&path);
        assert_eq!(fixture.write(&table).rows, 8);
        let header: Vec<_> = cells(&path).into_iter().take(13).map(|(_, text)| text).collect();
        assert_eq!(header.join(","), LONG_HEADER.trim_end());
        assert_eq!(cell(&path, "E5").unwrap(), "=1+1");
        assert_eq!(cell(&path, "E8").unwrap(), "1.234,50");
        assert_eq!(cell(&path, "E3"), None, "an empty text has no cell");
        let typed = table.wide(true).infer_types(true).column_type("total", ValueType::Number);
        assert_eq!(fixture.write(&typed).unparsed, 3);
        let (header, date): (Vec<_>, _) = (cells(&path).into_iter().skip(7).take(4).collect(), cell(&path, "J3"));
        assert_eq!(header.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["text", "total", "date", "void"]);
        assert_eq!(date.unwrap(), "45363");
    }

    #[test]
    fn workbooks_without_rows_have_a_header() {
        let fixture = Fixture::new(&[]);
        let path = fixture.path("v.xlsx");
        assert_eq!(fixture.write(&Table::xlsx(&path)).rows, 0);
        assert_eq!(cells(&path).len(), 13);
    }

    #[test]
    fn cut_texts_are_reported() {
        let fixture = Fixture::new(&[document("1.pdf", &json!({"a": ["x".repeat(32_768), "x".repeat(32_767)]}))]);
        assert_eq!(fixture.write(&Table::xlsx(fixture.path("v.xlsx"))).truncated, 1);
    }
}
