//! Lists of services with and without paging.

use documine::api::operations;
use documine::{Client, Credentials, DossierFields, ErrorKind, list::Continuation, request::ListDossiers};
use documine_sim::{Fault, Paging};
use futures_util::{StreamExt, TryStreamExt};

use crate::harness::canned_server::{CannedServer, response};
use crate::harness::messages::LINK_CYCLE;
use crate::harness::test_env::TestEnv;

/// Creates an environment with 45 dossiers.
async fn env_with_45_dossiers(paging: Paging) -> TestEnv {
    let env = TestEnv::with(|builder| builder.paging(paging)).await;
    for number in 0..45 {
        let _ = env.template().create_dossier(DossierFields::named(format!("{number:02}"))).await.unwrap();
    }
    env
}

fn names(dossiers: &[documine::models::Dossier]) -> Vec<String> {
    dossiers.iter().filter_map(|dossier| dossier.name.clone()).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("{number:02}")).collect()
}

#[tokio::test]
async fn unpaged_list_sends_one_request() {
    let env = env_with_45_dossiers(Paging::None).await;
    assert_eq!(names(&env.template().dossiers().await.unwrap()), numbers(0..45));
    assert_eq!(env.requests("getDossiers").len(), 1);
    let pages: Vec<_> = env.template().dossiers().pages().try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(), [45]);
}

#[tokio::test]
async fn follows_links_to_the_last_page() {
    let env = env_with_45_dossiers(Paging::Link).await;
    assert_eq!(names(&env.template().dossiers().include_archived(true).await.unwrap()), numbers(0..45));
    let queries: Vec<_> =
        env.requests("getDossiers").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    assert_eq!(
        queries,
        ["includeArchived=true", "includeArchived=true&cursor=20&size=20", "includeArchived=true&cursor=40&size=20"]
    );
    expect_paging_violations(env);
}

/// The document does not declare the parameters of a paging service.
fn expect_paging_violations(mut env: TestEnv) {
    let parts: Vec<&'static str> = env
        .sim
        .violations()
        .iter()
        .map(|violation| {
            let line = violation.to_string();
            ["cursor", "size", "page"].into_iter().find(|name| line.contains(&format!("query/{name}"))).unwrap_or("?")
        })
        .collect();
    env.expect_violations(&parts);
}

#[tokio::test]
async fn stream_fetches_pages_on_demand() {
    let env = env_with_45_dossiers(Paging::Link).await;
    let first: Vec<_> = env.template().dossiers().stream().take(20).try_collect().await.unwrap();
    assert_eq!(names(&first), numbers(0..20));
    assert_eq!(env.requests("getDossiers").len(), 1);
    let more: Vec<_> = env.template().dossiers().stream().take(21).try_collect().await.unwrap();
    assert_eq!(names(&more), numbers(0..21));
    assert_eq!(env.requests("getDossiers").len(), 3);
    let never = env.template().dossiers().stream();
    drop(never);
    assert_eq!(env.requests("getDossiers").len(), 3);
    expect_paging_violations(env);
}

#[tokio::test]
async fn failing_page_fails_the_list() {
    let env = env_with_45_dossiers(Paging::Link).await;
    env.add_fault(Fault::on("getDossiers").nth(3).times(1).status(403));
    let error = env.template().dossiers().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    env.add_fault(Fault::on("getDossiers").nth(3).times(1).status(403));
    let items: Vec<_> = env.template().dossiers().stream().collect().await;
    assert_eq!((items.len(), items.iter().filter(|item| item.is_err()).count()), (41, 1));
    expect_paging_violations(env);
}

#[tokio::test]
async fn never_returns_part_of_a_list_as_whole() {
    let env = env_with_45_dossiers(Paging::Page).await;
    // Our document declares no paging; another one may.
    let error = dossiers(&env, &env.client, Paging::None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "getDossiers: incomplete list: the service returned 20 of 45 items, and the document declares no paging (x-paging)"
    );
    // A list that fits into its first page is complete.
    #[cfg(has = "getUsers")]
    assert_eq!(env.client.users().await.unwrap().len(), 3);
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn detects_link_cycle() {
    let link = |page: &str| format!("Link: </api/users?page={page}>; rel=\"next\"");
    let service = CannedServer::respond_with(move |head| {
        let next = if head.contains("?page=1 ") { link("2") } else { link("1") };
        response("200 OK", &["Content-Type: application/json", &next], r#"{"users":[{"id":"a"}]}"#)
    })
    .await;
    let client =
        Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token("t")).build().unwrap();
    let error = client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), LINK_CYCLE);
    assert_eq!(service.requests().len(), 3);
}

