//! Waits on a service in trouble: they end when they said they would, and leave it alone when it asks for that.

use std::time::{Duration, Instant};

use documine::{Client, Credentials, DownloadFileType, DownloadId, Operation, Package, PackageContent, WaitErrorKind};
use documine_sim::Fault;

use crate::canned::Canned;
use crate::paper::STUDY;
use crate::world::World;

/// A package that has just been asked for.
async fn package(world: &World) -> Operation<Package> {
    let (dossier, _) = world.processed("study.pdf", STUDY).await;
    dossier.create_package(PackageContent::file_types([DownloadFileType::Original])).await.unwrap()
}

fn busy(seconds: &str) -> Fault {
    Fault::on("getDownload").status(429).header("Retry-After", seconds)
}

#[tokio::test]
async fn a_wait_leaves_the_service_alone_for_as_long_as_it_asks() {
    let world = World::new().await;
    let operation = package(&world).await;
    let start = world.sim.clock().now();
    world.sim.faults().add(busy("60").times(2));
    operation.wait().await.unwrap();
    let looks: Vec<_> = world.instants("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(looks, [0, 60_000, 120_000]);
}

#[tokio::test]
async fn a_wait_that_is_asked_for_more_patience_than_it_has_looks_once_more_at_its_end() {
    let world = World::new().await;
    let operation = package(&world).await;
    let start = world.sim.clock().now();
    world.sim.faults().add(busy("60").times(1));
    operation.wait().with_deadline(Duration::from_secs(30)).await.unwrap();
    let looks: Vec<_> = world.instants("getDownload", start).iter().map(Duration::as_millis).collect();
    assert_eq!(looks, [0, 30_000]);
}

#[tokio::test]
async fn trouble_up_to_the_deadline_is_told_as_the_deadline() {
    let world = World::new().await;
    let operation = package(&world).await;
    world.sim.faults().add(busy("60"));
    let error = operation.wait().with_deadline(Duration::from_secs(90)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "timed out after 90s (3 polls) waiting for package {}; last state: unknown; processing continues on the server, wait again with a later deadline",
            operation.id()
        )
    );
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.elapsed(), error.polls(), error.last_state()), (Duration::from_secs(90), 3, None));
}

#[tokio::test]
async fn a_service_that_fails_at_every_look_holds_no_wait_up() {
    let world = World::new().await;
    let operation = package(&world).await;
    world.sim.faults().add(Fault::on("getDownload").status(503));
    let error = operation.wait().with_deadline(Duration::from_secs(10)).await.unwrap_err();
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    // Each look tries four times, which takes 1.75 s; the last one begins before the deadline and ends behind it.
    assert_eq!((error.elapsed().as_millis(), error.polls()), (11_334, 4));
    assert_eq!(world.requests("getDownload").len(), 16);
}

/// In real time, like the limit itself: the one story that takes seconds.
#[tokio::test]
async fn a_look_that_hangs_does_not_hold_a_wait_beyond_its_deadline() {
    let service = Canned::answering_and_holding(|_| Vec::new()).await;
    let client =
        Client::builder(&service.base).workspace("acme").credentials(Credentials::access_token("t")).build().unwrap();
    let operation = client.download("d-1".parse::<DownloadId>().unwrap()).operation();
    let start = Instant::now();
    let error = operation.wait().with_deadline(Duration::from_millis(50)).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(55), "the client's own limit on an attempt is 60 s");
    assert_eq!(error.kind(), WaitErrorKind::DeadlineExceeded, "{error:?}");
    assert_eq!((error.target(), error.polls(), error.last_state()), ("package d-1", 1, None));
    assert_eq!(service.requests().len(), 1);
}
