//! The TLS configuration of rustls: the provider of cryptography, trusted authorities, the client certificate.
//!
//! reqwest would use AWS-LC, or panic without a provider. The configuration is built here, so that the provider is a choice of features and a missing
//! provider is an error.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use super::{ConnectionConfig, invalid_identity, invalid_root_certificate};
use crate::error::{Error, Result};

/// Builds the configuration: the platform's certificate store and the authorities of `settings`, TLS 1.2 and 1.3.
///
/// With `may_lack_roots`, a platform without certificates is no error: the configuration then trusts no server.
pub(super) fn client_config(settings: &ConnectionConfig, may_lack_roots: bool) -> Result<ClientConfig> {
    let provider = provider(CryptoProvider::get_default().cloned())?;
    let verifier = verifier(settings, &provider);
    let config = versions(provider)?;
    let config = match verifier {
        Ok(verifier) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(_) if may_lack_roots && settings.root_certificates.is_empty() => {
            config.with_root_certificates(RootCertStore::empty())
        }
        Err(error) => return Err(error),
    };
    let mut config = match &settings.identity {
        None => config.with_no_client_auth(),
        Some(pem) => {
            let pem = pem.expose().as_bytes();
            let chain = certificates(pem).ok_or_else(invalid_identity)?;
            let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| invalid_identity())?;
            config.with_client_auth_cert(chain, key).map_err(|_| invalid_identity())?
        }
    };
    let protocols: &[&[u8]] = if cfg!(feature = "http2") { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// Builds a configuration that trusts no server.
pub(super) fn without_roots() -> Result<ClientConfig> {
    let provider = provider(CryptoProvider::get_default().cloned())?;
    Ok(versions(provider)?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn versions(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let config = ClientConfig::builder_with_provider(provider);
    config.with_safe_default_protocol_versions().map_err(|error| failed(&error))
}

/// Returns the provider that the program installed for its process, else AWS-LC, else ring. Both features may be enabled, by different crates.
fn provider(installed: Option<Arc<CryptoProvider>>) -> Result<Arc<CryptoProvider>> {
    #[cfg(feature = "rustls-aws-lc-rs")]
    let by_feature = Some(rustls::crypto::aws_lc_rs::default_provider);
    #[cfg(all(feature = "rustls", not(feature = "rustls-aws-lc-rs")))]
    let by_feature = Some(rustls::crypto::ring::default_provider);
    #[cfg(not(any(feature = "rustls", feature = "rustls-aws-lc-rs")))]
    let by_feature = None::<fn() -> CryptoProvider>;
    installed.or_else(|| by_feature.map(|provider| Arc::new(provider()))).ok_or_else(|| {
        Error::config(
            "could not configure TLS: no provider of cryptography; enable the feature `rustls` or `rustls-aws-lc-rs`, \
             or install a provider with `rustls::crypto::CryptoProvider::install_default` before building the client",
        )
    })
}

fn verifier(settings: &ConnectionConfig, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
    if settings.root_certificates.is_empty() {
        return Verifier::new(Arc::clone(provider)).map_err(|error| failed(&error));
    }
    let mut roots = Vec::new();
    for pem in &settings.root_certificates {
        roots.extend(certificates(pem).ok_or_else(invalid_root_certificate)?);
    }
    with_roots(roots, provider)
}

#[cfg(not(target_os = "android"))]
fn with_roots(roots: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
    Verifier::new_with_extra_roots(roots, Arc::clone(provider)).map_err(|error| failed(&error))
}

#[cfg(target_os = "android")]
fn with_roots(_: Vec<CertificateDer<'static>>, _: &Arc<CryptoProvider>) -> Result<Verifier> {
    Err(Error::config("root certificates cannot be added on Android; install them on the device"))
}

/// Parses the certificates of a PEM text; `None` without any.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<_, _>>().ok()?;
    Some(certificates).filter(|certificates| !certificates.is_empty())
}

fn failed(error: &rustls::Error) -> Error {
    Error::config(format!("could not configure TLS: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_installed_provider() {
        let mut installed = rustls_provider();
        installed.cipher_suites.truncate(1);
        let chosen = provider(Some(Arc::new(installed))).map(|provider| provider.cipher_suites.len());
        assert_eq!(chosen.ok(), Some(1));
    }

    #[cfg(any(feature = "rustls", feature = "rustls-aws-lc-rs"))]
    #[test]
    fn chooses_the_provider_of_the_feature() {
        let kind = if cfg!(feature = "rustls-aws-lc-rs") { "AwsLcRs" } else { "Ring" };
        let debug = format!("{:?}", provider(None));
        assert!(debug.contains(kind), "{debug}");
    }

    #[cfg(not(any(feature = "rustls", feature = "rustls-aws-lc-rs")))]
    #[test]
    fn missing_provider_is_an_error_that_names_the_features() {
        let error = provider(None).map(drop).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("enable the feature `rustls` or `rustls-aws-lc-rs`")));
    }

    /// Returns any provider; the tests' TLS server compiles AWS-LC.
    fn rustls_provider() -> CryptoProvider {
        tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()
    }
}
