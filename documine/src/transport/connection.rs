//! Connection settings (proxy, certificates) and the HTTP client built from them.
//!
//! One HTTP client is one connection pool, which clones of a [`Client`](crate::Client) share. Connections are reused while both sides keep
//! them open. HTTP/2 is used where the service offers it in the TLS handshake (ALPN, RFC 7301).

#[cfg(feature = "rustls-no-provider")]
mod tls;

use std::fmt;

use ::http::HeaderValue;
use url::Url;

use crate::auth::Secret;
use crate::error::{Error, Result};
use crate::timeout::Timeouts;

/// The connection settings of a client.
#[derive(Clone, Default)]
pub(crate) struct ConnectionConfig {
    pub(crate) proxy: ProxyConfig,
    /// PEM bundles of authorities trusted in addition to those of the platform.
    pub(crate) root_certificates: Vec<Vec<u8>>,
    /// The client certificate and its key, as PEM.
    pub(crate) identity: Option<Secret>,
}

/// The proxy settings of a client.
#[derive(Clone, Default)]
pub(crate) enum ProxyConfig {
    /// `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and the settings of the platform.
    #[default]
    Environment,
    None,
    /// The URL of a proxy, which may contain a password.
    Url(Secret),
}

impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionConfig")
            .field(
                "proxy",
                match &self.proxy {
                    ProxyConfig::Environment => &"from the environment",
                    ProxyConfig::None => &"none",
                    ProxyConfig::Url(_) => &"given",
                },
            )
            .field("root_certificates", &self.root_certificates.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl ConnectionConfig {
    /// Builds an HTTP client for `target`.
    ///
    /// It does not follow redirects: the attempt layer does, because it knows the origin and the token.
    pub(crate) fn http_client(
        &self,
        target: &Url,
        timeouts: &Timeouts,
        user_agent: &HeaderValue,
    ) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .user_agent(user_agent.clone());
        match &self.proxy {
            ProxyConfig::Url(url) => builder = builder.proxy(proxy(url.expose())?),
            ProxyConfig::None => builder = builder.no_proxy(),
            // http is allowed on loopback only. A proxy from the environment would receive password and tokens in plain text.
            ProxyConfig::Environment if target.scheme() == "http" => builder = builder.no_proxy(),
            ProxyConfig::Environment => {}
        }
        build(self.add_tls(builder, target.scheme() == "http")?)
    }

    /// Builds an HTTP client that builds requests and never connects. It does not read the certificates of the platform and trusts no server.
    pub(crate) fn unconnected_client(user_agent: &HeaderValue) -> Result<reqwest::Client> {
        let builder = reqwest::Client::builder().no_proxy().user_agent(user_agent.clone());
        #[cfg(feature = "rustls-no-provider")]
        let builder = builder.tls_backend_preconfigured(tls::without_roots()?);
        build(builder)
    }

    /// Sets certificates and the provider of cryptography. rustls takes precedence over the platform's library.
    ///
    /// A client for http may lack the certificates of the platform: https, for example after a redirect, then fails.
    #[cfg(feature = "rustls-no-provider")]
    fn add_tls(&self, builder: reqwest::ClientBuilder, is_for_http: bool) -> Result<reqwest::ClientBuilder> {
        tls::client_config(self, is_for_http).map(|config| builder.tls_backend_preconfigured(config))
    }

    #[cfg(all(feature = "native-tls", not(feature = "rustls-no-provider")))]
    fn add_tls(&self, mut builder: reqwest::ClientBuilder, _: bool) -> Result<reqwest::ClientBuilder> {
        let mut certificates = Vec::new();
        for pem in &self.root_certificates {
            let bundle = reqwest::Certificate::from_pem_bundle(pem).ok().filter(|bundle| !bundle.is_empty());
            certificates.extend(bundle.ok_or_else(invalid_root_certificate)?);
        }
        if !certificates.is_empty() {
            builder = builder.tls_certs_merge(certificates);
        }
        let Some(pem) = &self.identity else { return Ok(builder) };
        let pem = pem.expose();
        // The platform library requires the key at the start and skips anything else among the certificates.
        let key = pem.find("-----BEGIN PRIVATE KEY-----").and_then(|start| pem.get(start..));
        let identity = key.and_then(|key| reqwest::Identity::from_pkcs8_pem(pem.as_bytes(), key.as_bytes()).ok());
        Ok(builder.identity(identity.ok_or_else(invalid_identity)?))
    }

    #[cfg(not(any(feature = "rustls-no-provider", feature = "native-tls")))]
    fn add_tls(&self, builder: reqwest::ClientBuilder, _: bool) -> Result<reqwest::ClientBuilder> {
        if !self.root_certificates.is_empty() {
            return Err(no_tls("root certificates"));
        }
        if self.identity.is_some() { Err(no_tls("a client certificate")) } else { Ok(builder) }
    }
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|error| {
        let cause = crate::http_util::root_cause(&error);
        Error::config(format!("could not build the HTTP client: {cause}"))
    })
}

fn proxy(url: &str) -> Result<reqwest::Proxy> {
    // Neither the URL nor the cause is shown, because both may contain a password.
    let invalid = || Error::config("invalid proxy URL; expected a URL such as http://proxy.example:3128");
    let url = Url::parse(url).ok().filter(Url::has_host).ok_or_else(invalid)?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(Error::config(format!(
            "unsupported scheme {:?} in the proxy URL; use http or https",
            url.scheme()
        )));
    }
    reqwest::Proxy::all(url).map_err(|_| invalid())
}

#[cfg(any(feature = "rustls-no-provider", feature = "native-tls"))]
fn invalid_root_certificate() -> Error {
    Error::config("invalid root certificate; PEM is required, which begins with -----BEGIN CERTIFICATE-----")
}

#[cfg(any(feature = "rustls-no-provider", feature = "native-tls"))]
fn invalid_identity() -> Error {
    Error::config("invalid client certificate; one PEM text with the certificate and its key (PKCS #8) is required")
}

#[cfg(not(any(feature = "rustls-no-provider", feature = "native-tls")))]
fn no_tls(what: &str) -> Error {
    Error::config(format!("{what} cannot be used: this build has no TLS; enable the feature `rustls` or `native-tls`"))
}
