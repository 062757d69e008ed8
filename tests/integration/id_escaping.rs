//! Ids that contain path or query syntax: no id reaches another resource than the one it names.

use documine::{
    DossierTemplateId,
    models::{DossierId, DownloadId, FileId},
};

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::{TestEnv, is_operation, operation_path, originals};

/// Texts with a meaning in URLs or parsers.
fn hostile_ids() -> Vec<String> {
    let texts = [
        "",
        " ",
        ".",
        "..",
        "...",
        "/",
        "//",
        "a/b",
        "/api/users",
        "../users",
        "../../api/users",
        "..\\users",
        "\\",
        "\\..\\..\\users",
        "..\\..\\..",
        "?",
        "?deletePermanently=true",
        "x?deletePermanently=true",
        "#",
        "x#y",
        "%",
        "%2e",
        "%2e%2e",
        "%2E%2e",
        ".%2e",
        "%2f",
        "..%2fusers",
        "%2e%2e%2fusers",
        "%5c",
        "..%5cusers",
        "%252e%252e",
        "%00",
        "\0",
        "\n",
        "\r\nX-Other: 1",
        "\t",
        ".\t.",
        ".\n.",
        "ü",
        "日本",
        "🔑",
        "\u{202e}x",
        "\u{2024}\u{2024}",
        "\u{ff0e}\u{ff0e}",
        "a b",
        "+",
        "&x=1",
        ";x",
        ":",
        "@evil.example",
        "http://evil.example/",
        "//evil.example",
        "|",
        "[x]",
        "^",
        "`",
        "{dossierId}",
        "'",
        "\"",
        "<x>",
        "*",
        "~",
        "null",
        "-",
        "x/../../users",
    ];
    let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    texts.push("x".repeat(5_000));
    texts.push("../".repeat(500));
    texts.push("x".repeat(200_000));
    texts
}

/// Returns true if `path` is `before`, then `text` as one escaped segment, then `after`.
fn is_segment(path: &str, before: &str, text: &str, after: &str) -> bool {
    let Some(segment) = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) else { return false };
    !segment.contains(['/', '\\']) && percent_decoded(segment) == text.as_bytes()
}

fn percent_decoded(segment: &str) -> Vec<u8> {
    let bytes = segment.as_bytes();
    let mut decoded = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == b'%' {
            decoded.push(u8::from_str_radix(&segment[index + 1..index + 3], 16).unwrap());
            index += 3;
        } else {
            decoded.push(bytes[index]);
            index += 1;
        }
    }
    decoded
}

#[tokio::test]
async fn hostile_id_never_reaches_another_resource() {
    let env = TestEnv::new().await;
    let (dossier, file) = env.processed_file("study.pdf", STUDY).await;
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let state = env.sim.state();
    let (template, dossier_id, file_id) = (env.template_id(), dossier.id().as_str(), file.id().as_str());
    let templates = format!("{}/", operation_path("getDossierTemplates", &[]));
    let templates = templates.as_str();
    let dossiers = format!("{templates}{template}/dossiers/");
    let files = format!("{dossiers}{dossier_id}/files/");
    let downloads = operation_path("getDownload", &[""]);
    let downloads = downloads.as_str();

    for text in hostile_ids() {
        let before = env.request_log().len();
        let mut expected: Vec<(&str, &str, String)> = Vec::new();
        if let Ok(id) = DownloadId::new(text.as_str()) {
            let handle = env.client.download(id);
            assert!(handle.get().await.is_err() && handle.delete().await.is_err(), "{text:?}");
            expected.extend([("getDownload", downloads, String::new()), ("deleteDownload", downloads, String::new())]);
        }
        if let Ok(id) = FileId::new(text.as_str()) {
            let handle = dossier.file(id);
            assert!(
                handle.get().await.is_err()
                    && handle.delete().permanently(true).await.is_err()
                    && handle.components().await.is_err(),
                "{text:?}"
            );
            expected.extend([
                ("getFile", &*files, String::new()),
                ("deleteFile", &*files, String::new()),
                ("getComponents", &*files, "/components".into()),
            ]);
        }
        if let Ok(id) = DossierId::new(text.as_str()) {
            let handle = env.template().dossier(id);
            assert!(
                handle.get().await.is_err()
                    && handle.delete().permanently(true).await.is_err()
                    && handle.file(file.id()).get().await.is_err(),
                "{text:?}"
            );
            expected.extend([
                ("getDossier", &*dossiers, String::new()),
                ("deleteDossier", &*dossiers, String::new()),
                ("getFile", &*dossiers, format!("/files/{file_id}")),
            ]);
        }
        if let Ok(id) = DossierTemplateId::new(text.as_str()) {
            let handle = env.client.dossier_template(id);
            assert!(handle.get().await.is_err() && handle.dossier(dossier.id()).delete().await.is_err(), "{text:?}");
            expected.extend([
                ("getDossierTemplate", templates, String::new()),
                ("deleteDossier", templates, format!("/dossiers/{dossier_id}")),
            ]);
        }
        // Every request that was sent names the expected resource.
        let requests = env.sim.requests().split_off(before);
        for request in &requests {
            assert!(is_operation(request), "{text:?} became {} {}", request.method, request.path);
            let expected_request = expected.iter().any(|(operation, start, end)| {
                request.operation.as_deref() == Some(operation) && is_segment(&request.path, start, &text, end)
            });
            assert!(expected_request, "{text:?} became {} {}?{:?}", request.method, request.path, request.query);
            assert!(
                request
                    .query
                    .as_deref()
                    .is_none_or(|query| query == "deletePermanently=true" || query == "deletePermanently=false"),
                "{text:?}"
            );
        }
    }
    for (part, before) in state.as_object().unwrap() {
        assert_eq!(env.sim.state()[part], *before, "{part}");
    }
    package.delete().await.unwrap();
}

#[tokio::test]
async fn rejects_id_too_long_for_a_url_before_sending() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    let error = env.client.download(DownloadId::new("x".repeat(200_000)).unwrap()).get().await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "getDownload: invalid request; check the ids and values in it: Parsed Url is not a valid Uri"
    );
    assert_eq!(error.kind(), documine::ErrorKind::Input);
    assert!(!error.was_sent() && !error.is_transient());
    assert_eq!(env.request_log(), ["token 200", "getLicense 200"]);
    assert!(env.time.sleeps().is_empty());
}

#[test]
fn rejects_texts_that_are_not_a_path_segment() {
    for text in ["", " ", ".", "..", "\0", "\n", "a\nb", "\r\nX-Other: 1", "..\\users", "\\"] {
        FileId::new(text).unwrap_err();
        DossierId::try_from(text).unwrap_err();
        text.parse::<DossierTemplateId>().unwrap_err();
        serde_json::from_value::<DownloadId>(serde_json::json!(text)).unwrap_err();
    }
    assert_eq!(
        FileId::new("..").unwrap_err().to_string(),
        r#"invalid file id "..": it would change the path of the request"#
    );
    assert_eq!(DossierId::new("").unwrap_err().to_string(), r#"invalid dossier id "": it is empty"#);
}

#[test]
fn keeps_valid_ids_unchanged() {
    for text in ["9a2f4c6e-7b1d-4830-a5e9-c0d8f6b3e140", "ü", "a b", "a/b", "x?y#z", "…"] {
        let id = FileId::new(text).unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        assert_eq!(serde_json::from_str::<FileId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }
}
