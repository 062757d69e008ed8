//! The running service that every request shares: settings, state, routes, and the file that keeps the state over a restart.

mod app;
mod own_hosts;
mod routes;
mod snapshot;
mod state_file;

pub(crate) use app::{App, Settings};
pub(crate) use own_hosts::OwnHosts;
pub(crate) use routes::{RouteMatch, Routes};
pub(crate) use state_file::StateFile;
