//! Lists that are taken while the service still writes them: early, flat in memory, and to the end or with an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use documine::{BadItem, Client, ErrorKind, Result, TimeoutPhase, User};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::canned::{answer, json};
use crate::scripted::{asked, client, service};

/// A service that writes its answer in parts, each when it is let.
struct Slow {
    base: String,
    lets: Arc<Semaphore>,
    /// Parts that were written.
    written: Arc<AtomicUsize>,
    /// Whether the client hung up.
    left: Arc<AtomicBool>,
}

impl Slow {
    async fn start(parts: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let slow = Self { base, lets: Arc::new(Semaphore::new(0)), written: Arc::default(), left: Arc::default() };
        let (lets, written, left) = (Arc::clone(&slow.lets), Arc::clone(&slow.written), Arc::clone(&slow.left));
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
                    permit = lets.acquire() => permit.unwrap().forget(),
                    _ = stream.read(&mut rest) => return left.store(true, Ordering::SeqCst),
                }
                if stream.write_all(&part).await.is_err() {
                    return left.store(true, Ordering::SeqCst);
                }
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
        slow
    }

    fn allow(&self, parts: usize) {
        self.lets.add_permits(parts);
    }
}

async fn read_head(stream: &mut TcpStream) {
    let mut got = Vec::new();
    while !got.ends_with(b"\r\n\r\n") && stream.read_buf(&mut got).await.unwrap() > 0 {}
}

fn parts(body: &[&str]) -> Vec<Vec<u8>> {
    body.iter().map(|part| part.as_bytes().to_vec()).collect()
}

