//! The texts of an error.

use std::fmt;

use super::Error;
use crate::text::printable;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        let message = self.0.message.as_str();
        if f.alternate() {
            let sources: Vec<_> = self.sources().map(|source| printable(&source.to_string())).collect();
            let head = without_repetition(message, sources.first().map_or("", String::as_str));
            let parts: Vec<_> = [head].into_iter().chain(sources.iter().map(String::as_str)).collect();
            f.write_str(parts.join(": ").trim_start_matches(": "))?;
        } else if self.0.note.is_some() {
            f.write_str(message.trim_end_matches('.'))?;
        } else {
            f.write_str(message)?;
        }
        if let Some(note) = &self.0.note {
            write!(f, "; {note}")?;
        }
        if let Some(id) = &self.0.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self}")?;
        for source in self.sources() {
            writeln!(f, "  source: {}", printable(&source.to_string()))?;
        }
        writeln!(f, "  kind: {:?}", self.0.kind)?;
        if let Some(status) = self.0.status {
            writeln!(f, "  status: {status}")?;
        }
        if let Some(timestamp) = &self.0.api_timestamp {
            writeln!(f, "  service timestamp: {timestamp}")?;
        }
        if let Some(after) = self.0.retry_after {
            writeln!(f, "  retry after: {after:?}")?;
        }
        if let Some(snippet) = &self.0.body_snippet {
            writeln!(f, "  body snippet: {snippet:?}")?;
        }
        if let Some(phase) = self.0.phase {
            writeln!(f, "  timeout: {phase:?}")?;
        }
        writeln!(f, "  attempts: {}, elapsed: {:?}", self.0.attempts, self.0.elapsed)?;
        writeln!(f, "  was sent: {}, safe to repeat: {}", self.was_sent(), self.is_safe_to_repeat())?;
        Ok(())
    }
}

/// Returns the part of a message that its source does not repeat: nothing if the source continues the message, everything but the reason if the
/// source is the same reason in the words of the system.
fn without_repetition<'a>(message: &'a str, source: &str) -> &'a str {
    let source = source.to_lowercase();
    let is_repeated = |part: &str| source.starts_with(&part.to_lowercase());
    match message.rsplit_once(": ") {
        _ if source.is_empty() => message,
        _ if is_repeated(message) => "",
        Some((head, reason)) if is_repeated(reason) => head,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::time::Duration;

    use super::*;
    use crate::error::{ErrorKind, Sent, TextCause, TimeoutPhase};

    #[test]
    fn display_is_one_line_and_debug_lists_all_data() {
        let error = Error::new(ErrorKind::Timeout, "no data received for 1s")
            .with_operation("getDossier")
            .with_request_id(Some("r-1".into()))
            .with_phase(TimeoutPhase::Idle)
            .with_note("not retried")
            .with_attempts(2, Duration::from_secs(3))
            .with_sent(Sent::Maybe);
        assert_eq!(error.to_string(), "getDossier: no data received for 1s; not retried (request r-1)");
        let lines = [
            "getDossier: no data received for 1s; not retried (request r-1)",
            "  kind: Timeout",
            "  timeout: Idle",
            "  attempts: 2, elapsed: 3s",
            "  was sent: true, safe to repeat: false",
            "",
        ];
        assert_eq!(format!("{error:?}"), lines.join("\n"));
    }

    #[test]
    fn display_omits_the_source_and_the_alternate_form_includes_it_once() {
        let full = std::io::Error::from_raw_os_error(28);
        let text = full.to_string();
        let error = Error::file("cannot write a.zip", full).with_note("free space");
        #[cfg(target_os = "linux")]
        assert_eq!(error.to_string(), "cannot write a.zip: no space left; free space");
        assert!(format!("{error:#}").ends_with(&format!(": {text}; free space")), "{error:#}");

        // The text of the system and the reason are the same words.
        let denied =
            std::io::Error::new(std::io::ErrorKind::PermissionDenied, TextCause::new("Permission denied (13)"));
        let error = Error::file("cannot read a.pdf", denied);
        assert_eq!(error.to_string(), "cannot read a.pdf: permission denied");
        assert_eq!(format!("{error:#}"), "cannot read a.pdf: Permission denied (13)");
        assert!(format!("{error:?}").contains("\n  source: Permission denied (13)\n"), "{error:?}");

        // A text is its own reason, so there is nothing behind it.
        let error = Error::file("cannot write a.zip", std::io::Error::other("not a folder"));
        assert_eq!(error.to_string(), "cannot write a.zip: not a folder");
        assert!(error.source().is_none());

        // A cause with a type of its own.
        let error = Error::file("cannot write", std::io::Error::other(TextCause::new("bucket closed")));
        assert_eq!(
            (error.to_string().as_str(), format!("{error:#}").as_str()),
            ("cannot write", "cannot write: bucket closed")
        );
        assert!(error.detail::<std::io::Error>().is_some());
    }
}
