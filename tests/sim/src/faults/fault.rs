//! One fault: the requests it looks for, and all that it does to them. The rest of its builder methods stands by family under `kinds`.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde::{Deserialize, Serialize};

/// One thing that goes wrong, and when.
///
/// `operation`, `method`, `nth`, `times`, `probability` and `burst` choose the requests, the other fields say what happens to them. Each field has a
/// builder method of its name, and the same name in TOML and JSON; switches are `true` there.
///
/// With a status (`status`, `rate_limited`, `rate_limited_until_date`, `unavailable`, `bad_gateway_page`, `empty_error`, `login_page`) the request never
/// reaches the service: the answer is canned from the fault alone. So it is with `unseen` and `refuse`, which leave no answer. In all other cases the service
/// carries the request out, and the fault changes the answer or loses it. Answers touched by a fault are deliberate and never count as violations.
///
/// ```
/// use documine_sim::Fault;
///
/// let busy = Fault::on("getFiles").times(2).status(429).header("Retry-After", "3");
/// let later_unknown = Fault::on("getFile").nth(3).patch(r#"[{"op": "replace", "path": "/processingStatus", "value": "DREAMING"}]"#);
/// let lost = Fault::on("uploadFile").probability(0.1).reset_before_headers();
/// assert_eq!(busy.status, Some(429));
/// assert!(later_unknown.patch.is_some());
/// assert_eq!(lost.kind(), "reset_before_headers");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own in a plan")]
pub struct Fault {
    /// The operation it hits, as [`RecordedRequest::operation`](crate::RecordedRequest) spells it; `*` for any request, `api/*` for any operation of
    /// the API, `idp/*` for any endpoint of the identity provider.
    pub operation: String,
    /// Only requests with this HTTP method.
    pub method: Option<String>,
    /// The first request of the operation that it hits, counted from 1 since it was added.
    pub nth: Option<u64>,
    /// How many requests it hits from there on. By default one if `nth` is given, else all. With a `probability` this counts hits.
    pub times: Option<u64>,
    /// How likely it hits a request, from 0 to 1; drawn from the seed of the plan, for each operation by itself.
    pub probability: Option<f64>,
    /// So many further requests of the operation are hit after each that the `probability` has chosen.
    pub burst: Option<u64>,
    /// What it is called in the journal and in the counts, in place of what it does.
    pub name: Option<String>,

    /// Answer with this status instead of asking the service.
    pub status: Option<u16>,
    /// Headers that are added to the answer, or replace those of the same name.
    pub headers: BTreeMap<String, String>,
    /// The body in place of the service's.
    pub body: Option<String>,
    /// The content type in place of the service's.
    pub content_type: Option<String>,
    /// 429 with `Retry-After` in so many seconds.
    pub rate_limited: Option<u64>,
    /// 429 with `Retry-After` as the date in so many seconds, by the simulated clock; so is `Date`.
    pub rate_limited_until_date: Option<u64>,
    /// 503 with `Retry-After` in so many seconds.
    pub unavailable: Option<u64>,
    /// 502 with the HTML page of a proxy.
    pub bad_gateway_page: bool,
    /// 500 without a body.
    pub empty_error: bool,
    /// 200 with the HTML of a login page.
    pub login_page: bool,

    /// Changes to the JSON of the answer (RFC 6902). Changes that do not fit the answer leave it as it is.
    pub patch: Option<Patch>,
    /// States and other enumerations have a value that nobody knows.
    pub unknown_enum: bool,
    /// Every object has a field that nobody knows.
    pub extra_fields: bool,
    /// Every list that is the value of a field is null.
    pub null_lists: bool,
    /// The last element of the first list has a field of the wrong type.
    pub wrong_element: bool,
    /// The JSON ends in the middle, with the `Content-Length` of what comes.
    pub truncated_json: bool,
    /// The JSON object has an unknown field of so many bytes.
    pub huge_body: Option<u64>,

    /// Milliseconds of simulated time before anything happens.
    pub delay_ms: Option<u64>,
    /// Milliseconds of real time before anything happens.
    pub latency_ms: Option<u64>,

    /// The connection breaks after so many bytes of the body.
    pub cut_after: Option<u64>,
    /// Nothing more comes after so many bytes of the body.
    pub stall_after: Option<u64>,
    /// The body comes drop by drop.
    pub drip: Option<Drip>,
    /// `Content-Length` says so many bytes more (or less) than come.
    pub content_length: Option<i64>,
    /// The service carries the request out, and the connection is reset before a byte of the answer.
    pub reset_before_headers: bool,
    /// The service carries the request out, and the connection is reset after the headers of the answer.
    pub reset_after_headers: bool,
    /// The connection is reset before the service has seen the request.
    pub unseen: bool,
    /// The connection is reset before the service has seen the request, and new ones are refused for so many milliseconds of real time.
    pub refuse: Option<u64>,

    /// The service does not see that only a part was asked for.
    pub ignore_range: bool,
    /// The answer has another `ETag`.
    pub changed_etag: bool,
    /// A part says that it begins so many bytes later (or earlier).
    pub lying_content_range: Option<i64>,

