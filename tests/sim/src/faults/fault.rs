//! A fault: the requests that it selects, and its effects. The builder methods of the effects are in `kinds`, by family.

use std::collections::BTreeMap;

use json_patch::Patch;
use serde::{Deserialize, Serialize};

/// A deliberate error, and the requests that it hits.
///
/// `operation`, `method`, `nth`, `times`, `probability` and `burst` select the requests. The other fields are effects. Each field has a builder
/// method of the same name, and the same name in TOML and JSON, where switches are `true`.
///
/// With a status (`status`, `rate_limited`, `rate_limited_until_date`, `unavailable`, `bad_gateway_page`, `empty_error`, `login_page`) the request
/// never reaches the service, and the fault alone makes the response. With `unseen` and `refuse` the request does not reach the service either, and
/// there is no response. In all other cases the service processes the request, and the fault changes or drops the response. Responses with a fault
/// never count as violations.
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
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch of a plan")]
pub struct Fault {
    /// The operation, in the spelling of [`RecordedRequest::operation`](crate::RecordedRequest). `*` selects every request, `api/*` every operation
    /// of the API, `idp/*` every endpoint of the identity provider.
    pub operation: String,
    /// The HTTP method. Default: any.
    pub method: Option<String>,
    /// The first request that is hit, counted from 1 since the fault was added.
    pub nth: Option<u64>,
    /// The number of requests that are hit from there on. Default: one with `nth`, else all. With a `probability`, the number of hits.
    pub times: Option<u64>,
    /// The probability of a hit, from 0 to 1, drawn from the seed of the plan separately for each operation.
    pub probability: Option<f64>,
    /// The number of further requests of the operation that are hit after each hit by `probability`.
    pub burst: Option<u64>,
    /// The name in the journal and in the hit counts. Default: the effects.
    pub name: Option<String>,

    /// The status of the response. The service does not receive the request.
    pub status: Option<u16>,
    /// Headers that are added to the response or replace headers of the same name.
    pub headers: BTreeMap<String, String>,
    /// The body that replaces the service's body.
    pub body: Option<String>,
    /// The content type that replaces the service's content type.
    pub content_type: Option<String>,
    /// 429 with `Retry-After` in seconds.
    pub rate_limited: Option<u64>,
    /// 429 with `Retry-After` as a date in this many seconds. `Retry-After` and `Date` follow the simulated clock.
    pub rate_limited_until_date: Option<u64>,
    /// 503 with `Retry-After` in seconds.
    pub unavailable: Option<u64>,
    /// 502 with the HTML page of a proxy.
    pub bad_gateway_page: bool,
    /// 500 without a body.
    pub empty_error: bool,
    /// 200 with the HTML of a login page.
    pub login_page: bool,

    /// A patch of the response's JSON (RFC 6902). A patch that does not apply changes nothing.
    pub patch: Option<Patch>,
    /// Replaces states and other enumerations with an unknown value.
    pub unknown_enum: bool,
    /// Adds an unknown field to every object.
    pub extra_fields: bool,
    /// Replaces every list that is the value of a field with null.
    pub null_lists: bool,
    /// Gives a field of the last item of the first list the wrong type.
    pub wrong_element: bool,
    /// Cuts the JSON in the middle, with a matching `Content-Length`.
    pub truncated_json: bool,
    /// Adds an unknown field of this many bytes to the JSON object.
    pub huge_body: Option<u64>,

    /// Milliseconds of simulated time before any effect.
    pub delay_ms: Option<u64>,
    /// Milliseconds of real time before any effect.
    pub latency_ms: Option<u64>,

    /// Closes the connection after this many bytes of the body.
    pub cut_after: Option<u64>,
    /// Sends no further bytes after this many bytes of the body.
    pub stall_after: Option<u64>,
    /// Sends the body in small chunks.
    pub drip: Option<Drip>,
    /// Changes `Content-Length` by this many bytes.
    pub content_length: Option<i64>,
    /// Resets the connection before the first byte of the response. The service processes the request.
    pub reset_before_headers: bool,
    /// Resets the connection after the headers of the response. The service processes the request.
    pub reset_after_headers: bool,
    /// Resets the connection before the service receives the request.
    pub unseen: bool,
    /// Resets the connection before the service receives the request, and refuses new connections for this many milliseconds of real time.
    pub refuse: Option<u64>,

