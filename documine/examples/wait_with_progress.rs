//! Uploads several files and shows the progress of upload and analysis.

use std::time::Duration;

use documine::wait::{PollState, WaitError, WaitErrorKind};
use documine::{DossierFields, Source};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let dossier = service.template().create_dossier(DossierFields::named("Progress example")).await?;
    let sources = [
        Source::bytes(
            "invoice.pdf",
            &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))[..],
        ),
        Source::bytes(
            "scan.pdf",
            &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/scan.pdf"))[..],
        ),
    ];
    let uploads =
        dossier.upload_all(sources).with_progress(|moved, total| eprintln!("uploaded {moved} of {total:?} bytes"));
    for outcome in uploads.await? {
        println!("{}: {}", outcome.file_name, outcome.result?.id);
    }

    let wait = dossier
        .wait_until_processed()
        .with_deadline(Duration::from_secs(600))
        .with_stall_timeout(Duration::from_secs(300));
    let mut states = wait.states();
    while let Some(state) = states.try_next().await.inspect_err(report)? {
        match state {
            PollState::Done(files) => println!("{} files are processed", files.len()),
            working => eprintln!("{working:?}"),
        }
    }
    dossier.delete().permanently(true).await?;
    Ok(())
}

fn report(error: &WaitError) {
    if error.kind() == WaitErrorKind::DeadlineExceeded {
        eprintln!("the analysis continues at the service: wait again later");
    }
    for file in error.failed_files() {
        eprintln!("{:?}: {:?}", file.file_name, file.error_message);
    }
}
