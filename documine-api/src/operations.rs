//! The table of the operations in the OpenAPI document: names, paths, responses, paging.
//!
//! ```
//! use documine_api::operations::{OPERATIONS, ResponseKind, operation};
//!
//! let upload = operation("uploadFile").expect("uploadFile is in the table");
//! assert_eq!(upload.method, "POST");
//! assert!(OPERATIONS.iter().any(|operation| operation.response == ResponseKind::Binary));
//! ```

/// An operation of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The name: the contract's if `canonical`, else the `operationId` of the document.
    pub id: &'static str,
    /// The HTTP method in upper case.
    pub method: &'static str,
    /// The path template with parameters in braces.
    pub path: &'static str,
    /// The first tag.
    pub tag: &'static str,
    /// The content of a successful response.
    pub response: ResponseKind,
    /// The kind of paging.
    pub paging: Paging,
    /// The wire name of the response field that holds the list.
    pub items: Option<&'static str>,
    /// The certainty of name and path.
    pub provenance: Provenance,
    /// `true` if the contract of the crate `documine` defines the operation, under this id.
    pub canonical: bool,
    /// `true` if the document lacks the operation: a call fails with [`Unsupported`](crate::Unsupported) before anything is sent.
    pub missing: bool,
    /// Query parameters that the document lacks, each with the value that is equivalent to leaving the parameter out.
    pub missing_query: &'static [(&'static str, Option<&'static str>)],
    /// The form part that holds the file.
    pub part: Option<&'static str>,
    /// Query parameters that the document declares as form parts: name, name of the part, and the default for a required part.
    pub parts: &'static [(&'static str, &'static str, Option<&'static str>)],
}

/// The content of a successful response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseKind {
    /// No body.
    Empty,
    /// JSON.
    Json,
    /// JSON, or XML if the request accepts XML.
    JsonOrXml,
    /// Bytes.
    Binary,
}

/// The kind of paging of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paging {
    /// The whole list in one response.
    None,
    /// Page number and page size as parameters.
    PageSize,
    /// A link to the next page in the response.
    Link,
    /// The response is not a list.
    NotAList,
}

/// The certainty of the name and path of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// Found in public material.
    Published,
    /// The capability is described in public material; name or path are a reconstruction.
    Described,
    /// A reconstruction by analogy.
    Inferred,
    /// Not stated by the document.
    Unmarked,
}

/// The placeholder for a request that no operation of the document describes.
pub static UNLISTED: Operation = Operation {
    id: "request",
    method: "",
    path: "",
    tag: "",
    response: ResponseKind::Json,
    paging: Paging::NotAList,
    items: None,
    provenance: Provenance::Unmarked,
    canonical: false,
    missing: false,
    missing_query: &[],
    part: None,
    parts: &[],
};

/// A generated method.
#[derive(Debug)]
pub(crate) struct Method {
    /// The name in the generated client: `get_components_xml`.
    pub(crate) name: &'static str,
    /// The index of the operation in [`OPERATIONS`].
    operation: usize,
    /// The `Accept` header of the request.
    pub(crate) accept: &'static str,
    /// `true` if the document lacks this form of the response.
    pub(crate) missing: bool,
    /// The media type of the request body, if the generated method sets another one.
    pub(crate) content_type: Option<&'static str>,
}

impl Method {
    /// Returns the operation of the method.
    pub(crate) fn operation(&self) -> &'static Operation {
        OPERATIONS.get(self.operation).unwrap_or(&UNLISTED)
    }
}

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// Finds an operation by id.
pub fn operation(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id)
}

/// Finds a generated method by name.
pub(crate) fn method(name: &str) -> Option<&'static Method> {
    let index = METHODS.binary_search_by_key(&name, |method| method.name).ok()?;
    METHODS.get(index)
}

#[cfg(test)]
mod tests {
    use super::{METHODS, OPERATIONS, method, operation};

    #[test]
    fn finds_every_method_and_its_operation() {
        assert!(!METHODS.is_empty());
        for known in METHODS {
            let found = method(known.name).expect("found");
            assert_eq!(found.name, known.name);
            assert!(OPERATIONS.contains(found.operation()), "{}", known.name);
            assert!(found.accept.contains('/'), "{}", known.name);
            assert!(found.content_type.is_none_or(|name| name.contains('/')), "{}", known.name);
        }
        assert!(method("no_such_method").is_none());
    }

    #[test]
    fn finds_every_operation_and_a_method_for_each() {
        for (index, known) in OPERATIONS.iter().enumerate() {
            assert_eq!(operation(known.id), Some(known));
            assert!(METHODS.iter().any(|method| method.operation == index), "{}", known.id);
        }
    }

    #[test]
    fn maps_the_xml_method_to_the_operation_of_the_document() {
        let xml = method("get_components_xml").expect("found");
        assert!(xml.accept.contains("xml"), "{}", xml.accept);
        assert_eq!(xml.operation().id, "getComponents");
    }
}
