//! A stateful simulator of DocuMine and of its identity provider, to test against and to try things out.

#[cfg(feature = "check")]
pub mod check;
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod idp;

mod analysis;
mod api;
mod clock;
mod control;
mod faults;
mod journal;
mod package;
mod paging;
mod server;
mod simulator;
mod state;
mod time;

pub use analysis::{RuleError, Rules};
pub use clock::SimClock;
pub use control::{Control, NoSuchThing};
pub use faults::{Fault, Faults};
pub use idp::AuthMode;
pub use journal::RecordedRequest;
pub use paging::Paging;
pub use simulator::{Simulator, SimulatorBuilder, StartError};
pub use state::Timing;
