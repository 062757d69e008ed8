//! Afterwards, when nothing goes wrong any more: what the service has, against what the clients were told.

use std::collections::BTreeMap;
use std::path::Path;

use documine::{Client, DossierTemplateId};
use documine_sim::Simulator;

use crate::Failure;
use crate::crowd::record::{Records, Told};

/// What is not as it was told.
pub(crate) async fn audit(sim: &Simulator, client: Client, records: &Records) -> Result<Vec<String>, Failure> {
    let mut findings = records.findings();
    journal(sim, records, &mut findings);
    let template = client.dossier_template(sim.dossier_template_id().parse::<DossierTemplateId>()?);
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for dossier in template.dossiers().await? {
        found.entry(dossier.name.unwrap_or_default()).or_default().push(dossier.id);
    }
    for (name, told) in records.dossiers() {
        let ids = found.remove(&name).unwrap_or_default();
        findings.extend(judge("dossier", &name, told, ids.len()));
        let Some(id) = ids.first() else { continue };
        let files = template.dossier(id).files().await?;
        for ((_, file), told) in records.files().into_iter().filter(|((dossier, _), _)| *dossier == name) {
            let count = files.iter().filter(|found| found.file_name.as_deref() == Some(&file)).count();
            findings.extend(judge("file", &format!("{name}/{file}"), told, count));
        }
    }
    findings.extend(found.into_keys().map(|name| format!("dossier {name:?} was made by nobody")));
    Ok(findings)
}

/// How many there are, against what was told.
fn judge(what: &str, name: &str, told: Told, count: usize) -> Option<String> {
    let wrong = match (told, count) {
        (_, 2..) => "is there more than once",
        (Told::Made, 0) => "was made, and is lost",
        (Told::NotSent, 1) => "is there, although its request was called not sent",
        (Told::Deleted, 1) => "was deleted, and is there",
        _ => return None,
    };
    Some(format!("{what} {name:?} {wrong}"))
}

/// What must be so of the service's own book: of calls that are not repeated by themselves, the service was asked no more often than clients made them.
fn journal(sim: &Simulator, records: &Records, findings: &mut Vec<String>) {
    let requests = sim.requests();
    let reached = |operation: &str| {
        requests.iter().filter(|request| request.reached && request.operation.as_deref() == Some(operation)).count()
    };
    let dossiers = reached("createOrUpdateDossier");
    let told = records.dossiers().len();
    if dossiers < records.dossiers().values().filter(|told| **told == Told::Made).count() {
        findings.push(format!("{dossiers} creations reached the service, but {told} dossiers were called made"));
    }
    let uploads = reached("uploadFile");
    let files = records.files();
    let sent = files.values().filter(|told| **told != Told::NotSent).count();
    if uploads > sent {
        findings.push(format!("{uploads} uploads reached the service, but clients know of {sent} that were sent"));
    }
    let unnamed = requests.iter().filter(|request| request.operation.is_none()).count();
    if unnamed > 0 {
        findings.push(format!("{unnamed} requests went where the service has nothing"));
    }
}

/// Files that should not be there any more.
pub(crate) fn leftovers(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        findings.push(format!("{} was left behind", entry?.path().display()));
    }
    Ok(findings)
}
