//! The ends of tokens and sessions (RFC 7009, logout), userinfo, and unknown paths.

use http::header::AUTHORIZATION;
use serde_json::Value;

use super::Recorder;
use crate::{Failure, raw};

impl Recorder<'_> {
    pub(super) async fn logouts(&mut self) -> Result<(), Failure> {
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
        self.userinfo("userinfo after the revocation", Some(access)).await?;
        self.post(
            "revocation of a refresh token",
            "revoke",
            &[client, ("token", refresh), ("token_type_hint", "refresh_token")],
        )
        .await?;
        self.post("revocation again", "revoke", &[client, ("token", refresh)]).await?;
        self.token(
            "a refresh after the revocation",
            id,
            &[("grant_type", "refresh_token"), ("refresh_token", refresh)],
        )
        .await?;

        let tokens = raw::password(realm, id, &realm.users.plain).await?;
        let refresh = tokens.text("refresh_token")?;
        self.post("logout", "logout", &[client, ("refresh_token", refresh)]).await?;
        self.post("logout again", "logout", &[client, ("refresh_token", refresh)]).await?;
        self.post("logout with a guess", "logout", &[client, ("refresh_token", "guess")]).await?;
        self.post("logout without a token", "logout", &[client]).await?;
        self.post(
            "logout by an unknown client",
            "logout",
            &[("client_id", "nobody-knows-me"), ("refresh_token", refresh)],
        )
        .await?;
        self.userinfo("userinfo without a token", None).await?;
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

    pub(super) async fn unknown_paths(&mut self) -> Result<(), Failure> {
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
