//! Whatever is awaited may be awaited in a task of its own: every public future and stream is `Send`. Asserted by the compiler; nothing is sent.

use std::future::IntoFuture;

use documine::{
    Client, Contents, Credentials, DownloadFileType, NewDossier, Operation, Package, PackageContent, Source, TokenSet,
    Uploaded, Wait,
};
use futures_util::Stream;

fn future<F>(_: F)
where
    F: IntoFuture,
    F::IntoFuture: Send + 'static,
    F::Output: Send,
{
}

fn stream<S: Stream + Send + 'static>(_: S)
where
    S::Item: Send,
{
}

fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}

fn client() -> Client {
    Client::builder("https://acme.example")
        .workspace("acme")
        .credentials(Credentials::access_token("t"))
        .build()
        .unwrap()
}

#[test]
fn calls_and_lists() {
    let client = client();
    shared(&client);
    let template = client.dossier_template("t".parse::<documine::DossierTemplateId>().unwrap());
    let dossier = template.dossier("d".parse::<documine::DossierId>().unwrap());
    let file = dossier.file("f".parse::<documine::FileId>().unwrap());
    let download = client.download("p".parse::<documine::DownloadId>().unwrap());
    shared(&template);
    shared(&dossier);
    shared(&file);
    shared(&download);
    let package = || PackageContent::file_types([DownloadFileType::Original]);

    future(client.dossier_templates());
    future(template.get());
    future(template.dossiers());
    future(template.create_dossier(NewDossier::named("a")));
    future(dossier.get());
    future(dossier.update(NewDossier::named("b")));
    future(dossier.delete());
    future(dossier.upload(Source::bytes("a.pdf", "x")));
    future(dossier.upload(Source::path("a.pdf")).send());
    future(dossier.files());
    future(dossier.processed());
    future(file.get());
    future(file.delete().permanently());
    future(file.processed());
    future(file.components());
    future(file.components_xml());
    future(dossier.components());
    future(dossier.components_xml());
    future(file.create_package(package()));
    future(dossier.create_package(package()));
    future(dossier.create_files_package([file.id()], package()));
    future(client.downloads());
    future(download.get());
    future(download.delete());
    future(client.users());
    future(client.license());
    future(client.license_usage());
    future(client.request(http::Method::GET, "/api/license", None));
    future(template.get().send());
    future(client.users().collect());
    // The generated client borrows; a task of its own takes it along.
    let raw = client.raw();
    future(async move { raw.get_users().send().await });
}

#[test]
fn streams() {
    let client = client();
    let dossier = client
        .dossier_template("t".parse::<documine::DossierTemplateId>().unwrap())
        .dossier("d".parse::<documine::DossierId>().unwrap());
    stream(client.users().stream());
    stream(client.users().pages());
    stream(client.users().stream_each());
    stream(dossier.files().stream());
    stream(dossier.processed().states());
    stream(dossier.components().extract::<Vec<(String, Vec<String>)>>());
}

#[test]
fn what_only_a_service_can_give() {
    fn uploaded(uploaded: &'static Uploaded) {
        shared(uploaded);
        future(uploaded.processed());
        future(uploaded.status());
    }
    fn operation(operation: &'static Operation<Package>) {
        shared(operation);
        future(operation.poll_once());
        future(operation.wait());
        future(operation.cancel());
        stream(operation.wait().states());
    }
    fn package(package: &'static Package) {
        shared(package);
        future(package.stream());
        future(package.save_to("a.zip").resumable());
        future(package.save_in("folder"));
        future(package.save_into(Vec::new()));
        future(package.open());
        future(package.delete());
    }
    fn contents(contents: &'static Contents) {
        future(Contents::open("a.zip"));
        future(contents.read("x"));
        future(contents.unpack_to("a"));
        future(contents.report());
        future(contents.components());
        future(contents.check());
    }
    fn sendable<T: Send + 'static>() {}
    let login = || Client::builder("https://acme.example").workspace("acme").login("laptop").unwrap();
    future(Client::builder("https://acme.example").discover("https://login.example"));
    future(login().device(|_| {}));
    future(login().browser(documine::Loopback::default(), |_| {}));
    let authorization = || login().authorization("http://127.0.0.1/callback").unwrap();
    future(authorization().redirected("code=a&state=b"));
    future(authorization().exchange("a", "b"));
    // That they compile is all that is asked of them.
    let _ = (uploaded as fn(_), operation as fn(_), package as fn(_), contents as fn(_));
    sendable::<documine::PackageStream>();
    sendable::<documine::package::EntryStream>();
    sendable::<Wait<Package>>();
    sendable::<documine::WaitError>();
    sendable::<documine::Error>();
    sendable::<TokenSet>();
    sendable::<documine::Components>();
}
