//! The authorization endpoint and its login page (RFC 6749, section 4.1; RFC 9207).

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use url::{Host, Url};

use super::config::ClientSettings;
use super::pages::BROWSER_COOKIE;
use super::params::{self, Params};
use super::pkce;
use super::realm::Realm;
use super::responses::{OAuthError, redirect, without_cache_headers};
use super::state::{
    AuthorizationCode, AuthorizationRequest, Decision, LoginPage, LoginPurpose, RealmState, duration_millis,
};
use super::tokens::granted_scope;

/// The lifetime of a login page.
const LOGIN_PAGE_MS: u64 = 30 * 60 * 1000;

impl Realm {
    /// `GET …/auth`, or `POST` with the same parameters as a form.
    pub(super) fn authorization(&self, headers: &HeaderMap, params: &Params) -> Response {
        let bad_request =
            |text: &str| without_cache_headers(self.message(StatusCode::BAD_REQUEST, "This did not work", text));
        let Some(client_id) = params.get("client_id") else { return bad_request("Missing parameter: client_id") };
        let Some(client) = self.clients.iter().find(|client| client.id == client_id && client.enabled) else {
            return bad_request("Client not found.");
        };
        let redirect_uri = params.get("redirect_uri").unwrap_or_default();
        // Nothing may be sent to the redirect URI before it is validated.
        if !is_allowed_redirect(client, redirect_uri) {
            return bad_request("Invalid parameter: redirect_uri");
        }
        let mut request = AuthorizationRequest {
            client_id: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: params.get("state").map(str::to_owned),
            scope: String::new(),
            nonce: params.get("nonce").map(str::to_owned),
            challenge: None,
        };
        match check_request(client, params, self.config.require_nonce) {
            Ok((scope, challenge)) => (request.scope, request.challenge) = (scope, challenge),
            Err(error) => return self.redirect_error(headers, &request, &error),
        }
        let state = &mut *self.state();
        let known = self.browser_user(state, headers);
        match (known, params.get("prompt")) {
            (Some(_), Some("none")) if client.consent => {
                self.redirect_error(headers, &request, &OAuthError::bad_request("interaction_required", ""))
            }
            (Some(username), prompt) if prompt != Some("login") && client.consent => {
                let id = self.create_login_page(state, LoginPurpose::Code(request));
                self.consent_page(state, &self.issuer(headers), &id, &client.id, username)
            }
            (Some(username), prompt) if prompt != Some("login") => {
                self.redirect_code(state, headers, &request, &username)
            }
            (_, Some("none")) => self.redirect_error(headers, &request, &OAuthError::bad_request("login_required", "")),
            _ => {
                let id = self.create_login_page(state, LoginPurpose::Code(request));
                self.login_form(&self.issuer(headers), &id, None)
            }
        }
    }

    /// Stores an open login page and returns its id.
    pub(super) fn create_login_page(&self, state: &mut RealmState, purpose: LoginPurpose) -> String {
        let now_ms = self.now_ms();
        let id = self.ids.long("login", &state.next_id());
        let login = LoginPage { purpose, until_ms: now_ms.saturating_add(LOGIN_PAGE_MS), username: None };
        state.logins.insert(id.clone(), login);
        id
    }

    /// Returns the user who is logged in in this browser, if the account is enabled.
    pub(super) fn browser_user(&self, state: &RealmState, headers: &HeaderMap) -> Option<String> {
        let username = state.browsers.get(params::cookie(headers, BROWSER_COOKIE)?)?;
        self.user_enabled(state, username).then(|| username.clone())
    }

