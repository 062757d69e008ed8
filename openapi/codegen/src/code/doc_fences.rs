//! Turns generated examples into plain text.
//!
//! Why: each generated method has an example in an `ignore` fence, which documentation tests list as ignored. The example
//! cannot compile, because the generator does not know the name of the crate.
//! Finds: doc comments with such a fence.
//! Holds afterwards: the fence is plain text.
//! Delete when: the generator emits examples that compile.

use serde_json::Value;
use syn::File;

use super::syntax;
use crate::tree::{self, NodeKind};

/// The start of an example in generated comments.
const FENCE: &str = "```ignore";

pub(super) fn apply(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut operations = 0;
    tree::visit_kind(&mut document.clone(), NodeKind::Operation, &mut |_, _| operations += 1);
    let fences = syntax::change_docs(file, |text| text.contains(FENCE).then(|| text.replace(FENCE, "```text")));
    if fences == operations {
        Ok(operations)
    } else {
        Err(format!("expected an example for each of {operations} operations, found {fences}"))
    }
}
