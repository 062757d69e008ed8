//! The OpenAPI document of this build, and the mapping of its operations to the contract of the crate `documine`.
//!
//! The build uses the document in this crate, or another one: `DOCUMINE_OPENAPI=/absolute/path/official.json cargo build`.
//! `DOCUMINE_OPENAPI_MAPPING` names the file with decisions about that document (`cargo xtask regen --map` and `--accept-missing`
//! write such a file):
//!
//! ```toml
//! accept_missing = ["getUsers"]
//!
//! [map]
//! getDownload = "GET /api/downloads/{id}/status"
//! ```
//!
//! Operations and models of the contract have the contract's names with every document. [`MAPPING`] contains the document's names;
//! [`operations::OPERATIONS`](crate::operations::OPERATIONS) contains the paths and marks missing operations.
#![doc = ""]
#![doc = include_str!(concat!(env!("OUT_DIR"), "/document.md"))]

/// The mapping from the contract to the document, as JSON, for programs that serve the document, such as the simulator.
pub const MAPPING: &str = include_str!(concat!(env!("OUT_DIR"), "/mapping.json"));

include!(concat!(env!("OUT_DIR"), "/origin.rs"));
