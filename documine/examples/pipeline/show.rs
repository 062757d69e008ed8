//! Output for people: numbered steps, tables, progress bars on a terminal and plain lines elsewhere.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::table::{broken, plain};

/// Columns before everything but the headings.
const INDENT: usize = 6;

/// The output stream for people: stdout, or stderr when stdout is reserved for the JSON object. Clones share the state.
#[derive(Clone)]
pub(crate) struct Show {
    on_stderr: bool,
    bars: Option<MultiProgress>,
    style: Style,
    step: Arc<AtomicUsize>,
}

impl Show {
    pub(crate) fn new(json: bool) -> Self {
        let live = io::stderr().is_terminal() && console::Term::stderr().features().is_attended();
        let style = if json { Style::new().for_stderr() } else { Style::new().for_stdout() };
        Self {
            on_stderr: json,
            bars: live.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            style: style.bold(),
            step: Arc::default(),
        }
    }

    /// Begins a step: what happens, and by which call.
    pub(crate) fn step(&self, title: &str, how: &str) {
        let number = self.step.fetch_add(1, Ordering::Relaxed) + 1;
        self.print(format_args!("\n{}  {}", self.style.apply_to(format!("{number:>4}")), self.style.apply_to(title)));
        self.line(how);
    }

    /// One line, or several, below the step; broken where the terminal is narrower.
    pub(crate) fn line(&self, text: impl Display) {
        for line in text.to_string().lines() {
            let line = plain(line);
            let text = line.trim_start();
            let indent = if text.is_empty() { 0 } else { INDENT + line.len() - text.len() };
            match self.width().filter(|width| console::measure_text_width(&line) > *width) {
                None => self.print(format_args!("{:indent$}{text}", "")),
                Some(width) => {
                    for part in broken(text, (width + INDENT).saturating_sub(indent)) {
                        self.print(format_args!("{:indent$}{part}", ""));
                    }
                }
            }
        }
    }

    /// A line at the left edge.
    pub(crate) fn heading(&self, text: impl Display) {
        self.print(text);
    }

    fn print(&self, text: impl Display) {
        // If the stream is closed, the program continues without output.
        let write = || {
            let out: &mut dyn Write = if self.on_stderr { &mut io::stderr() } else { &mut io::stdout() };
            drop(writeln!(out, "{text}"));
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// The maximum width of a table; `None` without a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        let term = if self.on_stderr { console::Term::stderr() } else { console::Term::stdout() };
        let (_, columns) = term.size_checked()?;
        Some(usize::from(columns).saturating_sub(INDENT))
    }

    /// Progress of something that takes a while.
    pub(crate) fn progress(&self, name: &str) -> Progress {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::no_length().with_style(style("{prefix:30!} {spinner} {msg}")));
            bar.set_prefix(plain(name));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Progress { show: self.clone(), bar, name: name.to_owned(), said: Arc::default() }
    }

    /// Takes all bars off the terminal, before a last word.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.bars {
            drop(bars.clear());
        }
    }
}

/// One line of progress, which leaves the terminal with its last clone.
#[derive(Clone)]
pub(crate) struct Progress {
    show: Show,
    bar: Option<ProgressBar>,
    name: String,
    said: Arc<Mutex<String>>,
}

impl Progress {
    /// Returns a progress callback for a transfer. Without a terminal, only the end is printed.
    pub(crate) fn bytes(&self) -> impl Fn(u64, Option<u64>) + Send + Sync + 'static {
        let bar = self.bar.clone();
        move |moved, total| {
            let Some(bar) = &bar else { return };
            if let Some(total) = total.filter(|_| bar.length().is_none()) {
                bar.set_style(style("{prefix:30!} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}"));
                bar.set_length(total);
            }
            bar.set_position(moved);
        }
    }

    /// Shows a state. Without a terminal, each new state is a line.
    pub(crate) fn state(&self, state: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(plain(state));
        } else if let Ok(mut said) = self.said.lock()
            && *said != state
        {
            state.clone_into(&mut said);
            self.show.line(format_args!("{}: {state}", self.name));
        }
    }

    /// The end, for the record.
    pub(crate) fn done(&self, result: impl Display) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.show.line(format_args!("{}: {result}", self.name));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{:INDENT$}{template}", ""))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> impl Display {
    indicatif::HumanBytes(count)
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
