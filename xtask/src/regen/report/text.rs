//! The report for the terminal: what matters first, long lists cut.

use std::fmt::Write as _;

use super::super::diff::words::short;
use super::super::diff::{Change, Effect};
use super::{ASPECTS, Report, concerned, whom};

/// How many lines a list has.
const LINES: usize = 12;
/// How long a line from outside may be.
const LONGEST: usize = 300;

impl Report {
    /// For the terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let source = short(&self.source, LONGEST);
        if self.refused.is_empty() {
            let _ = writeln!(text, "{source}: taken ({})", self.mode.word());
        } else {
            let count = self.refused.len();
            let _ = writeln!(text, "{source}: refused, {count} reason{}", if count == 1 { "" } else { "s" });
        }
        let _ = writeln!(text, "{}", self.breaking());
        let _ = writeln!(text, "{}", self.standing());
        let refused: Vec<String> = self.refused.iter().map(|reason| short(reason, LONGEST)).collect();
        list(&mut text, "Refused, because", &refused);
        let missing: Vec<String> = self
            .missing
            .iter()
            .map(|missing| {
                let accepted = if missing.accepted { ": the call says that it is not supported" } else { "" };
                format!("{} ({}){accepted}", short(&missing.id, LONGEST), short(&missing.line, LONGEST))
            })
            .collect();
        list(&mut text, "Missing", &missing);
        for effect in [Effect::Facade, Effect::Caller, Effect::Raw] {
            let lines: Vec<String> = self.of(effect).map(line).collect();
            list(&mut text, &format!("Breaking for {}", whom(effect)), &lines);
        }
        self.aspects(&mut text);
        let rest = self.of(Effect::None).count();
        if rest > 0 {
            let lines: Vec<String> = self.of(Effect::None).map(line).collect();
            list(&mut text, "Nobody has to follow", &lines);
        }
        let notes: Vec<String> = self.notes.iter().map(|note| short(note, LONGEST)).collect();
        list(&mut text, "Notes", &notes);
        text.push('\n');
        let _ = writeln!(text, "sha256 {}", short(&self.sha256, LONGEST));
        if let Some(made) = &self.generated {
            let _ = writeln!(text, "generated {} lines, {} bytes in {:.1} s", made.lines, made.bytes, made.seconds);
        }
        if let Some(seconds) = self.build_seconds {
            let _ = writeln!(text, "built in {seconds:.1} s");
        }
        let _ = writeln!(text, "{}", short(&self.outcome, LONGEST));
        text
    }

    /// Security, servers and values: one line each, whether or not something changed.
    fn aspects(&self, text: &mut String) {
        text.push('\n');
        for (name, kinds) in ASPECTS {
            let told: Vec<&Change> = self.changes.iter().filter(|change| kinds.contains(&change.what)).collect();
            let line = match told.as_slice() {
                [] => String::from("as before"),
                [only] => line(only),
                [first, rest @ ..] => format!("{} (and {} more)", line(first), rest.len()),
            };
            let _ = writeln!(text, "{name}: {}", short(&line, LONGEST));
        }
    }
}

/// A change in one line.
fn line(change: &Change) -> String {
    let words = [concerned(change), change.place.clone()];
    let place: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    short(&format!("{}: {}", place.join("  "), change.text), LONGEST)
}

fn list(text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for line in lines.iter().take(LINES) {
        let _ = writeln!(text, "  {line}");
    }
    let left = lines.len().saturating_sub(LINES);
    if left > 0 {
        let _ = writeln!(text, "  … and {left} more (--report markdown shows all)");
    }
}
