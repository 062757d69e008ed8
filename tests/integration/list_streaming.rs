//! Streams of list items: early delivery, constant memory, and completion or an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use documine::{Client, ErrorKind, Result, TimeoutPhase, list::BadItem, models::User};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::harness::canned_server::{json_response, response};
use crate::harness::messages::timed_out;
use crate::harness::scripted::{client, request_lines, scripted_server};

/// A service that writes its response in parts, each after permission.
struct ChunkedServer {
    base: String,
    permits: Arc<Semaphore>,
    /// Number of parts written.
    written: Arc<AtomicUsize>,
    /// Set when the client has disconnected.
    disconnected: Arc<AtomicBool>,
}

impl ChunkedServer {
    async fn start(parts: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server =
            Self { base, permits: Arc::new(Semaphore::new(0)), written: Arc::default(), disconnected: Arc::default() };
        let (permits, written, disconnected) =
            (Arc::clone(&server.permits), Arc::clone(&server.written), Arc::clone(&server.disconnected));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
            for part in parts {
                let mut rest = [0; 1];
                tokio::select! {
                    permit = permits.acquire() => permit.unwrap().forget(),
                    _ = stream.read(&mut rest) => return disconnected.store(true, Ordering::SeqCst),
                }
                if stream.write_all(&part).await.is_err() {
                    return disconnected.store(true, Ordering::SeqCst);
                }
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
        server
    }

    fn release(&self, parts: usize) {
        self.permits.add_permits(parts);
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\n") && stream.read_buf(&mut received).await.unwrap() > 0 {}
}

fn parts(body: &[&str]) -> Vec<Vec<u8>> {
    body.iter().map(|part| part.as_bytes().to_vec()).collect()
}

#[tokio::test]
async fn yields_first_item_while_service_is_still_writing() {
    let server =
        ChunkedServer::start(parts(&[r#"{"more":[[1]],"users":[{"id":"a"},{"i"#, r#"d":"b"}],"totalElements":2}"#]))
            .await;
    let mut users = client(&server.base).await.users().stream();
    server.release(1);
    assert_eq!(users.try_next().await.unwrap().unwrap().id.as_str(), "a");
    assert_eq!(server.written.load(Ordering::SeqCst), 1);
    server.release(1);
    assert_eq!(users.try_next().await.unwrap().unwrap().id.as_str(), "b");
    assert!(users.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn dropped_stream_closes_connection() {
    let server = ChunkedServer::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    let mut users = client(&server.base).await.users().stream();
    server.release(1);
    assert!(users.try_next().await.unwrap().is_some());
    drop(users);
    let hung_up = async {
        while !server.disconnected.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), hung_up).await.expect("the client closes the connection");
    assert_eq!(server.written.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn detects_stalled_response() {
    let server = ChunkedServer::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    server.release(1);
    let client = client(&server.base).await;
    let mut users = client.users().with_idle_timeout(Duration::from_secs(50)).stream();
    assert!(users.try_next().await.unwrap().is_some());
    // With the clock paused, the timeout fires as soon as the runtime is idle.
    tokio::time::pause();
    let error = users.try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Idle)));
    assert_eq!(error.to_string(), timed_out("getUsers"));
    assert!(error.is_safe_to_repeat());
}

/// Returns the users in this response body.
async fn users(body: &str) -> Result<Vec<String>> {
    let service = scripted_server(vec![json_response(body)]).await;
    let users: Vec<User> = client(&service.base).await.users().stream().try_collect().await?;
    // Collecting gives the same list as streaming.
    assert_eq!(client(&service.base).await.users().await.unwrap(), users);
    Ok(users.iter().map(|user| user.id.as_str().to_owned()).collect())
}

#[tokio::test]
async fn accepts_any_object_around_the_list() {
    for (body, expected) in [
        (r#"{"users":[]}"#, &[][..]),
        ("{}", &[]),
        (r#"{"users":null,"totalElements":0}"#, &[]),
        ("\u{feff} { \"users\" : [ { \"id\" : \"a\" } ] } \r\n", &["a"]),
        (r#"{"totalElements":1,"users":[{"id":"a"}],"sort":["]"],"x":{"users":[{"id":"no"}]}}"#, &["a"]),
        (r#"{"\u0075sers":[{"id":"a","tags":[["]}"],{"\"":"\\\""}]},null,{"id":"ü"}]}"#, &["a", "ü"]),
    ] {
        assert_eq!(users(body).await.unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn reports_position_of_invalid_list() {
    let prefix = "getUsers: 200 OK, but the body is invalid";
    for (body, line) in [
        ("nul", format!("{prefix}: unexpected end of the body")),
        (r#"{"users":[{"id":"a"},{"id""#, format!("{prefix} at `users[1]`: unexpected end of the body")),
        (r#"{"users":[{"id":"a"}]"#, format!("{prefix}: unexpected end of the body")),
        (r#"{"users":[{"id":"a"}]} true"#, format!("{prefix}: unexpected data after the JSON value")),
        (r#"[{"id":"a"}]"#, format!("{prefix}: invalid JSON: expected an object")),
        (r#"{"users":[],"users":[]}"#, format!("{prefix}: the list appears twice")),
        (
            r#"{"users":[{"id":"a"}{"id":"b"}]}"#,
            format!("{prefix} at `users[1]`: invalid JSON: expected a comma between two items"),
        ),
        (
            r#"{"users":[{"id":"a"],{"id":"b"}]}"#,
            format!("{prefix} at `users[0]`: invalid JSON: expected the matching closing bracket"),
        ),
        (r#"{"users":{"id":"a"}}"#, format!("{prefix} at `users`: invalid type: map, expected a sequence")),
    ] {
        let service = scripted_server(vec![json_response(body)]).await;
        let streamed: Result<Vec<User>> = client(&service.base).await.users().stream().try_collect().await;
        let error = streamed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(format!("{error:#}").starts_with(&line), "{body}: {error:#}");
        assert!(client(&service.base).await.users().await.is_err(), "{body}");
    }
    // After a syntax error the end of the item is unknown, so the stream ends.
    let service = scripted_server(vec![json_response(r#"{"users":[{"id":"a",},{"id":"b"}]}"#)]).await;
    let each: Vec<_> = client(&service.base).await.users().stream_each().collect().await;
    assert_eq!((each.len(), each[0].is_err()), (1, true));
}

#[tokio::test]
async fn names_and_skips_oversized_item() {
    let body = format!(r#"{{"users":[{{"id":"a"}},{{"id":"{}"}},{{"id":"c"}}]}}"#, "b".repeat(5000));
    let service = scripted_server(vec![json_response(&body)]).await;
    let list = || async { client(&service.base).await.users().max_item_size(4096) };
    let each: Vec<std::result::Result<User, BadItem>> = list().await.stream_each().try_collect().await.unwrap();
    let message = "getUsers: 200 OK, but `users[1]` exceeds the item size limit of 4096 bytes (max_item_size)";
    assert_eq!(each[1].as_ref().unwrap_err().to_string(), message);
    assert_eq!((each[0].is_ok(), each[2].is_ok(), each.len()), (true, true, 3));
    let strict: Result<Vec<User>> = list().await.stream().try_collect().await;
    assert_eq!(strict.unwrap_err().to_string(), message);
    assert_eq!(list().await.await.unwrap().len(), 3, "a collected list has another limit");
}

/// Builds a truncated response.
fn truncated_response(part: &str) -> Vec<u8> {
    let whole = response("200 OK", &["Content-Type: application/json"], &format!("{part}{}", " ".repeat(100)));
    whole[..whole.len() - 100].to_vec()
}

#[tokio::test]
async fn retries_truncated_response_before_first_item() {
    let whole = json_response(r#"{"users":[{"id":"a"},{"id":"b"}]}"#);
    let first = scripted_server(vec![truncated_response(r#"{"users":[{"id":"#), whole.clone()]).await;
    let taken: Vec<User> = client(&first.base).await.users().stream().try_collect().await.unwrap();
    assert_eq!((taken.len(), request_lines(&first).len()), (2, 2));
    let no_retry_client =
        client(&scripted_server(vec![truncated_response(r#"{"users":["#), whole.clone()]).await.base).await;
    let error = no_retry_client
        .users()
        .with_retry_mode(documine::retry::RetryMode::Never)
        .stream()
        .try_next()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let later = scripted_server(vec![truncated_response(r#"{"users":[{"id":"a"},{"id":"#), whole]).await;
    let items: Vec<Result<User>> = client(&later.base).await.users().stream().collect().await;
    let error = items[1].as_ref().unwrap_err();
    assert_eq!((items.len(), error.kind(), request_lines(&later).len()), (2, ErrorKind::Interrupted, 1));
    assert!(error.is_transient() && error.is_safe_to_repeat());
}

#[tokio::test]
async fn deadline_covers_whole_stream() {
    let server = ChunkedServer::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    server.release(1);
    let client: Client = client(&server.base).await;
    let mut users = client.users().with_deadline(Duration::from_secs(20)).stream();
    assert!(users.try_next().await.unwrap().is_some());
    tokio::time::pause();
    let error = users.try_next().await.unwrap_err();
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Operation));
}
