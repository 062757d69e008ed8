//! Transfers of file contents in chunks, so that memory use does not depend on the file size.

pub(crate) mod destination;
pub(crate) mod download;
pub(crate) mod progress;
pub(crate) mod upload;

pub use destination::IfExists;
pub use download::{PackageStream, Saved, Written};
pub use progress::Progress;
pub use upload::Source;
