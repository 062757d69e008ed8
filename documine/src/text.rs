//! Texts of others, made fit for an error: bounded, one line, without secrets.

/// Of a body that could not be understood, an error keeps at most this many bytes.
pub const SNIPPET_LIMIT: usize = 512;

/// A message as one bounded line, whatever the service put into it.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SNIPPET_LIMIT).collect();
    line.trim().to_owned()
}

/// The text with each of the `secrets` in it made unreadable.
pub(crate) fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    secrets
        .into_iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_line_breaks_go() {
        assert_eq!(one_line(&without("user\nbob: s3cret!", ["s3cret", ""])), "user bob: [redacted]!");
    }
}