    /// `POST …/login-actions/authenticate`: the login form.
    pub(super) fn authenticate(&self, headers: &HeaderMap, query: &Params, form: &Params) -> Response {
        let state = &mut *self.state();
        let Some((id, login)) = self.open_login_page(state, query) else { return self.page_expired() };
        let base = self.issuer(headers);
        let username = match self.log_in(state, form.get("username").unwrap_or_default().trim(), form.get("password")) {
            Ok(username) => username,
            Err(error) => {
                let text = match error.description.as_str() {
                    "Invalid user credentials" => "Invalid username or password.",
                    "Account disabled" => "Account is disabled, contact your administrator.",
                    other => other,
                };
                return self.login_form(&base, &id, Some(text));
            }
        };
        let browser = self.ids.long("browser", &state.next_id());
        state.browsers.insert(browser.clone(), username.clone());
        let needs_consent = |id: &str| self.clients.iter().any(|client| client.id == id && client.consent);
        let response = match login.purpose {
            LoginPurpose::Code(request) if needs_consent(&request.client_id) => {
                self.consent_page(state, &base, &id, &request.client_id, username)
            }
            LoginPurpose::Code(request) => {
                state.logins.remove(&id);
                self.redirect_code(state, headers, &request, &username)
            }
            LoginPurpose::Device(device_code) => self.device_consent_page(state, &base, &id, &device_code, username),
        };
        self.set_browser_cookie(response, &browser)
    }

    /// Requests the consent of the user to the login of a device.
    pub(super) fn device_consent_page(
        &self,
        state: &mut RealmState,
        base: &str,
        id: &str,
        device_code: &str,
        username: String,
    ) -> Response {
        match state.devices.get(device_code).map(|device| device.client_id.clone()) {
            Some(client_id) => self.consent_page(state, base, id, &client_id, username),
            None => self.page_expired(),
        }
    }

    /// Requests the consent of the user to the access of a client.
    fn consent_page(
        &self,
        state: &mut RealmState,
        base: &str,
        id: &str,
        client_id: &str,
        username: String,
    ) -> Response {
        if let Some(login) = state.logins.get_mut(id) {
            login.username = Some(username);
        }
        self.consent_form(base, id, client_id)
    }

    /// `POST …/login-actions/consent`: the decision of the user.
    pub(super) fn consent(&self, headers: &HeaderMap, query: &Params, form: &Params) -> Response {
        let state = &mut *self.state();
        let submitted =
            self.open_login_page(state, query).and_then(|(id, login)| Some((id, login.purpose, login.username?)));
        let Some((id, purpose, username)) = submitted else { return self.page_expired() };
        state.logins.remove(&id);
        let accepted = form.get("accept").is_some();
        match purpose {
            LoginPurpose::Code(request) if accepted => self.redirect_code(state, headers, &request, &username),
            LoginPurpose::Code(request) => {
                self.redirect_error(headers, &request, &OAuthError::bad_request("access_denied", ""))
            }
            LoginPurpose::Device(device_code) => {
                let decision = if accepted { Decision::Approved(username) } else { Decision::Denied };
                if !self.decide_device(state, &device_code, decision) {
                    return self.page_expired();
                }
                let error = if accepted { "" } else { "?error=access_denied" };
                redirect(&format!("{}/device/status{error}", self.issuer(headers)))
            }
        }
    }

    fn open_login_page(&self, state: &RealmState, query: &Params) -> Option<(String, LoginPage)> {
        let id = query.get("session_code")?;
        let login = state.logins.get(id).filter(|login| self.now_ms() < login.until_ms)?;
        Some((id.to_owned(), login.clone()))
    }

    fn page_expired(&self) -> Response {
        let text = "This page is no longer valid. Start the login again.";
        self.message(StatusCode::BAD_REQUEST, "Page has expired", text)
    }

