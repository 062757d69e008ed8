//! No secret is ever shown: a whole journey with everybody listening, and not one password, client secret or token in any span, event, error or debug text.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use documine::{Client, Credentials, DownloadFileType, PackageContent, Source};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::canned::{Canned, answer};
use crate::paper::INVOICE;
use crate::world::World;

const PASSWORD: &str = "canary-pa55-w0rd";

/// Writes down every field of every span and event, of all crates and levels.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Visit for Ear {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        writeln!(self.0.lock().unwrap(), "span {} {}", span.metadata().target(), span.metadata().name()).unwrap();
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        writeln!(self.0.lock().unwrap(), "event {}", event.metadata().target()).unwrap();
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_secret_is_in_any_span_event_error_or_debug_text() {
    let ear = Ear::default();
    let world = World::with(|builder| builder.user("analyst", PASSWORD)).await;
    let listening = tracing::subscriber::set_default(ear.clone());

    let dossier = world.dossier().await;
    let file = dossier.upload(Source::bytes("invoice.pdf", INVOICE)).await.unwrap().processed().await.unwrap();
    let package = file
        .create_package(PackageContent::file_types([DownloadFileType::Original]))
        .await
        .unwrap()
        .wait()
        .await
        .unwrap();
    let stream = package.stream().await.unwrap();
    world.time.pass(301);
    #[cfg(has = "getUsers")]
    world.client.users().await.unwrap();
    world.sim.control().revoke_tokens();
    world.client.license().await.unwrap();
    let wrong = Credentials::password(world.sim.client_id(), "analyst", "canary-wr0ng")
        .client_secret(world.sim.client_secret());
    let refused = world.client_with(wrong.clone()).license().await.unwrap_err();
    let missing = dossier.file("f".parse::<documine::FileId>().unwrap()).get().await.unwrap_err();
    let client = &world.client;
    write!(
        ear.0.lock().unwrap(),
        "{client:?} {wrong:?} {dossier:?} {file:?} {package:?} {stream:?} {refused} {refused:?} {missing} {missing:?} {:?} {:?} {:?}",
        world.builder(),
        client.license(),
        package.delete(),
    )
    .unwrap();
    drop(listening);

    let heard = ear.0.lock().unwrap().clone();
    assert!(
        heard.contains("span documine documine.call") && heard.contains("operation=\"uploadFile\""),
        "nothing was heard"
    );
    let mut secrets = vec![PASSWORD.to_owned(), "canary-wr0ng".to_owned(), world.sim.client_secret().to_owned()];
    let tokens = world
        .sim
        .requests()
        .into_iter()
        .filter_map(|request| Some(request.header("authorization")?.strip_prefix("Bearer ")?.to_owned()));
    secrets.extend(tokens);
    assert!(secrets.len() > 10);
    for secret in secrets {
        // Of a token the signature alone would do.
        let part = secret.rsplit('.').next().unwrap();
        let found = heard.lines().find(|line| line.contains(part));
        assert!(found.is_none(), "{found:?}");
    }
}

#[tokio::test]
async fn no_id_and_no_query_is_in_a_span() {
    let ear = Ear::default();
    let world = World::new().await;
    world.client.license().await.unwrap();
    let id = "a-file-that-nobody-knows";
    let listening = tracing::subscriber::set_default(ear.clone());
    let dossier = world.template().dossier("a-dossier".parse::<documine::DossierId>().unwrap());
    dossier.file(id.parse::<documine::FileId>().unwrap()).delete().permanently().await.unwrap_err();
    drop(listening);
    let heard = ear.0.lock().unwrap().clone();
    let own = heard.split("span ").find(|span| span.starts_with("documine documine.call")).unwrap();
    assert!(own.contains("operation=\"deleteFile\"") && own.contains("{fileId}"), "{own}");
    assert!(!own.contains(id) && !own.contains("deletePermanently"), "{own}");
}

