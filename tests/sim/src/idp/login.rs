//! The authorization endpoint and the login page behind it (RFC 6749 4.1, RFC 9207): from a request to a code.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use url::{Host, Url};

use super::Realm;
use super::answers::{Refused, page, redirect, unsaid};
use super::config::ClientSettings;
use super::pages::{BROWSER_COOKIE, escaped, layout};
use super::params::{self, Params};
use super::pkce;
use super::state::{Code, CodeRequest, Login, Purpose, State, Verdict, length};
use super::tokens::granted_scope;

/// How long a login page may stay open.
const LOGIN_PAGE_MS: u64 = 30 * 60 * 1000;

impl Realm {
    /// `GET …/auth` (or `POST` with the same parameters as a form).
    pub(super) fn authorization(&self, headers: &HeaderMap, params: &Params) -> Response {
        let sorry = |text: &str| unsaid(self.message(StatusCode::BAD_REQUEST, "This did not work", text));
        let Some(client_id) = params.get("client_id") else { return sorry("Missing parameter: client_id") };
        let Some(client) = self.clients.iter().find(|client| client.id == client_id && client.enabled) else {
            return sorry("Client not found.");
        };
        let redirect_uri = params.get("redirect_uri").unwrap_or_default();
        // Before this address is known to be good, nothing may be sent to it.
        if !may_redirect(client, redirect_uri) {
            return sorry("Invalid parameter: redirect_uri");
        }
        let mut request = CodeRequest {
            client_id: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            form_post: params.get("response_mode") == Some("form_post"),
            state: params.get("state").map(str::to_owned),
            scope: String::new(),
            nonce: params.get("nonce").map(str::to_owned),
            challenge: None,
        };
        match check_request(client, params, self.config.require_nonce) {
            Ok((scope, challenge)) => (request.scope, request.challenge) = (scope, challenge),
            Err(refused) => return self.send_back_error(headers, &request, &refused),
        }
        let state = &mut *self.state();
        let known = self.browser_user(state, headers);
        match (known, params.get("prompt")) {
            (Some(_), Some("none")) if client.consent => {
                self.send_back_error(headers, &request, &Refused::bad("interaction_required", ""))
            }
            (Some(username), prompt) if prompt != Some("login") && client.consent => {
                let id = self.open_login(state, Purpose::Code(request));
                self.ask_consent(state, &self.issuer(headers), &id, &client.id, username)
            }
            (Some(username), prompt) if prompt != Some("login") => self.send_code(state, headers, &request, &username),
            (_, Some("none")) => self.send_back_error(headers, &request, &Refused::bad("login_required", "")),
            _ => {
                let id = self.open_login(state, Purpose::Code(request));
                self.login_form(&self.issuer(headers), &id, None)
            }
        }
    }

    /// Remembers an open login page and gives its id.
    pub(super) fn open_login(&self, state: &mut State, purpose: Purpose) -> String {
        let now_ms = self.now_ms();
        let id = self.ids.long("login", &state.next());
        let login = Login { purpose, until_ms: now_ms.saturating_add(LOGIN_PAGE_MS), username: None };
        state.logins.insert(id.clone(), login);
        id
    }

    /// The user who is logged in in the browser that asks, if the account still may.
    pub(super) fn browser_user(&self, state: &State, headers: &HeaderMap) -> Option<String> {
        let username = state.browsers.get(params::cookie(headers, BROWSER_COOKIE)?)?;
        self.user_enabled(state, username).then(|| username.clone())
    }

    /// `POST …/login-actions/authenticate`: the login form.
    pub(super) fn authenticate(&self, headers: &HeaderMap, query: &Params, form: &Params) -> Response {
        let state = &mut *self.state();
        let Some((id, login)) = self.live_login(state, query) else { return self.page_expired() };
        let base = self.issuer(headers);
        let username = match self.log_in(state, form.get("username").unwrap_or_default().trim(), form.get("password")) {
            Ok(username) => username,
            Err(refused) => {
                let text = match refused.description.as_str() {
                    "Invalid user credentials" => "Invalid username or password.",
                    "Account disabled" => "Account is disabled, contact your administrator.",
                    other => other,
                };
                return self.login_form(&base, &id, Some(text));
            }
        };
        let browser = self.ids.long("browser", &state.next());
        state.browsers.insert(browser.clone(), username.clone());
        let asks = |id: &str| self.clients.iter().any(|client| client.id == id && client.consent);
        let response = match login.purpose {
            Purpose::Code(request) if asks(&request.client_id) => {
                self.ask_consent(state, &base, &id, &request.client_id, username)
            }
            Purpose::Code(request) => {
                state.logins.remove(&id);
                self.send_code(state, headers, &request, &username)
            }
            Purpose::Device(device_code) => self.ask_device_consent(state, &base, &id, &device_code, username),
        };
        self.remember(response, &browser)
    }

    /// Asks the user who just logged in whether the device may go on.
    pub(super) fn ask_device_consent(
        &self,
        state: &mut State,
        base: &str,
        id: &str,
        device_code: &str,
        username: String,
    ) -> Response {
        match state.devices.get(device_code).map(|device| device.client_id.clone()) {
            Some(client_id) => self.ask_consent(state, base, id, &client_id, username),
            None => self.page_expired(),
        }
    }

    /// Asks the user who just logged in whether a client may go on.
    fn ask_consent(&self, state: &mut State, base: &str, id: &str, client_id: &str, username: String) -> Response {
        if let Some(login) = state.logins.get_mut(id) {
            login.username = Some(username);
        }
        self.consent_form(base, id, client_id)
    }

