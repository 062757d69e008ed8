//! The served side: canned answers in the shape of the simulator's, one process for all clients.
//!
//! Not the simulator itself, for two reasons. It does real work for each request (and keeps a record of it), on the same two or
//! four cores as the client, so that wall time would tell more of it than of the client. And the list must hold 100,000 files, which
//! the simulator would have to be given as PDFs, and the packages as many bytes as wanted.

mod lists;
mod transfers;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::jobs::{TEMPLATE, TENANT, Trouble};
pub(crate) use lists::{file, file_id};

pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

const LICENSE: &str = concat!(
    r#"{"active":true,"id":"5d6b3b6a-1572-419c-96a6-1d9fe592e4b4","licensedPages":100000,"licensedTo":"acme","#,
    r#""name":"Simulated licence","product":"DocuMine","validFrom":"2026-01-01T00:00:00.000+00:00","#,
    r#""validTo":"2027-12-31T23:59:59.999+00:00"}"#,
);

/// No list is longer than this.
const LONGEST: usize = 1_000_000;

/// What was asked for once is made: lists and packages by their length.
#[derive(Default)]
struct Made {
    lists: Mutex<HashMap<usize, Bytes>>,
    packages: Mutex<HashMap<u64, transfers::Ends>>,
}

/// Serves until standard input ends, so it ends with whoever started it.
pub(crate) fn run() -> Result<(), Trouble> {
    // One thread, which leaves the others to the client.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let ready = json!({ "base_url": format!("http://{}", listener.local_addr()?) });
        writeln!(std::io::stdout(), "{ready}")?;
        let made = Arc::new(Made::default());
        tokio::select! {
            outcome = accept(&listener, move |request| answer(request, Arc::clone(&made))) => outcome,
            () = end_of_input() => Ok(()),
        }
    })?;
    // Reading standard input holds a thread, which is not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// Serves every connection.
pub(crate) async fn accept<F>(
    listener: &TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> Result<(), Trouble>
where
    F: Future<Output = Answer> + Send,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(request);
                async { Ok::<_, Infallible>(answer.await) }
            });
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

/// An answer in JSON.
pub(crate) fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn answer(request: Request<Incoming>, made: Arc<Made>) -> Answer {
    let refused = |status| json_answer(status, &br#"{"message":"refused"}"#[..]);
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !text("authorization").starts_with("Bearer e30.") {
        return refused(StatusCode::UNAUTHORIZED);
    }
    if text("x-tenant-id") != TENANT {
        return refused(StatusCode::FORBIDDEN);
    }
    match (request.method(), Asked::of(request.uri().path())) {
        (&Method::GET, Some(Asked::License)) => json_answer(StatusCode::OK, LICENSE),
        (&Method::GET, Some(Asked::Files(count))) => {
            let mut lists = made.lists.lock().unwrap_or_else(PoisonError::into_inner);
            let list = lists.entry(count).or_insert_with(|| Bytes::from(lists::list(count))).clone();
            json_answer(StatusCode::OK, list)
        }
        (&Method::POST, Some(Asked::Files(_))) => transfers::take(request).await,
        (&Method::GET, Some(Asked::Package(length))) => transfers::ready(length),
        (&Method::GET, Some(Asked::PackageBytes(length))) => {
            let mut packages = made.packages.lock().unwrap_or_else(PoisonError::into_inner);
            transfers::give(packages.entry(length).or_insert_with(|| transfers::Ends::of_package(length)))
        }
        (_, Some(_)) => refused(StatusCode::METHOD_NOT_ALLOWED),
        (_, None) => refused(StatusCode::NOT_FOUND),
    }
}

/// What a path asks for. A dossier has as many files, and a package as many bytes of content, as its id says.
#[derive(Debug, PartialEq)]
enum Asked {
    License,
    Files(usize),
    Package(u64),
    PackageBytes(u64),
}

impl Asked {
    fn of(path: &str) -> Option<Self> {
        if path == "/api/license" {
            return Some(Self::License);
        }
        if let Some(package) = path.strip_prefix("/api/downloads/") {
            return match package.strip_suffix("/download") {
                Some(length) => Some(Self::PackageBytes(length.parse().ok()?)),
                None => Some(Self::Package(package.parse().ok()?)),
            };
        }
        let (dossier, rest) = path_in_dossier(path)?;
        let count = dossier.parse().ok().filter(|count| *count <= LONGEST)?;
        (rest == "/files").then_some(Self::Files(count))
    }
}

/// The dossier in a path, and what comes behind it.
pub(crate) fn path_in_dossier(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/dossier-templates/")?.strip_prefix(TEMPLATE)?.strip_prefix("/dossiers/")?;
    Some(rest.split_at(rest.find('/')?))
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
        let list: FileList = serde_json::from_str(&lists::list(100))?;
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
        let dossier = |count: &str| Asked::of(&format!("/api/dossier-templates/{TEMPLATE}/dossiers/{count}/files"));
        assert_eq!(dossier("100000"), Some(Asked::Files(100_000)));
        assert_eq!(dossier("100000000"), None);
        assert_eq!(Asked::of("/api/dossier-templates/other/dossiers/1/files"), None);
        assert_eq!(Asked::of("/api/downloads/7/download"), Some(Asked::PackageBytes(7)));
        assert_eq!(Asked::of("/api/downloads/7/other"), None);
    }
}
