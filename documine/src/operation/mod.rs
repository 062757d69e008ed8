//! Work that takes long: one engine that waits for packages, files and dossiers.
//!
//! ```text
//! Operation   a package that is being prepared: look, wait, cancel, save for another process   handle.rs
//! Condition   what a wait is for                                                              condition.rs
//! Wait        what was asked for, and how long                                                wait.rs
//!   engine    when to look, and what that means                                               engine.rs
//!   history   how long such work took so far                                                  history.rs
//!   board     one look for many who wait                                                      board.rs
//! WaitError   how a wait ends otherwise                                                       trouble.rs
//! ```

mod board;
mod condition;
mod engine;
mod handle;
mod history;
mod trouble;
mod wait;

pub(crate) use board::{Board, BoardKey, Boards};
pub use condition::Condition;
pub(crate) use engine::{GRACE, Polled};
pub use handle::{Operation, OperationRef};
pub(crate) use history::{History, Kind};
pub use trouble::WaitError;
pub(crate) use wait::{Look, Plan};
pub use wait::{State, Wait};
