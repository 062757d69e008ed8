//! Tests of the redirect URIs that can be listened on, of the `Host` that belongs to them, and of connections that can't be accepted.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::clock::BoxFuture;

fn uri(loopback: &Loopback, port: u16) -> Result<(String, Vec<String>)> {
    let addresses = loopback.addresses()?;
    Ok((loopback.uri(port), addresses.iter().map(ToString::to_string).collect()))
}

#[test]
fn sends_the_redirect_uri_as_it_is_registered() {
    let given = |uri: &str| Loopback::default().redirect_uri(uri);
    let (v4, v6): (&[&str], &[&str]) = (&["127.0.0.1"], &["::1"]);
    let both: &[&str] = &["127.0.0.1", "::1"];
    let cases = [
        (Loopback::default(), 0, "http://127.0.0.1:49152/callback", v4),
        (Loopback::default().port(8400), 8400, "http://127.0.0.1:8400/callback", v4),
        (Loopback::default().port(80), 80, "http://127.0.0.1/callback", v4),
        (given("http://localhost/cb"), 0, "http://localhost:49152/cb", both),
        (given("http://localhost/cb").port(80), 80, "http://localhost/cb", both),
        (given("http://localhost:80/cb"), 80, "http://localhost:80/cb", both),
        (given("http://localhost:8400/cb"), 8400, "http://localhost:8400/cb", both),
        (given("http://localhost:0/cb"), 0, "http://localhost:49152/cb", both),
        (given("http://localhost:8400"), 8400, "http://localhost:8400", both),
        (given("http://localhost"), 0, "http://localhost:49152", both),
        (given("http://localhost:8400/"), 8400, "http://localhost:8400/", both),
        (given("http://localhost:8400/cb?app=1"), 8400, "http://localhost:8400/cb?app=1", both),
        (given("http://localhost:8400?app=1"), 8400, "http://localhost:8400?app=1", both),
        (given("HTTP://LocalHost:8400/Cb"), 8400, "http://LocalHost:8400/Cb", both),
        (given("http://app.localhost:8400/cb"), 8400, "http://app.localhost:8400/cb", both),
        (given("http://127.0.0.1/cb"), 0, "http://127.0.0.1:49152/cb", v4),
        (given("http://127.0.0.1:8400/cb"), 8400, "http://127.0.0.1:8400/cb", v4),
        (given("http://[::1]/cb"), 0, "http://[::1]:49152/cb", v6),
        (given("http://[::1]:8400/cb"), 8400, "http://[::1]:8400/cb", v6),
        (given("http://[::1]/cb").port(80), 80, "http://[::1]/cb", v6),
        (given("http://localhost:8400/cb?app=1").path("/other"), 8400, "http://localhost:8400/other", both),
        (given("nothing").redirect_uri("http://localhost:8400/cb"), 8400, "http://localhost:8400/cb", both),
    ];
    for (loopback, port, expected, addresses) in cases {
        assert_eq!(loopback.port, port, "{expected}");
        let port = if port == 0 { 49152 } else { port };
        let (uri, listened) = uri(&loopback, port).unwrap();
        assert_eq!((uri.as_str(), listened), (expected, addresses.iter().map(ToString::to_string).collect()));
    }
}

