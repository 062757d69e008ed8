//! Checks the traffic of the pipeline example by the report of the tee proxy and the journal of the simulator.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Responses that the pipeline example must receive, one of each group: operation, and the beginning of status and media type.
const EXPECTED: &[&[(&str, &str)]] = &[
    &[("createOrUpdateDossier", "201")],
    &[("uploadFile", "201")],
    &[("getFiles", "200"), ("getFile", "200")],
    &[("getComponents", "200 application/json"), ("getDossierComponents", "200 application/json")],
    &[("getComponents", "200 application/xml"), ("getDossierComponents", "200 application/xml")],
    &[("prepareFileDownload", "200")],
    &[("prepareFilesDownload", "200")],
    &[("prepareDossierDownload", "200")],
    &[("getDownload", "200"), ("getDownloads", "200")],
    &[("downloadPackage", "200")],
    &[("deleteDownload", "204")],
    &[("getLicenseUsage", "200")],
    &[("deleteDossier", "204")],
];

/// Responses that the proxy saw: operation → response → count.
struct SeenResponses(BTreeMap<String, BTreeMap<String, u64>>);

impl SeenResponses {
    fn read(report: &Value) -> Self {
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let answers = |value: &Value| {
            members(value).into_iter().map(|(answer, count)| (answer, count.as_u64().unwrap_or(0))).collect()
        };
        Self(members(&report["seen"]).iter().map(|(name, value)| (name.clone(), answers(value))).collect())
    }

    fn requests(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    fn has(&self, operation: &str, answer: &str) -> bool {
        self.0.get(operation).is_some_and(|answers| answers.keys().any(|key| key.starts_with(answer)))
    }
}

/// Returns a summary, or all problems.
pub(super) fn check(report: &Value, journal: &Value) -> Result<String, String> {
    let seen = SeenResponses::read(report);
    let mut problems: Vec<String> = match report["violations"].as_array() {
        Some(violations) => violations.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect(),
        None => vec![String::from("the report of the proxy has no list of violations")],
    };
    for group in EXPECTED {
        if !group.iter().any(|(operation, answer)| seen.has(operation, answer)) {
            let wanted: Vec<String> =
                group.iter().map(|(operation, answer)| format!("{operation} ({answer})")).collect();
            problems.push(format!("missing: {}", wanted.join(" or ")));
        }
    }
    let (requests, operations) = served(journal);
    if requests != seen.requests() {
        problems.push(format!(
            "the simulator received {requests} API requests, {} of them through the proxy",
            seen.requests()
        ));
    }
    for operation in operations {
        if !seen.0.contains_key(&operation) {
            problems.push(format!("{operation} bypassed the proxy"));
        }
    }
    if !problems.is_empty() {
        return Err(format!("{} problems\n{}", problems.len(), problems.join("\n")));
    }
    let skipped = report["skipped"].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let note = if skipped.is_empty() { String::new() } else { format!(" (not checked: {})", skipped.join(", ")) };
    Ok(format!("0 violations in {requests} requests of {} operations{note}", seen.0.len()))
}

/// Counts the API requests in the journal of the simulator and collects their operations.
fn served(journal: &Value) -> (u64, BTreeSet<String>) {
    let entries = journal.as_array().or_else(|| journal["requests"].as_array());
    let is_api = |entry: &&Value| entry["path"].as_str().is_some_and(|path| path.starts_with("/api/"));
    let mut operations = BTreeSet::new();
    let mut requests = 0;
    for entry in entries.into_iter().flatten().filter(is_api) {
        requests += 1;
        operations.extend(entry["operation"].as_str().map(String::from));
    }
    (requests, operations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> (Value, Value) {
        let mut seen = serde_json::Map::new();
        let mut journal = Vec::new();
        for (operation, answer) in EXPECTED.iter().filter_map(|group| group.first()) {
            let answers = seen.entry(*operation).or_insert_with(|| json!({}));
            answers[*answer] = json!(1);
            journal.push(json!({"operation": operation, "path": "/api/x"}));
        }
        journal.push(json!({"operation": "token", "path": "/auth/x"}));
        (json!({"seen": seen, "violations": [], "skipped": {}}), json!(journal))
    }

    #[test]
    fn accepts_complete_and_valid_traffic() {
        let (report, journal) = good();
        let line = check(&report, &journal).expect("valid traffic");
        assert!(line.starts_with("0 violations in 13 requests of 12 operations"), "{line}");
    }

    #[test]
    fn reports_each_problem() {
        let (mut report, mut journal) = good();
        report["violations"] = json!(["getFiles: undeclared query"]);
        if let Some(seen) = report["seen"].as_object_mut() {
            seen.remove("deleteDownload");
        }
        if let Some(entries) = journal.as_array_mut() {
            entries.push(json!({"operation": "getUsers", "path": "/api/users"}));
        }
        let text = check(&report, &journal).expect_err("problems");
        for part in ["undeclared query", "missing: deleteDownload (204)", "getUsers bypassed", "14 API requests, 12"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
