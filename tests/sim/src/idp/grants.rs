//! The token endpoint: password, refresh token, authorization code, device code.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::config::ClientSettings;
use super::params::Params;
use super::pkce;
use super::realm::Realm;
use super::responses::{CachePolicy, OAuthError, json_response};
use super::state::{Decision, RealmState, SessionStatus, duration_millis};
use super::tokens::{TokenGrant, granted_scope, restrict_scope};

/// A token request of an authenticated client.
struct TokenRequest<'a> {
    client: &'a ClientSettings,
    params: &'a Params,
    issuer: &'a str,
}

impl Realm {
    /// `POST …/token`.
    pub(super) fn token(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let params = Params::from_form(headers, body);
        match self.dispatch_grant(headers, &params) {
            Ok(response) => json_response(StatusCode::OK, CachePolicy::NoStore, &response),
            Err(error) => error.into_response(CachePolicy::NoStore),
        }
    }

    fn dispatch_grant(&self, headers: &HeaderMap, params: &Params) -> Result<Value, OAuthError> {
        const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
        let Some(grant_type) = params.get("grant_type") else {
            return Err(OAuthError::bad_request("invalid_request", "Missing form parameter: grant_type"));
        };
        if !["password", "refresh_token", "authorization_code", "client_credentials", DEVICE].contains(&grant_type) {
            return Err(OAuthError::bad_request("unsupported_grant_type", "Unsupported grant_type"));
        }
        if params.has_duplicates() {
            return Err(OAuthError::bad_request("invalid_request", "duplicated parameter"));
        }
        let request = TokenRequest { client: self.client(headers, params)?, params, issuer: &self.issuer(headers) };
        // One lock covers the whole grant, so that of two refreshes with the same token exactly one is first.
        let state = &mut *self.state();
        match grant_type {
            "password" => self.grant_password(state, &request),
            "refresh_token" => self.grant_refresh(state, &request),
            "authorization_code" => self.grant_code(state, &request),
            DEVICE => self.grant_device(state, &request),
            _ => Err(OAuthError::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized_client",
                "Client not enabled to retrieve service account",
            )),
        }
    }

    fn grant_password(&self, state: &mut RealmState, request: &TokenRequest<'_>) -> Result<Value, OAuthError> {
        let TokenRequest { client, params, issuer } = *request;
        if !client.password_grant {
            return Err(OAuthError::bad_request("unauthorized_client", "Client not allowed for direct access grants"));
        }
        let scope = granted_scope(params.get("scope"))?;
        let Some(username) = params.get("username") else {
            return Err(OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_request", "Missing parameter: username"));
        };
        let username = self.log_in(state, username, params.get("password"))?;
        let session = self.open_session(state, &username, &client.id, &scope);
        self.issue(state, &TokenGrant { session: &session, scope: &scope, issuer, nonce: None })
    }

    /// Returns the configured user name, if the password is correct and the account is usable.
    pub(super) fn log_in(&self, state: &RealmState, name: &str, password: Option<&str>) -> Result<String, OAuthError> {
        let user = self.user(name).filter(|user| password == Some(user.password.as_str()));
        let Some(user) = user else { return Err(OAuthError::invalid_grant("Invalid user credentials")) };
        if !self.user_enabled(state, &user.username) {
            return Err(OAuthError::invalid_grant("Account disabled"));
        }
        if !user.set_up {
            return Err(OAuthError::invalid_grant("Account is not fully set up"));
        }
        Ok(user.username.clone())
    }

    fn grant_refresh(&self, state: &mut RealmState, request: &TokenRequest<'_>) -> Result<Value, OAuthError> {
        let TokenRequest { client, params, issuer } = *request;
        let Some(token) = params.get("refresh_token") else {
            return Err(OAuthError::bad_request("invalid_request", "No refresh token"));
        };
        let invalid = || OAuthError::invalid_grant("Invalid refresh token");
        let claims = self.keys.verify_refresh(state.key_generation, token).ok_or_else(invalid)?;
        let now_ms = self.now_ms();
        if claims["exp"].as_u64().is_some_and(|until| now_ms >= until.saturating_mul(1000)) {
            return Err(OAuthError::invalid_grant("Token is not active"));
        }
        if claims["azp"] != client.id.as_str() {
            return Err(OAuthError::invalid_grant(
                "Invalid refresh token. Token client and authorized client don't match",
            ));
        }
        let id = claims["sid"].as_str().ok_or_else(invalid)?;
        let Some(session) = state.sessions.get_mut(id) else {
            return Err(OAuthError::invalid_grant("Session not active"));
        };
        match session.status {
            SessionStatus::Active => {}
            SessionStatus::RefreshExpired => return Err(OAuthError::invalid_grant("Token is not active")),
            SessionStatus::Compromised => {
                return Err(OAuthError::invalid_grant("Session doesn't have required client"));
            }
            SessionStatus::Ended => return Err(OAuthError::invalid_grant("Session not active")),
        }
        if self.config.rotate_refresh && session.refresh_jti.as_deref() != claims["jti"].as_str() {
            // A reused refresh token may be stolen, so the whole session ends, including the newest token.
            session.status = SessionStatus::Compromised;
            return Err(OAuthError::invalid_grant("Maximum allowed refresh token reuse exceeded"));
        }
        let session = session.clone();
        if !self.user_enabled(state, &session.username) {
            return Err(OAuthError::invalid_grant("User disabled"));
        }
        let scope = match params.non_empty("scope") {
            Some(requested) => {
                restrict_scope(requested, |scope| session.scope.split(' ').any(|granted| granted == scope))
            }
            None => session.scope,
        };
        self.issue(state, &TokenGrant { session: id, scope: &scope, issuer, nonce: None })
    }

    fn grant_code(&self, state: &mut RealmState, request: &TokenRequest<'_>) -> Result<Value, OAuthError> {
        let TokenRequest { client, params, issuer } = *request;
        if !client.code_grant {
            return Err(OAuthError::bad_request("unauthorized_client", "Client not allowed to exchange code"));
        }
        let Some(text) = params.get("code") else {
            return Err(OAuthError::bad_request("invalid_request", "Missing parameter: code"));
        };
        let now_ms = self.now_ms();
        let Some(code) = state.codes.get_mut(text) else { return Err(OAuthError::invalid_grant("Code not valid")) };
        // A code can be used once, with any outcome.
        let replayed = std::mem::replace(&mut code.used, true);
        let code = code.clone();
        if replayed && let Some(session) = state.sessions.get_mut(&code.session) {
            session.status = SessionStatus::Compromised;
        }
        if replayed || now_ms >= code.until_ms {
            return Err(OAuthError::invalid_grant("Code not valid"));
        }
        if code.client_id != client.id {
            return Err(OAuthError::invalid_grant("Auth error: Found different client_id in clientSession"));
        }
        if params.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
            return Err(OAuthError::invalid_grant("Incorrect redirect_uri"));
        }
        pkce::check(code.challenge.as_deref(), params.non_empty("code_verifier"))?;
        let Some(session) = state.sessions.get(&code.session) else {
            return Err(OAuthError::invalid_grant("Session not active"));
        };
        if !self.user_enabled(state, &session.username) {
            return Err(OAuthError::invalid_grant("User disabled"));
        }
        if session.status != SessionStatus::Active {
            return Err(OAuthError::invalid_grant("Session not active"));
        }
        let scope = session.scope.clone();
        self.issue(state, &TokenGrant { session: &code.session, scope: &scope, issuer, nonce: code.nonce.as_deref() })
    }

    fn grant_device(&self, state: &mut RealmState, request: &TokenRequest<'_>) -> Result<Value, OAuthError> {
        const NOT_ALLOWED: &str = "Client not allowed OAuth 2.0 Device Authorization Grant";
        let TokenRequest { client, params, issuer } = *request;
        if !client.device_grant {
            return Err(OAuthError::invalid_grant(NOT_ALLOWED));
        }
        let Some(text) = params.get("device_code") else {
            return Err(OAuthError::bad_request("invalid_request", "Missing parameter: device_code"));
        };
        let now_ms = self.now_ms();
        let Some(device) = state.devices.get_mut(text) else {
            return Err(OAuthError::invalid_grant("Device code not valid"));
        };
        if device.client_id != client.id {
            return Err(OAuthError::invalid_grant(NOT_ALLOWED));
        }
        if now_ms >= device.until_ms {
            return Err(OAuthError::bad_request("expired_token", "Device code is expired"));
        }
        // Only answered polls count, so a client that received `slow_down` waits for the rest of the interval.
        let interval_ms = duration_millis(self.config.device_interval);
        if device.last_poll_ms.is_some_and(|last| now_ms < last.saturating_add(interval_ms)) {
            return Err(OAuthError::bad_request("slow_down", "Slow down"));
        }
        device.last_poll_ms = Some(now_ms);
        let username = match &device.decision {
            Decision::Pending => {
                return Err(OAuthError::bad_request(
                    "authorization_pending",
                    "The authorization request is still pending",
                ));
            }
            Decision::Denied => {
                return Err(OAuthError::bad_request("access_denied", "The end user denied the authorization request"));
            }
            Decision::Approved(username) => username.clone(),
        };
        // A wrong verifier does not consume the device code, and the next poll need not wait.
        if let Err(error) = pkce::check(device.challenge.as_deref(), params.non_empty("code_verifier")) {
            device.last_poll_ms = None;
            return Err(error);
        }
        if !self.user_enabled(state, &username) {
            return Err(OAuthError::invalid_grant("User disabled"));
        }
        let Some(device) = state.devices.remove(text) else {
            return Err(OAuthError::invalid_grant("Device code not valid"));
        };
        let session = self.open_session(state, &username, &client.id, &device.scope);
        self.issue(
            state,
            &TokenGrant { session: &session, scope: &device.scope, issuer, nonce: device.nonce.as_deref() },
        )
    }
}
