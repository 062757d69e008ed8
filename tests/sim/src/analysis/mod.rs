//! Analysis of uploads: parses PDFs and extracts values from their text by rules.

mod amounts;
mod content;
mod currencies;
mod engine;
mod layout;
mod normalise;
mod pdf;
mod reader;
mod repair;
mod rules;
mod title;

pub(crate) use engine::{Component, ExtractedValue, RuleInput, apply_rules};
pub(crate) use pdf::{DocumentText, ReadError};
pub(crate) use reader::PdfReaders;
pub use rules::{RuleError, Rules};
