//! Why: texts of the document become doc comments. A bare carriage return or `*/` breaks the build, bidirectional control
//! characters trip a compiler lint that denies them, an indented or fenced block would be compiled as a documentation test, an
//! HTML tag warns. A `title` would become a type's name, and a version that is not ASCII a panic in each call.
//! Finds: `description` and `summary` anywhere, `title` of schemas, `info.version`.
//! Holds afterwards: texts are plain paragraphs and lists; schemas have no title; the version is ASCII.
//! Delete when: never; a document is outside input.

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

/// Plain text for a doc comment.
pub(crate) fn clean(text: &str) -> String {
    let plain = visible(text);
    let plain = plain.replace("*/", "* /").replace("/*", "/ *").replace("```", "''").replace("~~~", "''");
    let lines: Vec<String> = plain.lines().map(|line| escaped(&shallow(line))).collect();
    lines.join("\n").trim().to_owned()
}

/// The text as it looks: without hidden characters, lines ended by line feeds, other controls as blanks.
pub(crate) fn visible(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

/// Characters that change how a text reads without being seen: bidirectional controls, zero-width ones, the byte order mark.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// A line that is indented by less than a code block.
fn shallow(line: &str) -> String {
    let text = line.trim_start();
    let indent = (line.len() - text.len()).min(2);
    format!("{}{}", " ".repeat(indent), text.trim_end())
}

/// Without HTML and without links to items, neither of which a text of the document can mean. What stands between two backticks is
/// shown as it is and needs no escape.
fn escaped(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    let last = pieces.len() - 1;
    let pieces = pieces.iter().enumerate().map(|(index, piece)| {
        let is_code = index % 2 == 1 && index < last;
        if is_code { String::from(*piece) } else { piece.replace('<', "&lt;").replace('[', "\\[").replace(']', "\\]") }
    });
    pieces.collect::<Vec<String>>().join("`")
}
