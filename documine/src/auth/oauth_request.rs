//! Requests to the identity provider, built by the `oauth2` crate and sent by [`TokenEndpoint`](super::token_endpoint::TokenEndpoint).
//!
//! The crate builds all forms and the client authentication (RFC 6749 section 2.3.1), the PKCE challenge, the state and the authorization URL
//! (flow/code.rs). The crate hands a request only to an HTTP client; the HTTP client given here returns the request unsent.
//! The crate's copies of secrets and the form are not wiped from memory when dropped, unlike [`Secret`].
//!
//! Sending and parsing are our own, because the crate is stricter than providers are: a status other than 200 is no success, a response that is not
//! `application/json` is an error, `"expires_in": "300"` or one odd member invalidates the tokens, and an error body has to be RFC 6749's.
//!
//! The crate's builder of device authorization requests fixes no field besides the client's, so it also builds the forms for which no other
//! builder of the crate can be used:
//! - device access token (RFC 8628 section 3.4): the crate's polling loop sends the first poll at once, ends with the first 5xx status that has
//!   no OAuth error body, and ignores `Retry-After`;
//! - revocation (RFC 7009): the crate rejects `http`, which is allowed for a provider on a loopback address;
//! - end of session (OpenID Connect RP-Initiated Logout 1.0): not part of OAuth.

use std::borrow::Cow;
use std::fmt;

use http::header;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, DeviceAuthorizationUrl, EmptyExtraDeviceAuthorizationFields,
    ErrorResponse, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, Scope, TokenUrl,
};
use url::Url;

use super::client_auth::{ClientAuthMethod, ClientIdentity};
use super::secret::Secret;
use crate::error::{Error, Result};

/// A request to one of the provider's endpoints, without its URL and client authentication.
pub(super) enum OauthRequest<'a> {
    /// The password grant: RFC 6749 section 4.3.
    Password { username: &'a str, password: &'a Secret, scopes: &'a [String] },
    /// The refresh of an access token: RFC 6749 section 6.
    Refresh { refresh_token: &'a Secret, scopes: &'a [String] },
    /// The exchange of an authorization code: RFC 6749 section 4.1.3 and RFC 7636 section 4.5.
    Code { code: &'a Secret, redirect_uri: &'a RedirectUrl, verifier: &'a Secret },
    /// The start of a device login: RFC 8628 section 3.1.
    DeviceAuthorization { challenge: &'a PkceCodeChallenge, scopes: &'a [String] },
    /// A poll of a device login: RFC 8628 section 3.4.
    DeviceToken { device_code: &'a Secret, verifier: &'a PkceCodeVerifier },
    /// The revocation of a token: RFC 7009 section 2.1.
    Revocation { token: &'a Secret, hint: &'static str },
    /// The end of the person's session: OpenID Connect RP-Initiated Logout 1.0. The refresh token is Keycloak's extension, which needs no browser.
    EndSession { id_token: Option<&'a Secret>, refresh_token: Option<&'a Secret> },
}

impl OauthRequest<'_> {
    /// Builds the HTTP request, with the client's credentials in exactly one place.
    pub(super) fn build(&self, url: &Url, client: &ClientIdentity, method: ClientAuthMethod) -> Result<HttpRequest> {
        const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
        let mut oauth = BasicClient::new(ClientId::new(client.id.clone()))
            .set_auth_type(match method {
                ClientAuthMethod::SecretPost => AuthType::RequestBody,
                ClientAuthMethod::SecretBasic => AuthType::BasicAuth,
            })
            .set_token_uri(TokenUrl::from_url(url.clone()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url.clone()));
        if let Some(secret) = &client.secret {
            oauth = oauth.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        let form = |fields: &[(&'static str, &str)]| {
            let request = fields.iter().fold(oauth.exchange_device_code(), |request, (name, value)| {
                request.add_extra_param(*name, (*value).to_owned())
            });
            unsent(request.request::<_, EmptyExtraDeviceAuthorizationFields>(&keep))
        };
        let mut request = match self {
            Self::Password { username, password, scopes } => {
                let username = ResourceOwnerUsername::new((*username).to_owned());
                let password = ResourceOwnerPassword::new(password.expose().to_owned());
                let request = oauth.exchange_password(&username, &password);
                unsent(request.add_scopes(requested_scopes(scopes)).request(&keep))
            }
            Self::Refresh { refresh_token, scopes } => {
                let token = RefreshToken::new(refresh_token.expose().to_owned());
                let request = oauth.exchange_refresh_token(&token);
                unsent(request.add_scopes(requested_scopes(scopes)).request(&keep))
            }
            Self::Code { code, redirect_uri, verifier } => {
                let request = oauth.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
                let verifier = PkceCodeVerifier::new(verifier.expose().to_owned());
                let request = request.set_pkce_verifier(verifier).set_redirect_uri(Cow::Borrowed(redirect_uri));
                unsent(request.request(&keep))
            }
            Self::DeviceAuthorization { challenge, scopes } => {
                let request = oauth
                    .exchange_device_code()
                    .add_scopes(requested_scopes(scopes))
                    .add_extra_param("code_challenge", challenge.as_str())
                    .add_extra_param("code_challenge_method", challenge.method().as_str());
                unsent(request.request::<_, EmptyExtraDeviceAuthorizationFields>(&keep))
            }
            Self::DeviceToken { device_code, verifier } => form(&[
                ("grant_type", DEVICE_GRANT),
                ("device_code", device_code.expose()),
                ("code_verifier", verifier.secret()),
            ]),
            Self::Revocation { token, hint } => form(&[("token", token.expose()), ("token_type_hint", hint)]),
            Self::EndSession { id_token, refresh_token } => {
                let fields = [("id_token_hint", id_token), ("refresh_token", refresh_token)];
                let present = fields.iter().filter_map(|(name, token)| Some((*name, token.as_ref()?.expose())));
                form(&present.collect::<Vec<_>>())
            }
        }?;
        if let Some(credentials) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        Ok(request)
    }
}

/// Converts scopes for the crate. Some providers reject an empty scope, so it is left out.
pub(super) fn requested_scopes(scopes: &[String]) -> impl Iterator<Item = Scope> + '_ {
    scopes.iter().filter(|scope| !scope.is_empty()).cloned().map(Scope::new)
}

/// A request that was built but not sent.
struct Unsent(Box<HttpRequest>);

/// Shows nothing of the request, which holds secrets.
impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsent")
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request was not sent")
    }
}

