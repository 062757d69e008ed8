//! Client authentication at the identity provider: RFC 6749 section 2.3.1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, header};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::token::Secret;
use crate::error::{Error, Result};

/// The way in which a confidential client sends its secret to the identity provider (RFC 6749 section 2.3.1). A public client sends its id in the
/// form with either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// `client_secret_post`: in the form, beside the client id. The default, and the guide's.
    #[default]
    SecretPost,
    /// `client_secret_basic`: in the `Authorization` header, with id and secret form-encoded before base64.
    SecretBasic,
}

impl ClientAuthMethod {
    /// Returns the method that a provider's `token_endpoint_auth_methods_supported` leaves (RFC 8414 section 2). `None`: both, or neither.
    pub(super) fn only_of(supported: &[String]) -> Option<Self> {
        let has = |name: &str| supported.iter().any(|method| method.eq_ignore_ascii_case(name));
        match (has("client_secret_post"), has("client_secret_basic")) {
            (true, false) => Some(Self::SecretPost),
            (false, true) => Some(Self::SecretBasic),
            _ => None,
        }
    }
}

/// The program's identity for the identity provider (RFC 6749 section 2).
#[derive(Debug, Clone)]
pub(crate) struct ClientIdentity {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
}

impl ClientIdentity {
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None }
    }

    /// Builds a request to an endpoint of the provider, with a form and the client's credentials in exactly one place.
    pub(super) fn request(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        method: ClientAuthMethod,
    ) -> Result<http::Request<Vec<u8>>> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = http::Request::post(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (&self.secret, method) {
            (Some(secret), ClientAuthMethod::SecretBasic) => {
                let mut value = HeaderValue::try_from(format!("Basic {}", self.basic(secret)))
                    .map_err(|_| Error::config("the client secret can't be sent in a header"))?;
                value.set_sensitive(true);
                request = request.header(header::AUTHORIZATION, value);
            }
            (secret, _) => {
                body.append_pair("client_id", &self.id);
                if let Some(secret) = secret {
                    body.append_pair("client_secret", secret.expose());
                }
            }
        }
        request
            .body(body.finish().into_bytes())
            .map_err(|error| Error::config(format!("the identity provider's address can't be used: {error}")))
    }

    fn basic(&self, secret: &Secret) -> String {
        STANDARD.encode([form_encoded(&self.id), form_encoded(secret.expose())].join(":"))
    }

    /// Returns the client's secret in every form in which a provider may show it again.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let Some(secret) = &self.secret else { return Vec::new() };
        vec![secret.clone(), form_encoded(secret.expose()).into(), self.basic(secret).into()]
    }
}

fn form_encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_basic_credentials_as_a_form() -> Result<()> {
        let url = Url::parse("https://login.example/token").map_err(|_| Error::config("no URL"))?;
        // The example of RFC 6749 section 2.3.1, and letters that a form encodes.
        let cases = [
            ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdmIw"),
            ("a:b c", "p&ss+%: ü", "a%3Ab+c:p%26ss%2B%25%3A+%C3%BC"),
            ("c", "~!*'()-._", "c:%7E%21*%27%28%29-._"),
        ];
        for (id, secret, plain) in cases {
            let client = ClientIdentity { id: id.into(), secret: Some(secret.into()) };
            let request = client.request(&url, &[("grant_type", "x")], ClientAuthMethod::SecretBasic)?;
            let header = &request.headers()[header::AUTHORIZATION];
            assert_eq!(header.to_str().ok(), Some(format!("Basic {}", STANDARD.encode(plain)).as_str()));
            assert!(header.is_sensitive());
            assert_eq!(request.body(), b"grant_type=x", "never both at once");
            let posted = client.request(&url, &[], ClientAuthMethod::SecretPost)?;
            assert!(!posted.headers().contains_key(header::AUTHORIZATION));
        }
        let public = ClientIdentity::new("c").request(&url, &[], ClientAuthMethod::SecretBasic)?;
        assert_eq!(public.body(), b"client_id=c");
        assert!(!public.headers().contains_key(header::AUTHORIZATION));
        Ok(())
    }

    #[test]
    fn takes_the_only_method_that_a_provider_supports() {
        let only =
            |names: &[&str]| ClientAuthMethod::only_of(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let basic = Some(ClientAuthMethod::SecretBasic);
        assert_eq!(only(&["client_secret_basic"]), basic);
        assert_eq!(only(&["private_key_jwt", "CLIENT_SECRET_BASIC", "none"]), basic);
        assert_eq!(only(&["client_secret_post"]), Some(ClientAuthMethod::SecretPost));
        assert_eq!(only(&["client_secret_basic", "client_secret_post"]), None);
        assert_eq!((only(&["private_key_jwt"]), only(&[])), (None, None));
    }
}
