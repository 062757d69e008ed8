//! The example program: its JSON line, exit codes, resumption, and wrong settings.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../tests/support/mod.rs"]
mod program;
mod support;

use std::path::Path;

use documine_ingest::Event;
use documine_sim::{RecordedRequest, Simulator};
use program::{Finished, Program, run_beside_simulator};
use serde_json::{Value, json};
use support::invoice;

/// The last line of stdout.
fn summary(finished: &Finished) -> Value {
    let line = finished.stdout.lines().last().unwrap_or_else(|| panic!("no output: {}", finished.stderr));
    serde_json::from_str(line).unwrap()
}

async fn simulator() -> Simulator {
    Simulator::builder().speed(20.0).start().await.unwrap()
}

fn program(simulator: &Simulator) -> Program {
    Program::new("ingest").unwrap().environment(simulator.environment())
}

/// Writes invoices to the folder `inbox` of the program.
fn write_invoices(program: &Program, count: usize) {
    for number in 0..count {
        program.write_file(&format!("inbox/{number}.pdf"), &invoice(number)).unwrap();
    }
}

fn uploads(simulator: &Simulator) -> usize {
    let is_upload = |request: &&RecordedRequest| request.operation.as_deref() == Some("uploadFile");
    simulator.requests().iter().filter(is_upload).count()
}

