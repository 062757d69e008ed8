//! Why: the generator writes each schema into the doc comment of its type, names and values included, which the document pass
//! `texts` leaves alone. A carriage return in a comment breaks the build; so do characters that change the direction of text.
//! Finds: doc comments with such characters.
//! Holds afterwards: none is left.
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
