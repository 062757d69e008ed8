//! The authorization code grant: RFC 6749 section 4.1, with PKCE (RFC 7636). The person logs in at the provider's own page; the program never
//! sees the password.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl};
use url::Url;

use super::authorization_record::AuthorizationRecord;
use super::{access_denied, save_login};
use crate::auth::client_auth::ClientIdentity;
use crate::auth::identity_provider::IdentityProvider;
use crate::auth::lenient::LenientObject;
use crate::auth::oauth_request::{OauthRequest, requested_scopes};
use crate::auth::secret::Secret;
use crate::auth::store::LoginStore;
use crate::auth::token::TokenSet;
use crate::auth::token_endpoint::OauthError;
use crate::error::{Error, Result};

const OPERATION: &str = "login by browser";

/// A login that waits for a person at the provider's page, created by [`Login::authorization`](crate::auth::Login::authorization).
///
/// It accepts one response: a code works once, and a second use of it ends the session that the first one began (RFC 6749 section 4.1.2).
/// [`to_json`](Self::to_json) stores it while the person is at the page.
#[must_use = "a login completes only when its response is passed on"]
pub struct Authorization {
    url: Url,
    redirect_uri: RedirectUrl,
    state: Secret,
    verifier: Secret,
    /// The nonce that the ID token has to repeat. Only a request with the scope `openid` has a nonce.
    nonce: Option<Secret>,
    /// The end of the login's time limit, for a stored authorization. `None`: no limit.
    expires_at: Option<SystemTime>,
    client: ClientIdentity,
    provider: Arc<IdentityProvider>,
    store: Option<LoginStore>,
}

