//! Generates the raw client from an OpenAPI document with `documine-codegen`.
//!
//! A document that cannot be used fails the build with one line per reason, which names the operation and the JSON pointer.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use documine_codegen::build::{BuildInput, BuildOutput, SourceText, build};

const VENDORED: &str = "openapi/documine.json";
const CONTRACT: &str = "openapi/contract.toml";
/// The fingerprint of the reconstruction in this repository.
const RECONSTRUCTION: &str = "openapi/reconstruction.txt";
/// Absolute path of the user's own document, and of the decisions that belong to it.
const DOCUMENT_VARIABLE: &str = "DOCUMINE_OPENAPI";
const DECISIONS_VARIABLE: &str = "DOCUMINE_OPENAPI_MAPPING";

fn main() -> ExitCode {
    // The whole folder, because cargo would run this script in every build if a watched file (`mapping.toml`) did not exist.
    println!("cargo:rerun-if-changed=openapi\ncargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={DOCUMENT_VARIABLE}\ncargo:rerun-if-env-changed={DECISIONS_VARIABLE}");
    let result = read_input().and_then(|input| build(&input)).and_then(|output| write_output(&output));
    let Err(reasons) = result else { return ExitCode::SUCCESS };
    eprintln!("generating the client failed:\n  {}", reasons.join("\n  "));
    ExitCode::FAILURE
}

/// Reads the user's document if `DOCUMINE_OPENAPI` names one, else a private one written by `cargo xtask regen --private`, else the vendored one.
fn read_input() -> Result<BuildInput, Vec<String>> {
    let (document, decisions) = if let Some(document) = path_from_env(DOCUMENT_VARIABLE)? {
        (document, path_from_env(DECISIONS_VARIABLE)?)
    } else {
        let folder = Path::new("openapi/private");
        let folder = if folder.join("documine.json").exists() { folder } else { Path::new("openapi") };
        (folder.join("documine.json"), Some(folder.join("mapping.toml")).filter(|path| path.exists()))
    };
    let hint = if document == Path::new(VENDORED) { "; run `cargo xtask regen` to write it" } else { "" };
    let decisions = decisions.map(|path| read(&path, "")).transpose()?;
    let (contract, reconstruction) = (read(Path::new(CONTRACT), "")?, read(Path::new(RECONSTRUCTION), "").ok());
    Ok(BuildInput { document: read(&document, hint)?, contract, decisions, reconstruction })
}

fn path_from_env(variable: &str) -> Result<Option<PathBuf>, Vec<String>> {
    let Some(path) = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    if !path.is_absolute() {
        return Err(vec![format!(
            "{variable} is the relative path {path:?}; set an absolute path, \
             or in .cargo/config.toml: [env] {variable} = {{ value = {path:?}, relative = true }}"
        )]);
    }
    println!("cargo:rerun-if-changed={}", path.display());
    Ok(Some(path))
}

fn read(path: &Path, hint: &str) -> Result<SourceText, Vec<String>> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| vec![format!("{name}: {error}{hint}")])?;
    Ok(SourceText { name, text })
}

fn write_output(output: &BuildOutput) -> Result<(), Vec<String>> {
    output.directives.iter().for_each(|directive| println!("{directive}"));
    // A packaged copy of this crate that holds another document than the reconstruction.
    let is_package = Path::new("Cargo.toml.orig").exists() && std::env::var_os(DOCUMENT_VARIABLE).is_none();
    if is_package && !output.is_reconstruction {
        println!(
            "cargo::warning=this package contains a document other than the reconstruction ({VENDORED}); \
             do not publish it, because it belongs to the service's vendor and its subscribers; \
             `cargo xtask regen --restore` restores the reconstruction"
        );
    }
    let folder =
        std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| vec![String::from("OUT_DIR is not set")])?;
    output.files.iter().try_for_each(|(name, text)| {
        std::fs::write(folder.join(name), text).map_err(|error| vec![format!("{name}: {error}")])
    })
}
