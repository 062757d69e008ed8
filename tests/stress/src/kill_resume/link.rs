//! The way between a process and the service. It holds little, so that what was sent on it has also been taken over: a killed process leaves no
//! more than that in the system's own buffers, which else hold megabytes on one machine. And it counts.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// So much of an answer is on its way at most.
const HOLDS: u64 = 128 * 1024;

/// A way to the service for one process. It ends when this is dropped.
pub(crate) struct Link {
    pub(crate) base_url: String,
    ends: Arc<Ends>,
    listening: JoinHandle<()>,
}

struct Ends {
    service: SocketAddr,
    /// No more than this passes towards the process.
    most: u64,
    /// What has passed, heads of answers counted.
    passed: watch::Sender<u64>,
    /// What the process has taken over of the package.
    taken: watch::Sender<u64>,
}

impl Link {
    pub(crate) async fn open(service: SocketAddr, most: Option<u64>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let most = most.unwrap_or(u64::MAX);
        let ends = Arc::new(Ends { service, most, passed: watch::Sender::new(0), taken: watch::Sender::new(0) });
        let shared = Arc::clone(&ends);
        let listening = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(connect(near, Arc::clone(&shared)));
            }
        });
        Ok(Self { base_url, ends, listening })
    }

    /// The process has taken over so much.
    pub(crate) fn taken(&self, bytes: u64) {
        self.ends.taken.send_replace(bytes);
    }

    /// How much has passed towards the process.
    pub(crate) fn passed(&self) -> u64 {
        *self.ends.passed.borrow()
    }

    /// Returns when nothing more passes.
    pub(crate) async fn spent(&self) {
        // The sender is here.
        let _ = self.ends.passed.subscribe().wait_for(|passed| *passed >= self.ends.most).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Whichever side ends the connection ends it for both.
async fn connect(near: TcpStream, ends: Arc<Ends>) {
    let Ok(far) = TcpStream::connect(ends.service).await else { return };
    let ((mut asked, answered), (answers, mut asks)) = (near.into_split(), far.into_split());
    tokio::select! {
        _ = tokio::io::copy(&mut asked, &mut asks) => {}
        _ = pass(answers, answered, &ends) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, ends: &Ends) -> std::io::Result<()> {
    let mut taken = ends.taken.subscribe();
    // A connection begins with nothing on its way, whatever was left on others.
    let before = *taken.borrow();
    let mut sent = 0;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let got = from.read(&mut buffer).await?;
        if got == 0 {
            return Ok(());
        }
        let mut piece = &buffer[..got];
        while !piece.is_empty() {
            let room = |taken: u64| (taken - before + HOLDS).saturating_sub(sent);
            let room = taken.wait_for(|taken| room(*taken) > 0).await.map_or(0, |taken| room(*taken));
            let left = ends.most.saturating_sub(*ends.passed.borrow());
            if left == 0 {
                // Until the process is killed.
                std::future::pending::<()>().await;
            }
            let now = usize::try_from(room.min(left)).unwrap_or(usize::MAX).min(piece.len());
            to.write_all(&piece[..now]).await?;
            sent += now as u64;
            ends.passed.send_modify(|passed| *passed += now as u64);
            piece = &piece[now..];
        }
    }
}
