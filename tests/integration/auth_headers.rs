//! Token and tenant headers: every API request carries them, and no other host receives them.

use std::time::SystemTime;

use documine::{Client, Credentials, DossierFields, ErrorKind, PackageRequest, Source, auth::TokenSet};

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::pdf_fixtures::INVOICE;
use crate::harness::test_env::{TestEnv, header, is_operation};

#[tokio::test]
async fn every_operation_sends_token_and_tenant() {
    let env = TestEnv::new().await;
    let client = &env.client;
    client.dossier_templates().await.unwrap();
    env.template().get().await.unwrap();
    env.template().dossiers().await.unwrap();
    let dossier = env.template().create_dossier(DossierFields::named("Q3")).await.unwrap();
    dossier.get().await.unwrap();
    let file = dossier.upload(Source::bytes("a.pdf", INVOICE)).await.unwrap().wait_until_processed().await.unwrap();
    dossier.files().await.unwrap();
    file.components().await.unwrap();
    #[cfg(has = "getDossierComponents")]
    dossier.components().await.unwrap();
    let package = file.create_package(PackageRequest::default()).await.unwrap().wait().await.unwrap();
    let _ = dossier.create_files_package([file.id()], PackageRequest::default()).await.unwrap();
    let _ = dossier.create_package(PackageRequest::default()).await.unwrap();
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

    let requests = env.sim.requests();
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
        assert_eq!(header(request, "x-tenant-id").as_deref(), Some(env.sim.workspace_id()), "{at}");
        assert!(header(request, "authorization").is_some_and(|value| value.starts_with("Bearer ")), "{at}");
        assert!(header(request, "user-agent").is_some_and(|value| value.starts_with("documine-rust/")), "{at}");
        assert_eq!(header(request, "api-version"), None, "{at}");
    }
}

#[tokio::test]
async fn identity_provider_receives_no_token_and_no_tenant() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    env.time.advance(301);
    env.client.license().await.unwrap();
    let requests = env.requests("token");
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(header(&request, "authorization"), None);
        assert_eq!(header(&request, "x-tenant-id"), None);
        assert_eq!(request.query.unwrap_or_default(), "");
    }
}

#[tokio::test]
async fn does_not_follow_redirect_to_another_origin() {
    let other_server = CannedServer::respond_with(|_| json_response("{}")).await;
    let location = format!("Location: {}/api/license", other_server.base);
    let service = CannedServer::respond_with(move |_| response("302 Found", &[&location], "")).await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::access_token("t0p-s3cret"))
        .build()
        .unwrap();
    let error = client.license().await.unwrap_err();
    assert_eq!(error.to_string(), "getLicense: 302 Found: redirect not followed; check the base URL");
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!((service.requests().len(), other_server.requests().len()), (1, 0));
    assert!(!format!("{error:?}").contains("t0p-s3cret"));
}

#[tokio::test]
async fn does_not_follow_redirects_of_provider_endpoints() {
    let other_server =
        CannedServer::respond_with(|_| json_response(r#"{"access_token":"stolen","token_type":"Bearer"}"#)).await;
    let other_host = other_server.base.trim_start_matches("http:");
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        // Another port, a scheme-relative URL, a URL with user info, and another scheme.
        for target in [
            format!("http:{other_host}/t"),
            other_host.to_owned(),
            other_host.replace("//", "http://good.example@"),
            format!("https:{other_host}"),
        ] {
            let location = format!("Location: {target}");
            let service = CannedServer::respond_with(move |_| response(status, &[&location], "")).await;
            let builder = || Client::builder(&service.base).workspace("acme");
            let login = || builder().login("c").unwrap().client_secret("s3cret-word");
            let tokens = TokenSet::new("a").refresh_token("r").expires_at(SystemTime::UNIX_EPOCH);
            let client = |credentials| builder().credentials(credentials).build().unwrap();
            let outcomes = [
                client(Credentials::password("c", "u", "s3cret-word")).license().await.map(drop),
                client(Credentials::tokens("c", tokens.clone())).license().await.map(drop),
                client(Credentials::tokens("c", tokens)).log_out().await.map(drop),
                login().device(|_| ()).await.map(drop),
                login()
                    .authorization("http://127.0.0.1/callback")
                    .unwrap()
                    .finish_with_pasted("the-code")
                    .await
                    .map(drop),
            ];
            let paths: Vec<_> =
                service.requests().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
            let realm = "/auth/realms/acme/protocol/openid-connect";
            let expected =
                ["token", "token", "revoke", "logout", "auth/device", "token"].map(|path| format!("{realm}/{path}"));
            assert_eq!(paths, expected, "{status} {target}");
            for outcome in outcomes {
                assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Auth, "{status} {target}");
            }
            assert_eq!(other_server.requests(), Vec::<String>::new(), "{status} {target}");
        }
    }
}

#[cfg(has = "getUsers")]
#[tokio::test]
async fn link_to_another_origin_receives_no_token() {
    let other_server = CannedServer::respond_with(|_| json_response(r#"{"users":[{"id":"x"}]}"#)).await;
    let link = format!("Link: <{}/api/users?page=2>; rel=\"next\"", other_server.base);
    let service = CannedServer::respond_with(move |head| {
        let next: &[&str] = if head.contains("?page=2 ") { &[] } else { &[&link] };
        let headers = [&["Content-Type: application/json"], next].concat();
        response("200 OK", &headers, r#"{"users":[{"id":"a"}]}"#)
    })
    .await;
    let client = Client::builder(&service.base)
        .workspace("acme")
        .credentials(Credentials::access_token("t0p-s3cret"))
        .build()
        .unwrap();
    // The second page comes from the configured service.
    assert_eq!(client.users().await.unwrap().len(), 2);
    assert_eq!((service.requests().len(), other_server.requests().len()), (2, 0));
}

#[tokio::test]
async fn reports_rejection_of_another_workspace() {
    let env = TestEnv::new().await;
    env.client.license().await.unwrap();
    let path = format!("/auth/realms/{}/protocol/openid-connect/token", env.sim.workspace_id());
    let mut env = env;
    env.allow_unauthenticated_requests();
    let other = env.builder().workspace("other").token_path(path).build().unwrap();
    let error = other.license().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    assert!(error.to_string().starts_with("getLicense: 403 Forbidden: "), "{error}");
}

#[tokio::test]
async fn sends_app_info_in_user_agent() {
    let env = TestEnv::new().await;
    env.builder().app_info("my-robot", "1.2.3").build().unwrap().license().await.unwrap();
    let agent = header(&env.requests("getLicense")[0], "user-agent").unwrap();
    assert!(agent.starts_with("documine-rust/") && agent.ends_with(" my-robot/1.2.3"), "{agent}");
}
