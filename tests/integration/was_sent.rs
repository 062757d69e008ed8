//! `was_sent`: correct for every way in which a request can fail.

use std::time::Duration;

use documine::{Client, Credentials, DossierFields, Error, ErrorKind, TimeoutPhase, retry::RetryMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A timeout meant to fire, and one not meant to. Both exceed what a busy machine needs; see [`stall`].
const SHORT_TIMEOUT: Duration = Duration::from_secs(30);
const LONG_TIMEOUT: Duration = Duration::from_secs(60);

/// Creates a dossier without retries and returns the error.
async fn create_error(base: &str) -> Error {
    create_error_within(base, None).await
}

/// Does the same with a short timeout in one phase, so that only one timeout can fire.
async fn create_error_within(base: &str, short: Option<TimeoutPhase>) -> Error {
    let limit = |phase| if short == Some(phase) { SHORT_TIMEOUT } else { LONG_TIMEOUT };
    let builder = Client::builder(base).workspace("acme").credentials(Credentials::access_token("t"));
    let builder = builder.connect_timeout(limit(TimeoutPhase::Connect)).attempt_timeout(limit(TimeoutPhase::Attempt));
    let client = builder.idle_timeout(limit(TimeoutPhase::Idle)).no_proxy().build().unwrap();
    let template = client.dossier_template("t-1".parse::<documine::DossierTemplateId>().unwrap());
    let call = template.create_dossier(DossierFields::named("Q3")).with_retry_mode(RetryMode::Never);
    let error = call.await.map(drop).unwrap_err();
    assert_eq!(error.attempts(), 1, "{error:?}");
    assert_eq!(error.is_safe_to_repeat(), !error.was_sent(), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
    error
}

/// Starts a server that calls `with` for each connection.
async fn connection_server<F: Future<Output = ()> + Send + 'static>(
    with: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address
}

/// Reads until the request head is complete.
async fn read_head(stream: &mut TcpStream) {
    let mut received = Vec::new();
    while !received.windows(4).any(|four| four == b"\r\n\r\n") && stream.read_buf(&mut received).await.unwrap_or(0) > 0
    {
    }
}

/// Waits forever with the runtime's clock paused, so that the shortest timeout fires as soon as the runtime is idle.
async fn stall() {
    tokio::time::pause();
    std::future::pending::<()>().await;
}

/// Closes a connection with a reset.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap();
}

fn outcome(error: &Error) -> (ErrorKind, Option<TimeoutPhase>, bool) {
    (error.kind(), error.timeout_phase(), error.was_sent())
}

#[tokio::test]
async fn unknown_host_name_is_not_sent() {
    let error = create_error("https://documine.invalid").await;
    assert_eq!(outcome(&error), (ErrorKind::Connect, None, false), "{error}");
}

#[tokio::test]
async fn refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = create_error(&format!("http://{address}")).await;
    assert_eq!(outcome(&error), (ErrorKind::Connect, None, false), "{error}");
    let system = error.detail::<std::io::Error>().unwrap();
    assert_eq!(system.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn failed_tls_handshake_is_not_sent() {
    let address = connection_server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nThis is no TLS.").await;
    });
    let error = create_error(&format!("https://{}", address.await)).await;
    assert_eq!(outcome(&error), (ErrorKind::Connect, None, false), "{error}");
}

#[tokio::test]
async fn connect_timeout_is_not_sent() {
    // The system accepts the connection, but no TLS handshake follows.
    let address = connection_server(|stream| async move {
        stall().await;
        drop(stream);
    });
    let error = create_error_within(&format!("https://{}", address.await), Some(TimeoutPhase::Connect)).await;
    assert_eq!(outcome(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Connect), false), "{error}");
}

#[tokio::test]
async fn reset_before_response_counts_as_sent() {
    // The client cannot know whether the request was already being read.
    let resetting = connection_server(|stream| async move { reset(&stream) }).await;
    let reading = connection_server(|mut stream| async move {
        read_head(&mut stream).await;
        reset(&stream);
    });
    for address in [resetting, reading.await] {
        let error = create_error(&format!("http://{address}")).await;
        assert_eq!(outcome(&error), (ErrorKind::Interrupted, None, true), "{error}");
    }
}

#[tokio::test]
async fn missing_response_counts_as_sent() {
    let address = connection_server(|mut stream| async move {
        read_head(&mut stream).await;
        stall().await;
    });
    let error = create_error_within(&format!("http://{}", address.await), Some(TimeoutPhase::Attempt)).await;
    assert_eq!(outcome(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Attempt), true), "{error}");
}

const PARTIAL_RESPONSE: &[u8] =
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":";

#[tokio::test]
async fn truncated_body_counts_as_sent() {
    let address = connection_server(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(PARTIAL_RESPONSE).await;
    });
    let error = create_error(&format!("http://{}", address.await)).await;
    assert_eq!(outcome(&error), (ErrorKind::Interrupted, None, true), "{error}");
}

#[tokio::test]
async fn stalled_body_counts_as_sent() {
    let address = connection_server(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(PARTIAL_RESPONSE).await;
        stall().await;
    });
    let error = create_error_within(&format!("http://{}", address.await), Some(TimeoutPhase::Idle)).await;
    assert_eq!(outcome(&error), (ErrorKind::Timeout, Some(TimeoutPhase::Idle), true), "{error}");
}
