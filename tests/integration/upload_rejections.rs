//! Uploads rejected before, during or after reading: the status is reported even if the connection fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use documine::{Client, Credentials, DossierHandle, Source, retry::RetryMode};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::canned_server::{json_response, read_head, response};
use crate::harness::scripted::{self, builder};
use crate::harness::test_env::{SimulatedTime, operation_path};

/// More than the buffers of a connection hold.
const SIZE: usize = 16 << 20;
/// Delay between the response and the close of the connection. hyper checks for an early response only between two writes:
/// if response and close both arrive during one write, hyper reports only the close.
const CLOSE_DELAY: Duration = Duration::from_millis(50);

/// The part of the upload that the service reads before rejecting it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ReadBefore {
    Head,
    Half,
    Full,
}

/// The server's handling of the connection after the response.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ConnectionAfter {
    Close,
    KeepReading,
}

const SCENARIOS: [(ReadBefore, ConnectionAfter); 5] = [
    (ReadBefore::Head, ConnectionAfter::Close),
    (ReadBefore::Head, ConnectionAfter::KeepReading),
    (ReadBefore::Half, ConnectionAfter::Close),
    (ReadBefore::Half, ConnectionAfter::KeepReading),
    (ReadBefore::Full, ConnectionAfter::Close),
];

/// A server that rejects the first upload with `status` and accepts the next one.
struct RejectingServer {
    base: String,
    recorded: Arc<Mutex<RecordedRequests>>,
}

#[derive(Default)]
struct RecordedRequests {
    logins: usize,
    /// Token of each upload and, if read completely, the length of its body.
    uploads: Vec<(String, Option<usize>)>,
}

impl RejectingServer {
    async fn start(status: &'static str, scenario: (ReadBefore, ConnectionAfter)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let recorded = Arc::<Mutex<RecordedRequests>>::default();
        let recorded_by_task = Arc::clone(&recorded);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, status, scenario, Arc::clone(&recorded_by_task)));
            }
        });
        Self { base, recorded }
    }

    async fn dossier(&self) -> (DossierHandle, SimulatedTime) {
        let (builder, time) = builder(&self.base).await;
        let credentials = Credentials::password("client", "robot", "pa55-w0rd").client_secret("cl1ent-s3cret");
        let client: Client = builder.credentials(credentials).build().unwrap();
        (scripted::dossier(&client), time)
    }

    /// Returns the token of each upload and whether the upload was read completely.
    fn uploads(&self) -> Vec<(String, bool)> {
        let recorded = self.recorded.lock().unwrap();
        // The multipart framing around the file is short.
        let whole = |length: &Option<usize>| length.is_some_and(|length| (SIZE..SIZE + 1_000).contains(&length));
        recorded.uploads.iter().map(|(token, length)| (token.clone(), whole(length))).collect()
    }

    fn logins(&self) -> usize {
        self.recorded.lock().unwrap().logins
    }
}

