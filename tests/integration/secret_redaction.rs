//! Redaction of secrets: no password, client secret or token appears in any span, event, error or debug output.

use std::fmt::Write;

use documine::{Client, Credentials, Source};

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::field_recorder::FieldRecorder;
use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::scripted;
use crate::harness::test_env::{TestEnv, originals};

const PASSWORD: &str = "canary-pa55-w0rd";

#[tokio::test]
async fn redacts_secrets_in_spans_events_errors_and_debug_output() {
    let recorder = FieldRecorder::all();
    let env = TestEnv::with(|builder| builder.user("analyst", PASSWORD)).await;
    let guard = tracing::subscriber::set_default(recorder.clone());

    let dossier = env.dossier().await;
    let file =
        dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap().wait_until_processed().await.unwrap();
    let package = file.create_package(originals()).await.unwrap().wait().await.unwrap();
    let stream = package.stream().await.unwrap();
    env.time.advance(301);
    #[cfg(has = "getUsers")]
    env.client.users().await.unwrap();
    env.sim.control().revoke_tokens();
    env.client.license().await.unwrap();
    let wrong =
        Credentials::password(env.sim.client_id(), "analyst", "canary-wr0ng").client_secret(env.sim.client_secret());
    let refused = env.client_with(wrong.clone()).license().await.unwrap_err();
    let missing = dossier.file("f".parse::<documine::models::FileId>().unwrap()).get().await.unwrap_err();
    let client = &env.client;
    recorder.push(format!(
        "{client:?} {wrong:?} {dossier:?} {file:?} {package:?} {stream:?} {refused} {refused:?} {missing} {missing:?} {:?} {:?} {:?}",
        env.builder(),
        client.license(),
        package.delete(),
    ));
    drop(guard);

    let output = recorder.text();
    assert!(
        output.contains("span documine documine.call") && output.contains("operation=\"uploadFile\""),
        "nothing was recorded"
    );
    let mut secrets = vec![PASSWORD.to_owned(), "canary-wr0ng".to_owned(), env.sim.client_secret().to_owned()];
    let tokens = env
        .sim
        .requests()
        .into_iter()
        .filter_map(|request| Some(request.header("authorization")?.strip_prefix("Bearer ")?.to_owned()));
    secrets.extend(tokens);
    assert!(secrets.len() > 10);
    for secret in secrets {
        // The signature of a token is enough to detect the token.
        let part = secret.rsplit('.').next().unwrap();
        let found = output.lines().find(|line| line.contains(part));
        assert!(found.is_none(), "{found:?}");
    }
}

#[tokio::test]
async fn omits_ids_and_query_from_spans() {
    let recorder = FieldRecorder::all();
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    let id = "an-unknown-file";
    let guard = tracing::subscriber::set_default(recorder.clone());
    let dossier = env.template().dossier("a-dossier".parse::<documine::models::DossierId>().unwrap());
    dossier.file(id.parse::<documine::models::FileId>().unwrap()).delete().permanently(true).await.unwrap_err();
    drop(guard);
    let output = recorder.text();
    let own = output.split("span ").find(|span| span.starts_with("documine documine.call")).unwrap();
    assert!(own.contains("operation=\"deleteFile\"") && own.contains("{fileId}"), "{own}");
    assert!(!own.contains(id) && !own.contains("deletePermanently"), "{own}");
}

#[tokio::test]
async fn redacts_secrets_echoed_by_service() {
    const TOKEN: &str = "canary-t0ken";
    let recorder = FieldRecorder::all();
    // Statuses and bodies that echo the whole request, with a cookie set by the proxy.
    for (status, kind) in [
        ("500 Internal Server Error", "text/html"),
        ("500 Internal Server Error", "application/json"),
        ("400 Bad Request", "application/problem+json"),
        ("200 OK", "text/html"),
        ("200 OK", "application/json"),
    ] {
        let service = CannedServer::respond_with(move |head| {
            let shown = serde_json::Value::from(head);
            let body = match kind {
                "text/html" => format!("<pre>{head}</pre>"),
                _ if status.starts_with('2') => format!("{{\"licensedPages\":{shown}}}"),
                _ => format!("{{\"message\":{shown},\"detail\":{shown}}}"),
            };
            response(status, &[&format!("Content-Type: {kind}"), "Set-Cookie: session=canary-c00kie"], &body)
        })
        .await;
        let client = Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token(TOKEN));
        let guard = tracing::subscriber::set_default(recorder.clone());
        let error = client.build().unwrap().license().await.unwrap_err();
        drop(guard);
        let snippet = error.body_snippet().unwrap_or_default();
        recorder.push(format!("{error} {error:?} {error:#?} {:?} {snippet}", error.api_message()));
    }
    let output = recorder.text();
    assert!(output.contains("[redacted]"), "the request was not echoed: {output}");
    for secret in [TOKEN, "canary-c00kie"] {
        let line = output.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}

