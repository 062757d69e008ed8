//! OpenAPI documents that differ from the reconstruction in the ways in which the official document may differ.
//!
//! The official OpenAPI document is available to subscribers only. The possible differences are small changes to the reconstruction ([`variants`]);
//! [`cases()`] combines them to whole documents, each with its expected outcome: the client can be built from the document, or the document is refused
//! with a reason. `cargo xtask documents` checks the outcomes; the tests of xtask combine the variants at random.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod cases;
mod format;
mod lookup;
pub mod variants;

pub use cases::{Case, CheckLevel, Expected, cases};
pub use format::{Format, json_shuffled};
pub use variants::Variant;

#[cfg(test)]
mod tests;
