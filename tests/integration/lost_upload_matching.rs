//! Recovery of an upload with a lost response: its file is found although the service lists the name in another Unicode form.

use documine::Source;

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::scripted::{self, client};

/// Starts a service that closes the connection after an upload and then lists a file of this name and size.
async fn losing_server(listed: &str, size: usize) -> CannedServer {
    losing_server_with(&format!(r#"{{"id":"f-1","fileName":"{listed}","fileSize":{size}}}"#)).await
}

async fn losing_server_with(file: &str) -> CannedServer {
    let files = format!(r#"{{"files":[{file}]}}"#);
    let (files, empty_list) = (wire(&files), wire(r#"{"files":[]}"#));
    let received = std::sync::atomic::AtomicBool::new(false);
    CannedServer::respond_with(move |head| {
        use std::sync::atomic::Ordering::Relaxed;
        if head.starts_with("POST ") {
            received.store(true, Relaxed);
            return Vec::new();
        }
        json_response(if received.load(Relaxed) { &files } else { &empty_list })
    })
    .await
}

fn wire(body: &str) -> String {
    documine_sim::wire::answer("getFiles", body)
}

async fn upload(name: &str, listed: &str) -> (usize, documine::Result<String>) {
    upload_to(losing_server(listed, 5).await, name).await
}

async fn upload_to(service: CannedServer, name: &str) -> (usize, documine::Result<String>) {
    let dossier = scripted::dossier(&client(&service.base).await);
    let uploaded = dossier.upload(Source::bytes(name, "bytes")).recover_lost_response(true).await;
    let uploads = service.requests().iter().filter(|request| request.starts_with("POST ")).count();
    (uploads, uploaded.map(|uploaded| uploaded.id.to_string()))
}

#[tokio::test]
async fn matches_names_that_differ_in_unicode_form_or_outer_blanks() {
    for (name, listed) in [
        ("study.pdf", "study.pdf"),
        // Composed here and decomposed there, as macOS does, and the reverse.
        ("Pr\u{fc}fung.pdf", "Pru\u{308}fung.pdf"),
        ("Pru\u{308}fung.pdf", "Pr\u{fc}fung.pdf"),
        ("\u{c5}ngstr\u{f6}m.pdf", "A\u{30a}ngstro\u{308}m.pdf"),
        // The Ångström sign equals the letter.
        ("\u{212b}.pdf", "\u{c5}.pdf"),
        // Two combining marks in either order.
        ("a\u{323}\u{307}.pdf", "a\u{307}\u{323}.pdf"),
        // Syllables and their letters.
        ("\u{d55c}\u{ae00}.pdf", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.pdf"),
        ("\u{304c}.pdf", "\u{304b}\u{3099}.pdf"),
        ("study.pdf ", "study.pdf"),
        (" study.pdf", "study.pdf"),
    ] {
        let (uploads, found) = upload(name, listed).await;
        assert_eq!((uploads, found.unwrap().as_str()), (1, "f-1"), "{name:?} is listed as {listed:?}");
    }
}

#[tokio::test]
async fn does_not_match_similar_names() {
    for (name, listed) in [
        ("study.pdf", "Study.pdf"),
        ("Prüfung.pdf", "Prufung.pdf"),
        ("Prüfung.pdf", "Pruefung.pdf"),
        // Compatibility forms are different names.
        ("\u{fb01}le.pdf", "file.pdf"),
        ("a\u{a0}b.pdf", "a b.pdf"),
        ("a  b.pdf", "a b.pdf"),
    ] {
        let (uploads, found) = upload(name, listed).await;
        assert!(found.is_err(), "{name:?} is not {listed:?}");
        assert_eq!(uploads, 3);
    }
}

#[tokio::test]
async fn does_not_match_files_in_the_trash() {
    let time = "2025-01-01T00:00:00.000+00:00";
    for trashed in [format!(r#""softDeletedTime":"{time}""#), r#""processingStatus":"DELETED""#.to_owned()] {
        let file = format!(r#"{{"id":"f-1","fileName":"study.pdf","fileSize":5,{trashed}}}"#);
        let (uploads, found) = upload_to(losing_server_with(&file).await, "study.pdf").await;
        assert!(found.is_err(), "{trashed}");
        assert_eq!(uploads, 3);
    }
}
