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
use documine::models::{FileStatus, License, LicenseUsage, ProcessingStatus};
use documine::package::PackageArchive;
use documine::wait::{WaitError, WaitErrorKind};
use documine::{
    BoxFuture, DossierFields, DossierHandle, DownloadFileType, Error, ErrorKind, PackageJob, PackageRequest, Source,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// From PDFs to components and result packages: every step of the DocuMine guide.
///
/// Without DOCUMINE_BASE_URL the program starts a simulated service. With it, the program uses that service, with the settings of the other
/// DOCUMINE_* variables, and deletes at the end what it created there.
#[derive(Debug, Parser)]
#[command(name = "pipeline", version, after_help = AFTER_HELP)]
struct Args {
    /// The PDFs to upload. Default: three built-in samples (a study report, an invoice, a scan)
    #[arg(value_name = "FILE.pdf")]
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

const AFTER_HELP: &str = "\
Environment (a real service):
  DOCUMINE_BASE_URL, DOCUMINE_WORKSPACE_ID
  DOCUMINE_CLIENT_ID, DOCUMINE_CLIENT_SECRET (confidential clients only), DOCUMINE_USERNAME, DOCUMINE_PASSWORD
  or DOCUMINE_ACCESS_TOKEN instead of these four
  DOCUMINE_DOSSIER_TEMPLATE_ID (default: the first active template)

Exit codes: 0 done; 1 other failure; 2 wrong arguments or settings; 3 some files failed; 4 login needed; 5 temporary failure, try again
later; 130 interrupted";

const SAMPLES: [(&str, &[u8]); 3] = [
    ("study-report.pdf", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/study-report.pdf"))),
    ("invoice.pdf", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))),
    ("scan.pdf", include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/scan.pdf"))),
];

/// The exit code and the one line of an error.
struct Failure(u8, String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Config | ErrorKind::Input => 2,
            _ if error.needs_login() => 4,
            _ if error.is_transient() => 5,
            _ => 1,
        };
        Self(code, format!("{error:#}"))
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        Error::from(error).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(1, error.to_string())
    }
}

/// The objects that the program created at the service and deletes at the end.
#[derive(Default)]
struct Created(Arc<Mutex<Vec<Object>>>);

enum Object {
    Dossier(DossierHandle),
    Package(PackageJob),
}

impl Created {
    /// Sends a creation and remembers its result. An interrupt does not stop the task, and the deletion waits for the lock: nothing is lost.
    async fn create<T>(
        &self,
        call: BoxFuture<'static, documine::Result<T>>,
        remember: fn(T) -> Object,
    ) -> Result<T, Failure>
    where
        T: Clone + Send + 'static,
    {
        let mut objects = Arc::clone(&self.0).lock_owned().await;
        let task = tokio::spawn(async move {
            let created = call.await?;
            objects.push(remember(created.clone()));
            Ok::<_, Error>(created)
        });
        Ok(task.await.map_err(std::io::Error::other)??)
    }

    /// Deletes everything, the latest first.
    async fn delete_all(&self, keep_dossier: bool) -> Result<(), Failure> {
        for object in self.0.lock().await.drain(..).rev() {
            let deleted = match object {
                Object::Dossier(dossier) if keep_dossier => {
                    eprintln!("kept: dossier {}", dossier.id());
                    Ok(())
                }
                Object::Dossier(dossier) => dossier.delete().permanently(true).await,
                Object::Package(package) => package.cancel().await,
            };
            deleted.or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let created = Created::default();
    let result = tokio::select! {
        result = run(&args, &created) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure(130, "interrupted before the end".to_owned())),
    };
    let deleted = created.delete_all(args.keep).await;
    let result = result.and_then(|summary| deleted.map(|()| summary));
    if let (Ok((summary, _)), true) = (&result, args.json) {
        println!("{summary}");
    }
    match result.map(|(_, failure)| failure) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(Failure(code, line))) | Err(Failure(code, line)) => {
            eprintln!("error: {line}");
            ExitCode::from(code)
        }
    }
}

