//! Placement of the client secret in requests to the identity provider: form or header (RFC 6749 section 2.3.1), never both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use documine::{
    Client, ClientBuilder, Credentials,
    auth::{ClientAuthMethod, TokenSet},
};
use documine_sim::idp::ClientAuth;
use serde_json::{Value, json};

use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::scripted::{self, request_body};
use crate::harness::test_env::{self, TestEnv};

const ID: &str = "my client:1";
const SECRET: &str = "p&ss+%: ü";
const BASIC: &str = "my+client%3A1:p%26ss%2B%25%3A+%C3%BC";

/// Returns the location of the client secret in a request: `form`, `header`, `both` or `none`.
fn secret_location(request: &str) -> &'static str {
    let (head, form) = request.split_once("\r\n\r\n").unwrap();
    let header = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.strip_prefix("Basic ").unwrap().to_owned())
    });
    let fields: Vec<_> = reqwest::Url::parse(&format!("form:?{form}")).unwrap().query_pairs().into_owned().collect();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    if let Some(header) = &header {
        assert_eq!(String::from_utf8(STANDARD.decode(header).unwrap()).unwrap(), BASIC);
    }
    if let Some(secret) = field("client_secret") {
        assert_eq!((field("client_id").as_deref(), secret.as_str()), (Some(ID), SECRET));
    }
    match (field("client_secret").is_some(), header.is_some()) {
        (true, true) => "both",
        (true, false) => "form",
        (false, true) => "header",
        (false, false) => "none",
    }
}

/// Returns the location of the secret in each request to the provider.
fn secret_locations(provider: &CannedServer) -> Vec<&'static str> {
    provider
        .requests()
        .iter()
        .filter(|request| request.starts_with("POST "))
        .map(|request| secret_location(request))
        .collect()
}

/// Starts a provider that accepts the secret in the header only and sends `refusal` otherwise; `metadata` extends its discovery document.
async fn basic_only(refusal: Vec<u8>, metadata: Value) -> CannedServer {
    CannedServer::respond_with(move |head| {
        let lower = head.to_ascii_lowercase();
        let host = lower.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
        if head.starts_with("GET /.well-known/") {
            let issuer = format!("http://{host}");
            let mut document = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token"),
                "device_authorization_endpoint": format!("{issuer}/device"), "revocation_endpoint": format!("{issuer}/revoke")});
            document.as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
            return json_response(&document.to_string());
        }
        if head.starts_with("GET ") {
            return json_response("{}");
        }
        if !lower.contains("authorization: basic ") {
            return refusal.clone();
        }
        match head.split(' ').nth(1).unwrap() {
            "/device" => json_response(
                r#"{"device_code":"d","user_code":"u","verification_uri":"https://login.example","expires_in":60}"#,
            ),
            "/revoke" => response("200 OK", &[], ""),
            _ => json_response(r#"{"access_token":"a-1","refresh_token":"r-1","expires_in":60}"#),
        }
    })
    .await
}

fn invalid_client(status: &str) -> Vec<u8> {
    response(status, &["Content-Type: application/json"], r#"{"error":"invalid_client"}"#)
}

async fn builder(provider: &CannedServer) -> (ClientBuilder, test_env::SimulatedTime) {
    let (builder, time) = scripted::builder(&provider.base).await;
    (builder.token_path("/token").device_path("/device").revocation_path("/revoke"), time)
}

fn robot_credentials() -> Credentials {
    Credentials::password(ID, "robot", "pa55").client_secret(SECRET)
}

#[tokio::test]
async fn sends_secret_in_header_when_discovery_allows_only_basic() {
    let cases = [
        (json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}), vec!["header"]),
        (json!({"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"]}), vec!["header"]),
        (json!({"token_endpoint_auth_methods_supported": "client_secret_basic"}), vec!["header"]),
        (json!({"token_endpoint_auth_methods_supported": [7, null, "client_secret_basic"]}), vec!["header"]),
        // Discovery describes the provider, not each client.
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}),
            vec!["form", "header"],
        ),
        (json!({"token_endpoint_auth_methods_supported": null}), vec!["form", "header"]),
        (json!({}), vec!["form", "header"]),
    ];
    for (metadata, expected) in cases {
        let provider = basic_only(invalid_client("401 Unauthorized"), metadata.clone()).await;
        let (builder, _) = scripted::builder(&provider.base).await;
        let client = builder.discover(&provider.base).await.unwrap().credentials(robot_credentials()).build().unwrap();
        client.license().await.unwrap();
        assert_eq!(secret_locations(&provider), expected, "{metadata}");
    }
}

