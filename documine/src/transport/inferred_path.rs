//! Recognises responses of a service that does not have the path of a call.
//!
//! Some paths of the reconstructed document are inferred. A service that uses another path responds with 404, 405, 415 or 501, and with the
//! error body of its web framework or of a proxy instead of the published one.

use ::http::StatusCode;
use documine_api::operations::{Operation, Provenance};
use serde_json::Value;

/// The statuses for an unknown path, method or media type.
const UNKNOWN_ROUTE_STATUSES: [StatusCode; 4] = [
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::NOT_IMPLEMENTED,
];

/// Members of framework error bodies: Spring's `{timestamp, status, error, path}`, and RFC 9457. A body without a timestamp is not the published
/// one either.
const FRAMEWORK_MEMBERS: [&str; 7] = ["status", "error", "path", "type", "title", "detail", "instance"];

/// Texts of frameworks for unknown paths, methods and media types, in lower case.
const UNKNOWN_ROUTE_TEXTS: [&str; 12] = [
    "cannot delete",
    "cannot get",
    "cannot post",
    "no message available",
    "no route",
    "page not found",
    "resource not found",
    "no static resource",
    "no handler found",
    "not supported",
    "not allowed",
    "not implemented",
];

/// Returns a note for an error response that may be due to a wrong path.
pub(super) fn note(operation: &Operation, status: StatusCode, body: &[u8]) -> Option<String> {
    let is_inferred = matches!(operation.provenance, Provenance::Described | Provenance::Inferred);
    (is_inferred && UNKNOWN_ROUTE_STATUSES.contains(&status) && !is_service_error(body)).then(|| {
        format!(
            "the path of {} is inferred; the service may use another one (see \"What this SDK stands on\" in the README)",
            operation.id
        )
    })
}

/// Returns whether an error body is the published `{timestamp, message}` of the service.
fn is_service_error(body: &[u8]) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return false };
    let message = match members.get("message") {
        None | Some(Value::Null) => return false,
        Some(Value::String(text)) => text.trim().to_lowercase(),
        Some(other) => other.to_string(),
    };
    let is_framework =
        !members.contains_key("timestamp") || FRAMEWORK_MEMBERS.iter().any(|name| members.contains_key(*name));
    let is_unknown_route = message == "not found" || UNKNOWN_ROUTE_TEXTS.iter().any(|text| message.contains(text));
    let unknown_path = is_framework && is_unknown_route;
    !message.is_empty() && !unknown_path
}

#[cfg(test)]
mod tests {
    use super::*;
    use documine_api::operations::UNLISTED;

    fn operation(provenance: Provenance) -> Operation {
        let mut operation = UNLISTED.clone();
        (operation.id, operation.provenance) = ("getDownloads", provenance);
        operation
    }

    #[test]
    fn notes_inferred_path_on_framework_errors() {
        let unknown: [&str; 14] = [
            r#"{"message":"no Route matched with those values","request_id":"8a"}"#,
            r#"{"message":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Resource not found"}"#,
            r#"{"statusCode":404,"message":"Cannot GET /api/downloads","error":"Not Found"}"#,
            "",
            "<html><body>404 Not Found</body></html>",
            "default backend - 404",
            "{}",
            "[]",
            r#"{"message":null}"#,
            r#"{"timestamp":"2024-03-12T10:00:00Z","status":404,"error":"Not Found","path":"/api/downloads"}"#,
            r#"{"timestamp":1710237600000,"status":404,"error":"Not Found","message":"No message available","path":"/api"}"#,
            r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"No static resource api/downloads."}"#,
            r#"{"status":405,"error":"Method Not Allowed","message":"Request method 'GET' is not supported","path":"/"}"#,
        ];
        for body in unknown {
            for status in UNKNOWN_ROUTE_STATUSES {
                for provenance in [Provenance::Inferred, Provenance::Described] {
                    let note = note(&operation(provenance), status, body.as_bytes());
                    let text = note.unwrap_or_default();
                    let start = "the path of getDownloads is inferred; the service may use another one";
                    assert!(text.starts_with(start), "{status} {body}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn adds_no_note_to_service_errors_and_published_paths() {
        let service_errors = [
            r#"{"timestamp":"2024-03-12T10:00:00Z","message":"No such package."}"#,
            r#"{"message":["No such package."]}"#,
            r#"{"status":404,"error":"Not Found","message":"Dossier 7 does not exist.","path":"/api"}"#,
        ];
        for body in service_errors {
            assert_eq!(note(&operation(Provenance::Inferred), StatusCode::NOT_FOUND, body.as_bytes()), None, "{body}");
        }
        for provenance in [Provenance::Published, Provenance::Unmarked] {
            assert_eq!(note(&operation(provenance), StatusCode::NOT_FOUND, b""), None);
        }
        for status in [400, 401, 403, 409, 410, 429, 500, 503] {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            assert_eq!(note(&operation(Provenance::Inferred), status, b""), None, "{status}");
        }
    }
}
