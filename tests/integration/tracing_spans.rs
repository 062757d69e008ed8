//! Tracing output: one span per call with one child per attempt, with the names of OpenTelemetry's HTTP conventions.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use documine_sim::Fault;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::harness::test_env::{TestEnv, operation_path};

/// A recorded span with the index of its parent and its fields.
#[derive(Debug, Default, Clone)]
struct RecordedSpan {
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<String, String>,
}

#[derive(Clone, Default)]
struct SpanRecorder {
    spans: Arc<Mutex<Vec<RecordedSpan>>>,
    entered: Arc<Mutex<Vec<u64>>>,
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.to_string(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for SpanRecorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "documine" && metadata.is_span()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let parent = self.entered.lock().unwrap().last().copied();
        let mut span_record = RecordedSpan { name: span.metadata().name(), parent, fields: BTreeMap::new() };
        span.record(&mut Fields(&mut span_record.fields));
        let mut spans = self.spans.lock().unwrap();
        spans.push(span_record);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let index = usize::try_from(id.into_u64() - 1).unwrap();
        values.record(&mut Fields(&mut self.spans.lock().unwrap()[index].fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.entered.lock().unwrap().push(id.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.entered.lock().unwrap().pop();
    }
}

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn records_span_per_call_and_attempt() {
    let env = TestEnv::new().await;
    // The login has no span of its own and is not part of this test.
    env.client.license().await.unwrap();
    env.add_fault(Fault::on("getLicense").times(1).status(503).header("X-Request-Id", "r-1"));
    env.add_fault(Fault::on("getLicense").nth(2).times(1).reset_before_headers());
    env.add_fault(Fault::on("getLicense").nth(4).status(500).header("X-Request-Id", "r-2"));
    let recorder = SpanRecorder::default();
    let guard = tracing::subscriber::set_default(recorder.clone());
    env.client.license().await.unwrap();
    env.client.license().await.unwrap_err();
    drop(guard);

    let spans = recorder.spans.lock().unwrap().clone();
    let shape: Vec<_> = spans.iter().map(|span| (span.name, span.parent)).collect();
    let (call, attempt) = ("documine.call", "documine.attempt");
    assert_eq!(
        shape,
        [(call, None), (attempt, Some(1)), (attempt, Some(1)), (attempt, Some(1)), (call, None), (attempt, Some(5))]
    );
    let port = env.sim.address().port().to_string();
    let template = operation_path("getLicense", &[]);
    let common = [
        ("operation", "getLicense"),
        ("otel.kind", "client"),
        ("http.request.method", "GET"),
        ("url.template", template.as_str()),
        ("server.address", "127.0.0.1"),
        ("server.port", port.as_str()),
    ];
    let with = |more: &[(&str, &str)]| fields(&[&common[..], more].concat());
    assert_eq!(spans[0].fields, with(&[("http.request.resend_count", "2"), ("http.response.status_code", "200")]));
    assert_eq!(
        spans[4].fields,
        with(&[
            ("http.request.resend_count", "0"),
            ("http.response.status_code", "500"),
            ("error.type", "500"),
            ("request_id", "r-2")
        ])
    );
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == attempt).map(|span| span.fields.clone()).collect();
    let of = |count, more: &[(&str, &str)]| {
        fields(&[&[("operation", "getLicense"), ("http.request.resend_count", count)][..], more].concat())
    };
    assert_eq!(
        attempts,
        [
            of("0", &[("http.response.status_code", "503"), ("error.type", "503")]),
            of("1", &[("error.type", "interrupted")]),
            of("2", &[("http.response.status_code", "200")]),
            of("0", &[("http.response.status_code", "500"), ("error.type", "500")]),
        ]
    );
}
