//! The control API of the simulator, faults and journal, by HTTP/1.0.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Simulator {
    /// Host and port.
    authority: String,
}

impl Simulator {
    pub(crate) fn new(address: &str) -> Result<Self> {
        let authority = address.strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned());
        let authority =
            authority.ok_or_else(|| Error::other(format!("{address}: the address must begin with http://")))?;
        Ok(Self { authority })
    }

    pub(crate) fn plan(&self, faults: &str) -> Result<()> {
        self.send("POST", "/__sim/faults", faults).map(drop)
    }

    pub(crate) fn clear_faults(&self) -> Result<()> {
        self.send("DELETE", "/__sim/faults", "").map(drop)
    }

    /// Empties the journal.
    pub(crate) fn forget(&self) -> Result<()> {
        self.send("DELETE", "/__sim/requests", "").map(drop)
    }

    /// Counts the requests for `operation` that reached the service since the journal was emptied.
    pub(crate) fn reached(&self, operation: &str) -> Result<usize> {
        let journal: Value = serde_json::from_str(&self.send("GET", "/__sim/requests", "")?)?;
        let requests = journal["requests"].as_array().into_iter().flatten();
        Ok(requests.filter(|request| request["operation"] == operation && request["reached"] == true).count())
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let (authority, length) = (&self.authority, body.len());
        // One write: with several, the second would wait for the acknowledgement of the first.
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        match response.split_once("\r\n\r\n") {
            Some((head, body)) if head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) => {
                Ok(body.to_owned())
            }
            _ => Err(Error::other(format!("{method} {path} at the simulator: {response:?}"))),
        }
    }
}
