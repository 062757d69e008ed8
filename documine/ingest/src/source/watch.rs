//! Waiting for new files in a folder.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use documine::{BoxFuture, Clock, SystemClock};
use futures_util::stream::BoxStream;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::DocumentSource;
use super::content::Content;
use super::folder::{Folder, document};
use super::names::fingerprint;
use super::walk::blocking_list;
use crate::document::ListedDocument;
use crate::error::{Error, Result};

/// Time for which a file must not change.
const QUIET_TIME: Duration = Duration::from_secs(2);
/// Interval between two readings of a folder without a notice.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Waits for new files in a folder.
///
/// A file counts when its size and its time have not changed for the [quiet time](Self::quiet_time). Files with temporary names do not count. The
/// journal decides what is new, so a restarted program misses nothing and repeats nothing.
///
/// The operating system reports changes. The folder is also read at the [poll interval](Self::poll_interval), because not every file system reports
/// changes; where none can be reported, this is the only way. About 60 bytes are kept for each file in the folder, so move or delete processed files.
///
/// ```no_run
/// # async fn example() -> documine_ingest::Result<()> {
/// use documine_ingest::source::{Finish, Folder, Watch};
/// let mut watch = Watch::new(Folder::new("inbox").finish_by(Finish::move_to("done", "failed")));
/// loop {
///     watch.changed().await?;
///     let source = watch.source(); // lists the files that have stopped growing
///     // Run the ingest with this source and always the same journal.
/// }
/// # }
/// ```
pub struct Watch {
    folder: Folder,
    files: Arc<ObservedFiles>,
    poll_interval: Duration,
    clock: Arc<dyn Clock>,
    notices: Option<Notices>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let are_changes_reported = self.notices.as_ref().map(|notices| notices.watcher.is_some());
        let mut debug = f.debug_struct("Watch");
        debug.field("folder", &self.folder).field("are_changes_reported", &are_changes_reported);
        debug.finish_non_exhaustive()
    }
}

/// The notices of the operating system.
struct Notices {
    changed: Arc<Notify>,
    /// `None` if changes cannot be reported.
    watcher: Option<RecommendedWatcher>,
}

impl Watch {
    /// Creates a watch of a folder, which may be empty.
    pub fn new(folder: Folder) -> Self {
        Self {
            folder: folder.may_be_empty(true),
            files: Arc::new(ObservedFiles::default()),
            poll_interval: POLL_INTERVAL,
            clock: Arc::new(SystemClock::new()),
            notices: None,
        }
    }

    /// Sets the time for which size and time of a file must not change. Default: 2 s. Programs that pause while they write need more.
    #[must_use]
    pub fn quiet_time(self, time: Duration) -> Self {
        self.files.lock().quiet_time = time;
        self
    }

    /// Sets the interval at which the folder is read without a notice of the operating system. Default: 30 s.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the clock. Default: the clock of the system.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the source of a run: the files of the folder that had stopped growing when [`changed`](Self::changed) last returned.
    pub fn source(&self) -> impl DocumentSource + use<> {
        SettledFolder { folder: self.folder.clone(), files: Arc::clone(&self.files) }
    }

    /// Waits until there is a file that has stopped growing and that was not there, or was different, when this method last returned. The first call
    /// returns for any file. Fails if the folder cannot be read. Can be cancelled; the next call continues.
    pub async fn changed(&mut self) -> Result<()> {
        let notices = self.notices.take().unwrap_or_else(|| Notices::new(&self.folder));
        let changed = Arc::clone(&self.notices.insert(notices).changed);
        loop {
            // Notices about a folder that vanished do not come back with it.
            match self.observe().await.inspect_err(|_| self.notices = None)? {
                Observation::New => return Ok(()),
                // Notices about a growing file do not shorten this pause.
                Observation::Growing(pause) => self.clock.sleep(pause.min(self.poll_interval)).await,
                Observation::Unchanged => tokio::select! {
                    biased;
                    () = changed.notified() => {}
                    () = self.clock.sleep(self.poll_interval) => {}
                },
            }
        }
    }

    /// Reads the folder.
    async fn observe(&self) -> Result<Observation> {
        let (folder, files, now) = (self.folder.clone(), Arc::clone(&self.files), self.clock.monotonic());
        let work = tokio::task::spawn_blocking(move || {
            let mut round = files.lock().start();
            // Not the whole list: its check of the folders of processed documents would be noticed as a change.
            folder.walk(&mut |file| {
                // A link that leads nowhere has nothing to read.
                if file.metadata.is_some() {
                    files.lock().observe(&mut round, &document(&file)?, now);
                }
                Ok(true)
            })?;
            Ok(files.lock().end(&round))
        });
        work.await.map_err(|error| Error::input("watching a folder: the task panicked").with_source(error))?
    }
}

