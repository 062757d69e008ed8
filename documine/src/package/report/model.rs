//! Values of an extraction report.

use std::fmt::{self, Display};

/// An extraction report: a workbook and its sheets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Name of the entry in the package.
    pub name: String,
    /// Sheets in the order of the workbook.
    pub sheets: Vec<Sheet>,
}

impl Report {
    /// Returns the sheet with the given name.
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }
}

/// One sheet of a report.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sheet {
    /// Name of the sheet.
    pub name: String,
    /// Rows from top to bottom, without empty rows.
    pub rows: Vec<Row>,
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Row number as shown by a spreadsheet, starting at 1.
    pub number: u32,
    /// Cells from column A to the last cell with a value.
    pub cells: Vec<Cell>,
}

/// The value of a cell. For a formula, the stored value; nothing is computed.
///
/// An invalid number or boolean is kept as text. A number that is not a valid date is kept as a number. `Display` shows the value without the number
/// format of the cell, and nothing for an empty cell.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Cell {
    /// No value.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A date and time without a time zone: `2026-11-27T06:56:17.000` (ISO 8601).
    DateTime(String),
    /// A duration in days.
    Days(f64),
    /// The error of a formula as written by the program (`#DIV/0!`, `#SPILL!`), or the reason why the value is missing.
    Error(String),
}

impl Cell {
    /// Returns the text of a text cell.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the number of a number cell.
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

impl Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.pad(""),
            Self::Text(text) | Self::DateTime(text) | Self::Error(text) => f.pad(text),
            Self::Number(number) | Self::Days(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}
