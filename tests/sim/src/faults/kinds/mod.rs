//! The effects of faults, one file per family: replaced responses, JSON, connection, ranges, request.

mod connection;
mod json;
mod range;
mod request;
mod responses;

pub(crate) use responses::{CannedResponse, RetryAfter};
