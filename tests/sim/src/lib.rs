//! A stateful simulator of DocuMine and of its identity provider.

mod clock;
pub mod idp;

pub use clock::SimClock;
