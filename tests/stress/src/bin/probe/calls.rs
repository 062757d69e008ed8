//! The calls, one of each kind, and the objects that they need.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use documine::{
    Client, DossierFields, DossierHandle, DossierTemplateHandle, DossierTemplateId, DownloadFileType, Error, Package,
    PackageRequest, Source, wait::PollState,
};
use tempfile::TempDir;

use crate::Failure;

// A copy of the sample invoice, so that cargo packages the file with the crate.
const SAMPLE: &[u8] = include_bytes!("../../invoice.pdf");
/// Polling interval of the preparation.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Highest number of polls.
const MAX_POLLS: u32 = 3000;

/// A kind of call. The kinds differ in their possible failures and in what the caller may do afterwards.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum ProbeCall {
    /// A small response: the licence
    Read,
    /// A list: the dossiers
    List,
    /// A creation, which must not be repeated: a dossier
    Create,
    /// A streamed request body: a file from memory
    Upload,
    /// A deletion, which may be repeated: a dossier
    Delete,
    /// A streamed response body: a package, into a file
    Download,
}

impl ProbeCall {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Create => "create",
            Self::Upload => "upload",
            Self::Delete => "delete",
            Self::Download => "download",
        }
    }

    /// Returns the operationId, which identifies the requests in the journal of the simulator.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Read => "getLicense",
            Self::List => "getDossiers",
            Self::Create => "createOrUpdateDossier",
            Self::Upload => "uploadFile",
            Self::Delete => "deleteDossier",
            Self::Download => "downloadPackage",
        }
    }
}

/// Objects that the calls need.
pub(crate) struct Prepared {
    client: Client,
    template: DossierTemplateHandle,
    /// Target of the upload, and the dossier to delete.
    dossiers: [DossierHandle; 2],
    package: Option<Package>,
    content: Bytes,
    folder: TempDir,
}

impl Prepared {
    /// Creates with `setup` the objects that `client` needs for `calls`.
    pub(crate) async fn new(
        setup: &Client,
        client: &Client,
        calls: &[ProbeCall],
        bytes: usize,
    ) -> Result<Self, Failure> {
        let id =
            std::env::var("DOCUMINE_DOSSIER_TEMPLATE_ID").map_err(|_| "DOCUMINE_DOSSIER_TEMPLATE_ID is not set")?;
        let id: DossierTemplateId = id.parse()?;
        let template = setup.dossier_template(id.clone());
        let of_client = client.dossier_template(id);
        let mut dossiers = Vec::new();
        for name in ["upload", "delete"] {
            let dossier = template.create_dossier(DossierFields::named(name)).await?;
            dossiers.push(of_client.dossier(dossier.id()));
        }
        let dossiers = dossiers.try_into().map_err(|_| "expected two dossiers")?;
        let content = content(bytes);
        let mut package = None;
        if calls.contains(&ProbeCall::Download) {
            let dossier = template.create_dossier(DossierFields::named("package")).await?;
            package = Some(ready_package(&dossier, client, &content).await?);
        }
        Ok(Self { client: client.clone(), template: of_client, dossiers, package, content, folder: TempDir::new()? })
    }

    /// Makes the call with an optional header.
    pub(crate) async fn call(&self, call: ProbeCall, header: Option<&(String, String)>) -> Result<(), Error> {
        macro_rules! send {
            ($call:expr) => {
                match header {
                    Some((name, value)) => $call.with_header(name, value).await.map(drop),
                    None => $call.await.map(drop),
                }
            };
        }
        let [target, unwanted] = &self.dossiers;
        match call {
            ProbeCall::Read => send!(self.client.license()),
            ProbeCall::List => send!(self.template.dossiers()),
            ProbeCall::Create => send!(self.template.create_dossier(DossierFields::named("created"))),
            ProbeCall::Upload => send!(target.upload(Source::bytes("probe.pdf", self.content.clone()))),
            ProbeCall::Delete => send!(unwanted.delete()),
            ProbeCall::Download => match &self.package {
                Some(package) => send!(package.save_to(self.target_file())),
                None => Ok(()),
            },
        }
    }

    /// Returns the target file of the package.
    fn target_file(&self) -> PathBuf {
        self.folder.path().join("package.zip")
    }

    /// Returns whether the saved package has the size in its status.
    pub(crate) fn is_package_whole(&self) -> bool {
        let expected = self.package.as_ref().and_then(|package| package.status().file_size);
        let saved = std::fs::metadata(self.target_file()).ok().and_then(|saved| i64::try_from(saved.len()).ok());
        saved.is_some() && saved == expected
    }
}

/// Returns a PDF of about this size, padded with an incompressible comment before the trailer, which readers ignore.
fn content(bytes: usize) -> Bytes {
    const END: &[u8] = b"startxref";
    let end = SAMPLE.windows(END.len()).rposition(|window| window == END).unwrap_or(SAMPLE.len());
    let (objects, end) = SAMPLE.split_at(end);
    let mut random = fastrand::Rng::with_seed(1);
    let filling: String = (SAMPLE.len()..bytes).map(|_| random.alphanumeric()).collect();
    [objects, b"% ", filling.as_bytes(), b"\n", end].concat().into()
}

/// Creates a package with this file, for `client`. Polls faster than the waits of the SDK.
async fn ready_package(dossier: &DossierHandle, client: &Client, content: &Bytes) -> Result<Package, Failure> {
    let file = dossier.upload(Source::bytes("packed.pdf", content.clone())).await?;
    let mut polls = 0..MAX_POLLS;
    while file.status().await?.processing_status != Some(documine::models::ProcessingStatus::Processed) {
        polls.next().ok_or("the simulator did not process the file in time")?;
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let work = dossier.create_package(PackageRequest::file_types([DownloadFileType::Original])).await?;
    let of_client = client.download(work.id().clone()).job();
    loop {
        match of_client.poll_once().await {
            Ok(PollState::Done(package)) => return Ok(package),
            Err(error) if !error.is_transient() => return Err(error.into()),
            _ => {}
        }
        polls.next().ok_or("the simulator did not create the package in time")?;
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
