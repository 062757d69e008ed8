//! The raw client of the DocuMine API, generated at build time from an OpenAPI document.
//!
#![cfg_attr(
    reconstruction,
    doc = "**The document is a reconstruction** from public material, because the official document is available to subscribers only. Each
[operation](operations::OPERATIONS) states the certainty of its name. The environment variable `DOCUMINE_OPENAPI` selects another
document: see [`document`]."
)]
#![cfg_attr(
    not(reconstruction),
    doc = "**This build uses a document from `DOCUMINE_OPENAPI`**, not the reconstruction in this crate: see [`document`]."
)]
//!
//! Most programs use the crate `documine`, which is built on this crate and adds logins, retries, polling and handles. In this
//! crate, [`Client`] has one method per operation and [`types`] contains the models. A [`Transport`] that you supply sends the
//! requests and sets token and tenant.
//!
//! ```
//! use std::sync::Arc;
//! use documine_api::{BoxError, BoxFuture, Client, Inner, Transport, ids::DossierTemplateId, operations::Operation};
//!
//! struct Plain(reqwest::Client);
//!
//! impl Transport for Plain {
//!     fn send<'a>(
//!         &'a self,
//!         mut request: reqwest::Request,
//!         operation: &'static Operation,
//!     ) -> BoxFuture<'a, Result<reqwest::Response, BoxError>> {
//!         Box::pin(async move {
//!             println!("{}", operation.id);
//!             request.headers_mut().insert("X-TENANT-ID", "acme".parse()?);
//!             Ok(self.0.execute(request).await?)
//!         })
//!     }
//! }
//!
//! # async fn run() -> Result<(), BoxError> {
//! let http = reqwest::Client::new();
//! let inner = Inner::new(Arc::new(Plain(http.clone())));
//! let client = Client::new_with_client("https://documine.example", http, inner);
//! let dossiers = client
//!     .get_dossiers()
//!     .dossier_template_id(DossierTemplateId::new("6f1c2b0e")?)
//!     .include_archived(true)
//!     .send()
//!     .await
//!     .map_err(|error| error.to_string())?;
//! println!("{} dossiers", dossiers.dossiers.len());
//! # Ok(())
//! # }
//! ```
//!
//! Additions to the output of the code generator, made by the crate `documine-codegen`: an unknown enum value, an unknown field and
//! `null` for a list are never errors and survive a round trip; an error response is returned whole as `UnexpectedResponse`; ids are
//! typed and cannot change a path.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]
// A library prints nothing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod clock;
mod collections;
pub mod document;
pub mod enums;
pub mod ids;
mod null;
pub mod operations;
mod request;
pub mod scalars;
mod timestamp;
mod transport;
mod unsupported;

pub use indexmap::IndexMap;
pub use progenitor_client::{ByteStream, Error, ResponseValue};

pub use generated::{Client, builder, types};
pub use request::PreparedRequest;
pub use timestamp::Timestamp;
pub use transport::{BoxError, BoxFuture, Inner, Transport};
pub use unsupported::Unsupported;

/// The OpenAPI document of this build, as JSON in canonical form; see [`document`].
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// The output of the build script. The lints do not apply, because the code generator determines the style.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_imports,
    clippy::all,
    clippy::pedantic,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "generated code"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

/// The examples in the README of the repository, compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
