//! Token responses: creates the tokens of a session, and checks access tokens.

use http::StatusCode;
use serde_json::{Value, json};

use super::config::UserSettings;
use super::realm::Realm;
use super::responses::OAuthError;
use super::state::{AccessToken, RealmState, Session, SessionStatus, duration_millis, epoch_millis};

/// Scopes of every token.
const DEFAULT_SCOPES: [&str; 2] = ["email", "profile"];
/// Scopes that can be requested.
pub(super) const SCOPES: [&str; 10] =
    ["openid", "offline_access", "email", "profile", "address", "phone", "roles", "web-origins", "acr", "basic"];
/// Scopes that affect the token but are not listed in it.
const SILENT_SCOPES: [&str; 4] = ["roles", "web-origins", "acr", "basic"];

/// Returns the granted scope. An unknown requested scope is an error.
pub(super) fn granted_scope(requested: Option<&str>) -> Result<String, OAuthError> {
    let Some(requested) = requested else { return Ok(DEFAULT_SCOPES.join(" ")) };
    if requested.is_empty() || requested.split(' ').any(|scope| !SCOPES.contains(&scope)) {
        return Err(OAuthError::bad_request("invalid_scope", format!("Invalid scopes: {requested}")));
    }
    Ok(restrict_scope(requested, |_| true))
}

