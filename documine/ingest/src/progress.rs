//! Progress of a run for people: bars on a terminal, a line every few seconds elsewhere.

mod counts;

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::event::Event;
use counts::ProgressCounts;

/// Seconds between two lines, unless set.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Seconds between two updates of the bars without an event.
#[cfg(feature = "indicatif")]
const BAR_INTERVAL: Duration = Duration::from_secs(1);
/// The variable with the seconds between two lines.
const VARIABLE: &str = "DOCUMINE_PROGRESS";

/// Displays the progress of a run on standard error, from its events. The display ends with the run, or when the value is dropped.
///
/// ```no_run
/// # use documine_ingest::{Ingest, Progress};
/// # fn show(ingest: Ingest) -> Ingest {
/// let progress = Progress::auto();
/// ingest.on_event(move |event| progress.observe(event))
/// # }
/// ```
pub struct Progress {
    shared: Arc<Shared>,
    /// Dropped first, which ends the thread.
    running: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    begin: Instant,
    counts: Mutex<ProgressCounts>,
    display: Display,
}

enum Display {
    Hidden,
    Lines,
    #[cfg(feature = "indicatif")]
    Bars(bars::Bars),
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// Displays bars if standard error is a terminal (with the feature `indicatif`), and a line every 10 s otherwise.
    ///
    /// The environment variable `DOCUMINE_PROGRESS` takes precedence: the seconds between two lines, or `0` for no display. Another value is ignored.
    pub fn auto() -> Self {
        let seconds = std::env::var(VARIABLE).ok().and_then(|text| text.trim().parse().ok());
        match seconds {
            Some(0_u32) => Self::start(Display::Hidden, None),
            Some(seconds) => Self::lines(Duration::from_secs(seconds.into())),
            #[cfg(feature = "indicatif")]
            None if std::io::stderr().is_terminal() => Self::bars(),
            None => Self::lines(if std::io::stderr().is_terminal() { LINE_INTERVAL / 2 } else { LINE_INTERVAL }),
        }
    }

    /// Displays bars for documents, pages and uploaded bytes, and the numbers of documents in each step.
    #[cfg(feature = "indicatif")]
    pub fn bars() -> Self {
        Self::start(Display::Bars(bars::Bars::new()), Some(BAR_INTERVAL))
    }

    /// Prints a line when the documents are listed, every `every`, and at the end.
    pub fn lines(every: Duration) -> Self {
        Self::start(Display::Lines, Some(every.max(Duration::from_millis(100))))
    }

    fn start(display: Display, every: Option<Duration>) -> Self {
        let counts = Mutex::new(ProgressCounts::default());
        let shared = Arc::new(Shared { begin: Instant::now(), counts, display });
        let mut progress = Self { shared, running: None, thread: None };
        if let Some(every) = every {
            let (running, ended) = mpsc::channel();
            let shared = Arc::clone(&progress.shared);
            // Without the thread, only events update the display.
            let thread = std::thread::Builder::new().name("documine-progress".to_owned()).spawn(move || {
                while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    shared.update();
                }
            });
            (progress.running, progress.thread) = (Some(running), thread.ok());
        }
        progress
    }

    /// Processes an event of the run.
    pub fn observe(&self, event: &Event) {
        let now = self.shared.begin.elapsed();
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).observe(now, event);
        match &self.shared.display {
            Display::Lines => match event {
                Event::Listed { .. } | Event::Stopping { .. } | Event::RunFinished { .. } => self.shared.update(),
                _ => {}
            },
            #[cfg(feature = "indicatif")]
            Display::Bars(bars) => match event {
                Event::RunFinished { .. } => bars.clear(),
                _ => self.shared.update(),
            },
            Display::Hidden => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        #[cfg(feature = "indicatif")]
        if let Display::Bars(bars) = &self.shared.display {
            bars.clear();
        }
    }
}

impl Shared {
    fn update(&self) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.begin.elapsed();
        match &self.display {
            Display::Lines if counts.is_running() => {
                // A closed standard error is no reason to end the run.
                drop(writeln!(std::io::stderr(), "{}", counts.line(now)));
            }
            #[cfg(feature = "indicatif")]
            Display::Bars(bars) => bars.show(&counts, now),
            _ => {}
        }
    }
}

/// The bars of a terminal.
#[cfg(feature = "indicatif")]
mod bars {
    use std::time::Duration;

    use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

    use super::counts::{ProgressCounts, megabytes};

    pub(super) struct Bars {
        all: MultiProgress,
        documents: ProgressBar,
        pages: ProgressBar,
        bytes: ProgressBar,
        steps: ProgressBar,
    }

    impl Bars {
        pub(super) fn new() -> Self {
            let all = MultiProgress::new();
            let add = |name: &'static str, template: &str| {
                // The templates are constants; the default style would replace an invalid one.
                let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
                all.add(ProgressBar::new(0).with_style(style).with_prefix(name))
            };
            let bar = "{prefix:9} {bar:32} {msg}";
            let (documents, pages, bytes) = (add("documents", bar), add("pages", bar), add("uploaded", bar));
            let steps = add("steps", "{prefix:9} {msg}");
            Self { all, documents, pages, bytes, steps }
        }

        pub(super) fn show(&self, counts: &ProgressCounts, now: Duration) {
            let set = |bar: &ProgressBar, position: u64, length: u64, message: String| {
                bar.set_length(length.max(position));
                bar.set_position(position);
                bar.set_message(message);
            };
            set(&self.documents, counts.finished(), counts.open, counts.documents(now));
            set(&self.pages, counts.pages, counts.estimated_pages, counts.pages.to_string());
            set(&self.bytes, counts.uploaded_bytes, counts.bytes, megabytes(counts.uploaded_bytes));
            self.steps.set_message(counts.steps());
        }

        pub(super) fn clear(&self) {
            // A terminal that cannot be written has nothing to clear.
            drop(self.all.clear());
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn bars_have_the_lengths_of_the_run() {
            let bars = Bars::new();
            let mut counts = ProgressCounts::default();
            (counts.open, counts.succeeded, counts.failed) = (10, 3, 1);
            (counts.bytes, counts.uploaded_bytes) = (100, 70);
            bars.show(&counts, Duration::from_secs(1));
            assert_eq!((bars.documents.position(), bars.documents.length()), (4, Some(10)));
            assert_eq!((bars.bytes.position(), bars.bytes.length()), (70, Some(100)));
            bars.clear();
        }
    }
}