#[test]
fn processes_the_samples_at_a_simulator_of_its_own() {
    let program = Program::new("ingest").unwrap();
    let finished = program.run(&["--json", "--out", "values.csv", "--journal", "run.sqlite"]).unwrap();
    let summary = summary(&finished);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let documents = json!({"total": 3, "succeeded": 3, "failed": 0, "skipped": 0});
    assert_eq!(
        (&summary["event"], &summary["verdict"], &summary["documents"]),
        (&json!("done"), &json!("all"), &documents)
    );
    assert_eq!((&summary["uploads"], &summary["outputs"]), (&json!(3), &json!(["values.csv"])));
    let mut keys: Vec<_> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = ["documents", "elapsed_s", "event", "outputs", "peak_rss_kib", "requests", "uploads", "verdict"];
    assert_eq!(keys, expected);
    let csv = std::fs::read_to_string(program.folder().join("values.csv")).unwrap();
    assert!(csv.starts_with("source,sha256,component,index,value"), "{csv}");
    assert!(csv.contains("InvoiceNumber,0,INV-2024-00318"), "{csv}");
    // The lines before are events.
    let events: Vec<_> = finished.stdout.lines().collect();
    for line in &events[..events.len() - 1] {
        serde_json::from_str::<Event>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }

    // The simulator of the first run has ended.
    let again = program.run(&["--journal", "run.sqlite"]).unwrap();
    assert_eq!(again.code, 2);
    assert!(again.only_error().unwrap().contains("run.sqlite: this journal belongs to the base_url http://127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn second_run_skips_what_is_done_and_writes_every_format() {
    let simulator = simulator().await;
    let program = program(&simulator);
    write_invoices(&program, 4);
    let arguments = [
        "inbox",
        "--json",
        "--journal",
        "run.sqlite",
        "--dossier-name",
        "Batch",
        "--wide",
        "--report",
        "run.html",
        "--failed",
        "failed.jsonl",
        "--out",
        "v.csv",
        "--out",
        "v.jsonl",
        "--out",
        "v.xlsx",
        "--out",
        "v.parquet",
        "--out",
        "v.sqlite",
    ];
    let first = run_beside_simulator(&program, &arguments).await.unwrap();
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(summary(&first)["outputs"].as_array().unwrap().len(), 7);
    let mut names: Vec<_> =
        program.all_files().iter().map(|path| Path::new(path).file_name().unwrap().to_owned()).collect();
    names.retain(|name| Path::new(name).extension() != Some("pdf".as_ref()));
    names.sort_unstable();
    assert_eq!(
        names,
        ["failed.jsonl", "run.html", "run.sqlite", "v.csv", "v.jsonl", "v.parquet", "v.sqlite", "v.xlsx"]
    );

    program.write_file("inbox/new.pdf", &invoice(9)).unwrap();
    let second = run_beside_simulator(&program, &arguments).await.unwrap();
    let documents = json!({"total": 5, "succeeded": 1, "failed": 0, "skipped": 4});
    assert_eq!((second.code, &summary(&second)["documents"]), (0, &documents));
    assert_eq!((&summary(&second)["uploads"], uploads(&simulator)), (&json!(1), 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_failed_documents_by_the_exit_code_and_a_list() {
    let simulator = simulator().await;
    let program = program(&simulator);
    write_invoices(&program, 2);
    program.write_file("inbox/bad.pdf", b"not a PDF").unwrap();
    let arguments = ["inbox", "--json", "--journal", "run.sqlite", "--failed", "failed.jsonl"];
    let finished = run_beside_simulator(&program, &arguments).await.unwrap();
    assert_eq!((finished.code, &summary(&finished)["verdict"]), (3, &json!("some")));
    let list = std::fs::read_to_string(program.folder().join("failed.jsonl")).unwrap();
    assert_eq!((list.lines().count(), list.contains("inbox/bad.pdf")), (1, true), "{list}");
    assert!(finished.stderr.contains("inbox/bad.pdf: "), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_of_pages_has_its_own_exit_code() {
    let simulator = simulator().await;
    let program = program(&simulator);
    write_invoices(&program, 5);
    let arguments = ["inbox", "--json", "--journal", "run.sqlite", "--max-pages", "2"];
    let finished = run_beside_simulator(&program, &arguments).await.unwrap();
    assert_eq!((finished.code, &summary(&finished)["documents"]["succeeded"]), (6, &json!(2)), "{}", finished.stderr);
    assert_eq!(finished.only_error().unwrap(), "error: stopped (max_pages); run again to continue");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupt_stops_cleanly_and_the_next_run_continues() {
    let simulator = simulator().await;
    // The analyses take until the interrupt.
    simulator.control().delay_analysis("0.pdf", std::time::Duration::from_secs(3600));
    let program = program(&simulator);
    write_invoices(&program, 2);
    let arguments = ["inbox", "--json", "--journal", "run.sqlite"];
    let mut running = program.start(&arguments).unwrap();
    loop {
        let event = running.next().await.unwrap();
        if event["event"] == "document_finished" {
            break;
        }
    }
    running.interrupt().unwrap();
    let finished = running.finish().await.unwrap();
    assert_eq!((finished.code, &summary(&finished)["verdict"]), (130, &json!("some")), "{}", finished.stderr);
    let files: Vec<_> = program.all_files();
    assert!(files.iter().all(|path| !path.contains("-wal") && !path.contains(".lock")), "{files:?}");

    simulator.control().clear_analysis_plans();
    let file = simulator.state()["files"].to_string();
    assert!(file.contains("0.pdf"), "the document is at the service");
    assert_eq!(uploads(&simulator), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_get_one_line_before_the_first_upload() {
    let simulator = simulator().await;
    let program = program(&simulator);
    write_invoices(&program, 1);
    let text = b"This is a text, and no journal at all. It is longer than the header of a database.";
    program.write_file("text.sqlite", text).unwrap();
    std::fs::create_dir(program.folder().join("empty")).unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["missing"], "missing: "),
        (&["empty"], "no document matches **/*.pdf in empty; check the folder and the pattern"),
        (&["inbox", "--glob", "*.tif"], "no document matches *.tif in inbox"),
        (&["inbox", "--out", "empty"], "empty: unknown format of a table; use the extension .csv"),
        (&["inbox", "--out", "nowhere/values.csv"], "nowhere/values.csv: the folder nowhere does not exist; create it"),
        (&["inbox", "--out", "values.doc"], "values.doc: unknown format of a table"),
        (&["inbox", "--report", "empty"], "empty: the path is a folder"),
        (
            &["inbox", "--journal", "text.sqlite"],
            "text.sqlite: file is not a database; the file is damaged or not a journal",
        ),
        (&["inbox", "--journal", "empty"], "empty: the journal is a folder; name a file"),
    ];
    for (arguments, text) in cases {
        assert_refused(&program, arguments, text).await;
    }
    // The file that is no journal is unchanged.
    assert_eq!(std::fs::read(program.folder().join("text.sqlite")).unwrap(), text);
    assert_eq!(uploads(&simulator), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_template_gets_one_line_before_the_first_upload() {
    let simulator = simulator().await;
    let unknown = "00000000-0000-4000-8000-000000000000".to_owned();
    let program = program(&simulator).environment([("DOCUMINE_DOSSIER_TEMPLATE_ID", unknown)]);
    write_invoices(&program, 1);
    let text = "dossier template 00000000-0000-4000-8000-000000000000 does not exist in workspace acme; check the id";
    assert_refused(&program, &["inbox", "--journal", "run.sqlite"], text).await;
    assert_eq!(uploads(&simulator), 0);
}

/// Folders that this user may not read. Root may read all of them.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_folder_gets_one_line_before_the_first_upload() {
    use std::os::unix::fs::PermissionsExt;
    let simulator = simulator().await;
    let program = program(&simulator);
    write_invoices(&program, 1);
    program.write_file("inbox/locked/2.pdf", &invoice(2)).unwrap();
    let locked = program.folder().join("inbox/locked");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::read_dir(&locked).is_err() {
        assert_refused(&program, &["inbox"], "inbox/locked: ").await;
        assert_eq!(uploads(&simulator), 0);
    }
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Asserts that the program ends with exit code 2 and one line that contains `text`.
async fn assert_refused(program: &Program, arguments: &[&str], text: &str) {
    let finished = run_beside_simulator(program, arguments).await.unwrap();
    assert_eq!((finished.code, finished.stderr.lines().count()), (2, 1), "{arguments:?}: {}", finished.stderr);
    let line = finished.only_error().unwrap();
    assert!(line.contains(text), "{arguments:?}: {line}");
    assert_eq!(finished.stdout, "", "{arguments:?}");
}
