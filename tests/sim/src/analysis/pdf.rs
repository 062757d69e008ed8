//! Parses PDFs: number of pages, text, image-only pages, title.
//!
//! Everything here runs on its own thread (see `reader`), because a hostile file can make the library panic or run for a long time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use pdf_extract::content::{Content, Operation};
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream, output_doc_page};
use serde::{Deserialize, Serialize};

use super::content::{self, Fonts, PageContent, TextOperator};
use super::layout::{PageCollector, TextLine};
use super::{repair, title};

/// Maximum number of reported unreadable fonts.
const MAX_UNREAD: usize = 100;

/// The result of reading a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DocumentText {
    pub(crate) pages: Vec<PageText>,
    /// The title of the metadata, else the first heading.
    pub(crate) title: Option<String>,
    /// The first heading.
    pub(crate) heading: Option<String>,
    /// The reason why text is missing.
    pub(crate) incomplete: Option<String>,
    /// Unreadable fonts, by page.
    #[serde(default)]
    pub(crate) unread: Vec<UnreadFont>,
}

/// An unreadable font of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnreadFont {
    pub(crate) font: String,
    pub(crate) page: u32,
}

/// The text of one page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PageText {
    /// The lines in drawing order.
    pub(crate) text: String,
    /// The lines from top to bottom, if this order differs.
    pub(crate) visual: Option<String>,
    /// True if the page has images and no text.
    pub(crate) image_only: bool,
}

impl DocumentText {
    /// Returns the number of pages that need text recognition.
    pub(crate) fn image_pages(&self) -> usize {
        self.pages.iter().filter(|page| page.image_only).count()
    }
}

/// The reason why an upload is rejected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReadError {
    Empty,
    NotPdf,
    Encrypted,
    Broken(String),
    /// All reader threads are in use.
    Busy,
}

impl ReadError {
    /// Returns the message for the caller.
    pub(crate) fn message(&self, name: &str) -> String {
        match self {
            Self::Empty => format!("The file {name} is empty."),
            Self::NotPdf => format!("The file {name} is not a PDF document."),
            Self::Encrypted => format!("The file {name} is encrypted. Please upload it without password protection."),
            Self::Busy => "The service is busy reading other documents. Please upload the file again later.".to_owned(),
            Self::Broken(why) => format!("The file {name} is damaged and can't be read as a PDF document: {why}."),
        }
    }
}

/// Parses the document in `bytes`. Text that is not read before `deadline` is left out.
pub(super) fn read(bytes: &[u8], deadline: Instant) -> Result<DocumentText, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let start = bytes.windows(5).take(1024).position(|window| window == b"%PDF-").ok_or(ReadError::NotPdf)?;
    let malformed = || ReadError::Broken("its structure is invalid".to_owned());
    let mut document = catch_panic(|| load(&bytes[start..])).unwrap_or_else(|| Err(malformed()))?;
    // A failed repair leaves the document unchanged and costs at most the text of a page.
    let _ = catch_panic(|| repair::prepare(&mut document));
    let pages = catch_panic(|| document.get_pages()).unwrap_or_default();
    if pages.is_empty() {
        return Err(ReadError::Broken("it has no pages".to_owned()));
    }
    let declared = catch_panic(|| title::declared(&document)).flatten();
    let mut read = DocumentText::default();
    let mut first_lines: Vec<TextLine> = Vec::new();
    let mut reader = PageReader::new(document);
    for (number, id) in pages {
        let page = if read.incomplete.is_none() {
            reader.read_page(id, deadline)
        } else {
            // After the deadline the pages still count, without text.
            PageResult::default()
        };
        if page.cut {
            read.incomplete = Some(format!("Reading the text took too long; it was stopped on page {number}."));
        }
        if first_lines.is_empty() {
            first_lines = page.lines;
        }
        let unread = page.unread.into_iter().map(|font| UnreadFont { font, page: number });
        read.unread.extend(unread.take(MAX_UNREAD.saturating_sub(read.unread.len())));
        read.pages.push(page.text);
    }
    read.heading = title::heading(&first_lines);
    read.title = declared.or_else(|| read.heading.clone());
    Ok(read)
}

/// Loads a document. An encrypted document is accepted if it opens without a password, because the owner's restrictions apply to editing and
/// printing.
fn load(bytes: &[u8]) -> Result<Document, ReadError> {
    let first = Document::load_mem(bytes);
    let error = match first {
        Ok(document) if !is_locked(&document) => return Ok(document),
        Ok(document) => {
            let moved = repair::with_encryption_as_object(bytes, &document.trailer);
            if let Some(document) = moved.and_then(|bytes| unlocked(&bytes)) {
                return Ok(document);
            }
            "it is encrypted".to_owned()
        }
        Err(error) => error.to_string(),
    };
    if let Some(document) = repair::rebuilt(bytes).and_then(|bytes| unlocked(&bytes)).filter(is_whole) {
        return Ok(document);
    }
    // An encrypted file fails in many ways; the marker names the reason.
    let encrypted = bytes.windows(8).any(|window| window == b"/Encrypt");
    Err(if encrypted { ReadError::Encrypted } else { ReadError::Broken(error) })
}

