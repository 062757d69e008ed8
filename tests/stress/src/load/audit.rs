//! Compares the state of the service with the records of the clients, after all faults are removed.

use std::collections::BTreeMap;
use std::path::Path;

use documine::Client;
use documine_sim::Simulator;

use crate::Failure;
use crate::load::record::{ExpectedState, Records};

/// Returns all differences.
pub(crate) async fn audit(sim: &Simulator, client: Client, records: &Records) -> Result<Vec<String>, Failure> {
    let mut findings = records.findings();
    journal(sim, records, &mut findings);
    let template = client.dossier_template(sim.dossier_template_id());
    let mut by_name: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for dossier in template.dossiers().await? {
        by_name.entry(dossier.name.unwrap_or_default()).or_default().push(dossier.id);
    }
    for (name, expected) in records.dossiers() {
        let ids = by_name.remove(&name).unwrap_or_default();
        findings.extend(check_count("dossier", &name, expected, ids.len()));
        let Some(id) = ids.first() else { continue };
        let files = template.dossier(id).files().await?;
        for ((_, file), expected) in records.files().into_iter().filter(|((dossier, _), _)| *dossier == name) {
            let count = files.iter().filter(|found| found.file_name.as_deref() == Some(&file)).count();
            findings.extend(check_count("file", &format!("{name}/{file}"), expected, count));
        }
    }
    findings.extend(by_name.into_keys().map(|name| format!("dossier {name:?} was created by no client")));
    Ok(findings)
}

/// Compares the number of objects with the expected state.
fn check_count(kind: &str, name: &str, expected: ExpectedState, count: usize) -> Option<String> {
    let wrong = match (expected, count) {
        (_, 2..) => "exists more than once",
        (ExpectedState::Present, 0) => "was created and is lost",
        (ExpectedState::NotSent, 1) => "exists, although its request was reported as not sent",
        (ExpectedState::Deleted, 1) => "was deleted and exists",
        _ => return None,
    };
    Some(format!("{kind} {name:?} {wrong}"))
}

/// Checks the journal of the service: calls that are not retried reached the service at most once for each call of a client.
fn journal(sim: &Simulator, records: &Records, findings: &mut Vec<String>) {
    let requests = sim.requests();
    let reached = |operation: &str| {
        requests.iter().filter(|request| request.reached && request.operation.as_deref() == Some(operation)).count()
    };
    let dossiers = reached("createOrUpdateDossier");
    let expected = records.dossiers().len();
    if dossiers < records.dossiers().values().filter(|state| **state == ExpectedState::Present).count() {
        findings
            .push(format!("{dossiers} creations reached the service, but the clients recorded {expected} dossiers"));
    }
    let uploads = reached("uploadFile");
    let files = records.files();
    let sent = files.values().filter(|state| **state != ExpectedState::NotSent).count();
    if uploads > sent {
        findings.push(format!("{uploads} uploads reached the service, but the clients recorded {sent} as sent"));
    }
    let unknown = requests.iter().filter(|request| request.operation.is_none()).count();
    if unknown > 0 {
        findings.push(format!("{unknown} requests matched no operation of the service"));
    }
}

/// Lists files that the clients left behind.
pub(crate) fn leftovers(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        findings.push(format!("{} was left behind", entry?.path().display()));
    }
    Ok(findings)
}
