//! OpenID Connect discovery: endpoints come from the issuer's document, and a hostile document receives no requests.

use documine::{Client, ClientBuilder, Credentials, ErrorKind};
use serde_json::{Value, json};

use crate::harness::assertions::assert_error;
use crate::harness::canned_server::{CannedServer, json_response, response};
use crate::harness::login::{log_in_on_page, query_field};
use crate::harness::scripted::request_lines;
use crate::harness::test_env::TestEnv;

/// Starts an issuer whose discovery document is the result of `respond` for the issuer's URL.
async fn issuer(respond: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> CannedServer {
    CannedServer::respond_with(move |head| {
        let host = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        respond(&format!("http://{}/realms/r", host.unwrap_or_default()))
    })
    .await
}

/// Returns a valid discovery document.
fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "device_authorization_endpoint": format!("{issuer}/device"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "more": [1, null, {"of": "the same"}],
    })
}

fn builder() -> ClientBuilder {
    Client::builder("https://acme.example").workspace("acme").credentials(Credentials::access_token("0wn-t0ken"))
}

async fn discover(provider: &CannedServer) -> documine::Result<ClientBuilder> {
    builder().discover(&format!("{}/realms/r", provider.base)).await
}

/// Returns the authorization, token and device endpoints of the built client.
fn endpoints(builder: ClientBuilder) -> [String; 3] {
    let shown = format!("{:?}", builder.build().unwrap());
    ["authorization_endpoint", "token_endpoint", "device_endpoint"].map(|name| {
        let (_, rest) = shown.split_once(&format!("{name}: \"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    })
}

#[tokio::test]
async fn discovers_provider_endpoints() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let issuer = format!("{}/auth/realms/{}", env.sim.base_url(), env.sim.workspace_id());
    let builder = env.builder().discover(&issuer).await.unwrap();
    builder.clone().build().unwrap().license().await.unwrap();
    let login = builder.login(env.sim.client_id()).unwrap().client_secret(env.sim.client_secret());
    let login = login.authorization("http://127.0.0.1/callback").unwrap();
    let ended_at = log_in_on_page(login.url(), env.sim.username(), env.sim.password()).await;
    assert_eq!(query_field(&ended_at, "iss"), Some(issuer));
    login.finish_with_redirect(&ended_at).await.unwrap();
    assert_eq!(
        env.request_log(),
        ["discovery 200", "token 200", "getLicense 200", "auth 200", "login 302", "token 200"]
    );
}

#[tokio::test]
async fn explicit_settings_take_precedence_over_discovery() {
    let provider = issuer(|issuer| json_response(&document(issuer).to_string())).await;
    let base = format!("{}/realms/r", provider.base);
    let all = ["authorize", "token", "device"].map(|last| format!("{base}/{last}"));
    assert_eq!(endpoints(discover(&provider).await.unwrap()), all);
    let [authorization, _, device] = all;

    let configured = builder().token_path("https://login.example/token");
    let found = configured.discover(&base).await.unwrap();
    let token = "https://login.example/token".to_owned();
    assert_eq!(endpoints(found), [authorization.clone(), token, device.clone()]);

    let later = discover(&provider).await.unwrap().token_path("/own/token");
    assert_eq!(endpoints(later), [authorization, "https://acme.example/own/token".into(), device]);
    let requests = request_lines(&provider);
    assert_eq!(requests, ["GET /realms/r/.well-known/openid-configuration"; 3]);
    for request in provider.requests() {
        let request = request.to_ascii_lowercase();
        assert!(!request.contains("authorization:") && !request.contains("x-tenant-id"), "{request}");
    }
}

#[tokio::test]
async fn keeps_default_for_endpoint_missing_in_discovery() {
    let short = |issuer: &str| json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token")});
    let provider = issuer(move |issuer| json_response(&short(issuer).to_string())).await;
    let [authorization, token, device] = endpoints(discover(&provider).await.unwrap());
    assert_eq!(token, format!("{}/realms/r/token", provider.base));
    let default = "https://acme.example/auth/realms/acme/protocol/openid-connect/auth";
    assert_eq!((authorization.as_str(), device), (default, format!("{default}/device")));
}

#[tokio::test]
async fn accepts_issuer_that_differs_in_trailing_slash() {
    for (in_document, requested) in [("", "/"), ("/", ""), ("/", "/")] {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(format!("{issuer}{in_document}"));
            json_response(&document.to_string())
        })
        .await;
        drop(builder().discover(&format!("{}/realms/r{requested}", provider.base)).await.unwrap());
        assert_eq!(request_lines(&provider), ["GET /realms/r/.well-known/openid-configuration"]);
    }
}

#[tokio::test]
async fn rejects_endpoint_on_another_origin() {
    let thief = CannedServer::respond_with(|_| json_response("{}")).await;
    let port = thief.base.rsplit_once(':').unwrap().1.to_owned();
    let names = [
        ("authorization_endpoint", "auth_path"),
        ("token_endpoint", "token_path"),
        ("device_authorization_endpoint", "device_path"),
        ("revocation_endpoint", "revocation_path"),
        ("end_session_endpoint", "end_session_path"),
    ];
    for (name, setter) in names {
        let targets = [
            (format!("{}/realms/r/token", thief.base), thief.base.clone()),
            (format!("http://localhost:{port}/token"), format!("http://localhost:{port}")),
            ("https://thief.example/token".to_owned(), "https://thief.example".to_owned()),
            ("http://thief.example/token".to_owned(), "http://thief.example".to_owned()),
            ("javascript:alert(1)".to_owned(), "javascript:".to_owned()),
            ("file:///etc/passwd".to_owned(), "file:".to_owned()),
        ];
        for (base, shown) in targets {
            let provider = issuer(move |issuer| {
                let mut document = document(issuer);
                document[name] = json!(base);
                json_response(&document.to_string())
            })
            .await;
            let line = format!(
                "discovery of the identity provider: the {name} has another origin ({shown}, not {}); \
                 if the endpoint is correct, set it with `{setter}(…)` before the discovery",
                provider.base
            );
            assert_error(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
            assert_eq!(request_lines(&provider).len(), 1);
        }
    }
    assert!(thief.requests().is_empty());
    // An endpoint set explicitly may be on another origin.
    let other_origin = thief.base.clone();
    let provider = issuer(move |issuer| {
        let mut document = document(issuer);
        document["token_endpoint"] = json!(format!("{other_origin}/token"));
        json_response(&document.to_string())
    })
    .await;
    let configured = builder().token_path(format!("{}/token", thief.base));
    let found = configured.discover(&format!("{}/realms/r", provider.base)).await.unwrap();
    assert_eq!(endpoints(found)[1], format!("{}/token", thief.base));
}

#[tokio::test]
async fn rejects_endpoint_with_user_info_or_fragment() {
    let with = |change: fn(&str) -> String| async move {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["token_endpoint"] = json!(change(issuer));
            json_response(&document.to_string())
        })
        .await;
        discover(&provider).await.map(drop).unwrap_err()
    };
    let advice = "if the endpoint is correct, set it with `token_path(…)` before the discovery";
    let begin = "discovery of the identity provider: the token_endpoint";
    let holds = format!("{begin} holds a user name, a password or a fragment; {advice}");
    assert_error(&with(|issuer| issuer.replace("//", "//robot:pa55-w0rd@")).await, ErrorKind::Auth, &holds);
    assert_error(&with(|issuer| format!("{issuer}#pa55-w0rd")).await, ErrorKind::Auth, &holds);
    assert_error(&with(|_| "/token".into()).await, ErrorKind::Auth, &format!("{begin} is not a URL; {advice}"));
}

