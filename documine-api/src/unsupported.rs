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

#[cfg(test)]
mod tests {
    use super::Unsupported;
    use crate::operations::{Operation, UNLISTED};

    fn operation() -> &'static Operation {
        static LISTED: Operation = Operation {
            id: "deleteFile",
            method: "DELETE",
            path: "/api/files/{fileId}",
            missing_query: &[("deletePermanently", Some("false")), ("since", None)],
            ..UNLISTED_COPY
        };
        &LISTED
    }

    const UNLISTED_COPY: Operation = Operation {
        id: "",
        method: "",
        path: "",
        tag: "",
        answer: crate::operations::Answer::Empty,
        paging: crate::operations::Paging::NotAList,
        items: None,
        provenance: crate::operations::Provenance::Unmarked,
        canonical: true,
        missing: false,
        missing_query: &[],
        part: None,
        parts: &[],
    };

    fn query(text: &str) -> (Option<String>, String) {
        let url = format!("https://acme.example/api/files/1{text}").parse().expect("a URL");
        let mut request = reqwest::Request::new(reqwest::Method::DELETE, url);
        let refused = Unsupported::query(operation(), &mut request).map(|refused| refused.to_string());
        (refused, request.url().query().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_parameter_that_the_document_lacks_is_left_out_when_that_means_the_same() {
        assert_eq!(query(""), (None, String::new()));
        assert_eq!(query("?deletePermanently=false"), (None, String::new()));
        assert_eq!(query("?a=%26&deletePermanently=false"), (None, String::from("a=%26")));
    }

    #[test]
    fn any_other_value_of_it_is_refused() {
        for (text, part) in [("?deletePermanently=true", "deletePermanently=true"), ("?since=false", "since=false")] {
            let (refused, _) = query(text);
            let refused = refused.expect("is refused");
            assert!(refused.contains(part) && refused.ends_with("(deleteFile)"), "{refused}");
        }
    }

    #[test]
    fn a_form_that_the_document_lacks_is_refused() {
        assert_eq!(Unsupported::form(&UNLISTED, false), None);
        let text = Unsupported::form(operation(), true).map(|refused| refused.to_string()).unwrap_or_default();
        assert!(text.contains("this form of its answer (deleteFile)"), "{text}");
    }
}
