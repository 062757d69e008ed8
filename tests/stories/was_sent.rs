//! Whether the service may have seen a request: right for every way in which one can get lost.

use std::time::Duration;

use documine::{Client, Credentials, Error, ErrorKind, NewDossier, Retry, TimeoutPhase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A limit that is meant to run out, and one that is not. Both are longer than a busy machine takes; see [`stand_still`].
const SHORT: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(60);

/// Creates a dossier, which is never repeated by itself, and gives the error.
async fn creation(base: &str) -> Error {
    creation_within(base, None).await
}

/// The same with a short limit in one phase, so that no two limits can run out at the same time.
async fn creation_within(base: &str, short: Option<TimeoutPhase>) -> Error {
    let limit = |phase| if short == Some(phase) { SHORT } else { LONG };
    let builder = Client::builder(base).workspace("acme").credentials(Credentials::access_token("t"));
    let builder = builder.connect_timeout(limit(TimeoutPhase::Connect)).attempt_timeout(limit(TimeoutPhase::Attempt));
    let client = builder.idle_timeout(limit(TimeoutPhase::Idle)).no_proxy().build().unwrap();
    let template = client.dossier_template("t-1".parse::<documine::DossierTemplateId>().unwrap());
    let call = template.create_dossier(NewDossier::named("Q3")).with_retry(Retry::Never);
    let error = call.await.map(drop).unwrap_err();
    assert_eq!(error.attempts(), 1, "{error:?}");
    assert_eq!(error.is_safe_to_repeat(), !error.was_sent(), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
    error
}

/// A server that does this with each connection.
async fn server<F: Future<Output = ()> + Send + 'static>(with: impl Fn(TcpStream) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address
}

/// Reads until the head of a request is whole.
async fn read_head(stream: &mut TcpStream) {
    let mut got = Vec::new();
    while !got.windows(4).any(|four| four == b"\r\n\r\n") && stream.read_buf(&mut got).await.unwrap_or(0) > 0 {}
}

/// Does nothing more. The clock of the runtime is paused, so the shortest limit runs out as soon as nothing else can happen.
async fn stand_still() {
    tokio::time::pause();
    std::future::pending::<()>().await;
}

/// Ends a connection by a reset in place of a farewell.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap();
}

fn fate(error: &Error) -> (ErrorKind, Option<TimeoutPhase>, bool) {
    (error.kind(), error.timeout_phase(), error.was_sent())
}

#[tokio::test]
async fn a_name_that_nobody_knows() {
    let error = creation("https://documine.invalid").await;
    assert_eq!(fate(&error), (ErrorKind::Connect, None, false), "{error}");
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = creation(&format!("http://{address}")).await;
    assert_eq!(fate(&error), (ErrorKind::Connect, None, false), "{error}");
    let system = error.detail::<std::io::Error>().unwrap();
    assert_eq!(system.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_tls_handshake_that_fails() {
    let address = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nThis is no TLS.").await;
    });
    let error = creation(&format!("https://{}", address.await)).await;
    assert_eq!(fate(&error), (ErrorKind::Connect, None, false), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time() {
    // Taken by the system, but nobody shakes hands.
    let address = server(|stream| async move {
        stand_still().await;
        drop(stream);
    });
    let error = creation_within(&format!("https://{}", address.await), Some(TimeoutPhase::Connect)).await;
    assert_eq!(fate(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Connect), false), "{error}");
}

#[tokio::test]
async fn a_reset_before_the_first_byte_of_an_answer() {
    // Whether the request was on its way by then, nobody can tell.
    let at_once = server(|stream| async move { reset(&stream) }).await;
    let read = server(|mut stream| async move {
        read_head(&mut stream).await;
        reset(&stream);
    });
    for address in [at_once, read.await] {
        let error = creation(&format!("http://{address}")).await;
        assert_eq!(fate(&error), (ErrorKind::Interrupted, None, true), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come() {
    let address = server(|mut stream| async move {
        read_head(&mut stream).await;
        stand_still().await;
    });
    let error = creation_within(&format!("http://{}", address.await), Some(TimeoutPhase::Attempt)).await;
    assert_eq!(fate(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Attempt), true), "{error}");
}

const BEGINNING: &[u8] =
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":";

#[tokio::test]
async fn a_body_that_is_cut() {
    let address = server(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(BEGINNING).await;
    });
    let error = creation(&format!("http://{}", address.await)).await;
    assert_eq!(fate(&error), (ErrorKind::Interrupted, None, true), "{error}");
}

#[tokio::test]
async fn a_body_that_stands_still() {
    let address = server(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(BEGINNING).await;
        stand_still().await;
    });
    let error = creation_within(&format!("http://{}", address.await), Some(TimeoutPhase::Idle)).await;
    assert_eq!(fate(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Idle), true), "{error}");
}
