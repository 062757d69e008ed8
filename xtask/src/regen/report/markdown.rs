//! The report as Markdown, with full lists.
//!
//! Untrusted texts are written as code spans, or in fenced blocks where they are whole sentences, so that no renderer reads them as Markdown or HTML.

use std::fmt::Write as _;

use super::super::diff::{Change, Effect};
use super::super::sanitize::{code_span, single_line, truncated};
use super::{Generated, Report, broken_code};

/// Longest line with untrusted text, in characters.
const MAX_LENGTH: usize = 1000;

impl Report {
    /// Formats the report for a file or a pull request.
    pub(crate) fn markdown(&self) -> String {
        let outcome = if self.refused.is_empty() { "accepted" } else { "refused" };
        let mut text = format!("# The document {} is {outcome}\n\n", code_span(&self.source));
        let _ = writeln!(text, "- {}", self.breaking());
        let _ = writeln!(text, "- {}", self.coverage());
        let _ = writeln!(text, "- {}, sha256 {}", self.mode.name(), code_span(&self.sha256));
        if let Some(Generated { lines, bytes, seconds }) = &self.generated {
            let _ = writeln!(text, "- generated {lines} lines, {bytes} bytes in {seconds:.1} s");
        }
        if let Some(seconds) = self.build_seconds {
            let _ = writeln!(text, "- built in {seconds:.1} s");
        }
        let _ = writeln!(text, "- {}", escape(&single_line(&self.outcome)));
        block(&mut text, "Reasons", &self.refused);
        self.missing_and_mapped(&mut text);
        for effect in [Effect::Caller, Effect::Raw, Effect::None] {
            let lines: Vec<String> = self.with_effect(effect).map(line).collect();
            if !lines.is_empty() {
                let _ = writeln!(text, "\n## Breaking {}\n\n{}", broken_code(effect), lines.join("\n"));
            }
        }
        block(&mut text, "Notes", &self.notes);
        text
    }

    fn missing_and_mapped(&self, text: &mut String) {
        if !self.missing.is_empty() {
            text.push_str("\n## Missing\n\n| operation | in the contract | |\n|---|---|---|\n");
            for missing in &self.missing {
                let accepted = if missing.accepted { "the call returns an error" } else { "" };
                let _ = writeln!(text, "| {} | {} | {accepted} |", cell(&missing.id), cell(&missing.line));
            }
        }
        if !self.mapped.is_empty() {
            text.push_str("\n## OperationMapping\n\n| operation | in the document | operationId |\n|---|---|---|\n");
            for operation in &self.mapped {
                let line = cell(&format!("{} {}", operation.method.to_uppercase(), operation.path));
                let id = operation.operation_id.as_deref().map_or_else(|| String::from("none"), cell);
                let decided = if operation.decided { ", as decided" } else { "" };
                let _ = writeln!(text, "| {} | {line}{decided} | {id} |", cell(&operation.id));
            }
        }
    }
}

/// Formats a name for a table cell. A pipe ends a cell even inside a code span.
fn cell(name: &str) -> String {
    code_span(name).replace('|', "\\|")
}

/// Formats a change as a list item.
fn line(change: &Change) -> String {
    let mut subject: Vec<String> = change.operation.iter().map(|operation| code_span(operation)).collect();
    if !change.location.is_empty() {
        subject.push(code_span(&change.location));
    }
    format!("- {}: {}", subject.join(" "), escape(&truncated(&change.text, MAX_LENGTH)))
}

/// Escapes Markdown and HTML outside of code spans.
fn escape(text: &str) -> String {
    // A truncated text may end inside a span.
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

/// Appends sentences with untrusted names as a fenced block, in which no renderer interprets them.
fn block(text: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n## {heading}\n\n~~~text");
    for line in lines {
        // The dash prevents a line from ending the block.
        let _ = writeln!(text, "- {}", truncated(line, MAX_LENGTH));
    }
    text.push_str("~~~\n");
}
