//! Long-running work of the service: polling, conditions, deadlines.
//!
//! ```text
//! PackageJobRef    a reference to a package in preparation, for another process               reference.rs
//! Wait, States     a handle, a condition and the options of one wait; its states              wait.rs
//!   Poller         polls a handle until the condition holds                                   poller.rs
//!     backoff      the interval of work whose duration is unknown                           backoff.rs
//!   SharedPoll     one list request per poll for many waits                                   shared_poll.rs
//!     CompletionHistory  completions of the list's items, to time the next poll               completions.rs
//!   Pollable       the interface of a handle: fetch a status, decide its meaning              pollable.rs
//!   WaitContext    state that all waits of a client share                                     context.rs
//!   DurationStats  durations of earlier waits                                                 duration_stats.rs
//! Condition        a predicate that ends a wait                                               condition.rs
//! WaitError        the reason why a wait ended early                                          error.rs
//!   OpenFiles      the files on which a wait still depends                                    open_files.rs
//! ```

mod backoff;
mod completions;
mod condition;
mod context;
mod duration_stats;
mod error;
mod open_files;
mod pollable;
mod poller;
mod reference;
mod shared_poll;
#[cfg(test)]
mod tests;
mod wait;

pub use condition::Condition;
pub(crate) use context::{PollKey, WaitContext};
pub(crate) use duration_stats::WorkKind;
pub(crate) use error::WorkFailure;
pub use error::{WaitError, WaitErrorKind};
pub(crate) use open_files::{MAX_NAMED_FILES, OpenFiles, display_name, shortened};
pub(crate) use pollable::{PollOutcome, Pollable};
pub use poller::PollState;
pub(crate) use poller::{GRACE, PollConfig};
pub use reference::PackageJobRef;
#[cfg(test)]
pub(crate) use shared_poll::SharedPoll;
pub use wait::{States, Wait};
