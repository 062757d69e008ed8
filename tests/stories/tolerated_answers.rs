//! Responses of services and proxies that are written otherwise than the document says and have one meaning all the same.

use documine::{DossierFields, DossierId, DossierTemplateId, ErrorKind, FileId};
use futures_util::TryStreamExt;

use crate::canned::{Canned, answer, json};
use crate::scripted::{asked, client, service};

/// A service with one answer.
async fn answering(status: &str, headers: &[&str], body: &str) -> Canned {
    service(vec![answer(status, headers, body)]).await
}

#[tokio::test]
async fn a_label_that_is_no_content_coding_leaves_the_body_as_it_is() {
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
        let service = answering("200 OK", &headers, r#"{"licensedPages":5}"#).await;
        assert_eq!(client(&service.base).await.license().await.unwrap().licensed_pages, Some(5), "{label:?}");
        let service = answering("200 OK", &headers, r#"{"users":[{"id":"a"}]}"#).await;
        let users: Vec<_> = client(&service.base).await.users().stream().try_collect().await.unwrap();
        assert_eq!(users.len(), 1, "{label:?}");
        let service = answering("404 Not Found", &headers, r#"{"message":"No such licence."}"#).await;
        let error = client(&service.base).await.license().await.unwrap_err();
        assert_eq!(error.to_string(), "getLicense: 404 Not Found: No such licence.", "{label:?}");
    }
}

#[tokio::test]
async fn a_content_coding_that_is_unknown_is_named() {
    for (label, told) in [
        ("compress", "compress"),
        ("Base64, utf-8", "base64"),
        ("x-zip", "x-zip"),
        ("gzip, gzip, gzip, gzip", "gzip, gzip, gzip, gzip"),
    ] {
        let coding = format!("Content-Encoding: {label}");
        let service = answering("200 OK", &["Content-Type: application/json", &coding], "{}").await;
        let error = client(&service.base).await.license().await.unwrap_err();
        let line = format!("getLicense: 200 OK, but unsupported content encoding {told:?}");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Decode, line));
    }
}

#[tokio::test]
async fn an_answer_without_content_is_an_empty_list() {
    let json = ["Content-Type: application/json"];
    let answers: [(&str, &[&str], &str); 6] = [
        ("204 No Content", &[], ""),
        ("205 Reset Content", &[], ""),
        ("200 OK", &[], ""),
        ("200 OK", &json, ""),
        ("200 OK", &json, " \r\n"),
        ("200 OK", &json, "null"),
    ];
    for (status, headers, body) in answers {
        let service = answering(status, headers, body).await;
        let client = client(&service.base).await;
        let dossier =
            client.dossier_template(DossierTemplateId::new("t").unwrap()).dossier(DossierId::new("d").unwrap());
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
        assert_eq!(dossier.processed().await.unwrap(), [], "{at}");
    }
}

