//! The provider made of the library oidc-provider as a stage: `tests/conformance/oidc-provider`, with the realms of `tests/conformance/keycloak`.

use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::{Act, Facts, Failure, Grant, Later, Place, Provider, Realm, Screen, User, pages, raw};

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

    /// Asks the control interface; the answer has to be a success.
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

    fn order<'a>(&'a self, path: &'a str, body: Value) -> Later<'a, ()> {
        Box::pin(async move { self.control(Method::POST, path, Some(body)).await.map(drop) })
    }
}

impl Provider for OidcProvider {
    fn name(&self) -> &'static str {
        "oidc-provider"
    }

    fn realm(&self, place: Place) -> &Realm {
        match place {
            Place::Long => &self.long,
            Place::Short => &self.short,
        }
    }

    fn facts(&self) -> Facts {
        Facts {
            is_keycloak: false,
            says_slow_down: true,
            // `refresh_expires_in` is no field of any standard.
            tells_refresh_end: false,
            // A challenge at the device grant is passed over, as RFC 6749 section 3.2 asks for unknown parameters.
            device_pkce: false,
            // They are not signed: the provider looks them up.
            refresh_outlives_keys: true,
            // The verifier is looked at before the code is used up.
            wrong_verifier_burns: false,
            names_forbidden_grant: false,
            // It ends sessions where they are: in a browser, after a question.
            ends_session: false,
            // The scope is passed over unless the request asks for a page of consent.
            offline_access: false,
        }
    }

    fn visit<'a>(&'a self, page: &'a str, user: &'a User, act: Act) -> Later<'a, Option<String>> {
        Box::pin(pages::visit(&self.long.base, page, user, act))
    }

    fn confirm<'a>(&'a self, screen: &'a Screen, user: &'a User, act: Act) -> Later<'a, ()> {
        Box::pin(confirm(screen, user, act))
    }

    fn set_enabled<'a>(&'a self, place: Place, user: &'a User, enabled: bool) -> Later<'a, ()> {
        let realm = &self.realm(place).workspace;
        self.order("/user", json!({"realm": realm, "username": user.name, "enabled": enabled}))
    }

    fn end_sessions<'a>(&'a self, place: Place, user: &'a User) -> Later<'a, ()> {
        let realm = &self.realm(place).workspace;
        self.order("/end-sessions", json!({"realm": realm, "username": user.name}))
    }

    fn change_keys(&self, place: Place) -> Later<'_, ()> {
        self.order("/change-keys", json!({"realm": self.realm(place).workspace}))
    }

    fn token_requests<'a>(&'a self, place: Place, client_id: &'a str, grant: Grant) -> Later<'a, u64> {
        Box::pin(async move {
            let path = format!("/counts?realm={}", self.realm(place).workspace);
            let counts = self.control(Method::GET, &path, None).await?;
            Ok(counts[client_id][grant.name()].as_u64().unwrap_or_default())
        })
    }
}

/// The order is another than Keycloak's: this provider asks whether the code is the device's first, and who is there afterwards. So one who
/// refuses need not log in.
async fn confirm(screen: &Screen, user: &User, act: Act) -> Result<(), Failure> {
    let mut browser = Browser::new()?;
    let page = browser.open(&screen.page).await?;
    let page = browser.send(&page, "user_code", &[("user_code", &screen.user_code)]).await?;
    let (page, title) = match act {
        Act::Refuse => (browser.send(&page, "abort", &[("abort", "x")]).await?, "Device Login Failed"),
        Act::Allow => {
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
