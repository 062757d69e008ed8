//! The listener. While it is closed, new connections are refused and the port stays reserved.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::socket::{Connection, Socket};

/// Maximum number of connections that wait to be accepted; the value of tokio and the standard library.
const BACKLOG: u32 = 1024;
/// The pause after a failure that may be temporary (too many open files, a port still in use).
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections while its switch is open.
pub(crate) struct Listener {
    address: SocketAddr,
    listening: Option<TcpListener>,
    /// Bound but not listening, so that no other process can take the port.
    reserved: Option<TcpSocket>,
    desired: watch::Receiver<DesiredState>,
    switch: ListenerSwitch,
}

/// Opens and closes a listener.
#[derive(Clone, Debug)]
pub(crate) struct ListenerSwitch {
    desired: Arc<watch::Sender<DesiredState>>,
    state: Arc<watch::Sender<ListenerState>>,
}

/// The requested state.
#[derive(Clone, Copy, Debug, Default)]
struct DesiredState {
    closed: bool,
    closed_until: Option<Instant>,
}

/// The actual state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListenerState {
    Open,
    Closed,
    /// The listener was dropped.
    Gone,
}

impl ListenerSwitch {
    pub(crate) fn new() -> Self {
        Self {
            desired: Arc::new(watch::Sender::new(DesiredState::default())),
            state: Arc::new(watch::Sender::new(ListenerState::Open)),
        }
    }

    /// Closes or reopens the listener, and returns when this is done.
    pub(crate) async fn set_closed(&self, closed: bool) {
        self.desired.send_modify(|desired| *desired = DesiredState { closed, closed_until: None });
        self.wait_for(if closed { ListenerState::Closed } else { ListenerState::Open }).await;
    }

    /// Closes the listener for `time`. Returns when the listener is closed.
    pub(crate) async fn close_for(&self, time: Duration) {
        let Some(end) = Instant::now().checked_add(time) else { return };
        self.desired.send_modify(|desired| desired.closed_until = desired.closed_until.max(Some(end)));
        // A very short time may pass before the listener reacts.
        drop(tokio::time::timeout(time, self.wait_for(ListenerState::Closed)).await);
    }

    async fn wait_for(&self, expected: ListenerState) {
        let mut state = self.state.subscribe();
        // Cannot fail: `self` holds the sender.
        drop(state.wait_for(|state| *state == expected || *state == ListenerState::Gone).await);
    }
}

impl Listener {
    pub(crate) fn new(listening: TcpListener, address: SocketAddr, switch: ListenerSwitch) -> Self {
        Self { address, listening: Some(listening), reserved: None, desired: switch.desired.subscribe(), switch }
    }

    fn close(&mut self) {
        if self.listening.take().is_some() {
            // If this fails, the port is bound again on reopening.
            self.reserved = bind(self.address).ok();
            self.switch.state.send_replace(ListenerState::Closed);
        }
    }

    fn open(&mut self) -> io::Result<&TcpListener> {
        if self.listening.is_none() {
            let socket = match self.reserved.take() {
                Some(socket) => socket,
                None => bind(self.address)?,
            };
            self.listening = Some(socket.listen(BACKLOG)?);
            self.switch.state.send_replace(ListenerState::Open);
        }
        self.listening.as_ref().ok_or_else(|| io::Error::other("not listening"))
    }

    async fn accept_one(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.open()?.accept().await
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        loop {
            let desired = *self.desired.borrow_and_update();
            let mut changes = self.desired.clone();
            let until = desired.closed_until.filter(|end| *end > Instant::now());
            if desired.closed || until.is_some() {
                self.close();
                match until.filter(|_| !desired.closed) {
                    Some(end) => drop(tokio::time::timeout_at(end, changes.changed()).await),
                    None => drop(changes.changed().await),
                }
                continue;
            }
            let accepted = tokio::select! {
                _ = changes.changed() => continue,
                accepted = self.accept_one() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Small responses are sent at once.
                    drop(stream.set_nodelay(true));
                    return (Socket::new(stream), address);
                }
                // The client has disconnected, or the system lacks a resource.
                Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Listener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().connection()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.switch.state.send_replace(ListenerState::Gone);
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Closing connections of an earlier listener must not block the bind.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
