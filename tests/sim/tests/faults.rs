//! What a client sees of each kind of fault, byte by byte, and what the service has done by then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::{ErrorKind, Result as IoResult};
use std::time::{Duration, Instant};

use documine_sim::{Fault, RecordedRequest};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Desk, assert_clean, pdf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came over a connection.
struct Seen {
    head: String,
    body: Vec<u8>,
    /// `Ok`: the connection was closed in order (FIN). `None`: it was open and silent.
    end: Option<IoResult<()>>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }

    fn is_reset(&self) -> bool {
        matches!(&self.end, Some(Err(error)) if error.kind() == ErrorKind::ConnectionReset)
    }

    fn is_closed(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }
}

/// Sends a request over a connection of its own and reads what comes, until the connection ends or nothing more can happen: the clock of the runtime is
/// paused meanwhile, so the silence is found as soon as it begins.
async fn raw(desk: &Desk, method: &str, path: &str, body: &str) -> Seen {
    let mut stream = TcpStream::connect(desk.sim.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\nX-TENANT-ID: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        desk.token,
        desk.sim.workspace_id(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    tokio::time::pause();
    let end = loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await {
            Err(_) => break None,
            Ok(Ok(0)) => break Some(Ok(())),
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
            Ok(Err(error)) => break Some(Err(error)),
        }
    };
    tokio::time::resume();
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let body = bytes.split_off(split);
    Seen { head: String::from_utf8(bytes).unwrap(), body, end }
}

const SILENCE: Duration = Duration::from_secs(60);
/// Only guards against hanging.
const PATIENCE: Duration = Duration::from_secs(120);
const LICENSE: &str = "/api/license";

async fn desk() -> Desk {
    Desk::new().await
}

async fn desk_with(fault: Fault) -> Desk {
    let desk = desk().await;
    desk.sim.faults().add(fault);
    desk
}

fn last(desk: &Desk) -> RecordedRequest {
    desk.sim.requests().pop().unwrap()
}

async fn dossiers(desk: &Desk) -> usize {
    desk.get(&desk.dossiers()).await.json()["dossiers"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_reset_before_the_headers_leaves_the_service_with_what_was_asked() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("createOrUpdateDossier").nth(1).reset_before_headers()).await;
    let seen = raw(&desk, "POST", &desk.dossiers(), r#"{"name":"a"}"#).await;
    assert_eq!((seen.head.as_str(), seen.body.len()), ("", 0));
    assert!(seen.is_reset(), "{:?}", seen.end);
    let record = last(&desk);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (Some("reset_before_headers"), true, 201));
    assert_eq!(record.response_bytes, 0);
    assert_eq!(dossiers(&desk).await, 1);
    let record = last(&desk);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (None, true, 200));
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn an_unseen_request_never_reaches_the_service() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("createOrUpdateDossier").nth(1).reset_before_headers().unseen()).await;
    let seen = raw(&desk, "POST", &desk.dossiers(), r#"{"name":"a"}"#).await;
    assert_eq!((seen.head.as_str(), seen.body.len()), ("", 0));
    assert!(seen.is_reset(), "{:?}", seen.end);
    let record = last(&desk);
    assert_eq!(
        (record.fault.as_deref(), record.reached, record.status),
        (Some("reset_before_headers+unseen"), false, 0)
    );
    assert_eq!(dossiers(&desk).await, 0);
    // A body that is still coming is not read.
    desk.sim.faults().add(Fault::on("uploadFile").unseen());
    let dossier = desk.dossier("b").await;
    let part = reqwest::multipart::Part::bytes(vec![0; 8 << 20]).file_name("a.pdf");
    let form = reqwest::multipart::Form::new().part("file", part);
    assert!(desk.request(Method::POST, &format!("{dossier}/files")).multipart(form).send().await.is_err());
    assert!(last(&desk).request_bytes < 8 << 20);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn a_reset_after_the_headers_shows_the_status() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("*").reset_after_headers()).await;
    let seen = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!((seen.status(), seen.body.len()), ("200", 0));
    assert!(seen.header("content-length").unwrap().parse::<u64>().unwrap() > 50);
    assert!(seen.is_reset(), "{:?}", seen.end);
    desk.sim.faults().clear();
    let dossier = desk.dossier("a").await;
    desk.sim.faults().add(Fault::on("deleteDossier").reset_after_headers());
    let seen = raw(&desk, "DELETE", &dossier, "").await;
    assert_eq!(seen.status(), "204", "without a body the head is as good");
    assert!(seen.is_reset(), "{:?}", seen.end);
    assert_eq!(dossiers(&desk).await, 0);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn a_cut_is_the_end_and_a_stall_is_none() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("getLicense").nth(1).cut_after(5)).await;
    desk.sim.faults().add(Fault::on("getLicense").nth(2).stall_after(7));
    let cut = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!((cut.status(), cut.body.len()), ("200", 5));
    assert!(cut.is_closed(), "{:?}", cut.end);
    let stalled = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!((stalled.status(), stalled.body.len()), ("200", 7));
    assert!(stalled.end.is_none(), "{:?}", stalled.end);
    assert_eq!(stalled.header("content-length"), cut.header("content-length"));
    assert!(cut.header("content-length").unwrap().parse::<u64>().unwrap() > 50);
}

