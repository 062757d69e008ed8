//! Faults: answers that are wrong on purpose, connections that break, tokens that end at the wrong moment.
//!
//! [`Fault`] says what goes wrong and when (`fault`, and one file a family of kinds under `kinds`), [`Faults`] is the plan that chooses the requests
//! (`plan`), read from TOML (`file`) or by the name of a preset (`presets`). What acts on requests and answers stands in `server`.

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
