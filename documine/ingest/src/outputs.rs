//! The outputs of a journal: tables, the list of failed documents, the run report.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::journal::JournalReader;
#[cfg(feature = "report")]
use crate::report::Report;
use crate::table::{Table, check_all, check_failed, write_failed};

/// The files that [`export`] and a run write from a journal.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (service, folder) = (documine_sim::connect().await?, tempfile::tempdir()?);
/// # std::env::set_current_dir(&folder)?;
/// # let samples = documine_ingest::source::Folder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/samples"));
/// # documine_ingest::Ingest::new(&service.client, service.template()).source(samples).journal("run.sqlite").run().await?;
/// use documine_ingest::{Outputs, export, table::Table};
///
/// let outputs = Outputs::new().table(Table::csv("values.csv")).failed_list("failed.jsonl");
/// for output in export("run.sqlite", &outputs)? {
///     println!("{}", output.path.display());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    tables: Vec<Table>,
    failed: Vec<PathBuf>,
    #[cfg(feature = "report")]
    reports: Vec<PathBuf>,
}

/// A written output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenOutput {
    /// The path.
    pub path: PathBuf,
    /// The rows of a table, or the failed documents of a list; `None` for a report.
    pub rows: Option<u64>,
    /// Values of a table that are not in it, because their column has another type.
    pub unparsed: u64,
    /// Texts of a table that were cut to the limit of the format.
    pub truncated: u64,
    /// Set if the file was up to date and not written again.
    pub unchanged: bool,
}

impl Outputs {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// Adds a list of the failed documents as JSON Lines, which `ListFile` reads as a source.
    #[must_use]
    pub fn failed_list(mut self, path: impl Into<PathBuf>) -> Self {
        self.failed.push(path.into());
        self
    }

    /// Adds a run report as an HTML file.
    #[cfg(feature = "report")]
    #[must_use]
    pub fn report(mut self, path: impl Into<PathBuf>) -> Self {
        self.reports.push(path.into());
        self
    }

    /// Checks that every output can be written, and that no two of them have the same file.
    pub fn check(&self) -> Result<()> {
        self.check_beside(None)
    }

    /// Checks the outputs of a run: none may replace its journal.
    pub(crate) fn check_beside(&self, journal: Option<&Path>) -> Result<()> {
        let others: Vec<&PathBuf> = self.failed.iter().collect();
        #[cfg(feature = "report")]
        let others: Vec<&PathBuf> = others.into_iter().chain(&self.reports).collect();
        let tables = self.tables.iter().map(Table::path).chain(journal);
        let mut taken: Vec<PathBuf> = tables.map(resolved).collect();
        for path in others {
            let target = resolved(path);
            if taken.contains(&target) {
                let message =
                    format!("{}: another output or the journal has this file; choose another one", path.display());
                return Err(Error::input(message));
            }
            taken.push(target);
        }
        check_all(&self.tables)?;
        for path in &self.failed {
            check_failed(path)?;
        }
        #[cfg(feature = "report")]
        for path in &self.reports {
            Report::check(path)?;
        }
        Ok(())
    }

    /// Writes every output.
    pub fn write(&self, journal: &JournalReader) -> Result<Vec<WrittenOutput>> {
        self.check()?;
        self.write_if(journal, |_, _| false)
    }

    /// Writes the outputs for which `is_current` is false: it gets the path and a number that changes with the settings of the output.
    pub(crate) fn write_if(
        &self,
        journal: &JournalReader,
        is_current: impl Fn(&Path, u64) -> bool,
    ) -> Result<Vec<WrittenOutput>> {
        let mut written = Vec::new();
        let mut add = |path: &Path, settings: u64, write: &dyn Fn() -> Result<WrittenOutput>| -> Result<()> {
            written.push(if is_current(path, settings) {
                WrittenOutput { path: path.to_owned(), rows: None, unparsed: 0, truncated: 0, unchanged: true }
            } else {
                write()?
            });
            Ok(())
        };
        for table in &self.tables {
            add(table.path(), number_of(&format!("{table:?}")), &|| {
                let table = table.write(journal)?;
                let (unparsed, truncated) = (table.unparsed, table.truncated);
                Ok(WrittenOutput { path: table.path, rows: Some(table.rows), unparsed, truncated, unchanged: false })
            })?;
        }
        for path in &self.failed {
            add(path, 0, &|| {
                let table = write_failed(path, journal)?;
                Ok(WrittenOutput {
                    path: table.path,
                    rows: Some(table.rows),
                    unparsed: 0,
                    truncated: 0,
                    unchanged: false,
                })
            })?;
        }
        #[cfg(feature = "report")]
        for path in &self.reports {
            let report = Report::new(journal).write(path)?;
            written.push(WrittenOutput { path: report.path, rows: None, unparsed: 0, truncated: 0, unchanged: false });
        }
        Ok(written)
    }

    /// Returns the tables and lists with the number of their settings.
    pub(crate) fn settings(&self) -> Vec<(PathBuf, u64)> {
        let tables = self.tables.iter().map(|table| (table.path().to_owned(), number_of(&format!("{table:?}"))));
        tables.chain(self.failed.iter().map(|path| (path.clone(), 0))).collect()
    }
}

/// Returns the absolute path of a file that may not exist.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(absolute.file_name()).map_or_else(|| absolute.clone(), |(folder, name)| folder.join(name))
}

fn number_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Writes outputs from a journal, without any request. The journal may be in use by a run.
pub fn export(journal: impl AsRef<Path>, outputs: &Outputs) -> Result<Vec<WrittenOutput>> {
    outputs.write(&JournalReader::open(journal)?)
}
