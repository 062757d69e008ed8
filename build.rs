//! Makes the raw client from an OpenAPI document.
//!
//! The document → passes and a lint (`openapi/passes/`), which also give what `openapi/contract.toml` names the names that `documine`
//! knows → code generator → passes over the syntax tree (`openapi/passes/code/`) → `OUT_DIR`. A document that can't be used ends the build
//! with one line for each reason, naming operation and place. The result depends on the document and on the decisions beside it
//! (`mapping.toml`), not on features that other crates switch on.

#[path = "openapi/passes/code/mod.rs"]
mod code;
#[path = "openapi/passes/mod.rs"]
mod passes;
#[cfg(feature = "yaml")]
#[path = "openapi/passes/yaml.rs"]
mod yaml;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use passes::contract::Contract;
use passes::decisions::Decisions;
use serde_json::Value;

/// Where the document lies in the package.
const VENDORED: &str = "openapi/documine.json";
/// Where one lies that `cargo xtask regen --private` has put there, and that no package holds.
const PRIVATE: &str = "openapi/private/documine.json";
/// What the facade needs from any document.
const CONTRACT: &str = "openapi/contract.toml";
/// By which our reconstruction is known.
const OURS: &str = "openapi/reconstruction.txt";
/// A document of the user's own; its decisions are in the file that the second one names.
const OWN: &str = "DOCUMINE_OPENAPI";
const OWN_MAPPING: &str = "DOCUMINE_OPENAPI_MAPPING";

#[expect(clippy::print_stderr, reason = "how a build script talks to people")]
fn main() -> ExitCode {
    for watched in [
        VENDORED,
        PRIVATE,
        CONTRACT,
        "openapi/mapping.toml",
        "openapi/private/mapping.toml",
        "openapi/passes",
        "build.rs",
    ] {
        println!("cargo:rerun-if-changed={watched}");
    }
    for watched in [OWN, OWN_MAPPING] {
        println!("cargo:rerun-if-env-changed={watched}");
    }
    let (source, result) = match Source::find() {
        Ok(source) => (source.name.clone(), build(&source)),
        Err(reason) => (String::from(OWN), Err(vec![reason])),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            eprintln!("{source} can't be turned into a client:");
            for reason in reasons {
                eprintln!("  {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Where the document comes from.
struct Source {
    /// How errors call it.
    name: String,
    document: PathBuf,
    /// `None`: nothing was decided.
    decisions: Option<PathBuf>,
}

impl Source {
    fn find() -> Result<Self, String> {
        let named = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let whole = |variable: &str, path: PathBuf| {
            if path.is_absolute() {
                return Ok(path);
            }
            Err(format!(
                "{variable} is {:?}, and a build script does not know what that is relative to; write the whole path, or in .cargo/config.toml: [env] {variable} = {{ value = {:?}, relative = true }}",
                path.display().to_string(),
                path.display().to_string()
            ))
        };
        if let Some(document) = named(OWN) {
            let document = whole(OWN, document)?;
            let decisions = named(OWN_MAPPING).map(|path| whole(OWN_MAPPING, path)).transpose()?;
            for watched in [Some(&document), decisions.as_ref()].into_iter().flatten() {
                println!("cargo:rerun-if-changed={}", watched.display());
            }
            return Ok(Self { name: document.display().to_string(), document, decisions });
        }
        let folder = if Path::new(PRIVATE).exists() { "openapi/private" } else { "openapi" };
        let document = Path::new(folder).join("documine.json");
        let decisions = Path::new(folder).join("mapping.toml");
        let decisions = decisions.exists().then_some(decisions);
        Ok(Self { name: document.display().to_string(), document, decisions })
    }

    fn document(&self) -> Result<Value, Vec<String>> {
        let hint = if self.name == VENDORED { "; in the repository `cargo xtask regen` writes it" } else { "" };
        let text = text(&self.document).map_err(|error| vec![format!("{error}{hint}")])?;
        let read =
            if passes::read::is_json(&text) { passes::read::json(&text, &self.name) } else { yaml(&text, &self.name) };
        read.map_err(|reason| vec![reason])
    }

    fn decisions(&self) -> Result<Decisions, Vec<String>> {
        let Some(path) = &self.decisions else {
            return Ok(Decisions::default());
        };
        let text = text(path).map_err(|error| vec![error])?;
        Decisions::read(&text, &path.display().to_string())
    }
}

#[cfg(feature = "yaml")]
fn yaml(text: &str, name: &str) -> Result<Value, String> {
    yaml::document(text, name)
}

#[cfg(not(feature = "yaml"))]
fn yaml(_: &str, name: &str) -> Result<Value, String> {
    Err(format!("{name} is no JSON; for YAML switch on the feature `yaml`, or give the document as JSON"))
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn build(source: &Source) -> Result<(), Vec<String>> {
    let document = passes::canonical::text(&source.document()?);
    let contract = Contract::read(&text(Path::new(CONTRACT)).map_err(|error| vec![error])?)?;
    let passed = passes::run(&document, Some((&contract, &source.decisions()?)))?;
    let generated = code::generate(&passed.document)?;

    let is_ours = text(Path::new(OURS)).is_ok_and(|ours| ours.trim() == passes::fingerprint(&document));
    tell(&contract, &passed, is_ours);
    let origin = format!(
        "/// Whether it is the reconstruction that comes with this crate, not the official document.\npub const IS_RECONSTRUCTION: bool = {is_ours};\n\n/// The path of the document's server; every path in [`OPERATIONS`](crate::operations::OPERATIONS) begins with it.\npub const SERVER_PATH: &str = {:?};\n",
        passed.mapping.server
    );
    let folder = std::env::var_os("OUT_DIR").ok_or_else(|| vec![String::from("cargo sets no OUT_DIR")])?;
    let folder = PathBuf::from(folder);
    for (name, text) in [
        ("document.json", document),
        ("document.md", passed.mapping.page(&contract)),
        ("mapping.json", passes::canonical::text(&passed.data)),
        ("origin.rs", origin),
        ("prepared.json", passes::canonical::text(&passed.document)),
        ("client.rs", generated.client),
        ("enums.rs", generated.enums),
        ("operations.rs", generated.operations),
    ] {
        write(&folder.join(name), &text)?;
    }
    Ok(())
}

/// Marks for the tests of this package: which document it is, and what that has.
fn tell(contract: &Contract, passed: &passes::Passed, is_ours: bool) {
    let names: Vec<String> = contract.operations.keys().map(|id| format!("{id:?}")).collect();
    println!("cargo::rustc-check-cfg=cfg(reconstruction)");
    println!("cargo::rustc-check-cfg=cfg(has, values({}))", names.join(", "));
    if is_ours {
        println!("cargo::rustc-cfg=reconstruction");
    }
    for (id, mapped) in &passed.mapping.operations {
        if mapped.place.is_some() {
            println!("cargo::rustc-cfg=has={id:?}");
        }
    }
    // A package of this crate with somebody else's document in it.
    if !is_ours && Path::new("Cargo.toml.orig").exists() && std::env::var_os(OWN).is_none() {
        println!(
            "cargo::warning=THIS PACKAGE HOLDS A DOCUMENT THAT IS NOT OURS ({VENDORED}). It belongs to the service's maker and its subscribers: do not publish it. `cargo xtask regen --restore` puts ours back."
        );
    }
}

fn write(path: &Path, text: &str) -> Result<(), Vec<String>> {
    std::fs::write(path, text).map_err(|error| vec![format!("{}: {error}", path.display())])
}
