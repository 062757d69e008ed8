//! What a test does behind the provider's back: ends of tokens, new keys, decisions about devices and users, saving and loading.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::realm::Provider;
use super::state::{AccessToken, Decision, RealmState, Session, SessionStatus};

impl Provider {
    /// Ends every session: refresh tokens are "not active" any more, access tokens no longer open the API.
    pub fn revoke_all(&self) {
        for session in self.realm.state().sessions.values_mut() {
            session.status = SessionStatus::Ended;
        }
    }

    /// Ends the sessions of one user, as an administrator does who logs somebody out.
    pub fn end_sessions(&self, username: &str) {
        let Some(user) = self.realm.user(username) else { return };
        let state = &mut *self.realm.state();
        for session in state.sessions.values_mut().filter(|session| session.username == user.username) {
            session.status = SessionStatus::Ended;
        }
    }

    /// Makes every access token of now expire; refresh tokens go on.
    pub fn expire_access_tokens(&self) {
        let now_ms = self.realm.now_ms();
        for access in self.realm.state().access.values_mut() {
            access.until_ms = access.until_ms.min(now_ms);
        }
    }

    /// Makes this access token expire; its refresh token goes on. `false` if it is none of this provider's.
    pub fn expire_access_token(&self, token: &str) -> bool {
        let now_ms = self.realm.now_ms();
        self.with_access(token, |_, access| access.until_ms = access.until_ms.min(now_ms))
    }

    /// Revokes this access token and ends its session, so that the refresh tokens of that are "not active" any more. `false` if it is none of this
    /// provider's.
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

    /// Makes every refresh token of now expire; access tokens go on.
    pub fn expire_refresh_tokens(&self) {
        for session in
            self.realm.state().sessions.values_mut().filter(|session| session.status == SessionStatus::Active)
        {
            session.status = SessionStatus::RefreshExpired;
        }
    }

    /// Signs with other keys from now on, as a realm does that was set up anew: no older token is known any more.
    pub fn change_keys(&self) {
        let state = &mut *self.realm.state();
        state.key_generation = state.key_generation.wrapping_add(1);
    }

    /// Approves the device that shows `user_code`, in the name of `username`. `false` if there is no such user, or no such code that waits.
    pub fn approve_device(&self, user_code: &str, username: &str) -> bool {
        let Some(user) = self.realm.user(username) else { return false };
        self.decide(user_code, Decision::Approved(user.username.clone()))
    }

    /// Refuses the device that shows `user_code`. `false` if no such code waits.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Decision::Denied)
    }

    fn decide(&self, user_code: &str, decision: Decision) -> bool {
        let state = &mut *self.realm.state();
        let device_code = state.device_code_of(user_code);
        device_code.is_some_and(|device_code| self.realm.decide_device(state, &device_code, decision))
    }

    /// Enables or disables a user. `false` if there is no such user.
    pub fn set_user_enabled(&self, username: &str, enabled: bool) -> bool {
        let Some(user) = self.realm.user(username) else { return false };
        self.realm.state().user_switches.insert(user.username.clone(), enabled);
        true
    }

    /// The id of a user: `sub` in tokens, and what the API should call the same person.
    pub fn user_id(&self, username: &str) -> String {
        self.realm.user_id(username)
    }

    /// Everything that has to survive a restart.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(&*self.realm.state()).unwrap_or_default()
    }

    /// Takes up where [`to_json`](Self::to_json) left off.
    pub fn load_json(&self, saved: &Value) -> Result<(), String> {
        // serde would read a struct from an array too.
        if !saved.is_object() {
            return Err("the identity provider's state: not an object".to_owned());
        }
        let loaded: RealmState = serde::Deserialize::deserialize(saved)
            .map_err(|error| format!("the identity provider's state: {error}"))?;
        *self.realm.state() = loaded;
        Ok(())
    }

    /// What a person wants to see of the state: sessions, tokens (shortened), devices. No secret, no whole token, no code.
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