    /// The service gets the request twice.
    pub delivered_twice: bool,
    /// The access token of the request has expired when the service looks at it.
    pub token_expired: bool,
    /// The session of the access token has been ended when the service looks at it.
    pub token_revoked: bool,
}

/// A body that comes drop by drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drip {
    /// The bytes of one drop.
    pub bytes: u64,
    /// The milliseconds of real time between two drops.
    pub every_ms: u64,
}

impl Fault {
    /// A fault of one operation; `*` for any request, `api/*` for any operation of the API, `idp/*` for any endpoint of the identity provider.
    pub fn on(operation: impl Into<String>) -> Self {
        Self { operation: operation.into(), ..Self::default() }
    }

    /// It hits requests with this HTTP method only.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
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

    /// It hits each request with this probability, from 0 to 1.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// It hits so many further requests of the operation after each that the probability has chosen.
    #[must_use]
    pub fn burst(mut self, further: u64) -> Self {
        self.burst = Some(further);
        self
    }

    /// It has this name in the journal and in the counts.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The answer has this status, and the service is not request.
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

    /// Everything happens so many milliseconds of simulated time later.
    #[must_use]
    pub fn delay_ms(mut self, delay: u64) -> Self {
        self.delay_ms = Some(delay);
        self
    }

    /// Everything happens so many milliseconds of real time later.
    #[must_use]
    pub fn latency_ms(mut self, latency: u64) -> Self {
        self.latency_ms = Some(latency);
        self
    }

    /// What it is called in the journal and in [`Faults::hits`](crate::Faults::hits): its name, or else what it does (`status_503`, `cut_after`, …; several
    /// with a plus sign between).
    pub fn kind(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let effects = self.effects();
        // Headers and bodies go with a status, and waiting goes with anything.
        let main: Vec<&str> = effects.iter().copied().filter(|effect| !DETAILS.contains(effect)).collect();
        let told = if main.is_empty() { effects } else { main };
        let told = told.into_iter().map(|effect| match (effect, self.status) {
            ("status", Some(status)) => format!("status_{status}"),
            _ => effect.to_owned(),
        });
        told.collect::<Vec<_>>().join("+")
    }

    /// The fields that do something, by name.
    pub(super) fn effects(&self) -> Vec<&'static str> {
        let all = [
            ("status", self.status.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("content_type", self.content_type.is_some()),
            ("rate_limited", self.rate_limited.is_some()),
            ("rate_limited_until_date", self.rate_limited_until_date.is_some()),
            ("unavailable", self.unavailable.is_some()),
            ("bad_gateway_page", self.bad_gateway_page),
            ("empty_error", self.empty_error),
            ("login_page", self.login_page),
            ("patch", self.patch.is_some()),
            ("unknown_enum", self.unknown_enum),
            ("extra_fields", self.extra_fields),
            ("null_lists", self.null_lists),
            ("wrong_element", self.wrong_element),
            ("truncated_json", self.truncated_json),
            ("huge_body", self.huge_body.is_some()),
            ("delay_ms", self.delay_ms.is_some()),
            ("latency_ms", self.latency_ms.is_some()),
            ("cut_after", self.cut_after.is_some()),
            ("stall_after", self.stall_after.is_some()),
            ("drip", self.drip.is_some()),
            ("content_length", self.content_length.is_some()),
            ("reset_before_headers", self.reset_before_headers),
            ("reset_after_headers", self.reset_after_headers),
            ("unseen", self.unseen),
            ("refuse", self.refuse.is_some()),
            ("ignore_range", self.ignore_range),
            ("changed_etag", self.changed_etag),
            ("lying_content_range", self.lying_content_range.is_some()),
            ("delivered_twice", self.delivered_twice),
            ("token_expired", self.token_expired),
            ("token_revoked", self.token_revoked),
        ];
        all.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }
}

/// What is not worth a word in a name where there is something else.
const DETAILS: [&str; 5] = ["headers", "body", "content_type", "delay_ms", "latency_ms"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"operation": "getFile", "status": 502, "headers": {"Retry-After": "1"}, "body": "<html>"}"#,
        )
        .expect("a fault");
        assert_eq!(fault.headers["Retry-After"], "1");
        assert!(serde_json::from_str::<Fault>(r#"{"opperation": "x"}"#).is_err());
    }

    #[test]
    fn a_fault_is_called_by_what_it_does() {
        let kind = |fault: Fault| fault.kind();
        assert_eq!(kind(Fault::on("*").status(503).header("Retry-After", "1").delay_ms(5)), "status_503");
        assert_eq!(kind(Fault::on("*").delay_ms(5)), "delay_ms");
        assert_eq!(kind(Fault::on("*").unknown_enum().null_lists()), "unknown_enum+null_lists");
        assert_eq!(kind(Fault::on("*").reset_before_headers().unseen()), "reset_before_headers+unseen");
        assert_eq!(kind(Fault::on("*").refuse(5).named("restart")), "restart");
    }
}