/// Does the whole job. Returns the summary, and the failure of single files or packages, which do not stop the others.
async fn run(args: &Args, created: &Created) -> Result<(Value, Option<Failure>), Failure> {
    let folder = |name: &str| {
        let folder = args.out.join(name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure(1, format!("{}: {error}; choose another --out", folder.display())))?;
        Ok::<_, Failure>(folder)
    };
    let (components_folder, packages_folder) = (folder("components")?, folder("packages")?);
    let is_json = args.json;
    let say = move |line: &str| if is_json { eprintln!("{line}") } else { println!("{line}") };
    let (mut failed_files, mut failed_packages) = (Vec::new(), Vec::new());

    // 1. Log in, which happens before the first request, and choose a dossier template.
    let service = documine_sim::connect().await?;
    let client = &service.client;
    let template = service.template().get().await?;
    say(&format!("{}: template {:?}", service.description(), template.name.unwrap_or_default()));

    // 2. Create a dossier.
    let fields = DossierFields::named("SDK pipeline").description("created by the example `pipeline`");
    let dossier = created.create(service.template().create_dossier(fields).send(), Object::Dossier).await?;
    say(&format!("dossier {}", dossier.id()));

    // 3. Upload the files.
    let mut uploaded = Vec::new();
    for outcome in dossier.upload_all(sources(&args.files)).await? {
        match outcome.result {
            Ok(file) => {
                say(&format!("{}: uploaded as file {}", outcome.file_name, file.id));
                uploaded.push(file.id);
            }
            Err(error) if error.needs_login() => return Err(error.into()),
            Err(error) => failed_files.push((outcome.file_name, error.into())),
        }
    }

    // 4. Wait for the analysis. One list request per poll covers all files.
    let mut files = match dossier.wait_until_processed().on_state(say).await {
        Err(error) if error.kind() == WaitErrorKind::Failed => dossier.files().await?,
        waited => waited?,
    };
    files.sort_by_key(|file| uploaded.iter().position(|id| *id == file.id));
    files.retain(|file| {
        let is_processed = file.processing_status == Some(ProcessingStatus::Processed);
        if !is_processed {
            let reason = file.error_message.as_deref().unwrap_or("no reason from the service");
            failed_files.push((name_of(file), Failure(1, format!("the analysis failed: {reason}"))));
        }
        is_processed
    });

    // 5. Export the components as JSON and XML.
    let mut exported = Vec::new();
    for file in &files {
        let (name, handle) = (name_of(file), dossier.file(&file.id));
        let components = handle.components().include_details(true).await?;
        write(
            &components_folder.join(format!("{name}.json")),
            serde_json::to_vec_pretty(&components).map_err(std::io::Error::from)?,
        )?;
        match handle.components_xml().await {
            Err(error) if error.is_unsupported_by_document() => say(&format!("{name}: {error}")),
            xml => write(&components_folder.join(format!("{name}.xml")), xml?)?,
        }
        say(&format!("\n{name}: {} pages", file.number_of_pages.unwrap_or_default()));
        let mut values = serde_json::Map::new();
        for component in components.names() {
            if !components.values(component).is_empty() {
                say(&format!("  {component}: {}", components.values(component).join(", ")));
            }
            values.insert(component.to_owned(), json!(components.values(component)));
        }
        exported.push(json!({ "file_name": name, "pages": file.number_of_pages, "components": values }));
    }

    // 6. Have packages prepared: for one file, for several, for the dossier. Then download and verify them.
    let mut packages = Vec::new();
    let jobs = create_packages(&dossier, &files, created).await?;
    let saved =
        jobs.iter().map(async |(kind, job)| (*kind, save(job, &packages_folder.join(format!("{kind}.zip"))).await));
    for (kind, saved) in join_all(saved).await {
        match saved {
            Ok((path, entries, bytes)) => {
                say(&format!("{}: {} entries, {bytes} bytes", path.display(), entries.len()));
                packages.push(json!({ "kind": kind, "path": path, "entries": entries, "bytes": bytes }));
            }
            Err(failure) => failed_packages.push((format!("package {kind:?}"), failure)),
        }
    }

    // 7. Read the licence and its usage.
    let license = match (client.license().await, client.license_usage().await) {
        (Err(error), _) | (_, Err(error)) if error.is_unsupported_by_document() => Value::Null,
        (license, usage) => license_summary(&license?, usage?),
    };
    created.delete_all(args.keep).await?;
    say(&format!(
        "done with {} requests; components and packages are in {}",
        client.requests_sent(),
        args.out.display()
    ));

    let failed: Vec<_> = failed_files.iter().chain(&failed_packages).collect();
    let failure = summarize(&failed_files, &failed_packages, exported.len());
    let mut summary = json!({
        "dossier_id": dossier.id(), "files": exported, "packages": packages, "license": license, "requests": client.requests_sent(),
    });
    if !failed.is_empty() {
        summary["failed"] = failed.iter().map(|(name, failure)| json!({ "name": name, "error": failure.1 })).collect();
    }
    Ok((summary, failure))
}

