//! Discovery of an identity provider's endpoints: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.
//!
//! The document decides where passwords and tokens go. It is therefore fetched from the issuer only, has to name the same issuer, and may only name
//! endpoints of the issuer's origin. Endpoints of another origin have to be configured by the program.

use http::header;
use serde_json::Value;
use url::Url;

use super::client_auth::ClientAuthMethod;
use super::endpoint_urls::EndpointPaths;
use super::lenient::LenientObject;
use super::token_endpoint::{MAX_ATTEMPTS, RetrySchedule, error_of_response, send_with_retry};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::http_util::Http;
use crate::{address, text};

/// OpenID Connect Discovery 1.0 section 4.
const DISCOVERY_PATH: &str = ".well-known/openid-configuration";
/// The number of characters of a foreign text that an error shows.
const MAX_SHOWN_CHARS: usize = 100;

/// An issuer, as configured by the program.
pub(crate) struct Issuer {
    /// The issuer's URL without a trailing slash.
    name: String,
    document: Url,
}

impl Issuer {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let name = without_slash(name.trim());
        // The unparsed text may hold a password, so it is not shown.
        let url = Url::parse(name).map_err(|error| {
            Error::config(format!(
                "the issuer is not a URL ({error}); it should be like https://login.example/realms/acme"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config("the issuer holds a user name or password; give them as credentials instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::config("the issuer holds a query or fragment; remove `?` or `#` and the text after it"));
        }
        address::require_safe_scheme("issuer", &url)?;
        let document = Url::parse(&format!("{name}/{DISCOVERY_PATH}"))
            .map_err(|error| Error::config(format!("the issuer's URL can't be used: {error}")))?;
        Ok(Self { name: name.to_owned(), document })
    }

    /// Returns the URL of the discovery document.
    pub(crate) fn document(&self) -> &Url {
        &self.document
    }

    /// Fetches the discovery document and fills in the paths that are not configured. `http` must not follow redirects.
    pub(crate) async fn fill(&self, http: &dyn Http, clock: &dyn Clock, paths: &mut EndpointPaths) -> Result<()> {
        let document = self.fetch(http, clock).await?;
        self.apply(&document, paths)
    }

    fn apply(&self, document: &LenientObject, paths: &mut EndpointPaths) -> Result<()> {
        let issuer = document.value(&["issuer"]).and_then(Value::as_str).ok_or_else(|| self.no_document())?;
        // RFC 8414 section 3.3. With and without a trailing slash, the issuer has the same document.
        if without_slash(issuer) != self.name {
            return Err(Error::auth(format!(
                "the discovery document belongs to another issuer, {}; use that issuer if you trust it",
                shown(issuer)
            )));
        }
        // Properties of an endpoint in the document do not apply to a configured endpoint.
        if paths.auth.is_none() && document.text(&["authorization_endpoint"]).is_some() {
            paths.announces_issuer = document.is_true("authorization_response_iss_parameter_supported");
        }
        if paths.token.is_none() && paths.client_auth.is_none() {
            paths.client_auth = ClientAuthMethod::only_of(&document.words(&["token_endpoint_auth_methods_supported"]));
        }
        let endpoints = [
            ("token_endpoint", "token_path", &mut paths.token),
            ("authorization_endpoint", "auth_path", &mut paths.auth),
            ("device_authorization_endpoint", "device_path", &mut paths.device),
            ("revocation_endpoint", "revocation_path", &mut paths.revocation),
            ("end_session_endpoint", "end_session_path", &mut paths.end_session),
        ];
        for (name, setter, path) in endpoints {
            if path.is_none() {
                let endpoint = document.text(&[name]);
                *path = endpoint.map(|endpoint| self.check_endpoint(name, setter, &endpoint)).transpose()?;
            }
        }
        if paths.token.is_none() {
            return Err(Error::auth(
                "the discovery document names no token_endpoint; set the endpoint with `token_path(…)`",
            ));
        }
        paths.issuer.get_or_insert_with(|| issuer.to_owned());
        Ok(())
    }

    async fn fetch(&self, http: &dyn Http, clock: &dyn Clock) -> Result<LenientObject> {
        let request = http::Request::get(self.document.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| Error::config(format!("the issuer's URL can't be used: {error}")))?;
        let response = send_with_retry(http, request, RetrySchedule::new(clock, MAX_ATTEMPTS)).await?;
        let (url, status) = (&self.document, response.status);
        if status.is_redirection() {
            return Err(Error::auth(format!("{url} is a redirect, which is not followed; check the issuer"))
                .with_status(status));
        }
        if status.as_u16() == 404 {
            return Err(Error::auth(format!("{url} does not exist (404); check the issuer")).with_status(status));
        }
        if !status.is_success() {
            return Err(error_of_response(&response, &[], clock.now()));
        }
        LenientObject::parse(&response.body).ok_or_else(|| self.no_document())
    }

    fn no_document(&self) -> Error {
        Error::auth(format!("the response of {} is not a discovery document; check the issuer", self.document))
    }

    /// Returns the endpoint if its origin is the issuer's.
    fn check_endpoint(&self, name: &str, setter: &str, endpoint: &str) -> Result<String> {
        let advice = format!("if the endpoint is correct, set it with `{setter}(…)` before the discovery");
        let Ok(url) = Url::parse(endpoint) else {
            return Err(Error::auth(format!("the {name} is not a URL; {advice}")));
        };
        let (actual, expected) = (url.origin(), self.document.origin());
        if actual != expected {
            let actual = if actual.is_tuple() { actual.ascii_serialization() } else { format!("{}:", url.scheme()) };
            let (actual, expected) = (shown(&actual), expected.ascii_serialization());
            return Err(Error::auth(format!("the {name} has another origin ({actual}, not {expected}); {advice}")));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Error::auth(format!("the {name} holds a user name, a password or a fragment; {advice}")));
        }
        Ok(url.into())
    }
}

/// Removes one trailing slash, which makes no difference between issuers.
fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

fn shown(text: &str) -> String {
    text::one_line(text).chars().take(MAX_SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_endpoints_that_are_not_configured() -> Result<(), Box<dyn std::error::Error>> {
        let document = r#"{
            "issuer": "https://login.example/",
            "token_endpoint": "https://login.example/token",
            "revocation_endpoint": "https://login.example/revoke",
            "end_session_endpoint": "https://login.example/logout",
            "device_authorization_endpoint": null
        }"#;
        let issuer = Issuer::new(" https://login.example")?;
        assert_eq!(issuer.document().as_str(), "https://login.example/.well-known/openid-configuration");
        let mut paths = EndpointPaths { revocation: Some("/own".into()), ..EndpointPaths::default() };
        issuer.apply(&LenientObject::parse(document.as_bytes()).ok_or("no document")?, &mut paths)?;
        assert_eq!(paths.issuer.as_deref(), Some("https://login.example/"), "the provider's spelling");
        assert_eq!(paths.token.as_deref(), Some("https://login.example/token"));
        assert_eq!(paths.revocation.as_deref(), Some("/own"));
        assert_eq!(paths.end_session.as_deref(), Some("https://login.example/logout"));
        assert_eq!((paths.auth, paths.device), (None, None));
        Ok(())
    }
}
