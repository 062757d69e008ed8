//! See [`crate::fuzzing`]: packages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what does not hold is to end the run"
)]

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Component, Path};
use std::sync::atomic::AtomicBool;

use super::archive::Archive;
use super::entry::Entry;
use super::limits::PackageLimits;
use super::names::{self, Paths};
use crate::error::assert_one_line;

/// A package: refused in one line, or no more comes out of it than is allowed, under names that lead nowhere else.
pub fn archive(input: &[u8]) {
    let limits =
        PackageLimits::default().entries(1_000).entry_bytes(1 << 20).total_bytes(4 << 20).memory_bytes(1 << 20);
    let archive = match Archive::open(Cursor::new(input), limits) {
        Ok(archive) => archive,
        Err(trouble) => return assert_one_line(&trouble.into_error("a.zip")),
    };
    assert!(archive.files().len() + archive.folders().len() <= 1_000);
    let files = || archive.files().iter().map(Entry::name);
    let paths = Paths::of(files(), archive.folders().iter().map(String::as_str));
    let mut keys = HashSet::new();
    for path in &paths.files {
        assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(keys.insert(names::key(path)), "{path:?} is there twice");
    }
    for path in &paths.folders {
        assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(!keys.contains(&names::key(path)), "{path:?} is a file, too");
    }
    let (stop, mut total) = (AtomicBool::new(false), 0);
    for entry in archive.files() {
        match archive.read(entry, &stop) {
            Ok(bytes) => {
                assert_eq!(bytes.len() as u64, entry.size(), "{entry:?}");
                total += entry.size();
            }
            Err(trouble) => assert_one_line(&trouble.into_error("a.zip")),
        }
    }
    assert!(total <= 4 << 20, "{total}");
}
