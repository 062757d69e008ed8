//! Short reasons of I/O errors.

/// Appends the reason of a failure to the text that says what failed.
pub(crate) fn with_reason(what: &str, reason: Option<String>) -> String {
    match reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    }
}

/// The text before the path of a temporary file, which tempfile appends to errors. The path is meaningless to a caller.
pub(super) const TEMPORARY_PATH: &str = " at path ";

/// Returns a short reason of an I/O error by its kind, the same on every system; `None` if its kind says nothing.
///
/// Messages contain the reason, while the text of the system stays in the source of the error.
pub(crate) fn io_reason(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as Kind;
    if is_text_only(error) {
        return Some(error.to_string());
    }
    let known = match error.kind() {
        Kind::Other => return None,
        Kind::NotFound => "no such file or directory",
        Kind::AlreadyExists => "file exists",
        Kind::StorageFull => "no space left",
        kind => {
            let text = kind.to_string();
            // The standard library has no name for this error of the system.
            return (text != "uncategorized error").then_some(text);
        }
    };
    Some(known.to_owned())
}

/// Returns whether an I/O error was made from a text, so that there is no cause behind it. The type of such a payload is private to the
/// standard library, and formats itself as the text in quotes.
pub(super) fn is_text_only(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|payload| format!("{payload:?}") == format!("{:?}", payload.to_string()))
}
