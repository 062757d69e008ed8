//! Parquet files, written column by column in row groups.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::types::{Cell, CellKind, Column};
use super::{Encoder, Fault, Finished};
use crate::staged::StagedFile;

/// The limits of a row group, which is in memory until it is written.
const MAX_ROWS: usize = 100_000;
const MAX_BYTES: usize = 32 << 20;
/// The memory for a text besides its bytes.
const TEXT_OVERHEAD: usize = 64;
/// The level of a cell that is not null.
const PRESENT: i16 = 1;

pub(super) struct ParquetEncoder {
    writer: SerializedFileWriter<File>,
    staged: StagedFile,
    columns: Vec<ColumnBuffer>,
    rows: usize,
    bytes: usize,
}

impl ParquetEncoder {
    pub(super) fn new(target: &Path, columns: &[Column]) -> Result<Self, Fault> {
        let schema = schema(columns)?;
        // Without the version of the library, so that the bytes depend on this crate only.
        let created_by = concat!("documine-ingest version ", env!("CARGO_PKG_VERSION"));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(created_by.to_owned())
            .build();
        let staged = StagedFile::create(target)?;
        let writer = SerializedFileWriter::new(staged.file()?, schema, Arc::new(properties))?;
        let columns = columns.iter().map(|column| ColumnBuffer::new(column.kind)).collect();
        Ok(Self { writer, staged, columns, rows: 0, bytes: 0 })
    }

    fn write_row_group(&mut self) -> Result<(), Fault> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for buffer in &mut self.columns {
            let Some(mut column) = group.next_column()? else { break };
            let levels = Some(buffer.levels.as_slice());
            match &buffer.values {
                Values::Text(values) => column.typed::<ByteArrayType>().write_batch(values, levels, None)?,
                Values::Integer(values) => column.typed::<Int64Type>().write_batch(values, levels, None)?,
                Values::Number(values) => column.typed::<DoubleType>().write_batch(values, levels, None)?,
                Values::Boolean(values) => column.typed::<BoolType>().write_batch(values, levels, None)?,
                Values::Date(values) => column.typed::<Int32Type>().write_batch(values, levels, None)?,
            };
            column.close()?;
            buffer.clear();
        }
        group.close()?;
        self.rows = 0;
        self.bytes = 0;
        Ok(())
    }
}

impl Encoder for ParquetEncoder {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        for (buffer, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += buffer.push(cell);
        }
        self.rows += 1;
        if self.rows >= MAX_ROWS || self.bytes >= MAX_BYTES {
            self.write_row_group()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, Fault> {
        self.write_row_group()?;
        let Self { writer, staged, .. } = *self;
        writer.close()?;
        Ok(Finished { bytes: staged.commit()?, truncated: 0 })
    }
}

fn schema(columns: &[Column]) -> Result<TypePtr, Fault> {
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        let (physical, logical) = match column.kind {
            CellKind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            CellKind::Integer => (PhysicalType::INT64, None),
            CellKind::Number => (PhysicalType::DOUBLE, None),
            CellKind::Boolean => (PhysicalType::BOOLEAN, None),
            CellKind::Date => (PhysicalType::INT32, Some(LogicalType::Date)),
        };
        let field = Type::primitive_type_builder(&column.name, physical)
            .with_logical_type(logical)
            .with_repetition(Repetition::OPTIONAL)
            .build()?;
        fields.push(Arc::new(field));
    }
    Ok(Arc::new(Type::group_type_builder("values").with_fields(fields).build()?))
}

/// The cells of one column in the current row group.
struct ColumnBuffer {
    values: Values,
    levels: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Boolean(Vec<bool>),
    Date(Vec<i32>),
}

impl ColumnBuffer {
    fn new(kind: CellKind) -> Self {
        let values = match kind {
            CellKind::Text => Values::Text(Vec::new()),
            CellKind::Integer => Values::Integer(Vec::new()),
            CellKind::Number => Values::Number(Vec::new()),
            CellKind::Boolean => Values::Boolean(Vec::new()),
            CellKind::Date => Values::Date(Vec::new()),
        };
        Self { values, levels: Vec::new() }
    }

    /// Adds a cell and returns the memory that it needs. A cell of another kind than the column is null.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        let mut bytes = size_of::<i16>();
        let is_present = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text)) => {
                bytes += size_of::<ByteArray>();
                // Source, hash and component repeat from row to row, and share their bytes.
                let repeated = values.last().filter(|last| last.data() == text.as_bytes()).cloned();
                values.push(repeated.unwrap_or_else(|| {
                    bytes += text.len() + TEXT_OVERHEAD;
                    ByteArray::from(text.as_bytes().to_vec())
                }));
                true
            }
            (Values::Integer(values), Cell::Integer(number)) => push(values, *number, &mut bytes),
            (Values::Number(values), Cell::Number(number)) => push(values, *number, &mut bytes),
            #[allow(clippy::cast_precision_loss, reason = "a column of numbers is documented as floating point")]
            (Values::Number(values), Cell::Integer(number)) => push(values, *number as f64, &mut bytes),
            (Values::Boolean(values), Cell::Boolean(value)) => push(values, *value, &mut bytes),
            (Values::Date(values), Cell::Date(date)) => push(values, days_since_1970(*date), &mut bytes),
            _ => false,
        };
        self.levels.push(if is_present { PRESENT } else { 0 });
        bytes
    }

    fn clear(&mut self) {
        self.levels.clear();
        match &mut self.values {
            Values::Text(values) => values.clear(),
            Values::Integer(values) => values.clear(),
            Values::Number(values) => values.clear(),
            Values::Boolean(values) => values.clear(),
            Values::Date(values) => values.clear(),
        }
    }
}

fn push<T>(values: &mut Vec<T>, value: T, bytes: &mut usize) -> bool {
    values.push(value);
    *bytes += size_of::<T>();
    true
}

fn days_since_1970(date: NaiveDate) -> i32 {
    /// The days from the first day of year 1 to 1970-01-01.
    const EPOCH: i32 = 719_163;
    date.num_days_from_ce() - EPOCH
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn row_groups_are_bounded_by_rows_and_by_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.parquet");
        let columns = [Column::new("a", CellKind::Text), Column::new("b", CellKind::Integer)];
        let groups = |path: &Path| -> Vec<i64> {
            let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
            reader.metadata().row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect()
        };
        let mut encoder = ParquetEncoder::new(&path, &columns).unwrap();
        for number in 0..150_000 {
            encoder.row(&[Cell::text("same"), Cell::Integer(number)]).unwrap();
        }
        Box::new(encoder).finish().unwrap();
        assert_eq!(groups(&path), [100_000, 50_000]);
        let mut encoder = ParquetEncoder::new(&path, &columns).unwrap();
        for number in 0..5_i64 {
            let long = format!("{number}{}", "x".repeat(20 << 20));
            encoder.row(&[Cell::Text(long.into()), Cell::Empty]).unwrap();
        }
        Box::new(encoder).finish().unwrap();
        assert_eq!(groups(&path), [2, 2, 1]);
    }

    #[test]
    fn dates_count_from_1970() {
        let day = |text: &str| days_since_1970(text.parse().unwrap());
        assert_eq!([day("1970-01-01"), day("1969-12-31"), day("2024-03-12")], [0, -1, 19_794]);
    }
}
