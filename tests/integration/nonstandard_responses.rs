//! Nonstandard responses of services and proxies that still have one unambiguous meaning.

use documine::{
    DossierFields, DossierTemplateId, ErrorKind,
    models::{DossierId, FileId},
};
use futures_util::TryStreamExt;

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::scripted::{self, client, request_lines, scripted_server};

/// Starts a service with one response.
async fn single_response_server(status: &str, headers: &[&str], body: &str) -> CannedServer {
    scripted_server(vec![response(status, headers, body)]).await
}

#[tokio::test]
async fn ignores_unknown_content_encoding_labels() {
    let headers = [
        "UTF-8",
        "utf8",
        "identity",
        "Identity",
        "none",
        "binary",
        "",
        "aws-chunked",
        "application/json",
        "identity, utf-8",
    ];
    for label in headers {
        let coding = format!("Content-Encoding: {label}");
        let headers = ["Content-Type: application/json", &coding];
        let service = single_response_server("200 OK", &headers, r#"{"licensedPages":5}"#).await;
        assert_eq!(client(&service.base).await.license().await.unwrap().licensed_pages, Some(5), "{label:?}");
        let service = single_response_server("200 OK", &headers, r#"{"users":[{"id":"a"}]}"#).await;
        let users: Vec<_> = client(&service.base).await.users().stream().try_collect().await.unwrap();
        assert_eq!(users.len(), 1, "{label:?}");
        let service = single_response_server("404 Not Found", &headers, r#"{"message":"No such licence."}"#).await;
        let error = client(&service.base).await.license().await.unwrap_err();
        assert_eq!(error.to_string(), "getLicense: 404 Not Found: No such licence.", "{label:?}");
    }
}

#[tokio::test]
async fn names_unknown_content_coding() {
    for (label, message) in [
        ("compress", "compress"),
        ("Base64, utf-8", "base64"),
        ("x-zip", "x-zip"),
        ("gzip, gzip, gzip, gzip", "gzip, gzip, gzip, gzip"),
    ] {
        let coding = format!("Content-Encoding: {label}");
        let service = single_response_server("200 OK", &["Content-Type: application/json", &coding], "{}").await;
        let error = client(&service.base).await.license().await.unwrap_err();
        let line = format!("getLicense: 200 OK, but unsupported content encoding {message:?}");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Decode, line));
    }
}

#[tokio::test]
async fn reads_response_without_content_as_empty_list() {
    let json = ["Content-Type: application/json"];
    let responses: [(&str, &[&str], &str); 6] = [
        ("204 No Content", &[], ""),
        ("205 Reset Content", &[], ""),
        ("200 OK", &[], ""),
        ("200 OK", &json, ""),
        ("200 OK", &json, " \r\n"),
        ("200 OK", &json, "null"),
    ];
    for (status, headers, body) in responses {
        let service = single_response_server(status, headers, body).await;
        let client = client(&service.base).await;
        let dossier = scripted::dossier(&client);
        let at = format!("{status} {body:?}");
        assert_eq!(client.dossier_templates().await.unwrap(), [], "{at}");
        assert_eq!(client.dossier_template(DossierTemplateId::new("t").unwrap()).dossiers().await.unwrap(), [], "{at}");
        assert_eq!(dossier.files().await.unwrap(), [], "{at}");
        assert_eq!(dossier.files().stream().try_collect::<Vec<_>>().await.unwrap(), [], "{at}");
        assert_eq!(dossier.components().await.unwrap(), [], "{at}");
        assert_eq!(client.downloads().await.unwrap(), [], "{at}");
        assert_eq!(client.users().await.unwrap(), [], "{at}");
        let pages: Vec<_> = client.users().pages().try_collect().await.unwrap();
        assert_eq!(pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(), [0], "{at}");
        assert_eq!(dossier.wait_until_processed().await.unwrap(), [], "{at}");
    }
}

#[tokio::test]
async fn page_without_content_ends_list_unless_items_are_missing() {
    let next = r#"Link: </api/users?page=2>; rel="next""#;
    let first = |body: &str| response("200 OK", &["Content-Type: application/json", next], body);
    let no_content = response("204 No Content", &[], "");
    let whole = scripted_server(vec![first(r#"{"users":[{"id":"a"}]}"#), no_content.clone()]).await;
    assert_eq!(client(&whole.base).await.users().await.unwrap().len(), 1);
    assert_eq!(request_lines(&whole).len(), 2);
    let part = scripted_server(vec![first(r#"{"users":[{"id":"a"}],"totalElements":2}"#), no_content]).await;
    let error = client(&part.base).await.users().await.unwrap_err();
    assert!(error.to_string().contains("the service returned 1 of 2 items"), "{error}");
}

#[tokio::test]
async fn accepts_empty_response_to_update_but_not_to_read() {
    let service = single_response_server("204 No Content", &[], "").await;
    let client = client(&service.base).await;
    let dossier = scripted::dossier(&client);
    let updated = dossier.update(DossierFields::named("Q3")).await.unwrap();
    assert_eq!((updated.id().as_str(), updated.snapshot()), ("d", None));
    // A creation without content has no id, and a read without content has no result.
    let message = "204 No Content, but the body is empty; the document describes content";
    let template = client.dossier_template(DossierTemplateId::new("t").unwrap());
    let error = template.create_dossier(DossierFields::named("Q3")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("createOrUpdateDossier: {message}"));
    let error = client.license().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Decode, format!("getLicense: {message}")));
    for status in ["200 OK", "202 Accepted", "204 No Content"] {
        let service = single_response_server(
            status,
            &["Content-Type: application/json"],
            if status.starts_with("204") { "" } else { "{}" },
        )
        .await;
        scripted::client(&service.base)
            .await
            .dossier_template(DossierTemplateId::new("t").unwrap())
            .dossier(DossierId::new("d").unwrap())
            .file(FileId::new("f").unwrap())
            .delete()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn reads_message_and_timestamp_of_framework_errors() {
    let problem = ["Content-Type: application/problem+json"];
    let spring = concat!(
        r#"{"timestamp":1695300300000,"status":400,"error":"Bad Request","message":["name must not be blank","#,
        r#""name is too short"],"path":"/api"}"#
    );
    let service = single_response_server("400 Bad Request", &problem, spring).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 400 Bad Request: name must not be blank; name is too short");
    assert_eq!(error.api_message(), Some("name must not be blank; name is too short"));
    assert_eq!((error.api_timestamp(), error.body_snippet()), (Some("1695300300000"), None));
    let aspnet =
        r#"{"type":"x","title":"Invalid.","status":400,"errors":{"Name":["Required."]},"timestamp":[2023,9,21]}"#;
    let service = single_response_server("400 Bad Request", &problem, aspnet).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 400 Bad Request: Invalid: Name: Required.");
    assert_eq!((error.api_message(), error.api_timestamp()), (Some("Invalid."), None));
}

#[tokio::test]
async fn redacts_token_in_error_body_in_any_spelling() {
    for body in [
        r#"{"message":"bad token 0wn-t0ken"}"#,
        r#"{"message":"bad token \u0030wn-t\u0030ken"}"#,
        r#"{"errors":[{"field":"token","message":"bad token \u0030wn-t0ken"}],"title":"Refused."}"#,
        r#"{"timestamp":"\u0030wn-t0ken","message":"bad token"}"#,
        "<error><message>bad token 0wn-t0ken</message></error>",
    ] {
        let service = single_response_server("400 Bad Request", &["Content-Type: application/json"], body).await;
        let error = client(&service.base).await.license().await.unwrap_err();
        let all = format!("{error} {error:?} {:?} {:?}", error.api_message(), error.api_timestamp());
        assert!(!all.contains("0wn-t0ken") && all.contains("bad token"), "{all}");
    }
}

#[tokio::test]
async fn reads_numbers_and_booleans_in_any_exact_spelling() {
    let client_of = async |body: &str| client(&scripted_server(vec![json_response(body)]).await.base).await;
    for (spelling, pages) in [
        ("3", 3),
        ("3.0", 3),
        (r#""3""#, 3),
        (r#""3.0""#, 3),
        ("3e0", 3),
        ("-0", 0),
        (r#""9007199254740993""#, 9_007_199_254_740_993),
    ] {
        let license =
            client_of(&format!(r#"{{"licensedPages":{spelling},"active":"true"}}"#)).await.license().await.unwrap();
        assert_eq!((license.licensed_pages, license.active), (Some(pages), Some(true)), "{spelling}");
        let written = serde_json::to_value(&license).unwrap();
        assert_eq!((&written["licensedPages"], &written["active"]), (&pages.into(), &true.into()), "{spelling}");
    }
    // An invalid number is named, and the other items are still read.
    let files = r#"{"files":[{"id":1,"fileSize":"10","numberOfPages":2.0},{"id":"b","numberOfPages":3.5},{"id":"c","numberOfPages":""}]}"#;
    let client = client_of(files).await;
    let dossier = scripted::dossier(&client);
    let error = dossier.files().await.unwrap_err();
    let message = "getFiles: 200 OK, but the body is invalid at `files[1].numberOfPages`: invalid type: floating point `3.5`, expected i64";
    assert!(format!("{error:#}").starts_with(message), "{error:#}");
    let each: Vec<_> = dossier.files().stream_each().try_collect().await.unwrap();
    let read: Vec<_> = each
        .iter()
        .map(|file| file.as_ref().ok().map(|file| (file.id.as_str(), file.file_size, file.number_of_pages)))
        .collect();
    assert_eq!(read, [Some(("1", Some(10), Some(2))), None, Some(("c", None, None))]);
    // Paging totals are numbers too: a partial list is not returned as complete.
    let part = client_of(r#"{"users":[{"id":"a"}],"totalElements":"2.0"}"#).await;
    assert!(part.users().await.unwrap_err().to_string().contains("1 of 2 items"));
}
