//! Futures dropped at any await point: no task, lock, partial file or lost token remains.
//!
//! Each test repeats its call and drops it after one poll, two polls, three polls, … until the call completes.

mod lists;
mod packages;
mod uploads;
mod waits;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use documine::{
    BoxFuture, Client, Clock, Credentials, DossierFields, Source, auth::FileStore, models::DownloadId, retry::RateLimit,
};
use documine_sim::{SimClock, Simulator, SimulatorBuilder};
use tokio::runtime::{Builder, Runtime};

use crate::harness::file_names;
use crate::harness::pdf_fixtures::{STUDY, study_on_disk};
use crate::harness::test_env::{originals, password_credentials};

/// More polls than any call here needs.
const MAX_POLLS: usize = 5_000;

/// A simulator on its own runtime, so that its tasks do not count as tasks of the client.
struct IsolatedSimulator {
    runtime: Runtime,
    sim: Simulator,
}

impl IsolatedSimulator {
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
        self.client_with(password_credentials(&self.sim))
    }

    fn client_with(&self, credentials: Credentials) -> Client {
        Client::builder(self.sim.base_url())
            .workspace(self.sim.workspace_id())
            .credentials(credentials)
            .clock(FastClock(Instant::now()))
            // A concurrency slot that is not released would block the next call forever.
            .rate_limit(RateLimit::adaptive().max_concurrency(1))
            .build()
            .unwrap()
    }

    /// Returns a function that opens the template with a given client.
    fn template(&self) -> impl Fn(&Client) -> documine::DossierTemplateHandle + Clone + use<> {
        let id = self.sim.dossier_template_id().clone();
        move |client| client.dossier_template(id.clone())
    }

    /// Returns the id of a package that is ready.
    fn package(&self) -> DownloadId {
        let (client, dossier) = (self.client(), self.dossier());
        self.runtime.block_on(async {
            let file = dossier(&client).upload(Source::bytes("study.pdf", STUDY)).await.unwrap();
            file.wait_until_processed().await.unwrap();
            dossier(&client).create_package(originals()).await.unwrap().wait().await.unwrap().id().clone()
        })
    }

    /// Creates a dossier and returns a function that opens it with a given client.
    fn dossier(&self) -> impl Fn(&Client) -> documine::DossierHandle + Clone + use<> {
        let (client, template) = (self.client(), self.template());
        let created =
            self.runtime.block_on(template(&client).create_dossier(DossierFields::named("Q3")).send()).unwrap();
        let id = created.id().clone();
        move |client| template(client).dossier(id.clone())
    }
}

impl Drop for IsolatedSimulator {
    fn drop(&mut self) {
        // The simulator's tasks end with its runtime.
        let _inside = self.runtime.enter();
    }
}

