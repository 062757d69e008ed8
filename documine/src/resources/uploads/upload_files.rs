//! Uploads of many files: concurrency, files of equal names, files that exist already, one deadline, and the progress of all.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::oneshot;

use super::{DossierFiles, RecoverableUpload, Upload, Uploaded, normalized_name};
use crate::client::{RequestOptions, request_options};
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result, Sent, TimeoutPhase};
use crate::models::FileId;
use crate::resources::dossiers::DossierHandle;
use crate::resources::lost_response::send_recoverable;
use crate::timeout::{Deadline, timeout_error};
use crate::transfer::progress::{TakenFile, TotalProgress};
use crate::transfer::{Progress, Source};
use crate::transport::CallOptions;

/// Default number of concurrent uploads.
const DEFAULT_CONCURRENCY: usize = 4;
/// Most ids in the text of an error.
const MAX_SHOWN: usize = 20;

/// The outcome of one of many uploads.
#[derive(Debug)]
#[non_exhaustive]
pub struct UploadOutcome {
    /// Index of the source, starting at 0.
    pub index: usize,
    /// Name of the file.
    pub file_name: String,
    /// `true` if the file was not uploaded, because the dossier contained it already: see [`UploadFiles::skip_existing`].
    pub skipped: bool,
    /// The uploaded or skipped file, or the error.
    pub result: Result<Uploaded>,
}

/// Creates the progress callback of a file from its name.
type FileProgress = Arc<dyn Fn(&str) -> Arc<dyn Progress> + Send + Sync>;

/// Uploads many files (`uploadFile`). Created by [`DossierHandle::upload_all`] and [`DossierHandle::upload_stream`].
///
/// Await it for all outcomes in the order of the sources, or take the outcomes [one by one](Self::stream).
///
/// ```
/// # async fn f(dossier: documine::DossierHandle) -> documine::Result<()> {
/// use std::time::Duration;
/// use futures_util::TryStreamExt;
///
/// let uploads = dossier.upload_all(["a.pdf", "b.pdf"]).skip_existing(true).with_deadline(Duration::from_secs(600));
/// let mut outcomes = uploads.stream();
/// while let Some(outcome) = outcomes.try_next().await? {
///     match &outcome.result {
///         Ok(_) if outcome.skipped => println!("{}: exists", outcome.file_name),
///         Ok(uploaded) => println!("{}: {}", outcome.file_name, uploaded.id),
///         Err(error) => println!("{}: {error}", outcome.file_name),
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # Options
/// The request options apply to each request, [`with_deadline`](Self::with_deadline) to all uploads together: what is not uploaded by then ends with
/// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and the error of a file that was not attempted says so. The rate limit is on by default. Lost
/// responses are always [recovered](super::UploadFile::recover_lost_response).
///
/// # Errors
/// The error of the list request that precedes the uploads; then nothing was uploaded. Other errors are in the [outcomes](UploadOutcome::result).
#[must_use = "nothing is uploaded until this is awaited"]
pub struct UploadFiles {
    dossier: DossierHandle,
    sources: BoxStream<'static, Source>,
    options: RequestOptions,
    concurrency: usize,
    in_order: bool,
    allow_replacing: bool,
    skip_existing: bool,
    keep_manual_changes: Option<bool>,
    progress: Option<Arc<TotalProgress>>,
    file_progress: Option<FileProgress>,
}

request_options!(UploadFiles, options);

impl UploadFiles {
    pub(super) fn new(dossier: &DossierHandle, sources: BoxStream<'static, Source>) -> Self {
        Self {
            dossier: dossier.clone(),
            sources,
            options: dossier.client.default_options(),
            concurrency: DEFAULT_CONCURRENCY,
            in_order: false,
            allow_replacing: false,
            skip_existing: false,
            keep_manual_changes: None,
            progress: None,
            file_progress: None,
        }
    }