#[tokio::test]
async fn a_page_without_content_ends_a_list_unless_items_are_missing() {
    let next = r#"Link: </api/users?page=2>; rel="next""#;
    let first = |body: &str| answer("200 OK", &["Content-Type: application/json", next], body);
    let nothing = answer("204 No Content", &[], "");
    let whole = service(vec![first(r#"{"users":[{"id":"a"}]}"#), nothing.clone()]).await;
    assert_eq!(client(&whole.base).await.users().await.unwrap().len(), 1);
    assert_eq!(asked(&whole).len(), 2);
    let part = service(vec![first(r#"{"users":[{"id":"a"}],"totalElements":2}"#), nothing]).await;
    let error = client(&part.base).await.users().await.unwrap_err();
    assert!(error.to_string().contains("the service gives 1 of 2 items"), "{error}");
}

#[tokio::test]
async fn a_change_may_be_answered_without_content_and_a_question_may_not() {
    let service = answering("204 No Content", &[], "").await;
    let client = client(&service.base).await;
    let template = client.dossier_template(DossierTemplateId::new("t").unwrap());
    let dossier = template.dossier(DossierId::new("d").unwrap());
    let updated = dossier.update(DossierFields::named("Q3")).await.unwrap();
    assert_eq!((updated.id().as_str(), updated.snapshot()), ("d", None));
    // What a creation made has no id, and what a question found is nothing.
    let told = "204 No Content, but the body is empty; the document describes content";
    let error = template.create_dossier(DossierFields::named("Q3")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("createOrUpdateDossier: {told}"));
    let error = client.license().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Decode, format!("getLicense: {told}")));
    for status in ["200 OK", "202 Accepted", "204 No Content"] {
        let service =
            answering(status, &["Content-Type: application/json"], if status.starts_with("204") { "" } else { "{}" })
                .await;
        crate::scripted::client(&service.base)
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
async fn the_text_of_a_frameworks_error_body_is_shown_and_its_time_read() {
    let problem = ["Content-Type: application/problem+json"];
    let spring = r#"{"timestamp":1695300300000,"status":400,"error":"Bad Request","message":["name must not be blank","name is too short"],"path":"/api"}"#;
    let service = answering("400 Bad Request", &problem, spring).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 400 Bad Request: name must not be blank; name is too short");
    assert_eq!(error.api_message(), Some("name must not be blank; name is too short"));
    assert_eq!((error.api_timestamp(), error.body_snippet()), (Some("1695300300000"), None));
    let aspnet =
        r#"{"type":"x","title":"Invalid.","status":400,"errors":{"Name":["Required."]},"timestamp":[2023,9,21]}"#;
    let service = answering("400 Bad Request", &problem, aspnet).await;
    let error = client(&service.base).await.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 400 Bad Request: Invalid: Name: Required.");
    assert_eq!((error.api_message(), error.api_timestamp()), (Some("Invalid."), None));
}

#[tokio::test]
async fn a_token_in_an_error_body_is_masked_however_it_is_spelled() {
    for body in [
        r#"{"message":"bad token 0wn-t0ken"}"#,
        r#"{"message":"bad token \u0030wn-t\u0030ken"}"#,
        r#"{"errors":[{"field":"token","message":"bad token \u0030wn-t0ken"}],"title":"Refused."}"#,
        r#"{"timestamp":"\u0030wn-t0ken","message":"bad token"}"#,
        "<error><message>bad token 0wn-t0ken</message></error>",
    ] {
        let service = answering("400 Bad Request", &["Content-Type: application/json"], body).await;
        let error = client(&service.base).await.license().await.unwrap_err();
        let all = format!("{error} {error:?} {:?} {:?}", error.api_message(), error.api_timestamp());
        assert!(!all.contains("0wn-t0ken") && all.contains("bad token"), "{all}");
    }
}

#[tokio::test]
async fn numbers_and_truth_values_are_read_in_any_exact_spelling() {
    let client_of = async |body: &str| client(&service(vec![json(body)]).await.base).await;
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
    // One that is none is named, and costs the items beside it nothing.
    let files = r#"{"files":[{"id":1,"fileSize":"10","numberOfPages":2.0},{"id":"b","numberOfPages":3.5},{"id":"c","numberOfPages":""}]}"#;
    let client = client_of(files).await;
    let dossier = client.dossier_template(DossierTemplateId::new("t").unwrap()).dossier(DossierId::new("d").unwrap());
    let error = dossier.files().await.unwrap_err();
    let told = "getFiles: 200 OK, but the body is invalid at `files[1].numberOfPages`: invalid type: floating point `3.5`, expected i64";
    assert!(error.to_string().starts_with(told), "{error}");
    let each: Vec<_> = dossier.files().stream_each().try_collect().await.unwrap();
    let read: Vec<_> = each
        .iter()
        .map(|file| file.as_ref().ok().map(|file| (file.id.as_str(), file.file_size, file.number_of_pages)))
        .collect();
    assert_eq!(read, [Some(("1", Some(10), Some(2))), None, Some(("c", None, None))]);
    // Paging figures are numbers, too: a part is not taken for the whole.
    let part = client_of(r#"{"users":[{"id":"a"}],"totalElements":"2.0"}"#).await;
    assert!(part.users().await.unwrap_err().to_string().contains("1 of 2 items"));
}
