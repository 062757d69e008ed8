//! Tests of the provider over loopback HTTP, with a manual clock.

#![allow(clippy::expect_used, clippy::panic)]

mod api;
mod code;
mod device;
mod password;
mod refresh;

use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, LOCATION};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::{ClientSettings, IdpConfig, Pkce, Provider, UserSettings};
use crate::clock::SimClock;

/// A verifier and its S256 challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CLIENT: [(&str, &str); 2] = [("client_id", "cli"), ("client_secret", "s&c+%t")];
const SPECIAL: &str = "p&ss+w%20rd =äöüß€";

struct TestRealm {
    provider: Provider,
    clock: SimClock,
    http: Client,
    origin: String,
}

/// A response, reduced to what the tests inspect.
struct TestResponse {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl TestResponse {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    fn token(&self, name: &str) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()[name].as_str().expect("the token").to_owned()
    }

    /// Returns status, error and description in one text.
    fn error(&self) -> String {
        let body = self.json();
        let part = |name: &str| body[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", self.status, part("error"), part("error_description"))
    }

    fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns a parameter of the redirect.
    fn redirect_parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.header(LOCATION)).expect("a redirect");
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Returns the action of the page's form.
    fn form_action(&self) -> String {
        let (_, rest) = self.text.split_once("action=\"").unwrap_or_else(|| panic!("no form: {}", self.text));
        rest.split('"').next().expect("an end").replace("&amp;", "&")
    }
}

impl TestRealm {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut IdpConfig)) -> Self {
        let clock = SimClock::manual();
        let mut config = IdpConfig::new("acme", clock.clone());
        config.client_id = "cli".to_owned();
        config.client_secret = Some("s&c+%t".to_owned());
        config.username = "alice".to_owned();
        config.password = SPECIAL.to_owned();
        let mut disabled = UserSettings::new("dora", "pw");
        disabled.enabled = false;
        let mut unfinished = UserSettings::new("udo", "pw");
        unfinished.set_up = false;
        config.users = vec![disabled, unfinished];
        let mut narrow = ClientSettings::public("narrow");
        (narrow.password_grant, narrow.device_grant) = (false, false);
        config.clients = vec![narrow, ClientSettings::public("public").with_pkce(Pkce::Required)];
        change(&mut config);
        let provider = Provider::new(config);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let router = provider.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client");
        Self { provider, clock, http, origin }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/auth/realms/acme/{path}", self.origin)
    }

    fn endpoint(&self, path: &str) -> String {
        self.url(&format!("protocol/openid-connect/{path}"))
    }

    async fn get(&self, url: &str) -> TestResponse {
        send(self.http.get(url)).await
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> TestResponse {
        send(with_form(self.http.post(url), form)).await
    }

    /// Calls the token endpoint as the main client.
    async fn token(&self, form: &[(&str, &str)]) -> TestResponse {
        self.post(&self.endpoint("token"), &[&CLIENT, form].concat()).await
    }

    async fn log_in(&self, scope: &str) -> TestResponse {
        self.token(&[("grant_type", "password"), ("username", "alice"), ("password", SPECIAL), ("scope", scope)]).await
    }

    async fn refresh(&self, token: &str) -> TestResponse {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn with_form(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

async fn send(request: RequestBuilder) -> TestResponse {
    let response: Response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    TestResponse { status, headers, text: response.text().await.expect("a body") }
}

#[tokio::test]
async fn discovery_uses_the_host_of_the_request() {
    let realm = TestRealm::new().await;
    let found = realm.get(&realm.url(".well-known/openid-configuration")).await.json();
    assert_eq!(found["issuer"], realm.url("").trim_end_matches('/'));
    assert_eq!(found["token_endpoint"], realm.endpoint("token"));
    assert_eq!(found["device_authorization_endpoint"], realm.endpoint("auth/device"));
    assert_eq!(found["authorization_response_iss_parameter_supported"], true);
    let renamed = realm.http.get(realm.url(".well-known/openid-configuration")).header(HOST, "idp.test:81");
    assert_eq!(send(renamed).await.json()["issuer"], "http://idp.test:81/auth/realms/acme");
}

#[tokio::test]
async fn wrong_paths_and_methods_respond_like_keycloak() {
    let realm = TestRealm::new().await;
    for path in ["token", "auth", "certs"] {
        let other = realm.get(&format!("{}/auth/realms/other/protocol/openid-connect/{path}", realm.origin)).await;
        if path != "token" {
            assert_eq!((other.status, other.text.as_str()), (404, r#"{"error":"Realm does not exist"}"#));
        }
    }
    let other = realm.post(&format!("{}/auth/realms/other/protocol/openid-connect/token", realm.origin), &[]).await;
    assert_eq!((other.status, other.text.as_str()), (404, r#"{"error":"Realm does not exist"}"#));
    let wrong_base = realm.get(&format!("{}/realms/acme/protocol/openid-connect/certs", realm.origin)).await;
    assert_eq!(wrong_base.status, 404);
    assert!(wrong_base.header(CONTENT_TYPE).starts_with("text/html"));
    let method = realm.get(&realm.endpoint("token")).await;
    assert_eq!((method.status, method.text.as_str()), (405, r#"{"error":"HTTP 405 Method Not Allowed"}"#));
}
