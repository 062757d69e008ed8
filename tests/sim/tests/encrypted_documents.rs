//! Encrypted documents: read if they open without a password, refused if they need one.
//!
//! The files in `encrypted/` are one page each ("Sponsor: Acme"), written by another library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use support::Desk;

fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encrypted").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The title and the sponsor of a document, or the refusal.
async fn read(desk: &Desk, bytes: Vec<u8>) -> Result<(String, String), String> {
    let dossier = desk.dossier("d").await;
    let answer = desk.upload(&dossier, "x.pdf", bytes).await;
    if answer.status != 201 {
        assert_eq!(answer.status, 400);
        return Err(answer.message());
    }
    desk.wait(60);
    let file = answer.json()["fileIds"][0].as_str().unwrap().to_owned();
    let found = desk.get(&format!("{dossier}/files/{file}/components")).await.json()["components"].clone();
    let text = |name: &str| found[name][0].as_str().unwrap_or_default().to_owned();
    Ok((text("Title"), text("Sponsor")))
}

#[tokio::test]
async fn reads_documents_with_an_owner_password_only() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    for name in ["rc4-40", "rc4-128", "aes-128", "aes-256-r5", "aes-256"] {
        let read = read(&desk, file(&format!("{name}-owner.pdf"))).await;
        assert_eq!(read, Ok(("Owner only".to_owned(), "Acme".to_owned())), "{name}");
    }
}

#[tokio::test]
async fn reads_them_with_a_wrong_table_or_an_inline_dictionary() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    let whole = file("rc4-128-owner.pdf");
    let moved = [&whole[..9], b"% something that moved everything\n", &whole[9..]].concat();
    assert_eq!(read(&desk, moved).await.map(|(_, sponsor)| sponsor), Ok("Acme".to_owned()));
    let inline = inline_encryption(&whole);
    assert_eq!(read(&desk, inline).await.map(|(_, sponsor)| sponsor), Ok("Acme".to_owned()));
}

/// The same file with the encryption dictionary in the trailer itself.
fn inline_encryption(file: &[u8]) -> Vec<u8> {
    let find =
        |what: &[u8], from: usize| from + file[from..].windows(what.len()).position(|window| window == what).unwrap();
    let reference = find(b"/Encrypt ", 0);
    let number = &file[reference + 9..find(b" 0 R", reference)];
    let object = [b"\n", number, b" 0 obj\n"].concat();
    let start = find(&object, 0) + object.len();
    let dictionary = &file[start..find(b"endobj", start)];
    [&file[..reference], b"/Encrypt ", dictionary, &file[find(b" 0 R", reference) + 4..]].concat()
}

#[tokio::test]
async fn refuses_documents_that_need_a_password() {
    if support::other_document() {
        return;
    }
    let desk = Desk::new().await;
    for name in ["rc4-128", "aes-256"] {
        let read = read(&desk, file(&format!("{name}-user.pdf"))).await;
        let message = "The file x.pdf is encrypted. Please upload it without password protection.";
        assert_eq!(read, Err(message.to_owned()), "{name}");
        let whole = file(&format!("{name}-user.pdf"));
        let moved = [&whole[..9], b"% something that moved everything\n", &whole[9..]].concat();
        for bytes in [inline_encryption(&whole), inline_encryption(&moved), moved] {
            assert_eq!(self::read(&desk, bytes).await, Err(message.to_owned()), "{name}");
        }
    }
}
