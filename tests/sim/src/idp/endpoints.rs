//! Revocation (RFC 7009), logout, userinfo, discovery and keys.

use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::params::Params;
use super::realm::Realm;
use super::responses::{CachePolicy, OAuthError, empty, json_response, with_cache_policy};
use super::state::SessionStatus;
use super::tokens::{SCOPES, TokenRejection, profile_claims};

impl Realm {
    /// `POST …/revoke`.
    pub(super) fn revoke(&self, headers: &HeaderMap, params: &Params) -> Response {
        let client = match self.client(headers, params) {
            Ok(client) => client,
            Err(error) => return error.into_response(CachePolicy::Unset),
        };
        let Some(token) = params.non_empty("token") else {
            return OAuthError::bad_request("invalid_request", "Token not provided").into_response(CachePolicy::Unset);
        };
        // RFC 7009, section 2.2: an unknown token is not an error, hence 200. Keycloak names the error in the body all the same.
        let unknown =
            || OAuthError::new(StatusCode::OK, "invalid_token", "Invalid token").into_response(CachePolicy::Unset);
        let state = &mut *self.state();
        let refresh = self.keys.verify_refresh(state.key_generation, token);
        let Some(claims) = refresh.clone().or_else(|| self.keys.verify(state.key_generation, token)) else {
            return unknown();
        };
        if claims["azp"] != client.id.as_str() {
            return OAuthError::bad_request("invalid_request", "Unmatching clients").into_response(CachePolicy::Unset);
        }
        let done = if refresh.is_some() {
            end_session(state.sessions.get_mut(claims["sid"].as_str().unwrap_or_default()))
        } else {
            let access = state.access.get_mut(claims["jti"].as_str().unwrap_or_default());
            access.is_some_and(|access| !std::mem::replace(&mut access.revoked, true))
        };
        if done { empty(StatusCode::OK, CachePolicy::Unset) } else { unknown() }
    }

    /// `POST …/logout` of an application, or `GET …/logout` of a browser.
    pub(super) fn logout(&self, headers: &HeaderMap, params: &Params, is_post: bool) -> Response {
        let state = &mut *self.state();
        if let Some(token) = params.get("refresh_token").filter(|_| is_post) {
            if let Err(error) = self.client(headers, params) {
                return error.into_response(CachePolicy::Unset);
            }
            let Some(claims) = self.keys.verify_refresh(state.key_generation, token) else {
                return OAuthError::invalid_grant("Invalid refresh token").into_response(CachePolicy::Unset);
            };
            end_session(state.sessions.get_mut(claims["sid"].as_str().unwrap_or_default()));
            return empty(StatusCode::NO_CONTENT, CachePolicy::NoCache);
        }
        let page = self.message(StatusCode::OK, "Log out", "To log out, close the session in your application.");
        with_cache_policy(page, CachePolicy::NoCache)
    }

    /// `GET …/userinfo`.
    pub(super) fn userinfo(&self, headers: &HeaderMap) -> Response {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim());
        let state = self.state();
        if bearer.is_empty() {
            return self.challenge(StatusCode::UNAUTHORIZED, "");
        }
        // Checked before the session, so that a revoked token without `openid` gets this error.
        if self.keys.verify(state.key_generation, bearer).is_some_and(|claims| self.is_without_openid(&claims)) {
            let text = ", error=\"insufficient_scope\", error_description=\"Missing openid scope\"";
            return self.challenge(StatusCode::FORBIDDEN, text);
        }
        let checked = self.check_access(&state, bearer);
        let user = checked.and_then(|(_, session)| {
            state
                .sessions
                .get(&session)
                .and_then(|session| self.user(&session.username))
                .ok_or(TokenRejection::NoSession)
        });
        match user {
            Ok(user) => {
                let mut body = profile_claims(user);
                body["sub"] = self.user_id(&user.username).into();
                json_response(StatusCode::OK, CachePolicy::NoCache, &body)
            }
            Err(rejection) => {
                let reason = match rejection {
                    TokenRejection::NoSession => "user_session_not_found",
                    TokenRejection::Disabled => "user_disabled",
                    _ => "Token verification failed",
                };
                let text = format!(", error=\"invalid_token\", error_description=\"{reason}\"");
                self.challenge(StatusCode::UNAUTHORIZED, &text)
            }
        }
    }

    /// Returns whether the claims are those of an unexpired access token without the scope `openid`.
    fn is_without_openid(&self, claims: &Value) -> bool {
        let alive = claims["exp"].as_u64().is_some_and(|end| self.now_ms() < end.saturating_mul(1000));
        let has_openid = claims["scope"].as_str().is_some_and(|scope| scope.split(' ').any(|scope| scope == "openid"));
        claims["typ"] == "Bearer" && alive && !has_openid
    }

    /// Returns an error with `WWW-Authenticate` (RFC 6750, section 3).
    fn challenge(&self, status: StatusCode, error: &str) -> Response {
        let mut response = empty(status, CachePolicy::NoStore);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer realm=\"{}\"{error}", self.config.workspace)) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }

    /// `GET …/.well-known/openid-configuration` (OpenID Connect Discovery).
    pub(super) fn discovery(&self, headers: &HeaderMap) -> Response {
        let issuer = self.issuer(headers);
        let endpoint = |path: &str| format!("{issuer}/protocol/openid-connect/{path}");
        let body = json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint("auth"),
            "token_endpoint": endpoint("token"),
            "userinfo_endpoint": endpoint("userinfo"),
            "end_session_endpoint": endpoint("logout"),
            "jwks_uri": endpoint("certs"),
            "revocation_endpoint": endpoint("revoke"),
            "device_authorization_endpoint": endpoint("auth/device"),
            "grant_types_supported": ["authorization_code", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": self.config.client_auth.methods(),
            "revocation_endpoint_auth_methods_supported": self.config.client_auth.methods(),
            "scopes_supported": SCOPES,
            "claims_supported": ["sub", "name", "preferred_username", "given_name", "family_name", "email"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        json_response(StatusCode::OK, CachePolicy::Unset, &body)
    }

    /// `GET …/certs` (RFC 7517).
    pub(super) fn certs(&self) -> Response {
        let generation = self.state().key_generation;
        json_response(StatusCode::OK, CachePolicy::NoCache, &self.keys.jwks(generation))
    }
}

/// Ends a session. Returns `false` if there is no active session.
fn end_session(session: Option<&mut super::state::Session>) -> bool {
    session.is_some_and(|session| std::mem::replace(&mut session.status, SessionStatus::Ended) != SessionStatus::Ended)
}
