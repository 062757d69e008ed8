//! The error of a single list item.

use std::fmt;

use crate::error::Error;

/// An item of a list that exceeds the size limit or does not match the document.
///
/// Other items are not affected: `stream_each` of the list continues after the item.
#[derive(Debug, Clone)]
pub struct BadItem {
    pub(super) index: u64,
    pub(super) error: Box<Error>,
}

impl BadItem {
    /// Returns the index of the item in the whole list.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Returns the error, which names the item and the field. The beginning of the item is in [`body_snippet`](Error::body_snippet).
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for BadItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for BadItem {
    /// Returns the source of the error, whose text is that of this item.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<BadItem> for Error {
    fn from(bad: BadItem) -> Self {
        *bad.error
    }
}
