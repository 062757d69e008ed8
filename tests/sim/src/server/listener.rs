//! The listener, which can be closed for a while: new connections are refused then, and the port is kept.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Socket;

/// Connections that wait to be accepted, at most; what tokio and the standard library take.
const BACKLOG: u32 = 1024;
/// The pause after a failure that time may heal (too many open files, a port that is still taken).
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections while its gate is open.
pub(crate) struct Listener {
    address: SocketAddr,
    listening: Option<TcpListener>,
    /// Bound and not listening: nobody else gets the port meanwhile.
    kept: Option<TcpSocket>,
    wish: watch::Receiver<Wish>,
    gate: Gate,
}

/// Opens and closes a listener.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    wish: Arc<watch::Sender<Wish>>,
    state: Arc<watch::Sender<State>>,
}

/// How it should be.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    closed: bool,
    closed_until: Option<Instant>,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    /// The listener is gone for ever.
    Gone,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { wish: Arc::new(watch::Sender::new(Wish::default())), state: Arc::new(watch::Sender::new(State::Open)) }
    }

    /// Closes the listener, or opens it again, and returns when that is done.
    pub(crate) async fn close(&self, closed: bool) {
        self.wish.send_modify(|wish| *wish = Wish { closed, closed_until: None });
        self.reached(if closed { State::Closed } else { State::Open }).await;
    }

    /// Closes the listener for so long. Returns when it is closed.
    pub(crate) async fn close_for(&self, time: Duration) {
        let Some(end) = Instant::now().checked_add(time) else { return };
        self.wish.send_modify(|wish| wish.closed_until = wish.closed_until.max(Some(end)));
        // A very short time may be over before the listener has noticed.
        drop(tokio::time::timeout(time, self.reached(State::Closed)).await);
    }

    async fn reached(&self, wanted: State) {
        let mut state = self.state.subscribe();
        // It can't fail: the sender is in `self`.
        drop(state.wait_for(|state| *state == wanted || *state == State::Gone).await);
    }
}

impl Listener {
    pub(crate) fn new(listening: TcpListener, address: SocketAddr, gate: Gate) -> Self {
        Self { address, listening: Some(listening), kept: None, wish: gate.wish.subscribe(), gate }
    }

    fn close(&mut self) {
        if self.listening.take().is_some() {
            // If this fails, the port is bound when it is opened again.
            self.kept = bound(self.address).ok();
            self.gate.state.send_replace(State::Closed);
        }
    }

    fn open(&mut self) -> io::Result<&TcpListener> {
        if self.listening.is_none() {
            let socket = match self.kept.take() {
                Some(socket) => socket,
                None => bound(self.address)?,
            };
            self.listening = Some(socket.listen(BACKLOG)?);
            self.gate.state.send_replace(State::Open);
        }
        self.listening.as_ref().ok_or_else(|| io::Error::other("not listening"))
    }

    async fn accepted(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.open()?.accept().await
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        loop {
            let wish = *self.wish.borrow_and_update();
            let mut changes = self.wish.clone();
            let until = wish.closed_until.filter(|end| *end > Instant::now());
            if wish.closed || until.is_some() {
                self.close();
                match until.filter(|_| !wish.closed) {
                    Some(end) => drop(tokio::time::timeout_at(end, changes.changed()).await),
                    None => drop(changes.changed().await),
                }
                continue;
            }
            let accepted = tokio::select! {
                _ = changes.changed() => continue,
                accepted = self.accepted() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Small answers should not wait for more to send.
                    drop(stream.set_nodelay(true));
                    return (Socket::new(stream), address);
                }
                // The client has gone already, or the system is short of something.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.gate.state.send_replace(State::Gone);
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As for any listener: connections of before may still be closing.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
