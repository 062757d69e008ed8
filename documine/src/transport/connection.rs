//! How connections are made: proxies, certificates, HTTP/2, what is unpacked. The settings, and the HTTP client made of them.
//!
//! One HTTP client is a pool of connections: clones of a [`Client`](crate::Client) share it, and a connection is used again for as long as
//! both sides keep it. HTTP/2 is spoken where the service offers it in the TLS handshake (ALPN, RFC 7301).

use std::fmt;

use ::http::HeaderValue;
use url::Url;

use crate::auth::Secret;
use crate::error::{Error, Result};
use crate::timeout::Timeouts;

/// What a caller says about connections.
#[derive(Clone, Default)]
pub(crate) struct Connection {
    pub(crate) proxy: ProxyChoice,
    /// Certificates of authorities that are trusted beside the platform's, each a PEM file's content.
    pub(crate) roots: Vec<Vec<u8>>,
    /// The client's own certificate and key, as PEM.
    pub(crate) identity: Option<Secret>,
}

#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and the platform's settings.
    #[default]
    Environment,
    None,
    /// Its address, which may hold a password.
    Given(Secret),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field(
                "proxy",
                match &self.proxy {
                    ProxyChoice::Environment => &"from the environment",
                    ProxyChoice::None => &"none",
                    ProxyChoice::Given(_) => &"given",
                },
            )
            .field("roots", &self.roots.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl Connection {
    /// An HTTP client for `target`. Redirects are not followed down here: the layer above knows the origin and the token.
    pub(crate) fn client(&self, target: &Url, timeouts: &Timeouts, agent: &HeaderValue) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .user_agent(agent.clone());
        match &self.proxy {
            ProxyChoice::Given(address) => builder = builder.proxy(proxy(address.expose())?),
            ProxyChoice::None => builder = builder.no_proxy(),
            // This machine alone: a proxy from the environment would get password and tokens in the clear.
            ProxyChoice::Environment if target.scheme() == "http" => builder = builder.no_proxy(),
            ProxyChoice::Environment => {}
        }
        builder = self.trust(builder)?;
        builder = self.identify(builder)?;
        builder.build().map_err(|error| {
            let why = crate::net::root_cause(&error);
            Error::config(format!("the HTTP client could not be set up: {why}"))
        })
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    fn trust(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
        let mut certificates = Vec::new();
        for pem in &self.roots {
            let found = reqwest::Certificate::from_pem_bundle(pem).ok().filter(|found| !found.is_empty());
            certificates.extend(found.ok_or_else(|| {
                Error::config(
                    "a root certificate could not be read; give PEM, which begins with -----BEGIN CERTIFICATE-----",
                )
            })?);
        }
        Ok(if certificates.is_empty() { builder } else { builder.tls_certs_merge(certificates) })
    }

    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    fn trust(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
        if self.roots.is_empty() { Ok(builder) } else { Err(no_tls("root certificates")) }
    }

    #[cfg(feature = "rustls")]
    fn identify(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
        let Some(pem) = &self.identity else { return Ok(builder) };
        let identity = reqwest::Identity::from_pem(pem.expose().as_bytes()).map_err(|_| unreadable_identity())?;
        Ok(builder.tls_backend_rustls().identity(identity))
    }

    #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
    fn identify(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
        let Some(pem) = &self.identity else { return Ok(builder) };
        let pem = pem.expose();
        // The platform's library wants a text that begins with the key; among certificates it skips what is none.
        let key = pem.find("-----BEGIN PRIVATE KEY-----").and_then(|start| pem.get(start..));
        let identity = key.and_then(|key| reqwest::Identity::from_pkcs8_pem(pem.as_bytes(), key.as_bytes()).ok());
        Ok(builder.identity(identity.ok_or_else(unreadable_identity)?))
    }

    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    fn identify(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder> {
        if self.identity.is_none() { Ok(builder) } else { Err(no_tls("a client certificate")) }
    }
}

fn proxy(address: &str) -> Result<reqwest::Proxy> {
    // Neither the address nor the reason is shown: both may hold a password.
    let refused = || Error::config("the proxy's address is no URL; it should look like http://proxy.example:3128");
    let url = Url::parse(address).ok().filter(Url::has_host).ok_or_else(refused)?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(Error::config(format!("the proxy's address has the scheme {:?}; use http or https", url.scheme())));
    }
    reqwest::Proxy::all(url).map_err(|_| refused())
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn unreadable_identity() -> Error {
    Error::config(
        "the client certificate could not be read; give one PEM text with the certificate and its key (PKCS #8)",
    )
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn no_tls(what: &str) -> Error {
    Error::config(format!(
        "{what} can't be used, because this build has no TLS; switch on the feature `rustls` or `native-tls`"
    ))
}