/// Returns the requested scopes that `allowed` accepts, and the default scopes.
pub(super) fn restrict_scope(requested: &str, allowed: impl Fn(&str) -> bool) -> String {
    let requested_scopes: Vec<&str> = requested.split(' ').filter(|scope| allowed(scope)).collect();
    SCOPES
        .into_iter()
        .filter(|scope| {
            DEFAULT_SCOPES.contains(scope) || (requested_scopes.contains(scope) && !SILENT_SCOPES.contains(scope))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The input of a token response.
pub(super) struct TokenGrant<'a> {
    /// The id of the session.
    pub(super) session: &'a str,
    /// The scope of this response.
    pub(super) scope: &'a str,
    /// The issuer, as the caller sees it.
    pub(super) issuer: &'a str,
    /// The nonce of the authorization request, for the ID token.
    pub(super) nonce: Option<&'a str>,
}

impl Realm {
    /// Opens a session and returns its id.
    pub(super) fn open_session(&self, state: &mut RealmState, username: &str, client_id: &str, scope: &str) -> String {
        let now_ms = self.now_ms();
        state.remove_expired(now_ms);
        let id = self.ids.short("session", &state.next_id());
        let session = Session {
            username: username.to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            status: SessionStatus::Active,
            started_ms: now_ms,
            refresh_until_ms: None,
            refresh_jti: None,
        };
        state.sessions.insert(id.clone(), session);
        id
    }

    /// Creates the tokens of a session and returns the body of the response.
    pub(super) fn issue(&self, state: &mut RealmState, grant: &TokenGrant<'_>) -> Result<Value, OAuthError> {
        let config = &self.config;
        let now_ms = self.now_ms();
        let Some(session) = state.sessions.get(grant.session).cloned() else {
            return Err(OAuthError::invalid_grant("Session not active"));
        };
        let Some(user) = self.user(&session.username) else { return Err(OAuthError::invalid_grant("User not found")) };
        let subject = self.user_id(&user.username);
        let offline = grant.scope.split(' ').any(|scope| scope == "offline_access");

        // Rounded up to whole seconds, the precision of claims, so that a token lives at least as long as the response says.
        let access_until_ms = whole_seconds(now_ms.saturating_add(duration_millis(config.token_ttl)));
        let refresh_until_ms = if offline { None } else { self.refresh_until(&session, now_ms) };
        let access_jti = self.ids.uuid("access", &state.next_id());
        let refresh_jti = self.ids.uuid("refresh", &state.next_id());

        let mut common = json!({
            "iat": now_ms / 1000,
            "iss": grant.issuer,
            "sub": subject,
            "azp": session.client_id,
            "sid": grant.session,
        });
        if let Some(nonce) = grant.nonce {
            common["nonce"] = nonce.into();
        }
        let mut access = merge_claims(&common, &profile_claims(user));
        access = merge_claims(
            &access,
            &json!({
                "exp": access_until_ms / 1000, "jti": access_jti, "aud": "account", "typ": "Bearer", "acr": "1", "scope": grant.scope,
                "realm_access": { "roles": [format!("default-roles-{}", config.workspace), "offline_access"] },
            }),
        );
        let mut refresh = merge_claims(
            &common,
            &json!({ "jti": refresh_jti, "aud": grant.issuer, "typ": if offline { "Offline" } else { "Refresh" }, "scope": session.scope }),
        );
        if let Some(until_ms) = refresh_until_ms {
            refresh["exp"] = (until_ms / 1000).into();
        }

        let failed =
            || OAuthError::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The token could not be signed");
        let generation = state.key_generation;
        let mut response = json!({
            "access_token": self.keys.sign(generation, &access).ok_or_else(failed)?,
            "expires_in": config.token_ttl.as_secs(),
            "refresh_expires_in": refresh_until_ms.map_or(0, |until_ms| until_ms.saturating_sub(now_ms) / 1000),
            "refresh_token": self.keys.sign_refresh(generation, &refresh).ok_or_else(failed)?,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": grant.session,
            "scope": grant.scope,
        });
        if grant.scope.split(' ').any(|scope| scope == "openid") {
            let jti = self.ids.uuid("id-token", &state.next_id());
            let id_token = merge_claims(
                &merge_claims(&common, &profile_claims(user)),
                &json!({ "exp": access_until_ms / 1000, "jti": jti, "aud": session.client_id, "typ": "ID", "acr": "1" }),
            );
            response["id_token"] = self.keys.sign(generation, &id_token).ok_or_else(failed)?.into();
        }

        state.access.insert(
            access_jti,
            AccessToken { session: grant.session.to_owned(), until_ms: access_until_ms, revoked: false },
        );
        if let Some(session) = state.sessions.get_mut(grant.session) {
            session.refresh_jti = Some(refresh_jti);
            session.refresh_until_ms = refresh_until_ms;
        }
        Ok(response)
    }

    /// Returns the end of a refresh token: after its own lifetime or with its session.
    fn refresh_until(&self, session: &Session, now_ms: u64) -> Option<u64> {
        let (ttl, max) = (self.config.refresh_ttl, self.config.session_max);
        if ttl.is_zero() {
            return None;
        }
        let idle = whole_seconds(now_ms.saturating_add(duration_millis(ttl)));
        if max.is_zero() {
            Some(idle)
        } else {
            Some(idle.min(whole_seconds(session.started_ms.saturating_add(duration_millis(max)))))
        }
    }

    /// Returns `jti` and session of a valid access token, or the reason of its rejection.
    pub(super) fn check_access(&self, state: &RealmState, token: &str) -> Result<(String, String), TokenRejection> {
        let claims = self.keys.verify(state.key_generation, token).ok_or(TokenRejection::Untrusted)?;
        if claims["typ"] != "Bearer" {
            return Err(TokenRejection::Untrusted);
        }
        let jti = claims["jti"].as_str().unwrap_or_default();
        let access = state.access.get(jti).ok_or(TokenRejection::Expired)?;
        if self.now_ms() >= access.until_ms {
            return Err(TokenRejection::Expired);
        }
        if access.revoked {
            return Err(TokenRejection::Revoked);
        }
        let session = state.sessions.get(&access.session).ok_or(TokenRejection::NoSession)?;
        if matches!(session.status, SessionStatus::Compromised | SessionStatus::Ended) {
            return Err(TokenRejection::NoSession);
        }
        if !self.user_enabled(state, &session.username) {
            return Err(TokenRejection::Disabled);
        }
        Ok((jti.to_owned(), access.session.clone()))
    }

    /// Returns the simulated time in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        epoch_millis(self.config.clock.now())
    }
}

/// The reason of a rejected access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenRejection {
    Untrusted,
    Expired,
    Revoked,
    NoSession,
    Disabled,
}

fn whole_seconds(ms: u64) -> u64 {
    ms.div_ceil(1000).saturating_mul(1000)
}

/// Merges two sets of claims.
fn merge_claims(base: &Value, more: &Value) -> Value {
    let mut claims = base.clone();
    if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
        claims.extend(more.clone());
    }
    claims
}

/// Returns the claims about a user in tokens and userinfo.
pub(super) fn profile_claims(user: &UserSettings) -> Value {
    json!({
        "email_verified": true,
        "name": format!("{} {}", user.first_name, user.last_name),
        "preferred_username": user.username,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "email": user.email,
    })
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn grants_known_scopes() {
        assert_eq!(granted_scope(None).expect("default"), "email profile");
        assert_eq!(granted_scope(Some("openid")).expect("known"), "openid email profile");
        assert_eq!(granted_scope(Some("nope")).expect_err("unknown").description, "Invalid scopes: nope");
        assert_eq!(granted_scope(Some("")).expect_err("empty").description, "Invalid scopes: ");
        assert_eq!(restrict_scope("email openid", |scope| scope != "openid"), "email profile");
    }
}
