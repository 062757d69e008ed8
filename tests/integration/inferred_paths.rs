//! Errors for paths that the document only infers: they note that the service may use another path.

use documine::Error;

use crate::harness::canned_server::response;
use crate::harness::scripted::{client, scripted_server};

const NOTE: &str = "is inferred; the service may use another one (see \"What this SDK stands on\" in the README)";

/// Responses with status, media type and body, and whether the path may be unknown to the service.
const RESPONSES: [(&str, &str, &str, bool); 11] = [
    ("404 Not Found", "text/plain", "", true),
    ("404 Not Found", "text/html", "<html>nginx</html>", true),
    ("404 Not Found", "text/plain", "default backend - 404", true),
    ("404 Not Found", "application/json", r#"{"status":404,"error":"Not Found","path":"/api/downloads"}"#, true),
    ("404 Not Found", "application/problem+json", r#"{"title":"Not Found","detail":"No static resource."}"#, true),
    ("405 Method Not Allowed", "application/json", r#"{"status":405,"error":"Method Not Allowed"}"#, true),
    ("415 Unsupported Media Type", "text/plain", "", true),
    ("501 Not Implemented", "text/plain", "", true),
    (
        "404 Not Found",
        "application/json",
        r#"{"timestamp":"2024-03-12T10:00:00Z","message":"No such account."}"#,
        false,
    ),
    ("403 Forbidden", "text/plain", "", false),
    ("500 Internal Server Error", "text/plain", "", false),
];

fn has_note(error: &Error, operation: &str) -> bool {
    error.to_string().contains(&format!("the path of {operation} {NOTE}"))
}

#[tokio::test]
async fn notes_inferred_path_in_error_for_unknown_path() {
    for (status, media_type, body, expected) in RESPONSES {
        let service = scripted_server(vec![response(status, &[&format!("Content-Type: {media_type}")], body)]).await;
        let client = client(&service.base).await;
        let error = client.downloads().await.unwrap_err();
        assert_eq!(has_note(&error, "getDownloads"), expected, "{error}");
        assert_eq!(error.is_not_found(), status.starts_with("404"));
        let error = client.license().await.unwrap_err();
        assert_eq!(
            has_note(&error, "getLicense"),
            expected,
            "the path of a described operation is inferred too: {error}"
        );
    }
}

#[tokio::test]
async fn adds_no_note_for_published_or_caller_provided_path() {
    for (status, media_type, body, _) in RESPONSES {
        let service = scripted_server(vec![response(status, &[&format!("Content-Type: {media_type}")], body)]).await;
        let client = client(&service.base).await;
        let published = client.dossier_templates().await.unwrap_err();
        let own = client.request(http::Method::GET, "/api/nothing", None).await.unwrap_err();
        for error in [published, own] {
            assert!(!error.to_string().contains("inferred"), "{error}");
        }
    }
}