impl Notices {
    fn new(folder: &Folder) -> Self {
        let changed = Arc::new(Notify::new());
        let waker = Arc::clone(&changed);
        let created = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is no change. An error can be a lost notice.
            if event.map_or(true, |event| is_change(event.kind)) {
                waker.notify_one();
            }
        });
        let started = created.and_then(|mut watcher| {
            watcher.watch(folder.path(), RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        let watcher = started
            .inspect_err(|error| {
                tracing::warn!(path = %folder.path().display(), %error, "changes are not reported; the folder is read at intervals");
            })
            .ok();
        Self { changed, watcher }
    }
}

fn is_change(kind: EventKind) -> bool {
    !kind.is_access() || kind == EventKind::Access(AccessKind::Close(AccessMode::Write))
}

/// The result of reading the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Observation {
    /// A file has stopped growing since the last result of this kind.
    New,
    /// Files are growing; the first one can count after this time.
    Growing(Duration),
    /// Nothing is new.
    Unchanged,
}

/// The files of a folder as they were last seen.
#[derive(Default)]
struct ObservedFiles(Mutex<Files>);

impl ObservedFiles {
    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Files {
    quiet_time: Duration,
    observed: HashMap<u128, ObservedFile>,
    round: u32,
}

/// A file as it was last seen.
struct ObservedFile {
    version: u128,
    since: Duration,
    is_settled: bool,
    round: u32,
}

/// One reading of the folder.
struct Round {
    number: u32,
    has_new: bool,
    growing: Option<Duration>,
}

impl Default for Files {
    fn default() -> Self {
        Self { quiet_time: QUIET_TIME, observed: HashMap::new(), round: 0 }
    }
}

impl Files {
    fn start(&mut self) -> Round {
        self.round = self.round.wrapping_add(1);
        Round { number: self.round, has_new: false, growing: None }
    }

    fn observe(&mut self, round: &mut Round, document: &ListedDocument, now: Duration) {
        let version = fingerprint(document.version.as_bytes());
        let new = || ObservedFile { version, since: now, is_settled: false, round: round.number };
        let file = self.observed.entry(fingerprint(document.location.as_bytes())).or_insert_with(new);
        if file.version != version {
            *file = new();
        }
        file.round = round.number;
        if file.is_settled {
            return;
        }
        let remaining = self.quiet_time.saturating_sub(now.saturating_sub(file.since));
        if remaining.is_zero() {
            file.is_settled = true;
            round.has_new = true;
        } else {
            round.growing = Some(round.growing.map_or(remaining, |growing| growing.min(remaining)));
        }
    }

    /// Forgets the files that are gone.
    fn end(&mut self, round: &Round) -> Observation {
        self.observed.retain(|_, file| file.round == round.number);
        match round.growing {
            _ if round.has_new => Observation::New,
            Some(remaining) => Observation::Growing(remaining),
            None => Observation::Unchanged,
        }
    }

    fn is_settled(&self, document: &ListedDocument) -> bool {
        let file = self.observed.get(&fingerprint(document.location.as_bytes()));
        file.is_some_and(|file| file.is_settled && file.version == fingerprint(document.version.as_bytes()))
    }
}

/// The files of a folder that have stopped growing.
struct SettledFolder {
    folder: Folder,
    files: Arc<ObservedFiles>,
}

impl DocumentSource for SettledFolder {
    fn list(&self) -> BoxStream<'_, Result<ListedDocument>> {
        let (folder, files) = (self.folder.clone(), Arc::clone(&self.files));
        blocking_list(move |emit| {
            folder.documents(&mut |_, document| {
                let is_settled = files.lock().is_settled(&document);
                !is_settled || emit(document)
            })
        })
    }

    fn content(&self, location: &str) -> Option<Content> {
        self.folder.content(location)
    }

