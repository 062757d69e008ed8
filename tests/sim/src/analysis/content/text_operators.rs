//! Extracts the operators that place text from the content of a page.

use std::collections::BTreeSet;
use std::time::Instant;

use pdf_extract::content::Operation;
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

use super::fonts::{Fonts, PreparedFont};
use super::lexer::{Lexer, real};

/// Maximum number of forms on a page.
const MAX_FORMS: usize = 50_000;
/// Maximum depth of nested forms.
const MAX_DEPTH: usize = 40;
/// Maximum number of operators on a page.
const MAX_OPERATORS: usize = 2_000_000;

/// An operator that the PDF library supports, with the font that it sets or uses.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct TextOperator {
    pub(in crate::analysis) operation: Operation,
    pub(in crate::analysis) font: Option<usize>,
}

/// The text operators of a page.
#[derive(Debug, Default)]
pub(in crate::analysis) struct PageContent {
    pub(in crate::analysis) operators: Vec<TextOperator>,
    /// The fonts in use, by their number in [`Fonts`].
    pub(in crate::analysis) fonts: BTreeSet<usize>,
    /// The names of the fonts whose text was left out.
    pub(in crate::analysis) unread: BTreeSet<String>,
    pub(in crate::analysis) has_images: bool,
    /// True if a limit ended the reading.
    pub(in crate::analysis) cut: bool,
}

/// Returns the text operators of `page`.
pub(in crate::analysis) fn text_operators(
    document: &Document,
    fonts: &mut Fonts,
    page: ObjectId,
    deadline: Instant,
) -> PageContent {
    let empty = Dictionary::new();
    let resources = inherited_resources(document, page).unwrap_or(&empty);
    let content = document.get_page_content(page).unwrap_or_default();
    let mut filter = OperatorFilter {
        document,
        fonts,
        drawn: PageContent::default(),
        font: None,
        open: Vec::new(),
        forms: 0,
        seen: 0,
        deadline,
    };
    filter.stream(&content, resources);
    filter.drawn
}

struct OperatorFilter<'d, 'f> {
    document: &'d Document,
    fonts: &'f mut Fonts,
    drawn: PageContent,
    /// The current font.
    font: Option<usize>,
    /// The forms being drawn. A form that contains itself is left out.
    open: Vec<ObjectId>,
    forms: usize,
    seen: usize,
    deadline: Instant,
}

