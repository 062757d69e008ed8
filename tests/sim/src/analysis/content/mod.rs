//! Brings pages into a form that the PDF library reads without stumbling.
//!
//! The library panics at operators, resources and fonts that it does not expect, and the rest of the page is lost with it. So pages are drawn anew: only
//! the operators that place text remain, forms are drawn in their place, and each font is one that the library knows. Text in a font that can't be read is
//! left out and reported; everything else on the page stays.

mod charset;
mod fonts;
mod lexer;
mod text_operators;

pub(super) use fonts::Fonts;
pub(super) use text_operators::{PageContent, TextOperator, text_operators};