impl Authorization {
    pub(in crate::auth) fn new(
        redirect_uri: RedirectUrl,
        expires_at: Option<SystemTime>,
        scopes: &[String],
        client: ClientIdentity,
        provider: Arc<IdentityProvider>,
        store: Option<LoginStore>,
    ) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let is_openid = scopes.iter().flat_map(|scope| scope.split_whitespace()).any(|scope| scope == "openid");
        let nonce = is_openid.then(CsrfToken::new_random);
        let page = AuthUrl::from_url(provider.authorization_page.clone());
        let oauth = BasicClient::new(ClientId::new(client.id.clone())).set_auth_uri(page);
        let mut request = oauth
            .authorize_url(CsrfToken::new_random)
            .set_redirect_uri(Cow::Borrowed(&redirect_uri))
            .set_pkce_challenge(challenge)
            .add_scopes(requested_scopes(scopes));
        if let Some(nonce) = &nonce {
            request = request.add_extra_param("nonce", nonce.secret());
        }
        let (url, state) = request.url();
        let (state, verifier) = (state.into_secret().into(), verifier.into_secret().into());
        let nonce = nonce.map(|nonce| nonce.into_secret().into());
        Self { url, redirect_uri, state, verifier, nonce, expires_at, client, provider, store }
    }

    /// Resumes a stored login.
    pub(in crate::auth) fn resume(
        json: &str,
        client: ClientIdentity,
        provider: Arc<IdentityProvider>,
        store: Option<LoginStore>,
    ) -> Result<Self> {
        let AuthorizationRecord { url, redirect_uri, state, verifier, nonce, expires_at } =
            AuthorizationRecord::parse(json, &client.id, provider.token.url())
                .map_err(|error| error.with_operation(OPERATION))?;
        if expires_at.is_some_and(|end| provider.clock.now() >= end) {
            let error =
                Error::auth("the stored login has expired; start the login again, or set a longer `time_limit`");
            return Err(error.login_needed().with_operation(OPERATION));
        }
        Ok(Self { url, redirect_uri, state, verifier, nonce, expires_at, client, provider, store })
    }

    /// Returns the pending login as JSON, for a callback that may reach another replica of the program:
    /// [`Login::resume_authorization`](crate::auth::Login::resume_authorization) reads it.
    ///
    /// The JSON contains the `state` and the PKCE verifier, which complete the login together with the code. Keep the JSON in the person's own
    /// session: on the server, or encrypted in a cookie. It contains neither the client secret nor tokens.
    pub fn to_json(&self) -> Secret {
        AuthorizationRecord {
            url: self.url.clone(),
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            verifier: self.verifier.clone(),
            nonce: self.nonce.clone(),
            expires_at: self.expires_at,
        }
        .to_json(&self.client.id, self.provider.token.url())
    }

    /// Returns the URL to open in the person's browser.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the `state` (RFC 6749 section 10.12) that the response has to repeat. A web application uses it to find the login that a response
    /// belongs to; store it in the person's own session only.
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// Completes the login with the redirect that the browser received: the whole URL, or its query.
    ///
    /// # Errors
    /// The response belongs to another login or comes from another provider (`iss`, RFC 9207); the person or the provider refused; the code was used
    /// or has expired ([`Error::needs_login`]); the ID token belongs to another login (`nonce`).
    pub async fn finish_with_redirect(self, answer: &str) -> Result<TokenSet> {
        let code = self.code(answer).map_err(|error| error.with_operation(OPERATION))?;
        self.redeem_code(&code).await
    }

    /// Completes the login with text that a person pastes on a machine without a browser: the URL that the browser ended at, or the code alone, as
    /// some pages show it. A code alone has no state; the provider verifies by the PKCE challenge that it belongs to this login (RFC 7636).
    ///
    /// # Errors
    /// As [`finish_with_redirect`](Self::finish_with_redirect).
    pub async fn finish_with_pasted(self, text: &str) -> Result<TokenSet> {
        let text = text.trim();
        let is_code = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "?&=/:".contains(c));
        if is_code { self.redeem_code(&Secret::new(text)).await } else { self.finish_with_redirect(text).await }
    }

    /// Completes the login with the `code` and the `state` that a web application's callback received. If the provider announces `iss` (RFC 9207,
    /// known by [`discover`](crate::ClientBuilder::discover)), pass the whole query to [`finish_with_redirect`](Self::finish_with_redirect) instead, which checks `iss`.
    ///
    /// # Errors
    /// As [`finish_with_redirect`](Self::finish_with_redirect).
    pub async fn exchange_code(self, code: &str, state: &str) -> Result<TokenSet> {
        let checked = self.check_state(state).and_then(|()| {
            if self.provider.issuer.is_announced {
                return Err(Error::input(
                    "this provider's responses name their issuer (iss), which has to be checked; pass the whole query to `finish_with_redirect`",
                ));
            }
            Ok(())
        });
        checked.map_err(|error| error.with_operation(OPERATION))?;
        self.redeem_code(&Secret::new(code)).await
    }

    /// Returns the code of a response to this login.
    fn code(&self, response: &str) -> Result<Secret> {
        let response = response.trim();
        let response = response.split('#').next().unwrap_or_default();
        let query = response.split_once('?').map_or(response, |(_, query)| query);
        let mut fields = CallbackFields::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            fields.set(&name, &value)?;
        }
        let Some(state) = &fields.state else {
            return Err(Error::input(
                "not a login response; paste the whole URL that the browser ended at, with `code=` and `state=` in it",
            ));
        };
        // State and issuer come first: an error of a response to another login is not reported.
        self.check_state(state)?;
        self.check_issuer(fields.issuer.as_deref())?;
        if let Some(error) = fields.error {
            return Err(self.error_of_response(error, fields.description));
        }
        fields.code.ok_or_else(|| Error::auth("the identity provider's response holds no code; start the login again"))
    }

    fn check_state(&self, state: &str) -> Result<()> {
        if self.state.is(state) {
            return Ok(());
        }
        Err(Error::auth("the response belongs to another login (state mismatch); start the login again"))
    }

    /// Checks the issuer (RFC 9207 section 2.4).
    fn check_issuer(&self, actual: Option<&str>) -> Result<()> {
        let is_other = |actual: &str| {
            let expected = self.provider.issuer.name.as_deref();
            expected.is_some_and(|expected| expected.trim_end_matches('/') != actual.trim_end_matches('/'))
        };
        match actual {
            None if self.provider.issuer.is_announced => Err(Error::auth(
                "the response lacks the issuer (iss) that this provider announces; paste the whole URL, or start the login again",
            )),
            Some(actual) if is_other(actual) => Err(Error::auth(
                "the response comes from another identity provider than expected (iss mismatch); start the login again",
            )),
            _ => Ok(()),
        }
    }

    /// Checks the nonce (OpenID Connect Core section 3.1.3.7, step 11).
    ///
    /// A provider without ID tokens is not an OpenID provider: the access token alone identifies the person. PKCE binds the code to this login in
    /// either case.
    fn check_nonce(&self, tokens: &TokenSet) -> Result<()> {
        let (Some(nonce), Some(id)) = (&self.nonce, &tokens.id) else { return Ok(()) };
        let actual = LenientObject::from_jwt(id).and_then(|claims| claims.text(&["nonce"]));
        if actual.is_some_and(|actual| nonce.is(&actual)) {
            return Ok(());
        }
        Err(Error::auth(
            "the ID token belongs to another login (nonce mismatch or unreadable); start the login again, or remove the scope `openid`",
        ))
    }

    fn error_of_response(&self, code: String, description: Option<String>) -> Error {
        /// The number of characters shown of the provider's reason, which came through a browser.
        const MAX_SHOWN_CHARS: usize = 200;
        if code == "access_denied" {
            return access_denied();
        }
        let error = OauthError { error: Some(code), error_description: description };
        let reason = error.reason(&[self.state.clone(), self.verifier.clone()]);
        let reason: String = reason.chars().take(MAX_SHOWN_CHARS).collect();
        Error::auth(format!("the identity provider refused: {reason}"))
    }

    /// Exchanges the code for tokens. A failed exchange is not repeated, because the code may be used up.
    async fn redeem_code(&self, code: &Secret) -> Result<TokenSet> {
        if let Some(store) = &self.store {
            store.check_writable().await?;
        }
        let request = OauthRequest::Code { code, redirect_uri: &self.redirect_uri, verifier: &self.verifier };
        let tokens = self.provider.token.grant(&self.client, &request).await;
        let tokens = tokens.and_then(|tokens| self.check_nonce(&tokens).map(|()| tokens));
        let tokens = tokens.map_err(|error| error.with_operation(OPERATION))?;
        save_login(self.store.as_ref(), &self.provider.token, &self.client, tokens).await
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds the state, so it is not shown.
        f.debug_struct("Authorization").field("redirect_uri", &self.redirect_uri.as_str()).finish_non_exhaustive()
    }
}

/// The fields of an authorization response, each allowed once (RFC 6749 section 3.1).
#[derive(Default)]
struct CallbackFields {
    code: Option<Secret>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl CallbackFields {
    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let is_duplicate = match name {
            "code" => self.code.replace(Secret::new(value)).is_some(),
            "state" => self.state.replace(value.to_owned()).is_some(),
            "iss" => self.issuer.replace(value.to_owned()).is_some(),
            "error" => self.error.replace(value.to_owned()).is_some(),
            "error_description" => self.description.replace(value.to_owned()).is_some(),
            _ => false,
        };
        if is_duplicate {
            return Err(Error::auth(format!("the response holds `{name}` twice; start the login again")));
        }
        Ok(())
    }
}
