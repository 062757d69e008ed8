//! Uploads that get lost on the way, and uploads that are many.

use std::collections::HashMap;
use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;
use crate::clock::BoxFuture;
use crate::error::{Error, Result, TimeoutPhase};
use crate::models::{FileId, FileStatus};
use crate::resources::dossiers::DossierHandle;
use crate::resources::files::{Upload, Uploaded};
use crate::timeout::within;
use crate::transfer::Source;
use crate::transport::CallOptions;

/// How many uploads are under way at a time, unless a caller says otherwise.
const CONCURRENCY: usize = 4;
/// How often an upload whose answer is lost is made in all.
const TRIES: u32 = 3;
/// A service may still be at it when its answer is lost already: looked for so long after that, one look each.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What tells a new version of a file from the one that was there. As JSON: what type a time or a size has is the document's choice.
type Version = [Value; 2];

/// The files of a dossier before an upload, each in its version.
type Before = Arc<HashMap<FileId, Version>>;

fn version(file: &FileStatus) -> Version {
    [json(&file.added), json(&file.last_updated)]
}

fn json(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

async fn before(dossier: &DossierHandle) -> Result<Before> {
    let files = dossier.files().await?;
    Ok(Arc::new(files.into_iter().map(|file| (file.id.clone(), version(&file))).collect()))
}

/// Uploads, and where the answer gets lost looks for the file before it goes on. The call's deadline holds for all of it.
pub(crate) async fn careful(client: &Client, upload: Upload, options: CallOptions) -> Result<Uploaded> {
    let deadline = options.deadline.unwrap_or(Duration::MAX);
    let work = pin!(async {
        let before = before(&upload.dossier).await?;
        careful_since(client, upload, options, &before).await
    });
    within(work, deadline, TimeoutPhase::Operation).await.map_err(|error| error.with_operation("uploadFile"))?
}

async fn careful_since(client: &Client, upload: Upload, options: CallOptions, before: &Before) -> Result<Uploaded> {
    let archive = upload.source.name().to_ascii_lowercase().ends_with(".zip");
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match upload.clone().once(client, options.clone()).await {
            // What the service did not process is not on its list, and was repeated as often as the call allows.
            Err(error) if error.was_sent() && !error.was_refused() && error.is_transient() => error,
            outcome => return outcome,
        };
        if let Some(id) = look_for(client, &upload, before).await? {
            return Ok(Uploaded::found(upload.dossier, id));
        }
        // A longer pause than was made meanwhile is the caller's to make.
        let asks_for_more = error.retry_after().is_some_and(|asked| asked > LOOKS.iter().sum::<Duration>());
        if archive || tries >= TRIES || asks_for_more || !upload.source.opens_again() {
            return Err(error.with_note("the dossier's list does not show the file"));
        }
    }
}

/// Returns whether a service's name for a file is the name under which the file was uploaded. Systems and services write accented letters
/// composed or decomposed (Unicode NFC, NFD), and drop blanks around a name.
fn is_same_name(listed: &str, uploaded: &str) -> bool {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    nfc.normalize(listed.trim()) == nfc.normalize(uploaded.trim())
}

/// The file of an upload whose answer was lost, if it has arrived.
async fn look_for(client: &Client, upload: &Upload, before: &Before) -> Result<Option<FileId>> {
    let length = upload.source.length().await.map(|length| json(&length));
    let is_it = |file: &FileStatus| {
        let same_name = file.file_name.as_deref().is_some_and(|name| is_same_name(name, upload.source.name()));
        let size = json(&file.file_size);
        let same_length = !size.is_number() || length.as_ref().is_none_or(|length| *length == size);
        same_name && same_length && before.get(&file.id) != Some(&version(file))
    };
    for pause in LOOKS {
        client.clock().sleep(pause).await;
        let files = upload.dossier.files().await?;
        let mut found: Vec<_> = files.into_iter().filter(is_it).collect();
        // Where both forms are listed, the name as it was uploaded is meant.
        found.sort_by_key(|file| file.file_name.as_deref() != Some(upload.source.name()));
        if let Some(file) = found.into_iter().next() {
            return Ok(Some(file.id));
        }
    }
    Ok(None)
}

