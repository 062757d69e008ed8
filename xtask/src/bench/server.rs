//! The server that all clients ask: `documine-bench serve`, which says where it is and ends with its standard input.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Missing, process};

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running server. It stops when this value is dropped, and when this process dies.
pub(super) struct Server {
    child: Child,
    pub(super) base_url: String,
}

impl Server {
    pub(super) fn start(command: &mut Command, folder: &Path) -> Result<Self, Missing> {
        let log = folder.join("server.err");
        let errors = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().map_err(|error| format!("the server can't be started: {error}"))?;
        let (sender, receiver) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                let _ = sender.send(BufReader::new(output).lines().next().and_then(Result::ok));
            });
        }
        let mut server = Self { child, base_url: String::new() };
        let line = receiver.recv_timeout(START_LIMIT).ok().flatten().unwrap_or_default();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        match ready["base_url"].as_str() {
            Some(base_url) => base_url.clone_into(&mut server.base_url),
            None => return Err(format!("the server did not get ready; see {}", log.display())),
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = process::end(&mut self.child, STOP_LIMIT);
    }
}
