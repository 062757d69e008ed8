//! The whole job: from PDFs to components and result packages, every step of the DocuMine guide.
//!
//! ```text
//! cargo run --example pipeline                    the samples, a simulated service
//! cargo run --example pipeline -- a.pdf b.pdf     your own PDFs
//! DOCUMINE_BASE_URL=https://… cargo run …         a real service: `--help` lists the variables
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use documine::models::{License, LicenseUsage, ProcessingStatus};
use documine::package::PackageArchive;
use documine::wait::WaitErrorKind;
use documine::{BoxFuture, DossierFields, DossierHandle, DownloadFileType, ErrorKind, PackageJob, PackageRequest};
use documine_sim::Connection;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// From PDFs to components and result packages: every step of the DocuMine guide.
///
/// Without DOCUMINE_BASE_URL the program starts a simulated service. With it, the program uses that service, with the settings of the other
/// DOCUMINE_* variables, and deletes at the end what it created there.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, after_help = AFTER_HELP)]
struct Args {
    /// The PDFs to upload. Default: three samples (a study report, an invoice, a scan)
    #[arg(value_name = "FILE.pdf", default_values = SAMPLES, hide_default_value = true)]
    files: Vec<PathBuf>,
    /// Print one JSON object as the only line of stdout; everything else goes to stderr
    #[arg(long)]
    json: bool,
    /// Output folder for components and packages
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Leave the dossier and its files at the service
    #[arg(long)]
    keep: bool,
}

const SAMPLES: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/study-report.pdf"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/scan.pdf"),
];

const AFTER_HELP: &str = "\
Environment (a real service):
  DOCUMINE_BASE_URL, DOCUMINE_WORKSPACE_ID
  DOCUMINE_CLIENT_ID, DOCUMINE_CLIENT_SECRET (confidential clients only), DOCUMINE_USERNAME, DOCUMINE_PASSWORD
  or DOCUMINE_ACCESS_TOKEN instead of these four
  DOCUMINE_DOSSIER_TEMPLATE_ID (default: the first active template)

Exit codes: 0 done; 1 other failure; 2 wrong arguments or settings; 3 some files failed; 4 login needed; 5 temporary failure, try again
later; 130 interrupted";

/// The exit code and the one line of an error.
struct Failure(u8, String);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let code = match documine::Error::find(&*error) {
            Some(error) if matches!(error.kind(), ErrorKind::Config | ErrorKind::Input) => 2,
            Some(error) if error.needs_login() => 4,
            Some(error) if error.is_transient() => 5,
            _ => 1,
        };
        Self(code, format!("{error:#}"))
    }
}

/// The deletions of the objects that the program created at the service.
#[derive(Default)]
struct Created(Arc<Mutex<Vec<BoxFuture<'static, documine::Result<()>>>>>);

impl Created {
    /// Sends a creation and remembers its deletion. An interrupt does not stop the task, and `delete_all` waits for the lock: nothing is lost.
    async fn create<T: Send + 'static>(
        &self,
        creation: BoxFuture<'static, documine::Result<T>>,
        deletion: impl FnOnce(&T) -> Option<BoxFuture<'static, documine::Result<()>>> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut deletions = Arc::clone(&self.0).lock_owned().await;
        let task = tokio::spawn(async move { creation.await.inspect(|object| deletions.extend(deletion(object))) });
        Ok(task.await??)
    }

    /// Deletes everything, the latest first. Returns the last error.
    async fn delete_all(&self) -> documine::Result<()> {
        let mut result = Ok(());
        for deletion in self.0.lock().await.drain(..).rev() {
            result = deletion.await.or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) }).and(result);
        }
        result
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Failure(code, line) = match run(&Args::parse()).await {
        Ok(None) => return ExitCode::SUCCESS,
        Ok(Some(failure)) | Err(failure) => failure,
    };
    eprintln!("error: {line}");
    ExitCode::from(code)
}

/// Runs the job until its end or an interrupt, deletes what it created, and prints the summary. Returns the failures of single files or packages.
async fn run(args: &Args) -> Result<Option<Failure>, Failure> {
    for folder in [args.out.join("components"), args.out.join("packages")] {
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}; choose another --out", folder.display()))?;
    }
    let service = documine_sim::connect().await?;
    let created = Created::default();
    let result = tokio::select! {
        result = process(args, &service, &created) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure(130, "interrupted before the end".to_owned())),
    };
    let deleted = created.delete_all().await;
    let (mut summary, failure) = result?;
    deleted?;
    let requests = service.client.requests_sent();
    if args.json {
        summary["requests"] = requests.into();
        println!("{summary}");
    } else {
        println!("done with {requests} requests; components and packages are in {}", args.out.display());
    }
    Ok(failure)
}