    /// `POST …/login-actions/consent`: yes or no to a client.
    pub(super) fn consent(&self, headers: &HeaderMap, query: &Params, form: &Params) -> Response {
        let state = &mut *self.state();
        let answered = self.live_login(state, query).and_then(|(id, login)| Some((id, login.purpose, login.username?)));
        let Some((id, purpose, username)) = answered else { return self.page_expired() };
        state.logins.remove(&id);
        let accepted = form.get("accept").is_some();
        match purpose {
            Purpose::Code(request) if accepted => self.send_code(state, headers, &request, &username),
            Purpose::Code(request) => self.send_back_error(headers, &request, &Refused::bad("access_denied", "")),
            Purpose::Device(device_code) => {
                let verdict = if accepted { Verdict::Approved(username) } else { Verdict::Denied };
                if !self.judge_device(state, &device_code, verdict) {
                    return self.page_expired();
                }
                let error = if accepted { "" } else { "?error=access_denied" };
                redirect(&format!("{}/device/status{error}", self.issuer(headers)))
            }
        }
    }

    fn live_login(&self, state: &State, query: &Params) -> Option<(String, Login)> {
        let id = query.get("session_code")?;
        let login = state.logins.get(id).filter(|login| self.now_ms() < login.until_ms)?;
        Some((id.to_owned(), login.clone()))
    }

    fn page_expired(&self) -> Response {
        let text = "This page is no longer valid. Start the login again.";
        self.message(StatusCode::BAD_REQUEST, "Page has expired", text)
    }

    fn send_code(&self, state: &mut State, headers: &HeaderMap, request: &CodeRequest, username: &str) -> Response {
        let now_ms = self.now_ms();
        let session = self.open_session(state, username, &request.client_id, &request.scope);
        let code = format!(
            "{}.{session}.{}",
            self.ids.uuid("code", &state.next()),
            self.ids.uuid("client", &request.client_id)
        );
        let entry = Code {
            session: session.clone(),
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            until_ms: now_ms.saturating_add(length(self.config.code_ttl)),
            used: false,
        };
        state.codes.insert(code.clone(), entry);
        let issuer = self.issuer(headers);
        let mut answer: Vec<(&str, &str)> =
            request.state.as_deref().map(|state| ("state", state)).into_iter().collect();
        answer.extend([("session_state", session.as_str()), ("iss", &issuer), ("code", &code)]);
        self.send_back(request, &answer)
    }

    fn send_back_error(&self, headers: &HeaderMap, request: &CodeRequest, refused: &Refused) -> Response {
        let issuer = self.issuer(headers);
        let mut answer = vec![("error", refused.error)];
        if !refused.description.is_empty() {
            answer.push(("error_description", &refused.description));
        }
        answer.extend(request.state.as_deref().map(|state| ("state", state)));
        answer.push(("iss", &issuer));
        self.send_back(request, &answer)
    }

    fn send_back(&self, request: &CodeRequest, answer: &[(&str, &str)]) -> Response {
        if request.form_post {
            let field = |(name, value): &(&str, &str)| {
                format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
            };
            let fields = answer.iter().map(field).collect::<Vec<_>>().concat();
            let content = format!(
                "<form method=\"post\" action=\"{}\">{fields}<input type=\"submit\" name=\"continue\" value=\"Continue\"></form>\
                 <script>document.forms[0].submit()</script>",
                escaped(&request.redirect_uri)
            );
            return page(StatusCode::OK, layout(&self.config.workspace, "Back to the application", &content));
        }
        match Url::parse(&request.redirect_uri) {
            Ok(mut target) => {
                target.query_pairs_mut().extend_pairs(answer);
                redirect(target.as_str())
            }
            Err(_) => self.message(StatusCode::BAD_REQUEST, "This did not work", "Invalid parameter: redirect_uri"),
        }
    }
}

/// Checks the parts of a request whose errors are answered at the redirect URI: response type, scope, nonce, PKCE, permission.
fn check_request(
    client: &ClientSettings,
    params: &Params,
    require_nonce: bool,
) -> Result<(String, Option<super::state::Challenge>), Refused> {
    match params.get("response_type") {
        Some("code") => {}
        None => return Err(Refused::bad("invalid_request", "Missing parameter: response_type")),
        _ => return Err(Refused::bad("unsupported_response_type", "")),
    }
    if !client.code_grant {
        return Err(Refused::bad("unauthorized_client", "Client is not allowed to use the authorization code flow"));
    }
    if params.get("response_mode").is_some_and(|mode| !["query", "form_post"].contains(&mode)) {
        return Err(Refused::bad("invalid_request", "Invalid parameter: response_mode"));
    }
    let scope = granted_scope(params.get("scope"))?;
    if require_nonce && scope.split(' ').any(|scope| scope == "openid") && params.filled("nonce").is_none() {
        return Err(Refused::bad("invalid_request", "Missing parameter: nonce"));
    }
    Ok((scope, pkce::challenge(client, params)?))
}

/// Loopback over http is always good (RFC 8252 7.3: any port), other addresses must be registered.
pub(super) fn may_redirect(client: &ClientSettings, redirect_uri: &str) -> bool {
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
    fn only_loopback_and_registered_addresses_get_answers() {
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
            assert!(may_redirect(&client, good), "{good}");
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
            assert!(!may_redirect(&client, bad), "{bad}");
        }
    }
}