    /// Sets whether a source may replace the file of an earlier source with the same name. Default: `false`, and the later source ends with
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) without being uploaded.
    ///
    /// With `true`, sources of the same name are uploaded one after the other, so that the last one remains. Names are equal if they differ only in
    /// their Unicode form or in spaces around them. The names of all sources are kept until the end: about 200 bytes of memory per source.
    ///
    /// The service may treat further names as equal, and an archive may contain a file of the same name. Both are detected by the id of an
    /// uploaded file that another source has already yielded: an error of [`ErrorKind::Operation`](crate::ErrorKind::Operation).
    pub fn allow_replacing(mut self, yes: bool) -> Self {
        self.allow_replacing = yes;
        self
    }

    /// Sets whether a file is skipped if the dossier contained a file of the same name and size before. Default: `false`, and the existing file is
    /// replaced.
    ///
    /// The outcome of a skipped file is marked as [`skipped`](UploadOutcome::skipped), and its analysis can be awaited like that of an uploaded file.
    /// The content is not compared, because the service publishes no checksum. Files in the trash are ignored, and files whose analysis failed (state
    /// ERROR) are uploaded again. A stream of unknown length is always uploaded, and an archive as well, because the dossier contains its files
    /// instead.
    pub fn skip_existing(mut self, yes: bool) -> Self {
        self.skip_existing = yes;
        self
    }

    /// Sets whether manual changes are kept, as for a [single upload](super::UploadFile::keep_manual_changes).
    pub fn keep_manual_changes(mut self, yes: bool) -> Self {
        self.keep_manual_changes = Some(yes);
        self
    }

    /// Sets whether the stream yields the outcomes in the order of the sources instead of the order of completion. Default: `false`. Awaiting all
    /// outcomes always preserves the order.
    pub fn in_order(mut self, yes: bool) -> Self {
        self.in_order = yes;
        self
    }

    /// Sets the number of concurrent uploads. Default: 4. 0 means 1.
    pub fn with_concurrency(mut self, uploads: usize) -> Self {
        self.concurrency = uploads.max(1);
        self
    }

    /// Sets a callback for the number of uploaded bytes of all files together. Skipped files do not count.
    ///
    /// The total is known once all sources were taken and each of them is being uploaded, skipped or failed, if the length of every source is known.
    /// Before that, it is `None`; a program that knows the total can set the length of its progress bar itself. Nothing is reported before the first
    /// upload, so never if all files are skipped. A repeated upload of a file starts at 0 again, so the number can decrease.
    pub fn with_progress(mut self, progress: impl Progress) -> Self {
        self.progress = Some(Arc::new(TotalProgress::new(progress)));
        self
    }

    /// Sets a function that creates the progress callback of a file from its name when its upload starts, for example one progress bar per file.
    ///
    /// ```
    /// # fn f(dossier: documine::DossierHandle) {
    /// let uploads = dossier.upload_all(["a.pdf", "b.pdf"]).with_file_progress(|name| {
    ///     let name = name.to_owned();
    ///     move |moved: u64, total: Option<u64>| eprintln!("{name}: {moved} of {total:?}")
    /// });
    /// # }
    /// ```
    pub fn with_file_progress<P: Progress>(mut self, progress: impl Fn(&str) -> P + Send + Sync + 'static) -> Self {
        self.file_progress = Some(Arc::new(move |name| Arc::new(progress(name))));
        self
    }

    /// Starts the uploads and yields one outcome per file. Dropping the stream cancels the uploads in progress.
    ///
    /// # Errors
    /// If the dossier cannot be listed, nothing is uploaded and the stream yields that one error.
    pub fn stream(self) -> BoxStream<'static, Result<UploadOutcome>> {
        stream::once(self.start())
            .flat_map(|started| match started {
                Ok(outcomes) => outcomes.map(Ok).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }

    /// Uploads all files. Like `.await`, for code that spawns, joins or stores the future.
    pub fn send(self) -> BoxFuture<'static, Result<Vec<UploadOutcome>>> {
        Box::pin(async move { Ok(self.in_order(true).start().await?.collect().await) })
    }

    /// Lists the dossier and returns the stream of outcomes.
    async fn start(self) -> Result<BoxStream<'static, UploadOutcome>> {
        let options = self.options.into_call()?;
        let options = CallOptions { rate_limited: options.rate_limited.or(Some(true)), ..options };
        let deadline = Deadline::new(options.deadline);
        let known = Arc::new(DossierFiles::list(&self.dossier, &options).await?);
        let batch = Arc::new(Batch {
            options,
            deadline,
            known,
            dossier: self.dossier,
            allow_replacing: self.allow_replacing,
            skip_existing: self.skip_existing,
            keep_manual_changes: self.keep_manual_changes,
            progress: self.progress,
            file_progress: self.file_progress,
            login_error: Mutex::default(),
            uploaded_ids: Mutex::default(),
        });
        let mut names = SourceNames { allow_replacing: self.allow_replacing, seen: HashMap::new() };
        let last = batch.progress.clone();
        let all_taken = stream::poll_fn(move |_| {
            if let Some(progress) = &last {
                progress.all_taken();
            }
            Poll::Ready(None)
        });
        let uploads = self.sources.chain(all_taken).enumerate().map(move |(index, source)| {
            let (batch, turn) = (Arc::clone(&batch), names.add(index, source.name()));
            // Counted now, not when the upload starts: the stream may end before.
            let share = batch.progress.as_ref().map(TotalProgress::take_file);
            async move { batch.outcome(index, source, turn, share).await }
        });
        let concurrency = self.concurrency;
        Ok(if self.in_order {
            uploads.buffered(concurrency).boxed()
        } else {
            uploads.buffer_unordered(concurrency).boxed()
        })
    }
}

