//! Errors of downloads.

use crate::error::{Error, ErrorKind};

pub(super) fn too_large(limit: u64) -> Error {
    let text = format!("package exceeds the limit of {limit} bytes; raise the limit with `max_bytes`");
    Error::new(ErrorKind::Integrity, text).with_limit_exceeded()
}

pub(super) fn wrong_length(received: u64, announced: Option<u64>) -> Error {
    let announced = announced.unwrap_or_default();
    let text = format!("received {received} bytes of {announced} announced bytes; download the package again");
    Error::new(ErrorKind::Integrity, text).transient()
}

pub(super) fn changed() -> Error {
    Error::new(ErrorKind::Integrity, "package changed during the download; download the package again")
        .with_operation("downloadPackage")
        .repeatable(true)
}
