//! The rows of one sheet. Whatever is odd in a cell stays in that cell.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};

use super::number_format::{NumberFormat, date_time};
use super::workbook::Shared;
use super::xml::{Xml, attribute, unescape};
use super::{Cell, MemoryBudget, Row};
use crate::package::trouble::Trouble;

/// The edges of a sheet (ECMA-376).
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: usize = 16_384;
/// The memory that a row takes beside its cells, and a text beside its letters: the map, the allocations.
const ROW: usize = 128;
const TEXT: usize = 24;

/// Reads the rows of a sheet. `None` for a part that is something else, a chart for example.
pub(super) fn rows(xml: &mut Xml<'_>, shared: &Shared, memory: &mut MemoryBudget) -> Result<Option<Vec<Row>>, Trouble> {
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "worksheet" => break,
            Event::Start(_) | Event::Eof => return Ok(None),
            _ => {}
        }
    }
    let mut table = Table { rows: BTreeMap::new(), row: 0, cells: Vec::new(), column: 0, memory };
    let mut in_data = false;
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "sheetData" => in_data = true,
                "row" if in_data => {
                    let said = attribute(element, "r").and_then(|number| number.trim().parse().ok());
                    table.begin(said.filter(|row| (1..=MOST_ROWS).contains(row)).unwrap_or(table.row + 1))?;
                }
                "c" if in_data => cell(xml, element, shared, &mut table)?,
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "sheetData" => in_data = false,
            Event::Eof => break,
            _ => {}
        }
    }
    table.finish().map(Some)
}

/// The rows so far, and the one that is being read.
struct Table<'a> {
    rows: BTreeMap<u32, Vec<Cell>>,
    /// The number of the row, from 1; 0 before the first one.
    row: u32,
    cells: Vec<Cell>,
    /// The column behind the last cell, from 0.
    column: usize,
    memory: &'a mut MemoryBudget,
}

impl Table<'_> {
    fn begin(&mut self, row: u32) -> Result<(), Trouble> {
        if row > MOST_ROWS {
            return Err(Trouble::refused("it has more rows than a sheet can have"));
        }
        self.end_row()?;
        (self.row, self.column) = (row, 0);
        Ok(())
    }

    /// Puts a cell where it says that it is, else behind the last one.
    fn put(&mut self, place: Option<(u32, usize)>, cell: Cell) -> Result<(), Trouble> {
        let (row, column) = place.unwrap_or((self.row.max(1), self.column));
        if column >= MOST_COLUMNS {
            return Err(Trouble::refused("it has a row with more cells than a sheet can have"));
        }
        if row != self.row {
            self.begin(row)?;
        }
        self.column = column + 1;
        if cell == Cell::Empty {
            return Ok(());
        }
        if let Cell::Text(text) | Cell::DateTime(text) | Cell::Error(text) = &cell {
            self.memory.take(text.len() + TEXT)?;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Cell::Empty);
        }
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Trouble> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.memory.take(ROW + self.cells.len() * size_of::<Cell>())?;
        // As large as it needs to be; what grows in steps stays for the next row.
        let cells: Vec<Cell> = self.cells.drain(..).collect();
        let known = self.rows.entry(self.row).or_default();
        if known.is_empty() {
            *known = cells;
            return Ok(());
        }
        known.resize(known.len().max(cells.len()), Cell::Empty);
        for (place, cell) in known.iter_mut().zip(cells).filter(|(_, cell)| *cell != Cell::Empty) {
            *place = cell;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Row>, Trouble> {
        self.end_row()?;
        Ok(self.rows.into_iter().map(|(number, cells)| Row { number, cells }).collect())
    }
}

fn cell(xml: &mut Xml<'_>, element: &BytesStart<'_>, shared: &Shared, table: &mut Table<'_>) -> Result<(), Trouble> {
    let place = attribute(element, "r").and_then(|reference| place(reference.trim()));
    let kind = attribute(element, "t").unwrap_or_default();
    let style = attribute(element, "s").and_then(|style| style.trim().parse::<usize>().ok());
    let format = style.and_then(|style| shared.formats.get(style)).copied().unwrap_or_default();
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
    let cell = if inline.is_empty() { of(&kind, value, format, shared) } else { text(&inline) };
    table.put(place, cell)
}

/// A cell by its type (18.18.11), value and format.
fn of(kind: &str, value: String, format: NumberFormat, shared: &Shared) -> Cell {
    let trimmed = value.trim();
    if trimmed.is_empty() && !matches!(kind, "str" | "inlineStr") {
        return Cell::Empty;
    }
    match kind {
        "s" => {
            let found = trimmed.parse().ok().and_then(|index| shared.texts.get(index));
            found.map_or_else(|| Cell::Error(format!("the shared text {trimmed} is missing")), text)
        }
        "b" if trimmed == "1" || trimmed.eq_ignore_ascii_case("true") => Cell::Bool(true),
        "b" if trimmed == "0" || trimmed.eq_ignore_ascii_case("false") => Cell::Bool(false),
        "e" => Cell::Error(trimmed.to_owned()),
        "d" => Cell::DateTime(trimmed.to_owned()),
        "" | "n" => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => match format {
                NumberFormat::Number => Cell::Number(number),
                NumberFormat::Duration => Cell::Days(number),
                NumberFormat::Date => date_time(number, shared.from_1904).map_or(Cell::Number(number), Cell::DateTime),
            },
            _ => Cell::Text(value),
        },
        _ => text(&value),
    }
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(unescape(text).into_owned()) }
}

/// Adds the text of an element whose start was read, of all its runs, without the phonetic ones.
pub(super) fn rich_text(xml: &mut Xml<'_>, all: &mut String) -> Result<(), Trouble> {
    let mut depth = 0_usize;
    loop {
        match xml.next_inside()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => xml.text(all)?,
                "rPh" => xml.skip()?,
                _ => depth += 1,
            },
            Event::End(_) if depth == 0 => return Ok(()),
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
}

/// Row and column of a reference: `B7` is row 7 and column 1. `None` for one outside of every sheet.
fn place(reference: &str) -> Option<(u32, usize)> {
    let reference = reference.strip_prefix('$').unwrap_or(reference);
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, row) = reference.split_at_checked(letters)?;
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        let column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        (column <= MOST_COLUMNS).then_some(column)
    })?;
    let row = row.strip_prefix('$').unwrap_or(row).parse().ok()?;
    (1..=MOST_ROWS).contains(&row).then_some((row, column.checked_sub(1)?))
}
