//! Tables: the values of a journal as CSV, JSON Lines, Excel workbook, Parquet file or SQLite table.
//!
//! A table is made from the journal alone, without any request. Rows are ordered by source, and only documents that succeeded have rows. A file
//! appears whole under its name, and the same journal gives the same bytes.
//!
//! # Long and wide
//!
//! The long form (the default) has one row per value. Its columns are `source`, `sha256`, `component`, `index` (from 0), `value` (the text as the
//! service gives it), then `number`, `date` and `boolean` if types are given or inferred, then `original` (the text in the document before a rule
//! or a user changed it), `description`, `page` (from 1), `rule`, `dossier_id`, `file_id`, `file_name`, `analysed_at`. A component without values
//! has no row, and a document without values neither.
//!
//! The wide form has one row per document: `source`, `sha256`, `dossier_id`, `file_id`, `file_name`, `pages`, `analysed_at`, and one column per
//! component, in the order of the template. A component with the name of such a column is called `component:` and its name. Several values of a
//! component are joined by `; `.
//!
//! # Types
//!
//! All values are text unless [`Table::column_type`] or [`Table::infer_types`] gives a type. In the long form the typed value stands beside the
//! text; in the wide form it replaces the text. Numbers are 64-bit floating point (an integer is exact in CSV and JSON Lines). A value of another
//! form leaves the cell empty and is counted in [`WrittenTable::unparsed`], as are several values for a typed cell of a wide table.
//!
//! # Formats
//!
//! | Format | Dates | Booleans | No value | Text |
//! |---|---|---|---|---|
//! | CSV | `2024-03-12` | `true` | empty, like the empty text | UTF-8, quoted as in RFC 4180, lines end with LF |
//! | JSON Lines | `"2024-03-12"` | `true` | `null` | every object has all columns |
//! | Excel | a date, from 1900-03-01 | a boolean | no cell | always text, never a formula; at most 32,767 UTF-16 units |
//! | Parquet | DATE | BOOLEAN | null | UTF-8; compressed with Snappy |
//! | SQLite | `2024-03-12` | 1 or 0 | NULL | TEXT |

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::journal::JournalReader;
use crate::staged::{self, StagedFile};

mod csv;
mod failed;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod sqlite;
#[cfg(test)]
mod tests;
mod types;
#[cfg(feature = "xlsx")]
mod xlsx;

pub use failed::{check_failed, write_failed};
pub use types::ValueType;

use rows::{Layout, RowCounts};
use types::Cell;

/// The table of a SQLite file that [`Table::from_path`] chooses.
const SQLITE_TABLE: &str = "document_values";
/// The first bytes of a SQLite file.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A table to write from a journal.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (service, folder) = (documine_sim::connect().await?, tempfile::tempdir()?);
/// # std::env::set_current_dir(&folder)?;
/// # let samples = documine_ingest::source::Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples"));
/// # documine_ingest::Ingest::new(&service.client, service.template()).source(samples).journal("run.sqlite").run().await?;
/// use documine_ingest::journal::JournalReader;
/// use documine_ingest::table::{Table, ValueType};
///
/// let table = Table::csv("invoices.csv").wide(true).column_type("Total_Amount", ValueType::Amount);
/// let written = table.write(&JournalReader::open("run.sqlite")?)?;
/// println!("{} rows, {} values of another form", written.rows, written.unparsed);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    format: Format,
    shape: Shape,
    columns: Option<Vec<String>>,
    types: BTreeMap<String, ValueType>,
    infer: bool,
    separator: String,
    escape_formulas: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
    #[cfg(feature = "xlsx")]
    Xlsx,
    #[cfg(feature = "parquet")]
    Parquet,
    Sqlite {
        table: String,
    },
}

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One row per value.
    Long,
    /// One row per document.
    Wide,
}

/// The result of [`Table::write`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenTable {
    /// The file.
    pub path: PathBuf,
    /// The number of rows, without the header.
    pub rows: u64,
    /// The number of documents that the table covers, including those without values.
    pub documents: u64,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The number of values without a cell: of another form than the type of their column, or several for a typed cell of a wide table.
    pub unparsed: u64,
    /// The number of texts cut to the limit of the format. Only Excel has one.
    pub truncated: u64,
}

