//! Texts of others, made fit for an error: bounded, one line, without secrets.

/// Of a body that could not be understood, an error keeps at most this many bytes.
pub const SNIPPET_LIMIT: usize = 512;

/// A message as one bounded line, whatever the service put into it.
pub(crate) fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let line: String = text.chars().map(|c| if breaks(c) { ' ' } else { c }).take(SNIPPET_LIMIT).collect();
    line.trim().to_owned()
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
    fn secrets_and_line_breaks_go() {
        assert_eq!(one_line(&without("user\nbob: s3cret!", ["s3cret", ""])), "user bob: [redacted]!");
    }
}
