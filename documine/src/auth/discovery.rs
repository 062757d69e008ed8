//! Where an identity provider says that its endpoints are: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.
//!
//! The document decides where passwords and tokens go. So it is taken from the issuer alone, has to be the issuer's own by its word, and may
//! name nothing that is elsewhere; who has endpoints elsewhere says so in the program.

use http::header;
use serde_json::Value;
use url::Url;

use super::client_auth::ClientAuthMethod;
use super::endpoint::{EndpointPaths, Patience, exchange, refused};
use super::members::Members;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::{address, text};

/// OpenID Connect Discovery 1.0 section 4.
const PLACE: &str = ".well-known/openid-configuration";
/// Of what a stranger wrote, an error shows so much.
const LONGEST: usize = 100;

/// An issuer, as a program names it.
pub(crate) struct Issuer {
    /// Without a slash at its end.
    name: String,
    document: Url,
}

impl Issuer {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let name = without_slash(name.trim());
        // What does not parse is not shown: it may hold a password.
        let url = Url::parse(name).map_err(|error| {
            Error::config(format!(
                "the issuer is no URL ({error}); it should look like https://login.example/realms/acme"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::config("the issuer holds a user name or password; give them as credentials instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::config("the issuer holds a query or fragment; leave out what follows `?` or `#`"));
        }
        address::require_safe_scheme("issuer", &url)?;
        let document = Url::parse(&format!("{name}/{PLACE}"))
            .map_err(|error| Error::config(format!("the issuer can't be used as an address: {error}")))?;
        Ok(Self { name: name.to_owned(), document })
    }

    /// Where its document is.
    pub(crate) fn document(&self) -> &Url {
        &self.document
    }

    /// Reads the document and fills in what is not given yet. `http` must not follow redirects.
    pub(crate) async fn fill(
        &self,
        http: &reqwest::Client,
        clock: &dyn Clock,
        paths: &mut EndpointPaths,
    ) -> Result<()> {
        let document = self.read(http, clock).await?;
        self.take(&document, paths)
    }

    fn take(&self, document: &Members, paths: &mut EndpointPaths) -> Result<()> {
        let issuer = document.value(&["issuer"]).and_then(Value::as_str).ok_or_else(|| self.no_document())?;
        // RFC 8414 section 3.3. A slash at the end makes no other issuer: both have the same document.
        if without_slash(issuer) != self.name {
            return Err(Error::auth(format!(
                "the document is of another issuer, {}; give that one if you trust it",
                shown(issuer)
            )));
        }
        // What the document says of an endpoint does not hold for one that was set by hand.
        if paths.auth.is_none() && document.text(&["authorization_endpoint"]).is_some() {
            paths.announces_issuer = document.is_true("authorization_response_iss_parameter_supported");
        }
        if paths.token.is_none() && paths.client_auth.is_none() {
            paths.client_auth = ClientAuthMethod::only_of(&document.words(&["token_endpoint_auth_methods_supported"]));
        }
        let found = [
            ("token_endpoint", "token_path", &mut paths.token),
            ("authorization_endpoint", "auth_path", &mut paths.auth),
            ("device_authorization_endpoint", "device_path", &mut paths.device),
            ("revocation_endpoint", "revocation_path", &mut paths.revocation),
            ("end_session_endpoint", "end_session_path", &mut paths.end_session),
        ];
        for (name, setter, path) in found {
            if path.is_none() {
                *path = document.text(&[name]).map(|endpoint| self.own(name, setter, &endpoint)).transpose()?;
            }
        }
        if paths.token.is_none() {
            return Err(Error::auth("the document names no token_endpoint; set it with `token_path(…)`"));
        }
        paths.issuer.get_or_insert_with(|| issuer.to_owned());
        Ok(())
    }

    async fn read(&self, http: &reqwest::Client, clock: &dyn Clock) -> Result<Members> {
        let request = http::Request::get(self.document.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| Error::config(format!("the issuer can't be used as an address: {error}")))?;
        let answer = exchange(http, request, Patience::usual(clock)).await?;
        let at = &self.document;
        if answer.status.is_redirection() {
            return Err(Error::auth(format!("{at} points elsewhere, which is not followed; check the issuer"))
                .with_status(answer.status));
        }
        if answer.status.as_u16() == 404 {
            return Err(Error::auth(format!("{at} is not there (404); check the issuer")).with_status(answer.status));
        }
        if !answer.status.is_success() {
            return Err(refused(&answer, &[], clock.now()));
        }
        Members::read(&answer.body).ok_or_else(|| self.no_document())
    }

    fn no_document(&self) -> Error {
        Error::auth(format!("what stands at {} is no discovery document; check the issuer", self.document))
    }

    /// An endpoint that is the issuer's own.
    fn own(&self, name: &str, setter: &str, endpoint: &str) -> Result<String> {
        let advice = format!("if it is right all the same, set it with `{setter}(…)` before the discovery");
        let Ok(url) = Url::parse(endpoint) else {
            return Err(Error::auth(format!("the {name} is no URL; {advice}")));
        };
        let (there, here) = (url.origin(), self.document.origin());
        if there != here {
            let there = if there.is_tuple() { there.ascii_serialization() } else { format!("{}:", url.scheme()) };
            let (there, here) = (shown(&there), here.ascii_serialization());
            return Err(Error::auth(format!("the {name} is elsewhere ({there}, not {here}); {advice}")));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Error::auth(format!("the {name} holds a user name, a password or a fragment; {advice}")));
        }
        Ok(url.into())
    }
}

/// One slash at the end counts for nothing.
fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

fn shown(text: &str) -> String {
    text::one_line(text).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_taken() -> Result<(), Box<dyn std::error::Error>> {
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
        issuer.take(&Members::read(document.as_bytes()).ok_or("no document")?, &mut paths)?;
        assert_eq!(paths.issuer.as_deref(), Some("https://login.example/"), "as the provider spells it");
        assert_eq!(paths.token.as_deref(), Some("https://login.example/token"));
        assert_eq!(paths.revocation.as_deref(), Some("/own"));
        assert_eq!(paths.end_session.as_deref(), Some("https://login.example/logout"));
        assert_eq!((paths.auth, paths.device), (None, None));
        Ok(())
    }
}
