//! The document that this build was made from, and where it has what the crate `documine` needs.
//!
//! That is the document that comes with the crate, or one of your own: `DOCUMINE_OPENAPI=/whole/path/official.json cargo build`. What was
//! decided about it (`cargo xtask regen --map`, `--accept-missing` write that) is in the file that `DOCUMINE_OPENAPI_MAPPING` names:
//!
//! ```toml
//! accept_missing = ["getUsers"]
//!
//! [map]
//! getDownload = "GET /api/downloads/{id}/status"
//! ```
//!
//! Operations and models that `documine` knows have the names of its contract, in any document. [`MAPPING`] tells what they are called
//! there; [`operations::OPERATIONS`](crate::operations::OPERATIONS) has their paths, and says which ones are missing.
#![doc = ""]
#![doc = include_str!(concat!(env!("OUT_DIR"), "/document.md"))]

/// Where the document has what the contract names, as JSON. For programs that serve the document, such as the simulator.
pub const MAPPING: &str = include_str!(concat!(env!("OUT_DIR"), "/mapping.json"));

include!(concat!(env!("OUT_DIR"), "/origin.rs"));
