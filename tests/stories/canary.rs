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
