//! `scan.pdf`: two typewritten pages as scanned images, without a text layer.
//!
//! Only arithmetic that IEEE 754 defines exactly is used (no sine), so every machine produces the same image.

use crate::pdf::{self, Picture, Sheet};
use crate::strokes::glyph;

/// A4 at 110 dots per inch.
const WIDTH: i32 = 910;
const HEIGHT: i32 = 1286;
/// Distances of characters and lines, in dots.
const PITCH: f64 = 13.0;
const LEADING: f64 = 27.0;
/// One grid unit of a character, in dots.
const UNIT: f64 = 2.15;
/// The rotation of the paper on the scanner.
const SKEW: f64 = 0.007;
/// Grey level of the paper, of 15.
const PAPER: f64 = 14.0;

const FIRST: &[&str] = &[
    "SAMPLE VALLEY LABORATORIES",
    "GOODS RECEIPT NOTE",
    "",
    "NOTE NUMBER: GRN-0442",
    "DATE RECEIVED: 14 AUGUST 2023",
    "SENDER: EXAMPLIA CROP CARE AG",
    "CARRIER: NORTHWAY PARCELS",
    "",
    "ITEM              BATCH       QUANTITY",
    "--------------------------------------",
    "SAMPLIUM GREEN    SG-2207-A     500 G",
    "SAMPLIUM GREEN    SG-2208-B     500 G",
    "SAMPLIUM GREEN    SG-2301-C     250 G",
    "--------------------------------------",
    "",
    "THE PARCEL WAS UNDAMAGED. SEALS WERE",
    "INTACT. TEMPERATURE LOGGER READ 8 C.",
    "THE ITEMS WERE PUT INTO STORE 3 ON THE",
    "DAY OF RECEIPT.",
    "",
    "STUDY NUMBER: SVL-2023-0117",
    "PAGE 1 OF 2",
];

const SECOND: &[&str] = &[
    "GOODS RECEIPT NOTE GRN-0442, CONTINUED",
    "",
    "CHECKS ON RECEIPT",
    "",
    "1. LABELS AGREE WITH THE ORDER     YES",
    "2. CERTIFICATES ENCLOSED           YES",
    "3. SAFETY DATA SHEET ENCLOSED      YES",
    "4. RETAINED SAMPLE TAKEN            NO",
    "",
    "REMARK: RETAINED SAMPLE WILL BE TAKEN",
    "WHEN THE BATCHES ARE FIRST OPENED.",
    "",
    "",
    "RECEIVED BY: T. OKONKWO",
    "",
    "",
    "",
    "PAGE 2 OF 2",
];

pub(crate) fn make() -> Vec<u8> {
    let info = [("Creator", "make_samples"), ("CreationDate", "D:20230814134500Z")];
    let mut first = Scan::new(0x5eed_0001);
    first.type_lines(FIRST);
    let mut second = Scan::new(0x5eed_0002);
    second.type_lines(SECOND);
    second.sign(400.0, 545.0);
    second.stamp(560.0, 720.0, &["RECEIVED", "14 AUG 2023"]);
    pdf::write(&info, vec![Sheet::Picture(first.develop()), Sheet::Picture(second.develop())])
}

struct Scan {
    /// The amount of ink on each dot, 0 to 1, row by row.
    ink: Vec<f64>,
    random: u32,
}

impl Scan {
    fn new(seed: u32) -> Self {
        let dots = usize::try_from(WIDTH * HEIGHT).unwrap_or_default();
        Self { ink: vec![0.0; dots], random: seed }
    }

    /// Returns a number from -1 to 1 (xorshift).
    fn noise(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        f64::from(self.random) / f64::from(u32::MAX) * 2.0 - 1.0
    }

    fn type_lines(&mut self, lines: &[&str]) {
        let mut y = 120.0;
        for line in lines {
            self.type_line(150.0, y, UNIT, PITCH, line, 0.85);
            y += LEADING;
        }
    }

    fn type_line(&mut self, left: f64, top: f64, unit: f64, pitch: f64, line: &str, dark: f64) {
        let mut x = left;
        for c in line.chars() {
            if let Some(strokes) = glyph(c) {
                // Every letter is slightly displaced and differs in blackness, as on a worn typewriter.
                let (dx, dy, dark) = (self.noise() * 0.5, self.noise() * 0.7, dark + self.noise() * 0.12);
                for stroke in strokes.split(' ') {
                    let points: Vec<(f64, f64)> = stroke
                        .as_bytes()
                        .chunks_exact(2)
                        .map(|p| (x + dx + f64::from(p[0] - b'0') * unit, top + dy + f64::from(p[1] - b'0') * unit))
                        .collect();
                    self.stroke(&points, 0.95, dark);
                }
            }
            x += pitch;
        }
    }

