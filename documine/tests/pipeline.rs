//! The pipeline example: output, written files and exit codes.

mod support;

use std::borrow::Cow;
use std::fs;

use documine_sim::{Fault, Simulator};
use serde_json::Value;
use support::{Finished, Program, run_beside_simulator, text_pdf};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Returns true for an operation of the document, false for an endpoint of the identity provider.
fn is_operation(id: &str) -> bool {
    documine::api::operations::operation(id).is_some()
}

/// Starts a simulator with this speed factor.
async fn service(speed: f64) -> Result<Simulator, documine_sim::StartError> {
    Simulator::builder().speed(speed).start().await
}

/// Asserts that the program left nothing at the service and no partial files in its folder.
fn assert_nothing_left(sim: &Simulator, program: &Program) {
    let state = sim.state();
    assert_eq!(state["dossiers"], Value::Array(Vec::new()), "a dossier remains");
    assert_eq!(state["downloads"], Value::Array(Vec::new()), "a package remains");
    let partial_files: Vec<_> = program.all_files().into_iter().filter(|name| name.contains(".part")).collect();
    assert!(partial_files.is_empty(), "partial files: {partial_files:?}");
}

#[test]
fn processes_samples_with_built_in_simulator_by_default() -> TestResult {
    let program = Program::new("pipeline")?;
    let Finished { code, stdout, stderr } = program.run(&[])?;
    assert_eq!((code, stderr.as_str()), (0, ""));
    for text in [
        "a simulated service",
        "study-report.pdf: 4 pages",
        "scan.pdf: 2 pages",
        "Acute Oral Toxicity of Samplium Green in the Rat",
        "INV-2024-00318",
        "dossier.zip: ",
        "done with ",
    ] {
        assert!(stdout.contains(text), "{text:?} is not in\n{stdout}");
    }
    assert!(!stdout.contains('\u{1b}'), "control sequences without a terminal");
    Ok(())
}

