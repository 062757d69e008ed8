//! The documents that failed, as JSON Lines.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::{Fault, WrittenTable, check_target, failure};
use crate::document::{DocumentRecord, Failure, Step};
use crate::error::Result;
use crate::journal::JournalReader;
use crate::staged::{self, StagedFile};

/// One line.
#[derive(Serialize)]
struct FailedDocument<'a> {
    source: &'a str,
    step: Step,
    reason: &'a str,
    cause: &'a str,
    attempts: u32,
    retryable: bool,
}

/// Checks that [`write_failed`] can write the file.
pub fn check_failed(path: impl AsRef<Path>) -> Result<()> {
    check_target(path.as_ref(), false)
}

/// Writes the documents that failed as JSON Lines, ordered by source: `source`, `step`, `reason`, `cause`, `attempts`, `retryable`.
///
/// The file is empty if none failed. It can be the list of another run.
pub fn write_failed(path: impl AsRef<Path>, journal: &JournalReader) -> Result<WrittenTable> {
    let path = path.as_ref();
    check_failed(path)?;
    let fault = |fault: Fault| failure(path, &*fault);
    let staged = StagedFile::create(&staged::resolve(path)).map_err(|error| fault(error.into()))?;
    let mut writer = BufWriter::new(staged.file().map_err(|error| fault(error.into()))?);
    let mut documents = 0;
    for document in journal.documents_without_components() {
        let document = document?;
        if let Some(failure) = &document.failure {
            write_line(&mut writer, &document, failure).map_err(fault)?;
            documents += 1;
        }
    }
    writer.flush().map_err(|error| fault(error.into()))?;
    drop(writer);
    let bytes = staged.commit().map_err(|error| fault(error.into()))?;
    Ok(WrittenTable { path: path.to_owned(), rows: documents, documents, bytes, unparsed: 0, truncated: 0 })
}

fn write_line(writer: &mut impl Write, document: &DocumentRecord, failure: &Failure) -> Result<(), Fault> {
    let line = FailedDocument {
        source: &document.source,
        step: failure.step,
        reason: &failure.reason,
        cause: &failure.cause,
        attempts: failure.attempts,
        retryable: failure.retryable,
    };
    serde_json::to_writer(&mut *writer, &line).map_err(std::io::Error::from)?;
    writer.write_all(b"\n")?;
    Ok(())
}
