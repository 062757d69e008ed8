//! Connections: TLS with an authority of a company's own, HTTP/2, client certificates, packed answers, proxies. Each TLS feature by itself has to pass.

#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::expect_used, reason = "these are tests")]

mod packed;
mod proxy;
mod secrets;
mod server;
mod trust;
