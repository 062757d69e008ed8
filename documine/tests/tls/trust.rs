//! Server trust and client certificates.

use std::sync::atomic::Ordering;

use documine::{Client, Credentials, ErrorKind};
use http::Version;

use crate::server::{Authority, ServerOptions, Service, license};

#[tokio::test]
async fn trusts_configured_root_certificate() {
    let authority = Authority::new();
    let service = Service::start(&authority, ServerOptions::default(), license()).await;
    let client = service.builder().add_root_certificate(authority.pem()).build().expect("valid settings");
    assert_eq!(client.license().await.expect("a licence").licensed_pages, Some(5));
    let clone = client.clone();
    clone.license().await.expect("a licence");
    let (one, two) = tokio::join!(client.license(), clone.license());
    one.and(two).expect("licences");
    assert!(service.requests().iter().all(|(version, _)| *version == Version::HTTP_2), "both sides support HTTP/2");
    assert_eq!(service.connections.load(Ordering::SeqCst), 1, "clones share connections");
}

#[tokio::test]
async fn sends_nothing_to_untrusted_server() {
    let authority = Authority::new();
    let service = Service::start(&authority, ServerOptions::default(), license()).await;
    let stranger = Authority::new();
    for builder in [service.builder(), service.builder().add_root_certificate(stranger.pem())] {
        let builder =
            builder.retry_policy(documine::retry::RetryPolicy::default().when(documine::retry::RetryMode::Never));
        let error = builder.build().expect("valid settings").license().await.expect_err("unknown");
        assert_eq!((error.kind(), error.was_sent(), error.attempts()), (ErrorKind::Connect, false, 1), "{error}");
        assert!(format!("{error:#}").to_lowercase().contains("certificate"), "{error:#}");
    }
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn falls_back_to_http_1_1() {
    let authority = Authority::new();
    let service =
        Service::start(&authority, ServerOptions { http1_only: true, ..ServerOptions::default() }, license()).await;
    let client = service.builder().add_root_certificate(authority.pem()).build().expect("valid settings");
    for _ in 0..3 {
        client.license().await.expect("a licence");
    }
    assert!(service.requests().iter().all(|(version, _)| *version == Version::HTTP_11));
    assert_eq!(service.connections.load(Ordering::SeqCst), 1, "the connection is reused");
}

#[tokio::test]
async fn presents_client_certificate() {
    let (authority, client_authority) = (Authority::new(), Authority::new());
    let options = ServerOptions { client_authority: Some(&client_authority), ..ServerOptions::default() };
    let service = Service::start(&authority, options, license()).await;
    let builder = service.builder().add_root_certificate(authority.pem());
    let builder = builder.retry_policy(documine::retry::RetryPolicy::default().when(documine::retry::RetryMode::Never));
    let unknown = builder.clone().build().expect("valid settings");
    unknown.license().await.expect_err("no certificate");
    assert!(service.requests().is_empty());

    let identity = client_authority.identity();
    let builder = builder.client_identity(identity.clone());
    let shown = format!("{builder:?}");
    let key = identity.lines().rev().nth(1).expect("a line of the key");
    assert!(!shown.contains(key) && shown.contains("identity: true"), "{shown}");
    let known = builder.build().expect("valid settings");
    known.license().await.expect("a licence");
}

#[test]
fn rejects_invalid_certificates_in_build() {
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
