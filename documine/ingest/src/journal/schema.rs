//! The schema of the journal, its version, and migrations of older versions.

use rusqlite::{Connection, OptionalExtension};

use crate::error::{Error, Result};

/// `application_id` of a journal: "DMin".
pub(super) const APPLICATION_ID: i32 = 0x444d_696e;
/// The version of the schema that this crate writes.
pub(super) const VERSION: i32 = 1;

/// The schema of version 1. `docs/thousands_of_documents.md` describes it for people who query a journal.
const SCHEMA: &str = "
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    stopped TEXT,
    uploads INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE dossier (
    slot INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folder TEXT,
    dossier_id TEXT,
    files INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL,
    version TEXT NOT NULL,
    size INTEGER,
    sha256 TEXT,
    listed_in INTEGER NOT NULL,
    dossier INTEGER REFERENCES dossier (slot),
    file_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    state TEXT NOT NULL,
    flow TEXT,
    intent TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    file_id TEXT,
    pages INTEGER,
    analysed_at TEXT,
    package TEXT,
    failure TEXT,
    listed_at INTEGER NOT NULL,
    upload_started_at INTEGER,
    uploaded_at INTEGER,
    processed_at INTEGER,
    ended_at INTEGER,
    ended_in INTEGER
);
CREATE TABLE output (path TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX document_state ON document (state, id);
CREATE INDEX document_sha256 ON document (sha256);
CREATE UNIQUE INDEX document_name ON document (dossier, name_key);
CREATE TABLE components (
    document INTEGER PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
    json TEXT NOT NULL
);
";

/// Creates the schema in an empty database, or brings an older one to the current version.
pub(super) fn prepare(connection: &mut Connection, path: &str) -> Result<()> {
    let transaction = connection.transaction()?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        return Ok(transaction.commit()?);
    }
    let found = check(&transaction, path)?;
    // A migration to version N + 1 stands here as soon as there is one: `if found < N + 1 { … }`.
    if found < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(transaction.commit()?)
}

/// Returns the version of a journal. Refuses other databases and newer journals.
pub(super) fn check(connection: &Connection, path: &str) -> Result<i32> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let has_documents: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'document'", [], |row| row.get(0))
        .optional()?;
    if application != APPLICATION_ID || has_documents.is_none() {
        return Err(Error::input(format!("{path} is not a journal of documine-ingest; choose another file")));
    }
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > VERSION {
        return Err(Error::input(format!(
            "{path}: the journal has schema version {version}, and this program knows versions up to {VERSION}; use a newer program"
        )));
    }
    Ok(version)
}