#[test]
fn prints_complete_summary_as_single_json_line() -> TestResult {
    let program = Program::new("pipeline")?;
    let finished = program.run(&["--json", "--out", "here"])?;
    let summary = finished.summary()?;
    assert_eq!(finished.code, 0);
    let mut keys: Vec<_> = summary.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["dossier_id", "files", "license", "packages", "requests"]);

    let files: Vec<_> =
        summary["files"].as_array().into_iter().flatten().map(|f| (&f["file_name"], &f["pages"])).collect();
    assert_eq!(
        format!("{files:?}"),
        r#"[(String("study-report.pdf"), Number(4)), (String("invoice.pdf"), Number(1)), (String("scan.pdf"), Number(2))]"#
    );
    assert_eq!(summary["files"][1]["components"]["TotalAmount"], serde_json::json!(["1234.50"]));
    assert!(summary["license"]["analysed_pages"].as_i64() >= Some(7));
    assert!(summary["requests"].as_u64() > Some(20));

    let packages = summary["packages"].as_array().ok_or("no packages")?;
    let kinds: Vec<_> = packages.iter().filter_map(|package| package["kind"].as_str()).collect();
    assert_eq!(kinds, ["file", "files", "dossier"]);
    for package in packages {
        let path = program.folder().join(package["path"].as_str().ok_or("no path")?);
        let archive = zip::ZipArchive::new(fs::File::open(&path)?)?;
        let names: Vec<_> = archive.file_names().map(|name| name.map(Cow::into_owned)).collect::<Result<_, _>>()?;
        let listed: Vec<String> = serde_json::from_value(package["entries"].clone())?;
        assert_eq!(names.len(), listed.len());
        assert!(listed.iter().any(|name| name.starts_with("Reports/")), "no report in {listed:?}");
        assert!(listed.iter().any(|name| name.starts_with("Originals/")), "no original in {listed:?}");
        assert_eq!(package["bytes"].as_u64(), Some(fs::metadata(&path)?.len()));
    }
    for name in ["study-report.pdf", "invoice.pdf", "scan.pdf"] {
        let folder = program.folder().join("here/components");
        let json: Value = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json")))?)?;
        assert_eq!(json["fileName"], name);
        assert!(fs::read_to_string(folder.join(format!("{name}.xml")))?.starts_with("<?xml"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn extracts_title_pages_and_components_of_any_text_pdf() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    program.write_file(
        "elsewhere.pdf",
        &text_pdf("Minutes of the Harbour Office", &["Invoice number: HB-77", "Total: EUR 12.50"]),
    )?;
    let finished = run_beside_simulator(&program, &["--json", "elsewhere.pdf"]).await?;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let file = &finished.summary()?["files"][0];
    assert_eq!(file["pages"], 1);
    assert_eq!(file["components"]["Title"][0], "Minutes of the Harbour Office");
    assert_eq!(file["components"]["InvoiceNumber"][0], "HB-77");
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_nothing_at_given_service_and_counts_requests() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    let finished = run_beside_simulator(&program, &["--json"]).await?;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let sent = sim.requests().iter().filter(|request| request.operation.as_deref().is_some_and(is_operation)).count();
    assert_eq!(finished.summary()?["requests"], sent);
    assert_nothing_left(&sim, &program);

    let kept = run_beside_simulator(&program, &["--json", "--keep"]).await?;
    assert_eq!(sim.state()["dossiers"][0]["id"], kept.summary()?["dossier_id"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_file_does_not_stop_the_others() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    program.write_file("good.pdf", &text_pdf("Good", &["Sponsor: Example Ltd"]))?;
    program.write_file("no.pdf", b"this is no PDF")?;
    let finished = run_beside_simulator(&program, &["--json", "no.pdf", "good.pdf", "gone.pdf"]).await?;
    assert_eq!(finished.code, 3);
    let line = finished.only_error()?;
    assert!(line.starts_with("error: 2 of 3 files failed, the others are done: no.pdf: "), "{line}");
    assert!(line.contains("gone.pdf"), "{line}");
    let summary = finished.summary()?;
    assert_eq!(summary["files"][0]["file_name"], "good.pdf");
    assert_eq!(summary["failed"][0]["name"], "no.pdf");
    assert_eq!(summary["packages"].as_array().map(Vec::len), Some(3));
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_second_file_of_the_same_name() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    program.write_file("a/x.pdf", &text_pdf("First", &["one"]))?;
    program.write_file("b/x.pdf", &text_pdf("Second", &["two"]))?;
    let finished = run_beside_simulator(&program, &["--json", "a/x.pdf", "b/x.pdf"]).await?;
    assert_eq!(finished.code, 3);
    let summary = finished.summary()?;
    assert_eq!(summary["files"][0]["components"]["Title"][0], "First");
    assert_eq!((&summary["files"][1], &summary["failed"][0]["name"]), (&Value::Null, &Value::from("x.pdf")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_unusable_file_in_one_line() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    program.write_file("empty.pdf", b"")?;
    program.write_file("no.pdf", b"this is no PDF")?;
    fs::create_dir(program.folder().join("folder.pdf"))?;
    for (file, code) in [("gone.pdf", 2), ("folder.pdf", 2), ("empty.pdf", 1), ("no.pdf", 1)] {
        let finished = run_beside_simulator(&program, &[file]).await?;
        let line = finished.only_error()?;
        assert_eq!((finished.code, line.contains(file)), (code, true), "{line}");
        assert_nothing_left(&sim, &program);
    }
    sim.control().fail_analysis("study-report.pdf", "the rules could not be applied");
    let finished = run_beside_simulator(&program, &[]).await?;
    assert!(finished.only_error()?.contains("study-report.pdf: the analysis failed: the rules could not be applied"));
    assert_eq!(finished.code, 3);
    Ok(())
}

#[test]
fn names_invalid_settings_in_one_line_without_secrets() -> TestResult {
    let right = [
        ("DOCUMINE_BASE_URL", "http://127.0.0.1:9"),
        ("DOCUMINE_WORKSPACE_ID", "acme"),
        ("DOCUMINE_CLIENT_ID", "client"),
        ("DOCUMINE_CLIENT_SECRET", "top-secret"),
        ("DOCUMINE_USERNAME", "robot"),
        ("DOCUMINE_PASSWORD", "top-secret"),
    ];
    for (name, value, code, expected) in [
        ("DOCUMINE_BASE_URL", "http://acme.example", 2, "https"),
        ("DOCUMINE_BASE_URL", "https://robot:top-secret@acme.example", 2, "user name"),
        ("DOCUMINE_BASE_URL", "acme", 2, "invalid base URL"),
        ("DOCUMINE_BASE_URL", "", 2, "DOCUMINE_BASE_URL is empty"),
        ("DOCUMINE_PASSWORD", "", 2, "DOCUMINE_PASSWORD"),
        ("DOCUMINE_WORKSPACE_ID", "a/b", 2, "workspace"),
        ("DOCUMINE_DOSSIER_TEMPLATE_ID", "..", 2, "DOCUMINE_DOSSIER_TEMPLATE_ID"),
        // The port is closed.
        ("DOCUMINE_CLIENT_ID", "client", 5, "the request to the identity provider failed"),
    ] {
        let environment = right.into_iter().map(|(name, value)| (name, value.to_owned()));
        let program = Program::new("pipeline")?.environment(environment).environment([(name, value.to_owned())]);
        let finished = program.run(&["--json"])?;
        let line = finished.only_error()?;
        assert!(line.contains(expected), "{line}");
        assert_eq!((finished.code, finished.stdout.as_str()), (code, ""), "{line}");
        assert!(!finished.stderr.contains("top-secret"), "{line}");
    }
    assert_eq!(Program::new("pipeline")?.run(&["--wat"])?.code, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_login_and_unknown_template_have_exit_codes() -> TestResult {
    let sim = service(20.0).await?;
    let with = |name: &'static str, value: &str| {
        Ok::<_, std::io::Error>(
            Program::new("pipeline")?.environment(sim.environment()).environment([(name, value.to_owned())]),
        )
    };
    let finished = run_beside_simulator(&with("DOCUMINE_PASSWORD", "not-the-password")?, &[]).await?;
    assert!(finished.only_error()?.contains("login"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("TEMPLATE"), "{}", finished.stderr);
    assert_eq!(finished.code, 4);

    let finished = run_beside_simulator(&with("DOCUMINE_DOSSIER_TEMPLATE_ID", "unknown-template")?, &[]).await?;
    let line = finished.only_error()?;
    assert!(line.contains("404"), "{line}");
    assert_eq!(finished.code, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_unwritable_folder_before_sending() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    program.write_file("file", b"")?;
    let finished = run_beside_simulator(&program, &["--out", "file/out"]).await?;
    let line = finished.only_error()?;
    assert!(line.contains("file/out") && line.contains("--out"), "{line}");
    assert_eq!((finished.code, sim.requests().len()), (1, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_package_does_not_affect_others() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    sim.control().fail_next_package("no room on the disk");
    let finished = run_beside_simulator(&program, &["--json"]).await?;
    let line = finished.only_error()?;
    assert!(line.contains("package \"file\"") && line.contains("FAILED: no room on the disk"), "{line}");
    let kinds: Vec<_> =
        finished.summary()?["packages"].as_array().into_iter().flatten().map(|p| p["kind"].clone()).collect();
    assert_eq!((finished.code, kinds), (1, vec!["files".into(), "dossier".into()]));
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_package_leaves_no_partial_file() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    sim.faults().add(Fault::on("downloadPackage").cut_after(500));
    let finished = run_beside_simulator(&program, &["--json"]).await?;
    assert_eq!(finished.code, 5, "{}", finished.stderr);
    finished.only_error()?;
    assert!(!program.all_files().iter().any(|name| name.contains("packages/")), "{:?}", program.all_files());
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_archived_dossier_once() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    let body = r#"{"timestamp": "2023-09-21T12:45:00Z", "message": "The dossier is archived and can't be changed."}"#;
    sim.faults().add(Fault::on("uploadFile").status(409).body("application/json", body));
    let finished = run_beside_simulator(&program, &[]).await?;
    let line = finished.only_error()?;
    assert!(line.contains("409") && line.contains("archived"), "{line}");
    assert_eq!(finished.code, 1);
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupt_during_wait_leaves_nothing() -> TestResult {
    let sim = service(0.05).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    let running = program.start(&[])?;
    support::wait_until(|| sim.requests().iter().any(|request| request.operation.as_deref() == Some("getFiles")))
        .await?;
    running.interrupt()?;
    let finished = running.finish().await?;
    assert_eq!(finished.code, 130, "{}", finished.stderr);
    assert_eq!(finished.stderr, "error: interrupted before the end\n");
    assert_nothing_left(&sim, &program);
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupt_during_creation_leaves_no_dossier() -> TestResult {
    let sim = service(20.0).await?;
    let program = Program::new("pipeline")?.environment(sim.environment());
    // The response arrives after the interrupt: the dossier exists by then, and the program must delete it.
    sim.faults().add(Fault::on("createOrUpdateDossier").delay_ms(5000));
    let running = program.start(&[])?;
    support::wait_until(|| sim.faults().hits().contains_key("delay_ms")).await?;
    running.interrupt()?;
    assert_eq!(running.finish().await?.code, 130);
    let operations: Vec<_> = sim.requests().into_iter().filter_map(|request| request.operation).collect();
    assert!(operations.ends_with(&["createOrUpdateDossier".into(), "deleteDossier".into()]), "{operations:?}");
    assert_nothing_left(&sim, &program);
    Ok(())
}
