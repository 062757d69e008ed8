//! In-process check of requests and responses against the OpenAPI document of the build.
//!
//! A request must belong to a known operation and have declared query parameters of the right type, a body of the declared kind, a bearer token and
//! a workspace. A response must have a documented status and media type, and a body that matches its schema. Beyond the document, a response must
//! not contain undeclared fields: OpenAPI allows them, but clients would learn fields that the service does not have.
//!
//! The vendored document is complete; other documents omit common facts. For another document, the check therefore ignores error responses, the
//! enumeration values of responses (the simulator's states are its own) and response headers.

mod checker;
mod compile;
mod document;
mod media;
mod request;
mod response;
mod schema;
#[cfg(test)]
mod tests;
mod violation;

pub use checker::Checker;
pub use violation::{Side, Violation};