/// Joins the failures of single files and packages into one; `None` if there are none.
fn summarize(files: &[(String, Failure)], packages: &[(String, Failure)], exported: usize) -> Option<Failure> {
    let lines: Vec<_> = files.iter().chain(packages).map(|(name, failure)| format!("{name}: {}", failure.1)).collect();
    let lines = lines.join(" | ");
    match (packages, files) {
        ([(_, first), ..], _) => Some(Failure(first.0, lines)),
        ([], [(_, first), ..]) if exported == 0 => Some(Failure(first.0, lines)),
        ([], []) => None,
        ([], failed) => {
            let total = failed.len() + exported;
            Some(Failure(3, format!("{} of {total} files failed, the others are done: {lines}", failed.len())))
        }
    }
}

/// The files to upload. In a dossier a file replaces an earlier one of the same name, so `upload_all` refuses a second file of a name.
fn sources(paths: &[PathBuf]) -> Vec<Source> {
    if paths.is_empty() {
        return SAMPLES.iter().map(|(name, content)| Source::bytes(*name, *content)).collect();
    }
    paths.iter().map(Source::path).collect()
}

/// Starts the preparation of three packages with the documents and the reports of the dossier.
async fn create_packages(
    dossier: &DossierHandle,
    files: &[FileStatus],
    created: &Created,
) -> Result<Vec<(&'static str, PackageJob)>, Failure> {
    let [first, ..] = files else { return Ok(Vec::new()) };
    let reports = dossier.get().await?.report_template_ids;
    let content = PackageRequest::file_types([DownloadFileType::Original]).and_reports(reports);
    let several = files.iter().take(2).map(|file| &file.id);
    let requests = [
        ("file", dossier.file(&first.id).create_package(content.clone()).send()),
        ("files", dossier.create_files_package(several, content.clone()).send()),
        ("dossier", dossier.create_package(content).send()),
    ];
    let mut jobs = Vec::new();
    for (kind, request) in requests {
        jobs.push((kind, created.create(request, Object::Package).await?));
    }
    Ok(jobs)
}

/// Downloads a package when it is ready and verifies all its entries.
async fn save(job: &PackageJob, path: &Path) -> Result<(PathBuf, Vec<String>, u64), Failure> {
    let saved = job.wait().await?.save_to(path).await?;
    let archive = PackageArchive::open(&saved.path).await?;
    archive.check().await?;
    let entries = archive.entries().iter().map(|entry| entry.name().to_owned()).collect();
    Ok((saved.path, entries, saved.bytes))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    std::fs::write(path, content).map_err(|error| Failure(1, format!("{}: {error}", path.display())))
}

/// The file's name, as a name that cannot lead out of a folder.
fn name_of(file: &FileStatus) -> String {
    let name = file.file_name.as_deref().unwrap_or(file.id.as_str());
    name.trim_start_matches('.')
        .replace(|character: char| character.is_control() || "/\\:*?\"<>|".contains(character), "_")
}

fn license_summary(license: &License, usage: LicenseUsage) -> Value {
    let months = usage.monthly.into_iter().filter_map(|month| Some((month.month?, json!(month.analysed_pages?))));
    json!({
        "name": license.name, "licensed_to": license.licensed_to, "valid_to": license.valid_to,
        "licensed_pages": usage.licensed_pages.or(license.licensed_pages), "analysed_pages": usage.analysed_pages,
        "analysed_files": usage.analysed_files, "ocr_pages": usage.ocr_pages, "months": Value::Object(months.collect()),
    })
}
