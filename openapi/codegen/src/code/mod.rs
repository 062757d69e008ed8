//! Generation of Rust source from a prepared document: the generator, passes over its syntax tree, and the tables for
//! handwritten code.
//!
//! Every code pass counts its edits. Where the result matters, the pass compares the count with the document, so that a newer
//! generator with different output fails the build instead of changing the client silently.

mod boxed_options;
mod client_constructor;
mod derive_default;
mod derive_schema;
mod doc_comments;
mod doc_fences;
mod generator;
mod lenient_scalars;
mod multipart_form;
mod non_exhaustive;
mod null_as_default;
mod open_enums;
mod operation_table;
mod plain_requests;
mod prepared_requests;
mod rare_methods;
mod syntax;
mod type_builders;
mod wire_names;

use serde_json::Value;
use syn::File;

/// A pass over the generated source.
pub struct CodePass {
    /// The name of the module.
    pub name: &'static str,
    /// Changes the source and returns the number of edits, or the reason for failing.
    pub apply: fn(&mut File, &Value) -> Result<usize, String>,
}

macro_rules! code_passes {
    ($($name:ident),* $(,)?) => {
        &[$(CodePass { name: stringify!($name), apply: $name::apply }),*]
    };
}

/// All code passes, in order.
pub const CODE_PASSES: &[CodePass] = code_passes![
    client_constructor,
    multipart_form,
    plain_requests,
    prepared_requests,
    rare_methods,
    type_builders,
    boxed_options,
    wire_names,
    derive_default,
    lenient_scalars,
    null_as_default,
    non_exhaustive,
    derive_schema,
    doc_fences,
    doc_comments,
];

/// The generated source files.
pub struct Generated {
    /// The client, its builders and the models.
    pub client: String,
    /// The open enums.
    pub enums: String,
    /// The table of operations.
    pub operations: String,
    /// The number of edits of each code pass, in order.
    pub counts: Vec<(&'static str, usize)>,
}

/// Generates the source from a prepared document; returns every reason on failure, one per line.
pub fn generate(document: &Value) -> Result<Generated, Vec<String>> {
    let tokens = generator::run(document)?;
    let mut file: File =
        syn::parse2(tokens).map_err(|error| vec![format!("the generated source is not valid Rust: {error}")])?;
    let mut counts = Vec::new();
    for pass in CODE_PASSES {
        let edits =
            (pass.apply)(&mut file, document).map_err(|error| vec![format!("code pass {}: {error}", pass.name)])?;
        counts.push((pass.name, edits));
    }
    let operations = operation_table::source(document, &mut file).map_err(|error| vec![error])?;
    Ok(Generated { client: prettyplease::unparse(&file), enums: open_enums::source(document), operations, counts })
}
