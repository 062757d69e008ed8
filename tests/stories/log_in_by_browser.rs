//! Logging in at the provider's own page (authorization code, RFC 6749 section 4.1): the answer is pasted, or comes to a web application.

use documine::{Authorization, Client, Credentials, ErrorKind};
use serde_json::json;

use crate::canned::{Canned, answer};
use crate::scripted::{body, in_turn};
use crate::world::World;

const CALLBACK: &str = "http://127.0.0.1/callback";

/// A login of the world's client.
fn login(world: &World) -> Authorization {
    let login = world.builder().login(world.sim.client_id()).unwrap();
    login.client_secret(world.sim.client_secret()).authorization(CALLBACK).unwrap()
}

/// What a person and a browser do with the page: log in there, and end at the address that the provider sends them to.
pub async fn visit(page: &str, username: &str, password: &str) -> String {
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = browser.get(page).send().await.unwrap().text().await.unwrap();
    let (_, rest) = form.split_once("action=\"").unwrap_or_else(|| panic!("no form: {form}"));
    let action = rest.split_once('"').unwrap().0.replace("&amp;", "&");
    let fields = reqwest::Url::parse_with_params("form:", [("username", username), ("password", password)]).unwrap();
    let request = browser.post(action).header("content-type", "application/x-www-form-urlencoded");
    let sent_back = request.body(fields.query().unwrap().to_owned()).send().await.unwrap();
    sent_back.headers()["location"].to_str().unwrap().to_owned()
}

/// A field of an address.
pub fn field(address: &str, name: &str) -> Option<String> {
    let address = reqwest::Url::parse(address).unwrap();
    address.query_pairs().find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_person_logs_in_and_pastes_the_address_that_the_browser_ends_at() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let login = login(&world);
    let ended_at = visit(login.url(), world.sim.username(), world.sim.password()).await;
    assert!(ended_at.starts_with(CALLBACK), "{ended_at}");
    // People copy blanks and line ends too.
    let tokens = login.redirected(&format!(" {ended_at}\n")).await.unwrap();
    assert_eq!(world.journal(), ["auth 200", "login 302", "token 200"]);

    let credentials = Credentials::tokens(world.sim.client_id(), tokens).client_secret(world.sim.client_secret());
    let client = world.client_with(credentials);
    world.time.pass(400);
    client.license().await.unwrap();
    assert_eq!(world.journal_since(3), ["token 200", "getLicense 200"]);
}

#[tokio::test]
async fn a_web_application_has_a_callback_of_its_own() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let (first, second) = (login(&world), login(&world));
    assert_ne!(first.state().expose(), second.state().expose());
    let ended_at = visit(first.url(), world.sim.username(), world.sim.password()).await;
    let (code, state) = (field(&ended_at, "code").unwrap(), field(&ended_at, "state").unwrap());
    // The state says which of the logins the answer belongs to.
    assert_eq!(first.state().expose(), state);
    let error = second.exchange(&code, &state).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by browser: the response belongs to another login (state mismatch); start the login again"
    );
    assert_eq!(world.journal().len(), 2, "and the code was not used up for that");
    first.exchange(&code, &state).await.unwrap();
}

#[tokio::test]
async fn a_code_of_another_login_opens_nothing() {
    // A code that somebody slipped in is of a login with another challenge (RFC 7636).
    let mut world = World::new().await;
    world.allow_bare_requests();
    let (mine, theirs) = (login(&world), login(&world));
    let ended_at = visit(theirs.url(), world.sim.username(), world.sim.password()).await;
    let code = field(&ended_at, "code").unwrap();
    let state = mine.state().expose().to_owned();
    let error = mine.exchange(&code, &state).await.unwrap_err();
    assert!(error.needs_login(), "{error}");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
    assert!(!format!("{error:?}").contains(&code));
}

