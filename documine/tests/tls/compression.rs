//! Compressed responses, including responses crafted to exhaust memory.

use bytes::Bytes;
use documine::{Client, ErrorKind};

#[cfg(any(feature = "compression", not(feature = "gzip")))]
use crate::server::LICENSE;
use crate::server::{Authority, CannedResponse, ServerOptions, Service};

async fn client(
    response: CannedResponse,
    settings: fn(documine::ClientBuilder) -> documine::ClientBuilder,
) -> (Service, Client) {
    let authority = Authority::new();
    let service = Service::start(&authority, ServerOptions::default(), response).await;
    let client = settings(service.builder()).add_root_certificate(authority.pem()).build();
    (service, client.expect("valid settings"))
}

fn compressed_response(coding: &'static str, body: Vec<u8>) -> CannedResponse {
    (vec![("content-type", "application/json"), ("content-encoding", coding)], Bytes::from(body))
}

/// Builds the header of a zstd block (RFC 8878 section 3.1.1.2); `kind` 0 is raw, 1 is a repeated byte.
#[cfg(any(feature = "compression", not(feature = "gzip")))]
fn zstd_block(last: bool, kind: usize, size: usize) -> [u8; 3] {
    let header = size << 3 | kind << 1 | usize::from(last);
    let [first, second, third, ..] = header.to_le_bytes();
    [first, second, third]
}

/// Returns the licence in a zstd frame of one raw block.
#[cfg(any(feature = "compression", not(feature = "gzip")))]
fn zstd_license() -> Vec<u8> {
    let size = u8::try_from(LICENSE.len()).expect("is short");
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, size];
    [&head[..], &zstd_block(true, 0, LICENSE.len()), LICENSE.as_bytes()].concat()
}

/// The licence, compressed with gzip.
#[cfg(feature = "gzip")]
const GZIP_LICENSE: [u8; 39] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 201, 76, 78, 205, 43, 78, 77, 9, 72, 76, 79, 45, 86, 178, 50, 173,
    5, 0, 142, 22, 28, 62, 19, 0, 0, 0,
];

#[cfg(feature = "gzip")]
#[tokio::test]
async fn decodes_gzip_in_any_spelling() {
    for coding in ["gzip", "GZIP", "x-gzip", "gzip, UTF-8", "aws-chunked,gzip"] {
        let (service, client) = client(compressed_response(coding, GZIP_LICENSE.to_vec()), |builder| builder).await;
        assert_eq!(client.license().await.expect(coding).licensed_pages, Some(5), "{coding}");
        let (_, headers) = service.requests().pop().expect("a request");
        let offered = headers["accept-encoding"].to_str().expect("text").to_owned();
        assert!(offered.contains("gzip"), "{offered}");
    }
    let (_, client) = client(compressed_response("X-GZIP", b"{}".to_vec()), |builder| builder).await;
    assert!(client.license().await.is_err(), "uncompressed body with a coding label");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn decodes_brotli_and_zstd() {
    let brotli = [&[11, 9, 128][..], LICENSE.as_bytes(), &[3]].concat();
    for (coding, body) in [("br", brotli), ("zstd", zstd_license())] {
        let (service, client) = client(compressed_response(coding, body), |builder| builder).await;
        assert_eq!(client.license().await.expect(coding).licensed_pages, Some(5), "{coding}");
        let (_, headers) = service.requests().pop().expect("a request");
        let offered = headers["accept-encoding"].to_str().expect("text").to_owned();
        assert!(offered.contains(coding), "{offered}");
    }
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn decodes_other_codings_in_any_spelling_and_combination() {
    let brotli = [&[11, 9, 128][..], LICENSE.as_bytes(), &[3]].concat();
    // A zstd frame of one raw block that contains gzip data.
    let size = u8::try_from(GZIP_LICENSE.len()).expect("is short");
    let doubly_compressed =
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, size][..], &zstd_block(true, 0, GZIP_LICENSE.len()), &GZIP_LICENSE].concat();
    for (coding, body) in [("Br", brotli), ("ZSTD", zstd_license()), ("gzip, zstd", doubly_compressed)] {
        let (_, client) = client(compressed_response(coding, body), |builder| builder).await;
        assert_eq!(client.license().await.expect(coding).licensed_pages, Some(5), "{coding}");
    }
}

/// Builds a zstd frame of raw and repeated-byte blocks.
#[cfg(feature = "compression")]
fn zstd_frame(blocks: &[(&str, usize)]) -> Vec<u8> {
    let mut zstd_frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for (index, (text, times)) in blocks.iter().enumerate() {
        let last = index + 1 == blocks.len();
        match times {
            1 => zstd_frame.extend(zstd_block(last, 0, text.len())),
            times => zstd_frame.extend(zstd_block(last, 1, *times)),
        }
        zstd_frame.extend(text.as_bytes());
    }
    zstd_frame
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn streams_compressed_list_and_skips_oversized_item() {
    use futures_util::TryStreamExt;
    // One user name of 100 MiB.
    let mut blocks = vec![(r#"{"users":[{"id":"a"},{"id":"b","username":""#, 1)];
    blocks.extend(std::iter::repeat_n(("x", 128 * 1024), 800));
    blocks.push((r#""},{"id":"c"}],"totalElements":3}"#, 1));
    let (_service, client) =
        client(compressed_response("zstd", zstd_frame(&blocks)), |builder| builder.max_response_size(1_000_000)).await;
    let users: Vec<_> = client.users().max_item_size(4096).stream_each().try_collect().await.expect("the list");
    let ids: Vec<_> = users.iter().map(|user| user.as_ref().map(|user| user.id.as_str()).ok()).collect();
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    let error = client.users().await.expect_err("100 MiB");
    assert!(error.to_string().contains("max_response_size"), "{error}");
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn stops_decoding_at_response_size_limit() {
    // 800 blocks of 128 KiB spaces in 3 KiB.
    let size = 128 * 1024;
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for count in 1..=800 {
        bomb.extend(zstd_block(count == 800, 1, size));
        bomb.push(b' ');
    }
    let (_service, client) =
        client(compressed_response("zstd", bomb), |builder| builder.max_response_size(1_000_000)).await;
    let error = client.license().await.expect_err("100 MiB");
    assert_eq!(error.to_string(), "getLicense: response body exceeds the limit of 1000000 bytes (max_response_size)");
}

#[cfg(not(feature = "gzip"))]
#[tokio::test]
async fn requests_no_compression_without_the_feature() {
    let (service, client) = client(compressed_response("zstd", zstd_license()), |builder| builder).await;
    let error = client.license().await.expect_err("compressed");
    assert_eq!(error.to_string(), "getLicense: 200 OK, but unsupported content encoding \"zstd\"");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(service.requests().iter().all(|(_, headers)| !headers.contains_key("accept-encoding")));
}

#[tokio::test]
async fn names_unrequested_content_coding() {
    let (_service, client) = client(compressed_response("compress", vec![1, 2, 3]), |builder| builder).await;
    let error = client.license().await.expect_err("compressed");
    assert!(error.to_string().contains("unsupported content encoding \"compress\""), "{error}");
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn requests_package_without_compression() {
    let zip = (vec![("content-type", "application/zip")], Bytes::from_static(b"PK"));
    let (service, client) = client(zip, |builder| builder).await;
    let raw = client.raw();
    let id = documine::models::DownloadId::new("d-1").expect("an id");
    raw.download_package().download_id(id).send().await.expect("a package");
    let (_, headers) = service.requests().pop().expect("a request");
    assert_eq!(headers["accept-encoding"], "identity");
}
