//! A page of text and lines: content stream operators, in points from the lower left corner (ISO 32000-1, chapters 8 and 9).

use std::fmt::Write as _;

use crate::pdf::escape;

/// The three fonts of the samples.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Font {
    Regular,
    Bold,
    Oblique,
}

/// A part of a line of text.
pub(crate) enum Cell<'a> {
    /// Starts at this x.
    Left(f64, &'a str),
    /// Ends at this x.
    Right(f64, &'a str),
}

/// A colour as red, green and blue from 0 to 1.
pub(crate) type Colour = (f64, f64, f64);

pub(crate) const BLACK: Colour = (0.1, 0.1, 0.12);
pub(crate) const GREY: Colour = (0.42, 0.44, 0.47);
pub(crate) const WHITE: Colour = (1.0, 1.0, 1.0);

#[derive(Default)]
pub(crate) struct Page {
    content: String,
}

impl Page {
    pub(crate) fn content(&self) -> &str {
        &self.content
    }

    pub(crate) fn colour(&mut self, (red, green, blue): Colour) {
        let _ = writeln!(self.content, "{red} {green} {blue} rg");
    }

    pub(crate) fn fill(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(self.content, "{x:.2} {y:.2} {width:.2} {height:.2} re f");
    }

    /// Draws a horizontal line.
    pub(crate) fn line(&mut self, from: f64, to: f64, y: f64, weight: f64) {
        let _ = writeln!(self.content, "0.6 G {weight} w {from:.2} {y:.2} m {to:.2} {y:.2} l S");
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, font: Font, size: f64, text: &str) {
        self.row(y, font, size, &[Cell::Left(x, text)]);
    }

    pub(crate) fn text_right(&mut self, right: f64, y: f64, font: Font, size: f64, text: &str) {
        self.row(y, font, size, &[Cell::Right(right, text)]);
    }

    /// Draws cells on one baseline in one text object. A space ends each cell, so that readers that ignore positions separate the words.
    pub(crate) fn row(&mut self, y: f64, font: Font, size: f64, cells: &[Cell<'_>]) {
        let _ = write!(self.content, "BT {} {size} Tf", name(font));
        let (mut at, mut height) = (0.0, y);
        for (index, cell) in cells.iter().enumerate() {
            let (x, text) = match *cell {
                Cell::Left(x, text) => (x, text),
                Cell::Right(x, text) => (x - width(text, font, size), text),
            };
            let blank = if index + 1 < cells.len() { " " } else { "" };
            let _ = write!(self.content, " {:.2} {height:.2} Td ({}{blank}) Tj", x - at, escape(text));
            (at, height) = (x, 0.0);
        }
        self.content.push_str(" ET\n");
    }

    /// Draws `Label: value` as one line of text, with a bold label.
    pub(crate) fn field(&mut self, x: f64, y: f64, size: f64, label: &str, value: &str) {
        let _ = writeln!(
            self.content,
            "BT {} {size} Tf {x:.2} {y:.2} Td ({}: ) Tj {} {size} Tf ({}) Tj ET",
            name(Font::Bold),
            escape(label),
            name(Font::Regular),
            escape(value)
        );
    }

    /// Draws `Label: value` so that it ends at `right`.
    pub(crate) fn field_right(&mut self, right: f64, y: f64, size: f64, label: &str, value: &str) {
        let long = width(label, Font::Bold, size) + width(": ", Font::Bold, size) + width(value, Font::Regular, size);
        self.field(right - long, y, size, label, value);
    }

    /// Draws text in lines of at most `wide` points, and returns the y below the last line.
    pub(crate) fn paragraph(&mut self, x: f64, mut y: f64, wide: f64, size: f64, text: &str) -> f64 {
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if width(&longer, Font::Regular, size) > wide {
                self.text(x, y, Font::Regular, size, &line);
                y -= size * 1.45;
                word.clone_into(&mut line);
            } else {
                line = longer;
            }
        }
        self.text(x, y, Font::Regular, size, &line);
        y - size * 1.45
    }
}

fn name(font: Font) -> &'static str {
    match font {
        Font::Regular => "/F1",
        Font::Bold => "/F2",
        Font::Oblique => "/F3",
    }
}

/// Advance widths of the printable ASCII characters from the space on, in thousandths of the font size.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];

/// Returns the width of `text` in points. Rare characters outside ASCII count as digits.
fn width(text: &str, font: Font, size: f64) -> f64 {
    let table = if font == Font::Bold { &BOLD } else { &REGULAR };
    let thousandths: u32 = text
        .chars()
        .map(|c| {
            let index = usize::try_from(u32::from(c)).ok().and_then(|code| code.checked_sub(32));
            u32::from(index.and_then(|index| table.get(index)).copied().unwrap_or(556))
        })
        .sum();
    f64::from(thousandths) / 1000.0 * size
}
