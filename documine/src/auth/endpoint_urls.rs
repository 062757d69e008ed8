//! The URLs of the identity provider's endpoints.

use url::Url;

use super::client_auth::ClientAuthMethod;
use crate::address;
use crate::error::{Error, Result};

/// Path of a realm's endpoints in Keycloak.
const PROTOCOL: &str = "/protocol/openid-connect/";

/// The endpoints as configured: each a path below the base URL or a whole URL.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointPaths {
    pub(crate) auth: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) device: Option<String>,
    /// RFC 7009.
    pub(crate) revocation: Option<String>,
    /// OpenID Connect RP-Initiated Logout 1.0.
    pub(crate) end_session: Option<String>,
    /// The issuer that authorization responses have to name (RFC 9207), if known.
    pub(crate) issuer: Option<String>,
    /// True if the provider announces `iss` in its authorization responses (RFC 9207 section 3).
    pub(crate) announces_issuer: bool,
    /// The client authentication method, if configured or the only one that the provider supports.
    pub(crate) client_auth: Option<ClientAuthMethod>,
}

/// The resolved endpoints of the identity provider.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) device: Url,
    /// RFC 7009, if the provider is known to have it.
    pub(crate) revocation: Option<Url>,
    /// OpenID Connect RP-Initiated Logout, if the provider is known to have it.
    pub(crate) end_session: Option<Url>,
    /// The client authentication method, if known.
    pub(crate) client_auth: Option<ClientAuthMethod>,
}

impl Endpoints {
    /// Resolves the configured paths. The defaults are Keycloak's, with one realm per workspace (inferred: the guide leaves the paths to the
    /// customer's setup).
    pub(crate) fn new(base: &Url, workspace: &str, paths: &EndpointPaths) -> Result<Self> {
        let default_path = |last: &str| format!("/auth/realms/{workspace}{PROTOCOL}{last}");
        let resolve = |what: &str, text: &str| {
            let url = if text.contains("://") {
                Url::parse(text)
            } else {
                let base = base.as_str().trim_end_matches('/');
                Url::parse(&format!("{base}/{}", text.trim_start_matches('/')))
            };
            // The unparsed text may hold a password, so it is not shown.
            let url = url.map_err(|error| Error::config(format!("the {what} is neither a path nor a URL: {error}")))?;
            address::require_safe_scheme(what, &url)?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err(Error::config(format!(
                    "the {what} holds a user name or password; give them as credentials instead"
                )));
            }
            Ok::<_, Error>(url)
        };
        let required = |what: &str, configured: Option<&String>, last: &str| {
            configured.map_or_else(|| resolve(what, &default_path(last)), |configured| resolve(what, configured))
        };
        let token = required("token path", paths.token.as_ref(), "token")?;
        let optional = |what: &str, configured: Option<&String>, last: &str| match configured {
            Some(configured) => resolve(what, configured).map(Some),
            None => Ok(sibling_endpoint(&token, last)),
        };
        Ok(Self {
            authorization: required("authorization path", paths.auth.as_ref(), "auth")?,
            device: required("device path", paths.device.as_ref(), "auth/device")?,
            revocation: optional("revocation path", paths.revocation.as_ref(), "revoke")?,
            end_session: optional("end session path", paths.end_session.as_ref(), "logout")?,
            token,
            client_auth: paths.client_auth,
        })
    }
}

/// Returns another endpoint of the same realm, if the token endpoint has Keycloak's form.
fn sibling_endpoint(token: &Url, last: &str) -> Option<Url> {
    let realm = token.path().strip_suffix("token")?.strip_suffix(PROTOCOL)?;
    let mut url = token.clone();
    url.set_path(&format!("{realm}{PROTOCOL}{last}"));
    url.set_query(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_default_and_configured_endpoints() -> Result<()> {
        let base = address::base_url("https://acme.example/documine/")?;
        let standard = Endpoints::new(&base, "acme", &EndpointPaths::default())?;
        assert_eq!(
            standard.token.as_str(),
            "https://acme.example/documine/auth/realms/acme/protocol/openid-connect/token"
        );
        let (token, auth) = (Some("https://login.example/token".into()), Some("/a".into()));
        let configured = EndpointPaths { auth, token, ..EndpointPaths::default() };
        let configured = Endpoints::new(&base, "acme", &configured)?;
        assert_eq!(configured.token.as_str(), "https://login.example/token");
        assert_eq!((configured.revocation, configured.end_session), (None, None), "unknown for that provider");
        assert_eq!(
            standard.revocation.as_ref().map(Url::as_str),
            Some("https://acme.example/documine/auth/realms/acme/protocol/openid-connect/revoke")
        );
        assert_eq!(configured.authorization.as_str(), "https://acme.example/documine/a");
        Ok(())
    }
}
