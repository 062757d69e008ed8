//! Answers: status, media type, body.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::compile::{Answer, Operation};
use super::document::{covers, essence};
use super::{Checker, Findings, Side, Violation};

impl Checker {
    /// What of an answer does not fit. `body` is `None` if it was not kept, and is not looked at then.
    ///
    /// Not for answers that a fault was meant to spoil.
    pub fn check_response(
        &self,
        operation: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Vec<Violation> {
        let mut findings = Findings::new(operation, Side::Response);
        let Some(declared) = self.operations.get(operation) else {
            findings.add("", "an answer for an operation that is not in the document");
            return findings.found;
        };
        let Some(answer) = documented(declared, status) else {
            findings.add("status", format!("{} is not documented", status.as_u16()));
            return findings.found;
        };
        for name in answer.required_headers.iter().filter(|name| !headers.contains_key(name.as_str())) {
            findings.add(format!("header/{name}"), "missing");
        }
        check_body(answer, headers, body, &mut findings);
        findings.found
    }
}

/// The documented answer for a status: by itself, by its class (`4XX`), or the default one.
fn documented(operation: &Operation, status: StatusCode) -> Option<&Answer> {
    let class = format!("{}XX", status.as_u16() / 100);
    [status.as_str(), &class, "DEFAULT"].iter().find_map(|key| operation.answers.get(*key))
}

fn check_body(answer: &Answer, headers: &HeaderMap, body: Option<&Bytes>, findings: &mut Findings<'_>) {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if answer.content.is_empty() {
        if body.is_some_and(|body| !body.is_empty()) {
            findings.add("", "a body, where none is documented");
        }
        return;
    }
    let Some(given) = given else {
        findings.add("content-type", "missing");
        return;
    };
    let Some(media) = answer.content.iter().find(|media| covers(&media.name, &essence(given))) else {
        let known: Vec<&str> = answer.content.iter().map(|media| media.name.as_str()).collect();
        findings.add("content-type", format!("`{given}` instead of {}", known.join(" or ")));
        return;
    };
    if let (Some(schema), Some(body)) = (&media.schema, body) {
        match serde_json::from_slice(body) {
            Ok(value) => schema.check(&value, "", findings),
            Err(error) => findings.add("", format!("no JSON: {error}")),
        }
    }
}
