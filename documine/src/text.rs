//! Makes texts of the service fit for an error: bounded, one line, without secrets.

/// The limit on the snippet of a body in an error, in bytes.
pub(crate) const SNIPPET_LIMIT: usize = 512;

/// Returns a text as one bounded line.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = printable(text).chars().take(SNIPPET_LIMIT).collect();
    line.trim().to_owned()
}

/// Removes characters with an effect on terminals and logs: control characters and line breaks become spaces, hidden characters are dropped.
pub(crate) fn printable(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !is_hidden(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

/// Returns whether a character is invisible and changes how others are shown: bidirectional controls (Unicode Annex 9), interlinear annotations,
/// tags, the byte order mark.
///
/// Joiners are kept, because some scripts need them.
pub(crate) fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Masks each of the `secrets` in a text, including overlapping ones: one secret may be the beginning of another.
pub(crate) fn mask_secrets<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
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
    fn removes_control_and_hidden_characters() {
        assert_eq!(one_line("a\u{1b}[31mred\r\nb\u{85}c\u{7f}"), "a [31mred  b c");
        assert_eq!(one_line("report\u{202e}fdp.exe\u{2066}\u{feff}\u{e0041}"), "reportfdp.exe");
        assert_eq!(one_line("\u{645}\u{6cc}\u{200c}\u{62e}"), "\u{645}\u{6cc}\u{200c}\u{62e}");
    }

    #[test]
    fn masks_secrets_and_removes_line_breaks() {
        assert_eq!(one_line(&mask_secrets("user\nbob: s3cret!", ["s3cret", ""])), "user bob: [redacted]!");
    }
}