#[tokio::test]
async fn a_service_that_shows_what_it_was_sent_shows_no_secret_through_us() {
    const TOKEN: &str = "canary-t0ken";
    let ear = Ear::default();
    // Statuses and bodies in which the whole request comes back, with a cookie of the proxy's.
    for (status, kind) in [
        ("500 Internal Server Error", "text/html"),
        ("500 Internal Server Error", "application/json"),
        ("400 Bad Request", "application/problem+json"),
        ("200 OK", "text/html"),
        ("200 OK", "application/json"),
    ] {
        let service = Canned::answering(move |head| {
            let shown = serde_json::Value::from(head);
            let body = match kind {
                "text/html" => format!("<pre>{head}</pre>"),
                _ if status.starts_with('2') => format!("{{\"licensedPages\":{shown}}}"),
                _ => format!("{{\"message\":{shown},\"detail\":{shown}}}"),
            };
            answer(status, &[&format!("Content-Type: {kind}"), "Set-Cookie: session=canary-c00kie"], &body)
        })
        .await;
        let client = Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token(TOKEN));
        let listening = tracing::subscriber::set_default(ear.clone());
        let error = client.build().unwrap().license().await.unwrap_err();
        drop(listening);
        let snippet = error.body_snippet().unwrap_or_default();
        write!(ear.0.lock().unwrap(), "{error} {error:?} {error:#?} {:?} {snippet}", error.api_message()).unwrap();
    }
    let heard = ear.0.lock().unwrap();
    assert!(heard.contains("[redacted]"), "nothing came back: {heard}");
    for secret in [TOKEN, "canary-c00kie"] {
        let line = heard.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}

/// Writes down what an observer hears of the login.
struct Told(Ear);

impl documine::Observer for Told {
    fn login(&self, event: &documine::LoginEvent<'_>) {
        writeln!(self.0.0.lock().unwrap(), "told: {event:?}").unwrap();
    }
}

#[tokio::test]
async fn no_secret_of_a_login_is_shown_on_its_way_through_a_store() {
    /// The provider's answers, all secrets of which begin alike.
    fn provider(head: &str) -> Vec<u8> {
        let body = match head.split(' ').nth(1).unwrap() {
            "/device" => {
                r#"{"device_code":"canary-device","user_code":"AB-CD","verification_uri":"https://id.example/d","expires_in":600,"interval":1}"#
            }
            "/token" => {
                r#"{"access_token":"canary-access","refresh_token":"canary-refresh","id_token":"canary-id","token_type":"Bearer","expires_in":60}"#
            }
            "/api/license" => return answer("401 Unauthorized", &[], "canary-access"),
            // What was sent comes back.
            path => {
                let sent = if path == "/end" { "canary-refresh canary-id" } else { "canary-refresh" };
                let body = format!(r#"{{"error":"canary","error_description":"{sent} canary-client-s3cret"}}"#);
                return answer("400 Bad Request", &["Content-Type: application/json"], &body);
            }
        };
        crate::canned::json(body)
    }
    let ear = Ear::default();
    let service = Canned::answering(provider).await;
    let folder = tempfile::tempdir().unwrap();
    let store = documine::FileStore::new(folder.path().join("login.json"));
    let (builder, _) = crate::scripted::builder(&service.base).await;
    let builder =
        builder.token_path("/token").device_path("/device").revocation_path("/revoke").end_session_path("/end");
    let listening = tracing::subscriber::set_default(ear.clone());
    let login = builder.login("c").unwrap().client_secret("canary-client-s3cret").store(store.clone());
    let mut said = format!("{login:?}");
    let tokens = login.device(|code| write!(said, "{code:?}").unwrap()).await.unwrap();
    let kept = documine::TokenStore::load(&store).await.unwrap();
    let credentials = Credentials::stored("c", store.clone()).client_secret("canary-client-s3cret");
    let client = builder.credentials(credentials.clone()).observer(Told(ear.clone())).build().unwrap();
    let (me, refused, out) =
        (client.who_am_i().await.unwrap(), client.license().await.unwrap_err(), client.log_out().await.unwrap_err());
    std::fs::write(store.path(), "{\"version\": 1, \"access_token\": \"canary-access\"").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(store.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let damaged = client.license().await.unwrap_err();
    drop(listening);
    write!(
        said,
        "{tokens:?} {kept:?} {store:?} {credentials:?} {client:?} {me:?} {refused} {refused:?} {out} {out:?} {damaged} {damaged:?}"
    )
    .unwrap();
    said.push_str(&ear.0.lock().unwrap());
    assert!(said.contains("(canary)") && said.contains("[redacted]") && said.contains("told: Refreshed"), "{said}");
    assert!(said.contains("is damaged at line 1"), "{said}");
    let requests = service.requests();
    let verifier = requests.iter().find_map(|request| request.split("code_verifier=").nth(1)).unwrap();
    let secrets = ["canary-access", "canary-refresh", "canary-id", "canary-device", "canary-client-s3cret", verifier];
    for secret in secrets {
        assert!(requests.iter().any(|request| request.contains(secret)), "{secret} was in use");
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
