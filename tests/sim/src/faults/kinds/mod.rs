//! The kinds of faults, one file a family: what the proxy answers by itself, what happens to the JSON, to the connection, to
//! parts of a body, to the request.

mod connection;
mod json;
mod range;
mod request;
mod responses;

pub(crate) use responses::{CannedResponse, RetryAfter};
