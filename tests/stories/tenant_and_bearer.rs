//! Who is told the token, and that everybody who should be is.

use std::time::SystemTime;

use documine::{Client, Credentials, ErrorKind, NewDossier, PackageContent, Source, TokenSet};

use crate::canned::{Canned, answer, json};
use crate::paper::INVOICE;
use crate::world::{World, header, is_operation};

#[tokio::test]
async fn token_and_tenant_go_with_every_request_of_every_operation() {
    let world = World::new().await;
    let client = &world.client;
    client.dossier_templates().await.unwrap();
    world.template().get().await.unwrap();
    world.template().dossiers().await.unwrap();
    let dossier = world.template().create_dossier(NewDossier::named("Q3")).await.unwrap();
    dossier.get().await.unwrap();
    let file = dossier.upload(Source::bytes("a.pdf", INVOICE)).await.unwrap().processed().await.unwrap();
    dossier.files().await.unwrap();
    file.components().await.unwrap();
    #[cfg(has = "getDossierComponents")]
    dossier.components().await.unwrap();
    let package = file.create_package(PackageContent::default()).await.unwrap().wait().await.unwrap();
    let _ = dossier.create_files_package([file.id()], PackageContent::default()).await.unwrap();
    let _ = dossier.create_package(PackageContent::default()).await.unwrap();
    #[cfg(has = "getDownloads")]
    client.downloads().await.unwrap();
    drop(package.stream().await.unwrap());
    package.delete().await.unwrap();
    file.delete().await.unwrap();
    dossier.delete().await.unwrap();
    #[cfg(has = "getUsers")]
    client.users().await.unwrap();
    client.license().await.unwrap();
    client.license_usage().await.unwrap();

    let requests = world.sim.requests();
    let known = documine::api::operations::OPERATIONS.iter().filter(|known| known.canonical && !known.missing);
    for operation in known {
        assert!(
            requests.iter().any(|request| request.operation.as_deref() == Some(operation.id)),
            "{} was not called",
            operation.id
        );
    }
    for request in requests.iter().filter(|request| is_operation(request)) {
        let at = format!("{} {}", request.method, request.path);
        assert!(request.status < 300, "{at}: {}", request.status);
        assert_eq!(header(request, "x-tenant-id").as_deref(), Some(world.sim.workspace_id()), "{at}");
        assert!(header(request, "authorization").is_some_and(|value| value.starts_with("Bearer ")), "{at}");
        assert!(header(request, "user-agent").is_some_and(|value| value.starts_with("documine-rust/")), "{at}");
        assert_eq!(header(request, "api-version"), None, "{at}");
    }
}

#[tokio::test]
async fn the_identity_provider_gets_no_token_and_no_tenant() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    world.time.pass(301);
    world.client.license().await.unwrap();
    let requests = world.requests("token");
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(header(&request, "authorization"), None);
        assert_eq!(header(&request, "x-tenant-id"), None);
        assert_eq!(request.query.unwrap_or_default(), "");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Canned::answering(|_| json("{}")).await;
    let location = format!("Location: {}/api/license", elsewhere.base);
    let service = Canned::answering(move |_| answer("302 Found", &[&location], "")).await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::access_token("t0p-s3cret"))
        .build()
        .unwrap();
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 302 Found: redirect not followed; check the base URL");
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!((service.requests().len(), elsewhere.requests().len()), (1, 0));
    assert!(!format!("{error:?}").contains("t0p-s3cret"));
}

#[tokio::test]
async fn no_endpoint_of_the_provider_is_left_for_another_place() {
    let elsewhere = Canned::answering(|_| json(r#"{"access_token":"stolen","token_type":"Bearer"}"#)).await;
    let there = elsewhere.base.trim_start_matches("http:");
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        // Another port; by a leading `//`; by way of a user name; by another scheme.
        for target in [
            format!("http:{there}/t"),
            there.to_owned(),
            there.replace("//", "http://good.example@"),
            format!("https:{there}"),
        ] {
            let location = format!("Location: {target}");
            let service = Canned::answering(move |_| answer(status, &[&location], "")).await;
            let builder = || Client::builder(&service.base).workspace("acme");
            let login = || builder().login("c").unwrap().client_secret("s3cret-word");
            let kept = TokenSet::new("a").refresh_token("r").expires_at(SystemTime::UNIX_EPOCH);
            let client = |credentials| builder().credentials(credentials).build().unwrap();
            let ends = [
                client(Credentials::password("c", "u", "s3cret-word")).license().await.map(drop),
                client(Credentials::tokens("c", kept.clone())).license().await.map(drop),
                client(Credentials::tokens("c", kept)).log_out().await.map(drop),
                login().device(|_| ()).await.map(drop),
                login().authorization("http://127.0.0.1/callback").unwrap().pasted("the-code").await.map(drop),
            ];
            let asked: Vec<_> =
                service.requests().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
            let realm = "/auth/realms/acme/protocol/openid-connect";
            let expected =
                ["token", "token", "revoke", "logout", "auth/device", "token"].map(|end| format!("{realm}/{end}"));
            assert_eq!(asked, expected, "{status} {target}");
            for end in ends {
                assert_eq!(end.unwrap_err().kind(), ErrorKind::Auth, "{status} {target}");
            }
            assert_eq!(elsewhere.requests(), Vec::<String>::new(), "{status} {target}");
        }
    }
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn a_link_to_another_origin_takes_no_token_there() {
    let elsewhere = Canned::answering(|_| json(r#"{"users":[{"id":"x"}]}"#)).await;
    let link = format!("Link: <{}/api/users?page=2>; rel=\"next\"", elsewhere.base);
    let service = Canned::answering(move |head| {
        let next: &[&str] = if head.contains("?page=2 ") { &[] } else { &[&link] };
        let headers = [&["Content-Type: application/json"], next].concat();
        answer("200 OK", &headers, r#"{"users":[{"id":"a"}]}"#)
    })
    .await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::access_token("t0p-s3cret"))
        .build()
        .unwrap();
    // The second page is the configured service's own.
    assert_eq!(client.users().await.unwrap().len(), 2);
    assert_eq!((service.requests().len(), elsewhere.requests().len()), (2, 0));
}

#[tokio::test]
async fn another_workspace_is_refused_by_the_service_and_said_so() {
    let world = World::new().await;
    world.client.license().await.unwrap();
    let path = format!("/auth/realms/{}/protocol/openid-connect/token", world.sim.workspace_id());
    let mut world = world;
    world.allow_bare_requests();
    let other = world.builder().workspace("other").token_path(path).build().unwrap();
    let error = other.license().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    assert!(error.to_string().starts_with("getLicense: 403 Forbidden: "), "{error}");
}

#[tokio::test]
async fn the_program_can_name_itself() {
    let world = World::new().await;
    world.builder().app_info("my-robot", "1.2.3").build().unwrap().license().await.unwrap();
    let agent = header(&world.requests("getLicense")[0], "user-agent").unwrap();
    assert!(agent.starts_with("documine-rust/") && agent.ends_with(" my-robot/1.2.3"), "{agent}");
}
