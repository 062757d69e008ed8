//! An accepted connection. Through [`Connection`], a fault resets it or sends bytes outside of HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// Time that sent bytes have to arrive before a reset. On some systems a reset discards what the client has not read.
const RESET_DELAY: Duration = Duration::from_millis(20);

/// The byte stream of a connection.
pub(crate) struct Socket {
    stream: TcpStream,
    connection: Connection,
    reset_delay: Option<Pin<Box<Sleep>>>,
}

/// A handle to a connection, available to every request on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    shared: Arc<ConnectionState>,
}

#[derive(Debug, Default)]
struct ConnectionState {
    reset: AtomicBool,
    reset_when_sent: AtomicBool,
    excess: Mutex<Bytes>,
}

impl Connection {
    /// Resets the connection (RST). Unsent bytes are lost.
    pub(crate) fn reset(&self) {
        self.shared.reset.store(true, Ordering::SeqCst);
    }

    /// Resets the connection once everything written so far, at least the head of a response, is sent.
    pub(crate) fn reset_when_sent(&self) {
        self.shared.reset_when_sent.store(true, Ordering::SeqCst);
    }

    /// Sends `bytes` after everything that is written now.
    pub(crate) fn send_after_response(&self, bytes: Bytes) {
        *self.shared.excess.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    fn check_open(&self) -> io::Result<()> {
        if self.shared.reset.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset by a fault"));
        }
        Ok(())
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, connection: Connection::default(), reset_delay: None }
    }

    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    fn poll_excess(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut excess = self.connection.shared.excess.lock().unwrap_or_else(PoisonError::into_inner);
        while excess.has_remaining() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &excess))?;
            excess.advance(sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.connection.check_open()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.check_open()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.check_open()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called once everything written is passed to the stream.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.check_open()?;
        ready!(self.poll_excess(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.connection.shared.reset_when_sent.load(Ordering::SeqCst) {
            let reset_delay = self.reset_delay.get_or_insert_with(|| Box::pin(tokio::time::sleep(RESET_DELAY)));
            ready!(reset_delay.as_mut().poll(cx));
            self.connection.reset();
        }
        Poll::Ready(self.connection.check_open())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.check_open().is_err() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_excess(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.check_open().is_err() {
            // With a zero linger time, the following close is a reset.
            drop(self.stream.set_zero_linger());
        }
    }
}
