//! A proxy between a process and the service that counts and limits the bytes sent.
//!
//! At most [`MAX_IN_FLIGHT`] bytes are in flight, so that nearly all bytes sent were also consumed. Without that limit, the socket buffers of the machine hold
//! megabytes that a killed process has never read.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes of a response that are sent and not yet consumed.
const MAX_IN_FLIGHT: u64 = 128 * 1024;

/// A proxy for one process. Dropping the value stops the proxy.
pub(crate) struct ThrottledProxy {
    pub(crate) base_url: String,
    state: Arc<ProxyState>,
    listener: JoinHandle<()>,
}

struct ProxyState {
    service: SocketAddr,
    /// Highest number of bytes sent to the process.
    limit: u64,
    /// Bytes sent to the process, response headers included.
    forwarded: watch::Sender<u64>,
    /// Bytes of the package that the process has consumed.
    consumed: watch::Sender<u64>,
}

impl ThrottledProxy {
    pub(crate) async fn open(service: SocketAddr, limit: Option<u64>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let limit = limit.unwrap_or(u64::MAX);
        let state =
            Arc::new(ProxyState { service, limit, forwarded: watch::Sender::new(0), consumed: watch::Sender::new(0) });
        let shared = Arc::clone(&state);
        let listener = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connect(client, Arc::clone(&shared)));
            }
        });
        Ok(Self { base_url, state, listener })
    }

    /// Sets the number of bytes that the process has consumed.
    pub(crate) fn set_consumed(&self, bytes: u64) {
        self.state.consumed.send_replace(bytes);
    }

    /// Returns the number of bytes sent to the process.
    pub(crate) fn forwarded(&self) -> u64 {
        *self.state.forwarded.borrow()
    }

    /// Waits until the limit is reached.
    pub(crate) async fn limit_reached(&self) {
        // Cannot fail: this value owns the sender.
        let _ = self.state.forwarded.subscribe().wait_for(|forwarded| *forwarded >= self.state.limit).await;
    }
}

impl Drop for ThrottledProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Forwards a connection until either side closes it.
async fn connect(client: TcpStream, state: Arc<ProxyState>) {
    let Ok(server) = TcpStream::connect(state.service).await else { return };
    let ((mut requests, client), (server, mut upstream)) = (client.into_split(), server.into_split());
    tokio::select! {
        _ = tokio::io::copy(&mut requests, &mut upstream) => {}
        _ = forward_responses(server, client, &state) => {}
    }
}

async fn forward_responses(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &ProxyState) -> std::io::Result<()> {
    let mut consumed = state.consumed.subscribe();
    // A new connection has nothing in flight.
    let before = *consumed.borrow();
    let mut sent = 0;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let got = from.read(&mut buffer).await?;
        if got == 0 {
            return Ok(());
        }
        let mut piece = &buffer[..got];
        while !piece.is_empty() {
            let window = |consumed: u64| (consumed - before + MAX_IN_FLIGHT).saturating_sub(sent);
            let available =
                consumed.wait_for(|consumed| window(*consumed) > 0).await.map_or(0, |consumed| window(*consumed));
            let left = state.limit.saturating_sub(*state.forwarded.borrow());
            if left == 0 {
                // Blocks until the process is killed.
                std::future::pending::<()>().await;
            }
            let length = usize::try_from(available.min(left)).unwrap_or(usize::MAX).min(piece.len());
            to.write_all(&piece[..length]).await?;
            sent += length as u64;
            state.forwarded.send_modify(|forwarded| *forwarded += length as u64);
            piece = &piece[length..];
        }
    }
}
