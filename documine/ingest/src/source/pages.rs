//! Counting the pages of a PDF file while it is read, without parsing the file.

use memchr::memmem::Finder;

/// The key of an object's type.
const TYPE: &[u8] = b"/Type";
/// The type of a page; `/Pages` is a node of the page tree.
const PAGE: &[u8] = b"/Page";
/// Most bytes of white space between key and value. Writers use at most two.
const MAX_SPACE: usize = 16;
/// Bytes of a match, with the byte behind it.
const WINDOW: usize = TYPE.len() + MAX_SPACE + PAGE.len() + 1;

/// Counts the objects of type `/Page` outside of compressed streams.
pub(super) struct PageCounter {
    finder: Finder<'static>,
    /// The end of the previous bytes, in which a match can begin.
    rest: Vec<u8>,
    pages: u32,
}

impl Default for PageCounter {
    fn default() -> Self {
        Self { finder: Finder::new(TYPE), rest: Vec::with_capacity(2 * WINDOW), pages: 0 }
    }
}

impl PageCounter {
    /// Counts the page objects in the next bytes of the file.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        // Matches that begin in the previous bytes.
        let previous = self.rest.len();
        self.rest.extend_from_slice(bytes.get(..WINDOW.min(bytes.len())).unwrap_or_default());
        if bytes.len() < WINDOW {
            // Too few bytes to decide all matches: only those that have a complete window are counted now.
            let decided = self.rest.len().saturating_sub(WINDOW - 1);
            self.pages += count(&self.finder, &self.rest, decided);
            self.rest.drain(..decided);
            return;
        }
        self.pages += count(&self.finder, &self.rest, previous);
        let decided = bytes.len() - (WINDOW - 1);
        self.pages += count(&self.finder, bytes, decided);
        self.rest.clear();
        self.rest.extend_from_slice(bytes.get(decided..).unwrap_or_default());
    }

    /// Returns the number of page objects; `None` if there are none.
    pub(super) fn finish(self) -> Option<u32> {
        let pages = self.pages + count(&self.finder, &self.rest, self.rest.len());
        (pages > 0).then_some(pages)
    }
}

/// Counts the page objects that begin in the first `end` bytes.
fn count(finder: &Finder<'_>, bytes: &[u8], end: usize) -> u32 {
    let starts = finder.find_iter(bytes).take_while(|start| *start < end);
    let pages = starts.filter(|start| bytes.get(start + TYPE.len()..).is_some_and(begins_with_page)).count();
    u32::try_from(pages).unwrap_or(u32::MAX)
}

/// Returns whether the value behind the key `/Type` is `/Page`.
fn begins_with_page(bytes: &[u8]) -> bool {
    // White space according to ISO 32000-1, 7.2.2.
    let space = bytes.iter().take(MAX_SPACE).take_while(|byte| b"\0\t\n\x0c\r ".contains(byte)).count();
    let value = bytes.get(space..).and_then(|value| value.strip_prefix(PAGE));
    // A name ends at white space or at a delimiter.
    value.is_some_and(|rest| rest.first().is_none_or(|byte| b"\0\t\n\x0c\r ()<>[]{}/%".contains(byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pages(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Option<u32> {
        let mut counter = PageCounter::default();
        for piece in pieces {
            counter.update(piece.as_ref());
        }
        counter.finish()
    }

    #[test]
    fn counts_page_objects_and_no_others() {
        assert_eq!(pages(["<< /Type /Page /Parent 2 0 R >>"]), Some(1));
        assert_eq!(pages(["<</Type/Page>><</Type\r\n/Page>><< /Type /Pages >>"]), Some(2));
        assert_eq!(pages(["/Type /Page"]), Some(1), "at the end of the file");
        assert_eq!(pages(["/Type /Pages /Type /PageLabel /Type /Font /Subtype /Page"]), None);
        assert_eq!(pages(["no PDF"]), None);
    }

    #[test]
    fn the_count_does_not_depend_on_the_pieces() {
        let text = b"x /Type /Page /Type/Pages /Type /Page>> /Type  /Page\n/Type/Page(".repeat(3);
        for length in 1..=text.len() {
            assert_eq!(pages(text.chunks(length)), Some(12), "pieces of {length} bytes");
        }
    }
}