impl<'d> OperatorFilter<'d, '_> {
    fn stream(&mut self, content: &[u8], resources: &'d Dictionary) {
        let mut saved = Vec::new();
        for (operator, mut operands) in Lexer::new(content) {
            self.seen += 1;
            if self.seen > MAX_OPERATORS || (self.seen.is_multiple_of(256) && Instant::now() > self.deadline) {
                self.drawn.cut = true;
            }
            if self.drawn.cut {
                break;
            }
            match operator.as_str() {
                "q" => {
                    saved.push(self.font);
                    self.push("q", Vec::new());
                }
                // A surplus `Q` would restore a state that this stream has not saved.
                "Q" => {
                    if let Some(font) = saved.pop() {
                        self.font = font;
                        self.push("Q", Vec::new());
                    }
                }
                "BT" | "ET" | "T*" => self.push(&operator, Vec::new()),
                "cm" | "Tm" => self.numbers(&operator, operands, 6),
                "Td" | "TD" => self.numbers(&operator, operands, 2),
                "Tc" | "Tw" | "Tz" | "TL" | "Ts" => self.numbers(&operator, operands, 1),
                "Tf" => self.set_font(&operands, resources),
                "Tj" | "TJ" => self.show(operands.pop()),
                "'" => {
                    self.push("T*", Vec::new());
                    self.show(operands.pop());
                }
                "\"" => {
                    let text = operands.pop();
                    if let [.., words, letters] = operands.as_slice() {
                        let (words, letters) = (words.clone(), letters.clone());
                        self.numbers("Tw", vec![words], 1);
                        self.numbers("Tc", vec![letters], 1);
                    }
                    self.push("T*", Vec::new());
                    self.show(text);
                }
                "Do" => self.draw(&operands, resources),
                "BI" => self.drawn.has_images = true,
                _ => {}
            }
        }
        for font in saved.into_iter().rev() {
            self.font = font;
            self.push("Q", Vec::new());
        }
    }

    fn push(&mut self, operator: &str, operands: Vec<Object>) {
        self.drawn.operators.push(TextOperator { operation: Operation::new(operator, operands), font: None });
    }

    /// Keeps an operator with `count` numbers.
    fn numbers(&mut self, operator: &str, mut operands: Vec<Object>, count: usize) {
        if let Some(surplus) = operands.len().checked_sub(count) {
            let operands = operands.split_off(surplus);
            if operands.iter().all(|operand| matches!(operand, Object::Real(_))) {
                self.push(operator, operands);
            }
        }
    }

    fn set_font(&mut self, operands: &[Object], resources: &'d Dictionary) {
        let name = operands.iter().rev().find_map(|operand| operand.as_name().ok());
        let size = operands.iter().rev().find(|operand| matches!(operand, Object::Real(_)));
        let Some(name) = name else { return };
        let listed = category(self.document, resources, b"Font").and_then(|fonts| fonts.get(name).ok());
        let font = self.fonts.number(self.document, listed);
        self.use_font(font, size.cloned().unwrap_or(Object::Real(12.0)));
    }

    fn use_font(&mut self, font: usize, size: Object) {
        self.font = Some(font);
        if !matches!(self.fonts.get(font), PreparedFont::Unreadable(_)) {
            self.drawn.fonts.insert(font);
            let operation = Operation::new("Tf", vec![Object::Name(Fonts::name(font)), size]);
            self.drawn.operators.push(TextOperator { operation, font: Some(font) });
        }
    }

    /// Keeps the strings of `Tj` or `TJ` as `TJ`.
    fn show(&mut self, operand: Option<Object>) {
        let pieces = match operand {
            Some(Object::Array(pieces)) => pieces,
            Some(text @ Object::String(..)) => vec![text],
            _ => return,
        };
        if self.font.is_none() {
            // Text without a font is an error, which viewers draw in a default font.
            let font = self.fonts.number(self.document, None);
            self.use_font(font, Object::Real(12.0));
        }
        let Some(font) = self.font else { return };
        if let PreparedFont::Unreadable(name) = self.fonts.get(font) {
            self.drawn.unread.insert(name.clone());
            return;
        }
        let pieces = pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Object::String(bytes, format) => Some(Object::String(self.fonts.transcode(font, bytes), format)),
                Object::Real(_) => Some(piece),
                _ => None,
            })
            .collect();
        let operation = Operation::new("TJ", vec![Object::Array(pieces)]);
        self.drawn.operators.push(TextOperator { operation, font: Some(font) });
    }

    fn draw(&mut self, operands: &[Object], resources: &'d Dictionary) {
        let Some(name) = operands.iter().rev().find_map(|operand| operand.as_name().ok()) else { return };
        let listed = category(self.document, resources, b"XObject").and_then(|objects| objects.get(name).ok());
        let Some((id, Object::Stream(stream))) = listed.and_then(|object| self.document.dereference(object).ok())
        else {
            return;
        };
        match stream.dict.get(b"Subtype").and_then(Object::as_name) {
            Ok(b"Image") => self.drawn.has_images = true,
            Ok(b"Form") => self.draw_form(id, stream, resources),
            _ => {}
        }
    }

    /// Expands a form in place, because the library would draw it at the corner of the page.
    fn draw_form(&mut self, id: Option<ObjectId>, form: &'d Stream, outer: &'d Dictionary) {
        let Some(id) = id.filter(|id| !self.open.contains(id) && self.open.len() < MAX_DEPTH) else { return };
        self.forms += 1;
        if self.forms > MAX_FORMS {
            self.drawn.cut = true;
            return;
        }
        let document = self.document;
        // A form without resources uses those of its parent.
        let own = form.dict.get_deref(b"Resources", document).and_then(Object::as_dict).unwrap_or(outer);
        let content = form.decompressed_content().unwrap_or_else(|_| form.content.clone());
        let font = self.font;
        self.open.push(id);
        self.push("q", Vec::new());
        let matrix = form.dict.get_deref(b"Matrix", document).and_then(Object::as_array);
        let matrix: Vec<Object> = matrix.into_iter().flatten().map(|number| real(document, number)).collect();
        self.numbers("cm", matrix, 6);
        self.stream(&content, own);
        self.push("Q", Vec::new());
        self.open.pop();
        self.font = font;
    }
}

fn category<'d>(document: &'d Document, resources: &'d Dictionary, name: &[u8]) -> Option<&'d Dictionary> {
    resources.get_deref(name, document).and_then(Object::as_dict).ok()
}

fn inherited_resources(document: &Document, page: ObjectId) -> Option<&Dictionary> {
    let mut node = document.get_dictionary(page).ok();
    // The limit ends circular page trees.
    for _ in 0..64 {
        let dictionary = node?;
        if let Ok(resources) = dictionary.get_deref(b"Resources", document).and_then(Object::as_dict) {
            return Some(resources);
        }
        let parent = dictionary.get(b"Parent").and_then(Object::as_reference).ok();
        node = parent.and_then(|parent| document.get_dictionary(parent).ok());
    }
    None
}
