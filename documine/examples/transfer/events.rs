//! Output of the program: lines for people on stderr, or one JSON object per line on stdout for programs.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use documine::transfer::Progress;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The minimum interval between two progress events.
const OFTEN: Duration = Duration::from_millis(500);

/// Prints the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller {
    json: bool,
}

impl Teller {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One thing that happened: for programs as it is, for people as a line.
    pub(crate) fn tell(self, event: &Value, line: &str) {
        if self.json {
            // One write: lines do not mix. A reader who has gone away wants nothing more.
            drop(std::io::stdout().write_all(format!("{event}\n").as_bytes()));
        } else {
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }

    pub(crate) fn error(self, failure: &Failure) {
        let event = json!({"event": "error", "kind": failure.kind, "message": failure.message});
        self.tell(&event, &format!("error: {}", failure.message));
    }

    pub(crate) fn state(self, id: &str, state: &str) {
        self.tell(&json!({"event": "state", "id": id, "state": state}), &format!("{id}: {state}"));
    }

    /// Reports the progress of a transfer at intervals.
    pub(crate) fn progress(self) -> impl Progress {
        let last = Mutex::new(Instant::now());
        move |moved: u64, total: Option<u64>| {
            let Ok(mut last) = last.lock() else { return };
            if last.elapsed() >= OFTEN || Some(moved) == total {
                *last = Instant::now();
                let of = total.map_or_else(|| "an unknown number".into(), |total| total.to_string());
                let event = json!({"event": "progress", "bytes": moved, "total": total});
                self.tell(&event, &format!("{moved} of {of} bytes"));
            }
        }
    }
}

/// The peak memory of this program, where the operating system reports it.
pub(crate) fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
