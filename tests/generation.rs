//! The raw client does what the passes are for: answers survive a round trip whatever a newer service puts in or leaves out, and
//! every operation sends the request that the document describes, through the transport it was given.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../documine/src/properties.rs"]
mod properties;

mod generation {
    // The examples, and the spelling of fields, are those of our document.
    #[cfg(reconstruction)]
    mod answers;
    mod ids;
    #[cfg(reconstruction)]
    mod models;
    mod requests;
    #[cfg(all(feature = "schemars", reconstruction))]
    mod schemas;
}
