//! The file structure of PDF 1.4: numbered objects, cross-reference table and trailer (ISO 32000-1, chapter 7.5).

use std::fmt::Write as _;

use crate::page::Page;

/// Object numbers shared by all documents. Pages follow.
const CATALOG: usize = 1;
const PAGES: usize = 2;
const INFO: usize = 3;
const FIRST_FONT: usize = 4;
const FONTS: [&str; 3] = ["Helvetica", "Helvetica-Bold", "Helvetica-Oblique"];

/// A grey image that fills a page: four bits per pixel, rows padded to whole bytes, compressed with PackBits.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) packed: Vec<u8>,
}

/// The content of a page.
pub(crate) enum Sheet {
    Text(Page),
    Picture(Picture),
}

/// The size of A4 in points.
pub(crate) const WIDTH: f64 = 595.0;
pub(crate) const HEIGHT: f64 = 842.0;

/// Writes the whole file. `info` is the document information dictionary.
pub(crate) fn write(info: &[(&str, &str)], sheets: Vec<Sheet>) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = vec![Vec::new(); FIRST_FONT - 1 + FONTS.len()];
    objects[CATALOG - 1] = format!("<< /Type /Catalog /Pages {PAGES} 0 R >>").into_bytes();
    let entries: String = info.iter().fold(String::new(), |mut all, (key, value)| {
        let _ = write!(all, " /{key} ({})", escape(value));
        all
    });
    objects[INFO - 1] = format!("<<{entries} >>").into_bytes();
    for (index, name) in FONTS.iter().enumerate() {
        objects[FIRST_FONT - 1 + index] =
            format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>").into_bytes();
    }
    let mut kids = String::new();
    let count = sheets.len();
    for sheet in sheets {
        let resources = match &sheet {
            Sheet::Text(_) => {
                let fonts = (0..FONTS.len()).fold(String::new(), |mut all, index| {
                    let _ = write!(all, " /F{} {} 0 R", index + 1, FIRST_FONT + index);
                    all
                });
                format!("/Font <<{fonts} >>")
            }
            Sheet::Picture(_) => format!("/XObject << /Im1 {} 0 R >> /ProcSet [/PDF /ImageB]", objects.len() + 3),
        };
        let number = objects.len() + 1;
        let _ = write!(kids, " {number} 0 R");
        objects.push(
            format!(
                "<< /Type /Page /Parent {PAGES} 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources << {resources} >> /Contents {} 0 R >>",
                number + 1
            )
            .into_bytes(),
        );
        match sheet {
            Sheet::Text(page) => objects.push(stream("", page.content().as_bytes())),
            Sheet::Picture(picture) => {
                objects.push(stream("", format!("q {WIDTH} 0 0 {HEIGHT} 0 0 cm /Im1 Do Q\n").as_bytes()));
                let head = format!(
                    "/Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceGray /BitsPerComponent 4 /Filter /RunLengthDecode ",
                    picture.width, picture.height
                );
                objects.push(stream(&head, &picture.packed));
            }
        }
    }
    objects[PAGES - 1] = format!("<< /Type /Pages /Count {count} /Kids [{kids} ] >>").into_bytes();
    assemble(&objects)
}

/// Escapes text for a literal string in WinAnsi encoding. Characters outside ASCII become octal escapes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let code = match c {
            '\u{20ac}' => 0x80,
            '\u{2013}' => 0x96,
            '\u{2014}' => 0x97,
            other => u32::from(other),
        };
        match c {
            '(' | ')' | '\\' => out.extend(['\\', c]),
            _ if c.is_ascii() => out.push(c),
            _ => {
                let _ = write!(out, "\\{code:03o}");
            }
        }
    }
    out
}

fn stream(head: &str, body: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {head}/Length {} >>\nstream\n", body.len()).into_bytes();
    object.extend_from_slice(body);
    object.extend_from_slice(b"\nendstream");
    object
}

fn assemble(objects: &[Vec<u8>]) -> Vec<u8> {
    // The comment of four high bytes marks the file as binary.
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend_from_slice(
        format!("xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root {CATALOG} 0 R /Info {INFO} 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes(),
    );
    file
}
