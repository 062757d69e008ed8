//! The test kit of the simulator, as a user's own tests use it: a client in one line, and control of single files.

use std::time::{Duration, SystemTime};

use documine::{DossierFields, ErrorKind, Source};
use documine_sim::{SimClock, Simulator, Timing};

use crate::harness::pdf_fixtures::INVOICE;

async fn simulator() -> Simulator {
    Simulator::builder().clock(SimClock::auto()).start().await.unwrap()
}

#[tokio::test]
async fn waits_of_a_client_with_the_automatic_clock_take_simulated_time_only() {
    let sim = simulator().await;
    sim.control().set_timing(Timing::fixed(Duration::from_secs(300), Duration::from_secs(5)));
    let dossier = sim.client().unwrap().dossier_template(sim.dossier_template_id());
    let dossier = dossier.create_dossier(DossierFields::named("Q3")).await.unwrap();
    let (real, start) = (SystemTime::now(), sim.clock().now());
    dossier.upload(Source::bytes("a.pdf", INVOICE.to_vec())).await.unwrap().wait_until_processed().await.unwrap();
    assert!(sim.clock().now().duration_since(start).unwrap() >= Duration::from_secs(300));
    assert!(real.elapsed().unwrap() < Duration::from_secs(300), "the wait took real time");
}

#[tokio::test]
async fn analysis_fails_for_files_of_the_given_name_only() {
    let sim = simulator().await;
    sim.control().fail_analysis("bad-*.pdf", "the pages are blank");
    let template = sim.client().unwrap().dossier_template(sim.dossier_template_id());
    let dossier = template.create_dossier(DossierFields::named("Q3")).await.unwrap();
    let upload = async |name: &str| {
        dossier.upload(Source::bytes(name, INVOICE.to_vec())).await.unwrap().wait_until_processed().await
    };
    let error = upload("bad-1.pdf").await.unwrap_err();
    assert!(error.to_string().contains("the pages are blank"), "{error}");
    upload("good.pdf").await.unwrap();
}

#[tokio::test]
async fn patched_response_reaches_the_client() {
    let sim = simulator().await;
    let client = sim.client().unwrap();
    let patch = sim.control().patch_response("getLicense", "licensedTo", "Somebody Else").unwrap();
    let license = client.license().await.unwrap();
    assert_eq!(license.licensed_to.as_deref(), Some("Somebody Else"));
    patch.verify().unwrap();
    let error = sim.control().patch_response("getLicence", "licensedTo", "x").unwrap_err();
    assert_eq!(error.to_string(), "there is no operation `getLicence`; write `getLicense`");
}

#[tokio::test]
async fn expired_revoked_and_disabled_logins_fail_as_expected() {
    let sim = simulator().await;
    let client = sim.client().unwrap();
    client.license().await.unwrap();
    sim.control().expire_access_tokens();
    client.license().await.unwrap();
    sim.control().revoke_tokens();
    // A password login signs in again.
    client.license().await.unwrap();
    sim.control().disable_user(sim.username()).unwrap();
    sim.control().expire_access_tokens();
    assert_eq!(client.license().await.unwrap_err().kind(), ErrorKind::Auth);
    sim.control().enable_user(sim.username()).unwrap();
    sim.client().unwrap().license().await.unwrap();
    assert!(sim.control().disable_user("nobody").unwrap_err().to_string().contains("`nobody`"));
}
