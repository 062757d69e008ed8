//! Texts of others, made fit for an error: bounded, one line, without secrets.

/// Of a body that could not be understood, an error keeps at most this many bytes.
pub const SNIPPET_LIMIT: usize = 512;

/// Returns a text as one bounded line, whatever the service put into it.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = printable(text).chars().take(SNIPPET_LIMIT).collect();
    line.trim().to_owned()
}

/// Returns a text without what a terminal or a log obeys: control characters and line ends become blanks, characters that change the
/// direction of the text or that nobody sees are left out.
pub(crate) fn printable(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !is_hidden(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

/// Returns whether a character changes how others are shown without being seen: bidirectional controls (Unicode Annex 9), interlinear
/// annotations, tags, the byte order mark. Joiners stay, for some scripts are written with them.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The text with each of the `secrets` in it made unreadable, also where they overlap: one secret may be the beginning of another.
pub(crate) fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        let mut from = 0;
        while let Some(at) = text[from..].find(secret).map(|at| from + at) {
            found.push((at, at + secret.len()));
            from = at + secret.chars().next().map_or(1, char::len_utf8);
        }
    }
    found.sort_unstable();
    let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
    for (start, stop) in found {
        if start >= end {
            clean.push_str(&text[end..start]);
            clean.push_str("[redacted]");
        }
        end = end.max(stop);
    }
    clean.push_str(&text[end..]);
    clean
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_hidden_ones_go() {
        assert_eq!(one_line("a\u{1b}[31mred\r\nb\u{85}c\u{7f}"), "a [31mred  b c");
        assert_eq!(one_line("report\u{202e}fdp.exe\u{2066}\u{feff}\u{e0041}"), "reportfdp.exe");
        assert_eq!(one_line("\u{645}\u{6cc}\u{200c}\u{62e}"), "\u{645}\u{6cc}\u{200c}\u{62e}");
    }

    #[test]
    fn secrets_and_line_breaks_go() {
        assert_eq!(one_line(&without("user\nbob: s3cret!", ["s3cret", ""])), "user bob: [redacted]!");
    }
}
