//! The calls, one of each kind, and what has to be there before they can be made.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use documine::{
    Client, DossierHandle, DossierTemplateHandle, DossierTemplateId, DownloadFileType, Error, NewDossier, Package,
    PackageContent, Source, State,
};
use tempfile::TempDir;

use crate::Failure;

// A link, so that cargo packs it with the rest.
const SAMPLE: &[u8] = include_bytes!("../../invoice.pdf");
/// How often the preparation looks whether the simulator is done.
const TICK: Duration = Duration::from_millis(10);
/// How often at most.
const LOOKS: u32 = 3000;

/// A kind of call. Each differs from the others in what may go wrong with it, and in what may then be done.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum Probed {
    /// A small answer: the licence
    Read,
    /// A list: the dossiers
    List,
    /// A creation, which must not be made twice: a dossier
    Create,
    /// A body that is sent in pieces: a file from memory
    Upload,
    /// A deletion, which may be made twice: a dossier
    Delete,
    /// A body that is received in pieces: a package, into a file
    Download,
}

impl Probed {
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

    /// The operation's id, by which the simulator's journal knows its requests.
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

/// What the calls need.
pub(crate) struct Prepared {
    client: Client,
    template: DossierTemplateHandle,
    /// One to upload to, and one to delete.
    dossiers: [DossierHandle; 2],
    package: Option<Package>,
    content: Bytes,
    folder: TempDir,
}

impl Prepared {
    /// Prepares by `setup` what `client` needs for `calls`.
    pub(crate) async fn new(setup: &Client, client: &Client, calls: &[Probed], bytes: usize) -> Result<Self, Failure> {
        let id =
            std::env::var("DOCUMINE_DOSSIER_TEMPLATE_ID").map_err(|_| "DOCUMINE_DOSSIER_TEMPLATE_ID is not set")?;
        let id: DossierTemplateId = id.parse()?;
        let template = setup.dossier_template(id.clone());
        let seen_by_client = client.dossier_template(id);
        let mut dossiers = Vec::new();
        for name in ["upload", "delete"] {
            let dossier = template.create_dossier(NewDossier::named(name)).await?;
            dossiers.push(seen_by_client.dossier(dossier.id()));
        }
        let dossiers = dossiers.try_into().map_err(|_| "two dossiers were wanted")?;
        let content = content(bytes);
        let mut package = None;
        if calls.contains(&Probed::Download) {
            let dossier = template.create_dossier(NewDossier::named("package")).await?;
            package = Some(ready_package(&dossier, client, &content).await?);
        }
        Ok(Self {
            client: client.clone(),
            template: seen_by_client,
            dossiers,
            package,
            content,
            folder: TempDir::new()?,
        })
    }

    /// Makes the call, with a header if there is one to send.
    pub(crate) async fn call(&self, call: Probed, header: Option<&(String, String)>) -> Result<(), Error> {
        macro_rules! made {
            ($call:expr) => {
                match header {
                    Some((name, value)) => $call.with_header(name, value).await.map(drop),
                    None => $call.await.map(drop),
                }
            };
        }
        let [target, unwanted] = &self.dossiers;
        match call {
            Probed::Read => made!(self.client.license()),
            Probed::List => made!(self.template.dossiers()),
            Probed::Create => made!(self.template.create_dossier(NewDossier::named("created"))),
            Probed::Upload => made!(target.upload(Source::bytes("probe.pdf", self.content.clone()))),
            Probed::Delete => made!(unwanted.delete()),
            Probed::Download => match &self.package {
                Some(package) => made!(package.save_to(self.saved())),
                None => Ok(()),
            },
        }
    }

    /// Where the package is saved.
    fn saved(&self) -> PathBuf {
        self.folder.path().join("package.zip")
    }

    /// Whether the package that was saved has the size that its status tells.
    pub(crate) fn is_package_whole(&self) -> bool {
        let told = self.package.as_ref().and_then(|package| package.status().file_size);
        let saved = std::fs::metadata(self.saved()).ok().and_then(|saved| i64::try_from(saved.len()).ok());
        saved.is_some() && saved == told
    }
}

/// A PDF of about this size. What stands between its objects and its end does not matter to its readers; here it does not pack well either.
fn content(bytes: usize) -> Bytes {
    const END: &[u8] = b"startxref";
    let end = SAMPLE.windows(END.len()).rposition(|window| window == END).unwrap_or(SAMPLE.len());
    let (objects, end) = SAMPLE.split_at(end);
    let mut random = fastrand::Rng::with_seed(1);
    let filling: String = (SAMPLE.len()..bytes).map(|_| random.alphanumeric()).collect();
    [objects, b"% ", filling.as_bytes(), b"\n", end].concat().into()
}

/// A package with this file in it, for `client`. The waits of the SDK have longer pauses than are needed here.
async fn ready_package(dossier: &DossierHandle, client: &Client, content: &Bytes) -> Result<Package, Failure> {
    let file = dossier.upload(Source::bytes("packed.pdf", content.clone())).await?;
    let mut looks = 0..LOOKS;
    while file.status().await?.processing_status != Some(documine::ProcessingStatus::Processed) {
        looks.next().ok_or("the simulator does not finish the file")?;
        tokio::time::sleep(TICK).await;
    }
    let work = dossier.create_package(PackageContent::file_types([DownloadFileType::Original])).await?;
    let seen_by_client = client.download(work.id().parse::<documine::DownloadId>()?).operation();
    loop {
        if let State::Done(package) = seen_by_client.poll_once().await? {
            return Ok(package);
        }
        looks.next().ok_or("the simulator does not finish the package")?;
        tokio::time::sleep(TICK).await;
    }
}