#[tokio::test]
async fn what_stalls_or_waits_does_not_hold_up_the_end() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("getLicense").stall_after(7)).await;
    desk.sim.faults().add(Fault::on("getUsers").latency_ms(60_000));
    desk.sim.faults().add(Fault::on("getDownloads").delay_ms(60_000));
    desk.sim.faults().add(Fault::on("getDossierTemplates").drip(1, 60_000));
    let waiting: Vec<_> = [LICENSE, "/api/users", "/api/downloads", "/api/dossier-templates"]
        .into_iter()
        .map(|path| tokio::spawn(desk.request(Method::GET, path).send()))
        .collect();
    support::until(|| desk.sim.faults().hits().values().sum::<u64>() == 4).await;
    let start = Instant::now();
    desk.sim.shutdown().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    for request in waiting {
        drop(request.await.unwrap());
    }
}

#[tokio::test]
async fn bodies_drip_and_answers_are_late() {
    if support::other_document() {
        return;
    }
    let desk = desk().await;
    let whole = desk.get(LICENSE).await.body;
    desk.sim.faults().add(Fault::on("getLicense").nth(1).drip(whole.len() as u64 / 4, 20));
    desk.sim.faults().add(Fault::on("getLicense").nth(2).latency_ms(60));
    let start = Instant::now();
    assert!(desk.get(LICENSE).await.body == whole);
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    let start = Instant::now();
    assert!(desk.get(LICENSE).await.body == whole);
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn the_journal_has_every_hit() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("getLicense").nth(1).latency_ms(60_000)).await;
    let request = tokio::spawn(desk.request(Method::GET, LICENSE).send());
    support::until(|| !desk.sim.faults().hits().is_empty()).await;
    request.abort();
    assert!(request.await.expect_err("aborted").is_cancelled());
    support::until(|| desk.sim.requests().len() == 2).await;
    let record = last(&desk);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (Some("latency_ms"), false, 0));
    assert_eq!(desk.sim.faults().hits(), [("latency_ms".to_owned(), 1)].into());
}

