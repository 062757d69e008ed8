//! Journals with given documents, for tests.

use std::path::Path;

use rusqlite::{Connection, params};

use super::schema;
use crate::document::DocumentRecord;

/// Writes a journal that contains these documents.
pub(crate) fn write(path: &Path, documents: &[DocumentRecord]) {
    let mut connection = Connection::open(path).unwrap();
    schema::prepare(&mut connection, "fixture").unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute("INSERT INTO run (id, started_at, ended_at, outcome) VALUES (1, 0, 60000, 'all')", []).unwrap();
    for (id, document) in (1_i64..).zip(documents) {
        let dossier = document.dossier_id.as_ref().map(|dossier| {
            transaction
                .execute("INSERT OR IGNORE INTO dossier (slot, name, dossier_id) VALUES ((SELECT slot FROM dossier WHERE dossier_id = ?1), ?1, ?1)", [dossier])
                .unwrap();
            transaction.query_row("SELECT min(slot) FROM dossier WHERE dossier_id = ?1", [dossier], |row| row.get::<_, i64>(0)).unwrap()
        });
        let times = document.times;
        transaction
            .execute(
                "INSERT INTO document (id, source, location, version, size, sha256, listed_in, dossier, file_name, name_key, state, file_id, pages,
                    analysed_at, package, failure, listed_at, upload_started_at, uploaded_at, processed_at, ended_at)
                 VALUES (?1, ?2, ?2, '', ?3, ?4, 1, ?5, ?6, ?2, ?7, ?8, ?9, ?10, ?11, ?12, coalesce(?13, 0), ?14, ?15, ?16, ?17)",
                params![
                    id,
                    document.source,
                    document.size.map(|size| i64::try_from(size).unwrap()),
                    document.sha256,
                    dossier,
                    document.file_name,
                    document.state.as_str(),
                    document.file_id,
                    document.pages,
                    document.analysed_at,
                    document.package,
                    document.failure.as_ref().map(|failure| serde_json::to_string(failure).unwrap()),
                    times.listed,
                    times.upload_started,
                    times.uploaded,
                    times.processed,
                    times.ended,
                ],
            )
            .unwrap();
        if let Some(components) = &document.components {
            let json = serde_json::to_string(components).unwrap();
            transaction.execute("INSERT INTO components VALUES (?1, ?2)", params![id, json]).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// Creates a document that succeeded. `components` is the JSON of the service: `{"components": {…}, "componentDetails": {…}}`.
#[allow(clippy::needless_pass_by_value, reason = "tests pass `json!`")]
pub(crate) fn succeeded(source: &str, components: serde_json::Value) -> DocumentRecord {
    let mut model = serde_json::json!({"fileId": format!("f-{source}"), "fileName": source});
    model.as_object_mut().unwrap().extend(components.as_object().unwrap().clone());
    DocumentRecord {
        source: source.to_owned(),
        sha256: Some(format!("{:064x}", source.len())),
        size: Some(1000),
        state: crate::DocumentState::Succeeded,
        dossier_id: Some("d-1".to_owned()),
        file_id: Some(format!("f-{source}")),
        file_name: source.to_owned(),
        pages: Some(2),
        failure: None,
        components: Some(serde_json::from_value(model).unwrap()),
        analysed_at: Some("2026-01-02T03:04:05Z".to_owned()),
        package: None,
        times: crate::Times {
            listed: Some(0),
            upload_started: Some(1000),
            uploaded: Some(2000),
            processed: Some(9000),
            ended: Some(9500),
        },
    }
}

/// Creates a document that failed.
pub(crate) fn failed(source: &str, failure: crate::Failure) -> DocumentRecord {
    let base = succeeded(source, serde_json::json!({}));
    DocumentRecord {
        state: crate::DocumentState::Failed,
        components: None,
        failure: Some(failure),
        pages: None,
        ..base
    }
}
