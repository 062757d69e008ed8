//! Why: each generated method carries an example in an `ignore` fence: it can't compile, since the generator does not know the
//! crate's name, and the documentation tests would list it as ignored.
//! Looks for: doc comments with such a fence.
//! Holds afterwards: the fence is plain text.
//! Delete when: the generator writes examples that compile.

use serde_json::Value;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, File, Lit, LitStr, Meta};

use crate::passes::walk::{self, Node};

pub(super) fn apply(file: &mut File, document: &Value) -> Result<usize, String> {
    let mut operations = 0;
    walk::every(&mut document.clone(), Node::Operation, &mut |_, _| operations += 1);
    let mut fences = Fences(0);
    fences.visit_file_mut(file);
    if fences.0 == operations {
        Ok(operations)
    } else {
        Err(format!("{operations} operations have {} examples", fences.0))
    }
}

struct Fences(usize);

impl VisitMut for Fences {
    fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
        visit_mut::visit_attribute_mut(self, attribute);
        if let Meta::NameValue(doc) = &mut attribute.meta
            && doc.path.is_ident("doc")
            && let Expr::Lit(literal) = &mut doc.value
            && let Lit::Str(text) = &mut literal.lit
            && text.value().contains("```ignore")
        {
            *text = LitStr::new(&text.value().replace("```ignore", "```text"), text.span());
            self.0 += 1;
        }
    }
}
