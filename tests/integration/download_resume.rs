//! Interrupted downloads: they resume within the same call or in a later one, and bytes of two packages are never mixed.

use std::time::Duration;

use documine::{ErrorKind, retry::RetryMode};
use documine_sim::Fault;
use futures_util::{StreamExt, TryStreamExt};

use crate::harness::file_names;
use crate::harness::package_server::{
    ETAG, PackageServer, RangeRequest, full_response, incompressible_zip, partial_response, raw_response, read_stream,
};
use crate::harness::pdf_fixtures::{STUDY, unzip};
use crate::harness::properties::{random_numbers, seed};
use crate::harness::test_env::{TestEnv, header};

/// Returns truncation lengths that together stay below `length`.
fn cut_points(length: usize, random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let (mut cut_points, mut at) = (Vec::new(), 0);
    loop {
        let cut = 20_000 + random(400_000);
        if at + cut >= length {
            return cut_points;
        }
        at += cut;
        cut_points.push(cut);
    }
}

#[tokio::test]
async fn resumes_after_every_early_eof_without_repeating_bytes() {
    let seed = seed();
    let mut random = random_numbers(seed);
    let zip = incompressible_zip(3_000_000);
    for method in ["file", "stream", "writer"] {
        let cut_points = cut_points(zip.len(), &mut random);
        assert!(cut_points.len() > 4, "more interruptions than attempts");
        let server = PackageServer::interrupted_after(&zip, cut_points.clone()).await;
        // Progress refunds the retry budget.
        let package = server.package_with(|builder| builder.retry_budget(Some(1))).await;
        let folder = tempfile::tempdir().unwrap();
        let received = match method {
            "file" => {
                let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
                assert_eq!((saved.bytes, saved.resume_offset), (zip.len() as u64, 0));
                assert_eq!(file_names(folder.path()), ["a.zip"]);
                std::fs::read(saved.path).unwrap()
            }
            "stream" => read_stream(&package).await.unwrap(),
            _ => package.save_into(Vec::new()).await.unwrap().writer,
        };
        assert!(received == zip, "{method}, PROPTEST_RNG_SEED={seed}, cut at {cut_points:?}");
        // Each response starts where the previous one ended, so together they send every byte once.
        let mut at = 0;
        let mut expected = vec![None];
        for cut in &cut_points {
            at += cut;
            expected.push(Some(at));
        }
        assert_eq!(server.range_starts(), expected, "{method}, PROPTEST_RNG_SEED={seed}");
        let is_conditional = |request: &RangeRequest| request.condition.as_deref() == Some("\"one\"");
        assert!(server.range_requests().iter().skip(1).all(is_conditional));
    }
}

#[tokio::test]
async fn backs_off_between_resets_early_eofs_and_stalls() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let (id, size) = (package.id().clone(), read_stream(&package).await.unwrap().len());
    let requests_before = env.requests("downloadPackage").len();
    let faults = env.sim.faults();
    let quarter = (size / 4) as u64;
    faults.add(Fault::on("downloadPackage").nth(1).cut_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(2).stall_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(3).reset_after_headers());
    let client = env.builder().idle_timeout(Duration::from_secs(30)).build().unwrap();
    let package = client.download(id).job().wait().await.unwrap();
    let before = env.time.sleeps().len();
    let folder = tempfile::tempdir().unwrap();
    // With the clock paused, the timeout fires as soon as the runtime is idle.
    tokio::time::pause();
    let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
    assert_eq!(saved.bytes, size as u64);
    assert!(unzip(&std::fs::read(&saved.path).unwrap()).iter().any(|(_, bytes)| bytes == STUDY));
    let requests = env.requests("downloadPackage").split_off(requests_before);
    let ranges: Vec<_> = requests.iter().map(|request| header(request, "range")).collect();
    let from = |bytes: u64| Some(format!("bytes={bytes}-"));
    assert_eq!(ranges, [None, from(quarter), from(2 * quarter), from(2 * quarter)]);
    // Too few bytes arrived to count as progress, and the clock's random value is always 0.5.
    let delays: Vec<_> = env.time.sleeps()[before..].iter().map(Duration::as_millis).collect();
    assert_eq!(delays, [250, 500, 1000]);
}