#[tokio::test]
async fn the_length_can_be_wrong_in_both_directions() {
    if support::other_document() {
        return;
    }
    let desk = desk().await;
    let whole = desk.get(LICENSE).await.body;
    desk.sim.faults().add(Fault::on("getLicense").nth(1).content_length(10));
    desk.sim.faults().add(Fault::on("getLicense").nth(2).content_length(-10));
    desk.sim.faults().add(Fault::on("getLicense").nth(3).content_length(-100_000));
    let longer = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!(longer.header("content-length"), Some((whole.len() + 10).to_string().as_str()));
    assert!(longer.body == whole && longer.is_closed(), "{:?}", longer.end);
    let shorter = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!(shorter.header("content-length"), Some((whole.len() - 10).to_string().as_str()));
    assert!(shorter.body == whole, "the rest follows: {}", String::from_utf8_lossy(&shorter.body));
    assert!(shorter.end.is_none(), "on an open connection: {:?}", shorter.end);
    let none = raw(&desk, "GET", LICENSE, "").await;
    assert_eq!(none.header("content-length"), Some("0"));
    assert!(none.body == whole, "{}", String::from_utf8_lossy(&none.body));
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn answers_of_limits_and_proxies_do_not_come_from_the_service() {
    if support::other_document() {
        return;
    }
    let desk = desk().await;
    let faults = desk.sim.faults();
    faults.add(Fault::on("getLicense").nth(1).rate_limited(3));
    faults.add(Fault::on("getLicense").nth(2).rate_limited_until_date(5));
    faults.add(Fault::on("getLicense").nth(3).unavailable(7));
    faults.add(Fault::on("getLicense").nth(4).bad_gateway_page());
    faults.add(Fault::on("getLicense").nth(5).empty_error());
    faults.add(Fault::on("getLicense").nth(6).login_page());
    let limited = desk.get(LICENSE).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "3"));
    limited.message();
    let dated = desk.get(LICENSE).await;
    assert_eq!((dated.status, dated.header("date")), (429, "Wed, 15 Jan 2025 09:00:00 GMT"));
    assert_eq!(dated.header("retry-after"), "Wed, 15 Jan 2025 09:00:05 GMT");
    let busy = desk.get(LICENSE).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "7"));
    let page = desk.get(LICENSE).await;
    assert_eq!((page.status, page.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(page.text().contains("<h1>502 Bad Gateway</h1>"));
    let empty = desk.get(LICENSE).await;
    assert_eq!((empty.status, empty.header("content-type"), empty.header("content-length")), (500, "", "0"));
    assert_eq!(empty.body, b"");
    let login = desk.get(LICENSE).await;
    assert_eq!((login.status, login.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(login.text().contains("<form"));
    let tampered = desk.sim.requests().into_iter().filter(|request| request.fault.is_some());
    assert!(tampered.into_iter().all(|request| !request.reached));
    assert_eq!(faults.hits().values().sum::<u64>(), 6);
    assert_eq!(faults.hits()["bad_gateway_page"], 1);
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn json_can_be_newer_than_the_document_and_broken() {
    if support::other_document() {
        return;
    }
    let desk = desk().await;
    let dossier = desk.dossier("j").await;
    desk.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    desk.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    let path = format!("{dossier}/files");
    let whole = desk.get(&path).await;
    let faults = desk.sim.faults();
    faults.add(Fault::on("getFiles").nth(1).unknown_enum().extra_fields());
    faults.add(Fault::on("getFiles").nth(2).null_lists());
    faults.add(Fault::on("getFiles").nth(3).wrong_element());
    faults.add(Fault::on("getFiles").nth(4).truncated_json());
    faults.add(Fault::on("getFiles").nth(5).huge_body(5_000_000));
    let newer = desk.get(&path).await.json();
    assert_eq!(newer["files"][1]["processingStatus"], "UNHEARD_OF");
    assert!(newer["xUnheardOf"].is_object() && newer["files"][0]["xUnheardOf"].is_object());
    assert!(newer["files"][0]["fileAttributes"]["xUnheardOf"].is_null(), "keys of maps are data");
    assert_eq!(desk.get(&path).await.json(), json!({"files": null}));
    let wrong = desk.get(&path).await.json();
    assert_eq!(wrong["files"][0], whole.json()["files"][0]);
    let last_file = wrong["files"][1].as_object().unwrap();
    assert_eq!(last_file.values().filter(|value| **value == json!({"unexpected": true})).count(), 1);
    let truncated = desk.get(&path).await;
    assert_eq!(truncated.header("content-length"), truncated.body.len().to_string());
    assert!(whole.body.starts_with(&truncated.body) && truncated.body.len() == whole.body.len() / 2);
    let huge = desk.get(&path).await;
    assert_eq!(huge.header("content-length"), huge.body.len().to_string());
    let mut huge = huge.json();
    assert_eq!(huge.as_object_mut().unwrap().remove("xPadding").unwrap().as_str().unwrap().len(), 5_000_000);
    assert_eq!(huge, whole.json());
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn a_request_can_be_delivered_twice() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("*").method("POST").delivered_twice()).await;
    let created = desk.post(&desk.dossiers(), json!({"name": "twin"})).await;
    assert_eq!(created.status, 201);
    let list = desk.get(&desk.dossiers()).await.json();
    let names: Vec<&Value> = list["dossiers"].as_array().unwrap().iter().map(|dossier| &dossier["name"]).collect();
    assert_eq!(names, ["twin", "twin"]);
    assert_eq!(list["dossiers"][1]["id"], created.json()["id"], "the second answer is given");
    let dossier = format!("{}/{}", desk.dossiers(), created.json()["id"].as_str().unwrap());
    let file = desk.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    assert_eq!(desk.state(&dossier, &file).await, "UNPROCESSED", "a form, too; the same name is the same file");
    desk.sim.faults().add(Fault::on("deleteDossier").delivered_twice());
    let dossier = format!("{}/{}?deletePermanently=true", desk.dossiers(), created.json()["id"].as_str().unwrap());
    assert_eq!(desk.delete(&dossier).await.status, 404, "the first has deleted it");
    assert_eq!(dossiers(&desk).await, 1);
    let twice = desk.sim.requests().into_iter().filter(|request| request.fault.as_deref() == Some("delivered_twice"));
    assert!(twice.into_iter().all(|request| request.reached));
    assert_clean(&desk.sim);
}

/// A new access token for the refresh token, and the status.
async fn refresh(desk: &Desk, refresh_token: &str) -> u16 {
    let sim = &desk.sim;
    let url = format!("{}/auth/realms/{}/protocol/openid-connect/token", sim.base_url(), sim.workspace_id());
    let body = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={refresh_token}",
        sim.client_id(),
        sim.client_secret()
    );
    let request = desk.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn tokens_end_at_the_moment_they_are_shown() {
    if support::other_document() {
        return;
    }
    let mut desk = desk().await;
    let sim = &desk.sim;
    let form = format!(
        "grant_type=password&client_id={}&client_secret={}&username={}&password={}",
        sim.client_id(),
        sim.client_secret(),
        sim.username(),
        sim.password()
    );
    let url = format!("{}/auth/realms/{}/protocol/openid-connect/token", sim.base_url(), sim.workspace_id());
    let request = desk.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(form);
    let tokens: Value = request.send().await.unwrap().json().await.unwrap();
    let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let bystander = std::mem::replace(&mut desk.token, tokens["access_token"].as_str().unwrap().to_owned());

    desk.sim.faults().add(Fault::on("getLicense").nth(1).token_expired());
    let refused = desk.get(LICENSE).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").contains("invalid_token"), "{:?}", refused.headers);
    assert_eq!(desk.get(LICENSE).await.status, 401, "for good");
    assert_eq!(refresh(&desk, &refresh_token).await, 200);

    desk.token = bystander;
    assert_eq!(desk.get(LICENSE).await.status, 200, "no other token ends");
    let session = support::sign_in(&desk.http, &desk.sim).await;
    desk.token = session;
    desk.sim.faults().add(Fault::on("getLicense").nth(1).token_revoked());
    assert_eq!(desk.get(LICENSE).await.status, 401);
    assert!(last(&desk).reached, "the API itself refuses");
    assert_eq!(refresh(&desk, &refresh_token).await, 200, "of another session");
    assert_clean(&desk.sim);
}

#[tokio::test]
async fn a_revoked_token_takes_its_refresh_token_along() {
    if support::other_document() {
        return;
    }
    let desk = desk().await;
    let sessions = desk.sim.state()["signIns"]["sessions"].clone();
    assert_eq!(sessions[0]["status"], "active");
    desk.sim.faults().add(Fault::on("getLicense").nth(1).token_revoked());
    assert_eq!(desk.get(LICENSE).await.status, 401);
    assert_eq!(desk.sim.state()["signIns"]["sessions"][0]["status"], "ended");
}

async fn connects(desk: &Desk) -> IoResult<TcpStream> {
    TcpStream::connect(desk.sim.address()).await
}

#[tokio::test]
async fn connections_are_refused_and_accepted_again() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("createOrUpdateDossier").nth(1).refuse(600_000)).await;
    let seen = raw(&desk, "POST", &desk.dossiers(), r#"{"name":"a"}"#).await;
    assert!(seen.is_reset() && seen.head.is_empty(), "{:?}", seen.end);
    assert_eq!(connects(&desk).await.expect_err("refused").kind(), ErrorKind::ConnectionRefused);

    let desk = desk_with(Fault::on("createOrUpdateDossier").nth(1).refuse(100)).await;
    let start = Instant::now();
    let request = desk.request(Method::POST, &desk.dossiers()).json(&serde_json::json!({"name": "a"}));
    request.send().await.expect_err("reset");
    while connects(&desk).await.is_err() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());
    assert_eq!(dossiers(&desk).await, 0);

    desk.sim.refuse_connections(true).await;
    assert_eq!(connects(&desk).await.expect_err("refused").kind(), ErrorKind::ConnectionRefused);
    desk.sim.refuse_connections(false).await;
    assert!(connects(&desk).await.is_ok());
    desk.sim.refuse_connections(true).await;
    let start = Instant::now();
    desk.sim.shutdown().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(25), "a closed listener stops as well");
}

#[tokio::test]
async fn a_simulator_that_is_dropped_lets_go_of_stalled_connections() {
    if support::other_document() {
        return;
    }
    let desk = desk_with(Fault::on("getLicense").stall_after(0)).await;
    let Desk { sim, http, token } = desk;
    let url = format!("{}{LICENSE}", sim.base_url());
    let answer = http.get(url).bearer_auth(token).header("X-TENANT-ID", sim.workspace_id()).send().await.unwrap();
    let address = sim.address();
    drop(sim);
    let body = tokio::time::timeout(PATIENCE, answer.bytes()).await;
    assert!(body.expect("an end").is_err());
    let start = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
