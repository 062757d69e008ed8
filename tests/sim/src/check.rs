//! Checks requests and answers against the vendored OpenAPI document, inside the process.
//!
//! A request must be of a known operation, with declared query parameters of the right type, a body of the declared kind, a bearer token and a
//! workspace. An answer must have a documented status and media type, and a body that fits its schema. Beyond the document, an answer must not
//! hold fields that its schema does not declare: OpenAPI allows them, but a simulator that makes up fields teaches clients what isn't there.

mod compile;
mod document;
mod request;
mod response;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;

use compile::Operation;

/// Something that does not fit the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The operation's id in the document; empty if there is none for the request.
    pub operation: String,
    /// Who does not fit.
    pub side: Side,
    /// Where: a JSON pointer into the body, or `query/NAME`, `header/NAME`, `path/NAME`, `status`, `content-type`; empty for the whole.
    pub pointer: String,
    /// What does not fit.
    pub message: String,
}

/// The side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What the client sent.
    Request,
    /// What was answered.
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
    /// One line: `getFiles response /files/0/fileSize: "big" is not of type "integer"`.
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

/// Judges requests and answers by one OpenAPI document. Schemas are compiled once, when it is made.
pub struct Checker {
    operations: HashMap<String, Operation>,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").field("operations", &self.operations.len()).finish()
    }
}

impl Checker {
    /// Compiles an OpenAPI 3.0 document (JSON).
    pub fn new(document: &str) -> Result<Self, String> {
        let document = serde_json::from_str(document).map_err(|error| format!("the document is no JSON: {error}"))?;
        Ok(Self { operations: compile::operations(&document)? })
    }

    /// The checker of the vendored document, compiled once a process.
    pub fn vendored() -> Result<&'static Self, &'static str> {
        static VENDORED: OnceLock<Result<Checker, String>> = OnceLock::new();
        VENDORED.get_or_init(|| Self::new(documine_api::DOCUMENT)).as_ref().map_err(String::as_str)
    }
}

/// Collects the violations of one request or answer.
struct Findings<'a> {
    operation: &'a str,
    side: Side,
    found: Vec<Violation>,
}

impl<'a> Findings<'a> {
    fn new(operation: &'a str, side: Side) -> Self {
        Self { operation, side, found: Vec::new() }
    }

    fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.found.push(Violation {
            operation: self.operation.to_owned(),
            side: self.side,
            pointer: pointer.into(),
            message: message.into(),
        });
    }
}
