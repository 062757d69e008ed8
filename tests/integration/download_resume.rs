//! Interrupted downloads: they resume within the same call or in a later one, and bytes of two packages are never mixed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use documine::{
    ClientBuilder, Credentials, DownloadFileType, DownloadId, Error, ErrorKind, IfExists, Package, PackageContent,
    PackageLimits, Progress, Retry,
};
use documine_sim::Fault;
use futures_util::{StreamExt, TryStreamExt};
use proptest::prelude::Rng;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::harness::canned_server::{CannedServer, json_response};
use crate::harness::pdf_fixtures::{STUDY, unzip, zip};
use crate::harness::scripted::{builder, request_lines};
use crate::harness::test_env::{TestEnv, header, operation_path};
use crate::harness::zip_fixtures::crc32;

/// Returns an incompressible package of about `size` bytes.
pub fn incompressible_zip(size: usize) -> Vec<u8> {
    let mut state = 0x9110_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(size).collect();
    zip(&[("noise", bytes.as_slice()), ("small.txt", b"something small")])
}

/// The relevant parts of a package request.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeRequest {
    /// Index of the request, from 0.
    pub number: usize,
    pub from: Option<usize>,
    pub condition: Option<String>,
}

/// Builds a response whose connection closes after `body`, regardless of the announced length.
pub fn raw_response(head: &[String], body: &[u8]) -> Vec<u8> {
    let mut bytes = head.join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Builds a 200 response with these headers that sends only the first `sent` bytes of the package.
pub fn full_response(package: &[u8], headers: &[&str], sent: usize) -> Vec<u8> {
    let mut head = vec!["HTTP/1.1 200 OK".to_owned(), format!("Content-Length: {}", package.len())];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw_response(&head, &package[..sent.min(package.len())])
}

/// Builds a 206 response from byte `from` with these headers that sends only `sent` bytes.
pub fn partial_response(package: &[u8], from: usize, headers: &[&str], sent: usize) -> Vec<u8> {
    let (length, left) = (package.len(), package.len() - from);
    let range = format!("Content-Range: bytes {from}-{}/{length}", length - 1);
    let mut head = vec!["HTTP/1.1 206 Partial Content".to_owned(), format!("Content-Length: {left}"), range];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw_response(&head, &package[from..][..sent.min(left)])
}

pub const ETAG: &str = "ETag: \"one\"";

/// A server with one package.
pub struct PackageServer {
    service: CannedServer,
    requests_seen: Arc<Mutex<Vec<RangeRequest>>>,
}

impl PackageServer {
    /// Starts a server that responds to each package request with the result of `respond`.
    pub async fn start(respond: impl Fn(&RangeRequest) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let requests_seen = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests_seen);
        let service = CannedServer::respond_with(move |head| {
            if !head.starts_with(&format!("GET {} ", operation_path("downloadPackage", &["d-1"]))) {
                return json_response(&documine_sim::wire::answer(
                    "getDownload",
                    r#"{"downloadId":"d-1","status":"READY"}"#,
                ));
            }
            let value = |name: &str| {
                head.lines().find_map(|line| {
                    let (found, value) = line.split_once(": ")?;
                    found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                })
            };
            let from = value("range").map(|range| {
                range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
            });
            let mut recorded = recorded.lock().unwrap();
            let request = RangeRequest { number: recorded.len(), from, condition: value("if-range") };
            recorded.push(request.clone());
            respond(&request)
        })
        .await;
        Self { service, requests_seen }
    }

    /// Starts a server that supports ranges and truncates the first responses after these byte counts; later responses are complete.
    pub async fn interrupted_after(package: &[u8], cut_points: Vec<usize>) -> Self {
        let package = package.to_vec();
        Self::start(move |request| {
            let sent = cut_points.get(request.number).copied().unwrap_or(usize::MAX);
            match request.from {
                Some(from) if request.condition.as_deref() == Some("\"one\"") => {
                    partial_response(&package, from, &[ETAG], sent)
                }
                _ => full_response(&package, &[ETAG], sent),
            }
        })
        .await
    }

    /// Starts a server that sends `head` and then stalls with the connection open.
    pub async fn stalling(head: Vec<u8>) -> Self {
        let service = CannedServer::respond_and_hold(move |request| {
            if request.starts_with(&format!("GET {} ", operation_path("downloadPackage", &["d-1"]))) {
                head.clone()
            } else {
                json_response(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#))
            }
        })
        .await;
        Self { service, requests_seen: Arc::default() }
    }

    /// Returns the package through a new client.
    pub async fn package(&self) -> Package {
        self.package_with(|builder| builder).await
    }

    pub async fn package_with(&self, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Package {
        let (builder, _) = builder(&self.service.base).await;
        let client = settings(builder.credentials(Credentials::access_token("t"))).build().unwrap();
        client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap()
    }

    /// Returns the start of each range request; `None` for a request without a range.
    pub fn range_starts(&self) -> Vec<Option<usize>> {
        self.requests_seen.lock().unwrap().iter().map(|request| request.from).collect()
    }
}

pub fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub async fn read_stream(package: &Package) -> documine::Result<Vec<u8>> {
    let pieces: Vec<_> = package.stream().await?.try_collect().await?;
    Ok(pieces.concat())
}

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
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9110);
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let mut random = |below: usize| usize::try_from(runner.rng().next_u64()).unwrap_or(0) % below;
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
                assert_eq!((saved.bytes, saved.resumed_at), (zip.len() as u64, 0));
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
        assert!(
            server
                .requests_seen
                .lock()
                .unwrap()
                .iter()
                .skip(1)
                .all(|request| request.condition.as_deref() == Some("\"one\""))
        );
    }
}

