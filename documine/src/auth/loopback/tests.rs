//! Redirect URIs and their `Host` headers, failing `accept` calls, and the limit on open connections.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::server::{ACCEPT_DELAYS, Accept, Connections, MAX_CONNECTIONS};
use super::*;
use crate::auth::secret::Secret;
use crate::clock::BoxFuture;

fn uri(loopback: &Loopback, port: u16) -> Result<(String, Vec<String>)> {
    let addresses = loopback.addresses()?;
    Ok((loopback.uri(port), addresses.iter().map(ToString::to_string).collect()))
}

#[test]
fn keeps_the_spelling_of_the_redirect_uri() {
    let with_uri = |uri: &str| Loopback::default().redirect_uri(uri);
    let (v4, v6): (&[&str], &[&str]) = (&["127.0.0.1"], &["::1"]);
    let both: &[&str] = &["127.0.0.1", "::1"];
    let cases = [
        (Loopback::default(), 0, "http://127.0.0.1:49152/callback", v4),
        (Loopback::default().port(8400), 8400, "http://127.0.0.1:8400/callback", v4),
        (Loopback::default().port(80), 80, "http://127.0.0.1/callback", v4),
        (with_uri("http://localhost/cb"), 0, "http://localhost:49152/cb", both),
        (with_uri("http://localhost/cb").port(80), 80, "http://localhost/cb", both),
        (with_uri("http://localhost:80/cb"), 80, "http://localhost:80/cb", both),
        (with_uri("http://localhost:8400/cb"), 8400, "http://localhost:8400/cb", both),
        (with_uri("http://localhost:0/cb"), 0, "http://localhost:49152/cb", both),
        (with_uri("http://localhost:8400"), 8400, "http://localhost:8400", both),
        (with_uri("http://localhost"), 0, "http://localhost:49152", both),
        (with_uri("http://localhost:8400/"), 8400, "http://localhost:8400/", both),
        (with_uri("http://localhost:8400/cb?app=1"), 8400, "http://localhost:8400/cb?app=1", both),
        (with_uri("http://localhost:8400?app=1"), 8400, "http://localhost:8400?app=1", both),
        (with_uri("HTTP://LocalHost:8400/Cb"), 8400, "http://LocalHost:8400/Cb", both),
        (with_uri("http://app.localhost:8400/cb"), 8400, "http://app.localhost:8400/cb", both),
        (with_uri("http://127.0.0.1/cb"), 0, "http://127.0.0.1:49152/cb", v4),
        (with_uri("http://127.0.0.1:8400/cb"), 8400, "http://127.0.0.1:8400/cb", v4),
        (with_uri("http://[::1]/cb"), 0, "http://[::1]:49152/cb", v6),
        (with_uri("http://[::1]:8400/cb"), 8400, "http://[::1]:8400/cb", v6),
        (with_uri("http://[::1]/cb").port(80), 80, "http://[::1]/cb", v6),
        (with_uri("http://localhost:8400/cb?app=1").path("/other"), 8400, "http://localhost:8400/other", both),
        (with_uri("invalid").redirect_uri("http://localhost:8400/cb"), 8400, "http://localhost:8400/cb", both),
    ];
    for (loopback, port, expected, addresses) in cases {
        assert_eq!(loopback.port, port, "{expected}");
        let port = if port == 0 { 49152 } else { port };
        let (uri, listened) = uri(&loopback, port).unwrap();
        assert_eq!((uri.as_str(), listened), (expected, addresses.iter().map(ToString::to_string).collect()));
    }
}

