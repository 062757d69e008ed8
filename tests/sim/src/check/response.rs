//! The check of responses: status, media type, body.

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{HeaderMap, StatusCode};

use super::checker::Checker;
use super::compile::{OperationSpec, ResponseSpec};
use super::document::{essence, is_json};
use super::media::{check_json, declared_media};
use super::schema::Strictness;
use super::violation::{Findings, Side, Violation};

impl Checker {
    /// Returns the violations of a response. `body` is `None` if it was not kept, and is then not checked.
    ///
    /// Responses with a fault must not be checked.
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
        if documented(declared, status).is_none() && check_range(declared, status, headers, &mut findings) {
            return findings.found;
        }
        if self.strictness == Strictness::Lenient && !status.is_success() {
            return findings.found;
        }
        let Some(response) = documented(declared, status) else {
            findings.add("status", format!("{} is not documented", status.as_u16()));
            return findings.found;
        };
        for name in response.required_headers.iter().filter(|name| !headers.contains_key(name.as_str())) {
            findings.add(format!("header/{name}"), "missing");
        }
        check_body(response, headers, body, &mut findings);
        findings.found
    }
}

/// Returns the specification for a status: its own, the one of its class (`4XX`), or the default.
fn documented(operation: &OperationSpec, status: StatusCode) -> Option<&ResponseSpec> {
    let class = format!("{}XX", status.as_u16() / 100);
    [status.as_str(), &class, "DEFAULT"].iter().find_map(|key| operation.responses.get(*key))
}

/// Checks a 206 or 416, which may answer a `Range` header wherever 200 returns bytes (RFC 9110, section 14), also without documentation.
///
/// Returns `false` for any other response.
fn check_range(declared: &OperationSpec, status: StatusCode, headers: &HeaderMap, findings: &mut Findings<'_>) -> bool {
    let whole = documented(declared, StatusCode::OK);
    let Some(whole) = whole.filter(|whole| whole.content.iter().any(|media| !is_text(&media.name))) else {
        return false;
    };
    if ![StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE].contains(&status) {
        return false;
    }
    if !headers.contains_key(CONTENT_RANGE) {
        findings.add("header/content-range", "missing");
    }
    if status == StatusCode::PARTIAL_CONTENT {
        // A part of a body matches no schema, but has the media type of the whole.
        check_body(whole, headers, None, findings);
    }
    true
}

/// Returns whether bodies of this media type are structured text, which clients do not request in ranges.
fn is_text(media_type: &str) -> bool {
    let essence = essence(media_type);
    is_json(&essence) || essence.starts_with("text/") || essence.ends_with("xml")
}

fn check_body(response: &ResponseSpec, headers: &HeaderMap, body: Option<&Bytes>, findings: &mut Findings<'_>) {
    if response.content.is_empty() {
        if body.is_some_and(|body| !body.is_empty()) {
            findings.add("", "a body, where none is documented");
        }
        return;
    }
    let Some((media, given)) = declared_media(&response.content, headers, findings) else { return };
    if let Some(body) = body {
        check_json(media, given, body, findings);
    }
}
