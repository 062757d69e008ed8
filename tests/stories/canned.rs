//! A server that answers each request with prepared bytes and hangs up: for what a decent simulator never says, such as half an answer.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Answer = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// The server. It listens on a free port of this machine until the test's runtime ends.
pub struct Canned {
    pub base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Answers with what `answer` makes of a request's head (request line and headers).
    pub async fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(answer, true).await
    }

    /// The same, but the connection stays open when the answer is out.
    pub async fn answering_and_holding(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(answer, false).await
    }

    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, hang_up: bool) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer, hang_up)
    }

    /// The same, where somebody listens already.
    pub fn on(listener: TcpListener, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, hang_up: bool) -> Self {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answer> = Arc::new(answer);
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen), hang_up));
            }
        });
        Self { base, requests }
    }

    /// The requests so far, each with its body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads until the head of a request has come, and says where it ends; nothing where the client goes away before.
pub async fn head_end(stream: &mut TcpStream, got: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            return Some(end + 4);
        }
        if stream.read_buf(got).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<String>>>, hang_up: bool) {
    let mut got = Vec::new();
    let Some(end) = head_end(&mut stream, &mut got).await else { return };
    let head = String::from_utf8_lossy(&got[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    while got.len() < end + length.unwrap_or(0) && stream.read_buf(&mut got).await.unwrap_or(0) > 0 {}
    let bytes = answer(&head);
    seen.lock().unwrap().push(String::from_utf8_lossy(&got).into_owned());
    let _ = stream.write_all(&bytes).await;
    if !hang_up {
        // Until the client lets go.
        let _ = stream.read(&mut [0; 1]).await;
    }
    let _ = stream.shutdown().await;
}

/// An answer with its true length.
pub fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut head = vec![format!("HTTP/1.1 {status}")];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    head.push(format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    head.join("\r\n").into_bytes()
}

/// A JSON answer.
pub fn json(body: &str) -> Vec<u8> {
    answer("200 OK", &["Content-Type: application/json"], body)
}
