//! Lists of a service that does not page, and of one that does.

use documine::api::operations;
use documine::{Client, Continuation, Credentials, Dossier, DossierFilter, ErrorKind, List, NewDossier};
use documine_sim::{Fault, Paging};
use futures_util::{StreamExt, TryStreamExt};

use crate::canned::{Canned, answer};
use crate::world::World;

/// A world with 45 dossiers.
async fn crowded(paging: Paging) -> World {
    let world = World::with(|builder| builder.paging(paging)).await;
    for number in 0..45 {
        let _ = world.template().create_dossier(NewDossier::named(format!("{number:02}"))).await.unwrap();
    }
    world
}

fn names(dossiers: &[documine::Dossier]) -> Vec<String> {
    dossiers.iter().filter_map(|dossier| dossier.name.clone()).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("{number:02}")).collect()
}

#[tokio::test]
async fn a_list_in_one_piece_costs_one_request() {
    let world = crowded(Paging::None).await;
    assert_eq!(names(&world.template().dossiers().await.unwrap()), numbers(0..45));
    assert_eq!(world.requests("getDossiers").len(), 1);
    let pages: Vec<_> = world.template().dossiers().pages().try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(), [45]);
}

#[tokio::test]
async fn links_are_followed_to_the_end() {
    let world = crowded(Paging::Link).await;
    assert_eq!(names(&world.template().dossiers().include_archived(true).await.unwrap()), numbers(0..45));
    let queries: Vec<_> =
        world.requests("getDossiers").into_iter().map(|request| request.query.unwrap_or_default()).collect();
    assert_eq!(
        queries,
        ["includeArchived=true", "includeArchived=true&cursor=20&size=20", "includeArchived=true&cursor=40&size=20"]
    );
    world_expects_paging(world);
}

/// The document does not know the parameters of a paging service.
fn world_expects_paging(mut world: World) {
    let parts: Vec<&'static str> = world
        .sim
        .violations()
        .iter()
        .map(|violation| {
            let line = violation.to_string();
            ["cursor", "size", "page"].into_iter().find(|name| line.contains(&format!("query/{name}"))).unwrap_or("?")
        })
        .collect();
    world.expect_violations(&parts);
}

#[tokio::test]
async fn a_stream_fetches_no_page_that_nobody_asks_for() {
    let world = crowded(Paging::Link).await;
    let first: Vec<_> = world.template().dossiers().stream().take(20).try_collect().await.unwrap();
    assert_eq!(names(&first), numbers(0..20));
    assert_eq!(world.requests("getDossiers").len(), 1);
    let more: Vec<_> = world.template().dossiers().stream().take(21).try_collect().await.unwrap();
    assert_eq!(names(&more), numbers(0..21));
    assert_eq!(world.requests("getDossiers").len(), 3);
    let never = world.template().dossiers().stream();
    drop(never);
    assert_eq!(world.requests("getDossiers").len(), 3);
    world_expects_paging(world);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let world = crowded(Paging::Link).await;
    world.sim.faults().add(Fault::on("getDossiers").nth(3).times(1).status(403));
    let error = world.template().dossiers().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    world.sim.faults().add(Fault::on("getDossiers").nth(3).times(1).status(403));
    let items: Vec<_> = world.template().dossiers().stream().collect().await;
    assert_eq!((items.len(), items.iter().filter(|item| item.is_err()).count()), (41, 1));
    world_expects_paging(world);
}

#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    let world = crowded(Paging::Page).await;
    // As our document declares it, and another one may not.
    let error = dossiers(&world, &world.client, Paging::None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "getDossiers: incomplete list: the service returned 20 of 45 items, and the document declares no paging (x-paging)"
    );
    // A list that fits into its first page is whole.
    #[cfg(has = "getUsers")]
    assert_eq!(world.client.users().await.unwrap().len(), 3);
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn links_in_a_circle_end() {
    let link = |page: &str| format!("Link: </api/users?page={page}>; rel=\"next\"");
    let service = Canned::answering(move |head| {
        let next = if head.contains("?page=1 ") { link("2") } else { link("1") };
        answer("200 OK", &["Content-Type: application/json", &next], r#"{"users":[{"id":"a"}]}"#)
    })
    .await;
    let client =
        Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token("t")).build().unwrap();
    let error = client.users().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "getUsers: endless list: the links between the pages form a cycle");
    assert_eq!(service.requests().len(), 3);
}