#[tokio::test]
async fn backs_off_between_resets_early_eofs_and_stalls() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let content = PackageContent::file_types([DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    let (id, size) = (package.id().clone(), read_stream(&package).await.unwrap().len());
    let asked_before = env.requests("downloadPackage").len();
    let faults = env.sim.faults();
    let quarter = (size / 4) as u64;
    faults.add(Fault::on("downloadPackage").nth(1).cut_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(2).stall_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(3).reset_after_headers());
    let client = env.builder().idle_timeout(Duration::from_secs(30)).build().unwrap();
    let package = client.download(id).operation().wait().await.unwrap();
    let before = env.time.sleeps().len();
    let folder = tempfile::tempdir().unwrap();
    // With the clock paused, the timeout fires as soon as the runtime is idle.
    tokio::time::pause();
    let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
    assert_eq!(saved.bytes, size as u64);
    assert!(unzip(&std::fs::read(&saved.path).unwrap()).iter().any(|(_, bytes)| bytes == STUDY));
    let requests = env.requests("downloadPackage").split_off(asked_before);
    let ranges: Vec<_> = requests.iter().map(|request| header(request, "range")).collect();
    let from = |bytes: u64| Some(format!("bytes={bytes}-"));
    assert_eq!(ranges, [None, from(quarter), from(2 * quarter), from(2 * quarter)]);
    // Too few bytes arrived to count as progress, and the clock's random value is always 0.5.
    let pauses: Vec<_> = env.time.sleeps()[before..].iter().map(Duration::as_millis).collect();
    assert_eq!(pauses, [250, 500, 1000]);
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
    let error =
        server.package().await.stream().with_retry(Retry::Never).await.unwrap().try_for_each(|_| async { Ok(()) });
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
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let content = PackageContent::file_types([DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
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
            env.sim.faults().add(fault);
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
            Ok(piece) => received += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((received, error.kind()), (half, ErrorKind::Integrity));
    let line = "downloadPackage: the package became another one while it was fetched; fetch it again";
    assert_eq!(error.to_string(), line);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn never_saves_package_of_wrong_length() {
    for (delta, kind) in [(-10, ErrorKind::Integrity), (10, ErrorKind::Interrupted)] {
        let env = TestEnv::new().await;
        let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
        let content = PackageContent::file_types([DownloadFileType::Original]);
        let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        // Each call uses a new client, because surplus bytes corrupt the next response on the connection.
        let of = async || {
            let client = env.builder().build().unwrap();
            client.download(package.id().clone()).operation().wait().await.unwrap()
        };
        env.sim.faults().add(Fault::on("downloadPackage").content_length(delta));
        let error = of().await.save_to(&target).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        let error = of().await.save_to(&target).resumable().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        assert_eq!(file_names(folder.path()), [""; 0], "{delta}");
        env.sim.faults().clear();
        of().await.save_to(&target).resumable().await.unwrap();
        assert_eq!(file_names(folder.path()), ["a.zip"], "{delta}");
    }
}

#[tokio::test]
async fn fetches_invalid_zip_once_more() {
    let zip = incompressible_zip(50_000);
    let package = zip.clone();
    let server = PackageServer::start(move |request| {
        full_response(if request.number == 0 { &package[1..] } else { &package }, &[ETAG], usize::MAX)
    });
    let server = server.await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    server.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None]);

    let package = zip.clone();
    let server =
        PackageServer::start(move |_| full_response(&package[..package.len() - 30], &[ETAG], usize::MAX)).await;
    let error = server.package().await.save_to(&target).await.unwrap_err();
    let length = zip.len() - 30;
    let line = format!(
        "downloadPackage: the {length} bytes that came are no whole ZIP, and the same again; have the package made anew"
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Integrity, line));
    assert_eq!((error.attempts(), server.range_starts()), (2, vec![None, None]));
    assert!(std::fs::read(&target).unwrap() == zip, "the existing file is unchanged");
    assert_eq!(file_names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn fetches_package_with_damaged_entry_once_more_when_checked() {
    let zip = incompressible_zip(50_000);
    let mut damaged = zip.clone();
    // A byte of the first entry's data changes; length and end record stay valid.
    damaged[1_000] ^= 1;
    let (first, then) = (damaged.clone(), zip.clone());
    let server = PackageServer::start(move |request| {
        full_response(if request.number == 0 { &first } else { &then }, &[ETAG], usize::MAX)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    server.package().await.save_to(&target).checked(PackageLimits::default()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None]);

    let always = damaged.clone();
    let server = PackageServer::start(move |_| full_response(&always, &[ETAG], usize::MAX)).await;
    for resumable in [false, true] {
        let call = server.package().await.save_to(&target).checked(PackageLimits::default());
        let error = if resumable { call.resumable().await } else { call.await }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.starts_with("downloadPackage: the package that came: entry \"noise\" is damaged ("), "{line}");
        assert!(std::fs::read(&target).unwrap() == zip, "the existing file is unchanged");
        assert_eq!(file_names(folder.path()), ["a.zip"], "no part remains");
    }
    let few = PackageLimits::default().entries(1);
    let error = server.package().await.save_to(&target).checked(few).await.unwrap_err();
    assert!(error.to_string().contains("it holds 2 entries, more than 1"), "{error}");
    // A call without a check saves the package as received.
    server.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == damaged);
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
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend_from_slice(bytes);
    packed.extend((!sum).to_le_bytes());
    packed.extend(u32::from(length).to_le_bytes());
    packed
}

#[tokio::test]
async fn does_not_resume_compressed_response() {
    let zip = incompressible_zip(40_000);
    let packed = gzip(&zip);
    let server = PackageServer::start(move |request| {
        let sent = if request.number == 0 { 20_000 } else { usize::MAX };
        full_response(&packed, &[ETAG, "Content-Encoding: gzip"], sent)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let saved = server.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == zip);
    assert_eq!(server.range_starts(), [None, None], "ranges would refer to the compressed bytes");

    let server = PackageServer::start(|_| full_response(b"what", &["Content-Encoding: compress"], usize::MAX)).await;
    let error = server.package().await.save_to(folder.path().join("b.zip")).await.unwrap_err();
    let line =
        "downloadPackage: 200 OK, but the package is packed once more (Content-Encoding), which was not asked for";
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
    let line = "downloadPackage: 206 Partial Content, but the whole package was asked for";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, line));
    // A caller who sets a Range header receives the partial response unchanged.
    let part = server.package().await.stream().with_header("Range", "bytes=900-").await.unwrap();
    let part: Vec<_> = part.try_collect().await.unwrap();
    assert!(part.concat().ends_with(b"\0\0"));
    assert_eq!(server.range_starts(), [None, Some(900)]);
}

/// Records all progress events.
#[derive(Clone, Default)]
struct ProgressRecorder(Arc<Mutex<Vec<String>>>);

impl Progress for ProgressRecorder {
    fn moved(&self, moved: u64, total: Option<u64>) {
        let mut lines = self.0.lock().unwrap();
        let line = format!("{moved} of {}", total.unwrap_or_default());
        // Only the last move between two other events is kept.
        if lines.last().is_some_and(|line| line.contains(" of ")) {
            lines.pop();
        }
        lines.push(line);
    }

    fn resumed_at(&self, bytes: u64) {
        self.0.lock().unwrap().push(format!("resumed at {bytes}"));
    }
}

#[tokio::test]
async fn resumes_in_another_process() {
    let zip = incompressible_zip(300_000);
    let length = zip.len();
    let server = PackageServer::interrupted_after(&zip, vec![100_000, 50_000]).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "previous content").unwrap();
    for (at, stands) in [(100_000, 100_000), (50_000, 150_000)] {
        // Each call uses a new client, as another process would.
        let error = server.package().await.save_to(&target).resumable().with_retry(Retry::Never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{at}");
        assert_eq!(file_names(folder.path()), ["a.zip", "a.zip.part", "a.zip.part.json"]);
        assert!(std::fs::read(folder.path().join("a.zip.part")).unwrap() == zip[..stands]);
        let sidecar = std::fs::read_to_string(folder.path().join("a.zip.part.json")).unwrap();
        let sum = crc32(&zip[..stands]);
        let expected = format!(
            r#"{{"version":1,"download_id":"d-1","bytes":{stands},"crc32":{sum},"length":{length},"validator":{{"etag":"\"one\""}},"name":null}}"#
        );
        assert_eq!(sidecar, expected);
        assert_eq!(std::fs::read(&target).unwrap(), b"previous content");
    }
    let recorded = ProgressRecorder::default();
    let saved = server.package().await.save_to(&target).resumable().with_progress(recorded.clone()).await.unwrap();
    assert_eq!((saved.path, saved.bytes, saved.resumed_at), (target.clone(), length as u64, 150_000));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(server.range_starts(), [None, Some(100_000), Some(150_000)]);
    assert_eq!(*recorded.0.lock().unwrap(), ["resumed at 150000".to_owned(), format!("{length} of {length}")]);
}

#[tokio::test]
async fn records_safe_bytes_in_sidecar_during_download() {
    let zip = incompressible_zip(6_000_000);
    let head = full_response(&zip, &[ETAG], 5_000_000);
    let stalling_server = PackageServer::stalling(head).await;
    let folder = tempfile::tempdir().unwrap();
    let started = Arc::new(tokio::sync::Notify::new());
    let notifier = Arc::clone(&started);
    let call = stalling_server.package().await.save_to(folder.path().join("a.zip")).resumable();
    let call = call.with_progress(move |moved, _| {
        if moved == 5_000_000 {
            notifier.notify_one();
        }
    });
    let saving = tokio::spawn(call.send());
    started.notified().await;
    // State of the files if the process is killed now.
    let [part, sidecar] =
        ["a.zip.part", "a.zip.part.json"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let recorded = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        usize::try_from(line["bytes"].as_u64().unwrap()).unwrap()
    };
    let safe = recorded(sidecar.split(|byte| *byte == b'\n').next().unwrap());
    assert!((4 * 1024 * 1024..5_000_000).contains(&safe), "{safe}");
    let written = safe + recorded(sidecar.rsplit(|byte| *byte == b'\n').next().unwrap());
    assert!((5_000_000 - 512 * 1024..=5_000_000).contains(&written), "{written}");
    // State after a power failure: bytes that were not synced are undefined.
    let lost = [&part[..safe], &vec![0; part.len() - safe]].concat();
    for (what, part, begin) in [
        ("process killed", &part, written),
        ("power failure", &lost, safe),
        ("part truncated", &part[..safe].to_vec(), safe),
    ] {
        let after = tempfile::tempdir().unwrap();
        std::fs::write(after.path().join("a.zip.part"), part).unwrap();
        std::fs::write(after.path().join("a.zip.part.json"), &sidecar).unwrap();
        let server = PackageServer::interrupted_after(&zip, vec![]).await;
        let saved = server.package().await.save_to(after.path().join("a.zip")).resumable().await.unwrap();
        assert_eq!((saved.resumed_at, server.range_starts()), (begin as u64, vec![Some(begin)]), "{what}");
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(file_names(after.path()), ["a.zip"], "{what}");
    }
    saving.abort();
    saving.await.unwrap_err();
}

/// Runs a resumable call for `a.zip` that fails after 100,000 bytes.
pub async fn interrupt_download(zip: &[u8], folder: &Path) {
    let server = PackageServer::interrupted_after(zip, vec![100_000]).await;
    let call = server.package().await.save_to(folder.join("a.zip")).resumable().with_retry(Retry::Never);
    call.await.unwrap_err();
    assert_eq!(file_names(folder), ["a.zip.part", "a.zip.part.json"]);
}

/// Description, modification of the part, and expected start of each request of the next call.
type DamagedPart<'a> = (&'a str, fn(&Path, &str), &'a [Option<usize>]);

#[tokio::test]
async fn restarts_when_part_does_not_match_sidecar() {
    let zip = incompressible_zip(300_000);
    let text = |folder: &Path| std::fs::read_to_string(folder.join("a.zip.part.json")).unwrap();
    let damage: [DamagedPart<'_>; 6] = [
        ("unchanged", |_, _| (), &[Some(100_000)]),
        ("damaged", |path, text| std::fs::write(path.with_extension("part.json"), &text[..40]).unwrap(), &[None]),
        (
            "sidecar of another package",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("d-1", "d-2")).unwrap(),
            &[None],
        ),
        (
            "sidecar with another tag",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("one", "two")).unwrap(),
            &[Some(100_000)],
        ),
        ("part too short", |path, _| std::fs::write(path.with_extension("part"), "part truncated").unwrap(), &[None]),
        (
            "part longer than its safe bytes",
            |path, _| {
                let mut bytes = std::fs::read(path.with_extension("part")).unwrap();
                bytes.extend_from_slice(b"unrecorded bytes");
                std::fs::write(path.with_extension("part"), bytes).unwrap();
            },
            &[Some(100_000)],
        ),
    ];
    for (what, damage, range_starts) in damage {
        let folder = tempfile::tempdir().unwrap();
        interrupt_download(&zip, folder.path()).await;
        // `with_extension` replaces the last extension of `a.zip.x`.
        damage(&folder.path().join("a.zip.x"), &text(folder.path()));
        let server = PackageServer::interrupted_after(&zip, vec![]).await;
        let saved = server.package().await.save_to(folder.path().join("a.zip")).resumable().await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(file_names(folder.path()), ["a.zip"], "{what}");
        assert_eq!(server.range_starts(), range_starts, "{what}");
    }
}

