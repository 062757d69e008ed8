//! The thread that owns the connection of a journal. Commands that wait at the same time share one transaction, and so one write to the disk.

use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, ErrorKind, Result};

/// Commands that wait for the thread, before senders wait.
const QUEUE: usize = 1024;
/// Most commands of one transaction.
const GROUP: usize = 256;

/// Sends the result of a command, after the commit. The argument is the reason why nothing was committed.
type Reply = Box<dyn FnOnce(Option<&Error>) + Send>;
/// Gets no connection if there is no transaction.
type Command = Box<dyn FnOnce(Option<&Connection>) -> Reply + Send>;

/// The sending side.
#[derive(Debug)]
pub(super) struct JournalThread {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl JournalThread {
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (commands, receiver) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("documine-journal".to_owned())
            .spawn(move || run(&connection, receiver))
            .map_err(|error| Error::new(ErrorKind::Journal, format!("journal: cannot start a thread: {error}")))?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and returns after the commit. If `work` fails, its changes are undone, and those of other commands are not.
    ///
    /// The work is done even if the caller stops waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |connection| {
            let closed = || Error::new(ErrorKind::Journal, "journal: there is no transaction");
            let result = connection.map_or_else(|| Err(closed()), |connection| within_savepoint(connection, work));
            Box::new(move |failed| {
                let result = match failed {
                    Some(error) => Err(Error::new(error.kind(), error.to_string())),
                    None => result,
                };
                // The caller may have stopped waiting.
                drop(sender.send(result));
            })
        });
        let closed = || Error::new(ErrorKind::Journal, "journal: its thread has ended");
        let commands = self.commands.as_ref().ok_or_else(closed)?;
        commands.send(command).await.map_err(|_| closed())?;
        receiver.await.map_err(|_| closed())?
    }
}

impl Drop for JournalThread {
    /// Waits until all commands are committed.
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn within_savepoint<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    connection.execute_batch("SAVEPOINT command")?;
    let result = work(connection);
    if result.is_ok() {
        connection.execute_batch("RELEASE command")?;
    } else {
        // Fails if SQLite has undone the whole transaction, for example on a full disk. The first error is the cause.
        drop(connection.execute_batch("ROLLBACK TO command; RELEASE command"));
    }
    result
}

fn run(connection: &Connection, mut receiver: mpsc::Receiver<Command>) {
    let mut group = Vec::with_capacity(GROUP);
    while receiver.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut replies: Vec<Reply> = Vec::with_capacity(group.len());
        let mut commands = group.drain(..);
        let mut committed = connection.execute_batch("BEGIN IMMEDIATE").map_err(Error::from);
        if committed.is_ok() {
            for command in commands.by_ref() {
                replies.push(command(Some(connection)));
                if connection.is_autocommit() {
                    let message =
                        "journal: the transaction was undone; free space on the disk and run again: nothing is lost";
                    committed = Err(Error::new(ErrorKind::Journal, message));
                    break;
                }
            }
        }
        replies.extend(commands.map(|command| command(None)));
        if committed.is_ok() {
            committed = connection.execute_batch("COMMIT").map_err(Error::from);
        }
        if committed.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        for reply in replies {
            reply(committed.as_ref().err());
        }
    }
}
