//! Answers that come packed, and answers that are made to fill the memory.

use bytes::Bytes;
use documine::{Client, ErrorKind};

use crate::server::{Answer, Authority, Habits, LICENSE, Service};

async fn client(answer: Answer, settings: fn(documine::ClientBuilder) -> documine::ClientBuilder) -> (Service, Client) {
    let authority = Authority::new();
    let service = Service::start(&authority, Habits::default(), answer).await;
    let client = settings(service.builder()).add_root_certificate(authority.pem()).build();
    (service, client.expect("the settings are right"))
}

fn packed(coding: &'static str, body: Vec<u8>) -> Answer {
    (vec![("content-type", "application/json"), ("content-encoding", coding)], Bytes::from(body))
}

/// One block of a zstd frame (RFC 8878 section 3.1.1.2): `kind` 0 is raw, 1 is a byte and how often it comes.
fn block(last: bool, kind: usize, size: usize) -> [u8; 3] {
    let header = size << 3 | kind << 1 | usize::from(last);
    let [first, second, third, ..] = header.to_le_bytes();
    [first, second, third]
}

/// The licence in a zstd frame of one raw block.
fn zstd() -> Vec<u8> {
    let size = u8::try_from(LICENSE.len()).expect("is short");
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, size];
    [&head[..], &block(true, 0, LICENSE.len()), LICENSE.as_bytes()].concat()
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn gzip_brotli_and_zstd_are_unpacked() {
    let gzip = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 201, 76, 78, 205, 43, 78, 77, 9, 72, 76, 79, 45, 86, 178, 50,
        173, 5, 0, 142, 22, 28, 62, 19, 0, 0, 0,
    ];
    let brotli = [&[11, 9, 128][..], LICENSE.as_bytes(), &[3]].concat();
    for (coding, body) in [("gzip", gzip.to_vec()), ("br", brotli), ("zstd", zstd())] {
        let (service, client) = client(packed(coding, body), |builder| builder).await;
        assert_eq!(client.license().await.expect(coding).licensed_pages, Some(5), "{coding}");
        let (_, headers) = service.requests().pop().expect("a request");
        let offered = headers["accept-encoding"].to_str().expect("text").to_owned();
        assert!(offered.contains(coding), "{offered}");
    }
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn codings_are_known_in_any_spelling_and_one_over_another() {
    let gzip = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 201, 76, 78, 205, 43, 78, 77, 9, 72, 76, 79, 45, 86, 178, 50,
        173, 5, 0, 142, 22, 28, 62, 19, 0, 0, 0,
    ];
    let brotli = [&[11, 9, 128][..], LICENSE.as_bytes(), &[3]].concat();
    // A frame of one raw block around what is packed already.
    let size = u8::try_from(gzip.len()).expect("is short");
    let twice = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, size][..], &block(true, 0, gzip.len()), &gzip].concat();
    for (coding, body) in [
        ("GZIP", gzip.to_vec()),
        ("x-gzip", gzip.to_vec()),
        ("gzip, UTF-8", gzip.to_vec()),
        ("aws-chunked,gzip", gzip.to_vec()),
        ("Br", brotli),
        ("ZSTD", zstd()),
        ("gzip, zstd", twice),
    ] {
        let (_, client) = client(packed(coding, body), |builder| builder).await;
        assert_eq!(client.license().await.expect(coding).licensed_pages, Some(5), "{coding}");
    }
    let (_, client) = client(packed("X-GZIP", b"{}".to_vec()), |builder| builder).await;
    assert!(client.license().await.is_err(), "not packed, though it says so");
}

/// A zstd frame of several blocks: bytes as they are, or one byte many times.
#[cfg(feature = "compression")]
fn frame(blocks: &[(&str, usize)]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for (index, (text, times)) in blocks.iter().enumerate() {
        let last = index + 1 == blocks.len();
        match times {
            1 => frame.extend(block(last, 0, text.len())),
            times => frame.extend(block(last, 1, *times)),
        }
        frame.extend(text.as_bytes());
    }
    frame
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn a_packed_list_is_streamed_and_an_element_that_would_fill_the_memory_is_left_out() {
    use futures_util::TryStreamExt;
    // 100 MiB in the name of one user.
    let mut blocks = vec![(r#"{"users":[{"id":"a"},{"id":"b","username":""#, 1)];
    blocks.extend(std::iter::repeat_n(("x", 128 * 1024), 800));
    blocks.push((r#""},{"id":"c"}],"totalElements":3}"#, 1));
    let (_service, client) = client(packed("zstd", frame(&blocks)), |builder| builder.max_answer_size(1_000_000)).await;
    let users: Vec<_> = client.users().with_max_item_size(4096).stream_each().try_collect().await.expect("the list");
    let ids: Vec<_> = users.iter().map(|user| user.as_ref().map(|user| user.id.as_str()).ok()).collect();
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    let error = client.users().await.expect_err("100 MiB");
    assert!(error.to_string().contains("max_answer_size"), "{error}");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn a_small_answer_that_unpacks_to_a_huge_one_is_stopped_on_the_way() {
    // 800 times 128 KiB of blanks in 3 KiB.
    let size = 128 * 1024;
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for count in 1..=800 {
        bomb.extend(block(count == 800, 1, size));
        bomb.push(b' ');
    }
    let (_service, client) = client(packed("zstd", bomb), |builder| builder.max_answer_size(1_000_000)).await;
    let error = client.license().await.expect_err("100 MiB");
    assert_eq!(error.to_string(), "getLicense: response body exceeds the limit of 1000000 bytes (max_answer_size)");
}

#[cfg(not(feature = "compression"))]
#[tokio::test]
async fn without_the_feature_nothing_packed_is_asked_for_and_what_comes_is_named() {
    let (service, client) = client(packed("zstd", zstd()), |builder| builder).await;
    let error = client.license().await.expect_err("packed");
    assert_eq!(error.to_string(), "getLicense: 200 OK, but unsupported content encoding \"zstd\"");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(service.requests().iter().all(|(_, headers)| !headers.contains_key("accept-encoding")));
}

#[tokio::test]
async fn a_packing_that_nobody_asked_for_is_named() {
    let (_service, client) = client(packed("compress", vec![1, 2, 3]), |builder| builder).await;
    let error = client.license().await.expect_err("packed");
    assert!(error.to_string().contains("unsupported content encoding \"compress\""), "{error}");
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_package_is_asked_for_as_it_is() {
    let zip = (vec![("content-type", "application/zip")], Bytes::from_static(b"PK"));
    let (service, client) = client(zip, |builder| builder).await;
    let raw = client.raw();
    let id = documine::DownloadId::new("d-1").expect("an id");
    raw.download_package().download_id(id).send().await.expect("a package");
    let (_, headers) = service.requests().pop().expect("a request");
    assert_eq!(headers["accept-encoding"], "identity");
}
