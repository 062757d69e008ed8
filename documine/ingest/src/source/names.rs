//! Names of files: hidden and temporary names, and the notation of paths in tables and reports.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Endings of names that browsers, copy programs and editors give to unfinished files.
const UNFINISHED: [&str; 12] = [
    ".aria2",
    ".crdownload",
    ".download",
    ".filepart",
    ".inprogress",
    ".opdownload",
    ".part",
    ".partial",
    ".swp",
    ".temp",
    ".tmp",
    ".uploading",
];

/// Returns whether a name is one of a temporary file: an unfinished download or copy, the lock file of an office program, or the backup of an editor.
pub(super) fn is_temporary(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_lock = name.starts_with("~$") || name.starts_with(".~lock.");
    is_lock || name.ends_with('~') || UNFINISHED.iter().any(|ending| name.ends_with(ending))
}

/// Returns whether a name is hidden by the convention of Unix.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != "." && name != ".."
}

/// Returns a path as text, with `/` between its components. Fails if the path is not valid Unicode, because a journal and most tables cannot hold it.
pub(super) fn text(path: &Path) -> Result<Cow<'_, str>> {
    let Some(text) = path.to_str() else {
        return Err(Error::input(format!(
            "{}: the name is not valid UTF-8; rename the file, or exclude it",
            path.display()
        )));
    };
    Ok(if MAIN_SEPARATOR == '/' { Cow::Borrowed(text) } else { Cow::Owned(text.replace(MAIN_SEPARATOR, "/")) })
}

/// Returns the last component of a path as text.
pub(super) fn file_name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

/// Makes a path absolute without resolving links, as it is stored in the journal.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        let shown = path.display();
        Error::input(format!("{shown:?}: not a path: {error}; check the path")).with_source(error)
    })
}

/// A set of texts that keeps 16 bytes of each: a million paths do not sit in memory.
#[derive(Debug, Default)]
pub(super) struct TextSet(Mutex<HashSet<u128>>);

impl TextSet {
    /// Adds a text. Returns whether the text is new.
    pub(super) fn insert(&self, text: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(fingerprint(text))
    }

    /// Returns whether a text was added.
    pub(super) fn contains(&self, text: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&fingerprint(text))
    }
}

/// Returns the first half of the SHA-256.
pub(super) fn fingerprint(text: &[u8]) -> u128 {
    Sha256::digest(text).iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_names_of_temporary_files() {
        for name in ["~$report.docx", "a.pdf.part", "A.PDF.CRDOWNLOAD", "b.tmp", "c.pdf.filepart", "notes.txt~"] {
            assert!(is_temporary(name), "{name}");
        }
        for name in ["report.pdf", "part.pdf", "a.parts", "tmp", "~report.pdf"] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