#[tokio::test]
async fn rejects_discovery_document_of_another_issuer() {
    let others = [
        ("https://thief.example".to_owned(), "https://thief.example".to_owned()),
        ("a\nb".to_owned(), "a b".to_owned()),
        ("x".repeat(9000), "x".repeat(100)),
    ];
    for (other, shown) in others {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(other);
            json_response(&document.to_string())
        })
        .await;
        let line = format!(
            "discovery of the identity provider: the discovery document belongs to another issuer, {shown}; use that issuer if you trust it"
        );
        assert_error(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    for other in [|issuer: &str| issuer.to_uppercase(), |issuer: &str| format!("{issuer}//")] {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(other(issuer));
            json_response(&document.to_string())
        })
        .await;
        assert!(discover(&provider).await.map(drop).unwrap_err().to_string().contains("another issuer"));
    }
}

#[tokio::test]
async fn rejects_invalid_discovery_document() {
    let nested = format!(r#"{{"issuer": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"issuer": "x", "more": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let duplicate = r#"{"issuer": "a", "issuer": "b"}"#.to_owned();
    let huge = format!(r#"{{"more": "{}"}}"#, "x".repeat(8 << 20));
    let bodies = [
        String::new(),
        "<html>log in</html>".into(),
        "[]".into(),
        "{}".into(),
        r#"{"issuer": 7}"#.into(),
        nested,
        huge,
        duplicate,
    ];
    let base = "/realms/r/.well-known/openid-configuration";
    for body in bodies {
        let provider = issuer(move |_| response("200 OK", &["Content-Type: text/html"], &body)).await;
        let line = format!(
            "discovery of the identity provider: the response of {}{base} is not a discovery document; check the issuer",
            provider.base
        );
        assert_error(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    let provider = issuer(move |_| json_response(&deep)).await;
    assert_eq!(discover(&provider).await.map(drop).unwrap_err().kind(), ErrorKind::Auth);

    let provider = issuer(|issuer| json_response(&json!({ "issuer": issuer }).to_string())).await;
    assert_error(
        &discover(&provider).await.map(drop).unwrap_err(),
        ErrorKind::Auth,
        "discovery of the identity provider: the discovery document names no token_endpoint; set the endpoint with `token_path(…)`",
    );
    let provider = issuer(|_| response("404 Not Found", &["Content-Type: text/html"], "<html>")).await;
    let line =
        format!("discovery of the identity provider: {}{base} does not exist (404); check the issuer", provider.base);
    assert_error(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
}

#[tokio::test]
async fn does_not_follow_redirect_of_discovery() {
    let thief = CannedServer::respond_with(|_| json_response("{}")).await;
    let location = format!("Location: {}/realms/r", thief.base);
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = location.clone();
        let provider = issuer(move |_| response(status, &[&location], "")).await;
        let line = format!(
            "discovery of the identity provider: {}/realms/r/.well-known/openid-configuration is a redirect, \
             which is not followed; check the issuer",
            provider.base
        );
        assert_error(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    assert!(thief.requests().is_empty());
}

#[tokio::test]
async fn reports_unavailable_provider_as_transient() {
    let provider = issuer(|_| response("503 Service Unavailable", &[], "")).await;
    let error = discover(&provider).await.map(drop).unwrap_err();
    assert!(error.is_transient() && !error.needs_login(), "{error}");
    assert_eq!(request_lines(&provider).len(), 1);
}

#[tokio::test]
async fn rejects_unsafe_issuer_before_sending() {
    let lines = [
        (
            "",
            "the issuer is not a URL (relative URL without a base); it should be like https://login.example/realms/acme",
        ),
        (
            "http://login.example/realms/r",
            "the issuer uses http://login.example, which would send tokens in plain text; use https (http is allowed for 127.0.0.1 and localhost only)",
        ),
        ("ftp://login.example", "unsupported scheme \"ftp\" in the issuer; use https"),
        (
            "https://robot:pa55-w0rd@login.example",
            "the issuer holds a user name or password; give them as credentials instead",
        ),
        (
            "https://login.example/?realm=pa55-w0rd",
            "the issuer holds a query or fragment; remove `?` or `#` and the text after it",
        ),
        ("https://login.example/#r", "the issuer holds a query or fragment; remove `?` or `#` and the text after it"),
        ("mailto:pa55-w0rd", "the issuer has no host; expected a URL such as https://acme.example"),
    ];
    for (issuer, line) in lines {
        assert_error(&builder().discover(issuer).await.map(drop).unwrap_err(), ErrorKind::Config, line);
    }
}