#[tokio::test]
async fn gives_up_when_download_makes_no_progress() {
    let zip = incompressible_zip(100_000);
    let package = zip.clone();
    let server = PackageServer::start(move |request| match request.from {
        Some(from) => partial_response(&package, from, &[ETAG], 8),
        None => full_response(&package, &[ETAG], 40_000),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let error = server.package().await.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Interrupted, 4));
    // Eight bytes do not count as progress, so these are the four attempts of one call.
    assert_eq!(server.range_starts(), [None, Some(40_000), Some(40_008), Some(40_016)]);
    assert_eq!(file_names(folder.path()), [""; 0]);
    let error = server
        .package()
        .await
        .stream()
        .with_retry_mode(RetryMode::Never)
        .await
        .unwrap()
        .try_for_each(|_| async { Ok(()) });
    assert_eq!(error.await.unwrap_err().attempts(), 1, "no retries when disabled");
}

/// Starts a server that truncates its first response at half and sends the result of `respond` as its second one.
async fn server_with_second_response(
    zip: &[u8],
    headers: &'static [&'static str],
    respond: fn(&[u8], &RangeRequest) -> Vec<u8>,
) -> PackageServer {
    let package = zip.to_vec();
    PackageServer::start(move |request| match request.number {
        0 => full_response(&package, headers, package.len() / 2),
        1 => respond(&package, request),
        _ => full_response(&package, headers, usize::MAX),
    })
    .await
}

/// Description, headers of the first response, second response, and expected start of each request.
type RangeCase<'a> = (&'a str, &'a [&'static str], fn(&[u8], &RangeRequest) -> Vec<u8>, &'a [Option<usize>]);

#[tokio::test]
async fn never_mixes_mismatched_range_response_with_received_bytes() {
    let zip = incompressible_zip(200_000);
    let half = zip.len() / 2;
    let date: &[&str] = &["Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT", "Date: Sun, 06 Nov 1994 08:49:37 GMT"];
    let cases: [RangeCase<'_>; 12] = [
        ("range ignored", &[ETAG], |zip, _| full_response(zip, &[ETAG], usize::MAX), &[None, Some(half)]),
        (
            "another tag, full response",
            &[ETAG],
            |zip, _| full_response(zip, &["ETag: \"two\""], usize::MAX),
            &[None, Some(half)],
        ),
        (
            "another tag, partial response",
            &[ETAG],
            |zip, request| partial_response(zip, request.from.unwrap(), &["ETag: \"two\""], 9),
            &[None, Some(half), None],
        ),
        (
            "partial response without tag",
            &[ETAG],
            |zip, request| partial_response(zip, request.from.unwrap(), &[], 9),
            &[None, Some(half), None],
        ),
        (
            "range differs from the requested one",
            &[ETAG],
            |zip, request| partial_response(zip, request.from.unwrap() + 5, &[ETAG], 9),
            &[None, Some(half), None],
        ),
        (
            "range of another total length",
            &[ETAG],
            |zip, request| partial_response(&zip[..zip.len() - 1], request.from.unwrap(), &[ETAG], 9),
            &[None, Some(half), None],
        ),
        (
            "partial response without range",
            &[ETAG],
            |_, _| {
                raw_response(
                    &["HTTP/1.1 206 Partial Content".into(), ETAG.into(), "Content-Length: 5".into()],
                    b"bytes",
                )
            },
            &[None, Some(half), None],
        ),
        (
            "range not satisfiable",
            &[ETAG],
            |_, _| {
                raw_response(
                    &[
                        "HTTP/1.1 416 Range Not Satisfiable".into(),
                        "Content-Range: bytes */9".into(),
                        "Content-Length: 0".into(),
                    ],
                    b"",
                )
            },
            &[None, Some(half), None],
        ),
        ("no tag", &[], |zip, _| full_response(zip, &[], usize::MAX), &[None, None]),
        ("weak tag", &["ETag: W/\"one\""], |zip, _| full_response(zip, &[], usize::MAX), &[None, None]),
        (
            "ranges not accepted",
            &[ETAG, "Accept-Ranges: none"],
            |zip, _| full_response(zip, &[], usize::MAX),
            &[None, None],
        ),
        (
            "strong modification date",
            date,
            |zip, request| partial_response(zip, request.from.unwrap(), &[], usize::MAX),
            &[None, Some(half)],
        ),
    ];
    for (what, headers, respond, range_starts) in cases {
        let headers: &'static [&'static str] = headers.to_vec().leak();
        let server = server_with_second_response(&zip, headers, respond).await;
        let folder = tempfile::tempdir().unwrap();
        let saved = server.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(saved.bytes, zip.len() as u64, "{what}");
        assert_eq!(file_names(folder.path()), ["a.zip"], "{what}");
        assert_eq!(server.range_starts(), range_starts, "{what}");
        // A stream cannot take back bytes, so repeated bytes are skipped.
        let server = server_with_second_response(&zip, headers, respond).await;
        assert!(read_stream(&server.package().await).await.unwrap() == zip, "{what}");
        assert_eq!(server.range_starts(), range_starts, "{what}");
    }
}

