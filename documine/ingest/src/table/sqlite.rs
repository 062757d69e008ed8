//! Tables in a SQLite file.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};

use super::types::{Cell, CellKind, Column};
use super::{Encoder, Fault, Finished};
use crate::staged::StagedFile;

/// The tables of a journal, which a table of values must not replace.
const JOURNAL_TABLES: [&str; 6] = ["setting", "run", "dossier", "document", "output", "components"];
/// The limit of SQLite.
const MAX_COLUMNS: usize = 2000;
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks the name of a table. The error is the reason.
pub(super) fn check_name(table: &str) -> Result<(), String> {
    let is = |name: &str| table.eq_ignore_ascii_case(name);
    if table.is_empty() || table.contains('\0') {
        Err("the table needs a name".to_owned())
    } else if table.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_")) {
        Err(format!("the table name {table:?} is reserved by SQLite; choose another name"))
    } else if JOURNAL_TABLES.into_iter().any(is) {
        Err(format!("the table name {table:?} is one of the journal's own; choose another name"))
    } else {
        Ok(())
    }
}

/// Checks that an existing file is a writable database.
pub(super) fn check_file(path: &Path) -> Result<(), Fault> {
    if is_new(path) {
        return Ok(());
    }
    let connection = open(path)?;
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    if connection.is_readonly("main")? {
        return Err("the database is read-only; make it writable".into());
    }
    Ok(())
}

/// Returns whether the file is to be created.
fn is_new(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |metadata| metadata.len() == 0)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Prepares a journal for a table in it: only with a write-ahead log can it be read and written at the same time.
pub(super) fn prepare_journal(path: &Path) -> Result<(), Fault> {
    let mode: String = open(path)?.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" {
        Ok(())
    } else {
        Err(format!("the journal does not accept a write-ahead log (mode {mode}); choose another file for the table")
            .into())
    }
}

/// Writes a table within one transaction. A new database is built in a temporary file.
pub(super) struct SqliteEncoder {
    connection: Connection,
    insert: String,
    staged: Option<StagedFile>,
    target: std::path::PathBuf,
}

impl SqliteEncoder {
    pub(super) fn new(target: &Path, table: &str, columns: &[Column]) -> Result<Self, Fault> {
        if columns.len() > MAX_COLUMNS {
            let message = format!(
                "{} columns exceed the limit of SQLite, {MAX_COLUMNS}; use the long form, or set the columns",
                columns.len()
            );
            return Err(message.into());
        }
        let staged = if is_new(target) { Some(StagedFile::create_to_reopen(target)?) } else { None };
        let connection = open(staged.as_ref().map_or(target, StagedFile::path))?;
        if staged.is_some() {
            // The temporary file is discarded as a whole if anything fails.
            connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        }
        let names = column_names(columns);
        let table = quoted(table);
        let mut definitions = Vec::with_capacity(columns.len());
        for (name, column) in names.iter().zip(columns) {
            definitions.push(format!("{} {}", quoted(name), declared_type(column.kind)));
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
        connection.execute_batch(&format!("CREATE TABLE {table} ({})", definitions.join(", ")))?;
        let places = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {table} VALUES ({places})");
        Ok(Self { connection, insert, staged, target: target.to_owned() })
    }
}

impl Encoder for SqliteEncoder {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Fault> {
        self.connection.prepare_cached(&self.insert)?.execute(params_from_iter(cells))?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Finished, Fault> {
        let Self { connection, staged, target, .. } = *self;
        connection.execute_batch("COMMIT")?;
        connection.flush_prepared_statement_cache();
        connection.close().map_err(|(_, error)| error)?;
        let bytes = match staged {
            Some(staged) => staged.commit()?,
            None => std::fs::metadata(target)?.len(),
        };
        Ok(Finished { bytes, truncated: 0 })
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Empty => ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Integer(number) => ToSqlOutput::from(*number),
            Cell::Number(number) => ToSqlOutput::from(*number),
            Cell::Boolean(value) => ToSqlOutput::from(*value),
            Cell::Date(date) => ToSqlOutput::from(date.to_string()),
        })
    }
}

fn declared_type(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text => "TEXT",
        CellKind::Integer => "INTEGER",
        CellKind::Number => "REAL",
        CellKind::Boolean => "BOOLEAN",
        CellKind::Date => "DATE",
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', "\u{fffd}"))
}

/// Returns names that differ without regard to case: SQLite takes `Total` and `total` for one column.
fn column_names(columns: &[Column]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        let plain = column.name.replace('\0', "\u{fffd}");
        let mut name = plain.clone();
        let mut number = 2;
        while !taken.insert(name.to_ascii_lowercase()) {
            name = format!("{plain} ({number})");
            number += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn refuses_every_table_of_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.sqlite");
        crate::journal::fixture::write(&path, &[]);
        let connection = Connection::open(&path).unwrap();
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(tables.len(), JOURNAL_TABLES.len());
        for table in tables {
            assert!(check_name(&table).is_err(), "{table}");
            assert!(check_name(&table.to_uppercase()).is_err(), "{table}");
        }
        for name in ["", "sqlite_values", "SQLITE_x", "a\0b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in ["values", "my \"table\"", "sqlité", "documents"] {
            assert_eq!(check_name(name), Ok(()));
        }
    }

    #[test]
    fn columns_differ_without_regard_to_case() {
        let columns = ["Total", "total", "total (2)", "TOTAL"].map(|name| Column::new(name, CellKind::Text));
        assert_eq!(column_names(&columns), ["Total", "total (2)", "total (2) (2)", "TOTAL (3)"]);
    }
}
