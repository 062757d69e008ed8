//! Checks requests and answers against the OpenAPI document that the build was made from, inside the process.
//!
//! A request must be of a known operation, with declared query parameters of the right type, a body of the declared kind, a bearer token and a
//! workspace. An answer must have a documented status and media type, and a body that fits its schema. Beyond the document, an answer must not
//! hold fields that its schema does not declare: OpenAPI allows them, but a simulator that makes up fields teaches clients what isn't there.
//!
//! Our own document describes everything; others leave out what everybody knows. So where the document is another one, answers of error, the
//! values of an answer's enumerations (the simulator's states are its own) and headers of answers are not judged.

mod checker;
mod compile;
mod document;
mod request;
mod response;
mod schema;
#[cfg(test)]
mod tests;
mod violation;

pub use checker::Checker;
pub use violation::{Side, Violation};
