//! Converts descriptions to text that is safe in doc comments.
//!
//! Why: descriptions become doc comments. A bare carriage return or `*/` breaks the build, bidirectional control characters
//! violate a deny-by-default lint, an indented or fenced block would be compiled as a documentation test, an HTML tag causes a
//! warning. A `title` would become the name of a type, and a non-ASCII version would panic in each call.
//! Finds: `description` and `summary` anywhere, `title` of schemas, `info.version`.
//! Holds afterwards: descriptions are plain paragraphs and lists; schemas have no title; the version is ASCII.
//! Delete when: never; a document is untrusted input.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_all(document, &mut |node, object, _| {
        for key in ["description", "summary"] {
            if let Some(Value::String(text)) = object.get_mut(key) {
                let clean = clean(text);
                edits += usize::from(clean != *text);
                *text = clean;
            }
        }
        if node == NodeKind::Schema && object.get("title").is_some_and(Value::is_string) {
            object.remove("title");
            edits += 1;
        }
        if node == NodeKind::Info {
            for key in ["title", "version"] {
                if let Some(Value::String(text)) = object.get_mut(key) {
                    let clean: String =
                        clean(text).chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
                    edits += usize::from(clean != *text);
                    *text = clean;
                }
            }
        }
    });
    edits
}

/// Converts a description to plain text for a doc comment.
pub(crate) fn clean(text: &str) -> String {
    let plain = visible(text);
    let plain = plain.replace("*/", "* /").replace("/*", "/ *").replace("```", "''").replace("~~~", "''");
    let lines: Vec<String> = plain.lines().map(|line| escaped(&shallow(line))).collect();
    lines.join("\n").trim().to_owned()
}

/// Removes hidden characters, converts line ends to line feeds and other control characters to spaces.
pub(crate) fn visible(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

/// Returns `true` for invisible characters that change how text is displayed: bidirectional controls, zero-width characters,
/// the byte order mark.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// Reduces the indentation below that of a code block.
fn shallow(line: &str) -> String {
    let text = line.trim_start();
    let indent = (line.len() - text.len()).min(2);
    format!("{}{}", " ".repeat(indent), text.trim_end())
}

/// Escapes HTML and link brackets, which are never intended in a description. Code between backticks needs no escape.
fn escaped(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let last = pieces.len() - 1;
    let pieces = pieces.iter().enumerate().map(|(index, piece)| {
        let is_code = index % 2 == 1 && index < last;
        if is_code { String::from(*piece) } else { piece.replace('<', "&lt;").replace('[', "\\[").replace(']', "\\]") }
    });
    pieces.collect::<Vec<String>>().join("`")
}
