//! Reads a PDF: how many pages, what text on each, which pages are only pictures, what the title is.
//!
//! Everything here runs on a thread of its own (see `reader`), because a hostile file may make the library panic or take its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use pdf_extract::{Dictionary, Document, Object, ObjectId, output_doc, output_doc_page};
use serde::{Deserialize, Serialize};

use super::layout::{DocumentCollector, Line, PageCollector};
use super::{forms, operators, repair, title};

/// What was read from a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DocumentText {
    pub(crate) pages: Vec<PageText>,
    /// The title: what the file says of itself, else its first heading.
    pub(crate) title: Option<String>,
    /// The first heading.
    pub(crate) heading: Option<String>,
    /// Why some of it could not be read.
    pub(crate) trouble: Option<String>,
}

/// The text of one page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PageText {
    /// Lines in the order in which the file draws them.
    pub(crate) text: String,
    /// Lines from top to bottom, if that is another order.
    pub(crate) visual: Option<String>,
    /// A page with pictures and without any text.
    pub(crate) image_only: bool,
}

impl DocumentText {
    /// Number of pages that need text recognition.
    pub(crate) fn image_pages(&self) -> usize {
        self.pages.iter().filter(|page| page.image_only).count()
    }
}

/// Why an upload is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unreadable {
    Empty,
    NotPdf,
    Encrypted,
    Broken(String),
    /// All threads for reading are taken.
    Busy,
}

impl Unreadable {
    /// The words for the caller.
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

/// Reads the document in `bytes`; text that is not read by `deadline` is left out.
pub(super) fn read(bytes: &[u8], deadline: Instant) -> Result<DocumentText, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    let start = bytes.windows(5).take(1024).position(|window| window == b"%PDF-").ok_or(Unreadable::NotPdf)?;
    let nonsense = || Unreadable::Broken("its structure makes no sense".to_owned());
    let mut document = guarded(|| load(&bytes[start..])).unwrap_or_else(|| Err(nonsense()))?;
    // What can't be put right is left as it is, and costs a page its text at most.
    let _ = guarded(|| repair::prepare(&mut document));
    let _ = guarded(|| forms::tame(&mut document));
    let _ = guarded(|| operators::spell_out(&mut document));
    let pages = guarded(|| document.get_pages()).unwrap_or_default();
    if pages.is_empty() {
        return Err(Unreadable::Broken("it has no pages".to_owned()));
    }
    // All pages in one go; those behind one that made the library stumble are tried one by one below.
    let mut collector = DocumentCollector::new(deadline);
    let _ = guarded(|| output_doc(&document, &mut collector));
    let mut read = DocumentText::default();
    let mut first_lines: Vec<Line> = Vec::new();
    for (number, id) in pages {
        let page = if read.trouble.is_none() {
            read_page(&document, number, id, collector.take(number), deadline)
        } else {
            // The time is used up: the pages still count, their text is missing.
            Page::default()
        };
        if page.cut {
            read.trouble = Some(format!("Reading the text took too long; it was stopped on page {number}."));
        }
        if first_lines.is_empty() {
            first_lines = page.lines;
        }
        read.pages.push(page.text);
    }
    read.heading = title::heading(&first_lines);
    read.title = guarded(|| title::declared(&document)).flatten().or_else(|| read.heading.clone());
    Ok(read)
}

fn load(bytes: &[u8]) -> Result<Document, Unreadable> {
    let loaded = Document::load_mem(bytes).or_else(|error| {
        // An encrypted file that can't be opened fails in many ways; it still says what it is.
        if bytes.windows(8).any(|window| window == b"/Encrypt") {
            return Err(Unreadable::Encrypted);
        }
        let again = repair::rebuilt(bytes).and_then(|bytes| Document::load_mem(&bytes).ok());
        again.filter(is_whole).ok_or_else(|| Unreadable::Broken(error.to_string()))
    })?;
    // The library opens files whose password is empty; what the trailer says counts all the same.
    let encrypted = loaded.trailer.has(b"Encrypt") || loaded.was_encrypted();
    if encrypted { Err(Unreadable::Encrypted) } else { Ok(loaded) }
}

/// Whether all pages are there that the document says it has.
fn is_whole(document: &Document) -> bool {
    let root =
        document.catalog().and_then(|catalog| catalog.get(b"Pages")).and_then(|pages| document.dereference(pages));
    let count = root.and_then(|(_, pages)| pages.as_dict()?.get(b"Count")?.as_i64()).ok();
    count == i64::try_from(document.get_pages().len()).ok()
}

#[derive(Default)]
struct Page {
    text: PageText,
    lines: Vec<Line>,
    cut: bool,
}

fn read_page(document: &Document, number: u32, id: ObjectId, read: Option<PageCollector>, deadline: Instant) -> Page {
    let mut clean = true;
    let collector = read.unwrap_or_else(|| {
        let mut alone = DocumentCollector::new(deadline);
        clean = guarded(|| output_doc_page(document, &mut alone, number).is_ok()).unwrap_or(false);
        alone.last()
    });
    let lines = collector.drawn_lines();
    let mut text = text_of(&lines);
    if text.trim().is_empty() && !clean && !collector.cut {
        // The library stumbled over a font or an operator: its plainer sister may still get the words.
        text = guarded(|| document.extract_text(&[number]).ok()).flatten().unwrap_or_default();
    }
    let visual = Some(text_of(&collector.visual_lines())).filter(|visual| *visual != text && !visual.is_empty());
    let image_only = text.trim().is_empty() && !collector.cut && guarded(|| has_picture(document, id)).unwrap_or(false);
    Page { text: PageText { text, visual, image_only }, lines, cut: collector.cut }
}

fn text_of(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn has_picture(document: &Document, page: ObjectId) -> bool {
    let inline = document
        .get_page_content(page)
        .is_ok_and(|content| content.windows(4).any(|window| window == b" ID " || window == b"\nID "));
    inline
        || document.get_page_resources(page).is_ok_and(|(own, inherited)| {
            let inherited = inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok());
            own.into_iter().chain(inherited).any(|resources| pictures_in(document, resources, 3))
        })
}

/// Whether the resources name a picture, directly or in a form within `depth` levels.
fn pictures_in(document: &Document, resources: &Dictionary, depth: u8) -> bool {
    let Ok(objects) = document.get_dict_in_dict(resources, b"XObject") else { return false };
    objects.iter().any(|(_, object)| {
        let Ok((_, Object::Stream(stream))) = document.dereference(object) else { return false };
        match stream.dict.get(b"Subtype").and_then(Object::as_name) {
            Ok(b"Image") => true,
            Ok(b"Form") if depth > 0 => document
                .get_dict_in_dict(&stream.dict, b"Resources")
                .is_ok_and(|inner| pictures_in(document, inner, depth - 1)),
            _ => false,
        }
    })
}

/// Runs `work`; a panic in it counts as no result.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
