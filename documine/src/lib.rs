//! SDK for DocuMine: uploads documents, waits for their analysis, reads the extracted components, downloads result packages.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let service = documine_sim::connect().await?;
//! # let (client, id) = (service.client.clone(), service.template().id());
//! # let report = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf");
//! use documine::DossierFields;
//!
//! // let client = documine::Client::from_env()?;
//! let dossier = client.dossier_template(id).create_dossier(DossierFields::named("Q3 filings")).await?;
//! let file = dossier.upload(report).await?.wait_until_processed().await?;
//! println!("{:?}", file.components().await?.values("Title"));
//! # Ok(()) }
//! ```
//!
//! DocuMine extracts *components* (named values) from documents. A *dossier template* holds the rules, a *dossier* groups files under one template,
//! and a *package* is a ZIP of results that the service prepares in the background.
//!
//! **The OpenAPI document behind this crate is a reconstruction** from public material: see
//! [your own OpenAPI document](guide::your_own_openapi_document).
//!
//! # Overview
//!
//! | task | type | chapter of the [guide] |
//! |---|---|---|
//! | connect, configure | [`Client`], [`ClientBuilder`], [`RequestOptions`] | [getting started](guide::getting_started), [proxies and certificates](guide::proxies_and_certificates) |
//! | log in | [`Credentials`], module [`auth`] | [logins](guide::logins), [keeping a login](guide::keeping_a_login) |
//! | create a dossier | [`DossierTemplateHandle`], [`DossierHandle`], [`DossierFields`] | [getting started](guide::getting_started) |
//! | upload | [`Source`], [`Uploaded`], [`request::UploadFile`], [`request::UploadFiles`] | [uploading](guide::uploading) |
//! | wait | module [`wait`] | [waiting](guide::waiting) |
//! | read components | [`FileHandle`], [`Components`], module [`extract`] | [your own types](guide::your_own_types) |
//! | download results | [`PackageRequest`], [`PackageJob`], [`Package`], modules [`transfer`] and `package` | [packages](guide::packages) |
//! | list | module [`list`] | [lists](guide::lists) |
//! | handle errors | [`Error`], [`ErrorKind`], module [`retry`] | [errors and retries](guide::errors_and_retries), [faults](guide::faults) |
//! | serve many users | [`Client::with_credentials`] | [web services](guide::web_services) |
//! | test | module [`testing`], crate `documine-sim` | [testing your code](guide::testing_your_code) |
//! | observe | module [`observe`] | [observing](guide::observing) |
//! | anything else | [`Client::raw`], [`Client::request`] | [your own OpenAPI document](guide::your_own_openapi_document) |
//!
//! Each request has a named builder in the module [`request`]. It is sent when awaited, or by `send()` (a list: `collect()`). Methods with bare names set what the operation does; methods that
//! begin with `with_` set how it is carried out. Tokens are sent to the configured service only, over https (or http on this machine), and never appear in
//! errors, `Debug` output or traces. A tokio runtime is required.

// A library prints nothing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
pub mod auth;
mod backoff;
mod client;
mod clock;
mod disk;
mod error;
pub mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod http_util;
mod json_memory;
pub mod list;
pub mod models;
mod operation;
#[cfg(feature = "package")]
pub mod package;
#[cfg(test)]
mod properties;
mod resources;
mod text;
mod timeout;
pub mod transfer;
mod transport;

pub use auth::Credentials;
pub use client::{Client, ClientBuilder, RequestOptions};
pub use clock::{BoxFuture, Clock, SystemClock};
pub use error::{Error, ErrorBuilder, ErrorKind, Result, TimeoutPhase};
pub use models::{DossierTemplateId, DownloadFileType};
pub use resources::components::Components;
pub use resources::dossiers::{DossierFields, DossierHandle};
pub use resources::downloads::{DownloadHandle, Package, PackageJob, PackageRequest};
pub use resources::files::FileHandle;
pub use resources::templates::DossierTemplateHandle;
pub use resources::uploads::Uploaded;
pub use transfer::Source;

/// The named builder of each operation, with its fields and options. The methods of the handles create them.
///
/// Methods with bare names set what the operation does: fields of the request, limits, and the treatment of existing files. Methods that begin
/// with `with_` set how it is carried out; [`RequestOptions`] holds those that all builders have.
pub mod request {
    pub use crate::client::{RequestOptions, SendRequest};
    #[cfg(feature = "package")]
    pub use crate::package::OpenPackage;
    pub use crate::resources::components::{
        GetComponents, GetComponentsXml, GetDossierComponentsXml, ListDossierComponents,
    };
    pub use crate::resources::dossiers::{DeleteDossier, GetDossier, UpdateDossier};
    pub use crate::resources::downloads::{
        CancelPackage, CreateDossierPackage, CreateFilePackage, CreateFilesPackage, DeleteDownload, GetDownload,
        ListDownloads, SavePackage, StreamPackage, WritePackage,
    };
    pub use crate::resources::files::{DeleteFile, GetFile, ListFiles};
    pub use crate::resources::license::{GetLicense, GetLicenseUsage};
    pub use crate::resources::templates::{
        CreateDossier, FindOrCreateDossier, GetDossierTemplate, ListDossierTemplates, ListDossiers,
    };
    pub use crate::resources::uploads::{UploadFile, UploadFiles, UploadOutcome};
    pub use crate::resources::users::ListUsers;
}