#[tokio::test]
async fn refuses_to_touch_foreign_or_newer_part() {
    let zip = incompressible_zip(300_000);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let part = folder.path().join("a.zip.part");
    let sidecar = folder.path().join("a.zip.part.json");
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let package = server.package().await;
    let line = async || {
        let error: Error = package.save_to(&target).resumable().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::File, 0));
        error.to_string()
    };
    std::fs::write(&part, "foreign content").unwrap();
    let expected = format!(
        "downloadPackage: {} can't be written: it is there already, and no download of this SDK; move it away",
        part.display()
    );
    assert_eq!(line().await, expected);
    assert_eq!(std::fs::read(&part).unwrap(), b"foreign content");

    std::fs::remove_file(&part).unwrap();
    interrupt_download(&zip, folder.path()).await;
    let text = std::fs::read_to_string(&sidecar).unwrap().replace("\"version\":1", "\"version\":2");
    std::fs::write(&sidecar, &text).unwrap();
    let expected = format!(
        "downloadPackage: {} is of version 2, and this SDK knows no later than 1; go on with a newer one, or delete it",
        sidecar.display()
    );
    assert_eq!(line().await, expected);
    assert_eq!((std::fs::read_to_string(&sidecar).unwrap(), std::fs::metadata(&part).unwrap().len()), (text, 100_000));

    std::fs::remove_file(&part).unwrap();
    assert_eq!(line().await, expected);
    assert_eq!(file_names(folder.path()), ["a.zip.part.json"]);

    std::fs::create_dir(&part).unwrap();
    assert_eq!(
        line().await,
        format!("downloadPackage: {} can't be written: it is not a regular file; move it away", part.display())
    );
    assert_eq!(server.range_starts(), [], "no request is sent");
}

