//! Why: the generator writes each schema into the doc comment of its type, names and values included, which the document pass
//! `texts` leaves alone. A carriage return in a comment breaks the build; so do characters that change the direction of text.
//! Looks for: doc comments with such characters.
//! Holds afterwards: none is left.
//! Delete when: the generator leaves schemas out of comments.

use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, File, Lit, LitStr, Meta};

use crate::passes::texts;

pub(super) fn apply(file: &mut File, _: &Value) -> Result<usize, String> {
    let mut comments = Comments(0);
    comments.visit_file_mut(file);
    Ok(comments.0)
}

struct Comments(usize);

impl VisitMut for Comments {
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        visit_mut::visit_attribute_mut(self, attribute);
        if let Meta::NameValue(doc) = &mut attribute.meta
            && doc.path.is_ident("doc")
            && let Expr::Lit(literal) = &mut doc.value
            && let Lit::Str(text) = &mut literal.lit
        {
            let value = text.value();
            let clean = texts::visible(&value);
            if clean != value {
                *text = LitStr::new(&clean, text.span());
                self.0 += 1;
            }
        }
    }
}