impl IntoFuture for UploadFiles {
    type Output = Result<Vec<UploadOutcome>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.send()
    }
}

impl fmt::Debug for UploadFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadFiles")
            .field("concurrency", &self.concurrency)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The names of the sources so far.
struct SourceNames {
    allow_replacing: bool,
    seen: HashMap<String, SeenName>,
}

/// The last source of a name.
struct SeenName {
    index: usize,
    /// Resolves at the end of its upload. Only if it may be replaced.
    done: Option<oneshot::Receiver<()>>,
}

/// The turn of a source among those of its name.
#[derive(Default)]
struct NameTurn {
    /// Resolves at the end of the upload of the previous source.
    previous: Option<oneshot::Receiver<()>>,
    /// Dropped at the end of the upload of this source.
    done: Option<oneshot::Sender<()>>,
}

impl SourceNames {
    /// Adds the name of a source.
    ///
    /// # Errors
    /// An earlier source has the same name and must not be replaced.
    fn add(&mut self, index: usize, name: &str) -> Result<NameTurn> {
        if name.is_empty() {
            // The upload fails with an error of its own.
            return Ok(NameTurn::default());
        }
        let (sender, receiver) = self.allow_replacing.then(oneshot::channel).unzip();
        let this = SeenName { index, done: receiver };
        match self.seen.entry(normalized_name(name)) {
            Entry::Vacant(entry) => {
                entry.insert(this);
                Ok(NameTurn { previous: None, done: sender })
            }
            Entry::Occupied(mut entry) if self.allow_replacing => {
                Ok(NameTurn { previous: entry.insert(this).done, done: sender })
            }
            Entry::Occupied(entry) => Err(Error::input(format!(
                "file name {name:?} at index {index}: the source at index {} has the same name, so the service would replace its file; set another \
                 name with `file_name(…)`, or use `allow_replacing(true)`",
                entry.get().index
            ))
            .with_operation("uploadFile")),
        }
    }
}

/// The parameters and the state that all uploads share.
struct Batch {
    dossier: DossierHandle,
    /// The files of the dossier before the first upload.
    known: Arc<DossierFiles>,
    options: CallOptions,
    deadline: Deadline,
    allow_replacing: bool,
    skip_existing: bool,
    keep_manual_changes: Option<bool>,
    progress: Option<Arc<TotalProgress>>,
    file_progress: Option<FileProgress>,
    /// Without a login, all further uploads would fail with the same error.
    login_error: Mutex<Option<Error>>,
    /// The source of each file.
    uploaded_ids: Mutex<HashMap<FileId, usize>>,
}

impl Batch {
    async fn outcome(
        &self,
        index: usize,
        source: Source,
        turn: Result<NameTurn>,
        share: Option<TakenFile>,
    ) -> UploadOutcome {
        let file_name = source.name().to_owned();
        let (skipped, result) = match self.upload_or_skip(source, turn, share).await {
            Ok((skipped, uploaded)) => (skipped, self.check_replaced(index, uploaded)),
            Err(error) => (false, Err(error)),
        };
        UploadOutcome { index, file_name, skipped: skipped && result.is_ok(), result }
    }

