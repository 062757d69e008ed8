//! Shared test environment: simulator and client, scripted servers, fixtures.

pub mod canned_server;
pub mod pdf_fixtures;
pub mod scripted;
#[cfg(unix)]
pub mod subprocess;
pub mod test_env;
pub mod zip_fixtures;