#[tokio::test]
async fn the_first_item_is_there_while_the_service_still_writes() {
    let slow =
        Slow::start(parts(&[r#"{"more":[[1]],"users":[{"id":"a"},{"i"#, r#"d":"b"}],"totalElements":2}"#])).await;
    let mut users = client(&slow.base).await.users().stream();
    slow.allow(1);
    assert_eq!(users.try_next().await.unwrap().unwrap().id.as_str(), "a");
    assert_eq!(slow.written.load(Ordering::SeqCst), 1);
    slow.allow(1);
    assert_eq!(users.try_next().await.unwrap().unwrap().id.as_str(), "b");
    assert!(users.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_stream_that_is_dropped_fetches_no_more() {
    let slow = Slow::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    let mut users = client(&slow.base).await.users().stream();
    slow.allow(1);
    assert!(users.try_next().await.unwrap().is_some());
    drop(users);
    let hung_up = async {
        while !slow.left.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), hung_up).await.expect("the connection is given up");
    assert_eq!(slow.written.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_service_that_stands_still_in_the_middle_is_found() {
    let slow = Slow::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    slow.allow(1);
    let client = client(&slow.base).await;
    let mut users = client.users().with_idle_timeout(Duration::from_secs(50)).stream();
    assert!(users.try_next().await.unwrap().is_some());
    // The limit runs out as soon as nothing else can happen.
    tokio::time::pause();
    let error = users.try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Idle)));
    assert_eq!(error.to_string(), "getUsers: no data received from the service for 50s");
    assert!(error.is_safe_to_repeat());
}

/// The users of a service that answers so.
async fn users(body: &str) -> Result<Vec<String>> {
    let service = service(vec![json(body)]).await;
    let users: Vec<User> = client(&service.base).await.users().stream().try_collect().await?;
    // However it is taken, it is the same.
    assert_eq!(client(&service.base).await.users().await.unwrap(), users);
    Ok(users.iter().map(|user| user.id.as_str().to_owned()).collect())
}

#[tokio::test]
async fn the_object_around_the_list_may_be_any() {
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
async fn an_answer_that_is_no_list_is_an_error_that_says_where() {
    let fit = "getUsers: 200 OK, but the body is invalid";
    for (body, line) in [
        ("nul", format!("{fit}: it ends in the middle")),
        (r#"{"users":[{"id":"a"},{"id""#, format!("{fit} at `users[1]`: it ends in the middle")),
        (r#"{"users":[{"id":"a"}]"#, format!("{fit}: it ends in the middle")),
        (r#"{"users":[{"id":"a"}]} true"#, format!("{fit}: something follows the JSON of the body")),
        (r#"[{"id":"a"}]"#, format!("{fit}: it is not the JSON of a list: the object is missing")),
        (r#"{"users":[],"users":[]}"#, format!("{fit}: the list is there twice")),
        (
            r#"{"users":[{"id":"a"}{"id":"b"}]}"#,
            format!("{fit} at `users[1]`: it is not the JSON of a list: a comma between two elements is missing"),
        ),
        (
            r#"{"users":[{"id":"a"],{"id":"b"}]}"#,
            format!("{fit} at `users[0]`: it is not the JSON of a list: the bracket that closes is missing"),
        ),
        (r#"{"users":{"id":"a"}}"#, format!("{fit} at `users`: invalid type: map, expected a sequence")),
    ] {
        let service = service(vec![json(body)]).await;
        let streamed: Result<Vec<User>> = client(&service.base).await.users().stream().try_collect().await;
        let error = streamed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.to_string().starts_with(&line), "{body}: {error}");
        assert!(client(&service.base).await.users().await.is_err(), "{body}");
    }
    // Where an element ends is not sure any more.
    let service = service(vec![json(r#"{"users":[{"id":"a",},{"id":"b"}]}"#)]).await;
    let each: Vec<_> = client(&service.base).await.users().stream_each().collect().await;
    assert_eq!((each.len(), each[0].is_err()), (1, true));
}

#[tokio::test]
async fn an_element_that_is_too_large_is_named_and_left_out() {
    let body = format!(r#"{{"users":[{{"id":"a"}},{{"id":"{}"}},{{"id":"c"}}]}}"#, "b".repeat(5000));
    let service = service(vec![json(&body)]).await;
    let list = || async { client(&service.base).await.users().with_max_item_size(4096) };
    let each: Vec<std::result::Result<User, BadItem>> = list().await.stream_each().try_collect().await.unwrap();
    let told =
        "getUsers: 200 OK, but `users[1]` is larger than 4096 bytes, the most that is taken (with_max_item_size)";
    assert_eq!(each[1].as_ref().unwrap_err().to_string(), told);
    assert_eq!((each[0].is_ok(), each[2].is_ok(), each.len()), (true, true, 3));
    let strict: Result<Vec<User>> = list().await.stream().try_collect().await;
    assert_eq!(strict.unwrap_err().to_string(), told);
    assert_eq!(list().await.await.unwrap().len(), 3, "read whole, there is another limit");
}

/// An answer that breaks off.
fn broken_off(part: &str) -> Vec<u8> {
    let whole = answer("200 OK", &["Content-Type: application/json"], &format!("{part}{}", " ".repeat(100)));
    whole[..whole.len() - 100].to_vec()
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_while_nobody_saw_any_of_it() {
    let whole = json(r#"{"users":[{"id":"a"},{"id":"b"}]}"#);
    let first = service(vec![broken_off(r#"{"users":[{"id":"#), whole.clone()]).await;
    let taken: Vec<User> = client(&first.base).await.users().stream().try_collect().await.unwrap();
    assert_eq!((taken.len(), asked(&first).len()), (2, 2));
    let once = client(&service(vec![broken_off(r#"{"users":["#), whole.clone()]).await.base).await;
    let error = once.users().with_retry(documine::Retry::Never).stream().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let later = service(vec![broken_off(r#"{"users":[{"id":"a"},{"id":"#), whole]).await;
    let items: Vec<Result<User>> = client(&later.base).await.users().stream().collect().await;
    let error = items[1].as_ref().unwrap_err();
    assert_eq!((items.len(), error.kind(), asked(&later).len()), (2, ErrorKind::Interrupted, 1));
    assert!(error.is_transient() && error.is_safe_to_repeat());
}

#[tokio::test]
async fn a_deadline_holds_for_the_whole_of_a_stream() {
    let slow = Slow::start(parts(&[r#"{"users":[{"id":"a"}"#, r#",{"id":"b"}]}"#])).await;
    slow.allow(1);
    let client: Client = client(&slow.base).await;
    let mut users = client.users().with_deadline(Duration::from_secs(20)).stream();
    assert!(users.try_next().await.unwrap().is_some());
    tokio::time::pause();
    let error = users.try_next().await.unwrap_err();
    assert_eq!(error.timeout_phase(), Some(TimeoutPhase::Operation));
}
