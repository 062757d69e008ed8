//! Every small example runs to its end against the simulator.

mod support;

use support::Program;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Runs an example and checks its output.
fn assert_runs(example: &'static str, expected: &[&str]) -> TestResult {
    let finished = Program::new(example)?.run(&[])?;
    assert_eq!(finished.code, 0, "{example}: {}", finished.stderr);
    for text in expected {
        assert!(finished.stdout.contains(text), "{example}: {text:?} is not in {}", finished.stdout);
    }
    Ok(())
}

#[test]
fn upload_examples_print_components_and_tables() -> TestResult {
    assert_runs("upload_file", &["InvoiceNumber: INV-2024-00318"])?;
    assert_runs("folder_to_csv", &["3 documents in "])?;
    assert_runs("wait_with_progress", &["invoice.pdf: ", "2 files are processed"])?;
    assert_runs("blocking_main", &["INV-2024-00318"])
}

#[test]
fn typed_values_show_their_origin() -> TestResult {
    assert_runs("typed_values", &["INV-2024-00318: 1234.50", "on page Some(1)", "struct "])
}

#[cfg(feature = "package")]
#[test]
fn package_examples_print_entries_and_rows() -> TestResult {
    assert_runs(
        "package_report",
        &["invoice.pdf (", " | ", "invoice.pdf, page Some(1): InvoiceNumber = INV-2024-00318"],
    )?;
    assert_runs("resumable_download", &["0 of them from an earlier run"])
}

#[test]
fn login_examples_use_a_store() -> TestResult {
    assert_runs("device_login", &["and type ", "logged in as Some("])?;
    assert_runs("service_account", &["2026-11-28: 1 files"])
}

#[test]
fn other_examples_run_to_their_end() -> TestResult {
    assert_runs("testing_with_faults", &["all tests passed"])?;
    assert_runs("raw_requests", &["analysedPages"])?;
    assert_runs("metrics", &["createOrUpdateDossier"])?;
    assert_runs("archive_packages", &[".zip: ", "3 dossiers are archived"])
}
