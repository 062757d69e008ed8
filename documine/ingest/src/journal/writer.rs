//! Writing a journal: each transition of a document is one command, which is on disk when it returns.

use std::collections::HashMap;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use icu_normalizer::ComposingNormalizerBorrowed;
use rusqlite::{Connection, OptionalExtension, params};

use super::lock::JournalLock;
use super::reader::JournalReader;
use super::schema;
use super::thread::JournalThread;
use crate::document::{DocumentState, Failure, ListedDocument, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::flow::FlowState;

/// A journal that is written by this process.
#[derive(Debug)]
pub(crate) struct Journal {
    thread: JournalThread,
    /// The current run.
    run: AtomicI64,
    path: PathBuf,
    // Dropped last: the thread writes until its end.
    _lock: JournalLock,
}

/// The number of a document in the journal.
pub(crate) type DocumentKey = i64;

/// The rules by which documents are placed in dossiers.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// The name of the first dossier; further ones are numbered.
    pub(crate) name: String,
    /// The only dossier, if the caller chose one.
    pub(crate) dossier_id: Option<String>,
    /// Most documents of a dossier.
    pub(crate) max_files: u64,
    /// One dossier per folder of the sources.
    pub(crate) by_folder: bool,
}

/// The listed documents by their state in the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) listed: u64,
    /// Succeeded in an earlier run, and the version is the same.
    pub(crate) done: u64,
    /// Failed for good in an earlier run, and the version is the same.
    pub(crate) failed: u64,
}

impl AddAssign for Listing {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.done += other.done;
        self.failed += other.failed;
    }
}

/// A document whose processing continues.
#[derive(Debug, Clone)]
pub(crate) struct OpenDocument {
    pub(crate) key: DocumentKey,
    pub(crate) source: String,
    pub(crate) location: String,
    pub(crate) version: String,
    pub(crate) sha256: Option<String>,
    pub(crate) slot: i64,
    pub(crate) file_name: String,
    pub(crate) flow: Option<FlowState>,
    /// The step that had been started and whose result is unknown.
    pub(crate) intent: Option<Step>,
    pub(crate) attempts: u32,
}

/// A dossier of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DossierRow {
    pub(crate) name: String,
    pub(crate) dossier_id: Option<String>,
}

/// The file of a document whose content another document has.
#[derive(Debug, Clone)]
pub(crate) struct CopiedFile {
    pub(crate) sha256: String,
    pub(crate) size: u64,
    pub(crate) file_id: String,
    pub(crate) pages: Option<u32>,
    pub(crate) analysed_at: Option<String>,
    pub(crate) dossier_id: String,
}

/// Sums over the documents of a journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) open: u64,
    pub(crate) open_bytes: u64,
    /// Pages and bytes of documents that succeeded.
    pub(crate) pages: u64,
    pub(crate) bytes: u64,
}

/// The time of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Uploaded,
    Processed,
    Other,
}

