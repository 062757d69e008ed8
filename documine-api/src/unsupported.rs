//! The check that the document of this build offers what a request needs.

use std::fmt;

use crate::operations::{Method, Operation};

/// An error for a call that the document of this build does not support; nothing was sent.
///
/// A call of the raw client returns this error in the chain of sources of its own error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    operation: &'static str,
    missing: String,
}

impl Unsupported {
    /// Returns the name of the operation.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

/// Returns the operation of a request to `method`, or an error if the document lacks the operation, this form of its response or a
/// query parameter. Removes query parameters that the document lacks if the value is their default.
pub(crate) fn check(method: &Method, request: &mut reqwest::Request) -> Result<&'static Operation, Unsupported> {
    let operation = method.operation();
    check_response_form(operation, method.missing)?;
    remove_missing_parameters(operation, request)?;
    Ok(operation)
}

fn check_response_form(operation: &Operation, is_form_missing: bool) -> Result<(), Unsupported> {
    let missing = match (operation.missing, is_form_missing) {
        (true, _) => format!("{} {}", operation.method, operation.path),
        (false, true) => String::from("this form of the response"),
        (false, false) => return Ok(()),
    };
    Err(Unsupported { operation: operation.id, missing })
}

fn remove_missing_parameters(operation: &Operation, request: &mut reqwest::Request) -> Result<(), Unsupported> {
    if operation.missing_query.is_empty() || request.url().query().is_none() {
        return Ok(());
    }
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in request.url().query_pairs().into_owned() {
        match operation.missing_query.iter().find(|(missing, _)| *missing == name) {
            Some((_, default)) if *default == Some(value.as_str()) => {}
            Some(_) => {
                let missing = format!("the query parameter {name}={value}");
                return Err(Unsupported { operation: operation.id, missing });
            }
            None => kept.push((name, value)),
        }
    }
    let url = request.url_mut();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(&kept);
    }
    Ok(())
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the API document of this build does not have {}; nothing was sent", self.operation, self.missing)
    }
}

impl std::error::Error for Unsupported {}

#[cfg(test)]
mod tests {
    use super::{check_response_form, remove_missing_parameters};
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
        response: crate::operations::ResponseKind::Empty,
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
        let refused = remove_missing_parameters(operation(), &mut request).err().map(|error| error.to_string());
        (refused, request.url().query().unwrap_or_default().to_owned())
    }

    #[test]
    fn removes_missing_parameters_with_the_default_value() {
        assert_eq!(query(""), (None, String::new()));
        assert_eq!(query("?deletePermanently=false"), (None, String::new()));
        assert_eq!(query("?a=%26&deletePermanently=false"), (None, String::from("a=%26")));
    }

    #[test]
    fn rejects_missing_parameters_with_other_values() {
        for (text, part) in [("?deletePermanently=true", "deletePermanently=true"), ("?since=false", "since=false")] {
            let (refused, _) = query(text);
            let refused = refused.expect("rejected");
            assert!(refused.contains(part) && refused.starts_with("deleteFile: "), "{refused}");
        }
    }

    #[test]
    fn rejects_missing_forms_of_the_response() {
        assert_eq!(check_response_form(&UNLISTED, false), Ok(()));
        let text = check_response_form(operation(), true).expect_err("rejected").to_string();
        assert!(text.starts_with("deleteFile: ") && text.contains("this form of the response"), "{text}");
    }
}
