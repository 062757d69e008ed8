//! The authorization code grant: RFC 6749 section 4.1, with PKCE (RFC 7636). A person logs in at the provider's own page; the program never
//! sees the password.

use oauth2::{CsrfToken, PkceCodeChallenge};
use url::Url;

use super::super::endpoint::{ClientIdentity, Refusal, TokenEndpoint};
use super::super::members::Members;
use super::super::store::Keeper;
use super::super::token::{Secret, TokenSet};
use super::{denied, keep};
use crate::error::{Error, Result};

const OPERATION: &str = "login by browser";

/// The issuer that an authorization response has to name (RFC 9207).
#[derive(Debug, Default)]
pub(crate) struct ExpectedIssuer {
    /// Its name, where that is known.
    pub(crate) name: Option<String>,
    /// True if the provider announces that each of its responses names the issuer, so that a response without the issuer is not the provider's.
    pub(crate) is_announced: bool,
}

/// A login that waits for a person at the provider's page: made by [`Login::authorization`](crate::Login::authorization).
///
/// It is good for one answer: a code works once, and a second use of it ends the session that the first one began (RFC 6749 section 4.1.2).
#[must_use = "nobody is logged in before the answer is taken"]
pub struct Authorization {
    url: Url,
    redirect_uri: String,
    state: Secret,
    verifier: Secret,
    /// The nonce that the ID token has to repeat. Only a request with the scope `openid` gets a nonce.
    nonce: Option<Secret>,
    issuer: ExpectedIssuer,
    client: ClientIdentity,
    endpoint: TokenEndpoint,
    keeper: Option<Keeper>,
}

