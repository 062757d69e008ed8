//! Reading a journal: for tables, the run report, the difference of two runs, and `status`. Works while another process writes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use documine::Components;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::schema;
use crate::document::{DocumentRecord, DocumentState, Failure, ListedDocument, Times};
use crate::error::{Error, ErrorKind, Result};

/// Documents per query.
const BATCH: usize = 256;

/// A journal that is only read.
#[derive(Debug)]
pub struct JournalReader {
    connection: Connection,
    path: PathBuf,
}

/// The documents of a journal by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counts {
    /// All documents.
    pub total: u64,
    /// Documents whose values are recorded.
    pub succeeded: u64,
    /// Documents that failed.
    pub failed: u64,
    /// Documents that are not finished.
    pub open: u64,
    /// Pages of the documents that succeeded.
    pub pages: u64,
}

/// One run of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunInfo {
    /// The number of the run, from 1.
    pub id: i64,
    /// The start, in milliseconds since 1970-01-01 UTC.
    pub started_at: i64,
    /// The end; `None` if the run is in progress or was killed.
    pub ended_at: Option<i64>,
    /// `all`, `some` or `none`.
    pub verdict: Option<String>,
    /// The reason why the run stopped early.
    pub stopped: Option<String>,
    /// Uploads of the run.
    pub uploads: u64,
    /// Requests of the run.
    pub requests: u64,
}

