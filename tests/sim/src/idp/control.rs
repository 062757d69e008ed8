//! Control of the provider for tests: expiry, revocation, new keys, decisions about devices and users, saving and loading.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::realm::Provider;
use super::state::{AccessToken, Decision, RealmState, Session, SessionStatus};

impl Provider {
    /// Ends all sessions. Refresh tokens become "not active", and the API rejects the access tokens.
    pub fn revoke_all(&self) {
        for session in self.realm.state().sessions.values_mut() {
            session.status = SessionStatus::Ended;
        }
    }

    /// Ends the sessions of a user, as an administrator does.
    pub fn end_sessions(&self, username: &str) {
        let Some(user) = self.realm.user(username) else { return };
        let state = &mut *self.realm.state();
        for session in state.sessions.values_mut().filter(|session| session.username == user.username) {
            session.status = SessionStatus::Ended;
        }
    }

    /// Expires all current access tokens. Refresh tokens stay valid.
    pub fn expire_access_tokens(&self) {
        let now_ms = self.realm.now_ms();
        for access in self.realm.state().access.values_mut() {
            access.until_ms = access.until_ms.min(now_ms);
        }
    }

    /// Expires an access token. Its refresh token stays valid. Returns `false` for a token of another issuer.
    pub fn expire_access_token(&self, token: &str) -> bool {
        let now_ms = self.realm.now_ms();
        self.with_access(token, |_, access| access.until_ms = access.until_ms.min(now_ms))
    }

    /// Revokes an access token and ends its session, so that the refresh tokens of the session become "not active". Returns `false` for a token of
    /// another issuer.
    pub fn revoke_access_token(&self, token: &str) -> bool {
        self.with_access(token, |sessions, access| {
            access.revoked = true;
            if let Some(session) = sessions.get_mut(&access.session) {
                session.status = SessionStatus::Ended;
            }
        })
    }

    fn with_access(&self, token: &str, work: impl FnOnce(&mut BTreeMap<String, Session>, &mut AccessToken)) -> bool {
        let state = &mut *self.realm.state();
        let Some(claims) = self.realm.keys.verify(state.key_generation, token) else { return false };
        let access = state.access.get_mut(claims["jti"].as_str().unwrap_or_default());
        access.is_some_and(|access| {
            work(&mut state.sessions, access);
            true
        })
    }

    /// Expires all current refresh tokens. Access tokens stay valid.
    pub fn expire_refresh_tokens(&self) {
        for session in
            self.realm.state().sessions.values_mut().filter(|session| session.status == SessionStatus::Active)
        {
            session.status = SessionStatus::RefreshExpired;
        }
    }

    /// Switches to other signing keys, as a newly created realm has. All older tokens become invalid.
    pub fn change_keys(&self) {
        let state = &mut *self.realm.state();
        state.key_generation = state.key_generation.wrapping_add(1);
    }

    /// Approves the device with `user_code` for `username`. Returns `false` for an unknown user, or without a pending device of this code.
    pub fn approve_device(&self, user_code: &str, username: &str) -> bool {
        let Some(user) = self.realm.user(username) else { return false };
        self.decide(user_code, Decision::Approved(user.username.clone()))
    }

    /// Denies the device with `user_code`. Returns `false` without a pending device of this code.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Decision::Denied)
    }

    fn decide(&self, user_code: &str, decision: Decision) -> bool {
        let state = &mut *self.realm.state();
        let device_code = state.device_code_of(user_code);
        device_code.is_some_and(|device_code| self.realm.decide_device(state, &device_code, decision))
    }

    /// Enables or disables a user. Returns `false` for an unknown user.
    pub fn set_user_enabled(&self, username: &str, enabled: bool) -> bool {
        let Some(user) = self.realm.user(username) else { return false };
        self.realm.state().user_switches.insert(user.username.clone(), enabled);
        true
    }

    /// Returns the id of a user: `sub` in tokens, and the user's id in the API.
    pub fn user_id(&self, username: &str) -> String {
        self.realm.user_id(username)
    }

    /// Returns the state that must survive a restart.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(&*self.realm.state()).unwrap_or_default()
    }

    /// Loads a state returned by [`to_json`](Self::to_json).
    pub fn load_json(&self, saved: &Value) -> Result<(), String> {
        // serde also accepts an array for a struct.
        if !saved.is_object() {
            return Err("invalid state of the identity provider: not an object".to_owned());
        }
        let loaded: RealmState = serde::Deserialize::deserialize(saved)
            .map_err(|error| format!("invalid state of the identity provider: {error}"))?;
        *self.realm.state() = loaded;
        Ok(())
    }

    /// Returns sessions, tokens and devices for inspection. Ids are shortened; secrets, tokens and codes are left out.
    pub fn snapshot(&self) -> Value {
        let now_ms = self.realm.now_ms();
        let state = self.realm.state();
        let left = |until_ms: u64| until_ms.saturating_sub(now_ms) / 1000;
        let sessions: Vec<Value> = state
            .sessions
            .iter()
            .map(|(id, session)| {
                json!({
                    "session": shortened(id), "username": session.username, "client_id": session.client_id, "scope": session.scope,
                    "status": session.status, "refresh_expires_in": session.refresh_until_ms.map(left),
                })
            })
            .collect();
        let tokens: Vec<Value> = state
            .access
            .iter()
            .map(|(jti, access)| {
                json!({
                    "token": shortened(jti), "session": shortened(&access.session), "expires_in": left(access.until_ms),
                    "revoked": access.revoked,
                })
            })
            .collect();
        let devices: Vec<Value> = state
            .devices
            .values()
            .map(|device| {
                json!({
                    "user_code": device.user_code, "client_id": device.client_id, "verdict": device.decision,
                    "expires_in": left(device.until_ms),
                })
            })
            .collect();
        json!({ "sessions": sessions, "access_tokens": tokens, "devices": devices })
    }
}

fn shortened(id: &str) -> String {
    id.chars().take(8).chain(std::iter::once('…')).collect()
}
