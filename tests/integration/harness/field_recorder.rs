//! A `tracing` subscriber that records the fields of spans and events as text.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Records one line per span, event and field.
#[derive(Clone)]
pub struct FieldRecorder {
    is_enabled: fn(&Metadata<'_>) -> bool,
    lines: Arc<Mutex<Vec<String>>>,
}

impl FieldRecorder {
    /// Records the spans and events of all crates and levels.
    pub fn all() -> Self {
        Self { is_enabled: |_| true, lines: Arc::default() }
    }

    /// Records the spans and events of the SDK.
    pub fn sdk() -> Self {
        Self { is_enabled: |metadata| metadata.target() == "documine", lines: Arc::default() }
    }

    /// Records the events of the SDK.
    pub fn sdk_events() -> Self {
        Self { is_enabled: |metadata| metadata.target() == "documine" && metadata.is_event(), lines: Arc::default() }
    }

    /// Adds a line of another source.
    pub fn push(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push(line.into());
    }

    /// Returns the lines so far: `span TARGET NAME`, `event TARGET`, `FIELD=VALUE`.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Returns the lines so far as one text.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }
}

impl Visit for FieldRecorder {
    // Without escapes: tests search the values for control characters.
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(format!("{field}=\"{value}\""));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(format!("{field}={value:?}"));
    }
}

impl Subscriber for FieldRecorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.is_enabled)(metadata)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(format!("span {} {}", span.metadata().target(), span.metadata().name()));
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.push(format!("event {}", event.metadata().target()));
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
