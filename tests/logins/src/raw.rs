//! Requests that the SDK would not make, because they are wrong on purpose; and what they are answered.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::{DevicePrompt, Failure, Realm, User};

/// A verifier and its challenge (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const WRONG_VERIFIER: &str = "aBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A response of the provider.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// A text of the answer.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        self.body[name].as_str().ok_or_else(|| format!("the provider's answer ({}) has no {name}", self.status).into())
    }

    /// Returns the device prompt in this response.
    pub(crate) fn prompt(&self) -> Result<DevicePrompt, Failure> {
        Ok(DevicePrompt { user_code: self.text("user_code")?.into(), page: self.text("verification_uri")?.into() })
    }

    /// Status and error code; of a success only the status, because the body holds tokens.
    pub(crate) fn outcome(&self) -> String {
        let error = self.body["error"].as_str().unwrap_or("-");
        if self.status == 200 { "200".into() } else { format!("{} {error}", self.status) }
    }
}

/// HTTP without redirects, cookies and proxies.
pub(crate) fn http() -> Result<reqwest::Client, Failure> {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Ok(builder.build()?)
}

/// A form as its text.
pub(crate) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Posts a form to an endpoint of the realm.
pub(crate) async fn post(realm: &Realm, endpoint: &str, fields: &[(&str, &str)]) -> Result<Answer, Failure> {
    let request = http()?.post(realm.endpoint(endpoint)).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(form(fields.iter().copied())).send().await?;
    let status = answer.status().as_u16();
    Ok(Answer { status, body: serde_json::from_str(&answer.text().await?).unwrap_or_default() })
}

/// A login with a password, by a public client.
pub(crate) async fn password(realm: &Realm, client: &str, user: &User) -> Result<Answer, Failure> {
    let fields = [
        ("grant_type", "password"),
        ("client_id", client),
        ("username", user.name.as_str()),
        ("password", user.password.as_str()),
    ];
    post(realm, "token", &fields).await
}

/// A use of a refresh token.
pub(crate) async fn refresh(realm: &Realm, client: &str, token: &str) -> Result<Answer, Failure> {
    let fields = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)];
    post(realm, "token", &fields).await
}

/// A field of an address.
pub(crate) fn field(address: &str, name: &str) -> Result<String, Failure> {
    let address = url::Url::parse(address)?;
    let found = address.query_pairs().find(|(field, _)| field == name).map(|(_, value)| value.into_owned());
    found.ok_or_else(|| format!("the address {} has no {name}", address.path()).into())
}
