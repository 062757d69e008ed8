//! Tokens and logins obtained without the SDK, as a browser or another program would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::test_env::{TestEnv, plain_http_client};

/// Obtains tokens of the environment's user directly from the identity provider.
pub async fn issue_tokens(env: &TestEnv) -> (String, String) {
    let pairs = [
        ("grant_type", "password"),
        ("client_id", env.sim.client_id()),
        ("client_secret", env.sim.client_secret()),
        ("username", env.sim.username()),
        ("password", env.sim.password()),
    ];
    let form: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    let url = format!("{}/auth/realms/{}/protocol/openid-connect/token", env.sim.base_url(), env.sim.workspace_id());
    let request =
        plain_http_client().post(url).header("content-type", "application/x-www-form-urlencoded").body(form.join("&"));
    let response: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let text = |name: &str| response[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02X}"))
}

/// Logs in on the provider's page as a browser would, and returns the redirect URL.
pub async fn log_in_on_page(page: &str, username: &str, password: &str) -> String {
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = browser.get(page).send().await.unwrap().text().await.unwrap();
    let (_, rest) = form.split_once("action=\"").unwrap_or_else(|| panic!("no form: {form}"));
    let action = rest.split_once('"').unwrap().0.replace("&amp;", "&");
    let fields = reqwest::Url::parse_with_params("form:", [("username", username), ("password", password)]).unwrap();
    let request = browser.post(action).header("content-type", "application/x-www-form-urlencoded");
    let redirect = request.body(fields.query().unwrap().to_owned()).send().await.unwrap();
    redirect.headers()["location"].to_str().unwrap().to_owned()
}

/// Returns a query field of a URL.
pub fn query_field(address: &str, name: &str) -> Option<String> {
    let address = reqwest::Url::parse(address).unwrap();
    address.query_pairs().find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
}

/// Builds an unsigned token with these claims.
pub fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"RS256"}"#), part(claims))
}
