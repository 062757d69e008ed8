//! Names of a document in texts for people. They are outside input: nothing in them may end a line, a code span or a table's cell,
//! reach the terminal as a command, or turn the direction of writing.

/// The longest name that is shown whole.
const LONGEST: usize = 120;
/// How many names of a list are shown.
const LISTED: usize = 12;

/// A text in one line without anything that is no visible character; such characters are shown as `\u{…}`.
pub(crate) fn clean(text: &str) -> String {
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

/// A clean text of no more than this many characters.
pub(crate) fn short(text: &str, longest: usize) -> String {
    // Cut first: a name may be as long as the document.
    let beginning: String = text.chars().take(longest + 1).collect();
    let plain = clean(&beginning);
    if plain.chars().count() <= longest {
        return plain;
    }
    let mut cut: String = plain.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A name that stands in backticks already or as a whole: no backtick is in it.
pub(crate) fn name(text: &str) -> String {
    short(text, LONGEST).replace('`', "'")
}

/// A name in backticks.
pub(crate) fn code(text: &str) -> String {
    let plain = name(text);
    if plain.trim().is_empty() { String::from("(no name)") } else { format!("`{plain}`") }
}

/// Names in backticks, the first of many.
pub(crate) fn codes<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut left = 0_usize;
    let mut shown: Vec<String> = Vec::new();
    for name in names {
        if shown.len() < LISTED {
            shown.push(code(name));
        } else {
            left += 1;
        }
    }
    let more = if left == 0 { String::new() } else { format!(" and {left} more") };
    if shown.is_empty() { String::from("none") } else { format!("{}{more}", shown.join(", ")) }
}

/// What terminals and readers of Markdown don't show, or obey.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}
