//! `/__sim/…` answers programs on this machine and no web page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use reqwest::Method;
use reqwest::header::HeaderValue;
use support::{Answer, Desk};

const READ: [&str; 5] = ["requests", "state", "violations", "clock", "faults"];
const POSTED: [(&str, &str); 3] = [
    ("clock", r#"{"advance_ms": 1000}"#),
    ("faults", r#"{"seed": 7}"#),
    ("control", r#"{"action": "expire_packages"}"#),
];
const JSON: &str = "application/json";

async fn send(desk: &Desk, method: Method, page: &str, headers: &[(&'static str, &str)], body: &'static str) -> Answer {
    let mut request = desk.http.request(method, format!("{}/__sim/{page}", desk.sim.base_url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_str(value).unwrap());
    }
    desk.send(request).await
}

#[tokio::test]
async fn rejects_a_host_that_is_not_this_machine() {
    let desk = Desk::new().await;
    let port = desk.sim.address().port();
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
            let answer = send(&desk, Method::GET, page, &[("host", &host)], "").await;
            // What is no host at all may be refused before it gets here.
            let fits = if allowed { answer.status == 200 } else { matches!(answer.status, 400 | 403) };
            assert!(fits, "{host} {page}: {}", answer.status);
        }
        let before = desk.sim.clock().now();
        for (page, body) in POSTED {
            let answer = send(&desk, Method::POST, page, &[("host", &host), ("content-type", JSON)], body).await;
            assert_eq!((200..300).contains(&answer.status), allowed, "{host} {page}: {}", answer.status);
        }
        assert_eq!(desk.sim.clock().now() > before, allowed, "{host}");
    }
    let refused = send(&desk, Method::GET, "state", &[("host", "evil.example")], "").await;
    assert!(refused.message().contains("send one of them as Host"), "{}", refused.message());
}

#[tokio::test]
async fn rejects_requests_that_a_page_can_send() {
    let desk = Desk::new().await;
    let before = desk.sim.clock().now();
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("text/plain; application/json")]
    {
        for (page, body) in POSTED {
            let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
            let answer = send(&desk, Method::POST, page, &headers, body).await;
            assert_eq!(answer.status, 415, "{kind:?} {page}");
            assert!(answer.message().contains("Content-Type: application/json"), "{}", answer.message());
        }
    }
    for origin in ["https://evil.example", "null", desk.sim.base_url()] {
        let headers = [("origin", origin), ("content-type", JSON)];
        for (page, body) in POSTED {
            assert_eq!(send(&desk, Method::POST, page, &headers, body).await.status, 403, "{origin} {page}");
        }
        for (method, page) in [(Method::GET, "state"), (Method::DELETE, "requests"), (Method::DELETE, "faults")] {
            assert_eq!(send(&desk, method, page, &headers, "").await.status, 403, "{origin} {page}");
        }
    }
    assert_eq!(desk.sim.clock().now(), before, "nothing has happened");
    assert_eq!(desk.sim.requests().len(), 1, "the sign-in is still in the journal");
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = send(&desk, Method::POST, "clock", &[("content-type", kind)], r#"{"advance_ms": 1}"#).await;
        assert_eq!(answer.status, 200, "{kind}");
    }
    assert_eq!(send(&desk, Method::DELETE, "requests", &[], "").await.status, 204);
}