impl DossierHandle {
    /// Uploads many files, a few at a time; one that fails stops no other. Each has one outcome, as it comes or in order.
    ///
    /// The uploads are paced (see [`Pacing`](crate::Pacing)), and one whose answer gets lost is looked for in the dossier's list before it is repeated.
    /// Where a login is needed nothing more is tried: what is left ends with that error.
    ///
    /// ```
    /// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
    /// use documine::Source;
    /// let outcomes = dossier.upload_all(["a.pdf", "b.pdf"].map(Source::path)).await?;
    /// for outcome in &outcomes {
    ///     match &outcome.result {
    ///         Ok(uploaded) => println!("{}: {}", outcome.file_name, uploaded.id),
    ///         Err(error) => println!("{}: {error}", outcome.file_name),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn upload_all<I>(&self, sources: I) -> UploadAll
    where
        I: IntoIterator<Item = Source>,
        I::IntoIter: Send + 'static,
    {
        self.upload_stream(stream::iter(sources))
    }

    /// The same for files that are found on the way: the next one is asked for when there is room for it.
    pub fn upload_stream(&self, sources: impl Stream<Item = Source> + Send + 'static) -> UploadAll {
        UploadAll {
            dossier: self.clone(),
            sources: sources.boxed(),
            concurrency: CONCURRENCY,
            in_order: false,
            keep_manual_changes: None,
        }
    }
}

/// What became of one of many files.
#[derive(Debug)]
#[non_exhaustive]
pub struct UploadOutcome {
    /// Which one it is, counted from 0 as they were given.
    pub index: usize,
    /// Its name.
    pub file_name: String,
    /// The file at the service, or why it is not there.
    pub result: Result<Uploaded>,
}

/// Uploads of many files that have not begun: await them for all outcomes in order, or take them [one by one](Self::stream).
#[must_use = "nothing is uploaded until this is awaited"]
pub struct UploadAll {
    dossier: DossierHandle,
    sources: BoxStream<'static, Source>,
    concurrency: usize,
    in_order: bool,
    keep_manual_changes: Option<bool>,
}

impl UploadAll {
    /// How many uploads are under way at a time. Default: 4.
    pub fn with_concurrency(mut self, uploads: usize) -> Self {
        self.concurrency = uploads.max(1);
        self
    }

    /// The outcomes come in the order of the files, not as they are there. Awaited as a whole they are in order anyway.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// As for a [single upload](crate::Call::keep_manual_changes).
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.keep_manual_changes = Some(yes);
        self
    }

    /// The outcomes, one for each file. Dropping the stream gives up what is under way.
    ///
    /// # Errors
    /// The dossier can't be read, before anything is uploaded: the stream has that one error then.
    pub fn stream(self) -> impl Stream<Item = Result<UploadOutcome>> + Send + 'static {
        stream::once(async move {
            match before(&self.dossier).await {
                Ok(before) => self.run(before).map(Ok).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        })
        .flatten()
    }

    fn run(self, before: Before) -> BoxStream<'static, UploadOutcome> {
        let Self { dossier, sources, concurrency, in_order, keep_manual_changes } = self;
        // The one error that would meet all others too.
        let login: Arc<Mutex<Option<Error>>> = Arc::default();
        let uploads = sources.enumerate().map(move |(index, source)| {
            let file_name = source.name().to_owned();
            let upload =
                Upload { dossier: dossier.clone(), source, keep_manual_changes, progress: None, look_for_lost: true };
            let (before, login) = (Arc::clone(&before), Arc::clone(&login));
            async move {
                let refused = login.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(error) = refused {
                    return UploadOutcome { index, file_name, result: Err(error.with_note("not tried")) };
                }
                let client = upload.dossier.client.clone();
                let options = CallOptions { rate_limited: Some(true), ..CallOptions::default() };
                let result = careful_since(&client, upload, options, &before).await;
                if let Err(error) = &result
                    && error.needs_login()
                {
                    *login.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                }
                UploadOutcome { index, file_name, result }
            }
        });
        if in_order { uploads.buffered(concurrency).boxed() } else { uploads.buffer_unordered(concurrency).boxed() }
    }
}

impl IntoFuture for UploadAll {
    type Output = Result<Vec<UploadOutcome>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let outcomes: Vec<_> = self.in_order().stream().collect().await;
            outcomes.into_iter().collect()
        })
    }
}

impl fmt::Debug for UploadAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}
