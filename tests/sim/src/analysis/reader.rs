//! Reads documents beside the server, so that nothing a file does can stop it: a thread of its own with a big stack, panics caught, time and size bounded.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pdf::{self, DocumentText, PageText, Unreadable};

/// Documents that are bigger are not taken into memory: their pages are counted and their text is left out.
const BIGGEST: u64 = 160 * 1024 * 1024;
/// How long the text of one document may take.
const TIME_FOR_TEXT: Duration = Duration::from_secs(20);
/// The time after which a document that does not even give control back is given up. Also the longest wait for a free thread.
const TIME_IN_ALL: Duration = Duration::from_secs(60);
/// Threads that were given up and still run, at most. A thread can't be ended from outside; each holds a document and a stack.
const MOST_ABANDONED: usize = 4;
/// Deeply nested objects are read by recursion.
const STACK: usize = 64 * 1024 * 1024;

type Read = fn(&Path) -> Result<DocumentText, Unreadable>;

/// Reads a few documents at a time.
///
/// A thread that takes too long is abandoned: its document is refused, and the thread counts against [`MOST_ABANDONED`] until it ends. Beyond that
/// number it keeps its place among the active threads. So the number of threads is bounded; with all of them stuck, documents are refused as
/// [`Unreadable::Busy`].
pub(crate) struct Readers {
    active: Arc<Semaphore>,
    abandoned: Arc<Semaphore>,
    time_in_all: Duration,
    read: Read,
}

impl Readers {
    pub(crate) fn new() -> Self {
        let count = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self::with(count, TIME_IN_ALL, read_file)
    }

    fn with(count: usize, time_in_all: Duration, read: Read) -> Self {
        let (active, abandoned) = (Arc::new(Semaphore::new(count)), Arc::new(Semaphore::new(MOST_ABANDONED)));
        Self { active, abandoned, time_in_all, read }
    }

    /// Reads the document in the file at `path`.
    pub(crate) async fn read(&self, path: PathBuf) -> Result<Arc<DocumentText>, Unreadable> {
        let place = tokio::time::timeout(self.time_in_all, Arc::clone(&self.active).acquire_owned()).await;
        let place = place.map_err(|_| Unreadable::Busy)?.map_err(|_| Unreadable::Busy)?;
        let (read, time, abandoned) = (self.read, self.time_in_all, Arc::clone(&self.abandoned));
        // A blocking task holds a paused tokio clock still while the thread works.
        tokio::task::spawn_blocking(move || read_on_thread(read, path, time, place, &abandoned))
            .await
            .unwrap_or_else(|_| Err(nonsense()))
            .map(Arc::new)
    }
}

fn read_on_thread(
    read: Read,
    path: PathBuf,
    time: Duration,
    place: OwnedSemaphorePermit,
    abandoned: &Arc<Semaphore>,
) -> Result<DocumentText, Unreadable> {
    // The thread holds the place until it ends, however long that takes.
    let place = Arc::new(Mutex::new(place));
    let held = Arc::clone(&place);
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("documine-sim-pdf".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let result = read(&path);
            drop(held);
            // Nobody waits any more for a document that was given up.
            drop(sender.send(result));
        })
        .map_err(|error| Unreadable::Broken(error.to_string()))?;
    receiver.recv_timeout(time).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => {
            if let Ok(other) = Arc::clone(abandoned).try_acquire_owned() {
                *place.lock().unwrap_or_else(PoisonError::into_inner) = other;
            }
            Err(Unreadable::Broken("reading it takes too long".to_owned()))
        }
        RecvTimeoutError::Disconnected => Err(nonsense()),
    })
}

fn nonsense() -> Unreadable {
    Unreadable::Broken("its structure makes no sense".to_owned())
}

fn read_file(path: &Path) -> Result<DocumentText, Unreadable> {
    let unread = |error: std::io::Error| Unreadable::Broken(error.to_string());
    let size = std::fs::metadata(path).map_err(unread)?.len();
    if size > BIGGEST {
        return skim(path);
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    pdf::read(&bytes, Instant::now() + TIME_FOR_TEXT)
}

/// Counts the pages of a huge document by the marks of its page objects, in flat memory.
fn skim(path: &Path) -> Result<DocumentText, Unreadable> {
    use std::io::Read;

    const MARK: &[u8] = b"/Type/Page";
    let unread = |error: std::io::Error| Unreadable::Broken(error.to_string());
    let mut file = std::fs::File::open(path).map_err(unread)?;
    let mut buffer = vec![0_u8; 1024 * 1024];
    let mut carried: Vec<u8> = Vec::new();
    let mut pages = 0;
    let mut first = true;
    loop {
        let count = file.read(&mut buffer).map_err(unread)?;
        if count == 0 {
            break;
        }
        if first && !buffer[..count].windows(5).take(1024).any(|window| window == b"%PDF-") {
            return Err(Unreadable::NotPdf);
        }
        first = false;
        // White space between the two names is usual and means nothing.
        carried.extend(buffer[..count].iter().filter(|byte| !byte.is_ascii_whitespace()));
        pages += carried
            .windows(MARK.len() + 1)
            .filter(|window| window.starts_with(MARK) && window[MARK.len()] != b's')
            .count();
        let keep = carried.len().saturating_sub(MARK.len());
        carried.drain(..keep);
    }
    let trouble = Some(format!("The document is bigger than {} MiB; its text was not read.", BIGGEST / 1024 / 1024));
    Ok(DocumentText { pages: vec![PageText::default(); pages.max(1)], trouble, ..DocumentText::default() })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static STUCK: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    static RUNNING: AtomicUsize = AtomicUsize::new(0);

    /// Does not end before the test lets it.
    #[allow(clippy::unnecessary_wraps, reason = "the type of a reader")]
    fn stuck(_: &Path) -> Result<DocumentText, Unreadable> {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        drop(STUCK.blocking_lock());
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        Ok(DocumentText::default())
    }

    #[tokio::test]
    async fn the_number_of_stuck_threads_is_bounded() {
        let held = STUCK.lock().await;
        // No time at all: every document is given up at once.
        let readers = Readers::with(2, Duration::ZERO, stuck);
        let mut results = Vec::new();
        for _ in 0..20 {
            results.push(readers.read(PathBuf::new()).await.expect_err("nothing is read"));
        }
        let busy = results.iter().filter(|result| **result == Unreadable::Busy).count();
        assert_eq!(busy, 20 - 2 - MOST_ABANDONED, "{results:?}");
        assert!(RUNNING.load(Ordering::SeqCst) <= 2 + MOST_ABANDONED);
        drop(held);
        // When the threads end, their places are free again.
        let all = u32::try_from(MOST_ABANDONED).expect("a small number");
        let _ended = readers.abandoned.acquire_many(all).await.expect("open");
        let _free = readers.active.acquire_many(2).await.expect("open");
    }
}
