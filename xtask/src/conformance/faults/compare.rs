//! Compares the lines of the probe: through the proxy, and with the fault of the simulator.

use std::fmt::Write;

use serde_json::Value;

use super::cases::Case;
use crate::conformance::error::CheckError;

/// The two results of one call of one case.
pub(super) struct Comparison {
    case: &'static str,
    call: String,
    proxied: Value,
    direct: Value,
}

impl Comparison {
    fn is_equal(&self) -> bool {
        self.proxied == self.direct
    }

    /// Formats the row of the table.
    pub(super) fn line(&self) -> String {
        let equal = if self.is_equal() { "yes" } else { "NO" };
        format_row(self.case, &self.call, &summary(&self.proxied), &summary(&self.direct), equal)
    }

    /// Returns whether both calls succeeded at the first attempt.
    pub(super) fn succeeded_at_once(&self) -> bool {
        [&self.proxied, &self.direct].iter().all(|line| line["outcome"] == "ok" && line["attempts"] == 1)
    }

    /// Describes a success that is wrong on both sides.
    pub(super) fn remark(&self) -> Option<String> {
        let reason = if self.proxied["outcome"] != "ok" {
            return None;
        } else if self.proxied["reached"] == 0 {
            "the service never received the request"
        } else if self.proxied["whole"] == false {
            "the size of the package differs from its status"
        } else {
            return None;
        };
        Some(format!("{}, {}: reported as a success, but {reason}", self.case, self.call))
    }

    /// Describes a difference between both sides.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { case, call, proxied, direct } = self;
        (!self.is_equal())
            .then(|| format!("{case}, {call}\n  through the proxy {proxied}\n  simulator fault   {direct}"))
    }
}

/// Pairs the lines of one case.
pub(super) fn compare(case: &Case, proxied: &[Value], direct: &[Value]) -> Result<Vec<Comparison>, CheckError> {
    let mut comparisons = Vec::new();
    for ((call, proxied), direct) in case.calls.iter().zip(proxied).zip(direct) {
        if proxied["call"] != **call || direct["call"] != **call {
            return Err(CheckError::Failed(format!("case {}: the probe made other calls than requested", case.name)));
        }
        let (proxied, direct) = (proxied.clone(), direct.clone());
        comparisons.push(Comparison { case: case.name, call: (*call).to_owned(), proxied, direct });
    }
    Ok(comparisons)
}

/// Returns the header of the table.
pub(super) fn header() -> String {
    format_row("case", "call", "through the proxy", "simulator fault", "equal")
}

/// Formats a row. The widths are fixed, because rows are printed as the cases run.
fn format_row(case: &str, call: &str, proxied: &str, direct: &str, equal: &str) -> String {
    format!("  {case:<18} {call:<8} {proxied:<52} {direct:<52} {equal}")
}

/// Summarises a line of the probe for the table.
fn summary(line: &Value) -> String {
    let mut text = line["kind"].as_str().unwrap_or("ok").to_owned();
    if let Some(status) = line["status"].as_u64() {
        let _ = write!(text, " {status}");
    }
    if let Some(phase) = line["phase"].as_str() {
        let _ = write!(text, " ({phase})");
    }
    if let Some(seconds) = line["retry_after"].as_u64() {
        let _ = write!(text, ", after {seconds} s");
    }
    if line["was_sent"] == false {
        text.push_str(", not sent");
    }
    if line["safe_to_repeat"] == true {
        text.push_str(", safe");
    }
    if line["whole"] == false {
        text.push_str(", not whole");
    }
    let _ = write!(text, ", tried {}, reached {}", line["attempts"], line["reached"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reports_differences_and_false_successes() {
        let comparison =
            |proxied: Value, direct: Value| Comparison { case: "cut", call: String::from("read"), proxied, direct };
        // Keys in alphabetical order: with the feature `preserve-order`, maps keep the order of insertion.
        let broken = |attempts: u32| json!({"attempts": attempts, "outcome": "error", "reached": 1});
        let equal = comparison(broken(4), broken(4));
        assert_eq!((equal.problem(), equal.remark()), (None, None));
        let different = comparison(broken(4), broken(1)).problem().expect("a problem");
        assert!(different.starts_with("cut, read\n  through the proxy {\"attempts\":4"), "{different}");
        let not_received = json!({"outcome": "ok", "attempts": 1, "reached": 0});
        assert!(comparison(not_received.clone(), not_received).remark().is_some());
        let truncated = json!({"outcome": "ok", "attempts": 1, "reached": 1, "whole": false});
        let truncated = comparison(truncated.clone(), truncated);
        assert!(truncated.remark().is_some() && truncated.succeeded_at_once());
    }

    #[test]
    fn summarises_the_distinguishing_values() {
        let line = json!({"outcome": "error", "kind": "api", "status": 429, "was_sent": true, "safe_to_repeat": true,
            "transient": true, "phase": null, "retry_after": 2, "attempts": 4, "call": "read", "reached": 0});
        assert_eq!(summary(&line), "api 429, after 2 s, safe, tried 4, reached 0");
        assert_eq!(summary(&json!({"outcome": "ok", "attempts": 1, "reached": 1})), "ok, tried 1, reached 1");
    }
}
