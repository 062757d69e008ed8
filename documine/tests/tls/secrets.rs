//! Redaction of secrets in the trace output of dependencies: HTTP/2 frames, TLS handshakes, proxies.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use documine::Credentials;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Authority, ServerOptions, Service, license};

/// Records every field of every span and event of all crates and levels.
#[derive(Clone, Default)]
struct TextRecorder(Arc<Mutex<String>>);

impl TextRecorder {
    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Visit for TextRecorder {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(text, "{field}={value:?}");
    }
}

impl Subscriber for TextRecorder {
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
async fn trace_output_of_dependencies_contains_no_secret() {
    let (authority, client_authority) = (Authority::new(), Authority::new());
    let recorder = TextRecorder::default();
    let identity = client_authority.identity();
    for options in [ServerOptions::default(), ServerOptions { http1_only: true, ..ServerOptions::default() }] {
        let service = Service::start(
            &authority,
            ServerOptions { client_authority: Some(&client_authority), ..options },
            license(),
        )
        .await;
        let builder = service.builder().credentials(Credentials::access_token("canary-t0ken"));
        let guard = tracing::subscriber::set_default(recorder.clone());
        let client = builder.add_root_certificate(authority.pem()).client_identity(identity.as_str()).build();
        client.expect("valid settings").license().await.expect("a licence");
        drop(guard);
    }
    let text = recorder.text();
    assert!(text.contains("getLicense"), "nothing was recorded");
    // HTTP/2 frames are logged individually, which could expose the token.
    assert!(text.to_lowercase().contains("headers"), "{text}");
    let key = identity.lines().rev().nth(1).expect("a line of the key");
    for secret in ["canary-t0ken", key] {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}
