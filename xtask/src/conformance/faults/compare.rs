//! Two lines of the probe, beside each other.

use std::fmt::Write;

use serde_json::Value;

use super::super::print;
use super::super::report::CheckError;
use super::cases::Case;

/// One call of one case.
pub(super) struct Row {
    case: &'static str,
    call: String,
    through: Value,
    own: Value,
}

impl Row {
    fn is_same(&self) -> bool {
        self.through == self.own
    }

    pub(super) fn show(&self) {
        let same = if self.is_same() { "yes" } else { "NO" };
        line(self.case, &self.call, &summary(&self.through), &summary(&self.own), same);
    }

    /// Whether nothing went wrong, as far as the caller can see.
    pub(super) fn succeeded_at_once(&self) -> bool {
        [&self.through, &self.own].iter().all(|line| line["outcome"] == "ok" && line["attempts"] == 1)
    }

    /// A success that its caller is told of and that is none: the same on both sides, and wrong on both.
    pub(super) fn remark(&self) -> Option<String> {
        let why = if self.through["outcome"] != "ok" {
            return None;
        } else if self.through["reached"] == 0 {
            "the service never got the request"
        } else if self.through["whole"] == false {
            "the package has not the size that its status tells"
        } else {
            return None;
        };
        Some(format!("{}, {}: called a success, but {why}", self.case, self.call))
    }

    /// All that was seen, where it should not have been so.
    pub(super) fn problem(&self) -> Option<String> {
        let Self { case, call, through, own } = self;
        (!self.is_same()).then(|| format!("{case}, {call}\n  through the proxy {through}\n  own fault         {own}"))
    }
}

/// The rows of one case.
pub(super) fn rows(case: &Case, through: &[Value], own: &[Value]) -> Result<Vec<Row>, CheckError> {
    let mut rows = Vec::new();
    for ((call, through), own) in case.calls.iter().zip(through).zip(own) {
        if through["call"] != **call || own["call"] != **call {
            return Err(CheckError::Failed(format!("case {}: the probe made other calls than it was told", case.name)));
        }
        let (through, own) = (through.clone(), own.clone());
        rows.push(Row { case: case.name, call: (*call).to_owned(), through, own });
    }
    Ok(rows)
}

/// The titles of the table.
pub(super) fn head() {
    line("case", "call", "through the proxy", "own fault", "same");
}

fn line(case: &str, call: &str, through: &str, own: &str, same: &str) {
    print(&format!("  {case:<18} {call:<8} {through:<52} {own:<52} {same}"));
}

/// What a reader of the table wants to know; `problem` has the rest.
fn summary(line: &Value) -> String {
    let mut text = match line["kind"].as_str() {
        None => String::from("ok"),
        Some(kind) => kind.to_owned(),
    };
    // Writing to a string does not fail.
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
    fn what_is_seen_otherwise_or_believed_wrongly_is_told() {
        let row = |through: Value, own: Value| Row { case: "cut", call: String::from("read"), through, own };
        // In the order of the alphabet: with the feature `preserve-order` it is the order of writing.
        let broken = |attempts: u32| json!({"attempts": attempts, "outcome": "error", "reached": 1});
        let same = row(broken(4), broken(4));
        assert_eq!((same.problem(), same.remark()), (None, None));
        let other = row(broken(4), broken(1)).problem().expect("a problem");
        assert!(other.starts_with("cut, read\n  through the proxy {\"attempts\":4"), "{other}");
        let believed = json!({"outcome": "ok", "attempts": 1, "reached": 0});
        assert!(row(believed.clone(), believed).remark().is_some());
        let spoilt = json!({"outcome": "ok", "attempts": 1, "reached": 1, "whole": false});
        let spoilt = row(spoilt.clone(), spoilt);
        assert!(spoilt.remark().is_some() && spoilt.succeeded_at_once());
    }

    #[test]
    fn a_summary_has_what_differs_most() {
        let line = json!({"outcome": "error", "kind": "api", "status": 429, "was_sent": true, "safe_to_repeat": true,
            "transient": true, "phase": null, "retry_after": 2, "attempts": 4, "call": "read", "reached": 0});
        assert_eq!(summary(&line), "api 429, after 2 s, safe, tried 4, reached 0");
        assert_eq!(summary(&json!({"outcome": "ok", "attempts": 1, "reached": 1})), "ok, tried 1, reached 1");
    }
}
