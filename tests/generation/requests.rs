//! Requests of every operation, recorded by a transport that responds from memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use documine_api::ids::{DossierId, DossierTemplateId, DownloadId, FileId};
use documine_api::operations::{OPERATIONS, Operation, ResponseKind};
use documine_api::{BoxError, BoxFuture, Client, Error, Inner, Timestamp, Transport, types};
use documine_sim::wire;

/// A request recorded by the transport.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordedRequest {
    operation: &'static str,
    method: String,
    pub(super) url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl RecordedRequest {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Records every request and returns the same response to each.
pub(super) struct RecordingTransport {
    response: Result<(u16, &'static str), &'static str>,
    seen: Mutex<Vec<RecordedRequest>>,
}

impl Transport for RecordingTransport {
    fn send<'a>(
        &'a self,
        request: reqwest::Request,
        operation: &'static Operation,
    ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
        Box::pin(async move {
            let headers = request.headers().iter();
            let seen = RecordedRequest {
                operation: operation.id,
                method: request.method().to_string(),
                url: request.url().to_string(),
                headers: headers
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()))
                    .collect(),
                body: request
                    .body()
                    .and_then(reqwest::Body::as_bytes)
                    .map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            };
            if let Ok(mut list) = self.seen.lock() {
                list.push(seen);
            }
            let (status, body) = self.response?;
            Ok(http::Response::builder().status(status).body(body)?.into())
        })
    }
}