    fn finish<'a>(&'a self, location: &'a str, version: &'a str, succeeded: bool) -> BoxFuture<'a, Result<()>> {
        self.folder.finish(location, version, succeeded)
    }

    fn finishes(&self) -> bool {
        self.folder.finishes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Write;
    use std::path::Path;
    use std::time::SystemTime;

    use super::super::Finish;
    use super::super::folder::{listed, names_in};
    use super::*;

    /// A clock whose sleeps take no time; each runs the next action.
    #[derive(Clone)]
    struct ScriptedClock(Arc<Mutex<Script>>);

    struct Script {
        now: Duration,
        sleeps: Vec<Duration>,
        actions: Vec<Box<dyn FnOnce() + Send>>,
    }

    impl ScriptedClock {
        fn new(actions: Vec<Box<dyn FnOnce() + Send>>) -> Self {
            Self(Arc::new(Mutex::new(Script { now: Duration::ZERO, sleeps: Vec::new(), actions })))
        }

        fn sleeps(&self) -> Vec<u64> {
            self.0.lock().unwrap().sleeps.iter().map(Duration::as_secs).collect()
        }
    }

    impl fmt::Debug for ScriptedClock {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ScriptedClock")
        }
    }

    impl Clock for ScriptedClock {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + self.monotonic()
        }

        fn monotonic(&self) -> Duration {
            self.0.lock().unwrap().now
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async move {
                let action = {
                    let mut script = self.0.lock().unwrap();
                    script.now += duration;
                    script.sleeps.push(duration);
                    if script.actions.is_empty() { None } else { Some(script.actions.remove(0)) }
                };
                match action {
                    Some(action) => action(),
                    // Nothing more happens: the test cancels the wait.
                    None => tokio::task::yield_now().await,
                }
            })
        }

        fn random(&self) -> f64 {
            0.5
        }
    }

    fn action(action: impl FnOnce() + Send + 'static) -> Box<dyn FnOnce() + Send> {
        Box::new(action)
    }

    fn append(path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Notices would wake the watch at times that the test does not choose.
    fn without_notices(mut watch: Watch) -> Watch {
        watch.notices = Some(Notices { changed: Arc::new(Notify::new()), watcher: None });
        watch
    }

    async fn settled(watch: &Watch, folder: &Path) -> Vec<String> {
        names_in(folder, &listed(&watch.source()).await)
    }

    #[tokio::test]
    async fn a_file_counts_when_it_has_stopped_growing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pdf");
        append(&path, "1");
        let grow = |text: &'static str| {
            let path = path.clone();
            action(move || append(&path, text))
        };
        let clock = ScriptedClock::new(vec![grow("2"), grow("3")]);
        let mut watch = without_notices(Watch::new(Folder::new(folder.path())).clock(clock.clone()));
        assert!(settled(&watch, folder.path()).await.is_empty());
        watch.changed().await.unwrap();
        assert_eq!(clock.sleeps(), [2, 2, 2], "two of them saw the file grow");
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf"]);
        append(&path, "4");
        assert!(settled(&watch, folder.path()).await.is_empty(), "the file grows again");
        watch.changed().await.unwrap();
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf"]);
    }

    #[tokio::test]
    async fn files_are_announced_once_and_new_ones_at_the_poll_interval() {
        let folder = tempfile::tempdir().unwrap();
        append(&folder.path().join("a.pdf"), "a");
        append(&folder.path().join("b.pdf.part"), "b");
        let rename = {
            let folder = folder.path().to_owned();
            action(move || fs::rename(folder.join("b.pdf.part"), folder.join("b.pdf")).unwrap())
        };
        let clock = ScriptedClock::new(vec![action(|| ()), rename]);
        let watch = Watch::new(Folder::new(folder.path())).clock(clock.clone()).quiet_time(Duration::from_secs(5));
        let mut watch = without_notices(watch.poll_interval(Duration::from_secs(60)));
        watch.changed().await.unwrap();
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf"]);
        watch.changed().await.unwrap();
        assert_eq!(clock.sleeps(), [5, 60, 5]);
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf", "b.pdf"]);
    }

    #[tokio::test]
    async fn moved_files_are_forgotten_and_announced_when_they_return() {
        let folder = tempfile::tempdir().unwrap();
        append(&folder.path().join("a.pdf"), "a");
        let finish = Finish::move_to(folder.path().join("done"), folder.path().join("failed"));
        let again = {
            let path = folder.path().join("a.pdf");
            action(move || append(&path, "another"))
        };
        let clock = ScriptedClock::new(vec![action(|| ()), again]);
        let mut watch = without_notices(Watch::new(Folder::new(folder.path()).finish_by(finish)).clock(clock));
        watch.changed().await.unwrap();
        let source = watch.source();
        let document = listed(&source).await.remove(0);
        source.finish(&document.location, &document.version, true).await.unwrap();
        watch.changed().await.unwrap();
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf"]);
        assert!(folder.path().join("done/a.pdf").exists());
        assert_eq!(watch.files.lock().observed.len(), 1);
    }

    /// The notice arrives in real time; the poll interval is too long to help, and a lost notice would hang the test.
    #[tokio::test]
    async fn a_notice_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(Folder::new(folder.path())).quiet_time(Duration::ZERO);
        let mut watch = watch.poll_interval(Duration::from_secs(24 * 3600));
        watch.notices = Some(Notices::new(&watch.folder));
        if watch.notices.as_ref().is_none_or(|notices| notices.watcher.is_none()) {
            return;
        }
        let (changed, ()) = tokio::join!(watch.changed(), async {
            append(&folder.path().join("a.pdf"), "a");
        });
        changed.unwrap();
        assert_eq!(settled(&watch, folder.path()).await, ["a.pdf"]);
    }

    #[tokio::test]
    async fn a_folder_without_notices_is_read_at_intervals() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = folder.path().join("inbox");
        // The operating system cannot watch a folder that does not exist.
        let mut watch = Watch::new(Folder::new(&inbox));
        assert!(Notices::new(&watch.folder).watcher.is_none());
        let error = watch.changed().await.unwrap_err().to_string();
        assert_eq!(error, format!("{}: folder not found; check the path", inbox.display()));
        fs::create_dir(&inbox).unwrap();
        let clock = ScriptedClock::new(vec![action(move || append(&inbox.join("a.pdf"), "a"))]);
        let mut watch = watch.clock(clock.clone());
        watch.changed().await.unwrap();
        assert_eq!(clock.sleeps(), [30, 2]);
    }

    #[test]
    fn reading_is_no_change() {
        use notify::event::{CreateKind, ModifyKind};
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(is_change(EventKind::Create(CreateKind::File)) && is_change(EventKind::Modify(ModifyKind::Any)));
    }
}
