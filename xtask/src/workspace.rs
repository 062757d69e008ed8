//! The workspace and the terminal.

use std::path::{Path, PathBuf};

/// Returns the root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap_or(root)
}

/// Prints a line of a command's result.
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// Prints a line on standard error.
pub(crate) fn print_error(line: &str) {
    eprintln!("{line}");
}
