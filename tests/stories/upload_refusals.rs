//! Uploads that are refused before the service has read them, half read, or as a whole: the status counts, whatever became of the connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use documine::{Client, Credentials, DossierHandle, Retry, Source};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::canned::{answer, head_end, json};
use crate::scripted::builder;
use crate::world::{SimulatedTime, path};

/// Far more than the buffers of a connection take.
const SIZE: usize = 16 << 20;
/// Between the answer and the end of the connection. What reads answers below us looks for one only between two writes: where both come during one write, the
/// end is all that it hears of.
const MOMENT: Duration = Duration::from_millis(50);

/// What the service has read of an upload when it refuses it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    TheHead,
    Half,
    All,
}

/// What becomes of the connection then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Closes,
    ReadsOn,
}

const WAYS: [(After, Then); 5] = [
    (After::TheHead, Then::Closes),
    (After::TheHead, Then::ReadsOn),
    (After::Half, Then::Closes),
    (After::Half, Then::ReadsOn),
    (After::All, Then::Closes),
];

/// A service that refuses the first upload with `status`, and takes the next one.
struct Gate {
    base: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    logins: usize,
    /// Each upload's token and, where it was read as a whole, the length of its body.
    uploads: Vec<(String, Option<usize>)>,
}

impl Gate {
    async fn open(status: &'static str, way: (After, Then)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, status, way, Arc::clone(&noted)));
            }
        });
        Self { base, seen }
    }

    async fn dossier(&self) -> (DossierHandle, SimulatedTime) {
        let (builder, time) = builder(&self.base).await;
        let credentials = Credentials::password("client", "robot", "pa55-w0rd").client_secret("cl1ent-s3cret");
        let client: Client = builder.credentials(credentials).build().unwrap();
        let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
        (template.dossier("d".parse::<documine::DossierId>().unwrap()), time)
    }

    /// Each upload's token, and whether it was read as a whole.
    fn uploads(&self) -> Vec<(String, bool)> {
        let seen = self.seen.lock().unwrap();
        // What stands around the file in the body is short.
        let whole = |length: &Option<usize>| length.is_some_and(|length| (SIZE..SIZE + 1_000).contains(&length));
        seen.uploads.iter().map(|(token, length)| (token.clone(), whole(length))).collect()
    }

    fn logins(&self) -> usize {
        self.seen.lock().unwrap().logins
    }
}

