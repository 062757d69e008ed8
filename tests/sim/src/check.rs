//! Checks requests and answers against the OpenAPI document that the build was made from, inside the process.
//!
//! A request must be of a known operation, with declared query parameters of the right type, a body of the declared kind, a bearer token and a
//! workspace. An answer must have a documented status and media type, and a body that fits its schema. Beyond the document, an answer must not
//! hold fields that its schema does not declare: OpenAPI allows them, but a simulator that makes up fields teaches clients what isn't there.
//!
//! Our own document describes everything; others leave out what everybody knows. So where the document is another one, answers of error, the
//! values of an answer's enumerations (the simulator's states are its own) and headers of answers are not judged.

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
    /// The operation's id: the contract's name of it, else the document's; empty if there is none for the request.
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
    manner: Manner,
}

/// How much a document is taken at its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// All that it leaves out is wrong.
    Strict,
    /// It may leave out errors, and the values of its sets and headers of its answers are not the simulator's.
    Lenient,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker").field("operations", &self.operations.len()).finish_non_exhaustive()
    }
}

impl Checker {
    /// Compiles an OpenAPI 3.0 document (JSON).
    pub fn new(document: &str) -> Result<Self, String> {
        let document = serde_json::from_str(document).map_err(|error| format!("the document is no JSON: {error}"))?;
        Ok(Self {
            operations: compile::operations(&document, Manner::Strict, &compile::by_id)?,
            manner: Manner::Strict,
        })
    }

    /// The one of the document that the build was made from: its operations have the names, and stand under the paths, of the table of
    /// operations.
    fn of_this_build() -> Result<Self, String> {
        let ours = documine_api::document::IS_RECONSTRUCTION;
        let manner = if ours { Manner::Strict } else { Manner::Lenient };
        let document = serde_json::from_str(documine_api::DOCUMENT)
            .map_err(|error| format!("the document is no JSON: {error}"))?;
        Ok(Self { operations: compile::operations(&document, manner, &compile::by_table)?, manner })
    }

    /// The checker of the document that the build was made from, compiled once a process.
    pub fn vendored() -> Result<&'static Self, &'static str> {
        static VENDORED: OnceLock<Result<Checker, String>> = OnceLock::new();
        VENDORED.get_or_init(Self::of_this_build).as_ref().map_err(String::as_str)
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
