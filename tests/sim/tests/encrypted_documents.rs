//! Encrypted documents: read if they open without a password, rejected otherwise.
//!
//! The files in `encrypted/` have one page each ("Sponsor: Acme") and were written by another library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use support::TestClient;

fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encrypted").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the title and the sponsor of a document, or the error.
async fn read(client: &TestClient, bytes: Vec<u8>) -> Result<(String, String), String> {
    let dossier = client.dossier("d").await;
    let response = client.upload(&dossier, "x.pdf", bytes).await;
    if response.status != 201 {
        assert_eq!(response.status, 400);
        return Err(response.message());
    }
    client.advance(60);
    let file = response.json()["fileIds"][0].as_str().unwrap().to_owned();
    let found = client.get(&format!("{dossier}/files/{file}/components")).await.json()["components"].clone();
    let text = |name: &str| found[name][0].as_str().unwrap_or_default().to_owned();
    Ok((text("Title"), text("Sponsor")))
}

#[tokio::test]
async fn reads_documents_with_only_an_owner_password() {
    let Some(client) = TestClient::vendored().await else { return };
    for name in ["rc4-40", "rc4-128", "aes-128", "aes-256-r5", "aes-256"] {
        let read = read(&client, file(&format!("{name}-owner.pdf"))).await;
        assert_eq!(read, Ok(("Owner only".to_owned(), "Acme".to_owned())), "{name}");
    }
}

#[tokio::test]
async fn reads_encrypted_documents_with_a_wrong_table_or_inline_dictionary() {
    let Some(client) = TestClient::vendored().await else { return };
    let whole = file("rc4-128-owner.pdf");
    let moved = [&whole[..9], b"% something that moved everything\n", &whole[9..]].concat();
    assert_eq!(read(&client, moved).await.map(|(_, sponsor)| sponsor), Ok("Acme".to_owned()));
    let inline = inline_encryption(&whole);
    assert_eq!(read(&client, inline).await.map(|(_, sponsor)| sponsor), Ok("Acme".to_owned()));
}

/// Moves the encryption dictionary into the trailer.
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
async fn rejects_documents_with_a_user_password() {
    let Some(client) = TestClient::vendored().await else { return };
    for name in ["rc4-128", "aes-256"] {
        let read = read(&client, file(&format!("{name}-user.pdf"))).await;
        let message = "The file x.pdf is encrypted. Please upload it without password protection.";
        assert_eq!(read, Err(message.to_owned()), "{name}");
        let whole = file(&format!("{name}-user.pdf"));
        let moved = [&whole[..9], b"% something that moved everything\n", &whole[9..]].concat();
        for bytes in [inline_encryption(&whole), inline_encryption(&moved), moved] {
            assert_eq!(self::read(&client, bytes).await, Err(message.to_owned()), "{name}");
        }
    }
}
