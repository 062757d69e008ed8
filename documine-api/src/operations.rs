//! The operations of the OpenAPI document as data: names, paths, what they answer, how lists come.
//!
//! ```
//! use documine_api::operations::{OPERATIONS, Answer, operation};
//!
//! let upload = operation("uploadFile").expect("there is one");
//! assert_eq!(upload.method, "POST");
//! assert!(OPERATIONS.iter().any(|operation| operation.answer == Answer::Binary));
//! ```

use crate::unsupported::Unsupported;

/// One operation of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its name: that of the contract where `canonical`, else its `operationId` in the document.
    pub id: &'static str,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// The first tag it stands under.
    pub tag: &'static str,
    /// What a successful answer holds.
    pub answer: Answer,
    /// How a list comes.
    pub paging: Paging,
    /// The member of the answer that holds the list, as it is spelt on the wire.
    pub items: Option<&'static str>,
    /// How sure its name and path are.
    pub provenance: Provenance,
    /// Whether the crate `documine` knows it, under this id.
    pub canonical: bool,
    /// Whether the document lacks it: a call fails before anything is sent, with [`Unsupported`].
    pub missing: bool,
    /// Query parameters that the document lacks, each with the value that means the same as leaving it out.
    pub missing_query: &'static [(&'static str, Option<&'static str>)],
    /// The part of a form that holds the file.
    pub part: Option<&'static str>,
    /// Query parameters that the document takes as parts of the form instead: name, name of the part, and the value to send when there is none of
    /// the caller's, since the part is required.
    pub parts: &'static [(&'static str, &'static str, Option<&'static str>)],
}

/// What a successful answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing.
    Empty,
    /// JSON.
    Json,
    /// JSON, or another form when the request asks for it.
    JsonOrXml,
    /// Bytes.
    Binary,
}

/// How a list comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paging {
    /// All of it in one answer.
    None,
    /// By number and size of the page.
    PageSize,
    /// By a link to the next page.
    Link,
    /// The answer is no list.
    NotAList,
}

/// How sure the name and path of an operation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provenance {
    /// Seen in public material.
    Published,
    /// The capability is described in public, name or path are ours.
    Described,
    /// Ours, by analogy.
    Inferred,
    /// The document does not say.
    Unmarked,
}

/// Stands for a request that no operation of the document describes.
pub static UNLISTED: Operation = Operation {
    id: "request",
    method: "",
    path: "",
    tag: "",
    answer: Answer::Json,
    paging: Paging::NotAList,
    items: None,
    provenance: Provenance::Unmarked,
    canonical: false,
    missing: false,
    missing_query: &[],
    part: None,
    parts: &[],
};

/// One generated method.
#[derive(Debug)]
pub(crate) struct Method {
    /// As the generator spells it: `get_components_xml`.
    pub(crate) name: &'static str,
    /// Where its operation stands in [`OPERATIONS`].
    operation: usize,
    /// The media types its requests accept.
    pub(crate) accept: &'static str,
    /// Whether the document lacks it.
    pub(crate) missing: bool,
    /// The media type of its bodies, where it is another than the generated method says.
    pub(crate) content_type: Option<&'static str>,
}

impl Method {
    /// The operation it belongs to.
    pub(crate) fn operation(&self) -> &'static Operation {
        OPERATIONS.get(self.operation).unwrap_or(&UNLISTED)
    }

    /// The operation, where the document offers what the request asks of it. Query parameters that the document lacks are taken out where
    /// that changes nothing.
    pub(crate) fn supported(&self, request: &mut reqwest::Request) -> Result<&'static Operation, Unsupported> {
        let operation = self.operation();
        match Unsupported::form(operation, self.missing).or_else(|| Unsupported::query(operation, request)) {
            Some(unsupported) => Err(unsupported),
            None => Ok(operation),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// The operation with this `operationId`.
pub fn operation(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id)
}

/// The generated method of this name.
pub(crate) fn method(name: &str) -> Option<&'static Method> {
    let index = METHODS.binary_search_by_key(&name, |method| method.name).ok()?;
    METHODS.get(index)
}

#[cfg(test)]
mod tests {
    use super::{METHODS, OPERATIONS, method, operation};

    #[test]
    fn every_method_is_found_and_leads_to_an_operation() {
        assert!(!METHODS.is_empty());
        for known in METHODS {
            let found = method(known.name).expect("is found");
            assert_eq!(found.name, known.name);
            assert!(OPERATIONS.contains(found.operation()), "{}", known.name);
            assert!(found.accept.contains('/'), "{}", known.name);
            assert!(found.content_type.is_none_or(|name| name.contains('/')), "{}", known.name);
        }
        assert!(method("no_such_method").is_none());
    }

    #[test]
    fn every_operation_is_found_and_has_a_method() {
        for (index, known) in OPERATIONS.iter().enumerate() {
            assert_eq!(operation(known.id), Some(known));
            assert!(METHODS.iter().any(|method| method.operation == index), "{}", known.id);
        }
    }

    #[test]
    fn another_form_belongs_to_the_operation_of_the_document() {
        let xml = method("get_components_xml").expect("is there");
        assert!(xml.accept.contains("xml"), "{}", xml.accept);
        assert_eq!(xml.operation().id, "getComponents");
    }
}