impl Authorization {
    pub(in crate::auth) fn new(
        page: &Url,
        redirect_uri: String,
        scopes: &[String],
        client: ClientIdentity,
        endpoint: TokenEndpoint,
        issuer: ExpectedIssuer,
        keeper: Option<Keeper>,
    ) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new_random();
        let scope = scopes.join(" ");
        let nonce = scope.split_whitespace().any(|scope| scope == "openid").then(CsrfToken::new_random);
        let mut url = page.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", &client.id)
                .append_pair("redirect_uri", &redirect_uri)
                .append_pair("state", state.secret())
                .append_pair("code_challenge", challenge.as_str())
                .append_pair("code_challenge_method", challenge.method().as_str());
            // An empty scope is refused by some.
            if !scope.is_empty() {
                query.append_pair("scope", &scope);
            }
            if let Some(nonce) = &nonce {
                query.append_pair("nonce", nonce.secret());
            }
        }
        let (state, verifier) = (state.secret().as_str().into(), verifier.secret().as_str().into());
        let nonce = nonce.map(|nonce| nonce.secret().as_str().into());
        Self { url, redirect_uri, state, verifier, nonce, issuer, client, endpoint, keeper }
    }

    /// The page to be opened in the person's browser.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The `state` (RFC 6749 section 10.12) that the answer has to bring. A web application finds the login by it that an answer belongs to; keep it
    /// where only the person's own session reaches it.
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// Takes the answer as the browser was sent back with it: the whole address, or what stands behind its `?`.
    ///
    /// # Errors
    /// The answer belongs to another login or comes from another provider (`iss`, RFC 9207); the person or the provider refused; the code is used or
    /// too old ([`Error::needs_login`]); the ID token belongs to another login (`nonce`).
    pub async fn redirected(self, answer: &str) -> Result<TokenSet> {
        let code = self.code(answer).map_err(|error| error.with_operation(OPERATION))?;
        self.tokens(&code).await
    }

    /// Takes what a person pastes who sits at a machine without a browser: the address that the browser ended at, or the code alone, as some
    /// pages show it. A code alone brings no state; that it belongs to this login the provider says, by the challenge of RFC 7636.
    ///
    /// # Errors
    /// As [`redirected`](Self::redirected).
    pub async fn pasted(self, text: &str) -> Result<TokenSet> {
        let text = text.trim();
        let is_code = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "?&=/:".contains(c));
        if is_code { self.tokens(&Secret::new(text)).await } else { self.redirected(text).await }
    }

    /// Takes the answer of a web application's own callback: its `code` and its `state`. Where the provider announces `iss` (RFC 9207, known by
    /// [`discover`](crate::ClientBuilder::discover)), give the whole query to [`redirected`](Self::redirected) instead: `iss` has to be looked at.
    ///
    /// # Errors
    /// As [`redirected`](Self::redirected).
    pub async fn exchange(self, code: &str, state: &str) -> Result<TokenSet> {
        let checked = self.check_state(state).and_then(|()| {
            if self.issuer.is_announced {
                return Err(Error::input(
                    "this provider's answers name their issuer (iss), which has to be checked; give the whole query to `redirected`",
                ));
            }
            Ok(())
        });
        checked.map_err(|error| error.with_operation(OPERATION))?;
        self.tokens(&Secret::new(code)).await
    }

    /// The code in an answer that is one to this login.
    fn code(&self, answer: &str) -> Result<Secret> {
        let answer = answer.trim();
        let answer = answer.split('#').next().unwrap_or_default();
        let query = answer.split_once('?').map_or(answer, |(_, query)| query);
        let mut fields = Fields::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            fields.take(&name, &value)?;
        }
        let Some(state) = &fields.state else {
            return Err(Error::input(
                "this is no answer to a login: paste the whole address that the browser ended at, with `code=` and `state=` in it",
            ));
        };
        // Before anything else: what does not belong here is not even reported.
        self.check_state(state)?;
        self.check_issuer(fields.issuer.as_deref())?;
        if let Some(error) = fields.error {
            return Err(self.refused(error, fields.description));
        }
        fields.code.ok_or_else(|| Error::auth("the identity provider's answer holds no code; begin again"))
    }

    fn check_state(&self, state: &str) -> Result<()> {
        if self.state.is(state) {
            return Ok(());
        }
        Err(Error::auth("the answer belongs to another login (its state is not ours); begin again"))
    }

    /// RFC 9207 section 2.4.
    fn check_issuer(&self, answered: Option<&str>) -> Result<()> {
        let is_other = |answered: &str| {
            let expected = self.issuer.name.as_deref();
            expected.is_some_and(|expected| expected.trim_end_matches('/') != answered.trim_end_matches('/'))
        };
        match answered {
            None if self.issuer.is_announced => Err(Error::auth(
                "the answer does not name its issuer (iss), which this provider announces to do; paste the whole address, or begin again",
            )),
            Some(answered) if is_other(answered) => Err(Error::auth(
                "the answer comes from another identity provider than the one that was asked (iss); begin again",
            )),
            _ => Ok(()),
        }
    }

    /// OpenID Connect Core section 3.1.3.7, step 11. A provider without ID tokens is no OpenID provider, and who logged in then is known by the
    /// access token alone; PKCE binds the code to this login in any case.
    fn check_nonce(&self, tokens: &TokenSet) -> Result<()> {
        let (Some(nonce), Some(id)) = (&self.nonce, &tokens.id) else { return Ok(()) };
        let answered = Members::of_jwt(id).and_then(|claims| claims.text(&["nonce"]));
        if answered.is_some_and(|answered| nonce.is(&answered)) {
            return Ok(());
        }
        Err(Error::auth(
            "the ID token belongs to another login (its nonce is not ours, or can't be read); begin again, or leave out the scope `openid`",
        ))
    }

    fn refused(&self, code: String, description: Option<String>) -> Error {
        /// A provider's reason is a line, not a letter; this one came by way of a browser.
        const LONGEST: usize = 200;
        if code == "access_denied" {
            return denied();
        }
        let refusal = Refusal { error: Some(code), error_description: description };
        let reason = refusal.reason(&[self.state.clone(), self.verifier.clone()]);
        let reason: String = reason.chars().take(LONGEST).collect();
        Error::auth(format!("the identity provider refused: {reason}"))
    }

    /// The tokens for the code. RetryAfterHint for once: whatever becomes of the request, the code may be used up.
    async fn tokens(&self, code: &Secret) -> Result<TokenSet> {
        if let Some(keeper) = &self.keeper {
            keeper.check().await?;
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose()),
        ];
        let tokens = self.endpoint.grant(&self.client, &form, &[]).await;
        let tokens = tokens.and_then(|tokens| self.check_nonce(&tokens).map(|()| tokens));
        let tokens = tokens.map_err(|error| error.with_operation(OPERATION))?;
        keep(self.keeper.as_ref(), &self.endpoint, &self.client, tokens).await
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address holds the state.
        f.debug_struct("Authorization").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// What an answer may bring, each at most once (RFC 6749 section 3.1).
#[derive(Default)]
struct Fields {
    code: Option<Secret>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Fields {
    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        let twice = match name {
            "code" => self.code.replace(Secret::new(value)).is_some(),
            "state" => self.state.replace(value.to_owned()).is_some(),
            "iss" => self.issuer.replace(value.to_owned()).is_some(),
            "error" => self.error.replace(value.to_owned()).is_some(),
            "error_description" => self.description.replace(value.to_owned()).is_some(),
            _ => false,
        };
        if twice { Err(Error::auth(format!("the answer holds `{name}` twice; begin again"))) } else { Ok(()) }
    }
}
