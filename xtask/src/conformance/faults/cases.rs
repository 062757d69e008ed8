//! The cases: a fault as the proxy makes it, the simulator's own fault that is the same, and the calls that both hit.

use serde_json::{Value, json};

/// The calls of the probe.
const ALL: &[&str] = &["read", "list", "create", "upload", "delete", "download"];
/// Those whose answers are JSON.
const WITH_JSON: &[&str] = &["read", "list", "create", "upload"];
/// The operations of these calls, as the simulator's faults name them.
const OPERATIONS: [&str; 6] =
    ["getLicense", "getDossiers", "createOrUpdateDossier", "uploadFile", "deleteDossier", "downloadPackage"];
/// What a proxy says with an error.
const PAGE: &str = "<html>\r\n<head><title>Error</title></head>\r\n<body><h1>Error</h1></body>\r\n</html>\r\n";

/// One thing that goes wrong, made in two ways.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What the proxy is told by `X-Fault`.
    pub(super) fault: Option<&'static str>,
    /// What the simulator is told.
    pub(super) own: Option<Value>,
    pub(super) calls: &'static [&'static str],
    /// Further options of the probe.
    pub(super) options: Vec<&'static str>,
    /// All calls succeed at once. In the other cases they must not all: the fault would not have been made.
    pub(super) succeeds: bool,
}

impl Case {
    fn new(name: &'static str, own: Value) -> Self {
        let (fault, own, calls) = (Some(name), Some(own), ALL);
        Self { name, fault, own, calls, options: Vec::new(), succeeds: false }
    }

    /// The proxy changes nothing, or nothing that may be noticed.
    fn harmless(name: &'static str, fault: Option<&'static str>) -> Self {
        Self { fault, own: None, ..Self::new(name, Value::Null) }.succeeds()
    }

    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn calls(self, calls: &'static [&'static str]) -> Self {
        Self { calls, ..self }
    }

    fn succeeds(self) -> Self {
        Self { succeeds: true, ..self }
    }

    fn options(self, options: &[&'static str]) -> Self {
        Self { options: options.to_vec(), ..self }
    }
}

/// A fault of every request.
fn always(effect: &str, value: impl Into<Value>) -> Value {
    json!({"operation": "api/*", effect: value.into()})
}

/// A fault of the first request for each operation.
fn once(effect: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    OPERATIONS.iter().map(|operation| json!({"operation": operation, "nth": 1, effect: value})).collect()
}

/// What is made with mitmproxy: broken connections, spoilt answers, answers in the service's place.
pub(super) fn mitmproxy() -> Vec<Case> {
    let mut cases = vec![
        Case::harmless("nothing", None),
        // With the request's body unread, and read: a connection ends by RST or by FIN, and neither says what was sent.
        Case::new("unread", always("unseen", true)),
        Case::new("unseen", always("unseen", true)),
        Case::new("lost-answer", always("reset_before_headers", true)),
        Case::new("once-lost-answer", once("reset_before_headers", true)),
        Case::new("unavailable", always("unavailable", 0)),
        Case::new("once-unavailable-1", once("unavailable", 1)).calls(&["read", "create", "delete"]),
        Case::new("rate-limited", always("rate_limited", 0)),
        Case::new("bad-gateway", always("bad_gateway_page", true)),
        Case::new("login-page", always("login_page", true)),
        Case::new("empty-error", always("empty_error", true)),
        Case::new("truncated-json", always("truncated_json", true)).calls(WITH_JSON),
        Case::new("cut", always("cut_after", 20)),
        Case::new("stall", always("stall_after", 10)).options(&["--idle-timeout-ms", "200"]),
        Case::new("length-too-high", always("content_length", 10)),
    ];
    // Each call on a connection of its own. The bytes too many come at once with mitmproxy, so that the connection is given up; those of
    // the simulator come a little later, and where the connection is used again they break the next call.
    cases.extend(ALL.chunks(1).map(|calls| {
        let case = Case::new("length-too-low", always("content_length", -10)).calls(calls);
        // A deletion has no body.
        if matches!(calls, ["delete"]) { case.succeeds() } else { case }
    }));
    cases
}

/// What nginx does by its settings.
pub(super) fn nginx() -> Vec<Case> {
    let too_large = json!({"operation": "uploadFile", "status": 413, "content_type": "text/html", "body": PAGE});
    let late = json!({"operation": "api/*", "status": 504, "content_type": "text/html", "body": PAGE});
    // The first call is let through, and so is a second attempt after the pause that was asked for.
    let limited = json!([
        {"operation": "getDossiers", "nth": 1, "rate_limited": 2},
        {"operation": "createOrUpdateDossier", "nth": 1, "rate_limited": 2},
        {"operation": "uploadFile", "nth": 1, "rate_limited": 2},
    ]);
    vec![
        Case::harmless("nothing", None),
        Case::harmless("repacked", Some("repacked")),
        Case::new("drop", always("unseen", true)),
        // While the body is still being sent.
        Case::new("drop", always("unseen", true))
            .named("drop, 20 MB")
            .calls(&["upload"])
            .options(&["--bytes", "20000000"]),
        Case::new("limited", limited).calls(WITH_JSON),
        Case::new("used-up", always("rate_limited", 0)),
        Case::new("down", always("bad_gateway_page", true)),
        Case::new("late", late),
        Case::new("silent", always("latency_ms", 20_000)).options(&["--attempt-timeout-ms", "150"]),
        Case::new("small", too_large.clone()).calls(&["read", "upload"]),
        // Refused before it is sent as a whole.
        Case::new("small", too_large).named("small, 20 MB").calls(&["upload"]).options(&["--bytes", "20000000"]),
        // Longer in all than it may stand still.
        Case::new("slow", json!({"operation": "downloadPackage", "drip": {"bytes": 1000, "every_ms": 100}}))
            .calls(&["read", "download"])
            .options(&["--idle-timeout-ms", "2000"])
            .succeeds(),
        Case::new("standstill", json!({"operation": "downloadPackage", "stall_after": 2000}))
            .calls(&["read", "download"])
            .options(&["--idle-timeout-ms", "300"]),
    ]
}