impl Table {
    fn new(path: impl Into<PathBuf>, format: Format) -> Self {
        Self {
            path: path.into(),
            format,
            shape: Shape::Long,
            columns: None,
            types: BTreeMap::new(),
            infer: false,
            separator: "; ".to_owned(),
            escape_formulas: false,
        }
    }

    /// Creates a CSV file. See [`escape_formulas`](Self::escape_formulas) for files that people open in a spreadsheet.
    pub fn csv(path: impl Into<PathBuf>) -> Self {
        Self::new(path, Format::Csv)
    }

    /// Creates a JSON Lines file: one object per row, with all columns.
    pub fn jsonl(path: impl Into<PathBuf>) -> Self {
        Self::new(path, Format::JsonLines)
    }

    /// Creates an Excel workbook.
    ///
    /// A table of more than 1,048,575 rows continues on the sheets `values 2`, `values 3`, … A text of more than 32,767 UTF-16 units is cut and
    /// counted in [`WrittenTable::truncated`]. Line breaks become LF. Integers of more than 15 digits and dates before 1900-03-01 are text, because
    /// Excel cannot represent them. More than 16,384 columns are an error.
    #[cfg(feature = "xlsx")]
    pub fn xlsx(path: impl Into<PathBuf>) -> Self {
        Self::new(path, Format::Xlsx)
    }

    /// Creates a Parquet file, with row groups of at most 100,000 rows and about 32 MiB of text.
    #[cfg(feature = "parquet")]
    pub fn parquet(path: impl Into<PathBuf>) -> Self {
        Self::new(path, Format::Parquet)
    }

    /// Creates a table in a SQLite file, which may be the journal. A table of this name is replaced in one transaction, other tables stay.
    ///
    /// The names of the journal's own tables (`document`, `run`, …) are refused.
    pub fn sqlite(path: impl Into<PathBuf>, table: impl Into<String>) -> Self {
        Self::new(path, Format::Sqlite { table: table.into() })
    }

