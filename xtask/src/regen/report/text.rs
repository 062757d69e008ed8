//! The report for the terminal: the most severe changes first, long lists truncated.

use std::fmt::Write as _;

use super::super::diff::{Change, Effect};
use super::super::sanitize::truncated;
use super::{Report, broken_code};

/// Highest number of lines in a list.
const MAX_LINES: usize = 12;
/// Longest line with untrusted text, in characters.
const MAX_LENGTH: usize = 300;

impl Report {
    /// Formats the report for the terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let source = truncated(&self.source, MAX_LENGTH);
        if self.refused.is_empty() {
            let _ = writeln!(text, "{source}: accepted ({})", self.mode.name());
        } else {
            let count = self.refused.len();
            let _ = writeln!(text, "{source}: refused, {count} reason{}", if count == 1 { "" } else { "s" });
        }
        let _ = writeln!(text, "{}", self.breaking());
        let _ = writeln!(text, "{}", self.coverage());
        let refused: Vec<String> = self.refused.iter().map(|reason| truncated(reason, MAX_LENGTH)).collect();
        list(&mut text, "Reasons", &refused);
        let missing: Vec<String> = self
            .missing
            .iter()
            .map(|missing| {
                let accepted = if missing.accepted { ": the call returns an error" } else { "" };
                format!("{} ({}){accepted}", truncated(&missing.id, MAX_LENGTH), truncated(&missing.line, MAX_LENGTH))
            })
            .collect();
        list(&mut text, "Missing", &missing);
        for effect in [Effect::Caller, Effect::Raw, Effect::None] {
            let lines: Vec<String> = self.with_effect(effect).map(line).collect();
            list(&mut text, &format!("Breaking {}", broken_code(effect)), &lines);
        }
        let notes: Vec<String> = self.notes.iter().map(|note| truncated(note, MAX_LENGTH)).collect();
        list(&mut text, "Notes", &notes);
        text.push('\n');
        let _ = writeln!(text, "sha256 {}", truncated(&self.sha256, MAX_LENGTH));
        if let Some(generated) = &self.generated {
            let super::Generated { lines, bytes, seconds } = generated;
            let _ = writeln!(text, "generated {lines} lines, {bytes} bytes in {seconds:.1} s");
        }
        if let Some(seconds) = self.build_seconds {
            let _ = writeln!(text, "built in {seconds:.1} s");
        }
        let _ = writeln!(text, "{}", truncated(&self.outcome, MAX_LENGTH));
        text
    }
}

/// Formats a change as one line.
fn line(change: &Change) -> String {
    let subject = [change.operation.as_deref().unwrap_or_default(), change.location.as_str()];
    let subject: Vec<&str> = subject.into_iter().filter(|part| !part.is_empty()).collect();
    truncated(&format!("{}: {}", subject.join("  "), change.text), MAX_LENGTH)
}

fn list(text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for line in lines.iter().take(MAX_LINES) {
        let _ = writeln!(text, "  {line}");
    }
    let left = lines.len().saturating_sub(MAX_LINES);
    if left > 0 {
        let _ = writeln!(text, "  … and {left} more (--report markdown shows all)");
    }
}
