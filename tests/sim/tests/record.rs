//! Record and replay: the programs, the file, and requests without a recorded response.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

mod support;

use std::path::Path;
use std::process::Child;

use documine_sim::{RecordedBodies, RecordedBody, Recorder, Recording, Replay};
use serde_json::{Value, json};
use support::{TestClient, pdf, program as documine_sim, ready_line};

/// Returns a client that sends to another base URL than the simulator's.
async fn get(client: &TestClient, base: &str, path: &str) -> support::TestResponse {
    let request = client.http.get(format!("{base}{path}")).bearer_auth(&client.token);
    client.send(request.header("X-TENANT-ID", client.sim.workspace_id())).await
}

fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = documine_sim(arguments).spawn().unwrap();
    let line = ready_line(&mut child);
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (child, ready["base_url"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn killed_recorder_leaves_a_readable_private_file_that_replays() {
    let client = TestClient::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    std::fs::write(&file, "an earlier file that anybody can read").unwrap();
    let path = file.to_str().unwrap();
    let arguments = ["record", "--upstream", client.sim.base_url(), "--out", path, "--bodies", "all"];
    let (mut program, base) = start(&arguments);
    let discovery = format!("/auth/realms/{}/.well-known/openid-configuration", client.sim.workspace_id());
    let recorded = get(&client, &base, &discovery).await;
    assert!(recorded.text().contains(&base) && !recorded.text().contains(client.sim.base_url()), "{}", recorded.text());
    program.kill().unwrap();
    program.wait().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(!std::fs::read_to_string(&file).unwrap().contains(client.sim.base_url()));
    let exchange = &Recording::load(&file).unwrap().exchanges()[0].clone();
    assert_eq!((exchange.operation.as_deref(), exchange.status), (Some("discovery"), 200));

    let (mut replay, base) = start(&["replay", path]);
    let replayed = get(&client, &base, &discovery).await;
    assert!(replayed.json()["token_endpoint"].as_str().unwrap().starts_with(&base));
    replay.kill().unwrap();
    replay.wait().unwrap();
}

#[test]
fn invalid_recordings_and_upstreams_yield_a_one_line_error() {
    let rejected = |arguments: &[&str]| {
        let output = documine_sim(arguments).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    assert!(rejected(&["replay", path]).contains("line 1 is not the header of a recording"));
    assert!(rejected(&["replay", "/nowhere/recording"]).contains("recording /nowhere/recording: "));
    assert!(rejected(&["record", "--upstream", "nonsense", "--out", path]).contains("write https://host"));
    let output = documine_sim(&["--seed", "3", "replay", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "options of the simulator do not go with a command");
}

async fn record(client: &TestClient, file: &Path, bodies: RecordedBodies, paths: &[&str]) {
    let recorder = Recorder::builder(client.sim.base_url(), file).bodies(bodies).start().await.unwrap();
    for path in paths {
        get(client, recorder.base_url(), path).await;
    }
}

#[tokio::test]
async fn replay_repeats_the_last_response_and_names_the_nearest_requests() {
    let Some(client) = TestClient::vendored().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let dossier = client.dossier("d").await;
    let id = client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    let path = format!("{dossier}/files/{id}");
    {
        let recorder = Recorder::start(client.sim.base_url(), &file).await.unwrap();
        get(&client, recorder.base_url(), &path).await;
        client.advance(60);
        get(&client, recorder.base_url(), &path).await;
        get(
            &client,
            recorder.base_url(),
            "/api/license/usage?startDate=2025-01-01T00:00:00Z&endDate=2025-12-31T00:00:00Z",
        )
        .await;
    }
    let replay = Replay::start(&file).await.unwrap();
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(get(&client, replay.base_url(), &path).await.json()["processingStatus"].clone());
    }
    assert_eq!(states, [json!("UNPROCESSED"), json!("PROCESSED"), json!("PROCESSED")]);
    let swapped = "/api/license/usage?endDate=2025-12-31T00:00:00Z&startDate=2025-01-01T00:00:00Z";
    assert_eq!(get(&client, replay.base_url(), swapped).await.status, 200);
    replay.verify().unwrap();
    let missing = get(&client, replay.base_url(), &format!("{path}/components")).await;
    assert_eq!(missing.status, 501);
    let message = missing.json()["message"].as_str().unwrap().to_owned();
    let expected =
        format!("replay: no recorded response to GET {path}/components; nearest recorded requests: GET {path}, ");
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(replay.unmatched(), std::slice::from_ref(&message));
    assert_eq!(replay.verify().unwrap_err().to_string(), message);
}

#[tokio::test]
async fn bodies_are_recorded_as_configured() {
    let Some(client) = TestClient::vendored().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let dossier = client.dossier("d").await;
    client.file(&dossier, "a.pdf", pdf(&[&["a"]])).await;
    client.advance(60);
    let package = format!("{}/download", client.package(&dossier, json!({})).await);
    for bodies in [RecordedBodies::None, RecordedBodies::Json, RecordedBodies::All] {
        record(&client, &file, bodies, &["/api/license", &package]).await;
        let recording = Recording::load(&file).unwrap();
        let [license, archive] = recording.exchanges() else { panic!("two exchanges") };
        assert_eq!(matches!(license.response_body, RecordedBody::Json(_)), bodies != RecordedBodies::None);
        assert_eq!(matches!(archive.response_body, RecordedBody::Base64(_)), bodies == RecordedBodies::All);
        let replay = Replay::start(&file).await.unwrap();
        let replayed = get(&client, replay.base_url(), &package).await;
        if bodies == RecordedBodies::All {
            assert!(replayed.body == client.get(&package).await.body, "the package differs");
        } else {
            assert_eq!(replayed.status, 501);
            assert!(replayed.text().contains("was not recorded; record with `--bodies all`"), "{}", replayed.text());
        }
    }
}

#[tokio::test]
async fn tokens_and_credentials_are_never_written() {
    let client = TestClient::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let recorder = Recorder::builder(client.sim.base_url(), &file).bodies(RecordedBodies::All).start().await.unwrap();
    let tokens = |url: String, form: Vec<(&'static str, String)>| {
        let form = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = client.http.post(url).basic_auth(client.sim.client_id(), Some(client.sim.client_secret()));
        client.send(request.header("content-type", "application/x-www-form-urlencoded").body(form))
    };
    let url = format!("{}/auth/realms/{}/protocol/openid-connect", recorder.base_url(), client.sim.workspace_id());
    let login = vec![
        ("grant_type", "password".to_owned()),
        ("scope", "openid".to_owned()),
        ("username", client.sim.username().to_owned()),
        ("password", client.sim.password().to_owned()),
    ];
    let first = tokens(format!("{url}/token"), login).await.json();
    let refresh = |token: &Value| token["refresh_token"].as_str().unwrap().to_owned();
    let form = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh(&first))];
    let second = tokens(format!("{url}/token"), form).await.json();
    let device = tokens(format!("{url}/auth/device"), Vec::new()).await.json();
    let mut secrets = vec![client.sim.password().to_owned(), client.sim.client_secret().to_owned()];
    for (response, names) in [
        (&first, ["access_token", "refresh_token", "id_token"]),
        (&second, ["access_token", "refresh_token", "id_token"]),
        (&device, ["device_code", "user_code", "verification_uri_complete"]),
    ] {
        for name in names {
            secrets.push(response[name].as_str().unwrap_or_else(|| panic!("{name} in {response}")).to_owned());
        }
    }
    // A secret in a path or in a text of the service is removed as well.
    let leak = format!("/api/{}?code=an-authorization-code", client.sim.client_secret());
    get(&client, recorder.base_url(), &leak).await;
    drop(recorder);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 1 + 4);
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret}");
    }
    for word in ["Basic ", "Bearer ", "an-authorization-code", client.sim.username(), "eyJ"] {
        assert!(!text.contains(word), "{word}");
    }
    // The names stay, so that a replay answers the same members.
    assert!(text.contains(r#""access_token":"removed""#));
}
