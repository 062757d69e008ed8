//! The files on which a wait still depends.

use std::fmt;

use crate::models::FileStatus;

/// Number of files that the error of a wait names. The error has the statuses of all.
pub(crate) const MAX_NAMED_FILES: usize = 3;
/// Longest name of a file in an error, in characters. With the names of the files, the whole error fits into one line of 512 characters.
const MAX_NAME: usize = 60;

/// The files of the last status that are not processed. Empty for a package.
#[derive(Clone, Default)]
pub(crate) struct OpenFiles {
    /// The files that are neither processed nor failed.
    pub(crate) unfinished: Vec<FileStatus>,
    pub(crate) failed: Vec<FileStatus>,
}

impl fmt::Debug for OpenFiles {
    /// Counts the files, because a dossier may have thousands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("OpenFiles");
        fields.field("unfinished", &self.unfinished.len()).field("failed", &self.failed.len()).finish()
    }
}

impl OpenFiles {
    /// Returns the names of the first unfinished files; `None` if there are none.
    pub(crate) fn names(&self) -> Option<String> {
        let named: Vec<_> = self.unfinished.iter().take(MAX_NAMED_FILES).map(display_name).collect();
        let rest = self.unfinished.len() - named.len();
        match rest {
            _ if named.is_empty() => None,
            0 => Some(named.join(", ")),
            rest => Some(format!("{} and {rest} more", named.join(", "))),
        }
    }
}

/// Returns the shortened name of the file, or its id if the service reports no name.
pub(crate) fn display_name(file: &FileStatus) -> String {
    shortened(file.file_name.as_deref().unwrap_or(file.id.as_str()), MAX_NAME)
}

/// Returns the first `limit` characters of a text.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
