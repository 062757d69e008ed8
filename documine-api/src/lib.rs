//! The raw client of the DocuMine API, generated at build time from an OpenAPI document.
//!
#![cfg_attr(
    reconstruction,
    doc = "**The document is a reconstruction.** The official one goes to subscribers only; this one was put together from public material,
and each [operation](operations::OPERATIONS) says how sure its name is. A document of your own takes its place with the
environment variable `DOCUMINE_OPENAPI`: see [`document`]."
)]
#![cfg_attr(
    not(reconstruction),
    doc = "**The document of this build is one of the user's own**, not the reconstruction that comes with the crate: see [`document`]."
)]
//!
//! Most programs want the crate `documine`, which is made on top of this one: it logs in, waits, retries and speaks in handles. This
//! crate is what lies below: [`Client`] has one method for each operation, [`types`] the models. Requests leave through a
//! [`Transport`] that you supply; it sets token and tenant.
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
//! What the generated code is made to do beyond the generator's own: an unknown enum value, an unknown field, `null` for a list are
//! never errors and survive a round trip; every answer that is no success comes back whole as `UnexpectedResponse`; ids can't be
//! swapped and refuse what would change a path. The passes that bring this about are in `openapi/passes/`.

#![cfg_attr(test, allow(clippy::expect_used, clippy::panic))]

pub mod document;
pub mod enums;
pub mod ids;
mod null;
pub mod operations;
mod request;
mod text;
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

/// The OpenAPI document that this crate was made from, as JSON in canonical form. See [`document`].
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// What the build script made. Its style is the generator's; what we add to it is held to our rules.
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

/// The examples of the repository's README, compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
