//! The transfer example as a program: killed and started again with the same arguments, it goes on.
#![cfg(unix)]

mod support;

use std::fs;

use documine_sim::{Drip, Fault, Simulator};
use serde_json::{Value, json};
use support::{Finished, Program, in_folder, text_pdf};

type Tested = Result<(), Box<dyn std::error::Error>>;

fn last(finished: &Finished) -> Result<Value, String> {
    let line = finished.stdout.lines().last().ok_or_else(|| format!("nothing was said: {}", finished.stderr))?;
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}

async fn service() -> Result<(Simulator, Program), Box<dyn std::error::Error>> {
    let sim = Simulator::builder().speed(20.0).start().await?;
    let program = Program::new("transfer")?.environment(sim.environment());
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        program.put(name, &text_pdf(name, &["one", "two"]))?;
    }
    Ok((sim, program))
}

fn count(sim: &Simulator, operation: &str) -> usize {
    sim.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_uploaded_once_however_often_it_is_started() -> Tested {
    let (sim, program) = service().await?;
    let files = ["--json", "upload", "a.pdf", "missing.pdf", "b.pdf"];
    let first = in_folder(&program, &files).await?;
    assert_eq!(first.code, 3, "{}", first.stderr);
    assert_eq!(last(&first)?["message"], "1 files failed");
    program.put("missing.pdf", &text_pdf("missing", &["here"]))?;
    let second = in_folder(&program, &files).await?;
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert_eq!(last(&second)?["event"], "done");
    assert_eq!((count(&sim, "uploadFile"), count(&sim, "createOrUpdateDossier")), (3, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_being_fetched_goes_on_where_it_was_killed() -> Tested {
    let (sim, program) = service().await?;
    let uploaded = in_folder(&program, &["--json", "upload", "a.pdf", "b.pdf", "c.pdf"]).await?;
    let dossier = last(&uploaded)?["id"].as_str().ok_or("no id")?.to_owned();
    // So slow that it can be killed on its way.
    let mut slow = Fault::on("downloadPackage");
    slow.drip = Some(Drip { bytes: 200, every_ms: 50 });
    sim.faults().add(slow.times(1));
    let args = ["--json", "package", "--dossier", &dossier, "--to", "q3.zip"];
    let mut running = program.start(&args)?;
    let part = program.folder().join("q3.zip.part");
    support::until(|| part.exists()).await?;
    running.kill()?;
    let killed = running.finish().await?;
    assert_ne!(killed.code, 0);
    assert!(!program.folder().join("q3.zip").exists() && part.exists());

    let again = in_folder(&program, &args).await?;
    assert_eq!(again.code, 0, "{}", again.stderr);
    let done = last(&again)?;
    assert_eq!((&done["event"], &done["path"]), (&json!("done"), &json!("q3.zip")));
    assert_eq!(count(&sim, "prepareDossierDownload"), 1, "the same package");
    assert_eq!(done["bytes"].as_u64(), Some(fs::metadata(program.folder().join("q3.zip"))?.len()));
    assert_eq!(
        done["fetched"].as_u64().zip(done["resumed_at"].as_u64()).map(|(new, old)| new + old),
        done["bytes"].as_u64()
    );
    let mut left: Vec<_> =
        program.written().iter().filter_map(|path| Some(path.rsplit('/').next()?.to_owned())).collect();
    left.sort();
    assert_eq!(left, ["a.pdf", "b.pdf", "c.pdf", "q3.zip", "transfer.json"]);
    let archive = zip::ZipArchive::new(fs::File::open(program.folder().join("q3.zip"))?)?;
    assert!(archive.len() >= 3);

    let id = done["id"].as_str().ok_or("no id")?;
    let waited = in_folder(&program, &["--json", "wait", id]).await?;
    assert_eq!((waited.code, &last(&waited)?["id"]), (0, &json!(id)));
    let fetched = in_folder(&program, &["--json", "download", id, "--to", "copy.zip"]).await?;
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    assert_eq!(fs::read(program.folder().join("copy.zip"))?, fs::read(program.folder().join("q3.zip"))?);
    Ok(())
}
