//! Clients whose requests a closure answers: no socket, no real time.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::collections::VecDeque;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use documine::extract::ExtractError;
use documine::http::{HeaderValue, Request, Response, StatusCode, header};
use documine::models::{DossierId, DownloadId, FileId};
use documine::testing::{ResponseBody, TestClock, json};
use documine::wait::WaitError;
use documine::{
    Client, ClientBuilder, Components, Credentials, DossierFields, DossierHandle, DossierTemplateId, Error, ErrorKind,
    Result, Source, TimeoutPhase,
};
use futures_util::TryStreamExt;

/// The answers of a test in order, and the requests received.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Result<Response<ResponseBody>>>>>,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
    clock: TestClock,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Response<ResponseBody>>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn builder(&self) -> ClientBuilder {
        let Self { answers, requests, .. } = self.clone();
        Client::builder("http://localhost")
            .workspace("test")
            .credentials(Credentials::access_token("t0ken"))
            .clock(self.clock.clone())
            .transport(move |request: Request<Bytes>| {
                requests.lock().unwrap().push(request);
                let answer = answers.lock().unwrap().pop_front().expect("no further request");
                std::future::ready(answer)
            })
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    fn slept(&self) -> Duration {
        self.clock.sleeps().iter().sum()
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the result of a transport")]
fn ok(text: &str) -> Result<Response<ResponseBody>> {
    Ok(json(StatusCode::OK, text))
}

#[expect(clippy::unnecessary_wraps, reason = "the result of a transport")]
fn status(code: u16) -> Result<Response<ResponseBody>> {
    Ok(json(StatusCode::from_u16(code).unwrap(), "{}"))
}

fn connection_refused() -> Error {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    Error::builder(ErrorKind::Connect).message("could not connect").source(refused).build()
}

fn dossier(client: &Client) -> DossierHandle {
    let template = client.dossier_template(DossierTemplateId::new("t").unwrap());
    template.dossier(DossierId::new("d").unwrap())
}

/// Returns the texts of the chain of sources.
fn sources(error: &Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect()
}

#[tokio::test]
async fn transport_receives_method_uri_headers_and_body() {
    let script = Script::new([Ok(json(StatusCode::CREATED, r#"{"id":"d","name":"Q3"}"#))]);
    let client = script.client();
    let template = client.dossier_template(DossierTemplateId::new("t").unwrap());
    template.create_dossier(DossierFields::named("Q3")).with_header("x-trace", "7").await.unwrap();
    assert_eq!(script.requests(), ["POST http://localhost/api/dossier-templates/t/dossiers"]);
    let requests = script.requests.lock().unwrap();
    let value = |name: &str| requests[0].headers()[name].to_str().unwrap().to_owned();
    assert_eq!((value("authorization"), value("x-tenant-id")), ("Bearer t0ken".into(), "test".into()));
    assert_eq!((value("x-trace"), value("content-type")), ("7".into(), "application/json".into()));
    let body: serde_json::Value = serde_json::from_slice(requests[0].body()).unwrap();
    assert_eq!(body["name"], "Q3");
}

#[tokio::test]
async fn client_with_transport_has_token_and_workspace() {
    let client = Client::with_transport(async |request: Request<Bytes>| {
        assert_eq!(request.headers()[header::AUTHORIZATION], "Bearer test-token");
        Ok(json(StatusCode::OK, r#"{"users":[{"id":"u"}]}"#))
    });
    let client = client.unwrap();
    assert_eq!((client.workspace(), client.base_url()), ("test", "http://localhost"));
    assert_eq!(client.users().await.unwrap().len(), 1);
    assert_eq!(client.requests_sent(), 1);
}

#[tokio::test]
async fn failures_of_the_transport_are_retried_and_classified() {
    let throttled = {
        let mut response = json(StatusCode::TOO_MANY_REQUESTS, "{}");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        response
    };
    let script = Script::new([Err(connection_refused()), Ok(throttled), ok(r#"{"licensedPages":5}"#)]);
    assert_eq!(script.client().license().await.unwrap().licensed_pages, Some(5));
    assert_eq!(script.clock.sleeps(), [Duration::from_millis(250), Duration::from_secs(7)]);

    let script = Script::new((0..4).map(|_| Err(connection_refused())));
    let error = script.client().license().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.was_sent()), (ErrorKind::Connect, 4, false));
    assert_eq!(error.elapsed(), script.slept());
    assert_eq!(error.detail::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));

    let script = Script::new([Err(Error::builder(ErrorKind::Interrupted).build())]);
    let create = script.client().dossier_template(DossierTemplateId::new("t").unwrap());
    let error = create.create_dossier(DossierFields::named("Q3")).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.is_safe_to_repeat()), (ErrorKind::Interrupted, false));
    assert_eq!(error.operation(), Some("createOrUpdateDossier"));
}

#[tokio::test(start_paused = true)]
async fn timeouts_apply_to_the_transport() {
    let client = Client::with_transport(async |_: Request<Bytes>| std::future::pending::<Result<Response<()>>>().await);
    let error = client.unwrap().license().with_deadline(Duration::from_secs(9)).await.unwrap_err();
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Operation)));
}

#[tokio::test]
async fn upload_and_wait_run_without_sockets() {
    let file = |state: &str| ok(&format!(r#"{{"id":"f","fileName":"a.pdf","processingStatus":"{state}"}}"#));
    let uploaded = || Ok(json(StatusCode::CREATED, r#"{"fileIds":["f"]}"#));
    let script = Script::new([uploaded(), file("OCR_PROCESSING"), file("PROCESSED")]);
    let upload = dossier(&script.client()).upload(Source::bytes("a.pdf", &b"%PDF-1.7"[..]));
    upload.await.unwrap().wait_until_processed().await.unwrap();
    let requests = script.requests.lock().unwrap();
    let body = String::from_utf8(requests[0].body().to_vec()).unwrap();
    assert!(body.contains("filename=\"a.pdf\"") && body.contains("\r\n%PDF-1.7\r\n"), "{body}");
    assert!(
        requests[0].headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("multipart/form-data; boundary=")
    );
    assert_eq!(requests.len(), 3);
    assert!(!script.clock.sleeps().is_empty(), "the wait sleeps on the test clock");
}

#[tokio::test]
async fn interrupted_download_is_resumed() {
    let interruption = || Error::builder(ErrorKind::Interrupted).message("cable pulled").build();
    let package = |status, body| {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
        response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"1\""));
        response
    };
    let mut first = package(StatusCode::OK, ResponseBody::chunks([Ok("abc"), Ok("def"), Err(interruption())]));
    first.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("9"));
    let mut rest = package(StatusCode::PARTIAL_CONTENT, "ghi".into());
    rest.headers_mut().insert(header::CONTENT_RANGE, HeaderValue::from_static("bytes 6-8/9"));
    let script = Script::new([Ok(first), Ok(rest)]);
    let stream = script.client().download(DownloadId::new("d-1").unwrap()).stream().await.unwrap();
    let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"abcdefghi");
    assert_eq!(script.requests.lock().unwrap()[1].headers()[header::RANGE], "bytes=6-");

    let first = package(StatusCode::OK, ResponseBody::chunks([Ok("abc"), Err(interruption())]));
    let script = Script::new([Ok(first), status(404)]);
    let stream = script.client().download(DownloadId::new("d-1").unwrap()).stream().await.unwrap();
    let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert_eq!((error.attempts(), error.elapsed()), (2, script.slept()));
}

#[tokio::test]
async fn token_requests_pass_the_transport() {
    let script = Script::new([
        ok(r#"{"access_token":"fresh","expires_in":300}"#),
        ok("{}"),
        Err(connection_refused()),
        Err(connection_refused()),
        Err(connection_refused()),
    ]);
    let password = || Credentials::password("client", "robot", "s3cret");
    script.builder().credentials(password()).build().unwrap().license().await.unwrap();
    assert!(script.requests()[0].starts_with("POST http://localhost/auth/realms/test/"), "{:?}", script.requests());
    assert_eq!(script.requests.lock().unwrap()[1].headers()[header::AUTHORIZATION], "Bearer fresh");
    let error = script.builder().credentials(password()).build().unwrap().license().await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "login with a password: the request to the identity provider failed: connection refused"
    );
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Connect, false));
}

/// An archive without entries.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A writer that accepts nothing.
struct FullDisk;

impl io::Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn local_write_errors_keep_attempts_and_elapsed() {
    let package = || {
        let mut package = Response::new(ResponseBody::from(EMPTY_ZIP));
        package.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
        Ok(package)
    };
    let id = || DownloadId::new("d-1").unwrap();
    let script = Script::new([status(503), package()]);
    let error = script.client().download(id()).save_into(FullDisk).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.elapsed()), (ErrorKind::File, 2, script.slept()));
    assert_eq!(error.to_string(), "downloadPackage: cannot write the package: no space left");
    assert_eq!(error.detail::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::StorageFull));

    // The folder of the target disappears while the package is downloaded.
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("in");
    std::fs::create_dir(&target).unwrap();
    let script = Script::new([status(503), package()]);
    let removed = target.clone();
    let progress = move |_: u64, _: Option<u64>| drop(std::fs::remove_dir_all(&removed));
    let save = script.client().download(id()).save_to(target.join("a.zip")).with_progress(progress);
    let error = save.await.map(drop).unwrap_err();
    assert_eq!((error.attempts(), error.elapsed()), (2, script.slept()), "{error:?}");
}

