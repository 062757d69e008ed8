//! Converts pages to a form that the PDF library reads without failing.
//!
//! The library panics at unexpected operators, resources and fonts, and the rest of the page is lost. Pages are therefore redrawn: only operators
//! that place text remain, forms are expanded in place, and every font is replaced with one that the library knows. Text in an unreadable font is
//! left out and reported; everything else on the page remains.

mod charset;
mod fonts;
mod lexer;
mod text_operators;

pub(super) use fonts::Fonts;
pub(super) use text_operators::{PageContent, TextOperator, text_operators};