fn unlocked(bytes: &[u8]) -> Option<Document> {
    Document::load_mem(bytes).ok().filter(|document| !is_locked(document))
}

/// Returns whether the library could not decrypt the document. After decryption the library removes the entry.
fn is_locked(document: &Document) -> bool {
    document.trailer.has(b"Encrypt")
}

/// Returns whether the document has as many pages as it declares.
fn is_whole(document: &Document) -> bool {
    let root =
        document.catalog().and_then(|catalog| catalog.get(b"Pages")).and_then(|pages| document.dereference(pages));
    let count = root.and_then(|(_, pages)| pages.as_dict()?.get(b"Count")?.as_i64()).ok();
    count == i64::try_from(document.get_pages().len()).ok()
}

#[derive(Default)]
struct PageResult {
    text: PageText,
    lines: Vec<TextLine>,
    unread: BTreeSet<String>,
    cut: bool,
}

/// Reads pages through a document whose only page is replaced for each page, so that pages do not affect each other.
struct PageReader {
    document: Document,
    fonts: Fonts,
    page: ObjectId,
    content: ObjectId,
}

impl PageReader {
    fn new(mut document: Document) -> Self {
        let [root, tree, page, content] = [(); 4].map(|()| document.new_object_id());
        let mut catalog = Dictionary::new();
        catalog.set("Type", "Catalog");
        catalog.set("Pages", tree);
        let mut pages = Dictionary::new();
        pages.set("Type", "Pages");
        pages.set("Kids", vec![Object::Reference(page)]);
        pages.set("Count", 1);
        document.objects.insert(root, catalog.into());
        document.objects.insert(tree, pages.into());
        document.trailer.set("Root", root);
        Self { document, fonts: Fonts::default(), page, content }
    }

    fn read_page(&mut self, id: ObjectId, deadline: Instant) -> PageResult {
        let (document, fonts) = (&self.document, &mut self.fonts);
        let mut drawn = catch_panic(|| content::text_operators(document, fonts, id, deadline)).unwrap_or_default();
        let (mut collector, clean) = self.draw(&drawn, |_| true, deadline);
        if !clean && !collector.cut {
            self.replace_broken_fonts(&mut drawn, deadline);
            collector = self.draw(&drawn, |_| true, deadline).0;
        }
        self.fonts.end_page();
        let lines = collector.drawn_lines();
        let text = text_of(&lines);
        let visual = Some(text_of(&collector.visual_lines())).filter(|visual| *visual != text && !visual.is_empty());
        let cut = collector.cut || drawn.cut;
        let image_only = text.trim().is_empty() && drawn.has_images && drawn.unread.is_empty() && !cut;
        PageResult { text: PageText { text, visual, image_only }, lines, unread: drawn.unread, cut }
    }

    /// Finds the fonts on which the library fails, and replaces each with a simplified font. Text in a font without a working replacement is left
    /// out.
    fn replace_broken_fonts(&mut self, drawn: &mut PageContent, deadline: Instant) {
        for font in drawn.fonts.clone() {
            let only = |operator: &TextOperator| operator.font == Some(font);
            if self.draw(drawn, only, deadline).1 {
                continue;
            }
            let name = self.fonts.base_name(font);
            let replaced = self.fonts.simplified(font).into_iter().any(|simpler| {
                self.fonts.replace(font, Some(simpler));
                self.draw(drawn, only, deadline).1
            });
            if !replaced {
                self.fonts.replace(font, None);
                drawn.operators.retain(|operator| operator.font != Some(font));
                drawn.fonts.remove(&font);
                drawn.unread.insert(name);
            }
        }
    }

    /// Draws the selected operators. Returns the collected glyphs, and whether the library succeeded.
    fn draw(
        &mut self,
        drawn: &PageContent,
        selected: impl Fn(&TextOperator) -> bool,
        deadline: Instant,
    ) -> (PageCollector, bool) {
        let mut collector = PageCollector::new(deadline);
        let operations: Vec<Operation> = drawn
            .operators
            .iter()
            .filter(|operator| selected(operator))
            .map(|operator| operator.operation.clone())
            .collect();
        let Ok(content) = (Content { operations }).encode() else { return (collector, false) };
        let fonts = drawn.fonts.iter().filter_map(|font| Some((*font, self.fonts.dictionary(*font)?)));
        let mut resources = Dictionary::new();
        resources.set(
            "Font",
            fonts.map(|(font, dictionary)| (Fonts::name(font), dictionary.into())).collect::<Dictionary>(),
        );
        let mut page = Dictionary::new();
        page.set("Type", "Page");
        // Only the relative positions of glyphs matter.
        page.set("MediaBox", vec![0.into(), 0.into(), 595.into(), 842.into()]);
        page.set("Resources", resources);
        page.set("Contents", self.content);
        self.document.objects.insert(self.page, page.into());
        self.document.objects.insert(self.content, Stream::new(Dictionary::new(), content).into());
        let clean = catch_panic(|| output_doc_page(&self.document, &mut collector, 1).is_ok()).unwrap_or(false);
        (collector, clean)
    }
}

fn text_of(lines: &[TextLine]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Runs `work`. A panic returns `None`.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