/// Records login events of an observer.
struct LoginEventRecorder(FieldRecorder);

impl documine::observe::Observer for LoginEventRecorder {
    fn login(&self, event: &documine::auth::LoginEvent<'_>) {
        self.0.push(format!("login event: {event:?}"));
    }
}

#[tokio::test]
async fn redacts_login_secrets_along_the_token_store() {
    /// Returns responses of the provider. All secrets in them start with `canary`.
    fn provider(head: &str) -> Vec<u8> {
        let body = match head.split(' ').nth(1).unwrap() {
            "/device" => {
                r#"{"device_code":"canary-device","user_code":"AB-CD","verification_uri":"https://id.example/d","expires_in":600,"interval":1}"#
            }
            "/token" => {
                r#"{"access_token":"canary-access","refresh_token":"canary-refresh","id_token":"canary-id","token_type":"Bearer","expires_in":60}"#
            }
            "/api/license" => return response("401 Unauthorized", &[], "canary-access"),
            // The response echoes the request.
            path => {
                let sent = if path == "/end" { "canary-refresh canary-id" } else { "canary-refresh" };
                let body = format!(r#"{{"error":"canary","error_description":"{sent} canary-client-s3cret"}}"#);
                return response("400 Bad Request", &["Content-Type: application/json"], &body);
            }
        };
        json_response(body)
    }
    let recorder = FieldRecorder::all();
    let service = CannedServer::respond_with(provider).await;
    let folder = tempfile::tempdir().unwrap();
    let store = documine::auth::FileStore::new(folder.path().join("login.json"));
    let (builder, _) = scripted::builder(&service.base).await;
    let builder =
        builder.token_path("/token").device_path("/device").revocation_path("/revoke").end_session_path("/end");
    let guard = tracing::subscriber::set_default(recorder.clone());
    let login = builder.login("c").unwrap().client_secret("canary-client-s3cret").store(store.clone());
    let mut shown = format!("{login:?}");
    let tokens = login.device(|code| write!(shown, "{code:?}").unwrap()).await.unwrap();
    let stored = documine::auth::TokenStore::load(&store).await.unwrap();
    let credentials = Credentials::stored("c", store.clone()).client_secret("canary-client-s3cret");
    let client =
        builder.credentials(credentials.clone()).observer(LoginEventRecorder(recorder.clone())).build().unwrap();
    let (me, refused, logged_out) =
        (client.identity().await.unwrap(), client.license().await.unwrap_err(), client.log_out().await.unwrap_err());
    std::fs::write(store.path(), "{\"version\": 1, \"access_token\": \"canary-access\"").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(store.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let damaged = client.license().await.unwrap_err();
    drop(guard);
    write!(
        shown,
        "{tokens:?} {stored:?} {store:?} {credentials:?} {client:?} {me:?} {refused} {refused:?} {logged_out} {logged_out:?} {damaged} {damaged:?}"
    )
    .unwrap();
    shown.push_str(&recorder.text());
    assert!(
        shown.contains("(canary)") && shown.contains("[redacted]") && shown.contains("login event: Refreshed"),
        "{shown}"
    );
    assert!(shown.contains("is damaged at line 1"), "{shown}");
    let requests = service.requests();
    let verifier = requests.iter().find_map(|request| request.split("code_verifier=").nth(1)).unwrap();
    let secrets = ["canary-access", "canary-refresh", "canary-id", "canary-device", "canary-client-s3cret", verifier];
    for secret in secrets {
        assert!(requests.iter().any(|request| request.contains(secret)), "{secret} was not used");
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
