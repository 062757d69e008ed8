//! The whole generation for a build script: texts in, files for `OUT_DIR` and directives for cargo out.

use crate::canonical;
use crate::code;
use crate::contract::Contract;
use crate::decisions::Decisions;
use crate::read;

/// A text and the name that errors give it.
pub struct SourceText {
    /// A path, usually.
    pub name: String,
    /// The content.
    pub text: String,
}

/// The texts that a build depends on.
pub struct BuildInput {
    /// The OpenAPI document in JSON, or in YAML with the feature `yaml`.
    pub document: SourceText,
    /// `contract.toml`.
    pub contract: SourceText,
    /// `mapping.toml`; `None` without decisions.
    pub decisions: Option<SourceText>,
    /// The fingerprint of the reconstruction; `None` if it is not known.
    pub reconstruction: Option<SourceText>,
}

/// The result of a build.
pub struct BuildOutput {
    /// The files for `OUT_DIR`: name and content.
    pub files: Vec<(&'static str, String)>,
    /// The lines that the build script prints for cargo: the `cfg` values of the tests.
    pub directives: Vec<String>,
    /// `true` if the document is the reconstruction of this repository.
    pub is_reconstruction: bool,
}

/// Generates the client; returns every reason on failure, one per line.
pub fn build(input: &BuildInput) -> Result<BuildOutput, Vec<String>> {
    let SourceText { name, text } = &input.document;
    let in_document = |reason: String| if reason.starts_with(name) { reason } else { format!("{name}: {reason}") };
    let document = canonical::text(&read::document(text, name).map_err(|reason| vec![reason])?);
    let contract = Contract::read(&input.contract.text)?;
    let decisions = match &input.decisions {
        Some(decisions) => Decisions::read(&decisions.text, &decisions.name)?,
        None => Decisions::default(),
    };
    let generated = crate::prepare(&document, Some((&contract, &decisions)))
        .and_then(|passed| code::generate(&passed.document).map(|source| (passed, source)));
    let (passed, source) = generated.map_err(|reasons| reasons.into_iter().map(in_document).collect::<Vec<_>>())?;
    let fingerprint = input.reconstruction.as_ref().map(|known| known.text.trim());
    let is_reconstruction = fingerprint == Some(crate::fingerprint(&document).as_str());
    let server = &passed.mapping.server;
    let origin = format!(
        "/// `true` if the client was generated from the reconstruction in this crate, not from the official document.\n\
         pub const IS_RECONSTRUCTION: bool = {is_reconstruction};\n\n\
         /// The path of the document's server, the start of every path in [`OPERATIONS`](crate::operations::OPERATIONS).\n\
         pub const SERVER_PATH: &str = {server:?};\n"
    );
    let directives = directives(&contract, &passed, is_reconstruction);
    let files = vec![
        ("document.json", document),
        ("document.md", passed.mapping.to_markdown(&contract)),
        ("mapping.json", canonical::text(&passed.data)),
        ("origin.rs", origin),
        ("prepared.json", canonical::text(&passed.document)),
        ("client.rs", source.client),
        ("enums.rs", source.enums),
        ("operations.rs", source.operations),
    ];
    Ok(BuildOutput { files, directives, is_reconstruction })
}

/// The `cfg` values by which tests of this repository know the document and its operations.
fn directives(contract: &Contract, passed: &crate::PreparedDocument, is_reconstruction: bool) -> Vec<String> {
    let ids: Vec<String> = contract.operations.keys().map(|id| format!("{id:?}")).collect();
    let mut lines = vec![
        String::from("cargo::rustc-check-cfg=cfg(reconstruction)"),
        format!("cargo::rustc-check-cfg=cfg(has, values({}))", ids.join(", ")),
    ];
    lines.extend(is_reconstruction.then(|| String::from("cargo::rustc-cfg=reconstruction")));
    let found = passed.mapping.operations.iter().filter(|(_, mapped)| mapped.location.is_some());
    lines.extend(found.map(|(id, _)| format!("cargo::rustc-cfg=has={id:?}")));
    lines
}
