//! Servers of a run: the simulator, the validating proxy, the Spring service, Keycloak. Each prints one line when it is ready.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::error::{CheckError, failed};
use crate::process::Background;

/// Keycloak takes ten seconds, and longer on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(150);
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A running server.
///
/// The server stops when this value is dropped and when this process dies. Both close the standard input, for which the server waits, or the script
/// `stop_with_stdin.py` that started the server.
pub(super) struct Server {
    process: Background,
    /// The line that the server printed when it was ready.
    pub(super) ready: Value,
}

impl Server {
    /// Starts `command` and waits for its ready line, a JSON object. The standard error goes to `NAME.err` in `folder`.
    pub(super) fn start(command: &mut Command, name: &str, folder: &Path) -> Result<Self, CheckError> {
        Self::start_with_ready_line(command, name, folder, |line| serde_json::from_str(line).ok())
    }

    /// Starts `command`; `read` converts its ready line to a JSON object.
    pub(super) fn start_with_ready_line(
        command: &mut Command,
        name: &str,
        folder: &Path,
        read: impl FnOnce(&str) -> Option<Value>,
    ) -> Result<Self, CheckError> {
        let mut process = Background::start(command, name, folder, STOP_LIMIT)?;
        if let Some(ready) = process.next_line(START_LIMIT).and_then(|line| read(&line)) {
            return Ok(Self { process, ready });
        }
        process.stop();
        Err(CheckError::Failed(format!("start {name}: no ready line\n{}", process.errors())))
    }

    /// Returns a text of the ready line.
    pub(super) fn text(&self, key: &str) -> Result<&str, CheckError> {
        let text = self.ready[key].as_str();
        text.ok_or_else(|| CheckError::Failed(format!("the ready line has no {key}: {}", self.ready)))
    }

    /// Stops the server and waits for its end.
    pub(super) fn stop(&mut self) {
        self.process.stop();
    }
}

/// Sends a GET request for JSON.
pub(super) fn get_json(base_url: &str, path: &str) -> Result<Value, CheckError> {
    let text = get(base_url, path, "application/json")?;
    serde_json::from_str(&text).map_err(|error| CheckError::Failed(format!("GET {path}: invalid JSON: {error}")))
}

/// Sends a GET request by HTTP/1.0, which is enough for a local server.
pub(super) fn get(base_url: &str, path: &str, accept: &str) -> Result<String, CheckError> {
    let send = || -> std::io::Result<Vec<u8>> {
        let authority = base_url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(STOP_LIMIT))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {authority}\r\nAccept: {accept}\r\n\r\n")?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response)?;
        Ok(response)
    };
    let response = send().map_err(failed(path))?;
    let text = String::from_utf8_lossy(&response);
    let status = text.lines().next().unwrap_or_default();
    match text.split_once("\r\n\r\n") {
        Some((_, body)) if status.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(CheckError::Failed(format!("GET {path}: {status:?}"))),
    }
}
