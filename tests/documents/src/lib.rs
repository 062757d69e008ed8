//! Documents that nobody gave us: ours, twisted in the ways in which the official one may differ from it.
//!
//! The official OpenAPI document is handed to subscribers only. What it may look like is told here in small steps ([`variants`]), and
//! [`cases()`] puts them together to whole documents, each with its expected end: the client can be built from it, or it is refused
//! and the message says why. `cargo xtask documents` makes the documents and holds `regen` and the build against the ends; the
//! tests of xtask put the steps together at random.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod cases;
mod form;
pub mod random;
pub mod variants;
mod walk;

pub use cases::{Case, Effort, End, cases};
pub use form::{Form, json_shuffled, yaml};
pub use variants::Variant;

#[cfg(test)]
mod tests;