#[test]
fn refuses_redirect_uris_that_lead_elsewhere() {
    let refused = [
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
    for uri in refused {
        let error = Loopback::default().redirect_uri(uri).addresses().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{uri}");
        let line = error.to_string();
        assert!(line.ends_with("for example http://localhost:8400/callback") && line.lines().count() == 1, "{line}");
    }
}

#[test]
fn the_host_header_has_to_name_the_redirect_uri() {
    let matches =
        |host: &str, port: u16, header: &str| Expected { host: host.into(), port, path: "/".into() }.is_host(header);
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
async fn an_address_that_the_machine_does_not_have_is_left_out() {
    // Reserved for documentation (RFC 5737): no machine has it, as some have no `::1`.
    let missing = IpAddr::from([192, 0, 2, 1]);
    for addresses in [[missing, Ipv4Addr::LOCALHOST.into()], [Ipv4Addr::LOCALHOST.into(), missing]] {
        let (listeners, port) = listen(&addresses, 0).await.unwrap();
        let listened: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(listened, [(Ipv4Addr::LOCALHOST, port).into()]);
        assert_ne!(port, 0);
    }
    assert_eq!(listen(&[missing], 0).await.unwrap_err().0, missing);
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = held.local_addr().unwrap().port();
    let (address, error) = listen(&[missing, Ipv4Addr::LOCALHOST.into()], taken).await.unwrap_err();
    assert_eq!((address, error.kind()), (Ipv4Addr::LOCALHOST.into(), io::ErrorKind::AddrInUse));
}

/// A clock that only counts: its pauses are over at once.
#[derive(Debug, Default)]
struct Counting(Mutex<Vec<Duration>>);

impl Clock for Counting {
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

/// Fails so many times, then gives these connections, and nothing more.
struct Script {
    failures: AtomicUsize,
    connections: Mutex<Vec<DuplexStream>>,
}

impl Accept for Script {
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

fn desk() -> Desk {
    let expected = Expected { host: "127.0.0.1".into(), port: 80, path: "/callback".into() };
    Desk { expected, state: Secret::new("s") }
}

/// A browser that brings the answer.
async fn browser() -> (DuplexStream, DuplexStream) {
    let (mut browser, connection) = duplex(64 * 1024);
    browser.write_all(b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    (browser, connection)
}

#[tokio::test]
async fn a_failing_accept_is_repeated_with_growing_pauses() {
    let (_browser, connection) = browser().await;
    let script = Script { failures: 1000.into(), connections: Mutex::new(vec![connection]) };
    let clock = Counting::default();
    let answer = answer(script, desk(), &clock).await;
    assert_eq!(answer.expose(), "code=c&state=s");
    let pauses = clock.0.into_inner().unwrap();
    assert_eq!(pauses.len(), 1000);
    assert!(pauses.is_sorted() && pauses[0] == ACCEPT_PAUSES.0 && pauses[999] == ACCEPT_PAUSES.1, "{pauses:?}");
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_browser_out() {
    let (sender, mut answers) = mpsc::channel(1);
    let (desk, mut visitors, mut idle) = (Arc::new(desk()), Visitors::default(), Vec::new());
    for _ in 0..3 * MOST_VISITORS {
        let (ours, theirs) = duplex(1024);
        visitors.admit(theirs, &desk, &sender);
        idle.push(ours);
    }
    let (mut page, connection) = browser().await;
    visitors.admit(connection, &desk, &sender);
    let mut text = String::new();
    page.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("200 OK"), "{text}");
    assert_eq!(answers.recv().await.unwrap().expose(), "code=c&state=s");
    // Only the oldest were closed, and at once: the newer ones still have their ten seconds.
    let mut open = Vec::new();
    for (number, connection) in idle.iter_mut().enumerate() {
        if connection.read_u8().now_or_never().is_none() {
            open.push(number);
        }
    }
    assert_eq!(open, (2 * MOST_VISITORS + 1..3 * MOST_VISITORS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_connection_whose_page_is_on_its_way_is_not_closed_for_a_new_one() {
    let (sender, mut answers) = mpsc::channel(1);
    let (desk, mut visitors) = (Arc::new(desk()), Visitors::default());
    // The page does not fit through at once.
    let (mut page, connection) = duplex(64);
    visitors.admit(connection, &desk, &sender);
    page.write_all(b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
    answers.recv().await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..3 * MOST_VISITORS {
        let (ours, theirs) = duplex(1024);
        visitors.admit(theirs, &desk, &sender);
        idle.push(ours);
    }
    let mut text = String::new();
    page.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("200 OK") && text.ends_with("</html>"), "{text}");
}
