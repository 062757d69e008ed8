//! The report as Markdown: everything.
//!
//! Texts from outside stand in code spans, or in fenced blocks where they are whole sentences, so that nothing in them is read as
//! Markdown or HTML.

use std::fmt::Write as _;

use super::super::diff::words::{clean, code, short};
use super::super::diff::{Change, Effect};
use super::{ASPECTS, Report, whom};

/// How long a line from outside may be.
const LONGEST: usize = 1000;

impl Report {
    /// For a file or a pull request.
    pub(crate) fn markdown(&self) -> String {
        let verdict = if self.refused.is_empty() { "taken" } else { "refused" };
        let mut text = format!("# The document {} is {verdict}\n\n", code(&self.source));
        let _ = writeln!(text, "- {}", self.breaking());
        let _ = writeln!(text, "- {}", self.standing());
        let _ = writeln!(text, "- {}, sha256 {}", self.mode.word(), code(&self.sha256));
        if let Some(made) = &self.generated {
            let _ = writeln!(text, "- generated {} lines, {} bytes in {:.1} s", made.lines, made.bytes, made.seconds);
        }
        if let Some(seconds) = self.build_seconds {
            let _ = writeln!(text, "- built in {seconds:.1} s");
        }
        let _ = writeln!(text, "- {}", spans(&clean(&self.outcome)));
        block(&mut text, "Refused, because", &self.refused);
        self.missing_and_mapped(&mut text);
        for effect in [Effect::Facade, Effect::Caller, Effect::Raw, Effect::None] {
            let lines: Vec<String> = self.of(effect).map(line).collect();
            if !lines.is_empty() {
                let heading = match effect {
                    Effect::None => String::from("Nobody has to follow"),
                    _ => format!("Breaking for {}", whom(effect)),
                };
                let _ = writeln!(text, "\n## {heading}\n\n{}", lines.join("\n"));
            }
        }
        text.push_str("\n## Security, servers, values\n\n");
        for (name, kinds) in ASPECTS {
            let count = self.changes.iter().filter(|change| kinds.contains(&change.what)).count();
            let said = if count == 0 { String::from("as before") } else { super::changes(count) };
            let _ = writeln!(text, "- {name}: {said}");
            for change in self.changes.iter().filter(|change| kinds.contains(&change.what)) {
                let _ = writeln!(text, "  {}", line(change));
            }
        }
        block(&mut text, "Notes", &self.notes);
        text
    }

    fn missing_and_mapped(&self, text: &mut String) {
        if !self.missing.is_empty() {
            text.push_str("\n## Missing\n\n| operation | by the contract | |\n|---|---|---|\n");
            for missing in &self.missing {
                let accepted = if missing.accepted { "the call says that it is not supported" } else { "" };
                let _ = writeln!(text, "| {} | {} | {accepted} |", cell(&missing.id), cell(&missing.line));
            }
        }
        if !self.mapped.is_empty() {
            text.push_str("\n## Mapped\n\n| operation | in the document | there called |\n|---|---|---|\n");
            for row in &self.mapped {
                let place = cell(&format!("{} {}", row.method.to_uppercase(), row.path));
                let there = row.there.as_deref().map_or_else(|| String::from("nothing"), cell);
                let decided = if row.decided { ", as decided" } else { "" };
                let _ = writeln!(text, "| {} | {place}{decided} | {there} |", cell(&row.id));
            }
        }
    }
}

/// A name in a table: a pipe ends a cell also in a code span.
fn cell(name: &str) -> String {
    code(name).replace('|', "\\|")
}

/// A change in one line of a list.
fn line(change: &Change) -> String {
    let mut place: Vec<String> = change.operation.iter().map(|operation| code(operation)).collect();
    if !change.place.is_empty() {
        place.push(code(&change.place));
    }
    let also: Vec<String> = change.also.iter().map(|operation| code(operation)).collect();
    let also = if also.is_empty() { String::new() } else { format!(" (also {})", also.join(", ")) };
    format!("- {}: {}{also}", place.join(" "), spans(&short(&change.text, LONGEST)))
}

/// A text with names in backticks: what stands outside of them is taken literally.
fn spans(text: &str) -> String {
    // A text that was cut may end in an open span.
    let open = text.matches('`').count() % 2 == 1;
    let mut safe = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '`' => {
                inside = !inside;
                safe.push(c);
            }
            _ if inside => safe.push(c),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '@' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            _ => safe.push(c),
        }
    }
    if open {
        safe.push('`');
    }
    safe
}

/// Sentences with names from outside in them, in a block where nothing has a meaning.
fn block(text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n## {heading}\n\n~~~text");
    for line in lines {
        // The dash keeps a line from ending the block.
        let _ = writeln!(text, "- {}", short(line, LONGEST));
    }
    text.push_str("~~~\n");
}
