//! A stateful simulator of DocuMine and its identity provider, for tests and for trying things out.
//!
//! The simulator serves every operation of the vendored OpenAPI document and models the described behaviour of the product. An uploaded file is
//! parsed (pages, text, title), passes through the states of its analysis, and then has components that extraction rules found in its text. Packages
//! are real ZIP files with an Excel report. An identity provider shaped like Keycloak ([`idp`]) runs beside the API.
//!
//! # In your own test
//!
//! ```
//! use documine_sim::{SimClock, Simulator};
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // A manual clock makes the states of files and packages exact.
//! let sim = Simulator::builder().clock(SimClock::manual()).start().await?;
//! let http = reqwest::Client::new();
//!
//! let token = format!("{}/auth/realms/{}/protocol/openid-connect/token", sim.base_url(), sim.workspace_id());
//! let form = [
//!     ("grant_type", "password"),
//!     ("client_id", sim.client_id()),
//!     ("client_secret", sim.client_secret()),
//!     ("username", sim.username()),
//!     ("password", sim.password()),
//! ];
//! let body = form.map(|(name, value)| format!("{name}={value}")).join("&");
//! let answer = http.post(token).header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
//! let token: Value = answer.json().await?;
//!
//! // The path comes from the document: `/api/dossier-templates/{dossierTemplateId}/dossiers` in the vendored one.
//! let path = documine_api::operations::operation("createOrUpdateDossier").ok_or("no such operation")?.path;
//! let path = path.replace("{dossierTemplateId}", sim.dossier_template_id().as_str());
//! let dossiers = format!("{}{path}", sim.base_url());
//! let created = http
//!     .post(&dossiers)
//!     .bearer_auth(token["access_token"].as_str().unwrap_or_default())
//!     .header("X-TENANT-ID", sim.workspace_id())
//!     .json(&json!({"name": "Q3 filings"}))
//!     .send()
//!     .await?;
//! assert!(created.status().is_success());
//!
//! // The journal lists every request, and 96 hours in the trash pass at once.
//! assert_eq!(sim.requests()[1].operation.as_deref(), Some("createOrUpdateDossier"));
//! sim.clock().advance(Duration::from_secs(96 * 3600));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # Controls
//!
//! | Type | Controls |
//! |---|---|
//! | [`SimulatorBuilder`] | seed, clock, speed, rules, token lifetimes, accepted tokens, paging, data folder |
//! | [`SimClock`] | simulated time: stop it, advance it, or let every sleep of the client advance it |
//! | [`Faults`] | deliberate errors: statuses, headers, bodies, broken JSON, delays, broken connections, expiring tokens |
//! | [`Control`] | actions of users in the product and of time: archive, restore, edit a component, reanalyse, fail or delay by file name, patch responses, expire, revoke, disable |
//! | [`Recorder`], [`Replay`] | the exchanges with any service in a file, without secrets, and served again |
//! | [`Simulator::requests`] | every request, with headers, status, bytes and simulated time |
//! | `Simulator::violations` | requests and responses that violate the document (feature `check`) |
//!
//! Programs in other languages use the same controls over HTTP: `/__sim/requests`, `/__sim/state`, `/__sim/violations`, `/__sim/clock`,
//! `/__sim/faults`, `/__sim/control`, `/__sim/patches`. The README of this crate describes them.
//!
//! # Faults
//!
//! A [`Fault`] selects requests and says what goes wrong with them. [`Faults`] is the fault plan of a simulator and can be changed while the
//! simulator runs. A plan is written in Rust or TOML, or is a preset ([`Faults::preset`]). Random faults follow from a seed. The journal records for
//! each request which fault hit it and whether the service received the request.
//!
//! ```
//! use documine_sim::{Fault, Faults, Simulator};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plan = Faults::parse(r#"
//!     seed = 7
//!
//!     [[fault]]
//!     operation = "getLicense"
//!     nth = 1
//!     reset_before_headers = true      # carried out, but the response is lost
//!
//!     [[fault]]
//!     operation = "api/*"
//!     probability = 0.1
//!     burst = 2
//!     rate_limited = 1                 # 429, Retry-After: 1
//! "#)?;
//! plan.add(Fault::on("downloadPackage").cut_after(100));
//! let sim = Simulator::builder().faults(plan).start().await?;
//!
//! # let path = documine_api::operations::operation("getLicense").ok_or("no such operation")?.path;
//! let license = format!("{}{path}", sim.base_url());
//! assert!(reqwest::get(license).await.is_err());
//! assert_eq!(sim.faults().hits()["reset_before_headers"], 1);
//! let request = &sim.requests()[0];
//! assert_eq!((request.fault.as_deref(), request.reached), (Some("reset_before_headers"), true));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # With another document
//!
//! A build from another document (`DOCUMINE_OPENAPI`) makes the simulator serve that document: its paths, names, statuses and media types, found by
//! the mapping of the raw client. Operations missing in the document have no route; operations unknown to the simulator answer 501. Faults, the
//! journal's `operation`, `state` and `control` keep the names of the SDK's contract. [`Fault::patch`] applies before the response is translated to
//! the document's names, and a [`Fault::body`] that is the JSON of a success is translated too. [`wire`] gives the names to a test.
//!
//! # Limits
//!
//! The simulator does not read pixels: pages that are images pass through the states of text recognition and yield no text, and the component
//! `Remarks` reports them. Redacted or annotated documents are not rendered: packages hold the original in their place, with a note. The served
//! document is a reconstruction, so where the real service behaves otherwise, the simulator is wrong.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// A library prints nothing.
#![warn(clippy::print_stdout, clippy::print_stderr)]

// Layers, from top to bottom. A module imports modules of lower layers only.
//
//   connection         the service of the environment, or a simulator
//   builder            settings and start
//   simulator          the handle of a running simulator
//   server             router, layers of a request, fault injection, `/__sim/`
//   api                one file per tag of the API
//   record             recording proxy and replay, independent of the simulated service
//   control  package   actions outside the API; ZIP archives and reports
//   service            the shared state of the running service: settings, routes, state file
//   patches            patches of responses
//   faults  state      fault plan; workspace, files, packages, data folder
//   idp  journal  api_error
//   analysis  check  clock  net  paging  timestamp  wire                                       ground
#[cfg(feature = "check")]
pub mod check;
pub mod idp;
pub mod wire;

mod analysis;
mod api;
mod api_error;
mod builder;
mod clock;
#[cfg(feature = "client")]
mod connection;
mod control;
mod faults;
mod journal;
mod net;
mod package;
mod paging;
mod patches;
#[cfg(test)]
mod properties;
mod record;
mod server;
mod service;
mod simulator;
mod state;
mod timestamp;

pub use analysis::{RuleError, Rules};
pub use builder::{SimulatorBuilder, StartError};
pub use clock::SimClock;
#[cfg(feature = "client")]
pub use connection::{Connection, connect};
pub use control::Control;
pub use faults::{Drip, Fault, FaultError, Faults};
pub use idp::AuthMode;
pub use journal::RecordedRequest;
pub use paging::Paging;
pub use patches::{ControlError, PatchHandle};
pub use record::{
    RecordError, RecordedBodies, RecordedBody, RecordedExchange, RecordedJson, Recorder, RecorderBuilder, Recording,
    Replay,
};
pub use simulator::Simulator;
pub use state::Timing;