/// A clock whose sleeps take a hundredth of their duration, like all durations of the simulator.
#[derive(Debug)]
struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration / 100))
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// Polls `work` at most `count` times, then drops it. Returns the result if `work` completed.
async fn poll_times<T>(work: impl Future<Output = T>, count: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut remaining = count;
    std::future::poll_fn(move |context: &mut Context<'_>| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if remaining <= 1 => Poll::Ready(None),
        Poll::Pending => {
            remaining -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Drops the call after 1, 2, 3, … polls until it succeeds. After each drop the client still works; after dropping the client, none of
/// its tasks remain.
fn drop_after_each_poll<T>(
    isolated: &IsolatedSimulator,
    call: impl Fn(Client) -> BoxFuture<'static, documine::Result<T>>,
    check_clean: impl Fn(),
) {
    drop_after_each_poll_then(
        isolated,
        call,
        |client| Box::pin(async move { client.license().await.map(drop) }),
        check_clean,
    );
}

/// Does the same with a custom call that checks the client after each drop.
fn drop_after_each_poll_then<T>(
    isolated: &IsolatedSimulator,
    call: impl Fn(Client) -> BoxFuture<'static, documine::Result<T>>,
    next: impl Fn(Client) -> BoxFuture<'static, documine::Result<()>>,
    check_clean: impl Fn(),
) {
    for count in 1..MAX_POLLS {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = isolated.client();
        let done = runtime.block_on(async {
            // The result may hold a client, as handles do.
            let done = poll_times(call(client.clone()), count).await.map(|result| result.map(drop));
            let after = tokio::time::timeout(Duration::from_secs(120), next(client.clone()));
            after.await.expect("the client is not blocked").unwrap();
            drop(client);
            done
        });
        let start = Instant::now();
        while runtime.metrics().num_alive_tasks() > 0 {
            assert!(start.elapsed() < Duration::from_secs(120), "tasks remain after {count} polls");
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
        // Waits for work on the blocking thread pool.
        drop(runtime);
        check_clean();
        if let Some(result) = done {
            result.unwrap();
            assert!(count > 1, "the call completed at its first poll");
            return;
        }
    }
    panic!("the call never completed");
}

fn no_check() {}

#[test]
fn dropped_read_call_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    drop_after_each_poll(&isolated, |client| Box::pin(async move { client.license().await }), no_check);
}

#[test]
fn dropped_list_call_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let template = isolated.template();
    let list = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        let template = template(&client);
        Box::pin(async move { template.dossiers().await })
    };
    drop_after_each_poll(&isolated, list, no_check);
}

#[test]
fn dropped_refresh_loses_no_token() {
    drop_during_refresh(|isolated, _| isolated.client());
}

#[test]
fn dropped_refresh_with_store_loses_no_token_and_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    drop_during_refresh(|isolated, count| {
        let store = FileStore::new(folder.path().join(format!("{count}.json")));
        isolated.client_with(password_credentials(&isolated.sim).store(store))
    });
    let remaining = file_names(folder.path());
    assert!(remaining.iter().all(|name| name.contains(".json")), "{remaining:?}");
}

fn drop_during_refresh(client: impl Fn(&IsolatedSimulator, usize) -> Client) {
    let clock = SimClock::manual();
    let isolated = IsolatedSimulator::with(|builder| builder.clock(clock.clone()));
    for count in 1..MAX_POLLS {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = client(&isolated, count);
        let done = runtime.block_on(async {
            client.license().await.unwrap();
            // Only the service's clock advances, so the client learns of the expiry from a 401.
            clock.advance(Duration::from_secs(301));
            let done = poll_times(client.license().send(), count).await;
            client.license().await.unwrap();
            done
        });
        if done.is_some() {
            let logins =
                isolated.sim.requests().into_iter().filter(|request| request.operation.as_deref() == Some("token"));
            // One login and one refresh per client: no rotated token was lost.
            assert_eq!(logins.count(), 2 * count);
            return;
        }
    }
    panic!("the call never completed");
}

#[test]
fn dropped_upload_from_path_leaves_nothing() {
    let isolated = IsolatedSimulator::start();
    let (folder, path) = study_on_disk();
    let dossier = isolated.dossier();
    let upload = move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
        Box::pin(dossier(&client).upload(Source::path(&path)).send())
    };
    drop_after_each_poll(&isolated, upload, || assert_eq!(file_names(folder.path()), ["study.pdf"]));
}

#[test]
fn dropped_save_leaves_no_partial_file() {
    drop_saves(false, |found| found.is_empty() || found == ["out.zip"]);
}

#[test]
fn dropped_resumable_save_keeps_part_with_sidecar() {
    drop_saves(true, |found| {
        found.is_empty() || found == ["out.zip"] || found == ["out.zip.part", "out.zip.part.json"]
    });
}

fn drop_saves(resumable: bool, is_clean: impl Fn(&[String]) -> bool) {
    let isolated = IsolatedSimulator::start();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.zip");
    let package = isolated.package();
    let save = {
        let target = target.clone();
        move |client: Client| -> BoxFuture<'static, documine::Result<_>> {
            let (operation, target) = (client.download(package.clone()).job(), target.clone());
            Box::pin(async move {
                let call = operation.wait().await?.save_to(target);
                if resumable { call.resumable(true).await } else { call.await }
            })
        }
    };
    drop_after_each_poll(&isolated, save, || {
        let found = file_names(folder.path());
        assert!(is_clean(&found), "{found:?}");
        if target.exists() {
            assert!(std::fs::read(&target).unwrap().starts_with(b"PK"));
            std::fs::remove_file(&target).unwrap();
        }
    });
}