/// The same list, however the service pages it.
const MODES: [Paging; 3] = [Paging::None, Paging::Page, Paging::Link];

/// The dossiers of a client of this world, paged as the service does. Our document says that no list is paged.
fn dossiers(world: &World, client: &Client, paging: Paging) -> List<DossierFilter, Dossier> {
    let form = match paging {
        Paging::Page => operations::Paging::PageSize,
        Paging::Link => operations::Paging::Link,
        _ => operations::Paging::None,
    };
    client.dossier_template(world.template_id()).dossiers().with_paging(form)
}

#[tokio::test]
async fn a_list_is_the_same_however_it_is_paged_and_taken() {
    for paging in MODES {
        let world = crowded(paging).await;
        let list = || dossiers(&world, &world.client, paging);
        let all = list().await.unwrap();
        assert_eq!(names(&all), numbers(0..45), "{paging}");
        assert_eq!(list().collect().await.unwrap(), all, "{paging}");
        assert_eq!(list().stream().try_collect::<Vec<_>>().await.unwrap(), all, "{paging}");
        let each: Vec<_> = list().stream_each().try_collect().await.unwrap();
        assert_eq!(each.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), all, "{paging}");
        let sized = list().with_page_size(7).stream().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(sized, all, "{paging}");
        world_expects_paging(world);
    }
}

#[tokio::test]
async fn pages_tell_their_number_their_total_and_where_the_list_goes_on() {
    for paging in MODES {
        let world = crowded(paging).await;
        let mut stream = dossiers(&world, &world.client, paging).pages();
        assert_eq!(stream.continuation(), None);
        let mut seen = Vec::new();
        while let Some(page) = stream.try_next().await.unwrap() {
            assert_eq!(stream.continuation(), page.continuation);
            seen.push((page.number, page.items.len(), page.total, page.continuation.is_some()));
        }
        let total = (paging == Paging::Page).then_some(45);
        match paging {
            Paging::None => assert_eq!(seen, [(0, 45, None, false)]),
            _ => assert_eq!(seen, [(0, 20, total, true), (1, 20, total, true), (2, 5, total, false)], "{paging}"),
        }
        world_expects_paging(world);
    }
}

#[tokio::test]
async fn another_client_goes_on_where_a_list_stopped() {
    for paging in [Paging::Page, Paging::Link] {
        let world = crowded(paging).await;
        let mut stream = dossiers(&world, &world.client, paging).include_archived(true).stream();
        for _ in 0..23 {
            stream.try_next().await.unwrap().unwrap();
        }
        // The three items of the second page come again.
        let kept = serde_json::to_string(&stream.continuation().unwrap()).unwrap();
        drop(stream);
        for secret in [world.sim.password(), world.sim.base_url(), world.sim.workspace_id()] {
            assert!(!kept.contains(secret), "{kept}");
        }
        let other = world.builder().build().unwrap();
        let list = || dossiers(&world, &other, paging);
        let continuation: Continuation = serde_json::from_str(&kept).unwrap();
        let rest = list().include_archived(true).resume(continuation.clone()).await.unwrap();
        assert_eq!(names(&rest), numbers(20..45), "{paging}");
        let pages: Vec<_> =
            list().include_archived(true).resume(continuation.clone()).pages().try_collect().await.unwrap();
        assert_eq!(pages.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2], "{paging}");
        // Of another list: the archived ones are not asked for.
        let before = world.journal().len();
        let error = list().resume(continuation).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains("the continuation belongs to another list (getDossiers /"), "{error}");
        assert_eq!(world.journal_since(before), Vec::<String>::new());
        world_expects_paging(world);
    }
}

#[tokio::test]
async fn a_stream_that_failed_can_be_resumed() {
    let world = crowded(Paging::Link).await;
    world.sim.faults().add(Fault::on("getDossiers").nth(2).times(1).status(403));
    let mut stream = world.template().dossiers().stream();
    let mut taken = Vec::new();
    let error = loop {
        match stream.try_next().await {
            Ok(item) => taken.push(item.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!((taken.len(), error.status().map(|status| status.as_u16())), (20, Some(403)));
    assert!(stream.next().await.is_none(), "an error is the end");
    let rest = world.template().dossiers().resume(stream.continuation().unwrap()).await.unwrap();
    assert_eq!(names(&rest), numbers(20..45));
    world_expects_paging(world);
}
