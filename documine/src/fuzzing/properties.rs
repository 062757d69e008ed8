//! Runs every entry point with valid inputs and mutations of them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::properties::cases;

/// Generates mutations of `examples`, because nearly valid inputs reach more code than random ones.
fn mutations(examples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<Index>(),
        prop_oneof![Just(None), any::<u8>().prop_map(Some), select(&b"\"\\{}[],:;='<>/.%*0\n"[..]).prop_map(Some)],
        any::<bool>(),
    );
    (select(examples), vec(edit, 0..5)).prop_map(|(mut bytes, edits)| {
        for (index, byte, overwrite) in edits {
            let index = index.index(bytes.len() + 1);
            if overwrite && index < bytes.len() {
                bytes.remove(index);
            }
            bytes.splice(index..index, byte);
        }
        bytes
    })
}

fn mutated_texts(examples: &[&str]) -> impl Strategy<Value = Vec<u8>> {
    mutations(examples.iter().map(|text| text.as_bytes().to_vec()).collect())
}

#[cfg(feature = "package")]
fn archives() -> impl Strategy<Value = Vec<u8>> {
    use std::io::{Cursor, Write};
    use zip::CompressionMethod::{Deflated, Stored};

    let one = |names: &[&str], method| {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            archive.start_file(*name, options).unwrap();
            archive.write_all(name.repeat(9).as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    mutations(vec![
        one(&[], Stored),
        one(&["Originals/a.pdf", "b"], Stored),
        one(&["Reports/a.xlsx", "B", "c/d"], Deflated),
    ])
}

const LOGIN: &str = r#"{"version":1,"client_id":"c","token_endpoint":"https://acme.example/token","account":"ada",
    "access_token":"a-token-of-some-length","refresh_token":null,"id_token":null,"expires_at":1700000000000,"refresh_expires_at":null,"scopes":["a"]}"#;
const SIDECAR: &str = r#"{"version":1,"download_id":"d-1","bytes":7,"length":10,"validator":{"etag":"\"a\""},"name":"Q3.zip"}
{"bytes":2,"crc32":5}
{"bytes":3,"crc32":77}"#;

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn lists(input in mutated_texts(&[
        "\u{3}{\"files\":[{\"a\":[1,\"]\"]},null,-1e9],\"b\":{\"c\":\"\\\"\"}}", "a{\"x\":1,\"fil\\u0065s\":[]}", "z{}",
    ])) {
        list(&input);
    }

    #[test]
    fn links(input in mutated_texts(&["</users?page=2>; rel=\"next\", <x>; rel=prev", "<a>; title=\", <b>\"; rel=next"])) {
        link(&input);
    }

    #[test]
    fn continuations(input in mutated_texts(&[
        r#"{"v":1,"operation":"getUsers","list":"/api/users?page=1","next":"/api/users?page=2","items":3,"pages":1}"#,
    ])) {
        continuation(&input);
    }

    #[test]
    fn file_names(input in mutated_texts(&[
        "attachment; filename=\"Q3 filings.zip\"; filename*=UTF-8''Pr%C3%BCf.zip", r#"inline; filename="C:a.zip""#, r#"inline; filename="..\\com1.txt""#, "a; filename*=iso-8859-1''%2e%2e%5c",
    ])) {
        file_name(&input);
    }

    #[test]
    fn content_ranges(input in mutated_texts(&["bytes 0-0/1", "bytes 10-99/100", "bytes */5"])) {
        content_range(&input);
    }

    #[test]
    fn sidecars(input in mutated_texts(&[SIDECAR])) {
        sidecar(&input);
    }

    #[test]
    fn logins(input in mutated_texts(&[LOGIN])) {
        login(&input);
    }

    #[test]
    fn operations(input in mutated_texts(&[
        r#"{"version":1,"kind":"package","workspace":"acme","id":"d-1"}"#, r#"{"version":9,"kind":"x","workspace":"y","id":".."}"#,
    ])) {
        operation(&input);
    }

    #[test]
    fn values(input in mutated_texts(&[
        "EUR 1.234,50", "(1 234,5) kr.", "$5 USD", "1'234.\u{2013} Fr.", "1.234", "Tue, 12 Mar 2024 10:30:00 +0100", "12TH OF MARCH 2024", "03/04/2024 10:30",
        "2024-03-12Z",
    ])) {
        value(&input);
    }

    #[cfg(feature = "package")]
    #[test]
    fn packages(input in archives()) {
        archive(&input);
    }
}
