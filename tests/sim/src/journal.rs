//! The journal: every request that the simulator answered, for a test to look at.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// The oldest requests are forgotten when there are more.
const MAX_ENTRIES: usize = 200_000;

/// One request and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operation, by the name that the SDK has for it (`getDossiers`), or a name for an endpoint of the identity provider (`token`, `device`, …).
    /// `None`: nothing that the simulator serves.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, in the spelling of the document in use.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// The request headers in the order of arrival, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The status of the answer, also of one that a fault has lost. 0 if there was none: the service has not seen the request, or the client has gone
    /// while a fault delayed the answer.
    pub status: u16,
    /// The fault that hit it, by [`Fault::kind`](crate::Fault::kind): the answer, or its absence, is deliberate.
    pub fault: Option<String>,
    /// Whether the service got the request, whatever became of the answer. Always so without a fault.
    pub reached: bool,
    /// When the request arrived, by the simulated clock.
    pub at: SystemTime,
    /// How many bytes the body of the request had.
    pub request_bytes: u64,
    /// How many bytes of the body of the answer have left so far.
    pub response_bytes: u64,
}

impl RecordedRequest {
    /// The value of a request header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn to_json(&self) -> Value {
        let headers: Vec<Value> = self.headers.iter().map(|(name, value)| json!([name, value])).collect();
        json!({
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": headers,
            "status": self.status,
            "fault": self.fault,
            "reached": self.reached,
            "at": Timestamp::from(self.at).to_rfc3339(),
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
        })
    }
}

/// All requests, shared.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    entries: Arc<Mutex<VecDeque<JournalEntry>>>,
}

/// A request whose body counts may still grow.
pub(crate) struct JournalEntry {
    pub(crate) request: RecordedRequest,
    pub(crate) received: Arc<AtomicU64>,
    pub(crate) sent: Arc<AtomicU64>,
}

impl Journal {
    pub(crate) fn add(&self, entry: JournalEntry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == MAX_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .map(|entry| RecordedRequest {
                request_bytes: entry.received.load(Ordering::Relaxed),
                response_bytes: entry.sent.load(Ordering::Relaxed),
                ..entry.request.clone()
            })
            .collect()
    }
}
