//! Bytes that are many: sent and received piece by piece, so that memory stays flat whatever their number.

pub(crate) mod download;
pub(crate) mod part_file;
mod progress;
pub(crate) mod upload;

pub use download::{PackageStream, Saved, Written};
pub use part_file::IfExists;
pub use progress::Progress;
pub use upload::Source;
