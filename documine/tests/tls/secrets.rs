//! No secret is in what the libraries below us say at their most talkative: HTTP/2 frames, TLS handshakes, proxies.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use documine::Credentials;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Authority, Habits, Service, license};

/// Writes down every field of every span and event, of all crates and levels.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Ear {
    fn heard(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Visit for Ear {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(heard, "{field}={value:?}");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn what_the_libraries_tell_holds_no_token() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let ear = Ear::default();
    let identity = clients.identity();
    for habits in [Habits::default(), Habits { old: true, ..Habits::default() }] {
        let service = Service::start(&authority, Habits { clients: Some(&clients), ..habits }, license()).await;
        let builder = service.builder().credentials(Credentials::access_token("canary-t0ken"));
        let listening = tracing::subscriber::set_default(ear.clone());
        let client = builder.add_root_certificate(authority.pem()).client_identity(identity.as_str()).build();
        client.expect("the settings are right").license().await.expect("a licence");
        drop(listening);
    }
    let heard = ear.heard();
    assert!(heard.contains("getLicense"), "nothing was heard");
    // The frames of HTTP/2 are told one by one, which is what could have given the token away.
    assert!(heard.to_lowercase().contains("headers"), "{heard}");
    let key = identity.lines().rev().nth(1).expect("a line of the key");
    for secret in ["canary-t0ken", key] {
        let line = heard.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}
