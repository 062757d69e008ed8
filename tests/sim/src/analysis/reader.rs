//! Reads documents on separate threads with a large stack, caught panics, and limits of time and size, so that no file can stop the server.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pdf::{self, DocumentText, PageText, ReadError};

/// Maximum size of a document that is read into memory. Of larger documents only the pages are counted.
const MAX_BYTES: u64 = 160 * 1024 * 1024;
/// Time limit for the text of a document.
const TEXT_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit after which the thread of a document is abandoned, and for the wait for a free thread.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of abandoned threads that still run. A thread cannot be ended from outside, and each one holds a document and a stack.
const MAX_ABANDONED: usize = 4;
/// The stack size of a reader thread, because nested objects are read recursively.
const STACK: usize = 64 * 1024 * 1024;

type ReadFn = fn(&Path) -> Result<DocumentText, ReadError>;

/// Reads a limited number of documents at a time.
///
/// A thread that exceeds the time limit is abandoned: its document is rejected, and the thread counts against [`MAX_ABANDONED`] until it ends.
/// Beyond that number it keeps its permit among the active threads. The number of threads is therefore bounded; if all are stuck, documents are
/// rejected as [`ReadError::Busy`].
pub(crate) struct PdfReaders {
    active: Arc<Semaphore>,
    abandoned: Arc<Semaphore>,
    timeout: Duration,
    read: ReadFn,
}

impl PdfReaders {
    pub(crate) fn new() -> Self {
        let count = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self::with(count, READ_TIMEOUT, read_file)
    }

    fn with(count: usize, timeout: Duration, read: ReadFn) -> Self {
        let (active, abandoned) = (Arc::new(Semaphore::new(count)), Arc::new(Semaphore::new(MAX_ABANDONED)));
        Self { active, abandoned, timeout, read }
    }

    /// Reads the document at `path`.
    pub(crate) async fn read(&self, path: PathBuf) -> Result<Arc<DocumentText>, ReadError> {
        let permit = tokio::time::timeout(self.timeout, Arc::clone(&self.active).acquire_owned()).await;
        let permit = permit.map_err(|_| ReadError::Busy)?.map_err(|_| ReadError::Busy)?;
        let (read, timeout, abandoned) = (self.read, self.timeout, Arc::clone(&self.abandoned));
        // A blocking task stops a paused tokio clock while the thread works.
        tokio::task::spawn_blocking(move || read_on_thread(read, path, timeout, permit, &abandoned))
            .await
            .unwrap_or_else(|_| Err(malformed()))
            .map(Arc::new)
    }
}

fn read_on_thread(
    read: ReadFn,
    path: PathBuf,
    timeout: Duration,
    permit: OwnedSemaphorePermit,
    abandoned: &Arc<Semaphore>,
) -> Result<DocumentText, ReadError> {
    // The thread holds the permit until it ends.
    let permit = Arc::new(Mutex::new(permit));
    let held = Arc::clone(&permit);
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("documine-sim-pdf".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let result = read(&path);
            drop(held);
            // The receiver of an abandoned document is gone.
            drop(sender.send(result));
        })
        .map_err(|error| ReadError::Broken(error.to_string()))?;
    receiver.recv_timeout(timeout).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => {
            if let Ok(other) = Arc::clone(abandoned).try_acquire_owned() {
                *permit.lock().unwrap_or_else(PoisonError::into_inner) = other;
            }
            Err(ReadError::Broken("it takes too long to read".to_owned()))
        }
        RecvTimeoutError::Disconnected => Err(malformed()),
    })
}

fn malformed() -> ReadError {
    ReadError::Broken("its structure is invalid".to_owned())
}

fn read_file(path: &Path) -> Result<DocumentText, ReadError> {
    let unread = |error: std::io::Error| ReadError::Broken(error.to_string());
    let size = std::fs::metadata(path).map_err(unread)?.len();
    if size > MAX_BYTES {
        return count_pages(path);
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    pdf::read(&bytes, Instant::now() + TEXT_TIMEOUT)
}

/// Counts the pages of a large document by its page objects, in constant memory.
fn count_pages(path: &Path) -> Result<DocumentText, ReadError> {
    use std::io::Read;

    const MARK: &[u8] = b"/Type/Page";
    let unread = |error: std::io::Error| ReadError::Broken(error.to_string());
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
            return Err(ReadError::NotPdf);
        }
        first = false;
        // White space between the two names is optional.
        carried.extend(buffer[..count].iter().filter(|byte| !byte.is_ascii_whitespace()));
        pages += carried
            .windows(MARK.len() + 1)
            .filter(|window| window.starts_with(MARK) && window[MARK.len()] != b's')
            .count();
        let keep = carried.len().saturating_sub(MARK.len());
        carried.drain(..keep);
    }
    let incomplete =
        Some(format!("The document is bigger than {} MiB; its text was not read.", MAX_BYTES / 1024 / 1024));
    Ok(DocumentText { pages: vec![PageText::default(); pages.max(1)], incomplete, ..DocumentText::default() })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static STUCK: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    static RUNNING: AtomicUsize = AtomicUsize::new(0);

    /// Blocks until the test releases the lock.
    #[allow(clippy::unnecessary_wraps, reason = "the type of a reader")]
    fn stuck(_: &Path) -> Result<DocumentText, ReadError> {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        drop(STUCK.blocking_lock());
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        Ok(DocumentText::default())
    }

    #[tokio::test]
    async fn bounds_the_number_of_stuck_threads() {
        let held = STUCK.lock().await;
        // With a timeout of zero every document is abandoned at once.
        let readers = PdfReaders::with(2, Duration::ZERO, stuck);
        let mut results = Vec::new();
        for _ in 0..20 {
            results.push(readers.read(PathBuf::new()).await.expect_err("nothing is read"));
        }
        let busy = results.iter().filter(|result| **result == ReadError::Busy).count();
        assert_eq!(busy, 20 - 2 - MAX_ABANDONED, "{results:?}");
        assert!(RUNNING.load(Ordering::SeqCst) <= 2 + MAX_ABANDONED);
        drop(held);
        // When the threads end, they release their permits.
        let all = u32::try_from(MAX_ABANDONED).expect("a small number");
        let _ended = readers.abandoned.acquire_many(all).await.expect("open");
        let _free = readers.active.acquire_many(2).await.expect("open");
    }
}
