//! Every public future and stream is `Send`, and every stream is `Unpin`. The compiler asserts it; nothing is sent except by the last test.

use std::future::IntoFuture;

use documine::{
    Client, Credentials, DossierFields, DownloadFileType, Package, PackageJob, PackageRequest, Source, Uploaded,
    auth::TokenSet,
    package::PackageArchive,
    wait::{PollState, Wait},
};
use futures_util::{Stream, StreamExt};

use crate::harness::pdf_fixtures::STUDY;
use crate::harness::test_env::{TestEnv, originals};

fn assert_future<F>(_: F)
where
    F: IntoFuture,
    F::IntoFuture: Send + 'static,
    F::Output: Send,
{
}

fn assert_stream<S: Stream + Unpin + Send + 'static>(_: S)
where
    S::Item: Send,
{
}

fn assert_shareable<T: Clone + Send + Sync + 'static>(_: &T) {}

fn client() -> Client {
    Client::builder("https://acme.example")
        .workspace("acme")
        .credentials(Credentials::access_token("t"))
        .build()
        .unwrap()
}

#[test]
fn calls_and_lists_are_send() {
    let client = client();
    assert_shareable(&client);
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    let dossier = template.dossier("d".parse::<documine::models::DossierId>().unwrap());
    let file = dossier.file("f".parse::<documine::models::FileId>().unwrap());
    let download = client.download("p".parse::<documine::models::DownloadId>().unwrap());
    assert_shareable(&template);
    assert_shareable(&dossier);
    assert_shareable(&file);
    assert_shareable(&download);
    let package = || PackageRequest::file_types([DownloadFileType::Original]);

    assert_future(client.dossier_templates());
    assert_future(template.get());
    assert_future(template.dossiers());
    assert_future(template.create_dossier(DossierFields::named("a")));
    assert_future(template.find_or_create_dossier(DossierFields::named("a")));
    assert_future(dossier.get());
    assert_future(dossier.update(DossierFields::named("b")));
    assert_future(dossier.delete());
    assert_future(dossier.upload(Source::bytes("a.pdf", "x")));
    assert_future(dossier.upload(Source::path("a.pdf")).send());
    assert_future(dossier.upload_all(["a.pdf"]));
    assert_future(dossier.upload_all(["a.pdf"]).send());
    assert_future(dossier.files());
    assert_future(dossier.wait_until_processed());
    assert_future(dossier.wait_until_processed().send());
    assert_future(dossier.wait_until_processed().poll_once());
    assert_future(file.get());
    assert_future(file.delete().permanently(true));
    assert_future(file.wait_until_processed());
    assert_future(file.components());
    assert_future(file.components_xml());
    assert_future(dossier.components());
    assert_future(dossier.components_xml());
    assert_future(file.create_package(package()));
    assert_future(dossier.create_package(package()));
    assert_future(dossier.create_files_package([file.id()], package()));
    assert_future(client.downloads());
    assert_future(download.get());
    assert_future(download.delete());
    assert_future(client.users());
    assert_future(client.license());
    assert_future(client.license_usage());
    assert_future(client.request(http::Method::GET, "/api/license", None));
    assert_future(template.get().send());
    assert_future(client.users().collect());
    // The raw client borrows, so the task takes ownership of it.
    let raw = client.raw();
    assert_future(async move { raw.get_users().send().await });
}

#[test]
fn streams_are_send_and_unpin() {
    let client = client();
    let dossier = client
        .dossier_template("t".parse::<documine::DossierTemplateId>().unwrap())
        .dossier("d".parse::<documine::models::DossierId>().unwrap());
    assert_stream(client.users().stream());
    assert_stream(dossier.upload_all(["a.pdf"]).stream());
    assert_stream(client.users().pages());
    assert_stream(client.users().stream_each());
    assert_stream(dossier.files().stream());
    assert_stream(dossier.wait_until_processed().states());
    assert_stream(dossier.components().extract::<Vec<(String, Vec<String>)>>());
}

#[test]
fn handles_and_results_are_send() {
    fn uploaded(uploaded: &'static Uploaded) {
        assert_shareable(uploaded);
        assert_future(uploaded.wait_until_processed());
        assert_future(uploaded.status());
    }
    fn operation(operation: &PackageJob) {
        assert_shareable(operation);
        assert_future(operation.poll_once());
        assert_future(operation.wait());
        assert_future(operation.cancel());
        assert_stream(operation.wait().states());
    }
    fn streams(package: documine::transfer::PackageStream, entry: documine::package::EntryStream) {
        assert_stream(package);
        assert_stream(entry);
    }
    fn package(package: &'static Package) {
        assert_shareable(package);
        assert_future(package.stream());
        assert_future(package.save_to("a.zip").resumable(true));
        assert_future(package.save_in("folder"));
        assert_future(package.save_into(Vec::new()));
        assert_future(package.open());
        assert_future(package.delete());
    }
    fn contents(contents: &'static PackageArchive) {
        assert_future(PackageArchive::open("a.zip"));
        assert_future(contents.read("x"));
        assert_future(contents.unpack_to("a"));
        assert_future(contents.report());
        assert_future(contents.components());
        assert_future(contents.check());
    }
    fn assert_send<T: Send + 'static>() {}
    let login = || Client::builder("https://acme.example").workspace("acme").login("laptop").unwrap();
    assert_future(Client::builder("https://acme.example").discover("https://login.example"));
    assert_future(login().device(|_| {}));
    assert_future(login().browser(documine::auth::Loopback::default(), |_| {}));
    let authorization = || login().authorization("http://127.0.0.1/callback").unwrap();
    assert_future(authorization().finish_with_redirect("code=a&state=b"));
    assert_future(authorization().exchange_code("a", "b"));
    // Compiling these functions is the assertion.
    let _ = (uploaded as fn(_), operation as fn(_), package as fn(_), contents as fn(_), streams as fn(_, _));
    assert_send::<Wait<Package>>();
    assert_send::<documine::wait::States<Package>>();
    assert_send::<documine::wait::WaitError>();
    assert_send::<documine::Error>();
    assert_send::<TokenSet>();
    assert_send::<documine::Components>();
}

#[test]
fn futures_can_be_spawned_joined_and_blocked_on() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let env = runtime.block_on(TestEnv::new());
    let dossier = runtime.block_on(env.dossier());
    let uploaded = runtime.block_on(dossier.upload(Source::bytes("study.pdf", STUDY)).send()).unwrap();
    let file = runtime.block_on(uploaded.wait_until_processed().send()).unwrap();
    runtime.block_on(async {
        let job = dossier.create_package(originals()).await.unwrap();
        let waiting = tokio::spawn(job.wait().send());
        let polled = tokio::spawn(job.poll_once());
        let listed = tokio::spawn(dossier.files().collect());
        let (found, states, files) = futures_util::join!(
            file.get().send(),
            file.wait_until_processed().states().collect::<Vec<_>>(),
            dossier.wait_until_processed().send(),
        );
        assert_eq!(found.unwrap().id, *file.id());
        assert!(matches!(&states[..], [Ok(PollState::Done(done))] if done.id() == file.id()));
        assert_eq!(files.unwrap(), listed.await.unwrap().unwrap());
        polled.await.unwrap().unwrap();
        let package = waiting.await.unwrap().unwrap();
        // Streams are `Unpin`.
        let first = package.stream().await.unwrap().next().await.unwrap().unwrap();
        assert!(first.starts_with(b"PK"));
        tokio::spawn(job.cancel().send()).await.unwrap().unwrap();
    });
}