async fn serve(mut stream: TcpStream, status: &'static str, (after, then): (After, Then), seen: Arc<Mutex<Seen>>) {
    let mut got = Vec::new();
    let Some(end) = head_end(&mut stream, &mut got).await else { return };
    let head = String::from_utf8_lossy(&got[..end]).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut count = got.len() - end;
    if !head.starts_with(&format!("POST {} ", path("uploadFile", &["t", "d"]))) {
        read(&mut stream, &mut count, length).await;
        let login = {
            let mut seen = seen.lock().unwrap();
            seen.logins += 1;
            format!(
                r#"{{"access_token":"a-{0}","refresh_token":"r-{0}","token_type":"Bearer","expires_in":300}}"#,
                seen.logins
            )
        };
        stream.write_all(&json(&login)).await.unwrap();
        return;
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.uploads.push((header("authorization").unwrap().replace("Bearer ", ""), None));
        seen.uploads.len()
    };
    let (wanted, reply) = match (number, after) {
        (1, After::TheHead) => (0, None),
        (1, After::Half) => (length / 2, None),
        (1, After::All) => (length, None),
        _ => (length, Some(json(&documine_sim::wire::answer("uploadFile", r#"{"fileIds":["f-1"]}"#)))),
    };
    let reply = reply.unwrap_or_else(|| {
        answer(status, &["Content-Type: application/json", "Retry-After: 7"], r#"{"message":"Not now."}"#)
    });
    read(&mut stream, &mut count, wanted).await;
    if count >= length {
        seen.lock().unwrap().uploads[number - 1].1 = Some(count);
    }
    stream.write_all(&reply).await.unwrap();
    match then {
        Then::Closes => tokio::time::sleep(MOMENT).await,
        Then::ReadsOn => read(&mut stream, &mut count, length).await,
    }
}

async fn read(stream: &mut TcpStream, count: &mut usize, wanted: usize) {
    let mut piece = vec![0; 64 * 1024];
    while *count < wanted {
        match stream.read(&mut piece).await {
            Ok(more) if more > 0 => *count += more,
            _ => return,
        }
    }
}

fn reopenable() -> Source {
    Source::bytes("big.pdf", vec![b'-'; SIZE])
}

fn comes_once() -> Source {
    let piece = Bytes::from(vec![b'-'; 1 << 16]);
    let pieces = stream::iter((0..SIZE >> 16).map(move |_| Ok(piece.clone())));
    Source::stream("big.pdf", SIZE as u64, pieces)
}

#[tokio::test(start_paused = true)]
async fn an_upload_refused_for_its_token_is_made_anew_with_another() {
    for way in WAYS {
        let gate = Gate::open("401 Unauthorized", way).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.pdf");
        std::fs::write(&path, vec![b'-'; SIZE]).unwrap();
        let (dossier, _) = gate.dossier().await;
        let uploaded = dossier.upload(Source::path(&path)).await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        assert_eq!(uploaded.id.as_str(), "f-1");
        let first_read = way.0 == After::All;
        assert_eq!(gate.uploads(), [("a-1".to_owned(), first_read), ("a-2".to_owned(), true)], "{way:?}");
        assert_eq!(gate.logins(), 2, "one login, one refresh");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_was_not_processed_is_made_anew_after_the_pause_that_is_asked_for() {
    let statuses = ["429 Too Many Requests", "503 Service Unavailable"];
    for (status, way) in statuses.into_iter().flat_map(|status| WAYS.map(|way| (status, way))) {
        let gate = Gate::open(status, way).await;
        let (dossier, time) = gate.dossier().await;
        let _uploaded = dossier.upload(reopenable()).await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        assert_eq!(gate.uploads().last().unwrap(), &("a-1".to_owned(), true), "{way:?}");
        assert_eq!((gate.uploads().len(), time.sleeps()), (2, vec![Duration::from_secs(7)]), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_a_service_in_trouble_may_have_taken_is_repeated_only_where_that_is_wanted() {
    for way in WAYS {
        let gate = Gate::open("502 Bad Gateway", way).await;
        let (dossier, time) = gate.dossier().await;
        let error = dossier.upload(reopenable()).await.unwrap_err();
        assert_eq!(error.to_string(), "uploadFile: 502 Bad Gateway: Not now.", "{way:?}");
        assert_eq!((error.attempts(), error.was_sent(), error.is_safe_to_repeat()), (1, true, false), "{way:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!((gate.uploads().len(), time.sleeps()), (1, vec![]), "{way:?}");

        let gate = Gate::open("502 Bad Gateway", way).await;
        let (dossier, time) = gate.dossier().await;
        let _uploaded = dossier.upload(reopenable()).with_retry(Retry::EvenIfSent).await.unwrap();
        assert_eq!((gate.uploads().len(), time.sleeps()), (2, vec![Duration::from_secs(7)]), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_comes_once_the_status_is_told_and_nothing_repeated() {
    for (status, number) in
        [("401 Unauthorized", 401), ("429 Too Many Requests", 429), ("503 Service Unavailable", 503)]
    {
        for way in WAYS {
            let gate = Gate::open(status, way).await;
            let (dossier, time) = gate.dossier().await;
            let error = dossier.upload(comes_once()).with_retry(Retry::EvenIfSent).await.unwrap_err();
            assert_eq!(error.to_string(), format!("uploadFile: {status}: Not now."), "{way:?}");
            assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(number), 1));
            assert_eq!((gate.uploads().len(), gate.logins(), time.sleeps()), (1, 1, vec![]), "{way:?}");
        }
    }
}
