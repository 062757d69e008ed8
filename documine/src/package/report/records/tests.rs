//! Rows as values of a user's type.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::model::{Cell, Row, Sheet};
use crate::ErrorKind;
use crate::extract::{ExtractError, with};

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn sheet(rows: Vec<(u32, Vec<Cell>)>) -> Sheet {
    let rows = rows.into_iter().map(|(number, cells)| Row { number, cells }).collect();
    Sheet { name: "Data".to_owned(), rows }
}

/// A sheet with a head of labels, a header row in row 5, and two records.
fn overview() -> Sheet {
    sheet(vec![
        (1, vec![text("Dossier"), text("File")]),
        (2, vec![text("Built"), Cell::DateTime("2026-11-27T06:56:17.000".to_owned())]),
        (5, vec![text("File "), text("Pages"), Cell::Empty, text("Total"), text("Day"), text("File"), text("Done")]),
        (
            6,
            vec![
                text("a.pdf"),
                Cell::Number(4.0),
                text("?"),
                Cell::Number(1.234),
                Cell::DateTime("2024-03-12T00:00:00.000".to_owned()),
                text("other"),
                Cell::Bool(true),
            ],
        ),
        (8, vec![text("b.pdf"), Cell::Number(2.5), Cell::Empty, text("1.234,50")]),
        (9, vec![text("c.pdf"), text("7")]),
    ])
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    file: String,
    pages: u32,
    #[serde(default, deserialize_with = "with::decimal_comma")]
    total: Option<f64>,
    #[serde(default, deserialize_with = "with::date")]
    day: Option<String>,
    done: Option<bool>,
}

#[test]
fn reads_rows_below_header_and_names_row_and_column_of_error() {
    let sheet = overview();
    let records: Vec<_> = sheet.records::<Record>().collect();
    assert_eq!(records.len(), 3);
    let first = Record {
        file: "a.pdf".to_owned(),
        pages: 4,
        total: Some(1.234),
        day: Some("2024-03-12".to_owned()),
        done: Some(true),
    };
    assert_eq!(records[0].as_ref().unwrap(), &first, "a number cell is not read in another notation");
    let error = records[1].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Extract);
    assert_eq!(
        error.to_string(),
        "sheet \"Data\", row 8: column \"Pages\" (field Record.Pages): expected a whole number from 0 to 4294967295, found \"2.5\""
    );
    assert_eq!(error.detail::<ExtractError>().unwrap().component(), Some("Pages"));
    let last = Record { file: "c.pdf".to_owned(), pages: 7, total: None, day: None, done: None };
    assert_eq!(records[2].as_ref().unwrap(), &last);
}

#[test]
fn missing_column_is_named() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[allow(dead_code)]
    struct Other {
        file: String,
        pages: f64,
        total_amount: String,
    }
    let sheet = overview();
    let error = sheet.records::<Other>().next().unwrap().unwrap_err().to_string();
    assert!(
        error.starts_with("sheet \"Data\", row 6: column \"TotalAmount\" (field Other.TotalAmount) is missing; the sheet has \"File\", \"Pages\""),
        "{error}"
    );
}

#[test]
fn reports_sheet_without_header_row() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[allow(dead_code)]
    struct Unrelated {
        colour: String,
        size: u8,
    }
    let sheet = overview();
    let errors: Vec<_> = sheet.records::<Unrelated>().map(Result::unwrap_err).collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind(), ErrorKind::Input);
    assert_eq!(errors[0].to_string(), "sheet \"Data\": no header row found: no row has one of the titles Colour, Size");
    let error = sheet.records_below::<Record>(7).next().unwrap().unwrap_err().to_string();
    assert_eq!(error, "sheet \"Data\": no header row found: row 7 is empty");
}

#[test]
fn reads_maps_and_flattened_structs_below_stated_row() {
    #[derive(Debug, Deserialize)]
    struct Flat {
        #[serde(rename = "File")]
        file: String,
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inner {
        pages: f64,
        total: String,
    }
    let sheet = overview();
    let flat: Vec<Flat> = sheet.records_below(5).filter_map(Result::ok).collect();
    assert_eq!(flat.len(), 2, "the last row has no total");
    assert_eq!((flat[1].file.as_str(), flat[1].inner.pages, flat[1].inner.total.as_str()), ("b.pdf", 2.5, "1.234,50"));
    assert_eq!(flat[0].inner.total, "1.234");
    let maps: Vec<BTreeMap<String, Option<String>>> = sheet.records_below(5).collect::<Result<_, _>>().unwrap();
    assert_eq!(maps[0]["Day"].as_deref(), Some("2024-03-12T00:00:00.000"));
    assert_eq!(maps[2]["Done"], None);
    let maps: Vec<BTreeMap<String, Option<String>>> = sheet.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(maps.len(), 5, "the first row of texts is the header");
}

#[test]
fn cells_display_their_value() {
    let shown: Vec<String> = [
        Cell::Empty,
        text("a"),
        Cell::Number(1234.5),
        Cell::Number(4.0),
        Cell::Bool(true),
        Cell::DateTime("2024-03-12T00:00:00.000".to_owned()),
        Cell::Days(1.5),
        Cell::Error("#DIV/0!".to_owned()),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(shown, ["", "a", "1234.5", "4", "true", "2024-03-12T00:00:00.000", "1.5", "#DIV/0!"]);
    assert_eq!(format!("{:>4}|{:<4}|", text("a"), Cell::Number(4.0)), "   a|4   |");
}
