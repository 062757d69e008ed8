//! A job recorded at the simulator replays without it, and the recording contains no secret.

use std::path::Path;

use documine::{Client, Credentials, DossierFields, DossierTemplateId, Source};
use documine_sim::{RecordedBodies, Recorder, Recording, Replay, SimClock, Simulator};

use crate::harness::pdf_fixtures::{INVOICE, STUDY};
use crate::harness::test_env::{originals, password_credentials};

/// Login, dossier, uploads, waits, components and a package. Returns what a user would keep.
async fn job(base_url: &str, clock: SimClock, credentials: Credentials, template: DossierTemplateId) -> Vec<String> {
    let builder = Client::builder(base_url).workspace("acme").credentials(credentials).clock(clock);
    let client = builder.build().unwrap();
    let dossier = client.dossier_template(template).create_dossier(DossierFields::named("Q3 filings")).await.unwrap();
    let mut results = vec![dossier.id().to_string()];
    for (name, pdf) in [("study.pdf", STUDY), ("invoice.pdf", INVOICE)] {
        let file =
            dossier.upload(Source::bytes(name, pdf.to_vec())).await.unwrap().wait_until_processed().await.unwrap();
        let components = file.components().await.unwrap();
        results.push(format!("{components:?}"));
    }
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("package.zip");
    package.save_to(&target).await.unwrap();
    results.push(format!("{:?}", std::fs::read(&target).unwrap()));
    results.push(format!("{:?}", client.license().await.unwrap()));
    results
}

async fn record(sim: &Simulator, file: &Path) -> Vec<String> {
    let recorder = Recorder::builder(sim.base_url(), file).bodies(RecordedBodies::All).start().await.unwrap();
    job(recorder.base_url(), sim.clock(), password_credentials(sim), sim.dossier_template_id().clone()).await
}

#[tokio::test]
async fn recorded_job_replays_without_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.jsonl");
    let sim = Simulator::builder().clock(SimClock::auto()).start().await.unwrap();
    let template = sim.dossier_template_id().clone();
    let recorded = record(&sim, &file).await;
    drop(sim);

    let replay = Replay::start(&file).await.unwrap();
    // The replay knows no secrets, so it accepts any.
    let credentials = Credentials::password("documine-client", "somebody", "any password");
    let replayed = job(replay.base_url(), SimClock::auto(), credentials, template).await;
    assert_eq!(replayed, recorded);
    replay.verify().unwrap();
}

#[tokio::test]
async fn recording_contains_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.jsonl");
    // Short tokens, so that the job refreshes them.
    let short = std::time::Duration::from_secs(31);
    let sim = Simulator::builder().clock(SimClock::auto()).token_ttl(short).rotate_refresh(true).start().await.unwrap();
    record(&sim, &file).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let operations = |text: &str| text.matches(r#""operation":"token""#).count();
    assert!(operations(&text) >= 1, "the login is recorded");
    // The bearer tokens of every request, and the credentials of the client.
    let requests = sim.requests();
    let bearers = requests.iter().filter_map(|request| request.header("authorization"));
    let mut secrets: Vec<&str> = bearers.filter_map(|value| value.split_once(' ')).map(|(_, token)| token).collect();
    assert!(!secrets.is_empty());
    secrets.extend([sim.password(), sim.client_secret()]);
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}");
        // The signature of a token, and the password as JSON or a form spells it, are in no other place either.
        assert!(!text.contains(secret.rsplit('.').next().unwrap()), "{secret}");
    }
    for exchange in Recording::load(&file).unwrap().exchanges() {
        let headers = exchange.request_headers.iter().chain(&exchange.response_headers);
        assert!(headers.clone().all(|(name, _)| name != "authorization" && !name.contains("cookie")));
        if exchange.operation.as_deref() == Some("token") {
            let body = exchange.response_body.bytes().unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&body["access_token"], &body["refresh_token"]), (&"removed".into(), &"removed".into()));
            assert!(body["expires_in"].is_number());
        }
    }
}
