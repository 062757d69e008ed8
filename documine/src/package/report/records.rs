//! Rows of a sheet as values of a user's type.

use serde::de::DeserializeOwned;

use super::model::{Cell, Row, Sheet};
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{COLUMNS, Component, NamedValues, field_names};
use crate::package::error::quoted;

impl Sheet {
    /// Deserializes the rows below the header row into values of a type, whose field names are the titles of columns.
    ///
    /// The header row is the first one with the most titles that are fields of the type; for a map, and for a struct with a
    /// `#[serde(flatten)]`, the first row with two or more texts and nothing else. [`records_below`](Self::records_below) states it instead. Titles
    /// match without surrounding white space. Of several columns with the same title, the first is read. An empty cell is no value: `None` for an
    /// `Option`, otherwise an error. Cells are converted like components; see [`extract`](mod@crate::extract). Number cells are exact: functions such
    /// as [`with::decimal_comma`](crate::extract::with::decimal_comma) convert texts only. A date cell is a date with a time; for a date only, use
    /// [`with::date`](crate::extract::with::date).
    ///
    /// # Errors
    /// [`ErrorKind::Extract`] for each row that does not fit, naming sheet, row and column; its [`detail`](Error::detail) is an
    /// [`ExtractError`](crate::extract::ExtractError). The other rows are still read. A single [`ErrorKind::Input`] if there is no header row.
    ///
    /// The sheet and the titles of this example are those of the simulator (inferred):
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = documine_sim::connect().await?;
    /// # let dossier = service.template().create_dossier(documine::DossierFields::named("Q3")).await?;
    /// # let source = documine::Source::path(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"));
    /// # dossier.upload(source).await?.wait_until_processed().await?;
    /// # let request = documine::PackageRequest::reports(dossier.get().await?.report_template_ids);
    /// # let package = dossier.create_package(request).await?.wait().await?;
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "PascalCase")]
    /// struct Value { file: String, component: String, value: String, page: Option<u32> }
    ///
    /// let report = package.open().await?.report().await?;
    /// let sheet = report.sheet("Components").ok_or("the report has no sheet `Components`")?;
    /// let values = sheet.records::<Value>().collect::<documine::Result<Vec<_>>>()?;
    /// for Value { file, component, value, page } in &values {
    ///     println!("{file}, page {page:?}: {component} = {value}");
    /// }
    /// # assert!(values.iter().any(|value| value.component == "InvoiceNumber" && value.value == "INV-2024-00318"));
    /// # Ok(()) }
    /// ```
    pub fn records<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T>> {
        let header = match field_names::<T>() {
            Some(fields) => most_titles(&self.rows, fields),
            None => self.rows.iter().position(is_header),
        };
        self.below(header, || match field_names::<T>() {
            Some(fields) => format!("no row has one of the titles {}", fields.join(", ")),
            None => "no row consists of two or more texts; use `records_below`".to_owned(),
        })
    }

    /// Deserializes the rows below the header row with the given number, as shown by a spreadsheet.
    ///
    /// # Errors
    /// As for [`records`](Self::records).
    pub fn records_below<T: DeserializeOwned>(&self, header: u32) -> impl Iterator<Item = Result<T>> {
        self.below(self.rows.iter().position(|row| row.number == header), move || format!("row {header} is empty"))
    }

    fn below<T: DeserializeOwned>(
        &self,
        header: Option<usize>,
        reason: impl FnOnce() -> String,
    ) -> impl Iterator<Item = Result<T>> {
        let missing = header.is_none().then(|| {
            Error::new(ErrorKind::Input, format!("sheet {}: no header row found: {}", quoted(&self.name), reason()))
        });
        let titles = header.and_then(|at| self.rows.get(at)).map(titles).unwrap_or_default();
        let rows = header.and_then(|at| self.rows.get(at + 1..)).unwrap_or_default();
        let records = rows.iter().map(move |row| self.record(&titles, row));
        missing.map(Err).into_iter().chain(records)
    }

    fn record<T: DeserializeOwned>(&self, titles: &[(usize, String)], row: &Row) -> Result<T> {
        let cells: Vec<(&str, Vec<String>, bool)> = titles
            .iter()
            .map(|(column, title)| {
                let cell = row.cells.get(*column).unwrap_or(&Cell::Empty);
                let texts = if *cell == Cell::Empty { Vec::new() } else { vec![cell.to_string()] };
                (title.as_str(), texts, matches!(cell, Cell::Number(_) | Cell::Days(_)))
            })
            .collect();
        let columns = cells.iter().map(|(title, texts, is_number)| Component::of_cell(title, texts, *is_number));
        let place = format!("sheet {}, row {}", quoted(&self.name), row.number);
        NamedValues::of_components(columns, COLUMNS)
            .of_file(Some(&place), None)
            .extract()
            .map_err(|error| Error::new(ErrorKind::Extract, error.to_string()).with_detail(error))
    }
}

/// Returns the first row with the most titles that are fields, if a row has any.
fn most_titles(rows: &[Row], fields: &[&str]) -> Option<usize> {
    let mut best = None;
    for (at, row) in rows.iter().enumerate() {
        let count = titles(row).iter().filter(|(_, title)| fields.contains(&title.as_str())).count();
        if count > best.map_or(0, |(_, most)| most) {
            best = Some((at, count));
        }
    }
    best.map(|(at, _)| at)
}

/// Returns whether a row has two or more cells with a value, all of them texts.
fn is_header(row: &Row) -> bool {
    let filled = || row.cells.iter().filter(|cell| **cell != Cell::Empty);
    filled().count() >= 2 && filled().all(|cell| cell.as_text().is_some())
}

/// Returns the columns with their titles, without repeated titles.
fn titles(row: &Row) -> Vec<(usize, String)> {
    let mut titles: Vec<(usize, String)> = Vec::new();
    for (column, cell) in row.cells.iter().enumerate() {
        let title = cell.to_string();
        let title = title.trim();
        if !title.is_empty() && !titles.iter().any(|(_, taken)| taken == title) {
            titles.push((column, title.to_owned()));
        }
    }
    titles
}

#[cfg(test)]
mod tests;
