//! Options of a whole client are the defaults of all its operations.

use std::future::IntoFuture;
use std::time::Duration;

use documine::retry::RetryMode;
use documine::wait::WaitErrorKind;
use documine::{Client, ErrorKind, RequestOptions, Source};
use documine_sim::Fault;
use futures_util::TryStreamExt;
use futures_util::future::try_join;
use http::Method;

use crate::harness::pdf_fixtures::{INVOICE, STUDY};
use crate::harness::test_env::{TestEnv, header, is_operation, originals, password_credentials};

const SOURCE: &str = "x-request-source";

fn nightly(env: &TestEnv) -> Client {
    env.client.with_options(RequestOptions::new().with_header(SOURCE, "nightly"))
}

/// Returns the header of every request to the service after the first `before` requests.
fn sources(env: &TestEnv, before: usize) -> Vec<Option<String>> {
    let requests = env.sim.requests().split_off(before);
    requests.iter().filter(|request| is_operation(request)).map(|request| header(request, SOURCE)).collect()
}

#[tokio::test]
async fn client_options_apply_to_calls_lists_uploads_waits_and_transfers() {
    let env = TestEnv::new().await;
    let client = nightly(&env);
    let template = client.dossier_template(env.template_id());
    template.get().await.unwrap();
    let dossier = template.create_dossier(documine::DossierFields::named("Q3")).await.unwrap();
    dossier.upload(Source::bytes("a.pdf", STUDY)).await.unwrap().wait_until_processed().await.unwrap();
    dossier.upload_all([Source::bytes("b.pdf", INVOICE)]).await.unwrap();
    dossier.wait_until_processed().await.unwrap();
    dossier.files().stream().try_collect::<Vec<_>>().await.unwrap();
    let package = dossier.create_package(originals()).await.unwrap().wait().await.unwrap();
    package.save_into(Vec::new()).await.unwrap();
    package.delete().await.unwrap();
    client.request(Method::GET, "/api/license", None).await.unwrap();
    client.raw().get_dossier_templates().send().await.unwrap();
    let sent = sources(&env, 0);
    assert!(sent.len() >= 12 && sent.iter().all(|source| source.as_deref() == Some("nightly")), "{sent:?}");
    assert_eq!(env.client.requests_sent(), client.requests_sent());
    assert_eq!(env.requests("token").iter().find_map(|request| header(request, SOURCE)), None);

    let before = env.sim.requests().len();
    env.template().get().await.unwrap();
    assert_eq!(sources(&env, before), [None], "the first client is unchanged");
}

#[tokio::test]
async fn an_option_of_one_call_takes_precedence() {
    let env = TestEnv::new().await;
    let client = nightly(&env).with_options(RequestOptions::new().with_retry_mode(RetryMode::Never));
    client.dossier_templates().with_header(SOURCE, "retry").with_header("x-other", "1").await.unwrap();
    let own = RequestOptions::new().with_header(SOURCE, "again");
    client.dossier_templates().with_options(own).await.unwrap();
    assert_eq!(sources(&env, 0), [Some("retry".to_owned()), Some("again".to_owned())]);

    env.add_fault(Fault::on("getDossierTemplates").status(503).times(2));
    assert_eq!(client.dossier_templates().await.unwrap_err().attempts(), 1);
    client.dossier_templates().with_retry_mode(RetryMode::IfSafe).await.unwrap();
    // A client of another account keeps the options.
    let other = client.with_credentials(password_credentials(&env.sim)).unwrap();
    let before = env.sim.requests().len();
    other.dossier_templates().await.unwrap();
    assert_eq!(sources(&env, before), [Some("nightly".to_owned())]);
}

#[tokio::test]
async fn a_deadline_of_the_client_limits_waits_unless_the_wait_sets_one() {
    let env = TestEnv::new().await;
    let (dossier, _) = env.processed_file("study.pdf", STUDY).await;
    let client = env.client.with_options(RequestOptions::new().with_deadline(Duration::from_secs(90)));
    let job = client.resume(&dossier.create_package(originals()).await.unwrap().to_ref()).unwrap();
    env.add_fault(Fault::on("getDownload").status(429).header("Retry-After", "60"));
    let error = job.wait().await.unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (WaitErrorKind::DeadlineExceeded, Duration::from_secs(90)));
    let error = job.wait().with_deadline(Duration::from_secs(200)).await.unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (WaitErrorKind::DeadlineExceeded, Duration::from_secs(200)));
}

#[tokio::test]
async fn waits_of_a_client_with_options_share_list_requests() {
    let env = TestEnv::new().await;
    let dossier = env.dossier().await;
    let mut ids = Vec::new();
    for name in ["a.pdf", "b.pdf"] {
        ids.push(dossier.upload(Source::bytes(name, INVOICE)).await.unwrap().id.clone());
    }
    let client = nightly(&env);
    let dossier = client.dossier_template(env.template_id()).dossier(dossier.id().clone());
    let before = env.sim.requests().len();
    let [first, second] = [0, 1].map(|index| dossier.file(&ids[index]).wait_until_processed().into_future());
    try_join(first, second).await.unwrap();
    assert!(sources(&env, before).iter().all(|source| source.as_deref() == Some("nightly")));
    // The first wait starts alone.
    assert_eq!((env.requests("getFile").len(), env.requests("getFiles").is_empty()), (1, false));
}

#[tokio::test]
async fn an_invalid_header_of_the_client_fails_each_operation_before_it_is_sent() {
    let env = TestEnv::new().await;
    let client = env.client.with_options(RequestOptions::new().with_header("host", "elsewhere"));
    let error = client.dossier_templates().await.unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Input, false));
    let error = client.raw().get_dossier_templates().send().await.unwrap_err();
    assert_eq!(documine::Error::find(&error).map(documine::Error::kind), Some(ErrorKind::Input));
    assert_eq!(env.request_log().len(), 0);
}