async fn serve(
    mut stream: TcpStream,
    status: &'static str,
    (after, then): (ReadBefore, ConnectionAfter),
    recorded: Arc<Mutex<RecordedRequests>>,
) {
    let mut received = Vec::new();
    let Some(end) = read_head(&mut stream, &mut received).await else { return };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut count = received.len() - end;
    if !head.starts_with(&format!("POST {} ", operation_path("uploadFile", &["t", "d"]))) {
        read_body(&mut stream, &mut count, length).await;
        let login = {
            let mut recorded = recorded.lock().unwrap();
            recorded.logins += 1;
            format!(
                r#"{{"access_token":"a-{0}","refresh_token":"r-{0}","token_type":"Bearer","expires_in":300}}"#,
                recorded.logins
            )
        };
        stream.write_all(&json_response(&login)).await.unwrap();
        return;
    }
    let number = {
        let mut recorded = recorded.lock().unwrap();
        recorded.uploads.push((header("authorization").unwrap().replace("Bearer ", ""), None));
        recorded.uploads.len()
    };
    let (expected, response_bytes) = match (number, after) {
        (1, ReadBefore::Head) => (0, None),
        (1, ReadBefore::Half) => (length / 2, None),
        (1, ReadBefore::Full) => (length, None),
        _ => (length, Some(json_response(&documine_sim::wire::answer("uploadFile", r#"{"fileIds":["f-1"]}"#)))),
    };
    let response_bytes = response_bytes.unwrap_or_else(|| {
        response(status, &["Content-Type: application/json", "Retry-After: 7"], r#"{"message":"Not now."}"#)
    });
    read_body(&mut stream, &mut count, expected).await;
    if count >= length {
        recorded.lock().unwrap().uploads[number - 1].1 = Some(count);
    }
    stream.write_all(&response_bytes).await.unwrap();
    match then {
        ConnectionAfter::Close => tokio::time::sleep(CLOSE_DELAY).await,
        ConnectionAfter::KeepReading => read_body(&mut stream, &mut count, length).await,
    }
}

async fn read_body(stream: &mut TcpStream, count: &mut usize, expected: usize) {
    let mut chunk = vec![0; 64 * 1024];
    while *count < expected {
        match stream.read(&mut chunk).await {
            Ok(more) if more > 0 => *count += more,
            _ => return,
        }
    }
}

fn reopenable() -> Source {
    Source::bytes("big.pdf", vec![b'-'; SIZE])
}

fn single_use() -> Source {
    let chunk = Bytes::from(vec![b'-'; 1 << 16]);
    let chunks = stream::iter((0..SIZE >> 16).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    Source::from_stream("big.pdf", SIZE as u64, chunks)
}

#[tokio::test(start_paused = true)]
async fn repeats_upload_with_new_token_after_401() {
    for scenario in SCENARIOS {
        let server = RejectingServer::start("401 Unauthorized", scenario).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.pdf");
        std::fs::write(&path, vec![b'-'; SIZE]).unwrap();
        let (dossier, _) = server.dossier().await;
        let uploaded =
            dossier.upload(Source::path(&path)).await.unwrap_or_else(|error| panic!("{scenario:?}: {error:?}"));
        assert_eq!(uploaded.id.as_str(), "f-1");
        let first_read = scenario.0 == ReadBefore::Full;
        assert_eq!(server.uploads(), [("a-1".to_owned(), first_read), ("a-2".to_owned(), true)], "{scenario:?}");
        assert_eq!(server.logins(), 2, "one login, one refresh");
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_unprocessed_upload_after_retry_after() {
    let statuses = ["429 Too Many Requests", "503 Service Unavailable"];
    for (status, scenario) in statuses.into_iter().flat_map(|status| SCENARIOS.map(|scenario| (status, scenario))) {
        let server = RejectingServer::start(status, scenario).await;
        let (dossier, time) = server.dossier().await;
        let _uploaded = dossier.upload(reopenable()).await.unwrap_or_else(|error| panic!("{scenario:?}: {error:?}"));
        assert_eq!(server.uploads().last().unwrap(), &("a-1".to_owned(), true), "{scenario:?}");
        assert_eq!((server.uploads().len(), time.sleeps()), (2, vec![Duration::from_secs(7)]), "{scenario:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn repeats_upload_after_502_only_on_request() {
    for scenario in SCENARIOS {
        let server = RejectingServer::start("502 Bad Gateway", scenario).await;
        let (dossier, time) = server.dossier().await;
        let error = dossier.upload(reopenable()).await.unwrap_err();
        assert_eq!(error.to_string(), "uploadFile: 502 Bad Gateway: Not now.", "{scenario:?}");
        assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (1, true, false), "{scenario:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!((server.uploads().len(), time.sleeps()), (1, vec![]), "{scenario:?}");

        let server = RejectingServer::start("502 Bad Gateway", scenario).await;
        let (dossier, time) = server.dossier().await;
        let _uploaded = dossier.upload(reopenable()).with_retry_mode(RetryMode::EvenIfSent).await.unwrap();
        assert_eq!((server.uploads().len(), time.sleeps()), (2, vec![Duration::from_secs(7)]), "{scenario:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reports_status_for_single_use_source_without_repeating() {
    for (status, number) in
        [("401 Unauthorized", 401), ("429 Too Many Requests", 429), ("503 Service Unavailable", 503)]
    {
        for scenario in SCENARIOS {
            let server = RejectingServer::start(status, scenario).await;
            let (dossier, time) = server.dossier().await;
            let error = dossier.upload(single_use()).with_retry_mode(RetryMode::EvenIfSent).await.unwrap_err();
            assert_eq!(error.to_string(), format!("uploadFile: {status}: Not now."), "{scenario:?}");
            assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(number), 1));
            assert_eq!((server.uploads().len(), server.logins(), time.sleeps()), (1, 1, vec![]), "{scenario:?}");
        }
    }
}
