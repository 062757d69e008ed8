//! Violations of the document, and their collection for one request or response.

use std::fmt;

use serde::Serialize;

/// A violation of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The operation: its name in the contract, else its id in the document; empty for a request without an operation.
    pub operation: String,
    /// The side that violates the document.
    pub side: Side,
    /// The place: a JSON pointer into the body, or `query/NAME`, `header/NAME`, `path/NAME`, `status`, `content-type`; empty for the whole.
    pub pointer: String,
    /// The description of the violation.
    pub message: String,
}

/// The side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The request of the client.
    Request,
    /// The response of the simulator.
    Response,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}

impl fmt::Display for Violation {
    /// Formats one line: `getFiles response /files/0/fileSize: "big" is not of type "integer"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = if self.operation.is_empty() { "(unknown operation)" } else { &self.operation };
        write!(f, "{operation} {}", self.side)?;
        if !self.pointer.is_empty() {
            write!(f, " {}", self.pointer)?;
        }
        let line = self.message.replace(['\r', '\n'], " ");
        write!(f, ": {line}")
    }
}

/// Collects the violations of one request or response.
pub(super) struct Findings<'a> {
    operation: &'a str,
    side: Side,
    pub(super) found: Vec<Violation>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(operation: &'a str, side: Side) -> Self {
        Self { operation, side, found: Vec::new() }
    }

    pub(super) fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.found.push(Violation {
            operation: self.operation.to_owned(),
            side: self.side,
            pointer: pointer.into(),
            message: message.into(),
        });
    }
}
