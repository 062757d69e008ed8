//! Names from a document in texts for people.
//!
//! A document is untrusted input. Nothing in it may end a line, a code span or a table cell, send control sequences to the terminal, or reverse the
//! writing direction.

/// Longest name that is shown in full, in characters.
const MAX_NAME_LENGTH: usize = 120;

/// Returns a text as one line; invisible characters are written as `\u{…}`.
pub(crate) fn single_line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => plain.push(' '),
            c if is_hidden(c) => plain.extend(c.escape_unicode()),
            c => plain.push(c),
        }
    }
    plain
}

/// Returns a text as one line of at most `max_length` characters.
pub(crate) fn truncated(text: &str, max_length: usize) -> String {
    // Cut before escaping: a name may be as long as the document.
    let beginning: String = text.chars().take(max_length + 1).collect();
    let plain = single_line(&beginning);
    if plain.chars().count() <= max_length {
        return plain;
    }
    let mut cut: String = plain.chars().take(max_length.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Returns a name without backticks, for use inside a code span.
pub(crate) fn plain_name(text: &str) -> String {
    truncated(text, MAX_NAME_LENGTH).replace('`', "'")
}

/// Returns a name as a code span.
pub(crate) fn code_span(text: &str) -> String {
    let plain = plain_name(text);
    if plain.trim().is_empty() { String::from("(no name)") } else { format!("`{plain}`") }
}

/// Returns whether terminals or Markdown renderers hide or interpret a character.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