pub(super) fn client(response: Result<(u16, &'static str), &'static str>) -> (Client, Arc<RecordingTransport>) {
    let memory = Arc::new(RecordingTransport { response, seen: Mutex::new(Vec::new()) });
    let client =
        Client::new_with_client("https://acme.example/base/", reqwest::Client::new(), Inner::new(memory.clone()));
    (client, memory)
}

pub(super) fn seen(memory: &RecordingTransport) -> Vec<RecordedRequest> {
    memory.seen.lock().map(|seen| seen.clone()).unwrap_or_default()
}

fn template() -> DossierTemplateId {
    DossierTemplateId::new("t/1?").expect("an id")
}

fn dossier() -> DossierId {
    DossierId::new("d ä").expect("an id")
}

fn file() -> FileId {
    FileId::new("f#%2F").expect("an id")
}

fn download() -> DownloadId {
    DownloadId::new("p-1").expect("an id")
}

/// Calls every generated method with all parameters.
async fn call_every_method(client: &Client) {
    let (t, d, f, p) = (template(), dossier(), file(), download());
    let time = Timestamp::from("2023-07-01T00:00:00.000+00:00");
    let request = types::DownloadRequest::default();
    let mut bulk = types::BulkDownloadRequest::default();
    bulk.file_ids = vec![f.clone()];
    let form = reqwest::multipart::Form::new().text("file", "bytes");
    let _ = client.get_dossier_templates().send().await;
    let _ = client.get_dossier_template().dossier_template_id(&t).send().await;
    let _ = client
        .get_dossiers()
        .dossier_template_id(&t)
        .include_active(false)
        .include_archived(true)
        .include_soft_deleted(true)
        .send()
        .await;
    let _ =
        client.create_or_update_dossier().dossier_template_id(&t).body(types::DossierRequest::default()).send().await;
    let _ = client.get_dossier().dossier_template_id(&t).dossier_id(&d).send().await;
    let _ = client.delete_dossier().dossier_template_id(&t).dossier_id(&d).delete_permanently(true).send().await;
    let _ = client.get_dossier_components().dossier_template_id(&t).dossier_id(&d).include_details(true).send().await;
    let _ = client.get_dossier_components_xml().dossier_template_id(&t).dossier_id(&d).send().await;
    let _ = client.prepare_dossier_download().dossier_template_id(&t).dossier_id(&d).body(request.clone()).send().await;
    let _ = client.get_files().dossier_template_id(&t).dossier_id(&d).send().await;
    let _ =
        client.upload_file().dossier_template_id(&t).dossier_id(&d).keep_manual_changes(true).body(form).send().await;
    let _ = client.prepare_files_download().dossier_template_id(&t).dossier_id(&d).body(bulk).send().await;
    let _ = client.get_file().dossier_template_id(&t).dossier_id(&d).file_id(&f).send().await;
    let _ = client.delete_file().dossier_template_id(&t).dossier_id(&d).file_id(&f).send().await;
    let _ =
        client.get_components().dossier_template_id(&t).dossier_id(&d).file_id(&f).include_details(true).send().await;
    let _ = client
        .get_components_xml()
        .dossier_template_id(&t)
        .dossier_id(&d)
        .file_id(&f)
        .include_details(true)
        .send()
        .await;
    let _ =
        client.prepare_file_download().dossier_template_id(&t).dossier_id(&d).file_id(&f).body(request).send().await;
    let _ = client.get_downloads().send().await;
    let _ = client.get_download().download_id(&p).send().await;
    let _ = client.delete_download().download_id(&p).send().await;
    let _ = client.download_package().download_id(&p).send().await;
    let _ = client.get_license().send().await;
    let _ = client.get_license_usage().start_date(time.clone()).end_date(time).send().await;
    let _ = client.get_users().send().await;
}

/// Returns `true` if the document has the operation.
fn has_operation(operation: &str) -> bool {
    documine_api::operations::operation(operation).is_some_and(|operation| !operation.missing)
}

/// Returns the wire path of an operation with the test ids.
fn path(operation: &Operation) -> String {
    operation
        .path
        .replace("{dossierTemplateId}", "t%2F1%3F")
        .replace("{dossierId}", "d%20%C3%A4")
        .replace("{fileId}", "f%23%252F")
        .replace("{downloadId}", "p-1")
}

#[tokio::test]
async fn sends_the_method_path_and_accept_header_of_the_document() {
    let (client, memory) = client(Ok((500, "")));
    call_every_method(&client).await;
    let seen = seen(&memory);
    let called: BTreeSet<&str> = seen.iter().map(|seen| seen.operation).collect();
    let known = OPERATIONS.iter().filter(|operation| operation.canonical && !operation.missing);
    let all: BTreeSet<&str> = known.map(|operation| operation.id).collect();
    assert_eq!(called, all, "every operation was called");
    for seen in &seen {
        let operation = documine_api::operations::operation(seen.operation).expect("listed");
        assert_eq!(seen.method, operation.method, "{seen:?}");
        let url = seen.url.split('?').next().unwrap_or_default();
        // The methods for XML differ in a URL fragment, which the HTTP library does not send.
        let url = url.split('#').next().unwrap_or_default();
        assert_eq!(url, format!("https://acme.example/base{}", path(operation)), "{seen:?}");
        assert_eq!(seen.header("api-version"), None, "{seen:?}");
        if !cfg!(reconstruction) {
            // Another document may declare other media types.
            assert!(seen.header("accept").is_some_and(|accept| accept.contains('/')), "{seen:?}");
            continue;
        }
        let accept = match operation.response {
            _ if seen.url.ends_with("#xml") => "application/xml",
            ResponseKind::Binary => "application/octet-stream, application/zip, application/json",
            _ => "application/json",
        };
        assert_eq!(seen.header("accept"), Some(accept), "{seen:?}");
    }
}

#[tokio::test]
async fn sends_parameters_and_bodies_under_the_names_of_the_document() {
    let (client, memory) = client(Ok((500, "")));
    call_every_method(&client).await;
    let seen = seen(&memory);
    let of = |operation: &str| {
        let found: Vec<&RecordedRequest> = seen.iter().filter(|seen| seen.operation == operation).collect();
        found.into_iter().cloned().next_back().expect("called")
    };
    let query = |operation: &str| {
        let url = of(operation).url;
        let query = url.split('#').next().and_then(|url| url.split_once('?')).map(|(_, query)| query.to_owned());
        query.unwrap_or_default()
    };
    let sorted = |words: String| {
        let mut words: Vec<String> = words.split('&').map(String::from).collect();
        words.sort();
        words
    };
    // Skips operations with missing parameters, for which nothing was sent.
    let mut checked = 0;
    for (operation, expected) in [
        ("getDossiers", vec![("includeActive", "false"), ("includeArchived", "true"), ("includeSoftDeleted", "true")]),
        ("deleteDossier", vec![("deletePermanently", "true")]),
        ("uploadFile", vec![("keepManualChanges", "true")]),
        ("getComponents", vec![("includeDetails", "true")]),
        (
            "getLicenseUsage",
            vec![
                ("startDate", "2023-07-01T00%3A00%3A00.000%2B00%3A00"),
                ("endDate", "2023-07-01T00%3A00%3A00.000%2B00%3A00"),
            ],
        ),
    ] {
        let names = expected.iter().map(|(name, value)| Some(format!("{}={value}", wire::query(operation, name)?)));
        let Some(names) = names.collect::<Option<Vec<String>>>().filter(|_| has_operation(operation)) else { continue };
        assert_eq!(sorted(query(operation)), sorted(names.join("&")), "{operation}");
        checked += 1;
    }
    assert!(!cfg!(reconstruction) || checked == 5, "{checked}");
    if has_operation("deleteFile") {
        assert_eq!(query("deleteFile"), "", "parameters that are not set are not sent");
    }
    let upload = of("uploadFile");
    let kind = upload.header("content-type").unwrap_or_default().to_owned();
    assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    if !has_operation("prepareFilesDownload") {
        return;
    }
    let bulk = of("prepareFilesDownload");
    let ids = wire::field("BulkDownloadRequest", "fileIds").expect("the request has file ids");
    assert_eq!(bulk.body, Some(format!(r#"{{"{ids}":["f#%2F"]}}"#)));
    let kind = bulk.header("content-type").unwrap_or_default();
    assert!(kind == "application/json" || (!cfg!(reconstruction) && kind.contains("json")), "{kind}");
}

#[cfg(has = "deleteDownload")]
#[tokio::test]
async fn accepts_every_2xx_status_and_returns_other_responses_whole() {
    for status in [200, 201, 204, 299] {
        let (client, _) = client(Ok((status, "")));
        let response = client.delete_download().download_id(download()).send().await.expect("a success");
        assert_eq!(response.status(), status);
    }
    for (status, body) in [(404, r#"{"message": "gone"}"#), (429, "<html>slow</html>"), (503, ""), (304, "")] {
        let (client, _) = client(Ok((status, body)));
        let refused = client.get_download().download_id(download()).send().await;
        let Err(Error::UnexpectedResponse(response)) = refused else {
            panic!("{status}: {refused:?}");
        };
        assert_eq!(response.status(), status);
        assert_eq!(response.text().await.expect("a body"), body);
    }
}

#[tokio::test]
async fn includes_the_transport_error_in_the_error_chain() {
    let (client, _) = client(Err("connection lost"));
    let error = client.get_dossier_templates().send().await.expect_err("failed");
    let Error::CommunicationError(error) = error else {
        panic!("{error:?}");
    };
    let mut chain: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        chain.push(error.to_string());
        next = error.source();
    }
    assert!(chain.iter().any(|text| text == "connection lost"), "{chain:?}");
    assert!(!chain.iter().any(|text| text.contains("http://")), "{chain:?}");
}

#[tokio::test]
async fn sends_nothing_with_a_missing_parameter_or_an_invalid_id() {
    let (client, memory) = client(Ok((200, "{}")));
    let missing = client.get_file().dossier_template_id(template()).file_id(file()).send().await;
    assert!(matches!(missing, Err(Error::InvalidRequest(_))), "{missing:?}");
    let bodyless = client.prepare_dossier_download().dossier_template_id(template()).dossier_id(dossier()).send().await;
    assert!(matches!(bodyless, Err(Error::InvalidRequest(_))), "{bodyless:?}");
    for hostile in ["..", "", "x\\..\\.."] {
        let refused = client.delete_file().dossier_template_id("t").dossier_id("d").file_id(hostile).send().await;
        assert!(matches!(refused, Err(Error::InvalidRequest(_))), "{hostile:?}: {refused:?}");
    }
    assert_eq!(seen(&memory), []);
}

#[test]
fn client_is_clone_send_and_hides_its_transport_in_debug() {
    fn check<T: Clone + Send + Sync>(_: &T) {}
    fn sends<T: Send>(_: T) {}
    let (client, _) = client(Ok((200, "")));
    check(&client);
    assert!(!format!("{client:?}").contains("RecordingTransport"));
    sends(client.get_dossier_templates().send());
}
