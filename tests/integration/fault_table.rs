//! What a caller sees of each fault, call by call: the table in the crate's documentation is made here, and held against what happens.

use std::fmt::Write;
use std::time::Duration;

use documine::{DownloadFileType, NewDossier, PackageContent, Retry, Source};
use documine_sim::Fault;

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::TestEnv;

/// The document in which the table stands.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/documine/docs/faults.md");
/// The lines around the table.
const BEGIN: &str =
    "<!-- made by tests/integration/fault_table.rs; with DOCUMINE_WRITE_TABLES=1 it is written anew -->\n\n";
const END: &str = "<!-- end -->";

/// The fault that only the limit between two pieces of a body finds.
const STALLED_BODY: &str = "body stands still";

/// Plans a fault for an operation.
type PlanFault = fn(&str) -> Fault;

/// How each fault is planned for an operation, and what it is in the words of a reader.
fn faults() -> Vec<(&'static str, PlanFault)> {
    vec![
        ("connection reset, the service saw nothing", |op| Fault::on(op).unseen()),
        ("connection reset, answer lost", |op| Fault::on(op).reset_before_headers()),
        ("connection reset after the headers", |op| Fault::on(op).reset_after_headers()),
        ("body cut", |op| Fault::on(op).cut_after(8)),
        (STALLED_BODY, |op| Fault::on(op).stall_after(8)),
        ("body drips", |op| Fault::on(op).drip(400, 1)),
        ("body shorter than announced", |op| Fault::on(op).content_length(10)),
        ("429, Retry-After in seconds", |op| Fault::on(op).rate_limited(2)),
        ("429, Retry-After as a date", |op| Fault::on(op).rate_limited_until_date(2)),
        ("429, Retry-After of an hour", |op| Fault::on(op).rate_limited(3600)),
        ("503, Retry-After in seconds", |op| Fault::on(op).unavailable(2)),
        ("502, a web page", |op| Fault::on(op).bad_gateway_page()),
        ("500, empty", |op| Fault::on(op).empty_error()),
        ("200, a login page", |op| Fault::on(op).login_page()),
        ("JSON that breaks off", |op| Fault::on(op).truncated_json()),
        ("unknown enum values", |op| Fault::on(op).unknown_enum()),
        ("unknown fields", |op| Fault::on(op).extra_fields()),
        ("null in place of lists", |op| Fault::on(op).null_lists()),
        ("token expired at the service", |op| Fault::on(op).times(1).token_expired()),
        ("token revoked", |op| Fault::on(op).times(1).token_revoked()),
    ]
}

/// One world, with everything in it that a call needs.
struct FaultTableEnv {
    env: TestEnv,
    dossier: documine::DossierHandle,
    package: documine::DownloadId,
    folder: tempfile::TempDir,
}

impl FaultTableEnv {
    async fn new() -> Self {
        let env = TestEnv::new().await;
        let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
        let content = PackageContent::file_types([DownloadFileType::Original]);
        let package = dossier.create_package(content).await.unwrap().wait().await.unwrap().id().clone();
        Self { env, dossier, package, folder: tempfile::tempdir().unwrap() }
    }

    /// What the caller of each call sees while `prepare` makes every request of the operation go wrong.
    ///
    /// Each call has a client of its own: one that was reset may not have noticed it yet when the next call wants a connection.
    async fn row(&self, name: &str, prepare: impl Fn(&str)) -> String {
        let client = || self.env.builder().idle_timeout(Duration::from_secs(60)).retry_budget(None).build().unwrap();
        let template = || client().dossier_template(self.dossier.template_id().clone());
        let dossier = || template().dossier(self.dossier.id().clone());
        let doomed = self.env.dossier().await;
        let package = client().download(self.package.clone()).operation().wait().await.unwrap();
        let mut row = format!("| {name} |");
        let mut cell = |text: String| write!(row, " {text} |").unwrap();
        prepare("getFiles");
        cell(outcome_cell(dossier().files().await));
        prepare("createOrUpdateDossier");
        cell(outcome_cell(template().create_dossier(NewDossier::named("Q4")).await));
        prepare("createOrUpdateDossier");
        cell(outcome_cell(template().create_dossier(NewDossier::named("Q5")).with_retry(Retry::EvenIfSent).await));
        prepare("uploadFile");
        cell(outcome_cell(dossier().upload(Source::bytes("other.pdf", STUDY)).await));
        prepare("deleteDossier");
        cell(outcome_cell(template().dossier(doomed.id().clone()).delete().await));
        prepare("downloadPackage");
        cell(outcome_cell(package.save_to(self.folder.path().join("out.zip")).await));
        self.env.sim.faults().clear();
        row
    }
}

/// An outcome in a few words.
fn outcome_cell<T>(outcome: documine::Result<T>) -> String {
    let Err(error) = outcome else { return "succeeds".into() };
    let mut cell = format!("`{}", error.kind().name());
    if let Some(status) = error.status() {
        write!(cell, " {}", status.as_u16()).unwrap();
    }
    if let Some(phase) = error.timeout_phase() {
        write!(cell, " {phase:?}").unwrap();
    }
    let sent = if error.was_sent() { "sent" } else { "not sent" };
    let safe = if error.is_safe_to_repeat() { "" } else { ", **not safe to repeat**" };
    let times = if error.attempts() == 1 { "once".to_owned() } else { format!("{} times", error.attempts()) };
    write!(cell, "`, tried {times}, {sent}{safe}").unwrap();
    cell
}

const HEAD: &str = "\
| fault | a list (GET) | a creation (POST) | a creation with `Retry::EvenIfSent` | an upload (POST) | a deletion (DELETE) | a package into a file (GET) |
|---|---|---|---|---|---|---|";

#[tokio::test]
async fn documented_fault_table_matches_behaviour() {
    let table_env = FaultTableEnv::new().await;
    let planned = table_env.env.sim.faults();
    let mut table = vec![HEAD.to_owned()];
    for (name, fault) in faults() {
        let plan = |operation: &str| {
            planned.clear();
            planned.add(fault(operation));
        };
        // Where the limit is to run out, it does so as soon as nothing else can happen.
        if name == STALLED_BODY {
            tokio::time::pause();
        }
        table.push(table_env.row(name, plan).await);
        if name == STALLED_BODY {
            tokio::time::resume();
        }
    }
    let table = format!("{}\n\n", table.join("\n"));

    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the line before the table");
    let (documented, after) = rest.split_once(END).expect("the line behind the table");
    if std::env::var_os("DOCUMINE_WRITE_TABLES").is_some() {
        std::fs::write(DOCUMENT, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    for (actual, expected) in documented.lines().zip(table.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(documented, table);
}
