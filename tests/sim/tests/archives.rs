//! Archives that are uploaded: which entries become files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use support::{Desk, pdf, zip};

/// The head of an AppleDouble file, which macOS puts beside a file on other file systems and into archives.
const APPLE_DOUBLE: &[u8] = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x02\x00\x00\x00\x09";

/// Uploads an archive and gives the names of the files that came of it, or the refusal.
async fn names(desk: &Desk, entries: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
    let dossier = desk.dossier("d").await;
    let answer = desk.upload(&dossier, "x.zip", zip(entries)).await;
    if answer.status != 201 {
        assert_eq!(answer.status, 400);
        return Err(answer.message());
    }
    let files = desk.get(&format!("{dossier}/files")).await.json();
    let files = files["files"].as_array().unwrap().clone();
    assert_eq!(answer.json()["fileIds"].as_array().unwrap().len(), files.len());
    Ok(files.iter().map(|file| file["fileName"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn leaves_out_what_systems_put_beside_documents() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
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
            assert_eq!(names(&desk, &entries).await, Ok(vec!["a.pdf".to_owned()]), "{path:?}");
        }
        let alone = names(&desk, &[(path, bytes)]).await;
        assert_eq!(alone, Err("The archive x.zip holds no documents.".to_owned()), "{path:?}");
    }
}

#[tokio::test]
async fn takes_documents_wherever_they_lie() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let (a, b) = (pdf(&[&["a"]]), pdf(&[&["b"]]));
    for (paths, expected) in [
        (["q3\\a.pdf", "q3\\b.pdf"], ["a.pdf", "b.pdf"]),
        (["q3/a.pdf", "q4\\a.pdf"], ["a.pdf", "q4_a.pdf"]),
        (["./a.pdf", "x/y/z/B.PDF"], ["a.pdf", "B.PDF"]),
        // Hidden by its name, and still a document.
        ([".a.pdf", "._b.pdf"], [".a.pdf", "._b.pdf"]),
    ] {
        let names = names(&desk, &[(paths[0], &a), (paths[1], &b)]).await;
        assert_eq!(names, Ok(expected.map(str::to_owned).to_vec()), "{paths:?}");
    }
}

#[tokio::test]
async fn refuses_by_name_what_is_meant_as_a_document() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let a = pdf(&[&["a"]]);
    let inner = zip(&[("b.pdf", &a)]);
    let cases: [(&str, &[u8], &str); 4] = [
        ("b.pdf", b"", "The file b.pdf is empty."),
        ("notes.txt", b"hello", "The file notes.txt is not a PDF document."),
        ("inner.zip", &inner, "The file inner.zip is not a PDF document."),
        ("x/", b"bytes under the name of a folder", ""),
    ];
    for (path, bytes, message) in cases {
        let result = names(&desk, &[("a.pdf", &a), (path, bytes)]).await;
        let expected = if message.is_empty() { Ok(vec!["a.pdf".to_owned()]) } else { Err(message.to_owned()) };
        assert_eq!(result, expected, "{path}");
    }
}