#[tokio::test]
async fn retries_once_with_header_after_invalid_client_and_remembers_method() {
    let refusals = [
        invalid_client("401 Unauthorized"),
        invalid_client("400 Bad Request"),
        invalid_client("200 OK"),
        response("401 Unauthorized", &["WWW-Authenticate: Basic realm=\"idp\""], ""),
        response("401 Unauthorized", &["WWW-Authenticate: basic"], "<html>"),
    ];
    for refusal in refusals {
        let shown = String::from_utf8_lossy(&refusal).into_owned();
        let provider = basic_only(refusal, json!({})).await;
        let (builder, time) = builder(&provider).await;
        let client = builder.credentials(robot_credentials()).build().unwrap();
        client.license().await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(secret_locations(&provider), ["form", "header"], "{shown}");
        // The same client and its clones keep the method for refresh and revocation.
        time.advance(61);
        client.clone().license().await.unwrap();
        client.log_out().await.unwrap();
        assert_eq!(secret_locations(&provider)[2..], ["header", "header"], "{shown}");
    }
}

#[tokio::test]
async fn accounts_share_the_auth_method_but_not_the_rejection_of_another_secret() {
    let provider = CannedServer::respond_with(|head| match head.starts_with("GET ") {
        true => json_response("{}"),
        false if head.contains(&STANDARD.encode(BASIC)) => json_response(r#"{"access_token":"a-1","expires_in":60}"#),
        false => invalid_client("401 Unauthorized"),
    })
    .await;
    let (builder, _) = builder(&provider).await;
    let service = builder.credentials(Credentials::none()).build().unwrap();
    for _ in 0..2 {
        service.with_credentials(robot_credentials()).unwrap().license().await.unwrap();
    }
    assert_eq!(secret_locations(&provider), ["form", "header", "header"]);
    let other_secret = robot_credentials().client_secret("wr0ng");
    service.with_credentials(other_secret).unwrap().license().await.unwrap_err();
    service.with_credentials(robot_credentials()).unwrap().license().await.unwrap();
}

#[tokio::test]
async fn uses_same_auth_method_for_device_login_and_its_polls() {
    let provider = basic_only(invalid_client("401 Unauthorized"), json!({})).await;
    let (builder, _) = builder(&provider).await;
    builder.login(ID).unwrap().client_secret(SECRET).device(|_| {}).await.unwrap();
    assert_eq!(secret_locations(&provider), ["form", "header", "header"]);
    let known = builder.client_auth_method(ClientAuthMethod::SecretBasic);
    known.login(ID).unwrap().client_secret(SECRET).device(|_| {}).await.unwrap();
    assert_eq!(secret_locations(&provider)[3..], ["header", "header"]);
    let login = known.login(ID).unwrap().client_secret(SECRET).authorization("http://127.0.0.1/callback").unwrap();
    let state = login.state().expose().to_owned();
    login.exchange_code("c0de", &state).await.unwrap();
    assert_eq!(secret_locations(&provider)[5..], ["header"]);
}

#[tokio::test]
async fn ignores_device_endpoint_when_choosing_auth_method() {
    let provider = CannedServer::respond_with(|head| {
        let path = head.split(' ').nth(1).unwrap();
        if path == "/device" {
            return json_response(
                r#"{"device_code":"d","user_code":"u","verification_uri":"https://login.example","expires_in":60}"#,
            );
        }
        if !head.to_ascii_lowercase().contains("authorization: basic ") {
            return invalid_client("401 Unauthorized");
        }
        json_response(r#"{"access_token":"a-1","expires_in":60}"#)
    })
    .await;
    let (builder, _) = builder(&provider).await;
    builder.login(ID).unwrap().client_secret(SECRET).device(|_| {}).await.unwrap();
    assert_eq!(secret_locations(&provider), ["form", "form", "header"]);
}

#[tokio::test]
async fn uses_only_configured_auth_method() {
    let provider = basic_only(
        invalid_client("401 Unauthorized"),
        json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
    )
    .await;
    let (builder, _) = scripted::builder(&provider.base).await;
    let form = builder.clone().client_auth_method(ClientAuthMethod::SecretPost).discover(&provider.base).await.unwrap();
    let error = form.credentials(robot_credentials()).build().unwrap().license().await.unwrap_err();
    assert!(error.needs_login(), "{error}");
    assert_eq!(secret_locations(&provider), ["form"]);
    let header = builder.token_path("/token").client_auth_method(ClientAuthMethod::SecretBasic);
    header.credentials(robot_credentials()).build().unwrap().license().await.unwrap();
    assert_eq!(secret_locations(&provider)[1..], ["header"]);
}

#[tokio::test]
async fn sends_wrong_secret_twice_at_first_and_once_afterwards() {
    let provider = CannedServer::respond_with(|_| invalid_client("401 Unauthorized")).await;
    let (builder, _) = builder(&provider).await;
    let store = documine::auth::MemoryStore::default();
    let old = TokenSet::new("0ld").refresh_token("r-1").expires_at(std::time::SystemTime::UNIX_EPOCH);
    let credentials = Credentials::tokens(ID, old).client_secret(SECRET).store(store);
    let client: Client = builder.credentials(credentials).build().unwrap();
    for _ in 0..2 {
        let error = client.license().await.unwrap_err();
        let shown = format!("{error} {error:?} {client:?}");
        assert!(shown.contains("invalid_client; check the client id"), "{shown}");
        for secret in [SECRET, "p%26ss", &STANDARD.encode(BASIC)] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    let secret_locations = secret_locations(&provider);
    assert_eq!(secret_locations[..2], ["form", "header"]);
    assert!(secret_locations[2..].iter().all(|secret_location| *secret_location == "form"), "{secret_locations:?}");
}

#[tokio::test]
async fn sends_other_rejected_and_public_requests_once() {
    for code in ["invalid_grant", "unauthorized_client", "invalid_request"] {
        let body = format!(r#"{{"error":"{code}"}}"#);
        let provider =
            CannedServer::respond_with(move |_| response("401 Unauthorized", &["WWW-Authenticate: Basic"], &body))
                .await;
        let (builder, _) = builder(&provider).await;
        builder.credentials(robot_credentials()).build().unwrap().license().await.unwrap_err();
        assert_eq!(secret_locations(&provider), ["form"], "{code}");
    }
    let provider = CannedServer::respond_with(|_| invalid_client("401 Unauthorized")).await;
    let (builder, _) = builder(&provider).await;
    let public = Credentials::password(ID, "robot", "pa55");
    for builder in [builder.clone(), builder.client_auth_method(ClientAuthMethod::SecretBasic)] {
        builder.credentials(public.clone()).build().unwrap().license().await.unwrap_err();
    }
    assert_eq!(secret_locations(&provider), ["none", "none"]);
    assert!(provider.requests().iter().all(|request| request_body(request).contains("client_id=my+client%3A1")));
}

#[tokio::test]
async fn redacts_credentials_echoed_by_provider() {
    let provider = CannedServer::respond_with(|head| {
        let sent = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization")).unwrap_or_default();
        let body =
            json!({"error": "invalid_client", "error_description": format!("{sent} {SECRET} p%26ss%2B%25%3A+%C3%BC")});
        response("401 Unauthorized", &["Content-Type: application/json"], &body.to_string())
    })
    .await;
    let (builder, _) = builder(&provider).await;
    for method in [ClientAuthMethod::SecretBasic, ClientAuthMethod::SecretPost] {
        let client = builder.clone().client_auth_method(method).credentials(robot_credentials()).build().unwrap();
        let error = client.license().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("[redacted]"), "{shown}");
        for secret in [SECRET, "p%26ss", &STANDARD.encode(BASIC)] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn logs_in_at_provider_that_accepts_one_auth_method() {
    for (allowed, tries) in [(ClientAuth::Basic, 2), (ClientAuth::Post, 1), (ClientAuth::Any, 1)] {
        let mut env = TestEnv::with(|builder| builder.client_auth(allowed)).await;
        env.allow_unauthenticated_requests();
        env.client.license().await.unwrap();
        let requests = env.requests("token").len();
        assert_eq!(requests, tries, "{allowed:?}");
        let issuer = format!("{}/auth/realms/{}", env.sim.base_url(), env.sim.workspace_id());
        env.builder().discover(&issuer).await.unwrap().build().unwrap().license().await.unwrap();
        assert_eq!(env.requests("token").len(), requests + 1, "{allowed:?}: discovery names the method");
    }
}
