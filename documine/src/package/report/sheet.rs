//! Rows of one sheet. An invalid value affects only its own cell.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};

use super::memory_budget::MemoryBudget;
use super::model::{Cell, Row};
use super::number_format::{NumberFormat, date_time};
use super::workbook_data::WorkbookData;
use super::xml::{XmlPart, attribute, unescape};
use crate::package::error::PackageError;

/// Largest sheet (ECMA-376).
const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
/// Memory overhead of a row (map node, allocation) and of a text (allocation).
const ROW_OVERHEAD: usize = 128;
const TEXT_OVERHEAD: usize = 24;

/// Reads the rows of a sheet. Returns `None` if the part is not a worksheet, for example a chart.
pub(super) fn rows(
    xml: &mut XmlPart<'_>,
    workbook: &WorkbookData,
    memory: &mut MemoryBudget,
) -> Result<Option<Vec<Row>>, PackageError> {
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "worksheet" => break,
            Event::Start(_) | Event::Eof => return Ok(None),
            _ => {}
        }
    }
    let mut table = SheetBuilder { rows: BTreeMap::new(), row: 0, cells: Vec::new(), column: 0, memory };
    let mut in_data = false;
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "sheetData" => in_data = true,
                "row" if in_data => {
                    let number = attribute(element, "r").and_then(|number| number.trim().parse().ok());
                    table.start_row(number.filter(|row| (1..=MAX_ROWS).contains(row)).unwrap_or(table.row + 1))?;
                }
                "c" if in_data => cell(xml, element, workbook, &mut table)?,
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "sheetData" => in_data = false,
            Event::Eof => break,
            _ => {}
        }
    }
    table.finish().map(Some)
}

/// Collects rows and the current row.
struct SheetBuilder<'a> {
    rows: BTreeMap<u32, Vec<Cell>>,
    /// Number of the current row, starting at 1; 0 before the first row.
    row: u32,
    cells: Vec<Cell>,
    /// Column after the last cell, starting at 0.
    column: usize,
    memory: &'a mut MemoryBudget,
}

impl SheetBuilder<'_> {
    fn start_row(&mut self, row: u32) -> Result<(), PackageError> {
        if row > MAX_ROWS {
            return Err(PackageError::invalid("more rows than a sheet can hold"));
        }
        self.end_row()?;
        (self.row, self.column) = (row, 0);
        Ok(())
    }

    /// Adds a cell at its position, or after the last cell if it states none.
    fn add(&mut self, position: Option<(u32, usize)>, cell: Cell) -> Result<(), PackageError> {
        let (row, column) = position.unwrap_or((self.row.max(1), self.column));
        if column >= MAX_COLUMNS {
            return Err(PackageError::invalid("more columns than a sheet can hold"));
        }
        if row != self.row {
            self.start_row(row)?;
        }
        self.column = column + 1;
        if cell == Cell::Empty {
            return Ok(());
        }
        if let Cell::Text(text) | Cell::DateTime(text) | Cell::Error(text) = &cell {
            self.memory.charge(text.len() + TEXT_OVERHEAD)?;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Empty);
        }
        if let Some(target) = self.cells.get_mut(column) {
            *target = cell;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), PackageError> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.memory.charge(ROW_OVERHEAD + self.cells.len() * size_of::<Cell>())?;
        // Collected into an exact allocation; `self.cells` keeps its capacity for the next row.
        let cells: Vec<Cell> = self.cells.drain(..).collect();
        let existing = self.rows.entry(self.row).or_default();
        if existing.is_empty() {
            *existing = cells;
            return Ok(());
        }
        existing.resize(existing.len().max(cells.len()), Cell::Empty);
        for (target, cell) in existing.iter_mut().zip(cells).filter(|(_, cell)| *cell != Cell::Empty) {
            *target = cell;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Row>, PackageError> {
        self.end_row()?;
        Ok(self.rows.into_iter().map(|(number, cells)| Row { number, cells }).collect())
    }
}

fn cell(
    xml: &mut XmlPart<'_>,
    element: &BytesStart<'_>,
    workbook: &WorkbookData,
    table: &mut SheetBuilder<'_>,
) -> Result<(), PackageError> {
    let position = attribute(element, "r").and_then(|reference| cell_position(reference.trim()));
    let kind = attribute(element, "t").unwrap_or_default();
    let style = attribute(element, "s").and_then(|style| style.trim().parse::<usize>().ok());
    let format = style.and_then(|style| workbook.formats.get(style)).copied().unwrap_or_default();
    let (mut value, mut inline) = (String::new(), String::new());
    loop {
        match xml.next_inside()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "v" => xml.text(&mut value)?,
                "is" => rich_text(xml, &mut inline)?,
                _ => xml.skip()?,
            },
            Event::End(_) => break,
            _ => {}
        }
    }
    let cell = if inline.is_empty() { cell_value(&kind, value, format, workbook) } else { text(&inline) };
    table.add(position, cell)
}

/// Converts the value of a cell according to its type (18.18.11) and format.
fn cell_value(kind: &str, value: String, format: NumberFormat, workbook: &WorkbookData) -> Cell {
    let trimmed = value.trim();
    if trimmed.is_empty() && !matches!(kind, "str" | "inlineStr") {
        return Cell::Empty;
    }
    match kind {
        "s" => {
            let found = trimmed.parse().ok().and_then(|index| workbook.shared_strings.get(index));
            found.map_or_else(|| Cell::Error(format!("missing shared string {trimmed}")), text)
        }
        "b" if trimmed == "1" || trimmed.eq_ignore_ascii_case("true") => Cell::Bool(true),
        "b" if trimmed == "0" || trimmed.eq_ignore_ascii_case("false") => Cell::Bool(false),
        "e" => Cell::Error(trimmed.to_owned()),
        "d" => Cell::DateTime(trimmed.to_owned()),
        "" | "n" => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => match format {
                NumberFormat::Number => Cell::Number(number),
                NumberFormat::Duration => Cell::Days(number),
                NumberFormat::Date => {
                    date_time(number, workbook.from_1904).map_or(Cell::Number(number), Cell::DateTime)
                }
            },
            _ => Cell::Text(value),
        },
        _ => text(&value),
    }
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(unescape(text).into_owned()) }
}

/// Appends the text of all runs of the current element, without phonetic runs.
pub(super) fn rich_text(xml: &mut XmlPart<'_>, text: &mut String) -> Result<(), PackageError> {
    let mut depth = 0_usize;
    loop {
        match xml.next_inside()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => xml.text(text)?,
                "rPh" => xml.skip()?,
                _ => depth += 1,
            },
            Event::End(_) if depth == 0 => return Ok(()),
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
}

/// Parses a cell reference into row and column: `B7` is row 7 and column 1. Returns `None` outside the largest sheet.
fn cell_position(reference: &str) -> Option<(u32, usize)> {
    let reference = reference.strip_prefix('$').unwrap_or(reference);
    let column_length = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = reference.split_at_checked(column_length)?;
    let column = column.bytes().try_fold(0_usize, |column, letter| {
        let column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        (column <= MAX_COLUMNS).then_some(column)
    })?;
    let row = row.strip_prefix('$').unwrap_or(row).parse().ok()?;
    (1..=MAX_ROWS).contains(&row).then_some((row, column.checked_sub(1)?))
}