#[tokio::test]
async fn list_errors_keep_attempts_and_elapsed() {
    let script = Script::new([status(503), ok(r#"{"users":[{"id":"u"}],"totalElements":2}"#)]);
    let error = script.client().users().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getUsers: incomplete list: the service returned 1 of 2 items, and the document declares no paging (x-paging)"
    );
    assert_eq!((error.attempts(), error.elapsed()), (2, Duration::from_millis(250)));
    assert!(error.is_safe_to_repeat());
}

/// A type that the components of a test do not fit.
#[derive(Debug, serde::Deserialize)]
struct Study {
    #[serde(rename = "Animals")]
    _animals: u32,
}

#[tokio::test]
async fn source_is_the_cause_and_display_does_not_repeat_it() {
    // A file that cannot be read.
    let script = Script::new([]);
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("a.pdf");
    std::fs::write(&inside, "%PDF").unwrap();
    let upload = dossier(&script.client()).upload(Source::path(inside.join("b.pdf")));
    let file = upload.await.map(drop).unwrap_err();
    assert!(file.source().is_some_and(<dyn std::error::Error>::is::<io::Error>), "{file:?}");

    // A response that does not match the document.
    let script = Script::new([ok(r#"{"licensedPages":"many"}"#)]);
    let decode = script.client().license().await.unwrap_err();
    assert_eq!(decode.to_string(), "getLicense: 200 OK, but the body is invalid at `licensedPages`");
    assert!(sources(&decode)[0].starts_with("invalid type: string \"many\""), "{decode:?}");

    // A wait that ends early.
    let script = Script::new([status(404), status(404), status(404), status(404), status(404)]);
    let client = script.client();
    let wait = dossier(&client).file(FileId::new("f").unwrap()).wait_until_processed().await.map(drop).unwrap_err();
    let wait = Error::from(wait);
    assert!(wait.detail::<WaitError>().is_some(), "{wait:?}");

    // Components that do not fit a type.
    let model = serde_json::json!({"fileId": "f", "fileName": "a.pdf", "components": {"Animals": ["many"]}});
    let components = Components::from(serde_json::from_value::<documine::models::FileComponents>(model).unwrap());
    let extract = components.extract::<Study>().unwrap_err();
    assert!(extract.to_string().contains("component \"Animals\" (field Study.Animals)"), "{extract}");
    assert!(extract.detail::<ExtractError>().is_some(), "{extract:?}");

    for error in [file, decode, wait, extract] {
        let (line, full, all) = (error.to_string(), format!("{error:#}"), format!("{error:?}"));
        for source in sources(&error) {
            assert!(!line.contains(&source), "{line} repeats {source}");
            assert!(full.contains(&source) && all.contains(&source), "{full} lacks {source}");
            assert_eq!(full.matches(&source).count(), 1, "{full}");
        }
        assert!(!line.contains('\n') && !full.contains('\n'), "{all}");
    }
}

#[tokio::test]
async fn connection_errors_have_the_system_error_as_source() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let credentials = Credentials::access_token("t0ken");
    let client = Client::builder(base).workspace("secret-workspace").credentials(credentials).clock(TestClock::new());
    let error = client.build().unwrap().license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: could not connect to the service: connection refused");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).expect("an I/O error");
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(format!("{error:#}"), format!("getLicense: could not connect to the service: {source}"));
    assert!(!format!("{error:?}").contains("http://"), "no URL is shown");
}

#[test]
fn forbidden_is_403_of_the_service() {
    let error = |kind, status| Error::builder(kind).status(status).build();
    assert!(error(ErrorKind::Api, StatusCode::FORBIDDEN).is_forbidden());
    assert!(!error(ErrorKind::Api, StatusCode::UNAUTHORIZED).is_forbidden());
    assert!(!error(ErrorKind::Auth, StatusCode::FORBIDDEN).is_forbidden(), "the identity provider's 403");
}

/// Runs itself again in a process without certificates of the platform.
#[cfg(target_os = "linux")]
#[test]
fn clients_with_a_transport_or_for_http_need_no_certificates_of_the_platform() {
    const NAME: &str = "clients_with_a_transport_or_for_http_need_no_certificates_of_the_platform";
    if std::env::var_os("SSL_CERT_FILE").is_none_or(|path| path != "/nonexistent") {
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", NAME]).env("SSL_CERT_FILE", "/nonexistent").env_remove("SSL_CERT_DIR");
        let output = program.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let builder = |base: &str| Client::builder(base).workspace("test").credentials(Credentials::access_token("t0ken"));
    let transport = async |_: Request<Bytes>| Ok(json(StatusCode::OK, "{}"));
    Client::with_transport(transport).unwrap();
    builder("https://acme.example").transport(transport).build().unwrap();
    builder("http://localhost").build().unwrap();
    let error = builder("https://acme.example").build().map(drop);
    if cfg!(feature = "rustls-no-provider") {
        assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Config), "https needs them");
    }
}
