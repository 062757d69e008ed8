//! Fuzz target for packages (see [`crate::fuzzing`]).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a violated property must end the run"
)]

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Component, Path};
use std::sync::atomic::AtomicBool;

use super::archive::Archive;
use super::entry::Entry;
use super::limits::PackageLimits;
use super::names::{self, UnpackPaths};
use crate::error::assert_one_line;

/// Checks that an archive is rejected with an error of one line, or yields at most the allowed bytes under paths inside the target folder.
pub fn archive(input: &[u8]) {
    let limits =
        PackageLimits::default().entries(1_000).entry_bytes(1 << 20).total_bytes(4 << 20).memory_bytes(1 << 20);
    let archive = match Archive::open(Cursor::new(input), limits) {
        Ok(archive) => archive,
        Err(error) => return assert_one_line(&error.into_error("a.zip")),
    };
    assert!(archive.files().len() + archive.folders().len() <= 1_000);
    let files = || archive.files().iter().map(Entry::name);
    let paths = UnpackPaths::assign(files(), archive.folders().iter().map(String::as_str));
    let mut keys = HashSet::new();
    for path in &paths.files {
        assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(keys.insert(names::collation_key(path)), "{path:?} is a duplicate");
    }
    for path in &paths.folders {
        assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(!keys.contains(&names::collation_key(path)), "{path:?} is also a file");
    }
    let (cancelled, mut total) = (AtomicBool::new(false), 0);
    for entry in archive.files() {
        match archive.read(entry, &cancelled) {
            Ok(bytes) => {
                assert_eq!(bytes.len() as u64, entry.size(), "{entry:?}");
                total += entry.size();
            }
            Err(error) => assert_one_line(&error.into_error("a.zip")),
        }
    }
    assert!(total <= 4 << 20, "{total}");
}
