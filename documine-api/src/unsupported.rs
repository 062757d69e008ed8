//! What the document that the build was made from does not offer.

use std::fmt;

use crate::operations::Operation;

/// A call that the document does not know: nothing was sent.
///
/// It stands in the chain of sources of the error that a raw call gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    operation: &'static str,
    what: String,
}

impl Unsupported {
    /// The name of the operation.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether the request can't be sent, since the document lacks its operation or this form of it.
    pub(crate) fn form(operation: &'static Operation, missing: bool) -> Option<Self> {
        let what = match (operation.missing, missing) {
            (true, _) => format!("{} {}", operation.method, operation.path),
            (false, true) => String::from("this form of its answer"),
            (false, false) => return None,
        };
        Some(Self { operation: operation.id, what })
    }

    /// Takes query parameters that the document lacks out of the request where that changes nothing.
    pub(crate) fn query(operation: &'static Operation, request: &mut reqwest::Request) -> Option<Self> {
        if operation.missing_query.is_empty() || request.url().query().is_none() {
            return None;
        }
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in request.url().query_pairs().into_owned() {
            match operation.missing_query.iter().find(|(missing, _)| *missing == name) {
                Some((_, default)) if *default == Some(value.as_str()) => {}
                Some(_) => {
                    return Some(Self { operation: operation.id, what: format!("the query parameter {name}={value}") });
                }
                None => kept.push((name, value)),
            }
        }
        let url = request.url_mut();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(&kept);
        }
        None
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the document that this build was made from does not have {} ({})", self.what, self.operation)
    }
}

impl std::error::Error for Unsupported {}
