//! Text layout: groups positioned glyphs into lines.
//!
//! A PDF positions glyphs and knows neither words nor lines. Glyphs that follow each other on a baseline form a segment, and segments on a baseline
//! form a line. There are two results: the drawing order of the file, which suits columns, and the visual order from top to bottom, which suits
//! forms and tables drawn column by column.

use std::time::Instant;

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};

/// Maximum number of glyphs of a page.
const MAX_GLYPHS: usize = 200_000;

/// A line of text with its font size in points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) size: f64,
}

/// Collects the glyphs of one page.
pub(super) struct PageCollector {
    deadline: Instant,
    glyphs: usize,
    segments: Vec<TextSegment>,
    /// True if a limit ended the reading.
    pub(super) cut: bool,
}

/// Adjacent glyphs on one baseline. `along` grows in reading direction and `down` from line to line, for any rotation of the text.
struct TextSegment {
    rotation: u8,
    start: f64,
    end: f64,
    last_start: f64,
    down: f64,
    size: f64,
    text: String,
}

impl PageCollector {
    pub(super) fn new(deadline: Instant) -> Self {
        Self { deadline, glyphs: 0, segments: Vec::new(), cut: false }
    }

    /// Returns the lines in drawing order.
    pub(super) fn drawn_lines(&self) -> Vec<TextLine> {
        let all: Vec<&TextSegment> = self.segments.iter().collect();
        join(&all)
    }

    /// Returns the lines from top to bottom, each from left to right.
    pub(super) fn visual_lines(&self) -> Vec<TextLine> {
        let mut all: Vec<&TextSegment> = self.segments.iter().collect();
        all.sort_by(|a, b| a.rotation.cmp(&b.rotation).then(a.down.total_cmp(&b.down)));
        // Nearly equal baselines belong to the same line, so each group is sorted on its own.
        let mut sorted: Vec<&TextSegment> = Vec::with_capacity(all.len());
        let mut group: Vec<&TextSegment> = Vec::new();
        for segment in all {
            if group.first().is_some_and(|first| !same_line(first, segment)) {
                group.sort_by(|a, b| a.start.total_cmp(&b.start));
                sorted.append(&mut group);
            }
            group.push(segment);
        }
        group.sort_by(|a, b| a.start.total_cmp(&b.start));
        sorted.append(&mut group);
        join(&sorted)
    }
}

fn same_line(a: &TextSegment, b: &TextSegment) -> bool {
    a.rotation == b.rotation && (a.down - b.down).abs() < 0.4 * a.size.min(b.size).max(1.0)
}

fn join(segments: &[&TextSegment]) -> Vec<TextLine> {
    let mut lines: Vec<TextLine> = Vec::new();
    let mut before: Option<&TextSegment> = None;
    let mut longest = 0;
    for segment in segments {
        let text = segment.text.trim();
        if text.is_empty() {
            continue;
        }
        let continues =
            before.is_some_and(|before| same_line(before, segment) && segment.start >= before.end - 0.5 * segment.size);
        match lines.last_mut() {
            Some(line) if continues => {
                line.text.push_str("  ");
                line.text.push_str(text);
                if text.len() > longest {
                    longest = text.len();
                    line.size = segment.size;
                }
            }
            _ => {
                longest = text.len();
                lines.push(TextLine { text: text.to_owned(), size: segment.size });
            }
        }
        before = Some(segment);
    }
    lines
}

/// Expands ligatures and removes invisible characters.
fn expand_ligatures(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{fb00}' => plain.push_str("ff"),
            '\u{fb01}' => plain.push_str("fi"),
            '\u{fb02}' => plain.push_str("fl"),
            '\u{fb03}' => plain.push_str("ffi"),
            '\u{fb04}' => plain.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => plain.push_str("st"),
            '\u{00ad}' | '\u{200b}' | '\u{feff}' => {}
            letter if letter.is_whitespace() => plain.push(' '),
            letter if letter.is_control() => {}
            letter => plain.push(letter),
        }
    }
    plain
}

impl PageCollector {
    fn add(&mut self, transform: &Transform, width: f64, font_size: f64, text: &str) -> Result<(), OutputError> {
        self.glyphs += 1;
        if self.glyphs > MAX_GLYPHS || (self.glyphs.is_multiple_of(256) && Instant::now() > self.deadline) {
            self.cut = true;
            return Err(OutputError::IoError(std::io::Error::other("the limits for reading a page were reached")));
        }
        let text = expand_ligatures(text);
        if text.is_empty() {
            return Ok(());
        }
        let size = (transform.m21.hypot(transform.m22) * font_size).abs();
        let advance = width * transform.m11.hypot(transform.m12) * font_size.abs();
        if !(size.is_finite() && advance.is_finite() && transform.m31.is_finite() && transform.m32.is_finite()) {
            return Ok(());
        }
        let (rotation, along, down) = reading_frame(transform);
        let blank = text.trim().is_empty();
        if let Some(last) = self.segments.last_mut() {
            let near = last.rotation == rotation && (down - last.down).abs() < 0.35 * last.size.max(size).max(1.0);
            let gap = along - last.end;
            let unit = last.size.min(size).max(1.0);
            if near && gap > -0.6 * unit.max(last.end - last.last_start) && gap < 1.6 * unit {
                // Some programs print bold letters by printing the same letter twice with a small shift.
                if (along - last.last_start).abs() < 0.1 * unit && last.text.ends_with(&text) && !blank {
                    return Ok(());
                }
                if gap > 0.15 * unit && !last.text.ends_with(' ') && !blank {
                    last.text.push(' ');
                }
                if !(blank && last.text.ends_with(' ')) {
                    last.text.push_str(&text);
                }
                last.last_start = along;
                last.end = last.end.max(along + advance);
                return Ok(());
            }
        }
        if !blank {
            self.segments.push(TextSegment {
                rotation,
                start: along,
                end: along + advance,
                last_start: along,
                down,
                size,
                text,
            });
        }
        Ok(())
    }
}

impl OutputDev for PageCollector {
    fn begin_page(&mut self, _: u32, _: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn output_character(
        &mut self,
        transform: &Transform,
        width: f64,
        _spacing: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        self.add(transform, width, font_size, text)
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// Returns the quarter turn of the text, and the position of the glyph after turning the page upright.
fn reading_frame(transform: &Transform) -> (u8, f64, f64) {
    let (x, y) = (transform.m31, transform.m32);
    if transform.m11.abs() >= transform.m12.abs() {
        if transform.m11 >= 0.0 { (0, x, -y) } else { (2, -x, y) }
    } else if transform.m12 > 0.0 {
        (1, y, x)
    } else {
        (3, -y, -x)
    }
}
