//! Properties of upload bodies: any file is sent as one complete form part with its name and the announced length.

use std::sync::LazyLock;

use http_body_util::BodyExt;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::properties::cases;
use crate::transport::RequestBody;

/// Strings with a meaning in headers or paths.
const SPECIAL: [&str; 20] = [
    "\"",
    "\\",
    ";",
    "'",
    "%22",
    "%0A",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\u{7f}",
    "\t",
    "ü",
    "日本",
    "🔑",
    "\u{2028}",
    "\r\nX: y\r\n\r\n",
    "\"; filename=\"",
    "../",
    "--",
];

/// File names of users, systems and attackers.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9 ._-]{1,8}",
        2 => prop::sample::select(&SPECIAL).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (1_usize..3000).prop_map(|length| "x".repeat(length)),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Terminators of parts, headers and lines.
const TERMINATORS: [&[u8]; 7] =
    [b"\r\n--", b"--\r\n", b"\r\n\r\n", b"\r\n", b"--", b"\r", b"Content-Disposition: form-data; name=\"file\"\r\n"];

/// Contents with part terminators, and lengths around the chunk size.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..60),
        prop::sample::select(&TERMINATORS).prop_map(<[u8]>::to_vec),
        prop::sample::select(&[CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1]).prop_map(|length| vec![b'-'; length]),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn media_type() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        3 => Just(None),
        2 => "(application|text|x-y)/[a-z0-9.+-]{1,9}(; ?[a-z]{1,5}=[a-z0-9]{1,5})?".prop_map(Some),
        1 => "[^\\p{Lu}]{0,12}".prop_map(Some),
        1 => "text/plain\r\nX: [a-z]".prop_map(Some),
    ]
}

/// A request on the wire: announced length, content type, bytes.
struct WireRequest {
    length: Option<u64>,
    content_type: String,
    bytes: Bytes,
}

/// Shared, because creating a client reads the certificates of the system.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

async fn send(body: &UploadBody) -> Result<WireRequest> {
    let (form, _) = body.open().await?;
    let request = HTTP.post("http://127.0.0.1/").multipart(form).build();
    let mut request = request.map_err(|error| Error::input(error.to_string()))?;
    let header =
        |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (length, content_type) =
        (header(http::header::CONTENT_LENGTH).parse().ok(), header(http::header::CONTENT_TYPE));
    let body = request.body_mut().take().unwrap_or_default();
    let bytes = body.collect().await.map_err(|error| Error::input(error.to_string()))?.to_bytes();
    Ok(WireRequest { length, content_type, bytes })
}

/// Parses a quoted parameter value (RFC 9110 section 5.6.4). Returns the value and the remaining text.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '"' => return Some((value, &text[at + 2..])),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}

async fn assert_sent_as_one_part(
    source: Source,
    name: &str,
    media_type: Option<&str>,
    content: &[u8],
) -> Result<(), TestCaseError> {
    let body = UploadBody { source, progress: None, fields: Vec::new() };
    let (checked, sent) = match body.check().await {
        Ok(()) => (true, send(&body).await),
        Err(error) => (false, Err(error)),
    };
    let sent = match sent {
        Ok(sent) => sent,
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Input);
            prop_assert!(!error.was_sent() && !error.to_string().contains(char::is_control), "{}", error);
            let is_expected =
                if checked { media_type.is_some() } else { name.is_empty() || name.contains(char::is_control) };
            prop_assert!(is_expected, "{} for {:?}", error, name);
            return Ok(());
        }
    };
    prop_assert_eq!(sent.length, Some(sent.bytes.len() as u64));
    let boundary = multer::parse_boundary(&sent.content_type)?;
    let stream = stream::iter([Ok::<_, io::Error>(sent.bytes)]);
    let mut form = multer::Multipart::new(stream, boundary);
    let part = form.next_field().await?;
    let part = part.ok_or_else(|| TestCaseError::fail("no part"))?;
    prop_assert_eq!(part.name(), Some("file"));
    prop_assert_eq!(part.headers().len(), 2, "{:?}", part.headers());
    let disposition =
        String::from_utf8_lossy(part.headers()[http::header::CONTENT_DISPOSITION].as_bytes()).into_owned();
    let shown = disposition.strip_prefix("form-data; name=\"file\"; filename=").and_then(unquoted);
    prop_assert_eq!(shown, Some((name.to_owned(), "")), "{}", disposition);
    if let Some(media_type) = media_type {
        prop_assert_eq!(&part.headers()[http::header::CONTENT_TYPE], media_type);
    }
    let bytes = part.bytes().await?;
    prop_assert!(bytes == content, "received {} of {} bytes", bytes.len(), content.len());
    prop_assert!(form.next_field().await?.is_none());
    Ok(())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn sends_a_file_as_one_part(name in name(), media_type in media_type(), content in content(), on_disk: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let source = if on_disk {
            let path = folder.path().join("file");
            std::fs::write(&path, &content)?;
            Source::path(path).file_name(&name)
        } else {
            Source::bytes(&name, content.clone())
        };
        let source = match &media_type {
            Some(media_type) => source.content_type(media_type),
            None => source,
        };
        runtime.block_on(assert_sent_as_one_part(source, &name, media_type.as_deref(), &content))?;
    }
}

/// Runs `work` and returns the number of files that it opened.
async fn count_openings<T>(work: impl Future<Output = Result<T>>) -> Result<u32> {
    let before = OPENED.get();
    work.await?;
    Ok(OPENED.get() - before)
}

#[tokio::test]
async fn opens_a_file_once_for_the_check_and_once_per_attempt() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for name in ["report.pdf", "no extension"] {
        let path = folder.path().join(name);
        std::fs::write(&path, b"%PDF-1.7")?;
        let body = UploadBody { source: Source::path(path), progress: None, fields: Vec::new() };
        assert_eq!(count_openings(body.check()).await?, 1, "{name}: the check");
        for attempt in 1..=2 {
            assert_eq!(count_openings(body.open()).await?, 1, "{name}: attempt {attempt}");
        }
        assert!(
            send(&body).await?.bytes.windows(8).any(|window| window == b"%PDF-1.7"),
            "{name}: the whole file is sent"
        );
    }
    Ok(())
}
