//! Effects of faults: the bytes that a client receives, and the state of the service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::io::{ErrorKind, Result as IoResult};
use std::time::{Duration, Instant};

use documine_sim::{Fault, RecordedRequest};
use reqwest::Method;
use serde_json::{Value, json};
use support::{TestClient, assert_clean, pdf, request_tokens, sign_in, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bytes received on a connection.
struct RawResponse {
    head: String,
    body: Vec<u8>,
    /// `Ok`: closed in order (FIN). `None`: open and silent.
    end: Option<IoResult<()>>,
}

impl RawResponse {
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

/// Sends a request on a new connection and reads until the connection ends or falls silent.
///
/// The clock of the runtime is paused meanwhile, so that silence is detected as soon as it begins.
async fn send_raw(client: &TestClient, method: &str, path: &str, body: &str) -> RawResponse {
    let mut stream = TcpStream::connect(client.sim.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\nX-TENANT-ID: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        client.token,
        client.sim.workspace_id(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    tokio::time::pause();
    let end = loop {
        match tokio::time::timeout(SILENCE_TIMEOUT, stream.read(&mut buffer)).await {
            Err(_) => break None,
            Ok(Ok(0)) => break Some(Ok(())),
            Ok(Ok(count)) => bytes.extend_from_slice(&buffer[..count]),
            Ok(Err(error)) => break Some(Err(error)),
        }
    };
    tokio::time::resume();
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let body = bytes.split_off(split);
    RawResponse { head: String::from_utf8(bytes).unwrap(), body, end }
}

const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// Only prevents a hanging test.
const HANG_TIMEOUT: Duration = Duration::from_secs(120);
const LICENSE: &str = "/api/license";

/// Starts a simulator of the vendored document with a fault.
async fn client_with(fault: Fault) -> Option<TestClient> {
    let client = TestClient::vendored().await?;
    client.sim.faults().add(fault);
    Some(client)
}

fn last(client: &TestClient) -> RecordedRequest {
    client.sim.requests().pop().unwrap()
}

async fn dossiers(client: &TestClient) -> usize {
    client.get(&client.dossiers()).await.json()["dossiers"].as_array().unwrap().len()
}

#[tokio::test]
async fn reset_before_headers_follows_processing() {
    let Some(client) = client_with(Fault::on("createOrUpdateDossier").nth(1).reset_before_headers()).await else {
        return;
    };
    let response = send_raw(&client, "POST", &client.dossiers(), r#"{"name":"a"}"#).await;
    assert_eq!((response.head.as_str(), response.body.len()), ("", 0));
    assert!(response.is_reset(), "{:?}", response.end);
    let record = last(&client);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (Some("reset_before_headers"), true, 201));
    assert_eq!(record.response_bytes, 0);
    assert_eq!(dossiers(&client).await, 1);
    let record = last(&client);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (None, true, 200));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn unseen_requests_never_reach_the_service() {
    let Some(client) = client_with(Fault::on("createOrUpdateDossier").nth(1).reset_before_headers().unseen()).await
    else {
        return;
    };
    let response = send_raw(&client, "POST", &client.dossiers(), r#"{"name":"a"}"#).await;
    assert_eq!((response.head.as_str(), response.body.len()), ("", 0));
    assert!(response.is_reset(), "{:?}", response.end);
    let record = last(&client);
    assert_eq!(
        (record.fault.as_deref(), record.reached, record.status),
        (Some("reset_before_headers+unseen"), false, 0)
    );
    assert_eq!(dossiers(&client).await, 0);
    // A body in transit is not read.
    client.sim.faults().add(Fault::on("uploadFile").unseen());
    let dossier = client.dossier("b").await;
    let part = reqwest::multipart::Part::bytes(vec![0; 8 << 20]).file_name("a.pdf");
    let form = reqwest::multipart::Form::new().part("file", part);
    assert!(client.request(Method::POST, &format!("{dossier}/files")).multipart(form).send().await.is_err());
    assert!(last(&client).request_bytes < 8 << 20);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn reset_after_headers_delivers_the_status() {
    let Some(client) = client_with(Fault::on("*").reset_after_headers()).await else { return };
    let response = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!((response.status(), response.body.len()), ("200", 0));
    assert!(response.header("content-length").unwrap().parse::<u64>().unwrap() > 50);
    assert!(response.is_reset(), "{:?}", response.end);
    client.sim.faults().clear();
    let dossier = client.dossier("a").await;
    client.sim.faults().add(Fault::on("deleteDossier").reset_after_headers());
    let response = send_raw(&client, "DELETE", &dossier, "").await;
    assert_eq!(response.status(), "204", "the head arrives also without a body");
    assert!(response.is_reset(), "{:?}", response.end);
    assert_eq!(dossiers(&client).await, 0);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn cut_closes_the_connection_and_stall_keeps_it_open() {
    let Some(client) = client_with(Fault::on("getLicense").nth(1).cut_after(5)).await else { return };
    client.sim.faults().add(Fault::on("getLicense").nth(2).stall_after(7));
    let cut = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!((cut.status(), cut.body.len()), ("200", 5));
    assert!(cut.is_closed(), "{:?}", cut.end);
    let stalled = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!((stalled.status(), stalled.body.len()), ("200", 7));
    assert!(stalled.end.is_none(), "{:?}", stalled.end);
    assert_eq!(stalled.header("content-length"), cut.header("content-length"));
    assert!(cut.header("content-length").unwrap().parse::<u64>().unwrap() > 50);
}

#[tokio::test]
async fn stalls_and_delays_do_not_block_shutdown() {
    let Some(client) = client_with(Fault::on("getLicense").stall_after(7)).await else { return };
    client.sim.faults().add(Fault::on("getUsers").latency_ms(60_000));
    client.sim.faults().add(Fault::on("getDownloads").delay_ms(60_000));
    client.sim.faults().add(Fault::on("getDossierTemplates").drip(1, 60_000));
    let waiting: Vec<_> = [LICENSE, "/api/users", "/api/downloads", "/api/dossier-templates"]
        .into_iter()
        .map(|path| tokio::spawn(client.request(Method::GET, path).send()))
        .collect();
    wait_until(|| client.sim.faults().hits().values().sum::<u64>() == 4).await;
    let start = Instant::now();
    client.sim.shutdown().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    for request in waiting {
        drop(request.await.unwrap());
    }
}

#[tokio::test]
async fn drips_bodies_and_delays_responses() {
    let Some(client) = TestClient::vendored().await else { return };
    let whole = client.get(LICENSE).await.body;
    client.sim.faults().add(Fault::on("getLicense").nth(1).drip(whole.len() as u64 / 4, 20));
    client.sim.faults().add(Fault::on("getLicense").nth(2).latency_ms(60));
    let start = Instant::now();
    assert!(client.get(LICENSE).await.body == whole);
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    let start = Instant::now();
    assert!(client.get(LICENSE).await.body == whole);
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    assert_clean(&client.sim);
}

#[tokio::test]
async fn journal_records_every_hit() {
    let Some(client) = client_with(Fault::on("getLicense").nth(1).latency_ms(60_000)).await else { return };
    let request = tokio::spawn(client.request(Method::GET, LICENSE).send());
    wait_until(|| !client.sim.faults().hits().is_empty()).await;
    request.abort();
    assert!(request.await.expect_err("aborted").is_cancelled());
    wait_until(|| client.sim.requests().len() == 2).await;
    let record = last(&client);
    assert_eq!((record.fault.as_deref(), record.reached, record.status), (Some("latency_ms"), false, 0));
    assert_eq!(client.sim.faults().hits(), [("latency_ms".to_owned(), 1)].into());
}

#[tokio::test]
async fn content_length_can_be_too_large_or_too_small() {
    let Some(client) = TestClient::vendored().await else { return };
    let whole = client.get(LICENSE).await.body;
    client.sim.faults().add(Fault::on("getLicense").nth(1).content_length(10));
    client.sim.faults().add(Fault::on("getLicense").nth(2).content_length(-10));
    client.sim.faults().add(Fault::on("getLicense").nth(3).content_length(-100_000));
    let longer = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!(longer.header("content-length"), Some((whole.len() + 10).to_string().as_str()));
    assert!(longer.body == whole && longer.is_closed(), "{:?}", longer.end);
    let shorter = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!(shorter.header("content-length"), Some((whole.len() - 10).to_string().as_str()));
    assert!(shorter.body == whole, "the rest follows: {}", String::from_utf8_lossy(&shorter.body));
    assert!(shorter.end.is_none(), "on an open connection: {:?}", shorter.end);
    let none = send_raw(&client, "GET", LICENSE, "").await;
    assert_eq!(none.header("content-length"), Some("0"));
    assert!(none.body == whole, "{}", String::from_utf8_lossy(&none.body));
    assert_clean(&client.sim);
}

#[tokio::test]
async fn limit_and_proxy_responses_bypass_the_service() {
    let Some(client) = TestClient::vendored().await else { return };
    let faults = client.sim.faults();
    faults.add(Fault::on("getLicense").nth(1).rate_limited(3));
    faults.add(Fault::on("getLicense").nth(2).rate_limited_until_date(5));
    faults.add(Fault::on("getLicense").nth(3).unavailable(7));
    faults.add(Fault::on("getLicense").nth(4).bad_gateway_page());
    faults.add(Fault::on("getLicense").nth(5).empty_error());
    faults.add(Fault::on("getLicense").nth(6).login_page());
    let limited = client.get(LICENSE).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "3"));
    limited.message();
    let dated = client.get(LICENSE).await;
    assert_eq!((dated.status, dated.header("date")), (429, "Wed, 15 Jan 2025 09:00:00 GMT"));
    assert_eq!(dated.header("retry-after"), "Wed, 15 Jan 2025 09:00:05 GMT");
    let busy = client.get(LICENSE).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "7"));
    let page = client.get(LICENSE).await;
    assert_eq!((page.status, page.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(page.text().contains("<h1>502 Bad Gateway</h1>"));
    let empty = client.get(LICENSE).await;
    assert_eq!((empty.status, empty.header("content-type"), empty.header("content-length")), (500, "", "0"));
    assert_eq!(empty.body, b"");
    let login = client.get(LICENSE).await;
    assert_eq!((login.status, login.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(login.text().contains("<form"));
    let tampered = client.sim.requests().into_iter().filter(|request| request.fault.is_some());
    assert!(tampered.into_iter().all(|request| !request.reached));
    assert_eq!(faults.hits().values().sum::<u64>(), 6);
    assert_eq!(faults.hits()["bad_gateway_page"], 1);
    assert_clean(&client.sim);
}

#[tokio::test]
async fn json_effects_change_responses() {
    let Some(client) = TestClient::vendored().await else { return };
    let dossier = client.dossier("j").await;
    client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    client.file(&dossier, "b.pdf", pdf(&[&["b"]])).await;
    let path = format!("{dossier}/files");
    let whole = client.get(&path).await;
    let faults = client.sim.faults();
    faults.add(Fault::on("getFiles").nth(1).unknown_enum().extra_fields());
    faults.add(Fault::on("getFiles").nth(2).null_lists());
    faults.add(Fault::on("getFiles").nth(3).wrong_element());
    faults.add(Fault::on("getFiles").nth(4).truncated_json());
    faults.add(Fault::on("getFiles").nth(5).huge_body(5_000_000));
    let newer = client.get(&path).await.json();
    assert_eq!(newer["files"][1]["processingStatus"], "UNHEARD_OF");
    assert!(newer["xUnheardOf"].is_object() && newer["files"][0]["xUnheardOf"].is_object());
    assert!(newer["files"][0]["fileAttributes"]["xUnheardOf"].is_null(), "keys of maps are data");
    assert_eq!(client.get(&path).await.json(), json!({"files": null}));
    let wrong = client.get(&path).await.json();
    assert_eq!(wrong["files"][0], whole.json()["files"][0]);
    let last_file = wrong["files"][1].as_object().unwrap();
    assert_eq!(last_file.values().filter(|value| **value == json!({"unexpected": true})).count(), 1);
    let truncated = client.get(&path).await;
    assert_eq!(truncated.header("content-length"), truncated.body.len().to_string());
    assert!(whole.body.starts_with(&truncated.body) && truncated.body.len() == whole.body.len() / 2);
    let huge = client.get(&path).await;
    assert_eq!(huge.header("content-length"), huge.body.len().to_string());
    let mut huge = huge.json();
    assert_eq!(huge.as_object_mut().unwrap().remove("xPadding").unwrap().as_str().unwrap().len(), 5_000_000);
    assert_eq!(huge, whole.json());
    assert_clean(&client.sim);
}

#[tokio::test]
async fn delivers_requests_twice() {
    let Some(client) = client_with(Fault::on("*").method("POST").delivered_twice()).await else { return };
    let created = client.post(&client.dossiers(), json!({"name": "twin"})).await;
    assert_eq!(created.status, 201);
    let list = client.get(&client.dossiers()).await.json();
    let names: Vec<&Value> = list["dossiers"].as_array().unwrap().iter().map(|dossier| &dossier["name"]).collect();
    assert_eq!(names, ["twin", "twin"]);
    assert_eq!(list["dossiers"][1]["id"], created.json()["id"], "the second response is returned");
    let dossier = format!("{}/{}", client.dossiers(), created.json()["id"].as_str().unwrap());
    let file = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    assert_eq!(client.state(&dossier, &file).await, "UNPROCESSED", "forms too; the same name is the same file");
    client.sim.faults().add(Fault::on("deleteDossier").delivered_twice());
    let dossier = format!("{}/{}?deletePermanently=true", client.dossiers(), created.json()["id"].as_str().unwrap());
    assert_eq!(client.delete(&dossier).await.status, 404, "the first delivery has deleted the dossier");
    assert_eq!(dossiers(&client).await, 1);
    let twice = client.sim.requests().into_iter().filter(|request| request.fault.as_deref() == Some("delivered_twice"));
    assert!(twice.into_iter().all(|request| request.reached));
    assert_clean(&client.sim);
}

/// Refreshes the tokens and returns the status.
async fn refresh(client: &TestClient, refresh_token: &str) -> u16 {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    request_tokens(&client.http, &client.sim, &fields).await.status
}

#[tokio::test]
async fn expires_and_revokes_tokens_on_use() {
    let Some(mut client) = TestClient::vendored().await else { return };
    let tokens = sign_in(&client.http, &client.sim).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let bystander = std::mem::replace(&mut client.token, tokens["access_token"].as_str().unwrap().to_owned());

    client.sim.faults().add(Fault::on("getLicense").nth(1).token_expired());
    let refused = client.get(LICENSE).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").contains("invalid_token"), "{:?}", refused.headers);
    assert_eq!(client.get(LICENSE).await.status, 401, "for good");
    assert_eq!(refresh(&client, &refresh_token).await, 200);

    client.token = bystander;
    assert_eq!(client.get(LICENSE).await.status, 200, "other tokens stay valid");
    client.token = sign_in(&client.http, &client.sim).await["access_token"].as_str().unwrap().to_owned();
    client.sim.faults().add(Fault::on("getLicense").nth(1).token_revoked());
    assert_eq!(client.get(LICENSE).await.status, 401);
    assert!(last(&client).reached, "the service rejects the token");
    assert_eq!(refresh(&client, &refresh_token).await, 200, "another session stays active");
    assert_clean(&client.sim);
}

#[tokio::test]
async fn revoking_a_token_ends_its_session() {
    let Some(client) = TestClient::vendored().await else { return };
    let sessions = client.sim.state()["signIns"]["sessions"].clone();
    assert_eq!(sessions[0]["status"], "active");
    client.sim.faults().add(Fault::on("getLicense").nth(1).token_revoked());
    assert_eq!(client.get(LICENSE).await.status, 401);
    assert_eq!(client.sim.state()["signIns"]["sessions"][0]["status"], "ended");
}

async fn connects(client: &TestClient) -> IoResult<TcpStream> {
    TcpStream::connect(client.sim.address()).await
}

#[tokio::test]
async fn refuses_and_accepts_connections() {
    let Some(client) = client_with(Fault::on("createOrUpdateDossier").nth(1).refuse(600_000)).await else { return };
    let response = send_raw(&client, "POST", &client.dossiers(), r#"{"name":"a"}"#).await;
    assert!(response.is_reset() && response.head.is_empty(), "{:?}", response.end);
    assert_eq!(connects(&client).await.expect_err("refused").kind(), ErrorKind::ConnectionRefused);

    let Some(client) = client_with(Fault::on("createOrUpdateDossier").nth(1).refuse(100)).await else { return };
    let start = Instant::now();
    let request = client.request(Method::POST, &client.dossiers()).json(&serde_json::json!({"name": "a"}));
    request.send().await.expect_err("reset");
    while connects(&client).await.is_err() {
        assert!(start.elapsed() < HANG_TIMEOUT);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());
    assert_eq!(dossiers(&client).await, 0);

    client.sim.refuse_connections(true).await;
    assert_eq!(connects(&client).await.expect_err("refused").kind(), ErrorKind::ConnectionRefused);
    client.sim.refuse_connections(false).await;
    assert!(connects(&client).await.is_ok());
    client.sim.refuse_connections(true).await;
    let start = Instant::now();
    client.sim.shutdown().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(25), "a closed listener does not block the shutdown");
}

#[tokio::test]
async fn dropping_the_simulator_closes_stalled_connections() {
    let Some(client) = client_with(Fault::on("getLicense").stall_after(0)).await else { return };
    let TestClient { sim, http, token } = client;
    let url = format!("{}{LICENSE}", sim.base_url());
    let response = http.get(url).bearer_auth(token).header("X-TENANT-ID", sim.workspace_id()).send().await.unwrap();
    let address = sim.address();
    drop(sim);
    let body = tokio::time::timeout(HANG_TIMEOUT, response.bytes()).await;
    assert!(body.expect("an end").is_err());
    let start = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(start.elapsed() < HANG_TIMEOUT);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
