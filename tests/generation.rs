//! Tests of the generated client: responses survive a round trip even if a newer service adds or omits fields, and every operation
//! sends the request of the document through the given transport.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../documine/src/properties.rs"]
mod properties;

mod generation {
    // These tests use the examples and the field names of the reconstruction.
    mod ids;
    #[cfg(reconstruction)]
    mod models;
    mod requests;
    #[cfg(reconstruction)]
    mod responses;
    #[cfg(all(feature = "schemars", reconstruction))]
    mod schemas;
}
