//! Lists of a service that does not page, and of one that does.

use documine::{Client, Credentials, ErrorKind, NewDossier};
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
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [45]);
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
        .map(|violation| if violation.to_string().contains("cursor") { "cursor" } else { "size" })
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
    let error = world.template().dossiers().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "getDossiers: the service gives 20 of 45 items, paged in a way that the document does not declare (x-paging)"
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
    assert_eq!(error.to_string(), "getUsers: the list does not end: the service links its pages in a circle");
    assert_eq!(service.requests().len(), 3);
}