#[test]
fn rejects_redirect_uris_of_other_hosts() {
    let rejected = [
        "",
        "localhost",
        "localhost:8400/cb",
        "/cb",
        "https://localhost:8400/cb",
        "com.example.app:/cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "http:///cb",
        "http://:8400/cb",
        "http://acme.example/cb",
        "http://192.168.0.1:8400/cb",
        "http://0.0.0.0:8400/cb",
        "http://[::]:8400/cb",
        "http://localhost.acme.example/cb",
        "http://127.0.0.1.acme.example/cb",
        "http://notlocalhost/cb",
        "http://localhost@acme.example/cb",
        "http://user@localhost/cb",
        "http://localhost:8400/cb#part",
        "http://localhost:99999/cb",
        "http://localhost:port/cb",
        "http://localhost:8400/a b",
        "http://local host/cb",
    ];
    for uri in rejected {
        let error = Loopback::default().redirect_uri(uri).addresses().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{uri}");
        let line = error.to_string();
        assert!(line.ends_with("for example http://localhost:8400/callback") && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn requires_the_host_of_the_redirect_uri() {
    let matches = |host: &str, port: u16, header: &str| {
        CallbackAddress { host: host.into(), port, path: "/".into() }.is_host(header)
    };
    for (host, port, header) in [
        ("127.0.0.1", 8400, "127.0.0.1:8400"),
        ("127.0.0.1", 80, "127.0.0.1"),
        ("127.0.0.1", 80, "127.0.0.1:80"),
        ("localhost", 80, "localhost"),
        ("localhost", 8400, "localhost:8400"),
        ("localhost", 8400, "LocalHost:8400"),
        ("[::1]", 8400, "[::1]:8400"),
        ("[::1]", 80, "[::1]"),
    ] {
        assert!(matches(host, port, header), "{host} {port} {header}");
    }
    for (host, port, header) in [
        ("127.0.0.1", 8400, "127.0.0.1"),
        ("127.0.0.1", 8400, "127.0.0.1:80"),
        ("127.0.0.1", 80, "127.0.0.1:8400"),
        ("127.0.0.1", 8400, "localhost:8400"),
        ("localhost", 8400, "127.0.0.1:8400"),
        ("localhost", 8400, "evil.example:8400"),
        ("localhost", 8400, "localhost.evil.example:8400"),
        ("localhost", 8400, "evil@localhost:8400"),
        ("localhost", 80, ""),
        ("[::1]", 8400, "::1:8400"),
    ] {
        assert!(!matches(host, port, header), "{host} {port} {header}");
    }
}

#[tokio::test]
async fn skips_addresses_that_the_machine_does_not_have() {
    // Reserved for documentation (RFC 5737), so no machine has the address, as some have no `::1`.
    let missing = IpAddr::from([192, 0, 2, 1]);
    for addresses in [[missing, Ipv4Addr::LOCALHOST.into()], [Ipv4Addr::LOCALHOST.into(), missing]] {
        let (listeners, port) = bind(&addresses, 0).await.unwrap();
        let listened: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(listened, [(Ipv4Addr::LOCALHOST, port).into()]);
        assert_ne!(port, 0);
    }
    assert_eq!(bind(&[missing], 0).await.unwrap_err().0, missing);
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = held.local_addr().unwrap().port();
    let (address, error) = bind(&[missing, Ipv4Addr::LOCALHOST.into()], taken).await.unwrap_err();
    assert_eq!((address, error.kind()), (Ipv4Addr::LOCALHOST.into(), io::ErrorKind::AddrInUse));
}

/// A clock that records delays without waiting.
#[derive(Debug, Default)]
struct RecordingClock(Mutex<Vec<Duration>>);

impl Clock for RecordingClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push(duration);
        Box::pin(tokio::task::yield_now())
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// A listener that fails some times, then accepts the given connections, and then waits forever.
struct ScriptedListener {
    failures: AtomicUsize,
    connections: Mutex<Vec<DuplexStream>>,
}

impl Accept for ScriptedListener {
    type Connection = DuplexStream;

    async fn accept(&self) -> io::Result<DuplexStream> {
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(io::Error::from_raw_os_error(24));
        }
        let next = self.connections.lock().unwrap().pop();
        match next {
            Some(connection) => Ok(connection),
            None => std::future::pending().await,
        }
    }
}

fn server() -> CallbackServer {
    let address = CallbackAddress { host: "127.0.0.1".into(), port: 80, path: "/callback".into() };
    CallbackServer { address, state: Secret::new("s") }
}

/// A browser that delivers the response.
async fn browser() -> (DuplexStream, DuplexStream) {
    let (mut browser, connection) = duplex(64 * 1024);
    browser.write_all(b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    (browser, connection)
}

#[tokio::test]
async fn retries_failed_accepts_with_backoff() {
    let (_browser, connection) = browser().await;
    let listener = ScriptedListener { failures: 1000.into(), connections: Mutex::new(vec![connection]) };
    let clock = RecordingClock::default();
    let response = server().receive(listener, &clock).await;
    assert_eq!(response.expose(), "code=c&state=s");
    let delays = clock.0.into_inner().unwrap();
    assert_eq!(delays.len(), 1000);
    assert!(delays.is_sorted() && delays[0] == ACCEPT_DELAYS.0 && delays[999] == ACCEPT_DELAYS.1, "{delays:?}");
}

#[tokio::test]
async fn replaces_the_oldest_idle_connection() {
    let (sender, mut responses) = mpsc::channel(1);
    let (server, mut connections, mut idle) = (Arc::new(server()), Connections::default(), Vec::new());
    for _ in 0..3 * MAX_CONNECTIONS {
        let (client, connection) = duplex(1024);
        connections.serve(connection, &server, &sender);
        idle.push(client);
    }
    let (mut page, connection) = browser().await;
    connections.serve(connection, &server, &sender);
    let mut text = String::new();
    page.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("200 OK"), "{text}");
    assert_eq!(responses.recv().await.unwrap().expose(), "code=c&state=s");
    // Only the oldest connections were closed, without waiting for their time limit of ten seconds.
    let mut open = Vec::new();
    for (number, connection) in idle.iter_mut().enumerate() {
        if connection.read_u8().now_or_never().is_none() {
            open.push(number);
        }
    }
    assert_eq!(open, (2 * MAX_CONNECTIONS + 1..3 * MAX_CONNECTIONS).collect::<Vec<_>>());
}

#[tokio::test]
async fn keeps_connections_whose_page_is_being_sent() {
    let (sender, mut responses) = mpsc::channel(1);
    let (server, mut connections) = (Arc::new(server()), Connections::default());
    // The buffer is smaller than the page.
    let (mut page, connection) = duplex(64);
    connections.serve(connection, &server, &sender);
    page.write_all(b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    responses.recv().await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..3 * MAX_CONNECTIONS {
        let (client, connection) = duplex(1024);
        connections.serve(connection, &server, &sender);
        idle.push(client);
    }
    let mut text = String::new();
    page.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("200 OK") && text.ends_with("</html>"), "{text}");
}