    fn redirect_code(
        &self,
        state: &mut RealmState,
        headers: &HeaderMap,
        request: &AuthorizationRequest,
        username: &str,
    ) -> Response {
        let now_ms = self.now_ms();
        let session = self.open_session(state, username, &request.client_id, &request.scope);
        let code = format!(
            "{}.{session}.{}",
            self.ids.uuid("code", &state.next_id()),
            self.ids.uuid("client", &request.client_id)
        );
        let entry = AuthorizationCode {
            session: session.clone(),
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            until_ms: now_ms.saturating_add(duration_millis(self.config.code_ttl)),
            used: false,
        };
        state.codes.insert(code.clone(), entry);
        let issuer = self.issuer(headers);
        let mut parameters: Vec<(&str, &str)> =
            request.state.as_deref().map(|state| ("state", state)).into_iter().collect();
        parameters.extend([("session_state", session.as_str()), ("iss", &issuer), ("code", &code)]);
        self.redirect_back(request, &parameters)
    }

    fn redirect_error(&self, headers: &HeaderMap, request: &AuthorizationRequest, error: &OAuthError) -> Response {
        let issuer = self.issuer(headers);
        let mut parameters = vec![("error", error.error)];
        if !error.description.is_empty() {
            parameters.push(("error_description", &error.description));
        }
        parameters.extend(request.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &issuer));
        self.redirect_back(request, &parameters)
    }

    fn redirect_back(&self, request: &AuthorizationRequest, parameters: &[(&str, &str)]) -> Response {
        match Url::parse(&request.redirect_uri) {
            Ok(mut target) => {
                target.query_pairs_mut().extend_pairs(parameters);
                redirect(target.as_str())
            }
            Err(_) => self.message(StatusCode::BAD_REQUEST, "This did not work", "Invalid parameter: redirect_uri"),
        }
    }
}

/// Checks the parameters whose errors are sent to the redirect URI: response type, scope, nonce, PKCE, permission.
fn check_request(
    client: &ClientSettings,
    params: &Params,
    require_nonce: bool,
) -> Result<(String, Option<String>), OAuthError> {
    match params.get("response_type") {
        Some("code") => {}
        None => return Err(OAuthError::bad_request("invalid_request", "Missing parameter: response_type")),
        _ => return Err(OAuthError::bad_request("unsupported_response_type", "")),
    }
    if !client.code_grant {
        return Err(OAuthError::bad_request(
            "unauthorized_client",
            "Client is not allowed to use the authorization code flow",
        ));
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::bad_request("invalid_request", "Invalid parameter: response_mode"));
    }
    let scope = granted_scope(params.get("scope"))?;
    if require_nonce && scope.split(' ').any(|scope| scope == "openid") && params.non_empty("nonce").is_none() {
        return Err(OAuthError::bad_request("invalid_request", "Missing parameter: nonce"));
    }
    Ok((scope, pkce::challenge(client, params)?))
}

/// Returns whether the redirect URI is allowed: a loopback URI over http (RFC 8252, section 7.3: any port), or a registered URI.
pub(super) fn is_allowed_redirect(client: &ClientSettings, redirect_uri: &str) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else { return false };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    (loopback && url.scheme() == "http")
        || client.redirect_uris.iter().any(|registered| match registered.strip_suffix('*') {
            Some(start) => redirect_uri.starts_with(start),
            None => registered == redirect_uri,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_loopback_and_registered_redirects_only() {
        let mut client = ClientSettings::public("c");
        client.redirect_uris = vec!["https://app.test/cb".to_owned(), "https://web.test/*".to_owned()];
        for good in [
            "http://127.0.0.1:1/x/y?z=1",
            "http://127.0.0.1/",
            "http://localhost:45671/cb",
            "http://[::1]:45671/cb",
            "https://app.test/cb",
            "https://web.test/a/b",
        ] {
            assert!(is_allowed_redirect(&client, good), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "https://evil.test/cb",
            "http://127.0.0.1.evil.test:80/",
            "http://127.0.0.1@evil.test/",
            "http://a@127.0.0.1/",
            "https://app.test/cb/more",
            "http://127.0.0.1/#x",
            "javascript:alert(1)",
        ] {
            assert!(!is_allowed_redirect(&client, bad), "{bad}");
        }
    }
}
