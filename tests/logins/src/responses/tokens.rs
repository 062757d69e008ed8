//! The token endpoint (RFC 6749 section 3.2): passwords, clients, codes, refresh tokens.

use http::header::CONTENT_TYPE;

use super::{Fields, Recorder};
use crate::raw::{self, VERIFIER, WRONG_VERIFIER};
use crate::{Failure, REDIRECT, RealmKind};

impl Recorder<'_> {
    pub(super) async fn passwords(&mut self) -> Result<(), Failure> {
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

    pub(super) async fn clients(&mut self) -> Result<(), Failure> {
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

    pub(super) async fn codes(&mut self) -> Result<(), Failure> {
        let id = self.realm.clients.public.as_str();
        let right = [("grant_type", "authorization_code"), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
        let code = self.code().await?;
        let first = self.token("a code", id, &with(&code, &right)).await?;
        self.token("a code again", id, &with(&code, &right)).await?;
        let refresh =
            [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap_or_default())];
        self.token("a refresh after the second use of a code", id, &refresh).await?;
        let wrong = [right[0], right[1], ("code_verifier", WRONG_VERIFIER)];
        let elsewhere = [right[0], ("redirect_uri", "http://127.0.0.1/other"), right[2]];
        for (name, form) in [
            ("a wrong verifier", &wrong[..]),
            ("no verifier", &right[..2]),
            ("another redirect URI", &elsewhere),
            ("no redirect URI", &[right[0], right[2]]),
        ] {
            let code = self.code().await?;
            self.token(name, id, &with(&code, form)).await?;
            self.token(&format!("{name}, and then the right one"), id, &with(&code, &right)).await?;
        }
        let code = self.code().await?;
        self.token("another client's code", &self.realm.clients.consent.clone(), &with(&code, &right)).await?;
        self.token("no code that anybody gave", id, &with("guess", &right)).await?;
        self.token("no code", id, &right).await?;
        Ok(())
    }

    pub(super) async fn refreshes(&mut self) -> Result<(), Failure> {
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

        self.realm = self.provider.realm(RealmKind::Strict);
        let tokens = raw::password(self.realm, id, &self.realm.users.plain).await?;
        let refresh = tokens.text("refresh_token")?;
        let next = self.token("a refresh token for one use", id, &[grant, ("refresh_token", refresh)]).await?;
        self.token("a spent refresh token", id, &[grant, ("refresh_token", refresh)]).await?;
        let next = next["refresh_token"].as_str().unwrap_or_default();
        self.token("the one after the spent one", id, &[grant, ("refresh_token", next)]).await?;
        self.realm = realm;
        Ok(())
    }
}

/// A form with a code.
fn with<'a>(code: &'a str, form: Fields<'a>) -> Vec<(&'a str, &'a str)> {
    [&[("code", code)], form].concat()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
