//! The server that all clients call: `documine-bench serve`, which prints its address and ends with its standard input.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::figures::NotMeasured;
use crate::process::Background;

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running server. Dropping the value stops the server.
pub(super) struct Server {
    _process: Background,
    pub(super) base_url: String,
}

impl Server {
    pub(super) fn start(command: &mut Command, folder: &Path) -> Result<Self, NotMeasured> {
        let process = Background::start(command.arg("serve"), "server", folder, STOP_LIMIT)?;
        let line = process.next_line(START_LIMIT).unwrap_or_default();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        match ready["base_url"].as_str() {
            Some(base_url) => Ok(Self { base_url: base_url.to_owned(), _process: process }),
            None => Err(format!("start the server: no ready line\n{}", process.errors())),
        }
    }
}
