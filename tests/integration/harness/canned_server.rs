//! A server that sends prepared bytes and closes the connection, for responses the simulator never sends, such as truncated ones.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Responder = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// A server on a free local port that runs until the test's runtime ends.
pub struct CannedServer {
    pub base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl CannedServer {
    /// Starts a server that responds with the result of `responder` for the request head (request line and headers).
    pub async fn respond_with(responder: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(responder, true).await
    }

    /// Starts a server that keeps the connection open after the response.
    pub async fn respond_and_hold(responder: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(responder, false).await
    }

    async fn start(responder: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, close: bool) -> Self {
        Self::listen_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), responder, close)
    }

    /// Starts a server on an existing listener.
    pub fn listen_on(
        listener: TcpListener,
        responder: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
        close: bool,
    ) -> Self {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let responder: Arc<Responder> = Arc::new(responder);
        let recorded = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&responder), Arc::clone(&recorded), close));
            }
        });
        Self { base, requests }
    }

    /// Returns the requests received so far, each with its body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads until the request head is complete and returns its length; `None` if the client disconnects first.
pub async fn read_head(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            return Some(end + 4);
        }
        if stream.read_buf(received).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

async fn serve(mut stream: TcpStream, responder: Arc<Responder>, recorded: Arc<Mutex<Vec<String>>>, close: bool) {
    let mut received = Vec::new();
    let Some(end) = read_head(&mut stream, &mut received).await else { return };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    while received.len() < end + length.unwrap_or(0) && stream.read_buf(&mut received).await.unwrap_or(0) > 0 {}
    let bytes = responder(&head);
    recorded.lock().unwrap().push(String::from_utf8_lossy(&received).into_owned());
    let _ = stream.write_all(&bytes).await;
    if !close {
        // Waits until the client closes the connection.
        let _ = stream.read(&mut [0; 1]).await;
    }
    let _ = stream.shutdown().await;
}

/// Builds a response with its correct length.
pub fn response(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut head = vec![format!("HTTP/1.1 {status}")];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    head.push(format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
    head.join("\r\n").into_bytes()
}

/// Builds a JSON response.
pub fn json_response(body: &str) -> Vec<u8> {
    response("200 OK", &["Content-Type: application/json"], body)
}
