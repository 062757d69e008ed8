//! The transfer example: killed and restarted with the same arguments, the program resumes.
#![cfg(unix)]

mod support;

use std::fs;

use documine_sim::{Drip, Fault, Simulator};
use serde_json::{Value, json};
use support::{Finished, Program, run_beside_simulator, text_pdf};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn last_event(finished: &Finished) -> Result<Value, String> {
    let line = finished.stdout.lines().last().ok_or_else(|| format!("no output: {}", finished.stderr))?;
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}

async fn service() -> Result<(Simulator, Program), Box<dyn std::error::Error>> {
    let sim = Simulator::builder().speed(20.0).start().await?;
    let program = Program::new("transfer")?.environment(sim.environment());
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        program.write_file(name, &text_pdf(name, &["one", "two"]))?;
    }
    Ok((sim, program))
}

fn count(sim: &Simulator, operation: &str) -> usize {
    sim.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_program_uploads_each_document_once() -> TestResult {
    let (sim, program) = service().await?;
    let files = ["--json", "upload", "a.pdf", "missing.pdf", "b.pdf"];
    let first = run_beside_simulator(&program, &files).await?;
    assert_eq!(first.code, 3, "{}", first.stderr);
    assert_eq!(last_event(&first)?["message"], "1 files failed");
    program.write_file("missing.pdf", &text_pdf("missing", &["here"]))?;
    let second = run_beside_simulator(&program, &files).await?;
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(last_event(&second)?["event"], "done");
    assert_eq!((count(&sim, "uploadFile"), count(&sim, "createOrUpdateDossier")), (3, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_program_resumes_package_download() -> TestResult {
    let (sim, program) = service().await?;
    let uploaded = run_beside_simulator(&program, &["--json", "upload", "a.pdf", "b.pdf", "c.pdf"]).await?;
    let dossier = last_event(&uploaded)?["id"].as_str().ok_or("no id")?.to_owned();
    // Slow enough to kill the program during the download.
    let mut slow = Fault::on("downloadPackage");
    slow.drip = Some(Drip { bytes: 200, every_ms: 50 });
    sim.faults().add(slow.times(1));
    let args = ["--json", "package", "--dossier", &dossier, "--to", "q3.zip"];
    let mut running = program.start(&args)?;
    let part = program.folder().join("q3.zip.part");
    support::wait_until(|| part.exists()).await?;
    running.kill()?;
    let killed = running.finish().await?;
    assert_ne!(killed.code, 0);
    assert!(!program.folder().join("q3.zip").exists() && part.exists());

    let second = run_beside_simulator(&program, &args).await?;
    assert_eq!(second.code, 0, "{}", second.stderr);
    let done = last_event(&second)?;
    assert_eq!((&done["event"], &done["path"]), (&json!("done"), &json!("q3.zip")));
    assert_eq!(count(&sim, "prepareDossierDownload"), 1, "the same package");
    assert_eq!(done["bytes"].as_u64(), Some(fs::metadata(program.folder().join("q3.zip"))?.len()));
    assert_eq!(
        done["fetched"].as_u64().zip(done["resumed_at"].as_u64()).map(|(new, old)| new + old),
        done["bytes"].as_u64()
    );
    let mut remaining: Vec<_> =
        program.all_files().iter().filter_map(|path| Some(path.rsplit('/').next()?.to_owned())).collect();
    remaining.sort();
    assert_eq!(remaining, ["a.pdf", "b.pdf", "c.pdf", "q3.zip", "transfer.json"]);
    let archive = zip::ZipArchive::new(fs::File::open(program.folder().join("q3.zip"))?)?;
    assert!(archive.len() >= 3);

    let id = done["id"].as_str().ok_or("no id")?;
    let waited = run_beside_simulator(&program, &["--json", "wait", id]).await?;
    assert_eq!((waited.code, &last_event(&waited)?["id"]), (0, &json!(id)));
    let fetched = run_beside_simulator(&program, &["--json", "download", id, "--to", "copy.zip"]).await?;
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    assert_eq!(fs::read(program.folder().join("copy.zip"))?, fs::read(program.folder().join("q3.zip"))?);
    Ok(())
}
