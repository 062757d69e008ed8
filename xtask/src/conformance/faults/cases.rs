//! The cases: a fault of the proxy, the equal fault of the simulator, and the calls that both affect.

use serde_json::{Value, json};

/// All calls of the probe.
const ALL: &[&str] = &["read", "list", "create", "upload", "delete", "download"];
/// Calls with JSON responses.
const WITH_JSON: &[&str] = &["read", "list", "create", "upload"];
/// The operations of these calls.
const OPERATIONS: [&str; 6] =
    ["getLicense", "getDossiers", "createOrUpdateDossier", "uploadFile", "deleteDossier", "downloadPackage"];
/// Error page of a proxy.
const ERROR_PAGE: &str = "<html>\r\n<head><title>Error</title></head>\r\n<body><h1>Error</h1></body>\r\n</html>\r\n";

/// A fault that is made in two ways.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Fault of the proxy, sent in the header `X-Fault`.
    pub(super) fault: Option<&'static str>,
    /// Fault of the simulator.
    pub(super) simulator_fault: Option<Value>,
    pub(super) calls: &'static [&'static str],
    /// Additional options of the probe.
    pub(super) options: Vec<&'static str>,
    /// All calls succeed at the first attempt. In the other cases at least one call must not, because otherwise the fault was not made.
    pub(super) succeeds: bool,
}

impl Case {
    fn new(name: &'static str, simulator_fault: Value) -> Self {
        let (fault, simulator_fault, calls) = (Some(name), Some(simulator_fault), ALL);
        Self { name, fault, simulator_fault, calls, options: Vec::new(), succeeds: false }
    }

    /// The proxy changes nothing that a caller may notice.
    fn harmless(name: &'static str, fault: Option<&'static str>) -> Self {
        Self { fault, simulator_fault: None, ..Self::new(name, Value::Null) }.succeeds()
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

/// Returns a fault of every request.
fn always(effect: &str, value: impl Into<Value>) -> Value {
    json!({"operation": "api/*", effect: value.into()})
}

/// Returns a fault of the first request for each operation.
fn once(effect: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    OPERATIONS.iter().map(|operation| json!({"operation": operation, "nth": 1, effect: value})).collect()
}

/// Returns the cases of mitmproxy: closed connections, damaged responses, responses in place of the service.
pub(super) fn mitmproxy() -> Vec<Case> {
    let mut cases = vec![
        Case::harmless("nothing", None),
        // The connection ends by RST when the request body is unread, and by FIN when it is read. Neither shows whether the request arrived.
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
    // Each call uses its own connection. The surplus bytes of mitmproxy arrive at once, so that the client closes the connection; those of the simulator
    // arrive later and would break the next call on the same connection.
    cases.extend(ALL.chunks(1).map(|calls| {
        let case = Case::new("length-too-low", always("content_length", -10)).calls(calls);
        // A deletion has no body.
        if matches!(calls, ["delete"]) { case.succeeds() } else { case }
    }));
    cases
}

/// Returns the cases of nginx, made by its settings.
pub(super) fn nginx() -> Vec<Case> {
    let too_large = json!({"operation": "uploadFile", "status": 413, "content_type": "text/html", "body": ERROR_PAGE});
    let late = json!({"operation": "api/*", "status": 504, "content_type": "text/html", "body": ERROR_PAGE});
    // nginx accepts the first call, and a second attempt after the requested delay.
    let limited = json!([
        {"operation": "getDossiers", "nth": 1, "rate_limited": 2},
        {"operation": "createOrUpdateDossier", "nth": 1, "rate_limited": 2},
        {"operation": "uploadFile", "nth": 1, "rate_limited": 2},
    ]);
    vec![
        Case::harmless("nothing", None),
        Case::harmless("repacked", Some("repacked")),
        Case::new("drop", always("unseen", true)),
        // The connection ends while the body is sent.
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
        // The response arrives before the body is sent completely.
        Case::new("small", too_large).named("small, 20 MB").calls(&["upload"]).options(&["--bytes", "20000000"]),
        // The transfer takes longer than the idle timeout, but never stalls that long.
        Case::new("slow", json!({"operation": "downloadPackage", "drip": {"bytes": 1000, "every_ms": 100}}))
            .calls(&["read", "download"])
            .options(&["--idle-timeout-ms", "2000"])
            .succeeds(),
        Case::new("standstill", json!({"operation": "downloadPackage", "stall_after": 2000}))
            .calls(&["read", "download"])
            .options(&["--idle-timeout-ms", "300"]),
    ]
}