    /// Draws a signature.
    fn sign(&mut self, x: f64, y: f64) {
        let path = [
            (0.0, 0.0),
            (14.0, -34.0),
            (20.0, -30.0),
            (10.0, 6.0),
            (16.0, 8.0),
            (30.0, -12.0),
            (34.0, 4.0),
            (44.0, -10.0),
            (50.0, 5.0),
            (62.0, -14.0),
            (60.0, 4.0),
            (80.0, -26.0),
            (84.0, -20.0),
            (74.0, 6.0),
            (96.0, -4.0),
            (128.0, -9.0),
            (170.0, -2.0),
        ];
        let points: Vec<(f64, f64)> = path.iter().map(|(dx, dy)| (x + dx * 1.4, y + dy * 1.4)).collect();
        self.stroke(&points, 1.2, 0.7);
    }

    /// Draws a rubber stamp: a frame with text, paler than the typed text.
    fn stamp(&mut self, x: f64, y: f64, words: &[&str]) {
        for inset in [0.0, 5.0] {
            let (left, top, right, bottom) = (x + inset, y + inset, x + 240.0 - inset, y + 104.0 - inset);
            self.stroke(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], 1.1, 0.5);
        }
        let mut top = y + 22.0;
        for word in words {
            self.type_line(x + 24.0, top, 3.0, 18.0, word, 0.5);
            top += 38.0;
        }
    }

    /// Draws ink along a path, with a soft edge.
    fn stroke(&mut self, points: &[(f64, f64)], radius: f64, dark: f64) {
        let askew: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x - y * SKEW, y + x * SKEW)).collect();
        for pair in askew.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            let (dx, dy) = (bx - ax, by - ay);
            let length = dx * dx + dy * dy;
            for row in dot(ay.min(by) - 3.0)..=dot(ay.max(by) + 3.0) {
                for column in dot(ax.min(bx) - 3.0)..=dot(ax.max(bx) + 3.0) {
                    let (px, py) = (f64::from(column) - ax, f64::from(row) - ay);
                    let along = if length == 0.0 { 0.0 } else { ((px * dx + py * dy) / length).clamp(0.0, 1.0) };
                    let (ex, ey) = (px - along * dx, py - along * dy);
                    let cover = (radius + 0.5 - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0) * dark;
                    self.blacken(column, row, cover);
                }
            }
        }
    }

    fn blacken(&mut self, column: i32, row: i32, ink: f64) {
        if (0..WIDTH).contains(&column) && (0..HEIGHT).contains(&row) {
            let index = usize::try_from(row * WIDTH + column).unwrap_or_default();
            if let Some(dot) = self.ink.get_mut(index) {
                *dot = dot.max(ink);
            }
        }
    }

    /// Adds scanner artefacts (specks, the shadow of the binding, two punched holes) and packs the grey levels.
    fn develop(mut self) -> Picture {
        for _ in 0..900 {
            let (x, y) = (self.noise() * 455.0 + 455.0, self.noise() * 643.0 + 643.0);
            let ink = 0.12 + self.noise() * 0.1;
            self.blacken(dot(x), dot(y), ink);
        }
        for hole in [523.0, 763.0] {
            for row in -13..=13 {
                for column in -13..=13 {
                    if column * column + row * row <= 169 {
                        self.blacken(48 + column, dot(hole) + row, 0.8);
                    }
                }
            }
        }
        let mut packed = Vec::new();
        let width = usize::try_from(WIDTH).unwrap_or(1);
        for row in self.ink.chunks_exact(width) {
            let greys: Vec<u8> = row.iter().enumerate().map(|(column, ink)| grey(column, *ink)).collect();
            let bytes: Vec<u8> = greys.chunks(2).map(|two| two[0] << 4 | two.get(1).copied().unwrap_or(0)).collect();
            pack_bits(&bytes, &mut packed);
        }
        packed.push(128);
        Picture { width, height: row_count(), packed }
    }
}

fn row_count() -> usize {
    usize::try_from(HEIGHT).unwrap_or_default()
}

/// Returns the grey level of a dot: the paper, darker towards the binding, minus the ink.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value lies between 0 and 15")]
fn grey(column: usize, ink: f64) -> u8 {
    let shadow = f64::from(u8::try_from(18_usize.saturating_sub(column)).unwrap_or_default()) * 0.4;
    ((PAPER - shadow) * (1.0 - ink)).round().clamp(0.0, 15.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "positions on the page are small")]
fn dot(position: f64) -> i32 {
    position.round() as i32
}

/// Compresses with PackBits (RunLengthDecode in PDF): a run of equal bytes becomes two bytes, other bytes are copied in blocks of up to 128.
fn pack_bits(bytes: &[u8], out: &mut Vec<u8>) {
    let run_at = |at: usize| bytes[at..].iter().take(128).take_while(|byte| **byte == bytes[at]).count();
    let mut at = 0;
    while at < bytes.len() {
        let run = run_at(at);
        if run >= 3 {
            out.push(u8::try_from(257 - run).unwrap_or(129));
            out.push(bytes[at]);
            at += run;
        } else {
            let mut end = at;
            while end < bytes.len() && end - at < 128 && run_at(end) < 3 {
                end += 1;
            }
            out.push(u8::try_from(end - at - 1).unwrap_or(127));
            out.extend_from_slice(&bytes[at..end]);
            at = end;
        }
    }
}
