//! Faults: answers that are wrong on purpose, connections that break, tokens that end at the wrong moment.
//!
//! [`Fault`] says what goes wrong and when (`fault`, and one file a family of kinds under `kinds`), [`Faults`] is the plan that chooses the requests
//! (`plan`), read from TOML (`file`) or by the name of a preset (`presets`). What acts on requests and answers stands in `server`.

mod changes;
mod fault;
mod file;
mod kinds;
mod plan;
mod presets;
mod sound;

pub use fault::{Drip, Fault};
pub use file::FaultError;
pub use plan::Faults;

pub(crate) use file::advice;
pub(crate) use kinds::{Made, RetryAfter};
pub(crate) use plan::Asked;
