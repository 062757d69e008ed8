//! The server: canned responses in the format of the simulator, one process for all clients.
//!
//! The simulator itself is not used, for two reasons. It does real work for each request on the same few cores as the client, so that wall time would measure
//! the simulator. And a list of 100,000 files would need 100,000 uploaded PDFs.

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

use crate::jobs::{JobError, TEMPLATE, TENANT, UNTAGGED};
pub(crate) use lists::{file, file_id};

pub(crate) type CannedResponse = Response<BoxBody<Bytes, Infallible>>;

const LICENSE: &str = concat!(
    r#"{"active":true,"id":"5d6b3b6a-1572-419c-96a6-1d9fe592e4b4","licensedPages":100000,"licensedTo":"acme","#,
    r#""name":"Simulated licence","product":"DocuMine","validFrom":"2026-01-01T00:00:00.000+00:00","#,
    r#""validTo":"2027-12-31T23:59:59.999+00:00"}"#,
);

/// Longest list.
const LONGEST: usize = 1_000_000;

/// Lists and packages cache for earlier requests, by length.
#[derive(Default)]
struct ResponseCache {
    lists: Mutex<HashMap<usize, Bytes>>,
    packages: Mutex<HashMap<u64, transfers::ArchiveHeaders>>,
}

/// Serves until the standard input ends, so that the server ends with its parent process.
pub(crate) fn run() -> Result<(), JobError> {
    // One thread; the client gets the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let ready = json!({ "base_url": format!("http://{}", listener.local_addr()?) });
        writeln!(std::io::stdout(), "{ready}")?;
        let cache = Arc::new(ResponseCache::default());
        tokio::select! {
            outcome = accept(&listener, move |request| answer(request, Arc::clone(&cache))) => outcome,
            () = end_of_input() => Ok(()),
        }
    })?;
    // A thread blocks on the standard input; the shutdown does not wait for that thread.
    runtime.shutdown_background();
    Ok(())
}

/// Serves all connections.
pub(crate) async fn accept<F>(
    listener: &TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> Result<(), JobError>
where
    F: Future<Output = CannedResponse> + Send,
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
            // A client that disconnects is no error.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 64];
    while input.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

/// Returns a JSON response.
pub(crate) fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> CannedResponse {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn answer(request: Request<Incoming>, cache: Arc<ResponseCache>) -> CannedResponse {
    let refused = |status| json_answer(status, &br#"{"message":"refused"}"#[..]);
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !text("authorization").starts_with("Bearer e30.") {
        return refused(StatusCode::UNAUTHORIZED);
    }
    if text("x-tenant-id") != TENANT {
        return refused(StatusCode::FORBIDDEN);
    }
    match (request.method(), Resource::of(request.uri().path())) {
        (&Method::GET, Some(Resource::License)) => json_answer(StatusCode::OK, LICENSE),
        (&Method::GET, Some(Resource::Files(count))) => {
            let mut lists = cache.lists.lock().unwrap_or_else(PoisonError::into_inner);
            let list = lists.entry(count).or_insert_with(|| Bytes::from(lists::list(count))).clone();
            json_answer(StatusCode::OK, list)
        }
        (&Method::POST, Some(Resource::Files(_))) => transfers::take(request).await,
        (&Method::GET, Some(Resource::Package(package))) => transfers::ready(package),
        (&Method::GET, Some(Resource::PackageBytes(package))) => {
            let mut packages = cache.packages.lock().unwrap_or_else(PoisonError::into_inner);
            let headers = packages.entry(package.length);
            let headers = headers.or_insert_with(|| transfers::ArchiveHeaders::of_package(package.length));
            transfers::give(headers, package.has_tag)
        }
        (_, Some(_)) => refused(StatusCode::METHOD_NOT_ALLOWED),
        (_, None) => refused(StatusCode::NOT_FOUND),
    }
}

/// Resource of a path. The id of a dossier is its number of files.
#[derive(Debug, PartialEq)]
enum Resource {
    License,
    Files(usize),
    Package(Package),
    PackageBytes(Package),
}

/// A package. Its id is the content size in bytes, followed by [`UNTAGGED`] if it has no entity tag.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Package {
    length: u64,
    has_tag: bool,
}

impl Package {
    fn of(id: &str) -> Option<Self> {
        let length = id.strip_suffix(UNTAGGED);
        Some(Self { length: length.unwrap_or(id).parse().ok()?, has_tag: length.is_none() })
    }
}

impl std::fmt::Display for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.length, if self.has_tag { "" } else { UNTAGGED })
    }
}

impl Resource {
    fn of(path: &str) -> Option<Self> {
        if path == "/api/license" {
            return Some(Self::License);
        }
        if let Some(package) = path.strip_prefix("/api/downloads/") {
            return match package.strip_suffix("/download") {
                Some(package) => Package::of(package).map(Self::PackageBytes),
                None => Package::of(package).map(Self::Package),
            };
        }
        let (dossier, rest) = path_in_dossier(path)?;
        let count = dossier.parse().ok().filter(|count| *count <= LONGEST)?;
        (rest == "/files").then_some(Self::Files(count))
    }
}

/// Splits a path into the id of the dossier and the rest.
pub(crate) fn path_in_dossier(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/dossier-templates/")?.strip_prefix(TEMPLATE)?.strip_prefix("/dossiers/")?;
    Some(rest.split_at(rest.find('/')?))
}

#[cfg(test)]
mod tests {
    use documine::api::types::FileList;
    use documine::models::License;

    use super::*;

    #[test]
    fn responses_conform_to_the_models() -> Result<(), JobError> {
        let license: License = serde_json::from_str(LICENSE)?;
        assert!(license.extra.is_empty(), "{:?}", license.extra);
        let list: FileList = serde_json::from_str(&lists::list(100))?;
        assert_eq!(list.files.len(), 100);
        for file in &list.files {
            assert!(file.extra.is_empty(), "{:?}", file.extra);
            assert!(file.processing_status.as_ref().is_some_and(documine::models::ProcessingStatus::is_known));
            assert!(file.workflow_status.as_ref().is_some_and(documine::models::WorkflowStatus::is_known));
        }
        Ok(())
    }

    #[test]
    fn rejects_paths_outside_of_the_jobs() {
        let dossier = |count: &str| Resource::of(&format!("/api/dossier-templates/{TEMPLATE}/dossiers/{count}/files"));
        assert_eq!(dossier("100000"), Some(Resource::Files(100_000)));
        assert_eq!(dossier("100000000"), None);
        assert_eq!(Resource::of("/api/dossier-templates/other/dossiers/1/files"), None);
        let package = |has_tag| Package { length: 7, has_tag };
        assert_eq!(Resource::of("/api/downloads/7/download"), Some(Resource::PackageBytes(package(true))));
        assert_eq!(
            Resource::of(&format!("/api/downloads/{}", package(false))),
            Some(Resource::Package(package(false)))
        );
        assert_eq!(Resource::of("/api/downloads/7/other"), None);
    }
}