/// Does the whole job. Returns the summary, and the failures of single files or packages, which do not stop the others.
async fn process(args: &Args, service: &Connection, created: &Created) -> Result<(Value, Option<Failure>), Failure> {
    let is_json = args.json;
    let say = move |line: &str| if is_json { eprintln!("{line}") } else { println!("{line}") };
    let mut failed: Vec<(String, Failure)> = Vec::new();

    // 1. Log in, which happens before the first request, and read the dossier template.
    let template = service.template().get().await?;
    say(&format!("{}: template {:?}", service.description(), template.name.unwrap_or_default()));

    // 2. Create a dossier.
    let fields = DossierFields::named("SDK pipeline").description("created by the example `pipeline`");
    let (creation, keep) = (service.template().create_dossier(fields).send(), args.keep);
    let deletion = move |dossier: &DossierHandle| (!keep).then(|| dossier.delete().permanently(true).send());
    let dossier = created.create(creation, deletion).await?;
    say(&format!("dossier {}", dossier.id()));

    // 3. Upload the files. A file replaces an earlier one of its name, so `upload_all` refuses a second file of a name.
    let mut uploaded = Vec::new();
    for outcome in dossier.upload_all(args.files.clone()).await? {
        match outcome.result {
            Ok(file) => uploaded.push((outcome.file_name, file.id)),
            Err(error) => failed.push((outcome.file_name, error.into())),
        }
    }

    // 4. Wait for the analysis. One list request per poll covers all files.
    let statuses = match dossier.wait_until_processed().on_state(say).await {
        Err(error) if error.kind() == WaitErrorKind::Failed => dossier.files().await?,
        waited => waited.map_err(documine::Error::from)?,
    };
    let mut files = Vec::new();
    for (name, id) in uploaded {
        let status = statuses.iter().find(|status| status.id == id);
        if let Some(file) = status.filter(|file| file.processing_status == Some(ProcessingStatus::Processed)) {
            files.push((name, file));
        } else {
            let reason = status.and_then(|file| file.error_message.as_deref()).unwrap_or("no reason from the service");
            failed.push((name, format!("the analysis failed: {reason}").into()));
        }
    }

    // 5. Export the components as JSON and XML.
    let mut exported = Vec::new();
    for (name, file) in &files {
        let (handle, path) = (dossier.file(&file.id), args.out.join("components").join(name));
        let components = handle.components().include_details(true).await?;
        write(&path, "json", serde_json::to_vec_pretty(&components)?)?;
        match handle.components_xml().await {
            Err(error) if error.is_unsupported_by_document() => say(&format!("{name}: {error}")),
            xml => write(&path, "xml", xml?)?,
        }
        let values = components.names().map(|component| (component.to_owned(), components.values(component).into()));
        let (pages, values) = (file.number_of_pages, Value::Object(values.collect()));
        say(&format!("{name}: {} pages, {values}", pages.unwrap_or_default()));
        exported.push(json!({ "file_name": name, "pages": pages, "components": values }));
    }

    // 6. Have packages of documents and reports prepared: for one file, for several, for the dossier. Then download and verify them.
    let failed_files = failed.len();
    let (mut jobs, mut packages) = (Vec::new(), Vec::new());
    if let Some((_, first)) = files.first() {
        let reports = dossier.get().await?.report_template_ids;
        let content = PackageRequest::file_types([DownloadFileType::Original]).and_reports(reports);
        let several = files.iter().take(2).map(|(_, file)| &file.id);
        for (kind, creation) in [
            ("file", dossier.file(&first.id).create_package(content.clone()).send()),
            ("files", dossier.create_files_package(several, content.clone()).send()),
            ("dossier", dossier.create_package(content).send()),
        ] {
            jobs.push((kind, created.create(creation, |job: &PackageJob| Some(job.cancel().send())).await?));
        }
    }
    for (kind, job) in jobs {
        let path = args.out.join("packages").join(format!("{kind}.zip"));
        match save(&job, &path).await {
            Ok((entries, bytes)) => {
                say(&format!("{}: {} entries, {bytes} bytes", path.display(), entries.len()));
                packages.push(json!({ "kind": kind, "path": path, "entries": entries, "bytes": bytes }));
            }
            Err(error) => failed.push((format!("package {kind:?}"), error.into())),
        }
    }

    // 7. Read the licence and its usage.
    let license = match (service.client.license().await, service.client.license_usage().await) {
        (Err(error), _) | (_, Err(error)) if error.is_unsupported_by_document() => Value::Null,
        (license, usage) => license_summary(&license?, usage?),
    };

    let mut summary =
        json!({ "dossier_id": dossier.id(), "files": exported, "packages": packages, "license": license });
    if !failed.is_empty() {
        summary["failed"] = failed.iter().map(|(name, error)| json!({ "name": name, "error": error.1 })).collect();
    }
    let lines = failed.iter().map(|(name, error)| format!("{name}: {}", error.1)).collect::<Vec<_>>().join(" | ");
    let failure = match &failed[..] {
        [] => None,
        [(_, first), ..] if files.is_empty() => Some(Failure(first.0, lines)),
        [.., (_, package)] if failed.len() > failed_files => Some(Failure(package.0, lines)),
        _ => {
            let total = failed_files + files.len();
            Some(Failure(3, format!("{failed_files} of {total} files failed, the others are done: {lines}")))
        }
    };
    Ok((summary, failure))
}

/// Downloads a package when it is ready and verifies all its entries. Returns their names and the size of the package.
async fn save(job: &PackageJob, path: &Path) -> documine::Result<(Vec<String>, u64)> {
    let saved = job.wait().await?.save_to(path).await?;
    let archive = PackageArchive::open(&saved.path).await?;
    archive.check().await?;
    Ok((archive.entries().iter().map(|entry| entry.name().to_owned()).collect(), saved.bytes))
}

/// Writes `path.extension`.
fn write(path: &Path, extension: &str, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    let path = format!("{}.{extension}", path.display());
    Ok(std::fs::write(&path, content).map_err(|error| format!("{path}: {error}"))?)
}

fn license_summary(license: &License, usage: LicenseUsage) -> Value {
    let months = usage.monthly.into_iter().filter_map(|month| Some((month.month?, json!(month.analysed_pages?))));
    json!({
        "name": license.name, "licensed_to": license.licensed_to, "valid_to": license.valid_to,
        "licensed_pages": usage.licensed_pages.or(license.licensed_pages), "analysed_pages": usage.analysed_pages,
        "analysed_files": usage.analysed_files, "ocr_pages": usage.ocr_pages, "months": Value::Object(months.collect()),
    })
}