impl Journal {
    /// Opens a journal, or creates it. `settings` must be equal to those of earlier runs.
    pub(crate) async fn open(path: &Path, settings: &[(&'static str, String)]) -> Result<Self> {
        let (path, settings) = (path.to_owned(), settings.to_vec());
        let shown = path.display().to_string();
        let open = move || Self::open_blocking(path, &settings).map_err(|error| error.in_file(&shown));
        let opened = tokio::task::spawn_blocking(open).await;
        opened.map_err(|error| Error::new(ErrorKind::Journal, format!("journal: {error}")))?
    }

    fn open_blocking(path: PathBuf, settings: &[(&'static str, String)]) -> Result<Self> {
        let shown = path.display().to_string();
        if path.is_dir() {
            return Err(Error::input(format!("{shown}: the journal is a folder; name a file")));
        }
        let lock = JournalLock::acquire(&path)?;
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        // Readers are not blocked, and a commit is on disk when it returns.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::prepare(&mut connection, &shown)?;
        for (name, value) in settings {
            connection.execute("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)", params![name, value])?;
            let found: String =
                connection.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))?;
            if found != *value {
                let message = format!(
                    "{shown}: this journal belongs to the {name} {found}, not to {value}; choose another journal"
                );
                return Err(Error::input(message));
            }
        }
        Ok(Self { thread: JournalThread::start(connection)?, run: AtomicI64::new(0), path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the journal for reading, beside the writer.
    pub(crate) fn reader(&self) -> Result<JournalReader> {
        JournalReader::open(&self.path)
    }

    /// Stores the settings and the data of written outputs, by path.
    pub(crate) async fn set_outputs(&self, outputs: Vec<(String, String)>) -> Result<()> {
        self.thread
            .run(move |connection| {
                for (path, content) in outputs {
                    let sql = "INSERT INTO output (path, content) VALUES (?1, ?2) ON CONFLICT (path) DO UPDATE SET content = excluded.content";
                    connection.execute(sql, params![path, content])?;
                }
                Ok(())
            })
            .await
    }

    /// Returns a setting, which `value` sets if it is new.
    pub(crate) async fn setting(&self, name: &'static str, value: String) -> Result<String> {
        self.thread
            .run(move |connection| {
                connection
                    .execute("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)", params![name, value])?;
                Ok(connection.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))?)
            })
            .await
    }

    pub(crate) async fn begin_run(&self, now: i64) -> Result<i64> {
        let run = self
            .thread
            .run(move |connection| {
                connection.execute("INSERT INTO run (started_at) VALUES (?1)", [now])?;
                Ok(connection.last_insert_rowid())
            })
            .await?;
        self.run.store(run, Ordering::Relaxed);
        Ok(run)
    }

    pub(crate) async fn end_run(
        &self,
        run: i64,
        now: i64,
        verdict: &'static str,
        stopped: Option<String>,
        (uploads, requests): (u64, u64),
    ) -> Result<()> {
        let (uploads, requests) = (to_sql(uploads), to_sql(requests));
        self.thread
            .run(move |connection| {
                let sql = "UPDATE run SET ended_at = ?2, outcome = ?3, stopped = ?4, uploads = ?5, requests = ?6 WHERE id = ?1";
                connection.execute(sql, params![run, now, verdict, stopped, uploads, requests])?;
                Ok(())
            })
            .await
    }

    /// Writes listed documents: new ones get a dossier and a name that is free in it.
    pub(crate) async fn list(
        &self,
        run: i64,
        now: i64,
        documents: Vec<ListedDocument>,
        placement: Placement,
    ) -> Result<Listing> {
        self.thread
            .run(move |connection| {
                let mut listing = Listing::default();
                let mut numbers = HashMap::new();
                for document in &documents {
                    list_document(connection, run, now, document, &placement, &mut numbers, &mut listing)?;
                }
                Ok(listing)
            })
            .await
    }

    /// Removes the documents that a listing added, because it failed: the program may list other sources next time.
    pub(crate) async fn undo_listing(&self, last_before: DocumentKey) -> Result<()> {
        self.thread
            .run(move |connection| {
                connection.execute("DELETE FROM document WHERE id > ?1", [last_before])?;
                let sql =
                    "UPDATE dossier SET files = (SELECT count(*) FROM document WHERE document.dossier = dossier.slot)";
                connection.execute(sql, [])?;
                connection.execute("DELETE FROM dossier WHERE files = 0 AND dossier_id IS NULL", [])?;
                Ok(())
            })
            .await
    }

    /// Returns the number of the last document.
    pub(crate) async fn last_document(&self) -> Result<DocumentKey> {
        let sql = "SELECT coalesce(max(id), 0) FROM document";
        self.thread.run(move |connection| Ok(connection.query_row(sql, [], |row| row.get(0))?)).await
    }

    /// Returns open documents behind `after`, in the order in which they were listed.
    pub(crate) async fn open_documents(&self, after: DocumentKey, limit: usize) -> Result<Vec<OpenDocument>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.thread
            .run(move |connection| {
                let sql = "SELECT id, source, location, version, sha256, dossier, file_name, flow, intent, attempts FROM document
                    WHERE (state = 'open' OR intent = 'hash') AND id > ?1 ORDER BY id LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params![after, limit])?;
                let mut documents = Vec::new();
                while let Some(row) = rows.next()? {
                    let flow: Option<String> = row.get(7)?;
                    let intent: Option<String> = row.get(8)?;
                    documents.push(OpenDocument {
                        key: row.get(0)?,
                        source: row.get(1)?,
                        location: row.get(2)?,
                        version: row.get(3)?,
                        sha256: row.get(4)?,
                        slot: row.get::<_, Option<i64>>(5)?.unwrap_or_default(),
                        file_name: row.get(6)?,
                        flow: flow.map(|json| parse(&json)).transpose()?,
                        intent: intent.map(|word| parse(&format!("\"{word}\""))).transpose()?,
                        attempts: row.get(9)?,
                    });
                }
                Ok(documents)
            })
            .await
    }

    pub(crate) async fn dossier(&self, slot: i64) -> Result<DossierRow> {
        self.thread
            .run(move |connection| {
                let sql = "SELECT name, dossier_id FROM dossier WHERE slot = ?1";
                Ok(connection
                    .query_row(sql, [slot], |row| Ok(DossierRow { name: row.get(0)?, dossier_id: row.get(1)? }))?)
            })
            .await
    }

    pub(crate) async fn set_dossier(&self, slot: i64, dossier_id: String) -> Result<()> {
        self.thread
            .run(move |connection| {
                connection.execute("UPDATE dossier SET dossier_id = ?2 WHERE slot = ?1", params![slot, dossier_id])?;
                Ok(())
            })
            .await
    }

    /// Gives a document another name in its dossier, because the service has a file of that name which is not of this journal. Returns the name.
    pub(crate) async fn rename(&self, key: DocumentKey, taken: std::collections::HashSet<String>) -> Result<String> {
        self.thread
            .run(move |connection| {
                let (slot, name): (i64, String) =
                    connection.query_row("SELECT dossier, file_name FROM document WHERE id = ?1", [key], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?;
                let mut numbers = HashMap::new();
                let mut candidate = name.clone();
                while taken.contains(&name_key(&candidate)) || is_taken(connection, slot, &candidate)? {
                    candidate = next_name(&name, slot, &mut numbers);
                }
                let sql = "UPDATE document SET file_name = ?2, name_key = ?3 WHERE id = ?1";
                connection.execute(sql, params![key, candidate, name_key(&candidate)])?;
                Ok(candidate)
            })
            .await
    }

    /// Returns another document of the same content whose values are recorded.
    pub(crate) async fn same_content(&self, key: DocumentKey, sha256: String) -> Result<Option<DocumentKey>> {
        self.thread
            .run(move |connection| {
                let sql = "SELECT id FROM document WHERE sha256 = ?2 AND id != ?1 AND state = 'succeeded' ORDER BY id LIMIT 1";
                Ok(connection.prepare_cached(sql)?.query_row(params![key, sha256], |row| row.get(0)).optional()?)
            })
            .await
    }

    /// Notes that a step begins. If its result is missing later, the step may have run.
    pub(crate) async fn begin_step(&self, key: DocumentKey, flow: &FlowState, step: Step, now: i64) -> Result<()> {
        let (sha256, size) = (flow.job().sha256.clone(), to_sql(flow.job().size));
        let flow = to_json(flow)?;
        self.thread
            .run(move |connection| {
                let sql = "UPDATE document SET state = 'open', flow = ?2, intent = ?3, attempts = attempts + 1, sha256 = ?5, size = ?6,
                    upload_started_at = CASE WHEN ?3 = 'upload' THEN ?4 ELSE upload_started_at END WHERE id = ?1";
                connection.prepare_cached(sql)?.execute(params![key, flow, step.as_str(), now, sha256, size])?;
                Ok(())
            })
            .await
    }

    /// Stores a flow after a step, with the columns that are derived from it.
    pub(crate) async fn advance(
        &self,
        key: DocumentKey,
        flow: &FlowState,
        (state, failure): (DocumentState, Option<Failure>),
        moment: Moment,
        now: i64,
    ) -> Result<()> {
        let json = to_json(flow)?;
        let failure = failure.as_ref().map(to_json).transpose()?;
        let job = flow.job();
        let (sha256, size) = (job.sha256.clone(), to_sql(job.size));
        let file_id = flow.file_id().map(ToString::to_string);
        let analysed_at = flow.analysed_at().map(str::to_owned);
        let package = flow.package().map(str::to_owned);
        let pages = flow.pages();
        let run = self.run.load(Ordering::Relaxed);
        self.thread
            .run(move |connection| {
                let sql = "UPDATE document SET flow = ?2, intent = NULL, attempts = 0, state = ?3, failure = ?4, sha256 = ?5, size = ?6, file_id = ?7,
                        pages = ?8, analysed_at = ?9, package = ?10,
                        uploaded_at = CASE WHEN ?11 = 1 THEN ?13 ELSE uploaded_at END,
                        processed_at = CASE WHEN ?11 = 2 THEN ?13 ELSE processed_at END,
                        ended_at = CASE WHEN ?12 THEN ?13 END, ended_in = CASE WHEN ?12 THEN ?14 END
                    WHERE id = ?1";
                let moment = match moment {
                    Moment::Uploaded => 1,
                    Moment::Processed => 2,
                    Moment::Other => 0,
                };
                let is_end = state != DocumentState::Open;
                connection.prepare_cached(sql)?.execute(params![
                    key,
                    json,
                    state.as_str(),
                    failure,
                    sha256,
                    size,
                    file_id,
                    pages,
                    analysed_at,
                    package,
                    moment,
                    is_end,
                    now,
                    run
                ])?;
                Ok(())
            })
            .await
    }

    /// Ends a document whose flow has not begun: its content cannot be read.
    pub(crate) async fn fail(&self, key: DocumentKey, failure: &Failure, now: i64) -> Result<()> {
        let failure = to_json(failure)?;
        let run = self.run.load(Ordering::Relaxed);
        self.thread
            .run(move |connection| {
                let sql = "UPDATE document SET state = 'failed', failure = ?2, intent = CASE WHEN intent = 'hash' THEN intent END, ended_at = ?3, ended_in = ?4 WHERE id = ?1";
                connection.execute(sql, params![key, failure, now, run])?;
                Ok(())
            })
            .await
    }

    /// Gives a document the components of another one of the same content. Returns the file of that one.
    pub(crate) async fn copy(&self, key: DocumentKey, original: DocumentKey) -> Result<CopiedFile> {
        self.thread
            .run(move |connection| {
                let sql = "INSERT OR REPLACE INTO components (document, json) SELECT ?1, json FROM components WHERE document = ?2";
                connection.execute(sql, params![key, original])?;
                let sql = "SELECT sha256, size, file_id, pages, analysed_at, dossier.dossier_id
                    FROM document JOIN dossier ON dossier.slot = document.dossier WHERE document.id = ?1";
                Ok(connection.query_row(sql, [original], |row| {
                    Ok(CopiedFile {
                        sha256: row.get(0)?,
                        size: u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default(),
                        file_id: row.get(2)?,
                        pages: row.get(3)?,
                        analysed_at: row.get(4)?,
                        dossier_id: row.get(5)?,
                    })
                })?)
            })
            .await
    }

    /// Stores the components of a document, in place of earlier ones.
    pub(crate) async fn store_components(&self, source: String, json: String) -> Result<()> {
        self.thread
            .run(move |connection| {
                let sql = "INSERT INTO components (document, json) SELECT id, ?2 FROM document WHERE source = ?1
                    ON CONFLICT (document) DO UPDATE SET json = excluded.json";
                connection.prepare_cached(sql)?.execute(params![source, json])?;
                Ok(())
            })
            .await
    }

    /// Returns the number and the bytes of the open documents, and pages and bytes of the documents that succeeded.
    pub(crate) async fn totals(&self) -> Result<Totals> {
        self.thread
            .run(|connection| {
                let sql = "SELECT coalesce(sum(state = 'open' OR coalesce(intent, '') = 'hash'), 0),
                    coalesce(sum(CASE WHEN state = 'open' OR intent = 'hash' THEN size END), 0),
                    coalesce(sum(CASE WHEN state = 'succeeded' AND pages > 0 THEN pages END), 0),
                    coalesce(sum(CASE WHEN state = 'succeeded' AND pages > 0 THEN size END), 0) FROM document";
                let numbers: [i64; 4] =
                    connection.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
                let [open, open_bytes, pages, bytes] = numbers.map(|number| u64::try_from(number).unwrap_or_default());
                Ok(Totals { open, open_bytes, pages, bytes })
            })
            .await
    }

    /// Returns failed documents to their failed step. Returns their number.
    pub(crate) async fn reopen_failed(&self) -> Result<u64> {
        self.thread
            .run(|connection| {
                let sql = "SELECT id, flow FROM document WHERE state = 'failed'";
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.query([])?;
                let mut reopened = 0;
                while let Some(row) = rows.next()? {
                    reopen(connection, row.get(0)?, row.get(1)?)?;
                    reopened += 1;
                }
                Ok(reopened)
            })
            .await
    }
}

/// Returns a failed document to its failed step.
fn reopen(connection: &Connection, key: DocumentKey, flow: Option<String>) -> Result<()> {
    let flow = flow
        .map(|json| {
            let mut flow: FlowState = parse(&json)?;
            flow.retry();
            to_json(&flow)
        })
        .transpose()?;
    let sql =
        "UPDATE document SET state = 'open', failure = NULL, flow = ?2, attempts = 0, ended_at = NULL WHERE id = ?1";
    connection.execute(sql, params![key, flow])?;
    Ok(())
}

fn list_document(
    connection: &Connection,
    run: i64,
    now: i64,
    document: &ListedDocument,
    placement: &Placement,
    numbers: &mut HashMap<(i64, String), u64>,
    listing: &mut Listing,
) -> Result<()> {
    type Known = (DocumentKey, String, Option<i64>, String, Option<String>, Option<String>, i64, Option<String>);
    let sql = "SELECT id, version, size, state, failure, flow, listed_in, intent FROM document WHERE source = ?1";
    let known: Option<Known> = connection
        .prepare_cached(sql)?
        .query_row([&document.source], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
        })
        .optional()?;
    let size = document.size.map(to_sql);
    let Some((key, version, known_size, state, failure, flow, listed_in, intent)) = known else {
        listing.listed += 1;
        let slot = place(connection, document, placement)?;
        let mut name = document.file_name.clone();
        while is_taken(connection, slot, &name)? {
            name = next_name(&document.file_name, slot, numbers);
        }
        let sql = "INSERT INTO document (source, location, version, size, listed_in, dossier, file_name, name_key, state, listed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9)";
        connection.prepare_cached(sql)?.execute(params![
            document.source,
            document.location,
            document.version,
            size,
            run,
            slot,
            name,
            name_key(&name),
            now
        ])?;
        connection.execute("UPDATE dossier SET files = files + 1 WHERE slot = ?1", [slot])?;
        return Ok(());
    };
    if listed_in == run {
        return Ok(()); // Two sources list the same document.
    }
    listing.listed += 1;
    let is_same = version == document.version && !version.is_empty() && (size.is_none() || size == known_size);
    connection.prepare_cached("UPDATE document SET listed_in = ?2, location = ?3 WHERE id = ?1")?.execute(params![
        key,
        run,
        document.location
    ])?;
    match state.as_str() {
        // Whether the content differs as well is decided by its hash.
        // The document keeps its state and its rows until its hash shows whether the content differs as well.
        _ if !is_same => {
            let sql = "UPDATE document SET version = ?2, intent = 'hash' WHERE id = ?1";
            connection.execute(sql, params![key, document.version])?;
        }
        // Its hash is still to be compared.
        _ if intent.as_deref() == Some("hash") && state != "open" => {}
        "succeeded" => listing.done += 1,
        "failed" => {
            let failure: Option<Failure> = failure.map(|json| parse(&json)).transpose()?;
            if failure.is_none_or(|failure| failure.retryable) {
                reopen(connection, key, flow)?;
            } else {
                listing.failed += 1;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Returns the dossier of a new document.
fn place(connection: &Connection, document: &ListedDocument, placement: &Placement) -> Result<i64> {
    let folder = placement.by_folder.then(|| {
        let folder = document.source.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
        folder.to_owned()
    });
    let sql = "SELECT slot, files FROM dossier WHERE folder IS ?1 ORDER BY slot DESC LIMIT 1";
    let last: Option<(i64, i64)> =
        connection.prepare_cached(sql)?.query_row([&folder], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((slot, files)) = last
        && (placement.dossier_id.is_some() || files < to_sql(placement.max_files))
    {
        return Ok(slot);
    }
    let count: i64 =
        connection.query_row("SELECT count(*) FROM dossier WHERE folder IS ?1", [&folder], |row| row.get(0))?;
    let mut name = placement.name.clone();
    if let Some(folder) = folder.as_deref().filter(|folder| !folder.is_empty()) {
        name = format!("{name} {folder}");
    }
    let (base, mut number) = (name.clone(), count + 1);
    if number > 1 {
        name = format!("{base} {number}");
    }
    // Another folder may have this name with a number of its own.
    let sql = "SELECT 1 FROM dossier WHERE name = ?1";
    while connection.query_row(sql, [&name], |_| Ok(())).optional()?.is_some() {
        number += 1;
        name = format!("{base} {number}");
    }
    connection.execute(
        "INSERT INTO dossier (name, folder, dossier_id) VALUES (?1, ?2, ?3)",
        params![name, folder, placement.dossier_id],
    )?;
    Ok(connection.last_insert_rowid())
}

fn is_taken(connection: &Connection, slot: i64, name: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM document WHERE dossier = ?1 AND name_key = ?2";
    let found: Option<i64> =
        connection.prepare_cached(sql)?.query_row(params![slot, name_key(name)], |row| row.get(0)).optional()?;
    Ok(found.is_some())
}

/// Returns the next numbered form of a name: `report.pdf`, `report (2).pdf`, `report (3).pdf`.
fn next_name(name: &str, slot: i64, numbers: &mut HashMap<(i64, String), u64>) -> String {
    let number = numbers.entry((slot, name.to_owned())).or_insert(1);
    *number += 1;
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// Returns the form of a name by which the service may recognise a file: Unicode NFC, without regard to case.
pub(crate) fn name_key(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name).to_lowercase()
}

fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(&error))
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| damaged(&error))
}

fn damaged(error: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Journal,
        format!("journal: a stored state is damaged: {error}; restore a copy of the journal"),
    )
}
