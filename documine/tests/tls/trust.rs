//! Whom a client trusts, and by what it is known.

use std::sync::atomic::Ordering;

use documine::{Client, Credentials, ErrorKind};
use http::Version;

use crate::server::{Authority, Habits, Service, license};

#[tokio::test]
async fn a_companys_own_authority_is_trusted_when_it_is_given() {
    let authority = Authority::new();
    let service = Service::start(&authority, Habits::default(), license()).await;
    let client = service.builder().add_root_certificate(authority.pem()).build().expect("the settings are right");
    assert_eq!(client.license().await.expect("a licence").licensed_pages, Some(5));
    let clone = client.clone();
    clone.license().await.expect("a licence");
    let (one, two) = tokio::join!(client.license(), clone.license());
    one.and(two).expect("licences");
    assert!(service.requests().iter().all(|(version, _)| *version == Version::HTTP_2), "what both sides can");
    assert_eq!(service.connections.load(Ordering::SeqCst), 1, "clones share their connections");
}

#[tokio::test]
async fn without_it_nothing_is_sent() {
    let authority = Authority::new();
    let service = Service::start(&authority, Habits::default(), license()).await;
    let stranger = Authority::new();
    for builder in [service.builder(), service.builder().add_root_certificate(stranger.pem())] {
        let builder = builder.retry(documine::RetryPolicy::default().when(documine::Retry::Never));
        let error = builder.build().expect("the settings are right").license().await.expect_err("unknown");
        assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Connect, false, 1), "{error}");
        assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    }
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn an_older_service_speaks_http_1_1() {
    let authority = Authority::new();
    let service = Service::start(&authority, Habits { old: true, ..Habits::default() }, license()).await;
    let client = service.builder().add_root_certificate(authority.pem()).build().expect("the settings are right");
    for _ in 0..3 {
        client.license().await.expect("a licence");
    }
    assert!(service.requests().iter().all(|(version, _)| *version == Version::HTTP_11));
    assert_eq!(service.connections.load(Ordering::SeqCst), 1, "a connection is used again");
}

#[tokio::test]
async fn a_client_shows_its_own_certificate_where_it_is_asked_for() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let habits = Habits { clients: Some(&clients), ..Habits::default() };
    let service = Service::start(&authority, habits, license()).await;
    let builder = service.builder().add_root_certificate(authority.pem());
    let builder = builder.retry(documine::RetryPolicy::default().when(documine::Retry::Never));
    let unknown = builder.clone().build().expect("the settings are right");
    unknown.license().await.expect_err("no certificate");
    assert!(service.requests().is_empty());

    let identity = clients.identity();
    let builder = builder.client_identity(identity.clone());
    let shown = format!("{builder:?}");
    let key = identity.lines().rev().nth(1).expect("a line of the key");
    assert!(!shown.contains(key) && shown.contains("identity: true"), "{shown}");
    let known = builder.build().expect("the settings are right");
    known.license().await.expect("a licence");
}

#[test]
fn certificates_that_are_none_are_told_at_once() {
    let base = || {
        let builder = Client::builder("https://acme.example").workspace("acme");
        builder.credentials(Credentials::access_token("t0ken"))
    };
    let error = base().add_root_certificate("no certificate").build().expect_err("no PEM");
    assert_eq!(
        error.to_string(),
        "invalid root certificate; PEM is required, which begins with -----BEGIN CERTIFICATE-----"
    );
    let error = base().client_identity("s3cret, but no key").build().expect_err("no PEM");
    assert_eq!(
        error.to_string(),
        "invalid client certificate; one PEM text with the certificate and its key (PKCS #8) is required"
    );
    assert_eq!(error.kind(), ErrorKind::Config);
}
