//! What a provider answers to requests that are wrong in one point each: the simulator's words beside those of the real one it is shaped like.

use std::borrow::Cow;

use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, WWW_AUTHENTICATE,
};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use crate::raw::{self, CHALLENGE, VERIFIER, WRONG_VERIFIER, field};
use crate::{Act, Failure, Grant, Place, Provider, REDIRECT, Realm};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// The answers of one provider, each with what was asked.
pub(crate) async fn answers(provider: &dyn Provider) -> Result<Vec<(String, String)>, Failure> {
    let mut asking = Asking { provider, realm: provider.realm(Place::Long), http: raw::http()?, said: Vec::new() };
    asking.passwords().await?;
    asking.clients().await?;
    asking.codes().await?;
    asking.authorization_requests().await?;
    asking.refreshes().await?;
    asking.ends().await?;
    asking.devices().await?;
    asking.places().await?;
    Ok(asking.said)
}

struct Asking<'a> {
    provider: &'a dyn Provider,
    realm: &'a Realm,
    http: reqwest::Client,
    said: Vec<(String, String)>,
}

impl Asking<'_> {
    /// Asks, and writes down what was answered. The answer is the body, where it is JSON.
    async fn ask(&mut self, name: &str, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await?;
        let mut words = heads(&answer);
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        words.push(match &body {
            Value::Object(fields) if fields.contains_key("error") => body.to_string(),
            Value::Object(fields) => {
                let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
                names.sort_unstable();
                format!("with {}", names.join(" "))
            }
            _ if text.is_empty() => "nothing".into(),
            _ => "a page".into(),
        });
        self.said.push((name.to_owned(), words.join("; ")));
        Ok(body)
    }

    async fn post(&mut self, name: &str, endpoint: &str, form: Fields<'_>) -> Result<Value, Failure> {
        let request = self.http.post(self.realm.endpoint(endpoint));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(name, request.body(raw::form(form.iter().copied()))).await
    }

    async fn token(&mut self, name: &str, client: &str, form: Fields<'_>) -> Result<Value, Failure> {
        self.post(name, "token", &[&[("client_id", client)], form].concat()).await
    }

    async fn passwords(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        let (id, plain, disabled) = (&realm.clients.password, &realm.users.plain, &realm.users.disabled);
        let base = ("grant_type", "password");
        let cases: [(&str, Fields<'_>); 10] = [
            ("a password", &[("username", &plain.name), ("password", &plain.password)]),
            ("a user in capitals", &[("username", "ALICE"), ("password", &plain.password)]),
            (
                "a password with openid",
                &[("username", &plain.name), ("password", &plain.password), ("scope", "openid")],
            ),
            ("a wrong password", &[("username", &plain.name), ("password", "wrong")]),
            ("an unknown user", &[("username", "nobody"), ("password", "wrong")]),
            ("no password", &[("username", &plain.name)]),
            ("no user", &[("password", "wrong")]),
            ("a disabled user", &[("username", &disabled.name), ("password", &disabled.password)]),
            ("a disabled user's wrong password", &[("username", &disabled.name), ("password", "wrong")]),
            ("an unknown scope", &[("username", &plain.name), ("password", &plain.password), ("scope", "nope")]),
        ];
        for (name, form) in cases {
            self.token(name, id, &[&[base], form].concat()).await?;
        }
        let form = [base, ("username", plain.name.as_str()), ("password", plain.password.as_str())];
        self.token("a password, by a client that may not", &realm.clients.public, &form).await?;
        self.token("an empty scope", id, &[&form[..], &[("scope", "")]].concat()).await?;
        Ok(())
    }

    async fn clients(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        let (id, secret) = &realm.clients.confidential;
        let user = &realm.users.plain;
        let form = [("grant_type", "password"), ("username", user.name.as_str()), ("password", user.password.as_str())];
        self.token("an unknown client", "nobody-knows-me", &form).await?;
        self.post("no client", "token", &form).await?;
        self.token("a wrong secret", id, &[&form[..], &[("client_secret", "wrong")]].concat()).await?;
        self.token("no secret", id, &form).await?;
        self.token(
            "a public client with a secret",
            &realm.clients.password,
            &[&form[..], &[("client_secret", "x")]].concat(),
        )
        .await?;
        for (name, id, secret) in [
            ("Basic", id.as_str(), encoded(secret)),
            ("Basic with a wrong secret", id, "wrong".into()),
            ("Basic, not encoded", id, secret.clone()),
        ] {
            let request = self.http.post(realm.endpoint("token")).basic_auth(id, Some(secret));
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            self.ask(name, request.body(raw::form(form.iter().copied()))).await?;
        }
        self.token("an unknown grant", &realm.clients.password, &[("grant_type", "guess")]).await?;
        self.token("no grant", &realm.clients.password, &[]).await?;
        self.token("a client's own grant", id, &[("grant_type", "client_credentials"), ("client_secret", secret)])
            .await?;
        self.token("a field twice", &realm.clients.password, &[&form[..], &form[1..2]].concat()).await?;
        Ok(())
    }

    /// A code of the public client.
    async fn code(&self) -> Result<String, Failure> {
        let page = self.page(&[]);
        let address = self.provider.visit(&page, &self.realm.users.plain, Act::Allow).await?;
        field(&address.ok_or("the provider did not send the browser back")?, "code")
    }

    /// The address of an authorization request; `more` takes the place of what is usual, `-` takes it away.
    fn page(&self, more: Fields<'_>) -> String {
        let usual = [
            ("response_type", "code"),
            ("client_id", self.realm.clients.public.as_str()),
            ("redirect_uri", REDIRECT),
            ("state", "st&+ä"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let query = raw::form(kept.chain(more.iter().copied().filter(|(_, value)| *value != "-")));
        format!("{}?{query}", self.realm.endpoint("auth"))
    }

    async fn codes(&mut self) -> Result<(), Failure> {
        let id = self.realm.clients.public.as_str();
        let right = [("grant_type", "authorization_code"), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
        let code = self.code().await?;
        let with = |code: &str, form: Fields<'_>| -> Vec<(String, String)> {
            [&[("code", code)], form].concat().into_iter().map(|(name, value)| (name.into(), value.into())).collect()
        };
        let first = self.token("a code", id, &borrowed(&with(&code, &right))).await?;
        self.token("a code again", id, &borrowed(&with(&code, &right))).await?;
        let refresh =
            [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap_or_default())];
        self.token("a refresh after that", id, &refresh).await?;
        let wrong = [right[0], right[1], ("code_verifier", WRONG_VERIFIER)];
        let elsewhere = [right[0], ("redirect_uri", "http://127.0.0.1/other"), right[2]];
        for (name, form) in [
            ("a wrong verifier", &wrong[..]),
            ("no verifier", &right[..2]),
            ("another redirect URI", &elsewhere),
            ("no redirect URI", &[right[0], right[2]]),
        ] {
            let code = self.code().await?;
            self.token(name, id, &borrowed(&with(&code, form))).await?;
            self.token(&format!("{name}, and then the right one"), id, &borrowed(&with(&code, &right))).await?;
        }
        let code = self.code().await?;
        self.token("another client's code", &self.realm.clients.consent.clone(), &borrowed(&with(&code, &right)))
            .await?;
        self.token("no code that anybody gave", id, &borrowed(&with("guess", &right))).await?;
        self.token("no code", id, &right).await?;
        Ok(())
    }

    async fn authorization_requests(&mut self) -> Result<(), Failure> {
        let cases: [(&str, Fields<'_>); 11] = [
            ("a page", &[]),
            ("a page, no challenge", &[("code_challenge", "-"), ("code_challenge_method", "-")]),
            ("a page, no method", &[("code_challenge_method", "-")]),
            ("a page, a plain challenge", &[("code_challenge_method", "plain")]),
            ("a page, a short challenge", &[("code_challenge", "short")]),
            ("a page, an unknown scope", &[("scope", "nope")]),
            ("a page, no response type", &[("response_type", "-")]),
            ("a page, an unknown response type", &[("response_type", "guess")]),
            ("a page for nobody", &[("prompt", "none")]),
            ("a page, an unknown client", &[("client_id", "nobody-knows-me")]),
            ("a page, an unknown redirect URI", &[("redirect_uri", "http://evil.example/callback")]),
        ];
        let consent = ("client_id", self.realm.clients.consent.as_str());
        for (name, client, act) in [("a login", None, Act::Allow), ("a refused login", Some(consent), Act::Refuse)] {
            let page = self.page(client.as_slice());
            let address = self.provider.visit(&page, &self.realm.users.plain, act).await?;
            let address = Url::parse(&address.ok_or("the provider did not send the browser back")?)?;
            self.said.push((name.to_owned(), query(&address)));
        }
        for (name, more) in cases {
            let request = self.http.get(self.page(more)).header(ACCEPT, "text/html");
            self.ask(name, request).await?;
        }
        Ok(())
    }

    async fn refreshes(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        let id = realm.clients.password.as_str();
        let tokens = raw::password(realm, id, &realm.users.plain).await?;
        let (access, refresh) = (tokens.text("access_token")?, tokens.text("refresh_token")?);
        let grant = ("grant_type", "refresh_token");
        for (name, token) in [
            ("a refresh token", refresh),
            ("a refresh token again", refresh),
            ("no refresh token that anybody gave", "guess"),
            ("an empty refresh token", ""),
            ("an access token as refresh token", access),
        ] {
            self.token(name, id, &[grant, ("refresh_token", token)]).await?;
        }
        self.token("no refresh token", id, &[grant]).await?;
        self.token("another client's refresh token", &realm.clients.public, &[grant, ("refresh_token", refresh)])
            .await?;
        self.token("a refresh with a scope", id, &[grant, ("refresh_token", refresh), ("scope", "email")]).await?;

        self.realm = self.provider.realm(Place::Short);
        let tokens = raw::password(self.realm, id, &self.realm.users.plain).await?;
        let refresh = tokens.text("refresh_token")?;
        let next = self.token("a refresh token for one use", id, &[grant, ("refresh_token", refresh)]).await?;
        self.token("a spent refresh token", id, &[grant, ("refresh_token", refresh)]).await?;
        let next = next["refresh_token"].as_str().unwrap_or_default();
        self.token("the one after the spent one", id, &[grant, ("refresh_token", next)]).await?;
        self.realm = realm;
        Ok(())
    }

    async fn ends(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        let id = realm.clients.password.as_str();
        let client = ("client_id", id);
        let tokens = raw::password(realm, id, &realm.users.plain).await?;
        let (access, refresh) = (tokens.text("access_token")?, tokens.text("refresh_token")?);
        self.post(
            "revocation by another client",
            "revoke",
            &[("client_id", &realm.clients.public), ("token", refresh)],
        )
        .await?;
        self.post("revocation of nothing", "revoke", &[client]).await?;
        self.post("revocation of a guess", "revoke", &[client, ("token", "guess")]).await?;
        self.post("revocation by an unknown client", "revoke", &[("client_id", "nobody-knows-me"), ("token", refresh)])
            .await?;
        self.post("revocation of an access token", "revoke", &[client, ("token", access)]).await?;
        self.userinfo("userinfo after that", Some(access)).await?;
        self.post(
            "revocation of a refresh token",
            "revoke",
            &[client, ("token", refresh), ("token_type_hint", "refresh_token")],
        )
        .await?;
        self.post("revocation again", "revoke", &[client, ("token", refresh)]).await?;
        self.token("a refresh after that", id, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await?;

        let tokens = raw::password(realm, id, &realm.users.plain).await?;
        let refresh = tokens.text("refresh_token")?;
        self.post("logout", "logout", &[client, ("refresh_token", refresh)]).await?;
        self.post("logout again", "logout", &[client, ("refresh_token", refresh)]).await?;
        self.post("logout with a guess", "logout", &[client, ("refresh_token", "guess")]).await?;
        self.post("logout of nobody", "logout", &[client]).await?;
        self.post(
            "logout by an unknown client",
            "logout",
            &[("client_id", "nobody-knows-me"), ("refresh_token", refresh)],
        )
        .await?;
        self.userinfo("userinfo of nobody", None).await?;
        self.userinfo("userinfo with a guess", Some("guess")).await?;
        Ok(())
    }

    async fn userinfo(&mut self, name: &str, token: Option<&str>) -> Result<Value, Failure> {
        let mut request = self.http.get(self.realm.endpoint("userinfo"));
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        self.ask(name, request).await
    }

    async fn devices(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        self.realm = self.provider.realm(Place::Short);
        let id = realm.clients.public.as_str();
        let challenge = [("client_id", id), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        self.post("a device without a challenge", "auth/device", &challenge[..1]).await?;
        self.post("a device of a client that may not", "auth/device", &[("client_id", &realm.clients.password)])
            .await?;
        self.post("a device of an unknown client", "auth/device", &[("client_id", "nobody-knows-me")]).await?;
        self.post("a device without a secret", "auth/device", &[("client_id", &realm.clients.confidential.0)]).await?;
        let odd = self
            .post("a device with an unknown scope", "auth/device", &[&challenge[..], &[("scope", "nope")]].concat())
            .await?;
        let screen = raw::Answer { status: 200, body: odd.clone() }.screen()?;
        self.provider.confirm(&screen, &realm.users.plain, Act::Allow).await?;
        let code = odd["device_code"].as_str().unwrap_or_default();
        let poll = [("grant_type", Grant::Device.name()), ("device_code", code), ("code_verifier", VERIFIER)];
        self.token("a question of a device with an unknown scope", id, &poll).await?;
        let device = self.post("a device", "auth/device", &challenge).await?;
        let code = device["device_code"].as_str().unwrap_or_default().to_owned();
        let screen = raw::Answer { status: 200, body: device }.screen()?;
        let poll = [("grant_type", Grant::Device.name()), ("device_code", &code), ("code_verifier", VERIFIER)];
        self.token("a question of a device", id, &poll).await?;
        self.token("a question too early", id, &poll).await?;
        self.token("another client's question", &realm.clients.password, &poll).await?;
        self.token("a question with a guess", id, &[poll[0], ("device_code", "guess")]).await?;
        self.token("a question without a code", id, &poll[..1]).await?;
        self.provider.confirm(&screen, &realm.users.plain, Act::Refuse).await?;
        for name in ["a question after the refusal", "a question after that"] {
            tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
            self.token(name, id, &poll).await?;
        }
        let device = raw::post(self.realm, "auth/device", &challenge).await?;
        let code = device.text("device_code")?;
        self.provider.confirm(&device.screen()?, &realm.users.plain, Act::Allow).await?;
        let poll = [("grant_type", Grant::Device.name()), ("device_code", code), ("code_verifier", VERIFIER)];
        self.token("a question without a verifier", id, &poll[..2]).await?;
        tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
        self.token("a question after the consent", id, &poll).await?;
        self.token("a question after the tokens", id, &poll).await?;
        self.realm = realm;
        Ok(())
    }

    async fn places(&mut self) -> Result<(), Failure> {
        let mut elsewhere = self.realm.clone();
        elsewhere.workspace = "no-such-workspace".into();
        let discovery = |issuer: String| format!("{issuer}/.well-known/openid-configuration");
        self.ask("discovery of an unknown workspace", self.http.get(discovery(elsewhere.issuer()))).await?;
        self.ask("keys of an unknown workspace", self.http.get(elsewhere.endpoint("certs"))).await?;
        self.ask("a token of an unknown workspace", self.http.post(elsewhere.endpoint("token"))).await?;
        self.ask("a token by GET", self.http.get(self.realm.endpoint("token"))).await?;
        self.ask("keys", self.http.get(self.realm.endpoint("certs"))).await?;
        let without_auth = self.realm.issuer().replace("/auth/realms/", "/realms/");
        self.ask("discovery below another path", self.http.get(discovery(without_auth))).await?;
        Ok(())
    }
}

/// Status and headers that clients look at; of an address what stands in its query.
fn heads(answer: &Response) -> Vec<String> {
    let header = |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let mut words = vec![answer.status().as_u16().to_string()];
    for (name, value) in [("cache", header(CACHE_CONTROL)), ("pragma", header(PRAGMA)), ("type", header(CONTENT_TYPE))]
    {
        // Blanks and the case of letters mean nothing here.
        words.extend(value.map(|value| format!("{name} {}", value.replace(' ', "").to_ascii_lowercase())));
    }
    words.extend(header(WWW_AUTHENTICATE).map(str::to_owned));
    if let Some(Ok(address)) = header(LOCATION).map(Url::parse) {
        words.push(format!("to {}", query(&address)));
    }
    words
}

/// What an address brings back to the program.
fn query(address: &Url) -> String {
    let told = |(name, value): (Cow<'_, str>, Cow<'_, str>)| match &*name {
        "error" | "error_description" | "state" => format!("{name}={value}"),
        _ => name.into_owned(),
    };
    let mut query: Vec<String> = address.query_pairs().map(told).collect();
    query.sort();
    query.join(" ")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn borrowed(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
