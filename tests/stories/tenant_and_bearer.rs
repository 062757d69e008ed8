//! Who is told the token, and that everybody who should be is.

use documine::{Client, Credentials, ErrorKind, NewDossier, PackageContent, Source};

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
    assert_eq!(
        error.to_string(),
        "getLicense: 302 Found: the service points elsewhere, which is not followed; check the base URL"
    );
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!((service.requests().len(), elsewhere.requests().len()), (1, 0));
    assert!(!format!("{error:?}").contains("t0p-s3cret"));
}

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let elsewhere = Canned::answering(|_| json(r#"{"access_token":"stolen","token_type":"Bearer"}"#)).await;
    let location = format!("Location: {}/token", elsewhere.base);
    let service = Canned::answering(move |_| answer("307 Temporary Redirect", &[&location], "")).await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::password("c", "u", "s3cret-word"))
        .build()
        .unwrap();
    let error = client.license().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(
        error.to_string(),
        "login with a password: the identity provider answered 307 Temporary Redirect without saying why"
    );
    assert_eq!((service.requests().len(), elsewhere.requests().len()), (1, 0));
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn a_link_to_another_origin_is_not_followed() {
    let elsewhere = Canned::answering(|_| json(r#"{"users":[{"id":"x"}]}"#)).await;
    let link = format!("Link: <{}/api/users?page=2>; rel=\"next\"", elsewhere.base);
    let service = Canned::answering(move |_| {
        answer("200 OK", &["Content-Type: application/json", &link], r#"{"users":[{"id":"a"}]}"#)
    })
    .await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::access_token("t0p-s3cret"))
        .build()
        .unwrap();
    let error = client.users().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("getUsers: the request goes to {}, but this client talks to {} only", elsewhere.base, service.base)
    );
    assert_eq!((service.requests().len(), elsewhere.requests().len()), (1, 0));
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
