//! A real Keycloak as a stage: its pages are driven over plain HTTP, its administrator is a client of each realm.
//!
//! The realms are those of `tests/conformance/keycloak`. Requests for tokens are counted by Keycloak's own events.

use http::Method;
use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{Act, Facts, Failure, Grant, Later, Place, Provider, Realm, Screen, User, pages, raw};

/// The client that administers its realm, and its secret; see `realm.json`.
const ADMIN: (&str, &str) = ("documine-admin", "admin-of-a-realm-that-lives-for-a-minute");

/// Two realms of a Keycloak that runs already.
pub struct Keycloak {
    long: Realm,
    short: Realm,
    http: reqwest::Client,
    /// Held while a person confirms a device: of two that consent to the same client for the same user at the same moment, Keycloak answers 500 to one.
    consents: Mutex<()>,
}

impl Keycloak {
    /// The Keycloak at this address, with its realms `acme` and `acme-short`.
    ///
    /// # Errors
    /// It is not there, or its realms are others.
    pub async fn at(base: &str) -> Result<Self, Failure> {
        let base = base.trim_end_matches('/');
        let long = Realm::usual(base, "acme");
        let short = Realm::usual(base, "acme-short");
        let keycloak = Self { long, short, http: raw::http()?, consents: Mutex::new(()) };
        keycloak.warm_up().await?;
        Ok(keycloak)
    }

    /// Shows every kind of page once: a Keycloak that has just started takes seconds for what it does in milliseconds later, and codes don't wait.
    async fn warm_up(&self) -> Result<(), Failure> {
        for realm in [&self.long, &self.short] {
            let verifier = [("code_challenge", raw::CHALLENGE), ("code_challenge_method", "S256")];
            let client = [("client_id", realm.clients.public.as_str())];
            let device = raw::post(realm, "auth/device", &[&client[..], &verifier].concat()).await?;
            let screen = device.screen()?;
            self.confirm(&screen, &realm.users.plain, Act::Refuse).await?;
            raw::password(realm, &realm.clients.password, &realm.users.plain).await?;
        }
        Ok(())
    }

    /// Asks the administration of a realm; the answer has to be a success.
    async fn admin(&self, place: Place, method: Method, path: &str, body: Option<Value>) -> Result<Reply, Failure> {
        let realm = self.realm(place);
        let (id, secret) = ADMIN;
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        // A token for each request: those of the strict realm live for seconds.
        let token = raw::post(realm, "token", &form).await?;
        let url = format!("{}/auth/admin/realms/{}/{path}", realm.base, realm.workspace);
        let mut request = self.http.request(method, url).bearer_auth(token.text("access_token")?);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let status = answer.status();
        let made = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
        let text = answer.text().await?;
        if !status.is_success() {
            return Err(format!("Keycloak's administration answered {status} to {path}: {text}").into());
        }
        Ok(Reply { body: serde_json::from_str(&text).unwrap_or_default(), made })
    }

    async fn user_id(&self, place: Place, user: &User) -> Result<String, Failure> {
        let found = self.admin(place, Method::GET, &format!("users?exact=true&username={}", user.name), None).await?;
        let id = found.body[0]["id"].as_str().ok_or_else(|| format!("Keycloak knows no {}", user.name))?;
        Ok(id.to_owned())
    }

    /// New keys of the highest priority, and an end to the old ones.
    async fn renew_keys(&self, place: Place) -> Result<(), Failure> {
        let kind = "org.keycloak.keys.KeyProvider";
        let old = self.admin(place, Method::GET, &format!("components?type={kind}"), None).await?;
        let realm_id = self.admin(place, Method::GET, "", None).await?.body["id"].clone();
        let new = json!({
            "name": "new", "providerId": "rsa-generated", "providerType": kind, "parentId": realm_id,
            "config": {"priority": ["200"], "active": ["true"], "enabled": ["true"], "algorithm": ["RS256"]},
        });
        let made = self.admin(place, Method::POST, "components", Some(new)).await?.made;
        made.ok_or("Keycloak does not say where the new keys are")?;
        for component in old.body.as_array().into_iter().flatten() {
            if component["providerId"] == "rsa-generated" {
                let id = component["id"].as_str().ok_or("a component of Keycloak has no id")?;
                self.admin(place, Method::DELETE, &format!("components/{id}"), None).await?;
            }
        }
        Ok(())
    }

    async fn count(&self, place: Place, client_id: &str, grant: Grant) -> Result<u64, Failure> {
        let event = match grant {
            Grant::Code => "CODE_TO_TOKEN",
            Grant::Device => "OAUTH2_DEVICE_CODE_TO_TOKEN",
            Grant::Password => "LOGIN",
            Grant::Refresh => "REFRESH_TOKEN",
        };
        let path = format!("events?client={client_id}&max=1000&type={event}&type={event}_ERROR");
        let events = self.admin(place, Method::GET, &path, None).await?;
        Ok(events.body.as_array().map_or(0, Vec::len) as u64)
    }
}

/// A success of the administration.
struct Reply {
    body: Value,
    /// The address of what was made.
    made: Option<String>,
}

impl Provider for Keycloak {
    fn name(&self) -> &'static str {
        "keycloak"
    }

    fn realm(&self, place: Place) -> &Realm {
        match place {
            Place::Long => &self.long,
            Place::Short => &self.short,
        }
    }

    fn facts(&self) -> Facts {
        Facts {
            is_keycloak: true,
            says_slow_down: true,
            tells_refresh_end: true,
            device_pkce: true,
            // They are signed with an HMAC key of the realm, which stays when the published keys change.
            refresh_outlives_keys: true,
            wrong_verifier_burns: true,
            names_forbidden_grant: true,
            ends_session: true,
            offline_access: true,
        }
    }

    fn visit<'a>(&'a self, page: &'a str, user: &'a User, act: Act) -> Later<'a, Option<String>> {
        Box::pin(pages::visit(&self.long.base, page, user, act))
    }

    fn confirm<'a>(&'a self, screen: &'a Screen, user: &'a User, act: Act) -> Later<'a, ()> {
        Box::pin(async move {
            let _alone = self.consents.lock().await;
            pages::confirm(screen, user, act).await
        })
    }

    fn set_enabled<'a>(&'a self, place: Place, user: &'a User, enabled: bool) -> Later<'a, ()> {
        Box::pin(async move {
            let id = self.user_id(place, user).await?;
            let change = json!({"enabled": enabled});
            self.admin(place, Method::PUT, &format!("users/{id}"), Some(change)).await.map(drop)
        })
    }

    fn end_sessions<'a>(&'a self, place: Place, user: &'a User) -> Later<'a, ()> {
        Box::pin(async move {
            let id = self.user_id(place, user).await?;
            self.admin(place, Method::POST, &format!("users/{id}/logout"), None).await.map(drop)
        })
    }

    fn change_keys(&self, place: Place) -> Later<'_, ()> {
        Box::pin(self.renew_keys(place))
    }

    fn token_requests<'a>(&'a self, place: Place, client_id: &'a str, grant: Grant) -> Later<'a, u64> {
        Box::pin(self.count(place, client_id, grant))
    }
}
