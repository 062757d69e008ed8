//! Whoever drops a call, at whatever point, leaves nothing behind: no task, no lock, no half-written file, no lost token.
//!
//! Each story makes its call again and again and drops it after one step, after two, after three, … until it comes to its end.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use documine::{
    BoxFuture, Client, Credentials, DownloadFileType, FileStore, NewDossier, Pacing, PackageContent, Source,
};
use documine_sim::{SimClock, Simulator, SimulatorBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::paper::STUDY;

/// More steps than any call here takes.
const MANY: usize = 5_000;

/// A simulator that lives beside the client's runtime, so that the tasks of both can be told apart.
struct Beside {
    runtime: Runtime,
    sim: Simulator,
}

impl Beside {
    fn start() -> Self {
        Self::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let builder = settings(Simulator::builder().rotate_refresh(true).speed(100.0));
        let sim = runtime.block_on(builder.start()).unwrap();
        Self { runtime, sim }
    }

    fn client(&self) -> Client {
        let sim = &self.sim;
        let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
        self.client_with(credentials.client_secret(sim.client_secret()))
    }

    fn client_with(&self, credentials: Credentials) -> Client {
        Client::builder(self.sim.base_url())
            .workspace(self.sim.workspace_id())
            .credentials(credentials)
            // A place that is not given back would stop the next call for ever.
            .pacing(Pacing::adaptive().max_concurrency(1))
            .build()
            .unwrap()
    }

    fn template(&self, client: &Client) -> documine::DossierTemplateHandle {
        client.dossier_template(self.sim.dossier_template_id().parse::<documine::DossierTemplateId>().unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // The simulator's tasks end with its runtime.
        let _inside = self.runtime.enter();
    }
}

/// Takes `work` so many steps far, then drops it. Whether it came to its end.
async fn steps<T>(work: impl Future<Output = T>, count: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut left = count;
    std::future::poll_fn(move |context: &mut Context<'_>| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Drops the call that `call` makes after 1, 2, 3, … steps; after each drop the client still works, and when it is gone too, so are all
/// its tasks. At the end the call has succeeded.
fn drop_everywhere<T>(
    beside: &Beside,
    call: impl Fn(Client) -> BoxFuture<'static, documine::Result<T>>,
    clean: impl Fn(),
) {
    for count in 1..MANY {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = beside.client();
        let done = runtime.block_on(async {
            // The result may hold a client, as handles do.
            let done = steps(call(client.clone()), count).await.map(|result| result.map(drop));
            let after = tokio::time::timeout(Duration::from_secs(10), client.license());
            after.await.expect("the client is not held up").unwrap();
            drop(client);
            done
        });
        let start = Instant::now();
        while runtime.metrics().num_alive_tasks() > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "tasks are left after {count} steps");
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
        clean();
        if let Some(result) = done {
            result.unwrap();
            assert!(count > 1, "the call had no point at which it could be dropped");
            return;
        }
    }
    panic!("the call never came to its end");
}

fn nothing() {}

#[test]
fn a_call_that_reads() {
    let beside = Beside::start();
    drop_everywhere(&beside, |client| Box::pin(async move { client.license().await }), nothing);
}

#[test]
fn a_list() {
    let beside = Beside::start();
    let id = beside.sim.dossier_template_id().to_owned();
    let list = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let template = client.dossier_template(id.parse::<documine::DossierTemplateId>().unwrap());
        Box::pin(async move { template.dossiers().await })
    };
    drop_everywhere(&beside, list, nothing);
}

#[test]
fn a_refresh_that_is_under_way_loses_no_token() {
    refreshes(|beside, _| beside.client());
}

#[test]
fn a_refresh_with_a_store_loses_no_token_and_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    refreshes(|beside, count| {
        let sim = &beside.sim;
        let credentials = Credentials::password(sim.client_id(), sim.username(), sim.password());
        let store = FileStore::new(folder.path().join(format!("{count}.json")));
        beside.client_with(credentials.client_secret(sim.client_secret()).store(store))
    });
    let left = files(folder.path());
    assert!(left.iter().all(|name| name.contains(".json")), "{left:?}");
}

fn refreshes(client: impl Fn(&Beside, usize) -> Client) {
    let clock = SimClock::manual();
    let beside = Beside::with(|builder| builder.clock(clock.clone()));
    for count in 1..MANY {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = client(&beside, count);
        let done = runtime.block_on(async {
            client.license().await.unwrap();
            // The service's clock alone: the client learns of the end of its token by a 401.
            clock.advance(Duration::from_secs(301));
            let done = steps(client.license().send(), count).await;
            client.license().await.unwrap();
            done
        });
        if done.is_some() {
            let logins =
                beside.sim.requests().into_iter().filter(|request| request.operation.as_deref() == Some("token"));
            // One login and one refresh for each client: the rotated token was never lost.
            assert_eq!(logins.count(), 2 * count);
            return;
        }
    }
    panic!("the call never came to its end");
}

#[test]
fn an_upload_from_a_path() {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.pdf");
    std::fs::write(&path, STUDY).unwrap();
    let client = beside.client();
    let dossier =
        beside.runtime.block_on(beside.template(&client).create_dossier(NewDossier::named("Q3")).send()).unwrap();
    let (template, id) = (beside.sim.dossier_template_id().to_owned(), dossier.id().clone());
    drop((client, dossier));
    let upload = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let template = client.dossier_template(template.parse::<documine::DossierTemplateId>().unwrap());
        let upload = template.dossier(id.clone()).upload(Source::path(&path));
        Box::pin(upload.send())
    };
    drop_everywhere(&beside, upload, || assert_eq!(files(folder.path()), ["study.pdf"]));
}

#[test]
fn a_package_that_is_saved() {
    saves(false, |found| found.is_empty() || found == ["out.zip"]);
}

#[test]
fn a_package_whose_part_is_kept() {
    saves(true, |found| found.is_empty() || found == ["out.zip"] || found == ["out.zip.part", "out.zip.part.json"]);
}

fn saves(resumable: bool, clean: impl Fn(&[String]) -> bool) {
    let beside = Beside::start();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zip");
    let client = beside.client();
    let package = beside.runtime.block_on(async {
        let dossier = beside.template(&client).create_dossier(NewDossier::named("Q3")).await.unwrap();
        let file = dossier.upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
        file.processed().await.unwrap();
        let content = PackageContent::file_types([DownloadFileType::Original]);
        dossier.create_package(content).await.unwrap().wait().await.unwrap().id().clone()
    });
    drop(client);
    let save = {
        let target = target.clone();
        move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
            let (operation, target) = (client.download(package.clone()).operation(), target.clone());
            Box::pin(async move {
                let call = operation.wait().await?.save_to(target);
                if resumable { call.resumable().await } else { call.await }
            })
        }
    };
    drop_everywhere(&beside, save, || {
        // What is kept is brought to safety on a thread of its own.
        let start = Instant::now();
        while resumable && !clean(&files(folder.path())) && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let found = files(folder.path());
        assert!(clean(&found), "{found:?}");
        if target.exists() {
            assert!(std::fs::read(&target).unwrap().starts_with(b"PK"));
            std::fs::remove_file(&target).unwrap();
        }
    });
}

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
