//! CSV files.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use csv::{Writer, WriterBuilder};

use super::types::{Cell, Column};
use super::{Encoder, Fault, Finished};
use crate::staged::StagedFile;

const BUFFER: usize = 1 << 17;

pub(super) struct CsvEncoder {
    writer: Writer<File>,
    staged: StagedFile,
    escape_formulas: bool,
}

impl CsvEncoder {
    pub(super) fn new(target: &Path, columns: &[Column], escape_formulas: bool) -> Result<Self, Fault> {
        let staged = StagedFile::create(target)?;
        let writer = WriterBuilder::new().buffer_capacity(BUFFER).from_writer(staged.file()?);
        let mut encoder = Self { writer, staged, escape_formulas };
        for column in columns {
            encoder.text(&column.name)?;
        }
        encoder.end_of_row()?;
        Ok(encoder)
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        let text = if self.escape_formulas { escaped(text) } else { Cow::Borrowed(text) };
        self.field(text.as_bytes())
    }

    fn field(&mut self, field: &[u8]) -> Result<(), Fault> {
        self.writer.write_field(field).map_err(io_error)?;
        Ok(())
    }

    fn end_of_row(&mut self) -> Result<(), Fault> {
        self.writer.write_record(None::<&[u8]>).map_err(io_error)?;
        Ok(())
    }
}

impl Encoder for CsvEncoder {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        for cell in cells {
            match cell {
                Cell::Empty => self.field(b""),
                Cell::Text(text) => self.text(text),
                Cell::Integer(number) => self.field(number.to_string().as_bytes()),
                Cell::Number(number) => self.field(number.to_string().as_bytes()),
                Cell::Boolean(value) => self.field(value.to_string().as_bytes()),
                Cell::Date(date) => self.field(date.to_string().as_bytes()),
            }?;
        }
        self.end_of_row()
    }

    fn finish(self: Box<Self>) -> Result<Finished, Fault> {
        let Self { mut writer, staged, .. } = *self;
        writer.flush()?;
        drop(writer);
        Ok(Finished { bytes: staged.commit()?, truncated: 0 })
    }
}

/// Returns the cause of an error, which the library does not state as its source.
pub(super) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// Prepends an apostrophe to a text that a spreadsheet would take for a formula.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_number = || {
        let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
    };
    if is_formula && !is_number() { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escapes_formulas_but_no_numbers() {
        for text in ["=HYPERLINK(\"x\")", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+", "-1e5"] {
            assert_eq!(escaped(text), format!("'{text}"));
        }
        for text in ["", "-12.50", "+3", "-1.234,50", "12-3", "'=1", "a=b", " =1"] {
            assert_eq!(escaped(text), text);
        }
    }
}
