//! The HTTP client of remote object stores.
//!
//! The client that object_store builds needs AWS-LC, or a provider of cryptography that the program installs for its process. This one uses the
//! installed provider, else ring, as `documine` does.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientConfigKey, ClientOptions};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Longest time without any progress, unless it is set.
const IDLE: Duration = Duration::from_secs(30);
/// Longest time to connect, unless it is set.
const CONNECT: Duration = Duration::from_secs(5);

/// Builds the HTTP clients of object stores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = client(options).map_err(|source| object_store::Error::Generic { store: "HTTP client", source })?;
        Ok(HttpClient::new(client))
    }
}

fn client(options: &ClientOptions) -> Result<reqwest::Client, Box<dyn StdError + Send + Sync>> {
    let text = |key: ClientConfigKey| options.get_config_value(&key);
    let duration = |key, default| match text(key) {
        Some(value) => humantime::parse_duration(&value),
        None => Ok(default),
    };
    let allows_http = text(ClientConfigKey::AllowHttp).as_deref() == Some("true");
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(allows_http)?)
        .https_only(!allows_http)
        .connect_timeout(duration(ClientConfigKey::ConnectTimeout, CONNECT)?)
        // A total limit would interrupt large documents.
        .read_timeout(duration(ClientConfigKey::Timeout, IDLE)?)
        // HTTP/2 is slower with object stores, according to object_store.
        .http1_only()
        // The length of a compressed body is not the size of the object.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    if let Some(agent) = text(ClientConfigKey::UserAgent) {
        builder = builder.user_agent(agent);
    }
    if let Some(url) = text(ClientConfigKey::ProxyUrl) {
        let proxy = reqwest::Proxy::all(url)?;
        let excluded = text(ClientConfigKey::ProxyExcludes).and_then(|hosts| reqwest::NoProxy::from_string(&hosts));
        builder = builder.proxy(proxy.no_proxy(excluded));
    }
    Ok(builder.build()?)
}

/// Builds the TLS configuration: the platform's certificate store, TLS 1.2 and 1.3. A platform without certificates is no error if http is allowed.
fn tls(may_lack_roots: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()));
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = match Verifier::new(provider) {
        Ok(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(_) if may_lack_roots => config.with_root_certificates(RootCertStore::empty()),
        Err(error) => return Err(error),
    };
    Ok(config.with_no_client_auth())
}