    /// Creates a table in the format of the file extension: `.csv`, `.jsonl`, `.ndjson`, `.xlsx`, `.parquet`, `.sqlite` or `.db`.
    ///
    /// The table of a SQLite file is called `document_values`.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Ok(Self::csv(path)),
            "jsonl" | "ndjson" => Ok(Self::jsonl(path)),
            #[cfg(feature = "xlsx")]
            "xlsx" => Ok(Self::xlsx(path)),
            #[cfg(feature = "parquet")]
            "parquet" => Ok(Self::parquet(path)),
            "sqlite" | "db" => Ok(Self::sqlite(path, SQLITE_TABLE)),
            #[cfg(not(feature = "xlsx"))]
            "xlsx" => Err(not_compiled(path, "Excel workbooks", "xlsx")),
            #[cfg(not(feature = "parquet"))]
            "parquet" => Err(not_compiled(path, "Parquet files", "parquet")),
            _ => Err(Error::input(format!(
                "{}: unknown format of a table; use the extension .csv, .jsonl, .ndjson, .xlsx, .parquet, .sqlite or .db",
                path.display()
            ))),
        }
    }

    /// Sets whether the table has one row per document instead of one per value. Default: `false`.
    #[must_use]
    pub fn wide(mut self, yes: bool) -> Self {
        self.shape = if yes { Shape::Wide } else { Shape::Long };
        self
    }

    /// Sets the components of a wide table and their order. Default: all components of the journal, in the order of the template.
    ///
    /// A component that no document has gets an empty column. With fixed columns, a table of the next run has the same form.
    #[must_use]
    pub fn columns<I, S>(mut self, components: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.columns = Some(components.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the type of a component's values. It takes precedence over an inferred type.
    #[must_use]
    pub fn column_type(mut self, component: impl Into<String>, value_type: ValueType) -> Self {
        self.types.insert(component.into(), value_type);
        self
    }

    /// Sets whether components get a type if every value in the journal has it. Default: `false`.
    ///
    /// The rule is strict, and blank values do not count:
    /// - boolean: `true` and `false` only
    /// - date: `2024-03-12` only
    /// - integer: digits with an optional `-`, at most 15, without a leading zero (`00123` is text)
    /// - number: as an integer, or with one decimal mark and at most 15 digits: `3.5`, `12,50`, `1.234,56`. A value with two readings (`1.234`,
    ///   `1,234`), and one that may be an identifier (`1.234.567`), make the component text
    ///
    /// In a wide table a component with several values in one document is text. The type of a component may change with the next documents;
    /// [`column_type`](Self::column_type) fixes it.
    #[must_use]
    pub fn infer_types(mut self, yes: bool) -> Self {
        self.infer = yes;
        self
    }

    /// Sets the text between several values of a component in a wide table. Default: `"; "`.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Sets whether CSV texts that a spreadsheet would take for a formula get a leading apostrophe. Default: `false`.
    ///
    /// Texts of a document may start with `=`, `+`, `-`, `@`, a tab or a carriage return, and some spreadsheets evaluate such a cell of a CSV file:
    /// `=HYPERLINK(…)`. The apostrophe prevents that, and changes the data for all other readers. Plain numbers such as `-12.50` are kept. Excel
    /// workbooks need no option: their texts are stored as text.
    #[must_use]
    pub fn escape_formulas(mut self, yes: bool) -> Self {
        self.escape_formulas = yes;
        self
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the settings and the target without changing it: the folder exists and is writable, and the path is not a directory.
    pub fn check(&self) -> Result<()> {
        let shown = self.path.display();
        if let Some(columns) = &self.columns {
            if self.shape == Shape::Long {
                return Err(Error::input(format!("{shown}: columns are set for a long table; add wide(true)")));
            }
            if let Some(name) = rows::repeated(columns) {
                return Err(Error::input(format!("{shown}: the column {name:?} is set twice; remove one")));
            }
        }
        match &self.format {
            Format::Sqlite { table } => {
                sqlite::check_name(table).map_err(|reason| Error::input(format!("{shown}: {reason}")))?;
                check_target(&self.path, true)?;
                sqlite::check_file(&staged::resolve(&self.path)).map_err(|fault| failure(&self.path, &*fault))
            }
            _ => check_target(&self.path, false),
        }
    }

    /// Writes the table. The file keeps its old content until the new one is complete.
    pub fn write(&self, journal: &JournalReader) -> Result<WrittenTable> {
        self.check()?;
        let target = staged::resolve(&self.path);
        let is_journal = is_same_file(&target, journal.path());
        let fault = |fault: Fault| failure(&self.path, &*fault);
        if is_journal {
            sqlite::prepare_journal(&target).map_err(fault)?;
        }
        // The columns and the rows come from the same state, even if a run writes the journal meanwhile.
        let snapshot = journal.snapshot()?;
        let layout = Layout::new(self, journal.documents())?;
        let columns = layout.columns();
        let mut encoder: Box<dyn Encoder> = match &self.format {
            Format::Csv => Box::new(csv::CsvEncoder::new(&target, columns, self.escape_formulas).map_err(fault)?),
            Format::JsonLines => Box::new(jsonl::JsonLinesEncoder::new(&target, columns).map_err(fault)?),
            #[cfg(feature = "xlsx")]
            Format::Xlsx => Box::new(xlsx::XlsxEncoder::new(&target, columns).map_err(fault)?),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(parquet::ParquetEncoder::new(&target, columns).map_err(fault)?),
            Format::Sqlite { table } => Box::new(sqlite::SqliteEncoder::new(&target, table, columns).map_err(fault)?),
        };
        let mut counts = RowCounts::default();
        for document in journal.documents() {
            layout.write_document(&document?, &mut counts, |cells| encoder.row(cells).map_err(fault))?;
        }
        let file = encoder.finish().map_err(fault)?;
        drop(snapshot);
        Ok(WrittenTable {
            path: self.path.clone(),
            rows: counts.rows,
            documents: counts.documents,
            bytes: file.bytes,
            unparsed: counts.unparsed,
            truncated: file.truncated,
        })
    }
}

#[cfg(not(all(feature = "xlsx", feature = "parquet")))]
fn not_compiled(path: &Path, format: &str, feature: &str) -> Error {
    Error::input(format!(
        "{}: {format} are not compiled in; enable the feature {feature}, or use .csv, .jsonl, .ndjson, .sqlite or .db",
        path.display()
    ))
}

/// Checks tables that are written together: each of them, and that no two have the same target.
pub fn check_all(tables: &[Table]) -> Result<()> {
    for (index, table) in tables.iter().enumerate() {
        table.check()?;
        let target = target_of(table);
        if tables.iter().take(index).any(|other| target_of(other) == target) {
            return Err(Error::input(format!(
                "{}: two tables have this target; choose another file",
                table.path.display()
            )));
        }
    }
    Ok(())
}

/// Returns the absolute path of a file, and the table in it without regard to case.
fn target_of(table: &Table) -> (PathBuf, Option<String>) {
    let path = staged::resolve(&table.path);
    let folder = fs::canonicalize(staged::folder_of(&path)).unwrap_or_default();
    let name = match &table.format {
        Format::Sqlite { table } => Some(table.to_ascii_lowercase()),
        _ => None,
    };
    (folder.join(path.file_name().unwrap_or_default()), name)
}

/// Writes several tables of one journal, after [`check_all`].
pub fn write_all(tables: &[Table], journal: &JournalReader) -> Result<Vec<WrittenTable>> {
    check_all(tables)?;
    tables.iter().map(|table| table.write(journal)).collect()
}

/// The cause for which a table cannot be written.
type Fault = Box<dyn StdError + Send + Sync>;

/// Writes rows in one format.
trait Encoder {
    /// Writes a row, which has a cell for each column.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault>;

    /// Completes the file and gives it its name.
    fn finish(self: Box<Self>) -> Result<Finished, Fault>;
}

/// A complete file.
#[derive(Debug, Clone, Copy)]
struct Finished {
    bytes: u64,
    truncated: u64,
}

/// Checks that a file can be created or replaced.
fn check_target(path: &Path, is_sqlite: bool) -> Result<()> {
    let shown = path.display();
    let error = |message: String| Err(Error::sink(format!("{shown}: {message}")));
    if path.file_name().is_none() || path.is_dir() {
        return error("the output is a directory; add a file name".to_owned());
    }
    let target = staged::resolve(path);
    if target.exists() && !target.is_file() {
        return error("the output is not a regular file; choose another path".to_owned());
    }
    if !is_sqlite && is_sqlite_file(&target) {
        return error("the output would replace a SQLite database, possibly a journal; choose another file".to_owned());
    }
    let folder = staged::folder_of(&target);
    if !folder.is_dir() {
        return error(format!("the folder {} does not exist; create it", folder.display()));
    }
    // The name of a later run's temporary files, so that a killed process leaves nothing for long.
    match StagedFile::create(&target) {
        Ok(_) => Ok(()),
        Err(cause) => Err(Error::sink(format!(
            "{shown}: the folder {} is not writable: {}; make it writable, or choose another one",
            folder.display(),
            plain_io(&cause)
        ))
        .with_source(cause)),
    }
}

/// Returns an I/O error without the path that `tempfile` adds, whose name is random.
fn plain_io(error: &io::Error) -> String {
    error.kind().to_string()
}

fn is_sqlite_file(path: &Path) -> bool {
    let mut magic = [0; SQLITE_MAGIC.len()];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *SQLITE_MAGIC
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
}

/// Returns the error of an output, with advice by its cause.
fn failure(path: &Path, fault: &(dyn StdError + Send + Sync + 'static)) -> Error {
    let mut advice = "";
    let mut next: Option<&(dyn StdError + 'static)> = Some(fault);
    while let Some(error) = next {
        let json_kind = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        let io_kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(json_kind);
        let sqlite_code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        advice = match (io_kind, sqlite_code) {
            (Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded), _) | (_, Some(ErrorCode::DiskFull)) => {
                "; free space and write the table again from the journal"
            }
            (_, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => {
                "; another program uses it, try again later"
            }
            (_, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)) => "; choose another file",
            _ => advice,
        };
        next = error.source();
    }
    Error::sink(format!("{}: the output cannot be written: {fault}{advice}", path.display()))
}
