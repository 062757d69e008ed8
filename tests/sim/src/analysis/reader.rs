//! Reads documents beside the server, so that nothing a file does can stop it: a thread of its own with a big stack, panics caught, time and size bounded.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::pdf::{self, DocumentText, PageText, Unreadable};

/// Documents that are bigger are not taken into memory: their pages are counted and their text is left out.
const BIGGEST: u64 = 160 * 1024 * 1024;
/// How long the text of one document may take.
const TIME_FOR_TEXT: Duration = Duration::from_secs(20);
/// When a document that does not even give control back is given up.
const TIME_IN_ALL: Duration = Duration::from_secs(60);
/// Deeply nested objects are read by recursion.
const STACK: usize = 64 * 1024 * 1024;

/// Reads a few documents at a time.
pub(crate) struct Readers {
    free: Semaphore,
}

impl Readers {
    pub(crate) fn new() -> Self {
        let count = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { free: Semaphore::new(count) }
    }

    /// Reads the document in the file at `path`.
    pub(crate) async fn read(&self, path: PathBuf) -> Result<Arc<DocumentText>, Unreadable> {
        let broken = |why: &str| Unreadable::Broken(why.to_owned());
        let _permit = self.free.acquire().await.map_err(|_| broken("the simulator is stopping"))?;
        // A blocking task holds a paused tokio clock still while the thread works.
        tokio::task::spawn_blocking(move || {
            let (sender, receiver) = mpsc::channel();
            std::thread::Builder::new()
                .name("documine-sim-pdf".to_owned())
                .stack_size(STACK)
                .spawn(move || drop(sender.send(read_file(&path))))
                .map_err(|error| Unreadable::Broken(error.to_string()))?;
            receiver.recv_timeout(TIME_IN_ALL).unwrap_or_else(|error| {
                Err(broken(match error {
                    mpsc::RecvTimeoutError::Timeout => "reading it takes too long",
                    mpsc::RecvTimeoutError::Disconnected => "its structure makes no sense",
                }))
            })
        })
        .await
        .unwrap_or_else(|_| Err(broken("its structure makes no sense")))
        .map(Arc::new)
    }
}

fn read_file(path: &PathBuf) -> Result<DocumentText, Unreadable> {
    let unread = |error: std::io::Error| Unreadable::Broken(error.to_string());
    let size = std::fs::metadata(path).map_err(unread)?.len();
    if size > BIGGEST {
        return skim(path);
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    pdf::read(&bytes, Instant::now() + TIME_FOR_TEXT)
}

/// Counts the pages of a huge document by the marks of its page objects, in flat memory.
fn skim(path: &PathBuf) -> Result<DocumentText, Unreadable> {
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
