//! `/__sim/…` serves programs on this machine and no web pages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use reqwest::header::HeaderValue;
use support::{TestClient, TestResponse};

const READ: [&str; 5] = ["requests", "state", "violations", "clock", "faults"];
const POSTED: [(&str, &str); 3] = [
    ("clock", r#"{"advance_ms": 1000}"#),
    ("faults", r#"{"seed": 7}"#),
    ("control", r#"{"action": "expire_packages"}"#),
];
const JSON: &str = "application/json";

async fn send(
    client: &TestClient,
    method: Method,
    page: &str,
    headers: &[(&'static str, &str)],
    body: &'static str,
) -> TestResponse {
    let mut request = client.http.request(method, format!("{}/__sim/{page}", client.sim.base_url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_str(value).unwrap());
    }
    client.send(request).await
}

#[tokio::test]
async fn rejects_foreign_host_headers() {
    let client = TestClient::new().await;
    let port = client.sim.address().port();
    for (host, allowed) in [
        (format!("127.0.0.1:{port}"), true),
        (format!("localhost:{port}"), true),
        (format!("LOCALHOST:{port}"), true),
        (format!("[::1]:{port}"), true),
        ("localhost".to_owned(), true),
        (format!("evil.example:{port}"), false),
        (format!("localhost.evil.example:{port}"), false),
        (format!("127.0.0.1.evil.example:{port}"), false),
        (format!("127.0.0.1@evil.example:{port}"), false),
        (format!("192.0.2.1:{port}"), false),
        ("/".to_owned(), false),
    ] {
        for page in READ {
            let response = send(&client, Method::GET, page, &[("host", &host)], "").await;
            // An invalid host may be rejected earlier.
            let fits = if allowed { response.status == 200 } else { matches!(response.status, 400 | 403) };
            assert!(fits, "{host} {page}: {}", response.status);
        }
        let before = client.sim.clock().now();
        for (page, body) in POSTED {
            let response = send(&client, Method::POST, page, &[("host", &host), ("content-type", JSON)], body).await;
            assert_eq!((200..300).contains(&response.status), allowed, "{host} {page}: {}", response.status);
        }
        assert_eq!(client.sim.clock().now() > before, allowed, "{host}");
    }
    let refused = send(&client, Method::GET, "state", &[("host", "evil.example")], "").await;
    assert!(refused.message().contains("send one of them as Host"), "{}", refused.message());
}

#[tokio::test]
async fn rejects_requests_of_web_pages() {
    let client = TestClient::new().await;
    let before = client.sim.clock().now();
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("text/plain; application/json")]
    {
        for (page, body) in POSTED {
            let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
            let response = send(&client, Method::POST, page, &headers, body).await;
            assert_eq!(response.status, 415, "{kind:?} {page}");
            assert!(response.message().contains("Content-Type: application/json"), "{}", response.message());
        }
    }
    for origin in ["https://evil.example", "null", client.sim.base_url()] {
        let headers = [("origin", origin), ("content-type", JSON)];
        for (page, body) in POSTED {
            assert_eq!(send(&client, Method::POST, page, &headers, body).await.status, 403, "{origin} {page}");
        }
        for (method, page) in [(Method::GET, "state"), (Method::DELETE, "requests"), (Method::DELETE, "faults")] {
            assert_eq!(send(&client, method, page, &headers, "").await.status, 403, "{origin} {page}");
        }
    }
    assert_eq!(client.sim.clock().now(), before, "the clock is unchanged");
    assert_eq!(client.sim.requests().len(), 1, "the journal is unchanged");
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let response = send(&client, Method::POST, "clock", &[("content-type", kind)], r#"{"advance_ms": 1}"#).await;
        assert_eq!(response.status, 200, "{kind}");
    }
    assert_eq!(send(&client, Method::DELETE, "requests", &[], "").await.status, 204);
}