#[tokio::test]
async fn handles_simulated_range_faults() {
    let env = TestEnv::new().await;
    let (_, package) = env.originals_package().await;
    let whole = read_stream(&package).await.unwrap();
    let half = whole.len() as u64 / 2;
    let first = || Fault::on("downloadPackage").nth(1).cut_after(half);
    let second = || Fault::on("downloadPackage").nth(2);
    for (faults, statuses) in [
        (vec![first(), second().ignore_range()], &[200, 200][..]),
        (vec![first(), second().lying_content_range(5)], &[200, 206, 200]),
        (vec![first(), second().changed_etag()], &[200, 206, 200]),
        (vec![first().changed_etag()], &[200, 200]),
    ] {
        for fault in faults {
            env.add_fault(fault);
        }
        let before = env.requests("downloadPackage").len();
        assert!(read_stream(&package).await.unwrap() == whole);
        let requests_seen: Vec<_> =
            env.requests("downloadPackage")[before..].iter().map(|request| request.status).collect();
        assert_eq!(requests_seen, statuses);
        env.sim.faults().clear();
    }
}

#[tokio::test]
async fn restarts_file_but_fails_stream_when_package_changes() {
    let (one, two) = (incompressible_zip(200_000), incompressible_zip(150_000));
    let half = one.len() / 2;
    let open = async || {
        let (one, two) = (one.clone(), two.clone());
        PackageServer::start(move |request| match request.number {
            0 => full_response(&one, &[ETAG], half),
            1 => full_response(&two, &["ETag: \"two\""], 60_000),
            _ if request.condition.as_deref() == Some("\"two\"") => {
                partial_response(&two, request.from.unwrap(), &["ETag: \"two\""], usize::MAX)
            }
            _ => full_response(&two, &["ETag: \"two\""], usize::MAX),
        })
        .await
    };
    let folder = tempfile::tempdir().unwrap();
    let server = open().await;
    let saved = server.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == two);
    assert_eq!(server.range_starts(), [None, Some(half), Some(60_000)]);

    let mut stream = open().await.package().await.stream().await.unwrap();
    let mut received = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(chunk) => received += chunk.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((received, error.kind()), (half, ErrorKind::Integrity));
    let line = "downloadPackage: package changed during the download; download the package again";
    assert_eq!(error.to_string(), line);
    assert!(stream.next().await.is_none());
}

