//! Workbook data that cells of all sheets refer to.

use super::number_format::NumberFormat;

/// Data of the workbook that cells of all sheets refer to.
#[derive(Debug, Default)]
pub(super) struct WorkbookData {
    pub(super) shared_strings: SharedStrings,
    /// Number formats by the style index of a cell.
    pub(super) formats: Vec<NumberFormat>,
    pub(super) from_1904: bool,
}

/// The shared strings in one buffer. An empty string takes four bytes, fewer than its XML.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    pub(super) buffer: String,
    pub(super) ends: Vec<u32>,
}

impl SharedStrings {
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.buffer.get(start as usize..end as usize)
    }
}
