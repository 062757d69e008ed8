//! The document that this build was made from, and where it has what the crate `documine` needs.
//!
//! Operations and models that `documine` knows have the names of its contract, in any document. [`MAPPING`] tells what they are called
//! there; [`operations::OPERATIONS`](crate::operations::OPERATIONS) has their paths, and says which ones are missing.
#![doc = ""]
#![doc = include_str!(concat!(env!("OUT_DIR"), "/document.md"))]

/// Where the document has what the contract names, as JSON. For programs that serve the document, such as the simulator.
pub const MAPPING: &str = include_str!(concat!(env!("OUT_DIR"), "/mapping.json"));

include!(concat!(env!("OUT_DIR"), "/origin.rs"));
