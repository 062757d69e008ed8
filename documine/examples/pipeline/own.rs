//! Types of this program's own, into which the components are read.
//!
//! Each field belongs to the component of its name, here in PascalCase. What a document may lack is an `Option`, what it may hold several
//! times is a `Vec`; numbers and dates are parsed from the component's text. Any type with `Deserialize` will do.

use chrono::NaiveDate;
use documine::Components;
use serde::Deserialize;

/// The components of a study report.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only shown, by its Debug")]
pub(crate) struct StudyReport {
    title: Option<String>,
    study_number: Option<String>,
    sponsor: Option<String>,
    test_item: Option<String>,
    species: Option<String>,
    #[serde(default)]
    guidelines: Vec<String>,
    #[serde(default)]
    batch_numbers: Vec<String>,
    completion_date: Option<NaiveDate>,
    #[serde(rename = "GlpCompliance")]
    glp: Option<bool>,
    #[serde(rename = "PageCount")]
    pages: Option<u32>,
}

/// The components of an invoice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only shown, by its Debug")]
pub(crate) struct Invoice {
    #[serde(rename = "InvoiceNumber")]
    number: String,
    #[serde(rename = "InvoiceDate")]
    date: Option<NaiveDate>,
    due_date: Option<NaiveDate>,
    supplier: Option<String>,
    customer: Option<String>,
    net_amount: Option<f64>,
    tax_amount: Option<f64>,
    total_amount: Option<f64>,
    currency: Option<String>,
}

/// The type of a document.
#[derive(Debug)]
pub(crate) enum Document {
    Invoice(Invoice),
    StudyReport(StudyReport),
}

impl Document {
    /// An invoice is what has an invoice number; everything else is read as a report.
    pub(crate) fn read(components: &Components) -> documine::Result<Self> {
        if components.values("InvoiceNumber").is_empty() {
            components.extract().map(Self::StudyReport)
        } else {
            components.extract().map(Self::Invoice)
        }
    }

    /// The Rust value as `{:#?}` prints it, but each `Some(…)` on one line.
    pub(crate) fn lines(&self) -> String {
        let printed = match self {
            Self::Invoice(invoice) => format!("{invoice:#?}"),
            Self::StudyReport(report) => format!("{report:#?}"),
        };
        let mut lines = printed.lines();
        let mut shorter = String::with_capacity(printed.len());
        while let Some(line) = lines.next() {
            shorter.push_str(line);
            if line.ends_with("Some(") {
                shorter.push_str(lines.next().unwrap_or_default().trim().trim_end_matches(','));
                shorter.push_str(lines.next().unwrap_or_default().trim());
            }
            shorter.push('\n');
        }
        shorter
    }
}
