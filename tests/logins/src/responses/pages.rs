//! The authorization endpoint (RFC 6749 section 3.1) and the device grant (RFC 8628).

use std::time::Duration;

use http::header::ACCEPT;
use url::Url;

use super::{Fields, Recorder, query};
use crate::raw::{self, CHALLENGE, VERIFIER, field};
use crate::{Decision, Failure, Grant, REDIRECT, RealmKind};

impl Recorder<'_> {
    /// A code of the public client.
    pub(super) async fn code(&self) -> Result<String, Failure> {
        let page = self.page(&[]);
        let address = self.provider.visit(&page, &self.realm.users.plain, Decision::Allow).await?;
        field(&address.ok_or("the provider did not send the browser back")?, "code")
    }

    /// The address of an authorization request; `more` replaces default parameters; the value `-` removes one.
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

    pub(super) async fn authorization_requests(&mut self) -> Result<(), Failure> {
        let cases: [(&str, Fields<'_>); 11] = [
            ("a page", &[]),
            ("a page, no challenge", &[("code_challenge", "-"), ("code_challenge_method", "-")]),
            ("a page, no method", &[("code_challenge_method", "-")]),
            ("a page, a plain challenge", &[("code_challenge_method", "plain")]),
            ("a page, a short challenge", &[("code_challenge", "short")]),
            ("a page, an unknown scope", &[("scope", "nope")]),
            ("a page, no response type", &[("response_type", "-")]),
            ("a page, an unknown response type", &[("response_type", "guess")]),
            ("a page without a login (prompt=none)", &[("prompt", "none")]),
            ("a page, an unknown client", &[("client_id", "nobody-knows-me")]),
            ("a page, an unknown redirect URI", &[("redirect_uri", "http://evil.example/callback")]),
        ];
        let consent = ("client_id", self.realm.clients.consent.as_str());
        for (name, client, decision) in
            [("a login", None, Decision::Allow), ("a refused login", Some(consent), Decision::Deny)]
        {
            let page = self.page(client.as_slice());
            let address = self.provider.visit(&page, &self.realm.users.plain, decision).await?;
            let address = Url::parse(&address.ok_or("the provider did not send the browser back")?)?;
            self.recorded.push((name.to_owned(), query(&address)));
        }
        for (name, more) in cases {
            let request = self.http.get(self.page(more)).header(ACCEPT, "text/html");
            self.ask(name, request).await?;
        }
        Ok(())
    }

    pub(super) async fn devices(&mut self) -> Result<(), Failure> {
        let realm = self.realm;
        self.realm = self.provider.realm(RealmKind::Strict);
        let id = realm.clients.public.as_str();
        let challenge = [("client_id", id), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        self.post("a device without a challenge", "auth/device", &challenge[..1]).await?;
        self.post("a device of a client without permission", "auth/device", &[("client_id", &realm.clients.password)])
            .await?;
        self.post("a device of an unknown client", "auth/device", &[("client_id", "nobody-knows-me")]).await?;
        self.post("a device without a secret", "auth/device", &[("client_id", &realm.clients.confidential.0)]).await?;
        let odd = self
            .post("a device with an unknown scope", "auth/device", &[&challenge[..], &[("scope", "nope")]].concat())
            .await?;
        let prompt = raw::Answer { status: 200, body: odd.clone() }.prompt()?;
        self.provider.confirm(&prompt, &realm.users.plain, Decision::Allow).await?;
        let code = odd["device_code"].as_str().unwrap_or_default();
        let poll = [("grant_type", Grant::Device.name()), ("device_code", code), ("code_verifier", VERIFIER)];
        self.token("a poll of a device with an unknown scope", id, &poll).await?;
        let device = self.post("a device", "auth/device", &challenge).await?;
        let code = device["device_code"].as_str().unwrap_or_default().to_owned();
        let prompt = raw::Answer { status: 200, body: device }.prompt()?;
        let poll = [("grant_type", Grant::Device.name()), ("device_code", &code), ("code_verifier", VERIFIER)];
        self.token("a poll of a device", id, &poll).await?;
        self.token("a poll too early", id, &poll).await?;
        self.token("a poll of another client", &realm.clients.password, &poll).await?;
        self.token("a poll with a guess", id, &[poll[0], ("device_code", "guess")]).await?;
        self.token("a poll without a code", id, &poll[..1]).await?;
        self.provider.confirm(&prompt, &realm.users.plain, Decision::Deny).await?;
        for name in ["a poll after the refusal", "a poll after that"] {
            tokio::time::sleep(Duration::from_millis(2200)).await;
            self.token(name, id, &poll).await?;
        }
        let device = raw::post(self.realm, "auth/device", &challenge).await?;
        let code = device.text("device_code")?;
        self.provider.confirm(&device.prompt()?, &realm.users.plain, Decision::Allow).await?;
        let poll = [("grant_type", Grant::Device.name()), ("device_code", code), ("code_verifier", VERIFIER)];
        self.token("a poll without a verifier", id, &poll[..2]).await?;
        tokio::time::sleep(Duration::from_millis(2200)).await;
        self.token("a poll after the consent", id, &poll).await?;
        self.token("a poll after the tokens", id, &poll).await?;
        self.realm = realm;
        Ok(())
    }
}
