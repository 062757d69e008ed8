//! The provider made of the library oidc-provider in the harness: `tests/conformance/oidc-provider`, with the realms of `tests/conformance/keycloak`.

use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::{
    BoxFutureResult, Capabilities, Decision, DevicePrompt, Failure, Grant, Provider, Realm, RealmKind, User, pages, raw,
};

/// Two realms of a provider that runs already.
pub struct OidcProvider {
    long: Realm,
    short: Realm,
    control: String,
    http: reqwest::Client,
}

impl OidcProvider {
    /// The provider at this address, with its realms `acme` and `acme-short`, and the address of what a test does behind its back.
    ///
    /// # Errors
    /// HTTP can't be set up.
    pub fn new(base: &str, control: &str) -> Result<Self, Failure> {
        Ok(Self {
            long: Realm::usual(base, "acme"),
            short: Realm::usual(base, "acme-short"),
            control: control.to_owned(),
            http: raw::http()?,
        })
    }

    /// Calls the control interface; any status but success is an error.
    async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.control));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("the control interface answered {status} to {path}: {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    fn order<'a>(&'a self, path: &'a str, body: Value) -> BoxFutureResult<'a, ()> {
        Box::pin(async move { self.control(Method::POST, path, Some(body)).await.map(drop) })
    }
}

impl Provider for OidcProvider {
    fn name(&self) -> &'static str {
        "oidc-provider"
    }

    fn realm(&self, realm_kind: RealmKind) -> &Realm {
        match realm_kind {
            RealmKind::Lenient => &self.long,
            RealmKind::Strict => &self.short,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            is_keycloak: false,
            says_slow_down: true,
            // `refresh_expires_in` is no field of any standard.
            tells_refresh_end: false,
            // A challenge in a device request is ignored, as RFC 6749 section 3.2 requires for unknown parameters.
            device_pkce: false,
            // Refresh tokens are opaque: the provider stores them.
            refresh_outlives_keys: true,
            // The verifier is checked before the code is consumed.
            wrong_verifier_burns: false,
            names_forbidden_grant: false,
            // It ends sessions where they are: in a browser, after a question.
            ends_session: false,
            // The scope is ignored unless the request contains `prompt=consent`.
            offline_access: false,
        }
    }

    fn visit<'a>(&'a self, page: &'a str, user: &'a User, decision: Decision) -> BoxFutureResult<'a, Option<String>> {
        Box::pin(pages::visit(&self.long.base, page, user, decision))
    }

    fn confirm<'a>(&'a self, prompt: &'a DevicePrompt, user: &'a User, decision: Decision) -> BoxFutureResult<'a, ()> {
        Box::pin(confirm(prompt, user, decision))
    }

    fn set_enabled<'a>(&'a self, realm_kind: RealmKind, user: &'a User, enabled: bool) -> BoxFutureResult<'a, ()> {
        let realm = &self.realm(realm_kind).workspace;
        self.order("/user", json!({"realm": realm, "username": user.name, "enabled": enabled}))
    }

    fn end_sessions<'a>(&'a self, realm_kind: RealmKind, user: &'a User) -> BoxFutureResult<'a, ()> {
        let realm = &self.realm(realm_kind).workspace;
        self.order("/end-sessions", json!({"realm": realm, "username": user.name}))
    }

    fn change_keys(&self, realm_kind: RealmKind) -> BoxFutureResult<'_, ()> {
        self.order("/change-keys", json!({"realm": self.realm(realm_kind).workspace}))
    }

    fn token_requests<'a>(
        &'a self,
        realm_kind: RealmKind,
        client_id: &'a str,
        grant: Grant,
    ) -> BoxFutureResult<'a, u64> {
        Box::pin(async move {
            let path = format!("/counts?realm={}", self.realm(realm_kind).workspace);
            let counts = self.control(Method::GET, &path, None).await?;
            Ok(counts[client_id][grant.name()].as_u64().unwrap_or_default())
        })
    }
}

/// Unlike Keycloak, this provider requires the confirmation of the code before the login, so a user who denies does not log in.
async fn confirm(prompt: &DevicePrompt, user: &User, decision: Decision) -> Result<(), Failure> {
    let mut browser = Browser::new()?;
    let page = browser.open(&prompt.page).await?;
    let page = browser.send(&page, "user_code", &[("user_code", &prompt.user_code)]).await?;
    let (page, title) = match decision {
        Decision::Deny => (browser.send(&page, "abort", &[("abort", "x")]).await?, "Device Login Failed"),
        Decision::Allow => {
            let page = browser.send(&page, "accept", &[("accept", "x")]).await?;
            let fields = [("username", user.name.as_str()), ("password", user.password.as_str())];
            (browser.send(&page, "username", &fields).await?, "Device Login Successful")
        }
    };
    ended(&page, title)
}

fn ended(page: &Page, title: &str) -> Result<(), Failure> {
    if page.html.contains(&format!("<title>{title}</title>")) { Ok(()) } else { Err(page.surprise(title)) }
}
