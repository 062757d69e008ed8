//! Packages that break off on their way: they go on where they stopped, in the same call or in the next one, and are never mixed with anything else.

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

use crate::archives::crc;
use crate::canned::{Canned, json};
use crate::paper::{STUDY, unzip, zip};
use crate::scripted::{asked, builder};
use crate::world::{World, header, path};

/// A package of about this size that does not get smaller.
pub fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9110_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(size).collect();
    zip(&[("noise", bytes.as_slice()), ("small.txt", b"something small")])
}

/// A request for a package, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The number of the request, from 0.
    pub number: usize,
    pub from: Option<usize>,
    pub condition: Option<String>,
}

/// The beginning of an answer and the bytes behind it; the connection ends there, whatever was announced.
pub fn raw(head: &[String], body: &[u8]) -> Vec<u8> {
    let mut bytes = head.join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The whole package with these headers, of which `sent` bytes come.
pub fn whole(package: &[u8], headers: &[&str], sent: usize) -> Vec<u8> {
    let mut head = vec!["HTTP/1.1 200 OK".to_owned(), format!("Content-Length: {}", package.len())];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw(&head, &package[..sent.min(package.len())])
}

/// The rest of the package from `from` on with these headers, of which `sent` bytes come.
pub fn rest(package: &[u8], from: usize, headers: &[&str], sent: usize) -> Vec<u8> {
    let (length, left) = (package.len(), package.len() - from);
    let range = format!("Content-Range: bytes {from}-{}/{length}", length - 1);
    let mut head = vec!["HTTP/1.1 206 Partial Content".to_owned(), format!("Content-Length: {left}"), range];
    head.extend(headers.iter().map(|line| (*line).to_owned()));
    raw(&head, &package[from..][..sent.min(left)])
}

pub const TAG: &str = "ETag: \"one\"";

/// A service with one package.
pub struct Shop {
    service: Canned,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Shop {
    /// Each request for the package gets what `answer` makes of it.
    pub async fn open(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let service = Canned::answering(move |head| {
            if !head.starts_with(&format!("GET {} ", path("downloadPackage", &["d-1"]))) {
                return json(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#));
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
            let mut noted = noted.lock().unwrap();
            let asked = Asked { number: noted.len(), from, condition: value("if-range") };
            noted.push(asked.clone());
            answer(&asked)
        })
        .await;
        Self { service, seen }
    }

    /// A decent one whose answers break off after so many bytes, one after another; the next ones come whole.
    pub async fn breaking_off(package: &[u8], cuts: Vec<usize>) -> Self {
        let package = package.to_vec();
        Self::open(move |asked| {
            let sent = cuts.get(asked.number).copied().unwrap_or(usize::MAX);
            match asked.from {
                Some(from) if asked.condition.as_deref() == Some("\"one\"") => rest(&package, from, &[TAG], sent),
                _ => whole(&package, &[TAG], sent),
            }
        })
        .await
    }

    /// One that sends this much of the package and no more, and holds the connection.
    pub async fn holding(head: Vec<u8>) -> Self {
        let service = Canned::answering_and_holding(move |request| {
            if request.starts_with(&format!("GET {} ", path("downloadPackage", &["d-1"]))) {
                head.clone()
            } else {
                json(&documine_sim::wire::answer("getDownload", r#"{"downloadId":"d-1","status":"READY"}"#))
            }
        })
        .await;
        Self { service, seen: Arc::default() }
    }

    /// The package, for a client of its own.
    pub async fn package(&self) -> Package {
        self.package_with(|builder| builder).await
    }

    pub async fn package_with(&self, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Package {
        let (builder, _) = builder(&self.service.base).await;
        let client = settings(builder.credentials(Credentials::access_token("t"))).build().unwrap();
        client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap()
    }

    /// Where the requests so far began; `None`: at the first byte.
    pub fn begins(&self) -> Vec<Option<usize>> {
        self.seen.lock().unwrap().iter().map(|asked| asked.from).collect()
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub async fn streamed(package: &Package) -> documine::Result<Vec<u8>> {
    let pieces: Vec<_> = package.stream().await?.try_collect().await?;
    Ok(pieces.concat())
}

/// Cut points for `length` bytes, each a good piece behind the one before.
fn cuts(length: usize, random: &mut impl FnMut(usize) -> usize) -> Vec<usize> {
    let (mut cuts, mut at) = (Vec::new(), 0);
    loop {
        let cut = 20_000 + random(400_000);
        if at + cut >= length {
            return cuts;
        }
        at += cut;
        cuts.push(cut);
    }
}

#[tokio::test]
async fn a_package_that_breaks_off_anywhere_comes_whole_and_no_byte_comes_twice() {
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(9110);
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let mut random = |below: usize| usize::try_from(runner.rng().next_u64()).unwrap_or(0) % below;
    let zip = noise(3_000_000);
    for way in ["file", "stream", "writer"] {
        let cuts = cuts(zip.len(), &mut random);
        assert!(cuts.len() > 4, "more than the attempts of one call");
        let shop = Shop::breaking_off(&zip, cuts.clone()).await;
        // What brings the package further is given back.
        let package = shop.package_with(|builder| builder.retry_budget(Some(1))).await;
        let folder = tempfile::tempdir().unwrap();
        let got = match way {
            "file" => {
                let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
                assert_eq!((saved.bytes, saved.resumed_at), (zip.len() as u64, 0));
                assert_eq!(names(folder.path()), ["a.zip"]);
                std::fs::read(saved.path).unwrap()
            }
            "stream" => streamed(&package).await.unwrap(),
            _ => package.save_into(Vec::new()).await.unwrap().writer,
        };
        assert!(got == zip, "{way}, PROPTEST_RNG_SEED={seed}, cut at {cuts:?}");
        // Each answer begins where the one before stopped, so all of them together have the package's bytes and no more.
        let mut at = 0;
        let mut wanted = vec![None];
        for cut in &cuts {
            at += cut;
            wanted.push(Some(at));
        }
        assert_eq!(shop.begins(), wanted, "{way}, PROPTEST_RNG_SEED={seed}");
        assert!(shop.seen.lock().unwrap().iter().skip(1).all(|asked| asked.condition.as_deref() == Some("\"one\"")));
    }
}

#[tokio::test]
async fn resets_cuts_and_standstills_are_gone_over_with_pauses() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = PackageContent::file_types([DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    let (id, size) = (package.id().clone(), streamed(&package).await.unwrap().len());
    let asked_before = world.requests("downloadPackage").len();
    let faults = world.sim.faults();
    let quarter = (size / 4) as u64;
    faults.add(Fault::on("downloadPackage").nth(1).cut_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(2).stall_after(quarter));
    faults.add(Fault::on("downloadPackage").nth(3).reset_after_headers());
    let client = world.builder().idle_timeout(Duration::from_secs(30)).build().unwrap();
    let package = client.download(id).operation().wait().await.unwrap();
    let before = world.time.sleeps().len();
    let folder = tempfile::tempdir().unwrap();
    // The limit runs out as soon as nothing else can happen.
    tokio::time::pause();
    let saved = package.save_to(folder.path().join("a.zip")).await.unwrap();
    assert_eq!(saved.bytes, size as u64);
    assert!(unzip(&std::fs::read(&saved.path).unwrap()).iter().any(|(_, bytes)| bytes == STUDY));
    let requests = world.requests("downloadPackage").split_off(asked_before);
    let ranges: Vec<_> = requests.iter().map(|request| header(request, "range")).collect();
    let from = |bytes: u64| Some(format!("bytes={bytes}-"));
    assert_eq!(ranges, [None, from(quarter), from(2 * quarter), from(2 * quarter)]);
    // Too little came each time to count as progress, and chance is always a half here.
    let pauses: Vec<_> = world.time.sleeps()[before..].iter().map(Duration::as_millis).collect();
    assert_eq!(pauses, [250, 500, 1000]);
}

#[tokio::test]
async fn a_service_that_never_gets_further_is_given_up() {
    let zip = noise(100_000);
    let package = zip.clone();
    let shop = Shop::open(move |asked| match asked.from {
        Some(from) => rest(&package, from, &[TAG], 8),
        None => whole(&package, &[TAG], 40_000),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let error = shop.package().await.save_to(folder.path().join("a.zip")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Interrupted, 4));
    // Eight bytes are no progress, so these are the four attempts of one call.
    assert_eq!(shop.begins(), [None, Some(40_000), Some(40_008), Some(40_016)]);
    assert_eq!(names(folder.path()), [""; 0]);
    let error =
        shop.package().await.stream().with_retry(Retry::Never).await.unwrap().try_for_each(|_| async { Ok(()) });
    assert_eq!(error.await.unwrap_err().attempts(), 1, "a caller who wants no retries gets none");
}

/// Breaks off after half, and answers the request for the rest with what `second` makes of the package.
async fn second(zip: &[u8], headers: &'static [&'static str], second: fn(&[u8], &Asked) -> Vec<u8>) -> Shop {
    let package = zip.to_vec();
    Shop::open(move |asked| match asked.number {
        0 => whole(&package, headers, package.len() / 2),
        1 => second(&package, asked),
        _ => whole(&package, headers, usize::MAX),
    })
    .await
}

/// What the service does, the headers of its first answer, its second answer, and where each request is to begin.
type Case<'a> = (&'a str, &'a [&'static str], fn(&[u8], &Asked) -> Vec<u8>, &'a [Option<usize>]);

#[tokio::test]
async fn an_answer_that_is_not_the_rest_is_never_mixed_with_what_came() {
    let zip = noise(200_000);
    let half = zip.len() / 2;
    let date: &[&str] = &["Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT", "Date: Sun, 06 Nov 1994 08:49:37 GMT"];
    let cases: [Case<'_>; 12] = [
        ("the range is ignored", &[TAG], |zip, _| whole(zip, &[TAG], usize::MAX), &[None, Some(half)]),
        ("another tag, so the whole", &[TAG], |zip, _| whole(zip, &["ETag: \"two\""], usize::MAX), &[None, Some(half)]),
        (
            "another tag, though a part",
            &[TAG],
            |zip, asked| rest(zip, asked.from.unwrap(), &["ETag: \"two\""], 9),
            &[None, Some(half), None],
        ),
        (
            "a part without a tag",
            &[TAG],
            |zip, asked| rest(zip, asked.from.unwrap(), &[], 9),
            &[None, Some(half), None],
        ),
        (
            "another part than it says",
            &[TAG],
            |zip, asked| rest(zip, asked.from.unwrap() + 5, &[TAG], 9),
            &[None, Some(half), None],
        ),
        (
            "a part of another length",
            &[TAG],
            |zip, asked| rest(&zip[..zip.len() - 1], asked.from.unwrap(), &[TAG], 9),
            &[None, Some(half), None],
        ),
        (
            "a part that tells nothing",
            &[TAG],
            |_, _| raw(&["HTTP/1.1 206 Partial Content".into(), TAG.into(), "Content-Length: 5".into()], b"bytes"),
            &[None, Some(half), None],
        ),
        (
            "no such range",
            &[TAG],
            |_, _| {
                raw(
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
        ("no tag at all", &[], |zip, _| whole(zip, &[], usize::MAX), &[None, None]),
        ("a weak tag", &["ETag: W/\"one\""], |zip, _| whole(zip, &[], usize::MAX), &[None, None]),
        ("no ranges, as it says", &[TAG, "Accept-Ranges: none"], |zip, _| whole(zip, &[], usize::MAX), &[None, None]),
        (
            "a date that is good enough",
            date,
            |zip, asked| rest(zip, asked.from.unwrap(), &[], usize::MAX),
            &[None, Some(half)],
        ),
    ];
    for (what, headers, answer, begins) in cases {
        let headers: &'static [&'static str] = headers.to_vec().leak();
        let shop = second(&zip, headers, answer).await;
        let folder = tempfile::tempdir().unwrap();
        let saved = shop.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(saved.bytes, zip.len() as u64, "{what}");
        assert_eq!(names(folder.path()), ["a.zip"], "{what}");
        assert_eq!(shop.begins(), begins, "{what}");
        // A stream can't take back what it gave, so what comes again is left out.
        let shop = second(&zip, headers, answer).await;
        assert!(streamed(&shop.package().await).await.unwrap() == zip, "{what}");
        assert_eq!(shop.begins(), begins, "{what}");
    }
}

#[tokio::test]
async fn the_simulators_own_lies_are_seen_through() {
    let world = World::new().await;
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    let content = PackageContent::file_types([DownloadFileType::Original]);
    let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
    let whole = streamed(&package).await.unwrap();
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
            world.sim.faults().add(fault);
        }
        let before = world.requests("downloadPackage").len();
        assert!(streamed(&package).await.unwrap() == whole);
        let seen: Vec<_> = world.requests("downloadPackage")[before..].iter().map(|request| request.status).collect();
        assert_eq!(seen, statuses);
        world.sim.faults().clear();
    }
}

#[tokio::test]
async fn a_package_that_becomes_another_one_is_saved_anew_and_no_stream() {
    let (one, two) = (noise(200_000), noise(150_000));
    let half = one.len() / 2;
    let open = async || {
        let (one, two) = (one.clone(), two.clone());
        Shop::open(move |asked| match asked.number {
            0 => whole(&one, &[TAG], half),
            1 => whole(&two, &["ETag: \"two\""], 60_000),
            _ if asked.condition.as_deref() == Some("\"two\"") => {
                rest(&two, asked.from.unwrap(), &["ETag: \"two\""], usize::MAX)
            }
            _ => whole(&two, &["ETag: \"two\""], usize::MAX),
        })
        .await
    };
    let folder = tempfile::tempdir().unwrap();
    let shop = open().await;
    let saved = shop.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == two);
    assert_eq!(shop.begins(), [None, Some(half), Some(60_000)]);

    let mut stream = open().await.package().await.stream().await.unwrap();
    let mut got = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(piece) => got += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!((got, error.kind()), (half, ErrorKind::Integrity));
    let line = "downloadPackage: package changed during the download; download the package again";
    assert_eq!(error.to_string(), line);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_length_that_is_wrong_never_gets_the_name() {
    for (delta, kind) in [(-10, ErrorKind::Integrity), (10, ErrorKind::Interrupted)] {
        let world = World::new().await;
        let (dossier, _) = world.processed("study.pdf", STUDY).await;
        let content = PackageContent::file_types([DownloadFileType::Original]);
        let package = dossier.create_package(content).await.unwrap().wait().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.zip");
        // Each call with a client of its own, for the bytes that are too many break the next answer on a connection.
        let of = async || {
            let client = world.builder().build().unwrap();
            client.download(package.id().clone()).operation().wait().await.unwrap()
        };
        world.sim.faults().add(Fault::on("downloadPackage").content_length(delta));
        let error = of().await.save_to(&target).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        let error = of().await.save_to(&target).resumable().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{delta}: {error:?}");
        assert_eq!(names(folder.path()), [""; 0], "{delta}");
        world.sim.faults().clear();
        of().await.save_to(&target).resumable().await.unwrap();
        assert_eq!(names(folder.path()), ["a.zip"], "{delta}");
    }
}

#[tokio::test]
async fn what_is_no_zip_is_fetched_once_more() {
    let zip = noise(50_000);
    let package = zip.clone();
    let shop =
        Shop::open(move |asked| whole(if asked.number == 0 { &package[1..] } else { &package }, &[TAG], usize::MAX));
    let shop = shop.await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    shop.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(shop.begins(), [None, None]);

    let package = zip.clone();
    let shop = Shop::open(move |_| whole(&package[..package.len() - 30], &[TAG], usize::MAX)).await;
    let error = shop.package().await.save_to(&target).await.unwrap_err();
    let length = zip.len() - 30;
    let line =
        format!("downloadPackage: invalid ZIP archive ({length} bytes) after two attempts; create the package again");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Integrity, line));
    assert_eq!((error.attempts(), shop.begins()), (2, vec![None, None]));
    assert!(std::fs::read(&target).unwrap() == zip, "what was there stays");
    assert_eq!(names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn a_package_with_a_damaged_entry_is_fetched_once_more_where_it_is_checked() {
    let zip = noise(50_000);
    let mut damaged = zip.clone();
    // A byte of the first entry's content: length and end are as they should be.
    damaged[1_000] ^= 1;
    let (first, then) = (damaged.clone(), zip.clone());
    let shop = Shop::open(move |asked| whole(if asked.number == 0 { &first } else { &then }, &[TAG], usize::MAX)).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    shop.package().await.save_to(&target).checked(PackageLimits::default()).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(shop.begins(), [None, None]);

    let always = damaged.clone();
    let shop = Shop::open(move |_| whole(&always, &[TAG], usize::MAX)).await;
    for resumable in [false, true] {
        let call = shop.package().await.save_to(&target).checked(PackageLimits::default());
        let error = if resumable { call.resumable().await } else { call.await }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        let line = error.to_string();
        assert!(line.starts_with("downloadPackage: the downloaded package: entry \"noise\" is damaged: "), "{line}");
        assert!(std::fs::read(&target).unwrap() == zip, "what was there stays");
        assert_eq!(names(folder.path()), ["a.zip"], "nothing is left to go on with");
    }
    let few = PackageLimits::default().entries(1);
    let error = shop.package().await.save_to(&target).checked(few).await.unwrap_err();
    assert!(error.to_string().contains("2 entries exceed the limit of 1"), "{error}");
    // Whoever does not ask for it gets what came.
    shop.package().await.save_to(&target).await.unwrap();
    assert!(std::fs::read(&target).unwrap() == damaged);
}

/// The bytes as a gzip file of one block that is not compressed (RFC 1951, RFC 1952).
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
async fn a_package_that_is_packed_on_its_way_is_not_gone_on_with() {
    let zip = noise(40_000);
    let packed = gzip(&zip);
    let shop = Shop::open(move |asked| {
        let sent = if asked.number == 0 { 20_000 } else { usize::MAX };
        whole(&packed, &[TAG, "Content-Encoding: gzip"], sent)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let saved = shop.package().await.save_to(folder.path().join("a.zip")).await.unwrap();
    assert!(std::fs::read(&saved.path).unwrap() == zip);
    assert_eq!(shop.begins(), [None, None], "the ranges would be those of the packed bytes");

    let shop = Shop::open(|_| whole(b"what", &["Content-Encoding: compress"], usize::MAX)).await;
    let error = shop.package().await.save_to(folder.path().join("b.zip")).await.unwrap_err();
    let line = "downloadPackage: 200 OK, but the package has an unrequested Content-Encoding";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, line));
    assert_eq!(names(folder.path()), ["a.zip"]);
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_no_package() {
    let zip = noise(1_000);
    let shop = Shop::open(move |asked| rest(&zip, asked.from.unwrap_or(0), &[TAG], usize::MAX)).await;
    let error = shop.package().await.stream().await.unwrap_err();
    let line = "downloadPackage: 206 Partial Content, but the request was for the whole package";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, line));
    // Whoever asks for a range gets it, and nothing is done about it.
    let part = shop.package().await.stream().with_header("Range", "bytes=900-").await.unwrap();
    let part: Vec<_> = part.try_collect().await.unwrap();
    assert!(part.concat().ends_with(b"\0\0"));
    assert_eq!(shop.begins(), [None, Some(900)]);
}

/// Notes all that it is told.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<String>>>);

impl Progress for Noted {
    fn moved(&self, moved: u64, total: Option<u64>) {
        let mut lines = self.0.lock().unwrap();
        let line = format!("{moved} of {}", total.unwrap_or_default());
        // Of the moves between two other events the last one.
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
async fn another_process_goes_on_where_one_stopped() {
    let zip = noise(300_000);
    let length = zip.len();
    let shop = Shop::breaking_off(&zip, vec![100_000, 50_000]).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "what was there before").unwrap();
    for (at, stands) in [(100_000, 100_000), (50_000, 150_000)] {
        // Each time another client, as another process has.
        let error = shop.package().await.save_to(&target).resumable().with_retry(Retry::Never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{at}");
        assert_eq!(names(folder.path()), ["a.zip", "a.zip.part", "a.zip.part.json"]);
        assert!(std::fs::read(folder.path().join("a.zip.part")).unwrap() == zip[..stands]);
        let sidecar = std::fs::read_to_string(folder.path().join("a.zip.part.json")).unwrap();
        let sum = crc(&zip[..stands]);
        let wanted = format!(
            r#"{{"version":1,"download_id":"d-1","bytes":{stands},"crc32":{sum},"length":{length},"validator":{{"etag":"\"one\""}},"name":null}}"#
        );
        assert_eq!(sidecar, wanted);
        assert_eq!(std::fs::read(&target).unwrap(), b"what was there before");
    }
    let noted = Noted::default();
    let saved = shop.package().await.save_to(&target).resumable().with_progress(noted.clone()).await.unwrap();
    assert_eq!((saved.path, saved.bytes, saved.resumed_at), (target.clone(), length as u64, 150_000));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
    assert_eq!(shop.begins(), [None, Some(100_000), Some(150_000)]);
    assert_eq!(*noted.0.lock().unwrap(), ["resumed at 150000".to_owned(), format!("{length} of {length}")]);
}

#[tokio::test]
async fn what_is_safe_is_noted_while_more_comes() {
    let zip = noise(6_000_000);
    let head = whole(&zip, &[TAG], 5_000_000);
    let holding = Shop::holding(head).await;
    let folder = tempfile::tempdir().unwrap();
    let begun = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&begun);
    let call = holding.package().await.save_to(folder.path().join("a.zip")).resumable();
    let call = call.with_progress(move |moved, _| {
        if moved == 5_000_000 {
            told.notify_one();
        }
    });
    let saving = tokio::spawn(call.send());
    begun.notified().await;
    // What there is when the process is killed now: the files as they are.
    let [part, sidecar] =
        ["a.zip.part", "a.zip.part.json"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let noted = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        usize::try_from(line["bytes"].as_u64().unwrap()).unwrap()
    };
    let safe = noted(sidecar.split(|byte| *byte == b'\n').next().unwrap());
    assert!((4 * 1024 * 1024..5_000_000).contains(&safe), "{safe}");
    let written = safe + noted(sidecar.rsplit(|byte| *byte == b'\n').next().unwrap());
    assert!((5_000_000 - 512 * 1024..=5_000_000).contains(&written), "{written}");
    // And when the machine goes down: what was not made safe may be anything.
    let lost = [&part[..safe], &vec![0; part.len() - safe]].concat();
    for (what, part, begin) in
        [("killed", &part, written), ("down", &lost, safe), ("short", &part[..safe].to_vec(), safe)]
    {
        let after = tempfile::tempdir().unwrap();
        std::fs::write(after.path().join("a.zip.part"), part).unwrap();
        std::fs::write(after.path().join("a.zip.part.json"), &sidecar).unwrap();
        let shop = Shop::breaking_off(&zip, vec![]).await;
        let saved = shop.package().await.save_to(after.path().join("a.zip")).resumable().await.unwrap();
        assert_eq!((saved.resumed_at, shop.begins()), (begin as u64, vec![Some(begin)]), "{what}");
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(names(after.path()), ["a.zip"], "{what}");
    }
    saving.abort();
    saving.await.unwrap_err();
}

/// Stops a resumable call for `a.zip` after 100 000 bytes.
pub async fn stopped(zip: &[u8], folder: &Path) {
    let shop = Shop::breaking_off(zip, vec![100_000]).await;
    let call = shop.package().await.save_to(folder.join("a.zip")).resumable().with_retry(Retry::Never);
    call.await.unwrap_err();
    assert_eq!(names(folder), ["a.zip.part", "a.zip.part.json"]);
}

/// What happens to a part, how, and where the next call begins.
type Spoilt<'a> = (&'a str, fn(&Path, &str), &'a [Option<usize>]);

#[tokio::test]
async fn a_part_that_does_not_fit_is_begun_anew() {
    let zip = noise(300_000);
    let text = |folder: &Path| std::fs::read_to_string(folder.join("a.zip.part.json")).unwrap();
    let spoil: [Spoilt<'_>; 6] = [
        ("as it was", |_, _| (), &[Some(100_000)]),
        ("damaged", |path, text| std::fs::write(path.with_extension("part.json"), &text[..40]).unwrap(), &[None]),
        (
            "of another package",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("d-1", "d-2")).unwrap(),
            &[None],
        ),
        (
            "of another state",
            |path, text| std::fs::write(path.with_extension("part.json"), text.replace("one", "two")).unwrap(),
            &[Some(100_000)],
        ),
        ("shorter than it should be", |path, _| std::fs::write(path.with_extension("part"), "short").unwrap(), &[None]),
        (
            "longer than is safe",
            |path, _| {
                let mut bytes = std::fs::read(path.with_extension("part")).unwrap();
                bytes.extend_from_slice(b"what nobody knows");
                std::fs::write(path.with_extension("part"), bytes).unwrap();
            },
            &[Some(100_000)],
        ),
    ];
    for (what, spoil, begins) in spoil {
        let folder = tempfile::tempdir().unwrap();
        stopped(&zip, folder.path()).await;
        // The extension of `a.zip.x` is replaced.
        spoil(&folder.path().join("a.zip.x"), &text(folder.path()));
        let shop = Shop::breaking_off(&zip, vec![]).await;
        let saved = shop.package().await.save_to(folder.path().join("a.zip")).resumable().await.unwrap();
        assert!(std::fs::read(&saved.path).unwrap() == zip, "{what}");
        assert_eq!(names(folder.path()), ["a.zip"], "{what}");
        assert_eq!(shop.begins(), begins, "{what}");
    }
}

#[tokio::test]
async fn what_is_not_ours_to_touch_is_told() {
    let zip = noise(300_000);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let part = folder.path().join("a.zip.part");
    let sidecar = folder.path().join("a.zip.part.json");
    let shop = Shop::breaking_off(&zip, vec![]).await;
    let package = shop.package().await;
    let line = async || {
        let error: Error = package.save_to(&target).resumable().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::File, 0));
        error.to_string()
    };
    std::fs::write(&part, "somebody's").unwrap();
    let wanted = format!(
        "downloadPackage: cannot write {}: file exists and is not a resumable download; move it away",
        part.display()
    );
    assert_eq!(line().await, wanted);
    assert_eq!(std::fs::read(&part).unwrap(), b"somebody's");

    std::fs::remove_file(&part).unwrap();
    stopped(&zip, folder.path()).await;
    let text = std::fs::read_to_string(&sidecar).unwrap().replace("\"version\":1", "\"version\":2");
    std::fs::write(&sidecar, &text).unwrap();
    let wanted = format!(
        "downloadPackage: {} has version 2, newer than the supported version 1; update the SDK, or delete the file",
        sidecar.display()
    );
    assert_eq!(line().await, wanted);
    assert_eq!((std::fs::read_to_string(&sidecar).unwrap(), std::fs::metadata(&part).unwrap().len()), (text, 100_000));

    std::fs::remove_file(&part).unwrap();
    assert_eq!(line().await, wanted);
    assert_eq!(names(folder.path()), ["a.zip.part.json"]);

    std::fs::create_dir(&part).unwrap();
    assert_eq!(
        line().await,
        format!("downloadPackage: cannot write {}: file is not a regular file; move it away", part.display())
    );
    assert_eq!(shop.begins(), [], "nothing is fetched for it");
}

#[tokio::test]
async fn two_at_a_time_do_not_write_the_same_part() {
    let zip = noise(300_000);
    let package = zip.clone();
    let head = whole(&package, &[TAG], 100_000);
    let holding = Shop::holding(head).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    let begun = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&begun);
    let call = holding.package().await.save_to(&target).resumable();
    let first = tokio::spawn(
        call.with_progress(move |moved, _| {
            if moved == 100_000 {
                told.notify_one();
            }
        })
        .send(),
    );
    begun.notified().await;
    let shop = Shop::breaking_off(&zip, vec![]).await;
    let second = shop.package().await;
    let error = second.save_to(&target).resumable().await.unwrap_err();
    let line = format!(
        "downloadPackage: cannot write {}: another call is downloading it; wait for that call, or choose another path",
        folder.path().join("a.zip.part").display()
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line));
    // Dropped, the first one brings what it has to safety and lets go.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let saved = loop {
        match second.save_to(&target).resumable().await {
            Ok(saved) => break saved,
            Err(error) => assert_eq!(error.kind(), ErrorKind::File, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((saved.resumed_at, shop.begins()), (100_000, vec![Some(100_000)]));
    assert!(std::fs::read(&target).unwrap() == zip);
    assert_eq!(names(folder.path()), ["a.zip"]);
    assert_eq!(asked(&holding.service).len(), 2);
}

#[tokio::test]
async fn nothing_stays_that_nobody_can_go_on_with() {
    let zip = noise(100_000);
    for (what, headers) in [("no tag", &[][..]), ("a weak tag", &["ETag: W/\"one\""])] {
        let package = zip.clone();
        let shop = Shop::open(move |_| whole(&package, headers, 50_000)).await;
        let folder = tempfile::tempdir().unwrap();
        let call = shop.package().await.save_to(folder.path().join("a.zip")).resumable();
        call.await.unwrap_err();
        assert_eq!(names(folder.path()), [""; 0], "{what}");
    }
    let shop = Shop::open(|_| crate::canned::answer("404 Not Found", &[], "")).await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    assert!(shop.package().await.save_to(&target).resumable().await.unwrap_err().is_not_found());
    assert_eq!(names(folder.path()), [""; 0], "nothing had come");
    stopped(&zip, folder.path()).await;
    assert!(shop.package().await.save_to(&target).resumable().await.unwrap_err().is_not_found());
    assert_eq!(names(folder.path()), [""; 0], "the package is gone");
}

/// A shop whose package has this suggested name.
async fn named(zip: &[u8], disposition: &'static str) -> Shop {
    let zip = zip.to_vec();
    Shop::open(move |asked| match asked.from {
        Some(from) => rest(&zip, from, &[TAG], usize::MAX),
        None => whole(&zip, &[TAG, disposition], if asked.number == 0 { 60_000 } else { usize::MAX }),
    })
    .await
}

#[tokio::test]
async fn the_services_name_leads_nowhere_else() {
    let zip = noise(100_000);
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
        let shop = named(&zip, disposition).await;
        let saved = shop.package().await.save_in(&folder).await.unwrap();
        assert_eq!(saved.path, folder.join(name), "{disposition}");
        assert!(std::fs::read(&saved.path).unwrap() == zip);
        // A part keeps the name, which the answer with the rest does not repeat.
        let shop = named(&zip, disposition).await;
        let call = shop.package().await.save_in(&folder).resumable().with_retry(Retry::Never);
        call.await.unwrap_err();
        assert_eq!(
            names(&folder).into_iter().filter(|name| name.contains(".part")).collect::<Vec<_>>(),
            ["package-d-1.zip.part", "package-d-1.zip.part.json"]
        );
        let saved = shop.package().await.save_in(&folder).resumable().if_exists(IfExists::Replace).await.unwrap();
        assert_eq!((saved.path, saved.resumed_at), (folder.join(name), 60_000), "{disposition}");
        assert_eq!(names(&folder), [name]);
        assert_eq!(names(outside.path()), ["in"]);
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_taken_care_of() {
    let zip = noise(1_000);
    let shop = Shop::breaking_off(&zip, vec![]).await;
    let package = shop.package().await;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.zip");
    std::fs::write(&target, "mine").unwrap();
    let error = package.save_to(&target).if_exists(IfExists::Refuse).await.unwrap_err();
    let line = format!("downloadPackage: cannot write {}: file exists", target.display());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::File, line.clone()));
    assert_eq!(shop.begins(), [], "nothing is fetched for it");
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

    // One that comes while the package is fetched stays, too.
    std::fs::remove_file(&target).unwrap();
    let meanwhile = target.clone();
    let call = package.save_to(&target).if_exists(IfExists::Refuse);
    let call = call.with_progress(move |_, _| std::fs::write(&meanwhile, "theirs").unwrap());
    assert_eq!(call.await.unwrap_err().to_string(), line);
    assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["a (2).zip", "a (3).zip", "a.zip", "package-d-1 (2).zip", "package-d-1.zip"]);
    let error = package.save_in(&target).await.unwrap_err();
    assert_eq!(error.to_string(), format!("downloadPackage: cannot write {}: not a folder", target.display()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_writer_that_is_full_is_told() {
    let shop = Shop::breaking_off(&noise(1_000), vec![]).await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = shop.package().await.save_into(full).await.unwrap_err();
    let line = "downloadPackage: cannot write the package: No space left on device (os error 28)";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::File, line));
}