/// First header, second header, change at this distance before the interruption, and whether the stream continues.
type RestartCase<'a> = (&'a [&'a str], &'a [&'a str], Option<usize>, bool);

#[tokio::test]
async fn stream_continues_after_restart_only_if_delivered_bytes_are_proven() {
    const TWO: &str = "ETag: \"two\"";
    let zip = incompressible_zip(600_000);
    let delivered = 500_000;
    let cases: [RestartCase<'_>; 12] = [
        // The same strong validator is proof, and the last bytes are compared in case it is wrong.
        (&[ETAG], &[ETAG], None, true),
        (&[ETAG], &[ETAG], Some(1), false),
        (&[ETAG], &[ETAG], Some(5_000), false),
        // Without a strong validator, all bytes are compared by their checksum.
        (&[], &[], None, true),
        (&[], &[], Some(1), false),
        (&[], &[], Some(delivered), false),
        (&[], &[ETAG], None, true),
        (&[], &[ETAG], Some(delivered), false),
        (&["ETag: W/\"one\""], &["ETag: W/\"one\""], Some(delivered), false),
        // Another validator, or none after one: nothing proves the first bytes.
        (&[ETAG], &[TWO], None, false),
        (&[ETAG], &[TWO], Some(delivered), false),
        (&[ETAG], &[], None, false),
    ];
    for (first, second, change, continues) in cases {
        let [first, second] =
            [first, second].map(|headers| headers.iter().map(ToString::to_string).collect::<Vec<_>>());
        let what = format!("{first:?}, {second:?}, change {change:?} bytes before the interruption");
        let mut other = zip.clone();
        if let Some(distance) = change {
            other[delivered - distance] ^= 1;
        }
        let package = zip.clone();
        let server = PackageServer::start(move |request| {
            let (package, headers, sent) = match request.number {
                0 => (&package, &first, delivered),
                _ => (&other, &second, usize::MAX),
            };
            full_response(package, &headers.iter().map(String::as_str).collect::<Vec<_>>(), sent)
        })
        .await;
        match read_stream(&server.package().await).await {
            Ok(received) => assert!(continues && received == zip, "{what}"),
            Err(error) => {
                assert!(!continues && error.kind() == ErrorKind::Integrity, "{error}: {what}");
            }
        }
    }
}

/// Wraps bytes in a gzip file with one uncompressed block (RFC 1951, RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    let length = u16::try_from(bytes.len()).unwrap();
    let mut compressed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    compressed.extend(length.to_le_bytes());
    compressed.extend((!length).to_le_bytes());
    compressed.extend_from_slice(bytes);
    compressed.extend((!sum).to_le_bytes());
    compressed.extend(u32::from(length).to_le_bytes());
    compressed
}

#[tokio::test]
async fn does_not_resume_compressed_response() {
    let zip = incompressible_zip(40_000);
    let compressed = gzip(&zip);
    let server = PackageServer::start(move |request| {
        let sent = if request.number == 0 { 20_000 } else { usize::MAX };
        full_response(&compressed, &[ETAG, "Content-Encoding: gzip"], sent)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let saved = server.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None], "ranges would refer to the compressed bytes");

    let server = PackageServer::start(|_| full_response(b"what", &["Content-Encoding: compress"], usize::MAX)).await;
    let error = server.package().await.save_to(folder.path().join("b.zip")).await.unwrap_err();
    let line = "downloadPackage: 200 OK, but the package has an unrequested Content-Encoding";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, line));
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn rejects_unrequested_partial_response() {
    let zip = incompressible_zip(1_000);
    let server =
        PackageServer::start(move |request| partial_response(&zip, request.from.unwrap_or(0), &[ETAG], usize::MAX))
            .await;
    let error = server.package().await.stream().await.unwrap_err();
    let line = "downloadPackage: 206 Partial Content, but the request was for the whole package";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, line));
    // A caller who sets a Range header receives the partial response unchanged.
    let part = server.package().await.stream().with_header("Range", "bytes=900-").await.unwrap();
    let part: Vec<_> = part.try_collect().await.unwrap();
    assert!(part.concat().ends_with(b"\0\0"));
    assert_eq!(server.range_starts(), [None, Some(900)]);
}
