//! The clock: time, sleeping and randomness behind one trait, so that tests control them.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::transport::BoxFuture;

/// A source of time and randomness for a client.
///
/// Waits, polling, backoff and token ages of the crate `documine` use the clock; timeouts of a connection (connect, attempt, idle) run in real time.
/// A test sets its own clock with `documine::ClientBuilder::clock`, for example the `SimClock` of the crate `documine-sim`.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the wall-clock time.
    fn now(&self) -> SystemTime;

    /// Returns the time since a fixed moment; never decreases.
    fn monotonic(&self) -> Duration;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;

    /// Returns a random number from 0 to below 1, for jitter.
    fn random(&self) -> f64;
}
