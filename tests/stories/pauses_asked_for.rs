//! A service that says with a good answer when the next look makes sense (`Retry-After`) is not asked before that.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use documine::{Client, Clock, Credentials, DossierHandle, DownloadId, FileId, WaitErrorKind};
use futures_util::future::{join_all, try_join_all};

use crate::canned::{Canned, answer};
use crate::world::{SimulatedTime, World, path};

/// What the service says of its file in answer to the looks, one after another, and for how many seconds it wants to be left alone then.
const LOOKS: [(&str, Option<u64>); 4] =
    [("ANALYSE", Some(20)), ("ANALYSE", None), ("ANALYSE", Some(1)), ("PROCESSED", None)];

/// When each look came, in milliseconds.
type Instants = Arc<Mutex<Vec<u128>>>;

fn said(operation: &str, body: &str, seconds: Option<u64>) -> Vec<u8> {
    let pause = seconds.map(|seconds| format!("Retry-After: {seconds}"));
    let headers: Vec<&str> = std::iter::once("Content-Type: application/json").chain(pause.as_deref()).collect();
    answer("200 OK", &headers, &documine_sim::wire::answer(operation, body))
}

/// A service that answers the looks of one operation, each with what `body` makes of a state; and a client in simulated time.
async fn service(operation: &'static str, ids: &[&str], body: fn(&str) -> String) -> (Canned, Client, Instants) {
    let time: SimulatedTime = World::new().await.time.clone();
    let instants = Instants::default();
    let (clock, noted) = (time.clone(), Arc::clone(&instants));
    let request = format!("GET {} ", path(operation, ids));
    let service = Canned::answering(move |head| {
        assert!(head.starts_with(&request), "{head}");
        let mut noted = noted.lock().unwrap();
        noted.push(clock.monotonic().as_millis());
        let (state, seconds) = LOOKS[(noted.len() - 1).min(LOOKS.len() - 1)];
        said(operation, &body(state), seconds)
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme").clock(time);
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    (service, client, instants)
}

fn dossier(client: &Client) -> DossierHandle {
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    template.dossier("d".parse::<documine::DossierId>().unwrap())
}

fn file(state: &str) -> String {
    format!(r#"{{"id":"f-1","processingStatus":"{state}"}}"#)
}

/// Which of four files a request is for.
fn file_asked_for(head: &str) -> String {
    let mut ids = (1..=4).map(|number| format!("f-{number}"));
    ids.find(|id| head.starts_with(&format!("GET {} ", path("getFile", &["t", "d", id])))).unwrap()
}

/// Left to itself the wait would look at 0, 500, 1000 and 1700.
const WANTED: [u128; 4] = [0, 20_000, 23_130, 26_497];

#[tokio::test]
async fn a_wait_for_a_file_looks_no_earlier() {
    let (_service, client, instants) = service("getFile", &["t", "d", "f-1"], file).await;
    dossier(&client).file("f-1".parse::<FileId>().unwrap()).processed().await.unwrap();
    assert_eq!(*instants.lock().unwrap(), WANTED);
}

#[tokio::test]
async fn a_wait_for_a_package_looks_no_earlier() {
    let body = |state: &str| {
        let state = if state == "PROCESSED" { "READY" } else { "PENDING" };
        format!(r#"{{"downloadId":"d-1","status":"{state}"}}"#)
    };
    let (_service, client, instants) = service("getDownload", &["d-1"], body).await;
    client.download("d-1".parse::<DownloadId>().unwrap()).operation().wait().await.unwrap();
    assert_eq!(*instants.lock().unwrap(), WANTED);
}

#[tokio::test]
async fn a_wait_for_a_dossier_looks_no_earlier() {
    let body = |state: &str| format!(r#"{{"files":[{}]}}"#, file(state));
    let (_service, client, instants) = service("getFiles", &["t", "d"], body).await;
    dossier(&client).processed().await.unwrap();
    assert_eq!(*instants.lock().unwrap(), WANTED);
}

#[tokio::test]
async fn a_pause_that_is_longer_than_the_wait_ends_with_its_last_look() {
    let (_service, client, instants) = service("getFile", &["t", "d", "f-1"], file).await;
    let wait = dossier(&client).file("f-1".parse::<FileId>().unwrap()).processed();
    wait.with_deadline(Duration::from_secs(15)).await.unwrap_err();
    assert_eq!(*instants.lock().unwrap(), [0, 15_000]);
}

/// In real time, because many sleep at once here.
#[tokio::test]
async fn many_who_wait_are_content_with_the_list_that_is_there() {
    let lists = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&lists);
    let list = format!("GET {} ", path("getFiles", &["t", "d"]));
    let service = Canned::answering(move |head| {
        if !head.starts_with(&list) {
            let id = file_asked_for(head);
            let state = if noted.lock().unwrap().len() > 1 { "PROCESSED" } else { "ANALYSE" };
            return said("getFile", &file(state).replace("f-1", &id), None);
        }
        let mut noted = noted.lock().unwrap();
        noted.push(Instant::now());
        let state = if noted.len() > 1 { "PROCESSED" } else { "ANALYSE" };
        let files: Vec<_> = (1..=4).map(|number| file(state).replace("f-1", &format!("f-{number}"))).collect();
        said("getFiles", &format!(r#"{{"files":[{}]}}"#, files.join(",")), Some(2))
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme");
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let files = (1..=4).map(|number| dossier(&client).file(format!("f-{number}").parse::<FileId>().unwrap()));
    try_join_all(files.map(|file| file.processed().with_deadline(Duration::from_secs(20)).into_future()))
        .await
        .unwrap();
    let lists = lists.lock().unwrap();
    assert_eq!(lists.len(), 2);
    let pause = lists[1] - lists[0];
    assert!(pause >= Duration::from_secs(2), "{pause:?}");
}

/// In real time, too.
#[tokio::test]
async fn a_list_that_wants_to_be_left_alone_for_ever_ends_no_wait_before_its_deadline() {
    let list = format!("GET {} ", path("getFiles", &["t", "d"]));
    let service = Canned::answering(move |head| {
        if head.starts_with(&list) {
            return answer("503 Service Unavailable", &["Retry-After: 99999999999999999999"], "");
        }
        said("getFile", &file("ANALYSE").replace("f-1", &file_asked_for(head)), None)
    })
    .await;
    let builder = Client::builder(&service.base).workspace("acme");
    let client = builder.credentials(Credentials::access_token("t")).build().unwrap();
    let files = (1..=4).map(|number| dossier(&client).file(format!("f-{number}").parse::<FileId>().unwrap()));
    let waits = files.map(|file| file.processed().with_deadline(Duration::from_secs(1)).into_future());
    for end in join_all(waits).await {
        assert!(matches!(&end, Err(error) if error.kind() == WaitErrorKind::DeadlineExceeded), "{end:?}");
    }
}