impl std::error::Error for Unsent {}

/// Implements the crate's HTTP client by returning the request as the error.
fn keep(request: HttpRequest) -> std::result::Result<HttpResponse, Unsent> {
    Err(Unsent(Box::new(request)))
}

/// Takes the request out of the outcome of an exchange that [`keep`] has ended.
fn unsent<T, E: ErrorResponse>(outcome: std::result::Result<T, RequestTokenError<Unsent, E>>) -> Result<HttpRequest> {
    match outcome {
        Err(RequestTokenError::Request(Unsent(request))) => Ok(*request),
        Err(RequestTokenError::Other(reason)) => {
            Err(Error::config(format!("the identity provider's URL can't be used: {reason}")))
        }
        _ => Err(Error::config("the identity provider's URL can't be used")),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn encodes_basic_credentials_as_a_form() -> Result<()> {
        let url = Url::parse("https://login.example/token").map_err(|_| Error::config("no URL"))?;
        let token = Secret::new("x");
        let logout = OauthRequest::EndSession { id_token: None, refresh_token: Some(&token) };
        // The example of RFC 6749 section 2.3.1, and characters that a form encodes.
        let cases = [
            ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdmIw"),
            ("a:b c", "p&ss+%: ü", "a%3Ab+c:p%26ss%2B%25%3A+%C3%BC"),
            ("c", "~!*'()-._", "c:%7E%21*%27%28%29-._"),
        ];
        for (id, secret, plain) in cases {
            let client = ClientIdentity { id: id.into(), secret: Some(secret.into()) };
            let request = logout.build(&url, &client, ClientAuthMethod::SecretBasic)?;
            let header = &request.headers()[header::AUTHORIZATION];
            assert_eq!(header.to_str().ok(), Some(format!("Basic {}", STANDARD.encode(plain)).as_str()));
            assert!(header.is_sensitive());
            assert_eq!(request.body(), b"refresh_token=x", "never both at once");
            let posted = logout.build(&url, &client, ClientAuthMethod::SecretPost)?;
            assert!(!posted.headers().contains_key(header::AUTHORIZATION));
        }
        let empty = OauthRequest::EndSession { id_token: None, refresh_token: None };
        let public = empty.build(&url, &ClientIdentity::new("c"), ClientAuthMethod::SecretBasic)?;
        assert_eq!(public.body(), b"client_id=c");
        assert!(!public.headers().contains_key(header::AUTHORIZATION));
        Ok(())
    }
}
