//! JSON Lines files: one object per row.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::types::{Cell, Column};
use super::{Encoder, Fault, Finished};
use crate::staged::StagedFile;

const BUFFER: usize = 1 << 17;

pub(super) struct JsonLinesEncoder {
    writer: BufWriter<File>,
    staged: StagedFile,
    /// The text before each value: `{"source":` and `,"sha256":`.
    keys: Vec<String>,
}

impl JsonLinesEncoder {
    pub(super) fn new(target: &Path, columns: &[Column]) -> Result<Self, Fault> {
        let mut keys = Vec::with_capacity(columns.len());
        for column in columns {
            let mark = if keys.is_empty() { '{' } else { ',' };
            keys.push(format!("{mark}{}:", serde_json::to_string(&column.name)?));
        }
        let staged = StagedFile::create(target)?;
        let writer = BufWriter::with_capacity(BUFFER, staged.file()?);
        Ok(Self { writer, staged, keys })
    }
}

impl Encoder for JsonLinesEncoder {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        for (key, cell) in self.keys.iter().zip(cells) {
            self.writer.write_all(key.as_bytes())?;
            match cell {
                Cell::Empty => self.writer.write_all(b"null")?,
                Cell::Text(text) => serde_json::to_writer(&mut self.writer, text).map_err(std::io::Error::from)?,
                Cell::Integer(number) => write!(self.writer, "{number}")?,
                Cell::Number(number) => {
                    serde_json::to_writer(&mut self.writer, number).map_err(std::io::Error::from)?;
                }
                Cell::Boolean(value) => write!(self.writer, "{value}")?,
                Cell::Date(date) => write!(self.writer, "\"{date}\"")?,
            }
        }
        self.writer.write_all(b"}\n")?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, Fault> {
        let Self { mut writer, staged, .. } = *self;
        writer.flush()?;
        drop(writer);
        Ok(Finished { bytes: staged.commit()?, truncated: 0 })
    }
}
