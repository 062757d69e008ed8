//! The network layer: the listener, its connections, and body streams.

mod body;
mod listener;
mod socket;

pub(crate) use body::{
    BodyMeter, TruncatedEnd, drain, metered, padded, sleep_or_stop, throttled, truncated, until_stopped, with_excess,
};
pub(crate) use listener::{Listener, ListenerSwitch};
pub(crate) use socket::Connection;