/// Retries and rate limits.
pub mod retry {
    pub use crate::transport::{RateLimit, RetryMode, RetryPolicy};
}

/// Observation of calls without a tracing backend.
pub mod observe {
    pub use crate::auth::LoginEvent;
    pub use crate::transport::{CallEnded, Observer, Retrying};
}

/// A transport and a clock for the unit tests of code that uses this crate, without sockets and without real time.
///
/// The closure of [`Client::with_transport`] receives every request and returns the response. Everything above is real: authorization, retries, the
/// rate limit, decoding, waits, uploads and downloads. A closure that captures state clones it for each request: see
/// [`Transport`](testing::Transport).
///
/// ```
/// use documine::http::{Method, StatusCode};
/// use documine::testing::json;
/// use documine::{Client, DossierTemplateId, Result};
///
/// /// The function under test.
/// async fn template_name(client: &Client, id: DossierTemplateId) -> Result<Option<String>> {
///     match client.dossier_template(id).get().await {
///         Ok(template) => Ok(template.name),
///         Err(error) if error.is_not_found() => Ok(None),
///         Err(error) => Err(error),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let client = Client::with_transport(async |request: documine::http::Request<bytes::Bytes>| {
///     assert_eq!(request.method(), Method::GET);
///     assert_eq!(request.headers()["x-tenant-id"], "test");
///     Ok(match request.uri().path() {
///         path if path.ends_with("/t-1") => json(StatusCode::OK, r#"{"id": "t-1", "name": "Studies"}"#),
///         _ => json(StatusCode::NOT_FOUND, r#"{"message": "no such template"}"#),
///     })
/// })?;
/// assert_eq!(template_name(&client, DossierTemplateId::new("t-1")?).await?.as_deref(), Some("Studies"));
/// assert_eq!(template_name(&client, DossierTemplateId::new("t-2")?).await?, None);
/// # Ok(()) }
/// ```
///
/// A failing network is an `Err` of the closure, and an interrupted body a [`ResponseBody`](testing::ResponseBody) with an error among its chunks.
/// The client of `with_transport` has the clock of the system, so its retries and waits take real time. With [`ClientBuilder::transport`] and a
/// [`TestClock`](testing::TestClock) as [`ClientBuilder::clock`], pauses between attempts and polls take no time:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::Duration;
///
/// use documine::http::{HeaderValue, Request, StatusCode, header};
/// use documine::testing::{TestClock, json};
/// use documine::{Client, Credentials, Error, ErrorKind};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> documine::Result<()> {
/// let requests = AtomicUsize::new(0);
/// let transport = move |_: Request<bytes::Bytes>| {
///     let response = match requests.fetch_add(1, Ordering::Relaxed) {
///         0 => Err(Error::builder(ErrorKind::Connect).message("could not connect to the service").build()),
///         1 => {
///             let mut response = json(StatusCode::TOO_MANY_REQUESTS, "{}");
///             response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
///             Ok(response)
///         }
///         _ => Ok(json(StatusCode::OK, r#"{"users": []}"#)),
///     };
///     std::future::ready(response)
/// };
/// let clock = TestClock::new();
/// let client = Client::builder("http://localhost")
///     .workspace("test")
///     .credentials(Credentials::access_token("test-token"))
///     .transport(transport)
///     .clock(clock.clone())
///     .build()?;
/// assert!(client.users().await?.is_empty());
/// assert_eq!(clock.sleeps(), [Duration::from_millis(250), Duration::from_secs(7)]);
/// # Ok(()) }
/// ```
///
/// Timeouts of a connection run on tokio's clock; pause that clock to test them (`#[tokio::test(start_paused = true)]`,
/// which needs tokio's feature `test-util`).
///
/// Token requests pass the transport too, if the builder has credentials that need them, and so do downloads that the service redirects. Tests of
/// the whole protocol, with a state on the server's side, use the simulator instead (crate `documine-sim`).
pub mod testing {
    pub use crate::clock::TestClock;
    pub use crate::transport::{ResponseBody, Transport, json};
}

/// Waiting for work of the service: the analysis of files and the preparation of packages.
pub mod wait {
    pub use crate::operation::{Condition, PackageJobRef, PollState, States, Wait, WaitError, WaitErrorKind};
    pub use crate::resources::downloads::PackageJob;
}

/// The generated client below this crate: every operation and type of the document.
pub use documine_api as api;

/// The `http` crate, whose methods, statuses and headers are part of this crate's signatures.
pub use http;

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
