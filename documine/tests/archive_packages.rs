//! The example `archive_packages`: an interrupt, and the next run.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;

use documine::wait::PackageJobRef;
use documine::{DossierFields, Source};
use documine_sim::{Fault, Simulator};
use support::Program;

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_archive_continues_with_its_packages_and_their_bytes() -> TestResult {
    const DOSSIERS: usize = 6;
    /// Bytes before the stall: more than the client collects before it writes to disk.
    const BEFORE_STALL: u64 = 400_000;
    let sim = Simulator::builder().speed(100.0).start().await?;
    let template = sim.client()?.dossier_template(sim.dossier_template_id());
    // A comment of digits without a pattern, which a package cannot compress to less than 40 %.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:010}", state >> 32)
    };
    let digits: String = (0..150_000).map(|_| next()).collect();
    let pdf = String::from_utf8(support::text_pdf("Minutes", &["Total: EUR 12.50"]))?;
    let pdf = pdf.replace("\nstartxref", &format!("\n%{digits}\nstartxref"));
    for number in 0..DOSSIERS {
        let dossier = template.create_dossier(DossierFields::named(format!("Q{number}"))).await?;
        dossier.upload(Source::bytes("minutes.pdf", pdf.clone())).await?.wait_until_processed().await?;
    }
    let count = |operation: &str| {
        sim.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
    };
    let program = Program::new("archive_packages")?.environment(sim.environment());
    let files =
        |extension: &str| program.all_files().into_iter().filter(|name| name.ends_with(extension)).collect::<Vec<_>>();

    sim.faults().add(Fault::on("downloadPackage").stall_after(BEFORE_STALL));
    let running = program.start(&[])?;
    let bytes = |name: &String| std::fs::metadata(name).map_or(0, |file| file.len());
    support::wait_until(|| files(".part").iter().filter(|name| bytes(name) > 0).count() == 4).await?;
    running.interrupt()?;
    let finished = running.finish().await?;
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("6 of 6 dossiers are missing"), "{}", finished.stderr);
    let jobs: BTreeMap<String, PackageJobRef> =
        serde_json::from_slice(&std::fs::read(program.folder().join("archive/jobs.json"))?)?;
    assert_eq!((jobs.len(), count("prepareDossierDownload"), files(".part").len()), (4, 4, 4));

    sim.faults().clear();
    let finished = support::run_beside_simulator(&program, &[]).await?;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!((count("prepareDossierDownload"), files(".zip").len(), files(".part").len()), (DOSSIERS, DOSSIERS, 0));
    let resumed =
        sim.requests().iter().filter(|request| request.headers.iter().any(|(name, _)| name == "range")).count();
    assert_eq!(resumed, 4);
    assert_eq!(sim.state()["downloads"], serde_json::json!([]));
    Ok(())
}
