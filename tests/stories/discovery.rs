//! Where the identity provider's endpoints are, it says itself; and whatever a hostile document says, nothing is sent there.

use documine::{Client, ClientBuilder, Credentials, ErrorKind};
use serde_json::{Value, json};

use crate::bad_input::is_line;
use crate::canned::{Canned, answer, json as json_answer};
use crate::log_in_by_browser::{field, visit};
use crate::scripted::asked;
use crate::world::World;

/// An issuer whose document is what `answer` makes of its address.
async fn issuer(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Canned {
    Canned::answering(move |head| {
        let host = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        answer(&format!("http://{}/realms/r", host.unwrap_or_default()))
    })
    .await
}

/// A document that is in order.
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

async fn discover(provider: &Canned) -> documine::Result<ClientBuilder> {
    builder().discover(&format!("{}/realms/r", provider.base)).await
}

/// The endpoints of the client that the builder makes: authorization, token, device.
fn endpoints(builder: ClientBuilder) -> [String; 3] {
    let shown = format!("{:?}", builder.build().unwrap());
    ["authorization_endpoint", "token_endpoint", "device_endpoint"].map(|name| {
        let (_, rest) = shown.split_once(&format!("{name}: \"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    })
}

#[tokio::test]
async fn a_client_finds_the_providers_endpoints_by_itself() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let issuer = format!("{}/auth/realms/{}", world.sim.base_url(), world.sim.workspace_id());
    let builder = world.builder().discover(&issuer).await.unwrap();
    builder.clone().build().unwrap().license().await.unwrap();
    let login = builder.login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let login = login.authorization("http://127.0.0.1/callback").unwrap();
    let ended_at = visit(login.url(), world.sim.username(), world.sim.password()).await;
    assert_eq!(field(&ended_at, "iss"), Some(issuer));
    login.redirected(&ended_at).await.unwrap();
    assert_eq!(world.journal(), ["discovery 200", "token 200", "getLicense 200", "auth 200", "login 302", "token 200"]);
}

#[tokio::test]
async fn what_is_set_counts_and_the_rest_is_found() {
    let provider = issuer(|issuer| json_answer(&document(issuer).to_string())).await;
    let place = format!("{}/realms/r", provider.base);
    let all = ["authorize", "token", "device"].map(|last| format!("{place}/{last}"));
    assert_eq!(endpoints(discover(&provider).await.unwrap()), all);
    let [authorization, _, device] = all;

    let given = builder().token_path("https://login.example/token");
    let found = given.discover(&place).await.unwrap();
    let token = "https://login.example/token".to_owned();
    assert_eq!(endpoints(found), [authorization.clone(), token, device.clone()]);

    let later = discover(&provider).await.unwrap().token_path("/own/token");
    assert_eq!(endpoints(later), [authorization, "https://acme.example/own/token".into(), device]);
    let asked = asked(&provider);
    assert_eq!(asked, ["GET /realms/r/.well-known/openid-configuration"; 3]);
    for request in provider.requests() {
        let request = request.to_ascii_lowercase();
        assert!(!request.contains("authorization:") && !request.contains("x-tenant-id"), "{request}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_named_stays_where_it_was() {
    let short = |issuer: &str| json!({"issuer": issuer, "token_endpoint": format!("{issuer}/token")});
    let provider = issuer(move |issuer| json_answer(&short(issuer).to_string())).await;
    let [authorization, token, device] = endpoints(discover(&provider).await.unwrap());
    assert_eq!(token, format!("{}/realms/r/token", provider.base));
    let usual = "https://acme.example/auth/realms/acme/protocol/openid-connect/auth";
    assert_eq!((authorization.as_str(), device), (usual, format!("{usual}/device")));
}

#[tokio::test]
async fn a_slash_at_the_end_makes_no_other_issuer() {
    for (in_document, asked_for) in [("", "/"), ("/", ""), ("/", "/")] {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(format!("{issuer}{in_document}"));
            json_answer(&document.to_string())
        })
        .await;
        drop(builder().discover(&format!("{}/realms/r{asked_for}", provider.base)).await.unwrap());
        assert_eq!(asked(&provider), ["GET /realms/r/.well-known/openid-configuration"]);
    }
}

#[tokio::test]
async fn an_endpoint_elsewhere_is_named_and_not_taken() {
    let thief = Canned::answering(|_| json_answer("{}")).await;
    let port = thief.base.rsplit_once(':').unwrap().1.to_owned();
    let names = [
        ("authorization_endpoint", "auth_path"),
        ("token_endpoint", "token_path"),
        ("device_authorization_endpoint", "device_path"),
        ("revocation_endpoint", "revocation_path"),
        ("end_session_endpoint", "end_session_path"),
    ];
    for (name, setter) in names {
        let places = [
            (format!("{}/realms/r/token", thief.base), thief.base.clone()),
            (format!("http://localhost:{port}/token"), format!("http://localhost:{port}")),
            ("https://thief.example/token".to_owned(), "https://thief.example".to_owned()),
            ("http://thief.example/token".to_owned(), "http://thief.example".to_owned()),
            ("javascript:alert(1)".to_owned(), "javascript:".to_owned()),
            ("file:///etc/passwd".to_owned(), "file:".to_owned()),
        ];
        for (place, shown) in places {
            let provider = issuer(move |issuer| {
                let mut document = document(issuer);
                document[name] = json!(place);
                json_answer(&document.to_string())
            })
            .await;
            let line = format!(
                "discovery of the identity provider: the {name} has another origin ({shown}, not {}); \
                 if the endpoint is correct, set it with `{setter}(…)` before the discovery",
                provider.base
            );
            is_line(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
            assert_eq!(asked(&provider).len(), 1);
        }
    }
    assert!(thief.requests().is_empty());
    // Who knows better says so.
    let elsewhere = thief.base.clone();
    let provider = issuer(move |issuer| {
        let mut document = document(issuer);
        document["token_endpoint"] = json!(format!("{elsewhere}/token"));
        json_answer(&document.to_string())
    })
    .await;
    let given = builder().token_path(format!("{}/token", thief.base));
    let found = given.discover(&format!("{}/realms/r", provider.base)).await.unwrap();
    assert_eq!(endpoints(found)[1], format!("{}/token", thief.base));
}

#[tokio::test]
async fn an_endpoint_with_more_in_it_than_an_address_is_not_taken() {
    let with = |change: fn(&str) -> String| async move {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["token_endpoint"] = json!(change(issuer));
            json_answer(&document.to_string())
        })
        .await;
        discover(&provider).await.map(drop).unwrap_err()
    };
    let advice = "if the endpoint is correct, set it with `token_path(…)` before the discovery";
    let begin = "discovery of the identity provider: the token_endpoint";
    let holds = format!("{begin} holds a user name, a password or a fragment; {advice}");
    is_line(&with(|issuer| issuer.replace("//", "//robot:pa55-w0rd@")).await, ErrorKind::Auth, &holds);
    is_line(&with(|issuer| format!("{issuer}#pa55-w0rd")).await, ErrorKind::Auth, &holds);
    is_line(&with(|_| "/token".into()).await, ErrorKind::Auth, &format!("{begin} is not a URL; {advice}"));
}

#[tokio::test]
async fn another_issuers_document_is_not_taken() {
    let others = [
        ("https://thief.example".to_owned(), "https://thief.example".to_owned()),
        ("a\nb".to_owned(), "a b".to_owned()),
        ("x".repeat(9000), "x".repeat(100)),
    ];
    for (other, shown) in others {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(other);
            json_answer(&document.to_string())
        })
        .await;
        let line = format!(
            "discovery of the identity provider: the discovery document belongs to another issuer, {shown}; use that issuer if you trust it"
        );
        is_line(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    for other in [|issuer: &str| issuer.to_uppercase(), |issuer: &str| format!("{issuer}//")] {
        let provider = issuer(move |issuer| {
            let mut document = document(issuer);
            document["issuer"] = json!(other(issuer));
            json_answer(&document.to_string())
        })
        .await;
        assert!(discover(&provider).await.map(drop).unwrap_err().to_string().contains("another issuer"));
    }
}

#[tokio::test]
async fn what_is_no_document_is_told() {
    let nested = format!(r#"{{"issuer": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"issuer": "x", "more": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let twice = r#"{"issuer": "a", "issuer": "b"}"#.to_owned();
    let huge = format!(r#"{{"more": "{}"}}"#, "x".repeat(8 << 20));
    let bodies = [
        String::new(),
        "<html>log in</html>".into(),
        "[]".into(),
        "{}".into(),
        r#"{"issuer": 7}"#.into(),
        nested,
        huge,
        twice,
    ];
    let place = "/realms/r/.well-known/openid-configuration";
    for body in bodies {
        let provider = issuer(move |_| answer("200 OK", &["Content-Type: text/html"], &body)).await;
        let line = format!(
            "discovery of the identity provider: the response of {}{place} is not a discovery document; check the issuer",
            provider.base
        );
        is_line(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    let provider = issuer(move |_| json_answer(&deep)).await;
    assert_eq!(discover(&provider).await.map(drop).unwrap_err().kind(), ErrorKind::Auth);

    let provider = issuer(|issuer| json_answer(&json!({ "issuer": issuer }).to_string())).await;
    is_line(
        &discover(&provider).await.map(drop).unwrap_err(),
        ErrorKind::Auth,
        "discovery of the identity provider: the discovery document names no token_endpoint; set the endpoint with `token_path(…)`",
    );
    let provider = issuer(|_| answer("404 Not Found", &["Content-Type: text/html"], "<html>")).await;
    let line =
        format!("discovery of the identity provider: {}{place} does not exist (404); check the issuer", provider.base);
    is_line(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let thief = Canned::answering(|_| json_answer("{}")).await;
    let location = format!("Location: {}/realms/r", thief.base);
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = location.clone();
        let provider = issuer(move |_| answer(status, &[&location], "")).await;
        let line = format!(
            "discovery of the identity provider: {}/realms/r/.well-known/openid-configuration is a redirect, \
             which is not followed; check the issuer",
            provider.base
        );
        is_line(&discover(&provider).await.map(drop).unwrap_err(), ErrorKind::Auth, &line);
    }
    assert!(thief.requests().is_empty());
}

#[tokio::test]
async fn a_provider_in_trouble_is_no_wrong_document() {
    let provider = issuer(|_| answer("503 Service Unavailable", &[], "")).await;
    let error = discover(&provider).await.map(drop).unwrap_err();
    assert!(error.is_transient() && !error.needs_login(), "{error}");
    assert_eq!(asked(&provider).len(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_no_safe_address_is_told_before_anything_is_sent() {
    let lines = [
        (
            "",
            "the issuer is not a URL (relative URL without a base); it should be like https://login.example/realms/acme",
        ),
        (
            "http://login.example/realms/r",
            "the issuer is http://login.example, which would send tokens in the clear; use https (http is for 127.0.0.1 and localhost only)",
        ),
        ("ftp://login.example", "the issuer has the scheme \"ftp\"; use https"),
        (
            "https://robot:pa55-w0rd@login.example",
            "the issuer holds a user name or password; give them as credentials instead",
        ),
        (
            "https://login.example/?realm=pa55-w0rd",
            "the issuer holds a query or fragment; remove `?` or `#` and the text after it",
        ),
        ("https://login.example/#r", "the issuer holds a query or fragment; remove `?` or `#` and the text after it"),
        ("mailto:pa55-w0rd", "the issuer names no host; it should look like https://acme.example"),
    ];
    for (issuer, line) in lines {
        is_line(&builder().discover(issuer).await.map(drop).unwrap_err(), ErrorKind::Config, line);
    }
}
