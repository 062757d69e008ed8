//! Ctrl-C, and on Unix the polite request to terminate.

use crate::failure::{Code, Failure};

/// From its making on, the signals no longer kill the program.
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    pub(crate) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(Code::Other, format!("signals can't be caught: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for a signal and returns the exit code: 128 plus the signal's number, as shells do.
    pub(crate) async fn signal(&mut self) -> Code {
        tokio::select! {
            _ = self.interrupt.recv() => Code::Interrupted,
            _ = self.terminate.recv() => Code::Terminated,
        }
    }
}

#[cfg(not(unix))]
impl Stop {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Waits for a signal and returns the exit code.
    pub(crate) async fn signal(&mut self) -> Code {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal handler, no signal can arrive.
            std::future::pending::<()>().await;
        }
        Code::Interrupted
    }
}
