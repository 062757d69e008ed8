//! The identity provider of a workspace: its endpoints and the connections to them, shared by the clients and logins of many users.

use std::sync::Arc;

use url::Url;

use super::endpoint_urls::{EndpointPaths, Endpoints};
use super::token_endpoint::{EndpointConnection, TokenEndpoint};
use crate::clock::Clock;
use crate::error::Result;
use crate::http_util::Http;

/// The issuer that an authorization response has to name (RFC 9207).
#[derive(Debug, Default)]
pub(crate) struct ExpectedIssuer {
    /// Its name, if known.
    pub(crate) name: Option<String>,
    /// True if the provider announces that each of its responses names the issuer, so that a response without the issuer is not the provider's.
    pub(crate) is_announced: bool,
}

/// The endpoints of the identity provider, with the HTTP clients that connect to them.
pub(crate) struct IdentityProvider {
    pub(super) authorization_page: Url,
    pub(crate) token: Arc<TokenEndpoint>,
    pub(super) device: EndpointConnection,
    pub(super) issuer: ExpectedIssuer,
    pub(super) clock: Arc<dyn Clock>,
}

impl IdentityProvider {
    /// `http` returns the HTTP client for a URL; it must not follow redirects.
    pub(crate) fn new(
        endpoints: &Endpoints,
        paths: &EndpointPaths,
        http: impl Fn(&Url) -> Result<Arc<dyn Http>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let authorization_page = endpoints.authorization.clone();
        let name = paths.issuer.clone().or_else(|| issuer_of(&authorization_page));
        Ok(Self {
            device: (endpoints.device.clone(), http(&endpoints.device)?),
            token: Arc::new(TokenEndpoint::new(endpoints, http, Arc::clone(&clock))?),
            issuer: ExpectedIssuer { name, is_announced: paths.announces_issuer },
            authorization_page,
            clock,
        })
    }
}

/// Returns the issuer of an authorization page, if its URL has Keycloak's form.
fn issuer_of(page: &Url) -> Option<String> {
    let path = page.path().strip_suffix("/protocol/openid-connect/auth")?;
    let mut issuer = page.clone();
    issuer.set_path(path);
    issuer.set_query(None);
    Some(issuer.into())
}