/// The paging modes, all of which yield the same list.
const MODES: [Paging; 3] = [Paging::None, Paging::Page, Paging::Link];

/// Lists the dossiers with the paging mode of the service; the document declares no paging.
fn dossiers(env: &TestEnv, client: &Client, paging: Paging) -> ListDossiers {
    let form = match paging {
        Paging::Page => operations::Paging::PageSize,
        Paging::Link => operations::Paging::Link,
        _ => operations::Paging::None,
    };
    client.dossier_template(env.template_id()).dossiers().with_paging(form)
}

#[tokio::test]
async fn all_paging_modes_return_the_same_list() {
    for paging in MODES {
        let env = env_with_45_dossiers(paging).await;
        let list = || dossiers(&env, &env.client, paging);
        let all = list().await.unwrap();
        assert_eq!(names(&all), numbers(0..45), "{paging}");
        assert_eq!(list().collect().await.unwrap(), all, "{paging}");
        assert_eq!(list().stream().try_collect::<Vec<_>>().await.unwrap(), all, "{paging}");
        let each: Vec<_> = list().stream_each().try_collect().await.unwrap();
        assert_eq!(each.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), all, "{paging}");
        let sized = list().with_page_size(7).stream().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(sized, all, "{paging}");
        expect_paging_violations(env);
    }
}

#[tokio::test]
async fn pages_report_number_total_and_continuation() {
    for paging in MODES {
        let env = env_with_45_dossiers(paging).await;
        let mut stream = dossiers(&env, &env.client, paging).pages();
        assert_eq!(stream.continuation(), None);
        let mut observed = Vec::new();
        while let Some(page) = stream.try_next().await.unwrap() {
            assert_eq!(stream.continuation(), page.continuation);
            observed.push((page.number, page.items.len(), page.total, page.continuation.is_some()));
        }
        let total = (paging == Paging::Page).then_some(45);
        match paging {
            Paging::None => assert_eq!(observed, [(0, 45, None, false)]),
            _ => assert_eq!(observed, [(0, 20, total, true), (1, 20, total, true), (2, 5, total, false)], "{paging}"),
        }
        expect_paging_violations(env);
    }
}

#[tokio::test]
async fn continuation_resumes_list_in_another_client() {
    for paging in [Paging::Page, Paging::Link] {
        let env = env_with_45_dossiers(paging).await;
        let mut stream = dossiers(&env, &env.client, paging).include_archived(true).stream();
        for _ in 0..23 {
            stream.try_next().await.unwrap().unwrap();
        }
        // The three items of the second page are returned again.
        let saved = serde_json::to_string(&stream.continuation().unwrap()).unwrap();
        drop(stream);
        for secret in [env.sim.password(), env.sim.base_url(), env.sim.workspace_id()] {
            assert!(!saved.contains(secret), "{saved}");
        }
        let other = env.builder().build().unwrap();
        let list = || dossiers(&env, &other, paging);
        let continuation: Continuation = serde_json::from_str(&saved).unwrap();
        let rest = list().include_archived(true).resume(continuation.clone()).await.unwrap();
        assert_eq!(names(&rest), numbers(20..45), "{paging}");
        let pages: Vec<_> =
            list().include_archived(true).resume(continuation.clone()).pages().try_collect().await.unwrap();
        assert_eq!(pages.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2], "{paging}");
        // Another list: it does not include archived dossiers.
        let before = env.request_log().len();
        let error = list().resume(continuation).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains("the continuation belongs to another list (getDossiers /"), "{error}");
        assert_eq!(env.request_log_since(before), Vec::<String>::new());
        expect_paging_violations(env);
    }
}

#[tokio::test]
async fn failed_stream_can_be_resumed() {
    let env = env_with_45_dossiers(Paging::Link).await;
    env.add_fault(Fault::on("getDossiers").nth(2).times(1).status(403));
    let mut stream = env.template().dossiers().stream();
    let mut taken = Vec::new();
    let error = loop {
        match stream.try_next().await {
            Ok(item) => taken.push(item.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!((taken.len(), error.status().map(|status| status.as_u16())), (20, Some(403)));
    assert!(stream.next().await.is_none(), "the stream ends after an error");
    let rest = env.template().dossiers().resume(stream.continuation().unwrap()).await.unwrap();
    assert_eq!(names(&rest), numbers(20..45));
    expect_paging_violations(env);
}
