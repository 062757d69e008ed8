//! The steps, in the order of the DocuMine guide. Read from top to bottom: this is how the SDK is used.

use std::path::PathBuf;
use std::time::SystemTime;

use documine::{
    Client, Components, DossierFields, DossierHandle, DossierTemplateHandle, DownloadFileType, FileHandle, Package,
    PackageJob, PackageRequest,
    models::{DossierTemplate, DossierTemplateStatus, FileId, FileStatus, ProcessingStatus, Timestamp},
    package::PackageArchive,
    wait::WaitErrorKind,
};
use futures_util::future::join_all;

use crate::cleanup::Created;
use crate::failure::{Code, During, Failure};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::own::Document;
use crate::show::{Show, bytes, count};
use crate::sources::sources;
use crate::summary::{FileSummary, LicenseSummary, PackageSummary, Values};
use crate::table::Table;
use crate::target::Target;

/// Context of the steps.
pub(crate) struct Steps<'a> {
    target: &'a Target,
    output: &'a Output,
    show: &'a Show,
    created: &'a Created,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(target: &'a Target, output: &'a Output, show: &'a Show, created: &'a Created) -> Self {
        Self { target, output, show, created }
    }

    /// The whole way. What goes wrong with one file or one package does not stop the others: it is in the outcome.
    pub(crate) async fn run(&self, paths: &[PathBuf]) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let template = self.log_in().await?;
        let dossier = self.create_dossier(&template).await?;
        self.upload(&dossier, paths, &mut outcome).await?;
        let files = self.wait(&dossier, &mut outcome).await?;
        self.export(&dossier, &files, &mut outcome).await?;
        let packages = self.prepare_packages(&dossier, &files, &mut outcome).await?;
        self.fetch_packages(packages, &mut outcome).await?;
        self.read_license(&mut outcome).await?;
        self.clean_up().await?;

        let client = &self.target.client;
        outcome.summary.dossier_id = dossier.id().to_string();
        outcome.summary.requests = client.requests_sent();
        self.show.heading(format_args!(
            "\nDone with {} and the login. Components and packages are in {}.",
            count(usize::try_from(client.requests_sent()).unwrap_or(usize::MAX), "request"),
            self.output.folder().display(),
        ));
        Ok(outcome)
    }

    /// A client logs in by itself before its first request, and renews its token in time.
    async fn log_in(&self) -> Result<DossierTemplateHandle, Failure> {
        self.show.step("Log in and read the dossier templates", "client.dossier_templates()");
        let client: &Client = &self.target.client;
        let (template, given) = match &self.target.template {
            Some(id) => {
                let template =
                    client.dossier_template(id.clone()).get().await.during(format_args!("dossier template {id}"));
                (
                    template.map_err(|failure| failure.advise_on_request("check DOCUMINE_DOSSIER_TEMPLATE_ID"))?,
                    "from DOCUMINE_DOSSIER_TEMPLATE_ID",
                )
            }
            None => (
                first_active(client.dossier_templates().await.during("the dossier templates")?)?,
                "the first active one",
            ),
        };
        let name = template.name.as_deref().unwrap_or("without a name");
        self.show.line(format_args!("using {name:?} ({}, {given})", template.id));
        Ok(client.dossier_template(template.id))
    }

    /// A dossier groups files that are read by the rules of one template.
    async fn create_dossier(&self, template: &DossierTemplateHandle) -> Result<DossierHandle, Failure> {
        self.show.step("Create a dossier", "template.create_dossier(DossierFields::named(…))");
        let now: String = Timestamp::from_system_time(SystemTime::now()).as_str().chars().take(19).collect();
        let fields =
            DossierFields::named(format!("SDK pipeline {now}")).description("Made by the SDK's pipeline example");
        // `created` makes the call and remembers the dossier, so that it is deleted at the end.
        let dossier = self.created.dossier(template.create_dossier(fields)).await?;
        self.show.line(format_args!("dossier {}", dossier.id()));
        Ok(dossier)
    }

    /// Files are streamed from disk. The service begins to analyse each as soon as it is there.
    async fn upload(&self, dossier: &DossierHandle, paths: &[PathBuf], outcome: &mut Outcome) -> Result<(), Failure> {
        self.show.step("Upload the PDFs", "dossier.upload(Source::path(…)).with_progress(…)");
        let mut uploaded = 0;
        for (name, source) in sources(paths) {
            let progress = self.show.progress(&name);
            match dossier.upload(source).with_progress(progress.bytes()).await.during(&name) {
                Ok(file) => {
                    progress.done(format_args!("uploaded as file {}", file.id));
                    uploaded += 1;
                }
                Err(failure) => {
                    outcome.file_failed(
                        self.show,
                        name,
                        failure.advise_on_request("give another file in its place"),
                    )?;
                }
            }
        }
        if uploaded == 0 { Err(outcome.nothing_is_left()) } else { Ok(()) }
    }

    /// An uploaded file is not processed yet. One list request per poll returns the state of all files.
    async fn wait(&self, dossier: &DossierHandle, outcome: &mut Outcome) -> Result<Vec<FileStatus>, Failure> {
        self.show.step("Wait until they are analysed", "dossier.wait_until_processed()");
        let progress = self.show.progress("analysis");
        let states = progress.clone();
        let files = match dossier.wait_until_processed().on_state(move |state| states.state(state)).await {
            // All files have ended, some of them with an error: the list has the details.
            Err(error) if error.kind() == WaitErrorKind::Failed => {
                dossier.files().await.during("the dossier's files")?
            }
            waited => waited.during("the analysis")?,
        };
        progress.done("finished");
        let mut processed = Vec::new();
        for file in files {
            let name = name_of(&file);
            if file.processing_status == Some(ProcessingStatus::Processed) {
                let pages = file.number_of_pages.and_then(|pages| usize::try_from(pages).ok()).unwrap_or_default();
                self.show.line(format_args!("{name}: {}", count(pages, "page")));
                processed.push(file);
            } else {
                let reason = file.error_message.as_deref().unwrap_or("the service gives no reason");
                let failure = Failure::new(Code::Other, format!("{name}: the analysis failed: {reason}"));
                outcome.file_failed(self.show, name, failure.advise_on_request("give another file in its place"))?;
            }
        }
        if processed.is_empty() { Err(outcome.nothing_is_left()) } else { Ok(processed) }
    }

    /// Components come as JSON, as XML, or as a Rust type of your own.
    async fn export(
        &self,
        dossier: &DossierHandle,
        files: &[FileStatus],
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        self.show
            .step("Export the components", "file.components(), file.components_xml(), components.extract::<Invoice>()");
        for status in files {
            let name = name_of(status);
            match self.export_one(&name, dossier.file(&status.id)).await {
                Ok(components) => outcome.summary.files.push(FileSummary {
                    file_name: name,
                    pages: status.number_of_pages,
                    components: values(&components),
                }),
                Err(failure) => outcome.file_failed(self.show, name, failure)?,
            }
        }
        if outcome.summary.files.is_empty() { Err(outcome.nothing_is_left()) } else { Ok(()) }
    }

    async fn export_one(&self, name: &str, file: FileHandle) -> Result<Components, Failure> {
        let components = file.components().include_details(true).await.during(name)?;
        let json = serde_json::to_vec_pretty(&components)
            .map_err(|error| Failure::new(Code::Other, format!("{name}: {error}")))?;
        let json = self.output.write_components(name, "json", &json)?;

        let xml = match file.components_xml().include_details(true).await {
            // A document of the user's own may not have this form.
            Err(error) if error.is_unsupported_by_document() => String::from("no XML, since the document has none"),
            xml => self.output.write_components(name, "xml", xml.during(name)?.as_bytes())?.display().to_string(),
        };

        self.show.line(format_args!("\n{name} → {}, {xml}", json.display()));
        self.show_components(&components);
        match Document::read(&components) {
            Ok(document) => self.show.line(document.lines()),
            // Values that our own types did not expect. The export is written all the same.
            Err(error) => self.show.line(format_args!("not read into a Rust type: {error}")),
        }
        Ok(components)
    }

    /// The service prepares packages in the background: all three are requested before the first wait.
    async fn prepare_packages(
        &self,
        dossier: &DossierHandle,
        files: &[FileStatus],
        outcome: &mut Outcome,
    ) -> Result<Vec<(&'static str, Package)>, Failure> {
        self.show.step(
            "Have result packages prepared: for one file, for several, for the dossier",
            "file.create_package(…), dossier.create_files_package(…), dossier.create_package(…), then .wait()",
        );
        // What the template's dossiers report, and the documents themselves.
        let reports = dossier.get().await.during("the dossier")?.report_template_ids;
        let mut content = PackageRequest::file_types([DownloadFileType::Original]);
        if !reports.is_empty() {
            content = content.and_reports(reports);
        }
        let ids: Vec<&FileId> = files.iter().map(|file| &file.id).collect();
        let (one, several) = (&ids[..ids.len().min(1)], &ids[..ids.len().min(2)]);

        let mut begun = Vec::new();
        for id in one {
            begun.push(("file", self.created.package(dossier.file(*id).create_package(content.clone()).send()).await?));
        }
        begun.push((
            "files",
            self.created.package(dossier.create_files_package(several.iter().copied(), content.clone()).send()).await?,
        ));
        begun.push(("dossier", self.created.package(dossier.create_package(content).send()).await?));

        let mut ready = Vec::new();
        for (kind, waited) in join_all(begun.iter().map(|(kind, package)| self.wait_for_package(kind, package))).await {
            match waited {
                Ok(package) => ready.push((kind, package)),
                Err(failure) => outcome.package_failed(self.show, kind, failure)?,
            }
        }
        Ok(ready)
    }

    async fn wait_for_package(
        &self,
        kind: &'static str,
        package: &PackageJob,
    ) -> (&'static str, Result<Package, Failure>) {
        let progress = self.show.progress(&format!("package {kind:?}"));
        let states = progress.clone();
        let waited = package.wait().on_state(move |state| states.state(state)).await;
        let waited = waited.during(format_args!("package {kind:?}")).map_err(|failure| failure.advise("run it again"));
        if waited.is_ok() {
            progress.done("ready");
        }
        (kind, waited)
    }

    /// A package is streamed to a temporary file, which gets its name when it is whole.
    async fn fetch_packages(
        &self,
        packages: Vec<(&'static str, Package)>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        self.show.step(
            "Download the packages, read them, delete them",
            "package.save_to(…).with_progress(…), PackageArchive::open(…), package.delete()",
        );
        for (kind, package) in packages {
            match self.fetch(kind, &package).await {
                Ok(summary) => outcome.summary.packages.push(summary),
                Err(failure) => {
                    outcome.package_failed(self.show, kind, failure)?;
                    continue;
                }
            }
            package.delete().await.during(format_args!("package {kind:?}"))?;
            self.created.forget(&package).await;
        }
        Ok(())
    }

    async fn fetch(&self, kind: &'static str, package: &Package) -> Result<PackageSummary, Failure> {
        let path = self.output.package(kind)?;
        let progress = self.show.progress(&format!("package {kind:?}"));
        let saving = package.save_to(&path).with_progress(progress.bytes());
        let saved = saving.await.during(format_args!("package {kind:?}"))?;
        // Every file in it is read once, so that a damaged one is noticed by its checksum.
        let contents = PackageArchive::open(&saved.path).await.during(format_args!("package {kind:?}"))?;
        contents.check().await.during(format_args!("package {kind:?}"))?;
        let entries = contents.entries();
        progress.done(format_args!("{}, {} in {}", path.display(), bytes(saved.bytes), count(entries.len(), "file")));
        for entry in entries {
            self.show.line(format_args!("  {} ({})", entry.name(), bytes(entry.size())));
        }
        let entries = entries.iter().map(|entry| entry.name().to_owned()).collect();
        Ok(PackageSummary { kind, path, entries, bytes: saved.bytes })
    }

    /// The licence and its usage.
    async fn read_license(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        self.show.step("Read the licence and its usage", "client.license(), client.license_usage()");
        let client = &self.target.client;
        let (license, usage) = match (client.license().await, client.license_usage().await) {
            (Err(error), _) | (_, Err(error)) if error.is_unsupported_by_document() => {
                self.show.line(format_args!("left out: {error}"));
                return Ok(());
            }
            (license, usage) => (license.during("the licence")?, usage.during("the licence's usage")?),
        };
        let license = LicenseSummary::new(license, usage);
        self.show.line(format_args!(
            "{}: {} of {} licensed pages analysed, {} of them by text recognition",
            license.name.as_deref().unwrap_or("the licence"),
            number(license.analysed_pages),
            number(license.licensed_pages),
            number(license.ocr_pages),
        ));
        outcome.summary.license = license;
        Ok(())
    }

    /// Nothing stays at the service, unless it shall.
    async fn clean_up(&self) -> Result<(), Failure> {
        self.show.step("Clean up", "dossier.delete().permanently(true)");
        let deleted = self.created.delete_all().await?;
        match self.created.kept().await.as_slice() {
            [] => self.show.line(format_args!("{} deleted for good, with its files", count(deleted, "dossier"))),
            kept => self.show.line(format_args!("kept (--keep): {}", kept.join(", "))),
        }
        Ok(())
    }

    fn show_components(&self, components: &Components) {
        let mut table = Table::new(["Component", "Page", "Value"], self.show.width());
        let mut without = Vec::new();
        for component in components.iter() {
            if component.is_empty() {
                without.push(component.name());
            }
            for (index, value) in component.iter().enumerate() {
                let shown = if index == 0 { component.name() } else { "" };
                // Only an export with details contains the pages.
                let pages = value.pages().map(|page| page.to_string()).collect::<Vec<_>>().join(", ");
                table.row([shown.to_owned(), pages, value.raw().to_owned()]);
            }
        }
        self.show.line(table);
        if !without.is_empty() {
            self.show.line(format_args!("No value: {}", without.join(", ")));
        }
    }
}

/// A template that can be used for new dossiers.
fn first_active(templates: Vec<DossierTemplate>) -> Result<DossierTemplate, Failure> {
    templates.into_iter().find(|template| template.status == Some(DossierTemplateStatus::Active)).ok_or_else(|| {
        Failure::new(
            Code::Other,
            "the workspace has no active dossier template; activate one, or set DOCUMINE_DOSSIER_TEMPLATE_ID",
        )
    })
}

fn name_of(file: &FileStatus) -> String {
    file.file_name.clone().unwrap_or_else(|| file.id.to_string())
}

fn values(components: &Components) -> Values {
    Values(components.iter().map(|component| (component.name().to_owned(), component.values().to_vec())).collect())
}

fn number(number: Option<i64>) -> String {
    number.map_or_else(|| "an unknown number".into(), |number| number.to_string())
}
