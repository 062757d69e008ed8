//! Uploaded ZIP archives: which entries become files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use support::{TestClient, pdf, zip};

/// The head of an AppleDouble file, which macOS creates on other file systems and in archives.
const APPLE_DOUBLE: &[u8] = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x02\x00\x00\x00\x09";

/// Uploads an archive and returns the names of the created files, or the error.
async fn names(client: &TestClient, entries: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
    let dossier = client.dossier("d").await;
    let response = client.upload(&dossier, "x.zip", zip(entries)).await;
    if response.status != 201 {
        assert_eq!(response.status, 400);
        return Err(response.message());
    }
    let files = client.get(&format!("{dossier}/files")).await.json();
    let files = files["files"].as_array().unwrap().clone();
    assert_eq!(response.json()["fileIds"].as_array().unwrap().len(), files.len());
    Ok(files.iter().map(|file| file["fileName"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn ignores_system_files_in_archives() {
    let Some(client) = TestClient::vendored().await else { return };
    let a = pdf(&[&["a"]]);
    for (path, bytes) in [
        ("._a.pdf", APPLE_DOUBLE),
        ("folder/._a.pdf", APPLE_DOUBLE),
        ("__MACOSX/._a.pdf", APPLE_DOUBLE),
        ("folder/__MACOSX/._a.pdf", APPLE_DOUBLE),
        (".DS_Store", b"\x00\x00\x00\x01Bud1"),
        ("folder/.DS_Store", b"\x00\x00\x00\x01Bud1"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("folder\\thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("desktop.ini", b"[.ShellClassInfo]"),
        ("~$a.docx", b"\x05Anna"),
        (".~lock.a.odt#", b",anna,"),
        (".git/HEAD", b"ref: refs/heads/main"),
        (".gitkeep", b""),
        ("@eaDir/a.pdf/SYNOINDEX_MEDIA_INFO", b"x"),
        ("empty folder\\", b""),
        ("a folder/", b""),
    ] {
        for entries in [[("a.pdf", a.as_slice()), (path, bytes)], [(path, bytes), ("a.pdf", a.as_slice())]] {
            assert_eq!(names(&client, &entries).await, Ok(vec!["a.pdf".to_owned()]), "{path:?}");
        }
        let alone = names(&client, &[(path, bytes)]).await;
        assert_eq!(alone, Err("The archive x.zip holds no documents.".to_owned()), "{path:?}");
    }
}

#[tokio::test]
async fn accepts_documents_in_any_folder() {
    let Some(client) = TestClient::vendored().await else { return };
    let (a, b) = (pdf(&[&["a"]]), pdf(&[&["b"]]));
    for (paths, expected) in [
        (["q3\\a.pdf", "q3\\b.pdf"], ["a.pdf", "b.pdf"]),
        (["q3/a.pdf", "q4\\a.pdf"], ["a.pdf", "q4_a.pdf"]),
        (["./a.pdf", "x/y/z/B.PDF"], ["a.pdf", "B.PDF"]),
        // Hidden files that are documents.
        ([".a.pdf", "._b.pdf"], [".a.pdf", "._b.pdf"]),
    ] {
        let names = names(&client, &[(paths[0], &a), (paths[1], &b)]).await;
        assert_eq!(names, Ok(expected.map(str::to_owned).to_vec()), "{paths:?}");
    }
}

#[tokio::test]
async fn rejects_archives_with_other_files_by_name() {
    let Some(client) = TestClient::vendored().await else { return };
    let a = pdf(&[&["a"]]);
    let inner = zip(&[("b.pdf", &a)]);
    let cases: [(&str, &[u8], &str); 4] = [
        ("b.pdf", b"", "The file b.pdf is empty."),
        ("notes.txt", b"hello", "The file notes.txt is not a PDF document."),
        ("inner.zip", &inner, "The file inner.zip is not a PDF document."),
        ("x/", b"bytes under the name of a folder", ""),
    ];
    for (path, bytes, message) in cases {
        let result = names(&client, &[("a.pdf", &a), (path, bytes)]).await;
        let expected = if message.is_empty() { Ok(vec!["a.pdf".to_owned()]) } else { Err(message.to_owned()) };
        assert_eq!(result, expected, "{path}");
    }
}
