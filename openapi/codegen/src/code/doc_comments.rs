//! Removes unsafe characters from doc comments.
//!
//! Why: the generator writes each schema, names and values included, into the doc comment of its type, where the document pass
//! `descriptions` has no effect. Carriage returns and bidirectional control characters in comments break the build.
//! Finds: doc comments with such characters.
//! Holds afterwards: no doc comment contains one.
//! Delete when: the generator leaves schemas out of comments.

use serde_json::Value;
use syn::File;

use super::syntax;
use crate::descriptions;

#[expect(clippy::unnecessary_wraps, reason = "the signature of a code pass")]
pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    Ok(syntax::change_docs(file, |text| {
        let clean = descriptions::visible(text);
        (clean != text).then_some(clean)
    }))
}
