//! Servers of a run: the simulator, the judging proxy, the service made with Spring. Each prints one line when it is ready.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::process::end;
use super::report::{CheckError, failed};

/// Keycloak takes ten seconds, and more on a machine that has other work.
const START_LIMIT: Duration = Duration::from_secs(150);
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A running server. It stops when this value is dropped, and when this process dies: both end its standard input, and
/// that is what it (or the leash that it runs on) waits for.
pub(super) struct Server {
    child: Child,
    /// The line it printed when it was ready.
    pub(super) ready: Value,
}

impl Server {
    /// Starts `command` and waits for its ready line, a JSON object. What it says on standard error goes to `NAME.err` in `folder`.
    pub(super) fn start(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        Self::start_saying(command, name, folder, |line| serde_json::from_str(line).ok())
    }

    /// As `start`, with a ready line that `read` makes a JSON object of.
    pub(super) fn start_saying(
        command: &mut Command,
        name: &str,
        folder: &Path,
        read: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<Self, CheckError> {
        let log = folder.join(format!("{name}.err"));
        let errors = File::create(&log).map_err(failed(&log.display().to_string()))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| CheckError::NotRun(format!("{name} can't be started: {error}")))?;
        let line = child.stdout.take().and_then(first_line);
        // From here on the value owns the process, so that an early return stops it.
        let mut server = Self { child, ready: Value::Null };
        server.ready = line.and_then(|line| read(&line)).ok_or_else(|| {
            server.stop();
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            CheckError::Failed(format!("{name} did not get ready\n{}", said.trim_end()))
        })?;
        Ok(server)
    }

    /// A text of the ready line.
    pub(super) fn text(&self, key: &str) -> Result<&str, CheckError> {
        self.ready[key]
            .as_str()
            .ok_or_else(|| CheckError::Failed(format!("the ready line has no {key}: {}", self.ready)))
    }

    /// Asks the server to stop and waits until it has.
    pub(super) fn stop(&mut self) {
        drop(self.child.stdin.take());
        let _ = end(&mut self.child, STOP_LIMIT);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The first line, if it comes in time; what follows is read and dropped, so that the server never writes into a closed pipe.
fn first_line(output: impl Read + Send + 'static) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines();
        let _ = sender.send(lines.next().and_then(Result::ok));
        for line in lines {
            if line.is_err() {
                break;
            }
        }
    });
    receiver.recv_timeout(START_LIMIT).ok().flatten()
}

/// A GET of JSON.
pub(super) fn get_json(base_url: &str, path: &str) -> Result<Value, CheckError> {
    let text = get(base_url, path, "application/json")?;
    serde_json::from_str(&text).map_err(|error| CheckError::Failed(format!("{path} answered no JSON: {error}")))
}

/// A GET with the plainest HTTP there is: enough to ask a server of ours on loopback for a text.
pub(super) fn get(base_url: &str, path: &str, accept: &str) -> Result<String, CheckError> {
    let ask = || -> std::io::Result<Vec<u8>> {
        let authority = base_url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(STOP_LIMIT))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {authority}\r\nAccept: {accept}\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(failed(path))?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.lines().next().unwrap_or_default();
    match text.split_once("\r\n\r\n") {
        Some((_, body)) if status.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(CheckError::Failed(format!("{path} answered {status:?}"))),
    }
}
