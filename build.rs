//! Makes the raw client from the vendored OpenAPI document.
//!
//! `openapi/documine.json` → passes over the document and a lint (`openapi/passes/`) → code generator → passes over the syntax
//! tree (`openapi/passes/code/`) → `OUT_DIR`. A document that can't be used ends the build with one line for each reason,
//! naming operation and place. The result depends on the document alone, not on features that other crates switch on.

#[path = "openapi/passes/code/mod.rs"]
mod code;
#[path = "openapi/passes/mod.rs"]
mod passes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the document lies in the package.
const DOCUMENT: &str = "openapi/documine.json";

#[expect(clippy::print_stderr, reason = "how a build script talks to people")]
fn main() -> ExitCode {
    for watched in [DOCUMENT, "openapi/passes", "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            eprintln!("{DOCUMENT} can't be turned into a client:");
            for reason in reasons {
                eprintln!("  {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Vec<String>> {
    let text = std::fs::read_to_string(DOCUMENT)
        .map_err(|error| vec![format!("{error}; in the repository `cargo xtask regen` writes it")])?;
    let passed = passes::run(&text)?;
    let generated = code::generate(&passed.document)?;

    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| vec![String::from("cargo sets no OUT_DIR")])?;
    let folder = PathBuf::from(folder);
    for (name, text) in [
        ("prepared.json", passes::canonical::text(&passed.document)),
        ("client.rs", generated.client),
        ("enums.rs", generated.enums),
        ("operations.rs", generated.operations),
    ] {
        write(&folder.join(name), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Vec<String>> {
    std::fs::write(path, text).map_err(|error| vec![format!("{}: {error}", path.display())])
}
