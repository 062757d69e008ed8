//! Faults: deliberately wrong responses, broken connections, and tokens that end early.
//!
//! [`Fault`] describes an error and selects the requests (`fault`, with one file per family in `kinds`). [`Faults`] is the plan (`plan`), read from
//! TOML (`plan_file`) or from a preset (`presets`). The server applies faults to requests and responses.

mod fault;
mod json_changes;
mod kinds;
mod plan;
mod plan_file;
mod presets;
mod validate;

pub use fault::{Drip, Fault};
pub use plan::Faults;
pub use plan_file::FaultError;

pub(crate) use kinds::{CannedResponse, RetryAfter};
pub(crate) use plan::RequestKey;
pub(crate) use plan_file::with_suggestion;
pub(crate) use validate::closest;