    /// Returns whether the file was skipped, and the file.
    async fn upload_or_skip(
        &self,
        source: Source,
        turn: Result<NameTurn>,
        share: Option<TakenFile>,
    ) -> Result<(bool, Uploaded)> {
        let NameTurn { previous, done: _done } = turn?;
        let is_repeated = previous.is_some();
        if let Some(previous) = previous {
            // Ends with an error when the sender is dropped.
            drop(previous.await);
        } else if self.skip_existing
            && let Some(id) = self.known.find_equal(&source).await
        {
            return Ok((true, Uploaded::found(&self.dossier, id.clone())));
        }
        if let Some(error) = lock(&self.login_error).clone() {
            return Err(error.with_note("not attempted"));
        }
        let uploaded = self.upload(source, is_repeated, share).await;
        if let Err(error) = &uploaded
            && error.needs_login()
        {
            *lock(&self.login_error) = Some(error.clone());
        }
        Ok((false, uploaded?))
    }

    /// Returns the options of a request that ends at the deadline.
    ///
    /// # Errors
    /// The deadline has passed.
    fn options_until_deadline(&self) -> Result<CallOptions> {
        let left = self.deadline.left();
        if left == Some(Duration::ZERO) {
            let error = timeout_error(self.deadline.limit(), TimeoutPhase::Operation).with_sent(Sent::No);
            return Err(error.with_operation("uploadFile").with_note("not attempted"));
        }
        Ok(CallOptions { deadline: left, ..self.options.clone() })
    }

    async fn upload(&self, source: Source, is_repeated: bool, share: Option<TakenFile>) -> Result<Uploaded> {
        let options = self.options_until_deadline()?;
        // The file of an earlier source must not be mistaken for that of this source.
        let known = if is_repeated {
            Arc::new(DossierFiles::list(&self.dossier, &options).await?)
        } else {
            Arc::clone(&self.known)
        };
        let file_progress = self.file_progress.as_ref().map(|create| create(source.name()));
        let progress = match share {
            Some(share) => {
                let length = source.length().await;
                Some(share.start(length, source.has_unknown_length(), file_progress))
            }
            None => file_progress,
        };
        let upload = Upload {
            dossier: self.dossier.clone(),
            source,
            keep_manual_changes: self.keep_manual_changes,
            progress,
            recover_lost_response: true,
        };
        let client = upload.dossier.client.clone();
        let upload = RecoverableUpload { upload, known };
        // The list and the length of the source have taken time.
        let options = self.options_until_deadline()?;
        let sent = pin!(send_recoverable(&upload, &client, options)).await;
        sent.map_err(|error| match error.timeout_phase() {
            Some(TimeoutPhase::Operation) => {
                error.with_note(format!("the deadline of {:?} applies to all uploads together", self.deadline.limit()))
            }
            _ => error,
        })
    }

    /// Detects that a file replaced that of another source, although their names differ.
    fn check_replaced(&self, index: usize, uploaded: Uploaded) -> Result<Uploaded> {
        if self.allow_replacing {
            return Ok(uploaded);
        }
        let mut sources = lock(&self.uploaded_ids);
        let mut other_source = |id: &FileId| sources.insert(id.clone(), index).filter(|other| *other != index);
        let others: Vec<_> = uploaded.ids().iter().filter_map(|id| other_source(id).map(|other| (id, other))).collect();
        drop(sources);
        let Some((_, other)) = others.first() else { return Ok(uploaded) };
        let ids = shown_ids(others.iter().map(|(id, _)| *id));
        let text = if others.len() == 1 {
            format!(
                "file {ids}: the source at index {index} has replaced the file of the source at index {other}, or was replaced by it; upload one of \
                 them under another name"
            )
        } else {
            let indexes: BTreeSet<_> = others.iter().map(|(_, other)| other).collect();
            let indexes: Vec<_> = indexes.iter().take(MAX_SHOWN).map(ToString::to_string).collect();
            format!(
                "files {ids}: the source at index {index} has replaced the files of other sources (index {}), or was replaced by them; upload them \
                 under other names",
                indexes.join(", ")
            )
        };
        let error = Error::new(ErrorKind::Operation, text).with_operation("uploadFile");
        // The outcome contains the error in place of the ids.
        let is_archive = uploaded.ids().len() > others.len();
        Err(if is_archive {
            error.with_note(format!("the upload yielded {}", shown_ids(uploaded.ids())))
        } else {
            error
        })
    }
}

/// Returns the first ids as text.
fn shown_ids<'a>(ids: impl IntoIterator<Item = &'a FileId>) -> String {
    let mut ids = ids.into_iter().map(FileId::as_str);
    let mut shown: Vec<_> = ids.by_ref().take(MAX_SHOWN).collect();
    if ids.next().is_some() {
        shown.push("…");
    }
    shown.join(", ")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
