//! The served side: canned answers in the shape of the simulator's, one process for all clients.
//!
//! Not the simulator itself, for two reasons. It does real work for each request (and keeps a record of it), on the same two or
//! four cores as the client, so that wall time would tell more of it than of the client. And the list must hold 100,000 files, which
//! the simulator would have to be given as PDFs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::jobs::{TEMPLATE, TENANT, Trouble};

const LICENSE: &str = concat!(
    r#"{"active":true,"id":"5d6b3b6a-1572-419c-96a6-1d9fe592e4b4","licensedPages":100000,"licensedTo":"acme","#,
    r#""name":"Simulated licence","product":"DocuMine","validFrom":"2026-01-01T00:00:00.000+00:00","#,
    r#""validTo":"2027-12-31T23:59:59.999+00:00"}"#,
);

/// No list is longer than this.
const LONGEST: usize = 1_000_000;

/// Lists that were asked for, by length.
type Lists = Arc<Mutex<HashMap<usize, Bytes>>>;

/// Serves until standard input ends, so it ends with whoever started it.
pub(crate) fn run() -> Result<(), Trouble> {
    // One thread, which leaves the others to the client.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let ready = json!({ "base_url": format!("http://{}", listener.local_addr()?) });
        writeln!(std::io::stdout(), "{ready}")?;
        let lists = Lists::default();
        tokio::select! {
            outcome = accept(&listener, &lists) => outcome,
            () = end_of_input() => Ok(()),
        }
    })?;
    // Reading standard input holds a thread, which is not waited for.
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: &TcpListener, lists: &Lists) -> Result<(), Trouble> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let lists = Arc::clone(lists);
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &lists))));
            // A client that goes away is no trouble.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while input.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

fn answer(request: &Request<Incoming>, lists: &Lists) -> Response<Full<Bytes>> {
    let (status, body) = body_for(request.method(), request.uri().path(), request.headers(), lists);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn body_for(method: &Method, path: &str, headers: &http::HeaderMap, lists: &Lists) -> (StatusCode, Bytes) {
    let refused = |status| (status, Bytes::from_static(br#"{"message":"refused"}"#));
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !text("authorization").starts_with("Bearer e30.") {
        return refused(StatusCode::UNAUTHORIZED);
    }
    if text("x-tenant-id") != TENANT {
        return refused(StatusCode::FORBIDDEN);
    }
    if method != Method::GET {
        return refused(StatusCode::METHOD_NOT_ALLOWED);
    }
    if path == "/api/license" {
        return (StatusCode::OK, Bytes::from_static(LICENSE.as_bytes()));
    }
    match files_in(path) {
        Some(count) => {
            let mut lists = lists.lock().unwrap_or_else(PoisonError::into_inner);
            (StatusCode::OK, lists.entry(count).or_insert_with(|| Bytes::from(list(count))).clone())
        }
        None => refused(StatusCode::NOT_FOUND),
    }
}

/// How many files the dossier in the path has: its name says so.
fn files_in(path: &str) -> Option<usize> {
    let rest = path.strip_prefix("/api/dossier-templates/")?.strip_prefix(TEMPLATE)?.strip_prefix("/dossiers/")?;
    rest.strip_suffix("/files")?.parse().ok().filter(|count| *count <= LONGEST)
}

/// A list of so many files. Every tenth has been worked on by people, every hundredth has failed.
fn list(count: usize) -> String {
    let files: Vec<_> = (0..count).map(|number| file(number, count)).collect();
    json!({ "files": files }).to_string()
}

/// As the simulator shows a file: what is not known is `null`, not left out.
fn file(number: usize, count: usize) -> Value {
    let reviewed = number.is_multiple_of(10);
    let failed = number % 100 == 99;
    let (minute, second) = (number / 60 % 60, number % 60);
    let ended = format!("2026-03-04T11:{minute:02}:{second:02}.250+00:00");
    json!({
        "added": format!("2026-03-04T10:{minute:02}:{second:02}.000+00:00"),
        "assignee": reviewed.then_some("0c5d7f9e-6f1b-4c58-8d3e-2a4b6c8d0e1f"),
        "dossierId": count.to_string(),
        "dossierTemplateId": TEMPLATE,
        "errorMessage": failed.then_some("The PDF is damaged: \"xref\" is missing"),
        "excluded": false,
        "fileAttributes": { "Language": "English", "Region": "EU" },
        "fileName": format!("study-report-{number}.pdf"),
        "fileSize": 100_000 + number * 37 % 900_000,
        "id": format!("9a2f4c6e-7b1d-4830-a5e9-{number:012x}"),
        "lastProcessed": ended,
        "lastUpdated": ended,
        "numberOfPages": 1 + number % 40,
        "processingStatus": if failed { "ERROR" } else { "PROCESSED" },
        "softDeletedTime": null,
        "workflowStatus": if reviewed { "UNDER_REVIEW" } else { "NEW" },
    })
}

#[cfg(test)]
mod tests {
    use documine::License;
    use documine::api::types::FileList;

    use super::*;

    #[test]
    fn the_answers_are_what_the_document_describes() -> Result<(), Trouble> {
        let license: License = serde_json::from_str(LICENSE)?;
        assert!(license.extra.is_empty(), "{:?}", license.extra);
        let list: FileList = serde_json::from_str(&list(100))?;
        assert_eq!(list.files.len(), 100);
        for file in &list.files {
            assert!(file.extra.is_empty(), "{:?}", file.extra);
            assert!(file.processing_status.as_ref().is_some_and(documine::ProcessingStatus::is_known));
            assert!(file.workflow_status.as_ref().is_some_and(documine::WorkflowStatus::is_known));
        }
        Ok(())
    }

    #[test]
    fn only_what_the_jobs_ask_for_is_served() {
        let dossier = |count: &str| files_in(&format!("/api/dossier-templates/{TEMPLATE}/dossiers/{count}/files"));
        assert_eq!(dossier("100000"), Some(100_000));
        assert_eq!(dossier("100000000"), None);
        assert_eq!(files_in("/api/dossier-templates/other/dossiers/1/files"), None);
    }
}