#[tokio::test]
async fn rejects_second_call_on_same_part() {
    let zip = incompressible_zip(300_000);
    let package = zip.clone();
    let head = full_response(&package, &[ETAG], 100_000);
    let stalling_server = PackageServer::stalling(head).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let started = Arc::new(tokio::sync::Notify::new());
    let notifier = Arc::clone(&started);
    let call = stalling_server.package().await.save_to(&target).resumable();
    let first = tokio::spawn(
        call.with_progress(move |moved, _| {
            if moved == 100_000 {
                notifier.notify_one();
            }
        })
        .send(),
    );
    started.notified().await;
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let second = server.package().await;
    let error = second.save_to(&target).resumable().await.unwrap_err();
    let line = format!(
        "downloadPackage: {} can't be written: another call is fetching it; wait for that call, or choose another place",
        folder.path().join("a.zip.part").display()
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line));
    // Dropping the first call syncs its bytes and releases the lock.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let saved = loop {
        match second.save_to(&target).resumable().await {
            Ok(saved) => break saved,
            Err(error) => assert_eq!(error.kind(), ErrorKind::File, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((saved.resumed_at, server.range_starts()), (100_000, vec![Some(100_000)]));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(file_names(folder.path()), ["a.zip"]);
    assert_eq!(request_lines(&stalling_server.service).len(), 2);
}

#[tokio::test]
async fn removes_part_that_cannot_be_resumed() {
    let zip = incompressible_zip(100_000);
    for (what, headers) in [("no tag", &[][..]), ("weak tag", &["ETag: W/\"one\""])] {
        let package = zip.clone();
        let server = PackageServer::start(move |_| full_response(&package, headers, 50_000)).await;
        let folder = tempfile::tempdir().unwrap();
        let call = server.package().await.save_to(folder.path().join("a.zip")).resumable();
        call.await.unwrap_err();
        assert_eq!(file_names(folder.path()), [""; 0], "{what}");
    }
    let server = PackageServer::start(|_| crate::harness::canned_server::response("404 Not Found", &[], "")).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    assert!(server.package().await.save_to(&target).resumable().await.unwrap_err().is_not_found());
    assert_eq!(file_names(folder.path()), [""; 0], "nothing was received");
    interrupt_download(&zip, folder.path()).await;
    assert!(server.package().await.save_to(&target).resumable().await.unwrap_err().is_not_found());
    assert_eq!(file_names(folder.path()), [""; 0], "the package is gone");
}

/// Starts a server whose package has this suggested name.
async fn server_with_disposition(zip: &[u8], disposition: &'static str) -> PackageServer {
    let zip = zip.to_vec();
    PackageServer::start(move |request| match request.from {
        Some(from) => partial_response(&zip, from, &[ETAG], usize::MAX),
        None => full_response(&zip, &[ETAG, disposition], if request.number == 0 { 60_000 } else { usize::MAX }),
    })
    .await
}

#[tokio::test]
async fn keeps_suggested_name_inside_the_folder() {
    let zip = incompressible_zip(100_000);
    for (disposition, name) in [
        ("Content-Disposition: attachment; filename=\"Q3 filings.zip\"", "Q3 filings.zip"),
        ("Content-Disposition: attachment; filename=x.zip; filename*=UTF-8''Pr%C3%BCfung.zip", "Prüfung.zip"),
        ("Content-Disposition: attachment; filename=\"../../../etc/cron.d/job\"", "job"),
        ("Content-Disposition: attachment; filename*=UTF-8''..%2F..%5Cevil.zip", "evil.zip"),
        ("Content-Disposition: attachment; filename=nul.zip", "_nul.zip"),
        ("Content-Disposition: attachment; filename=\"..\"", "package-d-1.zip"),
        ("X-Nothing: 1", "package-d-1.zip"),
    ] {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let server = server_with_disposition(&zip, disposition).await;
        let saved = server.package().await.save_in(&folder).await.unwrap();
        assert_eq!(saved.path, folder.join(name), "{disposition}");
        assert!(std::fs::read(&saved.path).unwrap() == zip);
        // The sidecar keeps the name, because the partial response does not repeat it.
        let server = server_with_disposition(&zip, disposition).await;
        let call = server.package().await.save_in(&folder).resumable().with_retry(Retry::Never);
        call.await.unwrap_err();
        assert_eq!(
            file_names(&folder).into_iter().filter(|name| name.contains(".part")).collect::<Vec<_>>(),
            ["package-d-1.zip.part", "package-d-1.zip.part.json"]
        );
        let saved = server.package().await.save_in(&folder).resumable().if_exists(IfExists::Replace).await.unwrap();
        assert_eq!((saved.path, saved.resumed_at), (folder.join(name), 60_000), "{disposition}");
        assert_eq!(file_names(&folder), [name]);
        assert_eq!(file_names(outside.path()), ["in"]);
    }
}

#[tokio::test]
async fn applies_if_exists_policy() {
    let zip = incompressible_zip(1_000);
    let server = PackageServer::interrupted_after(&zip, vec![]).await;
    let package = server.package().await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "mine").unwrap();
    let error = package.save_to(&target).if_exists(IfExists::Refuse).await.unwrap_err();
    let line = format!("downloadPackage: {} can't be written: there is a file of this name already", target.display());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line.clone()));
    assert_eq!(server.range_starts(), [], "no request is sent");
    for name in ["a (2).zip", "a (3).zip"] {
        let saved = package.save_to(&target).if_exists(IfExists::Number).await.unwrap();
        assert_eq!(saved.path, folder.path().join(name));
        assert!(std::fs::read(&saved.path).unwrap() == zip);
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    let saved = package.save_in(folder.path()).await.unwrap();
    assert_eq!(saved.path, folder.path().join("package-d-1.zip"));
    assert_eq!(package.save_in(folder.path()).await.unwrap().path, folder.path().join("package-d-1 (2).zip"));
    package.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);

    // A file created during the download is not replaced either.
    std::fs::remove_file(&target).unwrap();
    let meanwhile = target.clone();
    let call = package.save_to(&target).if_exists(IfExists::Refuse);
    let call = call.with_progress(move |_, _| std::fs::write(&meanwhile, "theirs").unwrap());
    assert_eq!(call.await.unwrap_err().to_string(), line);
    assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
    assert_eq!(
        file_names(folder.path()),
        ["a (2).zip", "a (3).zip", "a.zip", "package-d-1 (2).zip", "package-d-1.zip"]
    );
    let error = package.save_in(&target).await.unwrap_err();
    assert_eq!(error.to_string(), format!("downloadPackage: {} can't be written: it is no folder", target.display()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn reports_full_writer() {
    let server = PackageServer::interrupted_after(&incompressible_zip(1_000), vec![]).await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = server.package().await.save_into(full).await.unwrap_err();
    let line = "downloadPackage: the package can't be written on: No space left on device (os error 28)";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::File, line));
}
