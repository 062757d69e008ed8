//! Connections: TLS with a private certificate authority, HTTP/2, client certificates, compression, proxies. Each TLS feature must pass alone.
//! Needs `http2`, because the tests count connections.

#![cfg(all(feature = "http2", any(feature = "rustls-no-provider", feature = "native-tls")))]
#![allow(clippy::expect_used, reason = "these are tests")]

mod compression;
mod proxy;
mod secrets;
mod server;
mod trust;
