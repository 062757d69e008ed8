//! A stateful simulator of DocuMine and of its identity provider, to test against and to try things out.
//!
//! It serves every operation of the vendored OpenAPI document and behaves as the product is described to: a file that is uploaded is really read
//! (pages, text, title), passes through the states of its analysis, and then yields components that extraction rules found in its text; packages
//! are real ZIP files with an Excel report in them. Beside the API stands an identity provider shaped like Keycloak ([`idp`]).
//!
//! # In a test of your own
//!
//! ```
//! use documine_sim::{SimClock, Simulator};
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // A clock that stands still makes the states of files and packages exact.
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
//! // The path stands in the document: `/api/dossier-templates/{dossierTemplateId}/dossiers` in ours.
//! let path = documine_api::operations::operation("createOrUpdateDossier").ok_or("no such operation")?.path;
//! let path = path.replace("{dossierTemplateId}", sim.dossier_template_id());
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
//! // What was asked of the service can be looked at, and 96 hours of trash take no time at all.
//! assert_eq!(sim.requests()[1].operation.as_deref(), Some("createOrUpdateDossier"));
//! sim.clock().advance(Duration::from_secs(96 * 3600));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # What it can be told to do
//!
//! | | |
//! |---|---|
//! | [`SimulatorBuilder`] | seed, clock, speed, rules, lives of tokens, which tokens count, paging, data folder |
//! | [`SimClock`] | stand still, jump ahead |
//! | [`Faults`] | answers that are wrong on purpose: statuses, headers, bodies, broken JSON, delays, broken connections, tokens that end |
//! | [`Control`] | what people do in the product: archive, restore, edit a component; reanalyse; fail, expire, revoke |
//! | [`Simulator::requests`] | every request, with headers, status, bytes and simulated time |
//! | `Simulator::violations` | with the feature `check`: requests and answers that do not fit the document |
//!
//! The same over HTTP, for programs in other languages: `/__sim/requests`, `/__sim/state`, `/__sim/violations`, `/__sim/clock`, `/__sim/faults`,
//! `/__sim/control`; see the README beside this crate.
//!
//! # Faults
//!
//! A [`Fault`] says which requests go wrong and how; [`Faults`] is the plan of a simulator, and can be changed while it runs. Plans are written in Rust, in
//! TOML, or taken by name ([`Faults::preset`]); what is drawn by chance follows from a seed. The journal says of each request which fault hit it, and
//! whether the service got it all the same.
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
//!     reset_before_headers = true      # carried out, and nobody hears of it
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
//! Where the build was made from another document (`DOCUMINE_OPENAPI`), the simulator serves that one: its paths, names, statuses and media types,
//! found by the mapping that the raw client is made with. Operations that the document lacks have no route; those that the simulator does not know
//! answer 501. Faults, the journal's `operation`, `state` and `control` keep the names used here: [`Fault::patch`] changes the answer before it gets the
//! document's names, and [`Fault::body`] is translated likewise where it is JSON of a success. [`wire`] tells the names to a test.
//!
//! # What it is not
//!
//! It does not read pixels: pages that are pictures pass through the states of text recognition and yield no text, and the component `Remarks` says
//! so. It does not draw redacted or annotated documents: packages hold the original in their place, with a note. The document it serves is a
//! reconstruction, so a service that behaves otherwise is right and the simulator is wrong.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(feature = "check")]
pub mod check;
pub mod idp;
pub mod wire;

mod analysis;
mod api;
mod api_error;
mod builder;
mod clock;
mod control;
mod faults;
mod journal;
mod net;
mod package;
mod paging;
#[cfg(test)]
mod properties;
mod server;
mod service;
mod simulator;
mod state;
mod timestamp;

pub use analysis::{RuleError, Rules};
pub use builder::{SimulatorBuilder, StartError};
pub use clock::SimClock;
pub use control::{Control, UnknownId};
pub use faults::{Drip, Fault, FaultError, Faults};
pub use idp::AuthMode;
pub use journal::RecordedRequest;
pub use paging::Paging;
pub use simulator::Simulator;
pub use state::Timing;
