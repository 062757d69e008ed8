//! Trace propagation: requests sent within a span carry its context (W3C Trace Context).

#![cfg(feature = "otel")]
#![allow(clippy::expect_used, reason = "these are tests")]

use documine::{Client, Credentials};
use documine_sim::Simulator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

fn client(sim: &Simulator) -> Client {
    let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
    let credentials = credentials.client_secret(sim.client_secret());
    let builder = Client::builder(sim.base_url()).workspace(sim.workspace_id()).credentials(credentials);
    builder.build().expect("valid settings")
}

/// Returns the `traceparent` header of the last API request.
fn last_traceparent(sim: &Simulator) -> Option<String> {
    let requests = sim.requests();
    let request = requests.iter().rev().find(|request| request.operation.as_deref() == Some("getLicense"));
    request.expect("a request").header("traceparent").map(str::to_owned)
}

#[tokio::test]
async fn sends_traceparent_only_within_a_trace() {
    let sim = Simulator::start().await.expect("a simulator");
    let client = client(&sim);
    client.license().await.expect("a licence");
    assert_eq!(last_traceparent(&sim), None, "no active trace");

    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let span = tracing::info_span!("application span");
    let trace = span.context().span().span_context().trace_id();
    client.license().send().instrument(span).await.expect("a licence");
    drop(guard);

    let sent = last_traceparent(&sim).expect("a context");
    let parts: Vec<&str> = sent.split('-').collect();
    let [version, trace_id, span_id, flags] = parts[..] else { unreachable!("{sent}") };
    assert_eq!((version, trace_id, flags), ("00", trace.to_string().as_str(), "01"));
    assert!(span_id.len() == 16 && span_id != "0000000000000000", "{sent}");
}
