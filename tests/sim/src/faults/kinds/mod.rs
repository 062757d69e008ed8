//! The kinds of faults, one file a family: what the proxy answers by itself, what happens to the JSON, to the connection, to the request.

mod answers;
mod connection;
mod json;
mod request;

pub(crate) use answers::{Made, RetryAfter};