#[tokio::test]
async fn answers_that_are_none() {
    let world = World::new().await;
    let said = |make: fn(&str) -> String| {
        let login = login(&world);
        let answer = make(login.state().expose());
        async move {
            let error = login.redirected(&answer).await.unwrap_err();
            (error.to_string(), error.kind(), error.needs_login())
        }
    };
    let refused = said(|state| format!("{CALLBACK}?error=access_denied&state={state}")).await;
    assert_eq!(refused, ("login by browser: the person refused the login".into(), ErrorKind::Auth, true));
    let scope =
        said(|state| format!("error=invalid_scope&error_description=Invalid+scopes%3A%0Ax&state={state}")).await;
    assert_eq!(scope.0, "login by browser: the identity provider refused: Invalid scopes: x (invalid_scope)");
    let nothing = said(|state| format!("?state={state}")).await;
    assert_eq!(nothing.0, "login by browser: the identity provider's response holds no code; start the login again");
    let twice = said(|state| format!("code=a&code=b&state={state}")).await;
    assert_eq!(twice.0, "login by browser: the response holds `code` twice; start the login again");
    let elsewhere = said(|state| format!("code=a&state={state}&iss=https%3A%2F%2Fevil.example")).await;
    assert_eq!(
        elsewhere.0,
        "login by browser: the response comes from another identity provider than expected (iss mismatch); start the login again"
    );
    for none in ["", "4/P7q7W91a-oMsCeLvIaQm6bTrgtp7", "https://acme.example/"] {
        let error = login(&world).redirected(none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert!(!error.to_string().contains("P7q7"));
    }
    // A wrong state comes first: what is no answer to this login is not even reported.
    let foreign =
        login(&world).redirected("error=access_denied&error_description=call+0900&state=x").await.unwrap_err();
    assert_eq!(
        foreign.to_string(),
        "login by browser: the response belongs to another login (state mismatch); start the login again"
    );
    for wrong in ["", "callback", "http://127.0.0.1/#here"] {
        let error = world.builder().login("laptop").unwrap().authorization(wrong).unwrap_err();
        assert_eq!(error.to_string(), "the redirect URI is not an absolute URL, or has a fragment");
    }
    assert_eq!(world.journal(), Vec::<String>::new());
}

#[tokio::test]
async fn a_code_is_sent_once_whatever_becomes_of_it() {
    let token = json!({"access_token": "t0ken", "token_type": "Bearer"}).to_string();
    let next = in_turn(vec![
        answer("503 Service Unavailable", &[], ""),
        answer("200 OK", &["Content-Type: application/json"], &token),
    ]);
    let provider = Canned::answering(move |_| next()).await;
    let builder = Client::builder(&provider.base).workspace("acme").auth_path("/a?tenant=x");
    let login = || builder.login("laptop").unwrap().scope("openid").authorization(CALLBACK).unwrap();
    let lost = login();
    assert_eq!(field(lost.url(), "tenant").as_deref(), Some("x"), "what the setup gave stays");
    assert_eq!(field(lost.url(), "response_type").as_deref(), Some("code"));
    assert_eq!(field(lost.url(), "redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(field(lost.url(), "scope").as_deref(), Some("openid"));
    assert_eq!(field(lost.url(), "code_challenge_method").as_deref(), Some("S256"));
    let shown = format!("{lost:?}");
    assert!(!shown.contains(lost.state().expose()), "{shown}");
    let state = lost.state().expose().to_owned();
    let error = lost.exchange("the c0de", &state).await.unwrap_err();
    assert!(error.is_transient() && !format!("{error:?}").contains("the c0de"), "{error:?}");
    assert_eq!(provider.requests().len(), 1);
    let form = format!("form:?{}", body(&provider.requests()[0]));
    assert_eq!(field(&form, "code").as_deref(), Some("the c0de"));
    assert_eq!(field(&form, "redirect_uri").as_deref(), Some(CALLBACK));
    assert!(field(&form, "code_verifier").is_some_and(|verifier| verifier.len() >= 43));
    let again = login();
    let state = again.state().expose().to_owned();
    assert_eq!(again.exchange("another", &state).await.unwrap().access_token().expose(), "t0ken");
}