impl JournalReader {
    /// Opens a journal.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let shown = path.display().to_string();
        if !path.is_file() {
            return Err(Error::input(format!("{shown}: there is no such journal")));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(Duration::from_secs(30))?;
            schema::check(&connection, &shown)?;
            Ok(connection)
        };
        let connection = open().map_err(|error: Error| error.in_file(&shown))?;
        Ok(Self { connection, path })
    }

    /// Returns the path of the journal.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Iterates over all documents, ordered by source. Reads them in batches, so that a large journal does not sit in memory.
    pub fn documents(&self) -> Documents<'_> {
        Documents { reader: self, batch: Vec::new().into_iter(), last: None, is_at_end: false, with_components: true }
    }

    /// Iterates over all documents without their components, ordered by source.
    pub fn documents_without_components(&self) -> Documents<'_> {
        Documents { with_components: false, ..self.documents() }
    }

    /// Returns the numbers of documents by outcome.
    pub fn counts(&self) -> Result<Counts> {
        let sql = "SELECT count(*), coalesce(sum(state = 'succeeded'), 0), coalesce(sum(state = 'failed'), 0), coalesce(sum(state = 'open'), 0),
                coalesce(sum(CASE WHEN state = 'succeeded' THEN pages END), 0) FROM document";
        Ok(self.connection.query_row(sql, [], |row| {
            Ok(Counts {
                total: number(row, 0)?,
                succeeded: number(row, 1)?,
                failed: number(row, 2)?,
                open: number(row, 3)?,
                pages: number(row, 4)?,
            })
        })?)
    }

    /// Returns the runs, the oldest first.
    pub fn runs(&self) -> Result<Vec<RunInfo>> {
        let sql = "SELECT id, started_at, ended_at, outcome, stopped, uploads, requests FROM run ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let runs = statement.query_map([], |row| {
            Ok(RunInfo {
                id: row.get(0)?,
                started_at: row.get(1)?,
                ended_at: row.get(2)?,
                verdict: row.get(3)?,
                stopped: row.get(4)?,
                uploads: number(row, 5)?,
                requests: number(row, 6)?,
            })
        })?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    /// Returns a setting of the journal: `workspace`, `base_url`, `dossier_template_id`, `created_at`, `version`.
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM setting WHERE name = ?1";
        Ok(self.connection.query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    /// Returns the place from which a document is read.
    pub(crate) fn location(&self, source: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT location FROM document WHERE source = ?1")?;
        Ok(statement.query_row([source], |row| row.get(0)).optional()?)
    }

    /// Returns the pages and the bytes of the documents that succeeded.
    pub(crate) fn observed(&self) -> Result<(u64, u64)> {
        let sql = "SELECT coalesce(sum(pages), 0), coalesce(sum(size), 0) FROM document WHERE state = 'succeeded' AND pages > 0";
        Ok(self.connection.query_row(sql, [], |row| Ok((number(row, 0)?, number(row, 1)?)))?)
    }

    /// Returns the state of a document whose version is the listed one; `None` for another version, and for a document whose next run repeats a step.
    pub(crate) fn unchanged(&self, document: &ListedDocument) -> Result<Option<DocumentState>> {
        let sql = "SELECT state FROM document WHERE source = ?1 AND version = ?2 AND version != ''
            AND coalesce(json_extract(failure, '$.retryable'), 0) = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let word: Option<String> =
            statement.query_row(params![document.source, document.version], |row| row.get(0)).optional()?;
        Ok(word.as_deref().and_then(DocumentState::from_word))
    }

    /// Returns a text that changes with the documents that have ended.
    pub(crate) fn content(&self) -> Result<String> {
        let sql = "SELECT coalesce(max(ended_in), 0) || '-' || coalesce(sum(state = 'succeeded'), 0) || '-' || coalesce(sum(state = 'failed'), 0)
            FROM document";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Returns the settings and the data with which an output was written.
    pub(crate) fn output(&self, path: &str) -> Result<Option<String>> {
        Ok(self
            .connection
            .query_row("SELECT content FROM output WHERE path = ?1", [path], |row| row.get(0))
            .optional()?)
    }

    /// Keeps the state of the journal for all queries until the guard is dropped.
    pub(crate) fn snapshot(&self) -> Result<rusqlite::Transaction<'_>> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// Returns one document, with its components as soon as they are recorded.
    pub fn document(&self, source: &str) -> Result<Option<DocumentRecord>> {
        let mut statement = self.connection.prepare_cached(&Self::select(true, "source = ?1"))?;
        let mut rows = statement.query([source])?;
        rows.next()?.map(|row| self.record(row, true)).transpose()
    }

    fn select(with_components: bool, condition: &str) -> String {
        let json = if with_components { "components.json" } else { "NULL" };
        format!(
            "SELECT source, sha256, size, state, dossier.dossier_id, file_id, file_name, pages, failure, {json}, analysed_at, package,
                listed_at, upload_started_at, uploaded_at, processed_at, ended_at
             FROM document LEFT JOIN dossier ON dossier.slot = document.dossier
                LEFT JOIN components ON components.document = document.id
             WHERE {condition}"
        )
    }

    fn batch(&self, after: Option<&str>, with_components: bool) -> Result<Vec<DocumentRecord>> {
        let condition = "?1 IS NULL OR source > ?1 ORDER BY source LIMIT ?2";
        let mut statement = self.connection.prepare_cached(&Self::select(with_components, condition))?;
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![after, limit])?;
        let mut batch = Vec::new();
        while let Some(row) = rows.next()? {
            batch.push(self.record(row, false)?);
        }
        Ok(batch)
    }

    fn record(&self, row: &Row<'_>, is_unfinished: bool) -> Result<DocumentRecord> {
        let source: String = row.get(0)?;
        let state: String = row.get(3)?;
        let damaged = |what: &str| {
            let path = self.path.display();
            Error::new(
                ErrorKind::Journal,
                format!("{path}: the {what} of {source} is damaged; restore a copy of the journal"),
            )
        };
        let state = DocumentState::from_word(&state).ok_or_else(|| damaged("state"))?;
        let failure: Option<String> = row.get(8)?;
        let failure: Option<Failure> = failure
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| damaged("failure").with_source(error))?;
        let is_wanted = is_unfinished || state == DocumentState::Succeeded;
        let json: Option<String> = if is_wanted { row.get(9)? } else { None };
        let components: Option<Components> = json
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| damaged("record").with_source(error))?;
        Ok(DocumentRecord {
            sha256: row.get(1)?,
            size: row.get::<_, Option<i64>>(2)?.and_then(|size| u64::try_from(size).ok()),
            state,
            dossier_id: row.get(4)?,
            file_id: row.get(5)?,
            file_name: row.get(6)?,
            pages: row.get(7)?,
            failure: failure.filter(|_| state == DocumentState::Failed),
            components,
            analysed_at: row.get(10)?,
            package: row.get(11)?,
            times: Times {
                listed: row.get(12)?,
                upload_started: row.get(13)?,
                uploaded: row.get(14)?,
                processed: row.get(15)?,
                ended: row.get(16)?,
            },
            source,
        })
    }
}

fn number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or_default())
}

/// The documents of a journal, ordered by source.
#[derive(Debug)]
pub struct Documents<'a> {
    reader: &'a JournalReader,
    batch: std::vec::IntoIter<DocumentRecord>,
    last: Option<String>,
    is_at_end: bool,
    with_components: bool,
}

impl Iterator for Documents<'_> {
    type Item = Result<DocumentRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(record) = self.batch.next() {
            return Some(Ok(record));
        }
        if self.is_at_end {
            return None;
        }
        match self.reader.batch(self.last.as_deref(), self.with_components) {
            Ok(batch) => {
                self.is_at_end = batch.len() < BATCH;
                self.last = batch.last().map(|record| record.source.clone());
                self.batch = batch.into_iter();
                self.batch.next().map(Ok)
            }
            Err(error) => {
                self.is_at_end = true;
                Some(Err(error))
            }
        }
    }
}
