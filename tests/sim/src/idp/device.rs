//! The device authorization grant (RFC 8628): the request of the device, and the page on which the user enters or confirms the code.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::params::Params;
use super::pkce;
use super::realm::Realm;
use super::responses::{CachePolicy, OAuthError, json_response};
use super::state::{Decision, DeviceAuthorization, LoginPurpose, RealmState, duration_millis};
use super::tokens::restrict_scope;

impl Realm {
    /// `POST …/auth/device`.
    pub(super) fn device_request(&self, headers: &HeaderMap, params: &Params) -> Response {
        let client = match self.client(headers, params) {
            Ok(client) => client,
            Err(error) => return error.into_response(CachePolicy::Unset),
        };
        if !client.device_grant {
            let text = "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the client.";
            return OAuthError::bad_request("unauthorized_client", text).into_response(CachePolicy::Unset);
        }
        let challenge = match pkce::challenge(client, params) {
            Ok(challenge) => challenge,
            Err(error) => return error.into_response(CachePolicy::MustRevalidate),
        };
        // Unlike elsewhere, an empty scope counts as absent, and an unknown scope is ignored.
        let scope = restrict_scope(params.get("scope").unwrap_or_default(), |_| true);
        let state = &mut *self.state();
        let now_ms = self.now_ms();
        state.remove_expired(now_ms);
        let name = state.next_id();
        let (device_code, user_code) = (self.ids.long("device-code", &name), self.ids.user_code(&name));
        let device = DeviceAuthorization {
            user_code: user_code.clone(),
            client_id: client.id.clone(),
            scope,
            challenge,
            nonce: params.get("nonce").map(str::to_owned),
            until_ms: now_ms.saturating_add(duration_millis(self.config.device_ttl)),
            last_poll_ms: None,
            decision: Decision::Pending,
        };
        state.devices.insert(device_code.clone(), device);
        let page = format!("{}/device", self.issuer(headers));
        let body = json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": self.config.device_ttl.as_secs(),
            "interval": self.config.device_interval.as_secs(),
        });
        json_response(StatusCode::OK, CachePolicy::MustRevalidate, &body)
    }

    /// `GET …/device`, with or without `user_code`. `POST` submits the form for the code.
    pub(super) fn device_page(&self, headers: &HeaderMap, params: &Params) -> Response {
        let base = self.issuer(headers);
        let Some(typed) = params.non_empty("user_code").or_else(|| params.non_empty("device_user_code")) else {
            return self.user_code_form(&base, None);
        };
        let state = &mut *self.state();
        let now_ms = self.now_ms();
        let pending = state.device_code_of(typed).filter(|code| {
            state
                .devices
                .get(code)
                .is_some_and(|device| device.decision == Decision::Pending && now_ms < device.until_ms)
        });
        let Some(device_code) = pending else {
            return self
                .user_code_form(&base, Some("This code is not valid. Check your device and enter the code again."));
        };
        let id = self.create_login_page(state, LoginPurpose::Device(device_code.clone()));
        match self.browser_user(state, headers) {
            Some(username) => self.device_consent_page(state, &base, &id, &device_code, username),
            None => self.login_form(&base, &id, None),
        }
    }

    /// `GET …/device/status`: the result page.
    pub(super) fn device_status(&self, params: &Params) -> Response {
        if params.get("error").is_some() {
            self.message(StatusCode::OK, "Device login failed", "You did not allow the device to log in.")
        } else {
            self.message(
                StatusCode::OK,
                "Device login successful",
                "You can close this page and go back to your device.",
            )
        }
    }

    /// Records the decision of the user. Returns `false` for an expired or decided device.
    pub(super) fn decide_device(&self, state: &mut RealmState, device_code: &str, decision: Decision) -> bool {
        let now_ms = self.now_ms();
        let pending =
            |device: &&mut DeviceAuthorization| device.decision == Decision::Pending && now_ms < device.until_ms;
        let Some(device) = state.devices.get_mut(device_code).filter(pending) else { return false };
        device.decision = decision;
        true
    }
}
