//! An element of a list that can't be read.

use std::fmt;

use crate::error::Error;

/// An element of a list that is larger than what is kept of one, or not what the document describes. The elements behind it are not touched
/// by that: [`List::stream_each`](crate::List::stream_each) goes on with them.
#[derive(Debug, Clone)]
pub struct BadItem {
    pub(super) index: u64,
    pub(super) error: Box<Error>,
}

impl BadItem {
    /// How many items stand before it in the whole list.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// What is wrong with it: its text names the element and the field; the beginning of the element is in
    /// [`body_snippet`](Error::body_snippet).
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for BadItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for BadItem {}

impl From<BadItem> for Error {
    fn from(bad: BadItem) -> Self {
        *bad.error
    }
}