    /// Hides the `Range` header from the service.
    pub ignore_range: bool,
    /// Changes the `ETag` of the response.
    pub changed_etag: bool,
    /// Shifts the start in `Content-Range` by this many bytes.
    pub lying_content_range: Option<i64>,

    /// Delivers the request to the service twice.
    pub delivered_twice: bool,
    /// Expires the access token of the request before the service checks it.
    pub token_expired: bool,
    /// Ends the session of the access token before the service checks it.
    pub token_revoked: bool,
}

/// A body that is sent in small chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drip {
    /// The number of bytes of a chunk.
    pub bytes: u64,
    /// The milliseconds of real time between two chunks.
    pub every_ms: u64,
}

impl Fault {
    /// Creates a fault of one operation. `*` selects every request, `api/*` every operation of the API, `idp/*` every endpoint of the identity
    /// provider.
    pub fn on(operation: impl Into<String>) -> Self {
        Self { operation: operation.into(), ..Self::default() }
    }

    /// Hits only requests with this HTTP method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Starts with the nth request of the operation.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Hits this many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits each request with this probability, from 0 to 1.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Hits this many further requests of the operation after each hit by probability.
    #[must_use]
    pub fn burst(mut self, further: u64) -> Self {
        self.burst = Some(further);
        self
    }

    /// Sets the name in the journal and in the hit counts.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Answers with this status, without the service.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets a header of the response.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the body of the response. A JSON body of a success uses the names of the contract and is translated to the document in use.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self.body = Some(body.into());
        self
    }

    /// Patches the JSON of the response (RFC 6902, as text) before the translation to the document in use. A text that is not a patch changes
    /// nothing.
    #[must_use]
    pub fn patch(mut self, patch: &str) -> Self {
        self.patch = serde_json::from_str(patch).ok();
        self
    }

    /// Delays every effect by this many milliseconds of simulated time.
    #[must_use]
    pub fn delay_ms(mut self, delay: u64) -> Self {
        self.delay_ms = Some(delay);
        self
    }

    /// Delays every effect by this many milliseconds of real time.
    #[must_use]
    pub fn latency_ms(mut self, latency: u64) -> Self {
        self.latency_ms = Some(latency);
        self
    }

    /// Returns the name in the journal and in [`Faults::hits`](crate::Faults::hits): the given name, else the effects (`status_503`, `cut_after`,
    /// …), joined by plus signs.
    pub fn kind(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let effects = self.effects();
        // Headers and bodies accompany a status, and delays accompany anything.
        let main: Vec<&str> = effects.iter().copied().filter(|effect| !DETAILS.contains(effect)).collect();
        let named = if main.is_empty() { effects } else { main };
        let named = named.into_iter().map(|effect| match (effect, self.status) {
            ("status", Some(status)) => format!("status_{status}"),
            _ => effect.to_owned(),
        });
        named.collect::<Vec<_>>().join("+")
    }

    /// Returns the names of the fields that have an effect.
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

/// Effects that are named only when there is no other effect.
const DETAILS: [&str; 5] = ["headers", "body", "content_type", "delay_ms", "latency_ms"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_faults_from_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"operation": "getFile", "status": 502, "headers": {"Retry-After": "1"}, "body": "<html>"}"#,
        )
        .expect("a fault");
        assert_eq!(fault.headers["Retry-After"], "1");
        assert!(serde_json::from_str::<Fault>(r#"{"opperation": "x"}"#).is_err());
    }

    #[test]
    fn names_a_fault_by_its_effects() {
        let kind = |fault: Fault| fault.kind();
        assert_eq!(kind(Fault::on("*").status(503).header("Retry-After", "1").delay_ms(5)), "status_503");
        assert_eq!(kind(Fault::on("*").delay_ms(5)), "delay_ms");
        assert_eq!(kind(Fault::on("*").unknown_enum().null_lists()), "unknown_enum+null_lists");
        assert_eq!(kind(Fault::on("*").reset_before_headers().unseen()), "reset_before_headers+unseen");
        assert_eq!(kind(Fault::on("*").refuse(5).named("restart")), "restart");
    }
}
