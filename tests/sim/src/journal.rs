//! The journal of all requests that the simulator answered.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::timestamp::Timestamp;

/// Maximum number of entries. The oldest entries are dropped first.
const MAX_ENTRIES: usize = 200_000;

/// A recorded request and its outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operation by its name in the SDK (`getDossiers`), or the name of an endpoint of the identity provider (`token`, `device`, …). `None` for
    /// a path that the simulator does not serve.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, in the spelling of the document in use.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: Option<String>,
    /// The request headers in the order of arrival, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The status of the response, even if a fault dropped the response. 0 without a response: the service did not receive the request, or the
    /// client disconnected while a fault delayed the response.
    pub status: u16,
    /// The fault that hit the request, by [`Fault::kind`](crate::Fault::kind). `None` without a fault.
    pub fault: Option<String>,
    /// True if the service received the request. Always true without a fault.
    pub reached: bool,
    /// The simulated time at which the request arrived.
    pub at: SystemTime,
    /// The number of bytes of the request body.
    pub request_bytes: u64,
    /// The number of bytes of the response body sent so far.
    pub response_bytes: u64,
}

impl RecordedRequest {
    /// Returns the value of a request header.
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

/// All requests. Clones share one journal.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    entries: Arc<Mutex<VecDeque<JournalEntry>>>,
}

/// A journal entry whose byte counts may still grow.
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
