//! The raw client does what the passes are for: answers survive a round trip whatever a newer service puts in or leaves out, and
//! every operation sends the request that the document describes, through the transport it was given.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

mod generation {
    // The examples, and the spelling of fields, are those of our document.
    #[cfg(reconstruction)]
    mod answers;
    mod requests;
    #[cfg(all(feature = "schemars", reconstruction))]
    mod schemas;
}
