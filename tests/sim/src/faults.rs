//! Faults: answers that are wrong on purpose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use json_patch::Patch;
use serde::{Deserialize, Serialize};

/// One thing that goes wrong, and when.
///
/// With a `status` the request never reaches the service: the answer is made from the fault alone. Without one the service answers, and the fault
/// changes the answer. Answers touched by a fault are deliberate and never count as violations.
///
/// ```
/// use documine_sim::Fault;
///
/// let busy = Fault::on("getFiles").times(2).status(429).header("Retry-After", "3");
/// let later_unknown = Fault::on("getFile").nth(3).patch(r#"[{"op": "replace", "path": "/processingStatus", "value": "DREAMING"}]"#);
/// assert_eq!(busy.status, Some(429));
/// assert!(later_unknown.patch.is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// The operation it hits, as [`RecordedRequest::operation`](crate::RecordedRequest) spells it; `*` for any.
    pub operation: String,
    /// The first request of the operation that it hits, counted from 1 since it was added.
    pub nth: Option<u64>,
    /// How many requests it hits from there on. By default one if `nth` is given, else all.
    pub times: Option<u64>,
    /// Answer with this status instead of asking the service.
    pub status: Option<u16>,
    /// Headers that are added to the answer, or replace those of the same name.
    pub headers: BTreeMap<String, String>,
    /// The body in place of the service's.
    pub body: Option<String>,
    /// The content type in place of the service's.
    pub content_type: Option<String>,
    /// Changes to the JSON of the answer (RFC 6902). Changes that do not fit the answer leave it as it is.
    pub patch: Option<Patch>,
    /// Milliseconds of simulated time before the answer begins.
    pub delay_ms: Option<u64>,
    /// The connection breaks after so many bytes of the body.
    pub cut_after: Option<u64>,
}

impl Fault {
    /// A fault of one operation; `*` for any.
    pub fn on(operation: impl Into<String>) -> Self {
        Self { operation: operation.into(), ..Self::default() }
    }

    /// It begins with the nth request of the operation.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// It hits so many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The answer has this status, and the service is not asked.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The answer has this header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// The answer has this body. With another document than ours a JSON body of a success is given in the names used here, and gets the document's.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self.body = Some(body.into());
        self
    }

    /// The JSON of the answer is changed by this patch (RFC 6902, as text), before it gets the names of a document that is not ours. A text that is no patch changes nothing.
    #[must_use]
    pub fn patch(mut self, patch: &str) -> Self {
        self.patch = serde_json::from_str(patch).ok();
        self
    }

    /// The answer begins so many milliseconds of simulated time later.
    #[must_use]
    pub fn delay_ms(mut self, delay: u64) -> Self {
        self.delay_ms = Some(delay);
        self
    }

    /// The connection breaks after so many bytes of the body.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Whether the `count`-th request since it was added is hit.
    fn hits(&self, count: u64) -> bool {
        let first = self.nth.unwrap_or(1).max(1);
        let times = self.times.unwrap_or(if self.nth.is_some() { 1 } else { u64::MAX });
        count >= first && count - first < times
    }
}

/// The faults that are planned. Clones share the plan.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Arc<Mutex<Vec<Planned>>>,
}

#[derive(Debug)]
struct Planned {
    fault: Fault,
    seen: u64,
}

impl Faults {
    /// Plans a fault. Of several that hit one request, the one that was added first takes effect.
    pub fn add(&self, fault: Fault) {
        self.planned().push(Planned { fault, seen: 0 });
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.planned().clear();
    }

    /// The faults that are planned, in the order in which they were added.
    pub fn list(&self) -> Vec<Fault> {
        self.planned().iter().map(|planned| planned.fault.clone()).collect()
    }

    /// The fault that hits this request, if any does.
    pub(crate) fn take(&self, operation: Option<&str>) -> Option<Fault> {
        let mut hit = None;
        for planned in self.planned().iter_mut() {
            if planned.fault.operation == "*" || Some(planned.fault.operation.as_str()) == operation {
                planned.seen += 1;
                if hit.is_none() && planned.fault.hits(planned.seen) {
                    hit = Some(planned.fault.clone());
                }
            }
        }
        hit
    }

    fn planned(&self) -> MutexGuard<'_, Vec<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_hit_the_requests_they_name() {
        let faults = Faults::default();
        faults.add(Fault::on("a").nth(2).times(2).status(503));
        let hits: Vec<bool> = (0..5).map(|_| faults.take(Some("a")).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.take(Some("b")).is_none());
        faults.clear();
        faults.add(Fault::on("*").nth(1));
        assert!(faults.take(None).is_some());
        assert!(faults.take(None).is_none());
    }

    #[test]
    fn faults_are_read_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"operation": "getFile", "status": 502, "headers": {"Retry-After": "1"}, "body": "<html>"}"#,
        )
        .expect("a fault");
        assert_eq!(fault.headers["Retry-After"], "1");
        assert!(serde_json::from_str::<Fault>(r#"{"opperation": "x"}"#).is_err());
    }
}
