//! A small TLS server with its own certificate authority.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use documine::{Client, ClientBuilder, Credentials};
use http::{HeaderMap, Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Headers and body of a response.
pub(crate) type CannedResponse = (Vec<(&'static str, &'static str)>, Bytes);

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A distinct name: OpenSSL treats a certificate with the authority's name as self-signed.
        params.distinguished_name.push(DnType::CommonName, "An authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    /// Returns the certificate of the authority in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    /// Issues a client certificate and returns it with its key as one PEM text.
    pub(crate) fn identity(&self) -> String {
        let (certificate, key) = self.issue("robot.example");
        format!("{}{}", certificate.pem(), key.serialize_pem())
    }
}

/// A running server.
pub(crate) struct Service {
    pub(crate) base: String,
    pub(crate) connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<(Version, HeaderMap)>>>,
}

/// Options of the server.
#[derive(Default)]
pub(crate) struct ServerOptions<'a> {
    /// Supports HTTP/1.1 only.
    pub(crate) http1_only: bool,
    /// Accepts only clients with a certificate of this authority.
    pub(crate) client_authority: Option<&'a Authority>,
}

impl Service {
    pub(crate) async fn start(authority: &Authority, options: ServerOptions<'_>, canned: CannedResponse) -> Self {
        let (certificate, key) = authority.issue("127.0.0.1");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        // Named, because rustls has more than one provider when documine uses another.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("TLS versions");
        let builder = match options.client_authority {
            None => builder.with_no_client_auth(),
            Some(client_authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(client_authority.0.der().clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = verifier.build().expect("a verifier");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).expect("a configuration");
        config.alpn_protocols = if options.http1_only { vec![] } else { vec![b"h2".to_vec(), b"http/1.1".to_vec()] };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<_>>>::default());
        let (count, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, seen, canned) = (acceptor.clone(), Arc::clone(&seen), canned.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (parts, _) = request.into_parts();
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push((parts.version, parts.headers));
                        let (headers, body) = canned.clone();
                        let mut response = Response::builder();
                        for (name, value) in headers {
                            response = response.header(name, value);
                        }
                        let response = response.body(Full::new(body)).expect("a response");
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { base, connections, requests }
    }

    /// Returns a client builder that does not trust the authority.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(&self.base).workspace("acme").credentials(Credentials::access_token("t0ken"))
    }

    pub(crate) fn requests(&self) -> Vec<(Version, HeaderMap)> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns a licence of five pages.
pub(crate) fn license() -> CannedResponse {
    (vec![("content-type", "application/json")], Bytes::from_static(LICENSE.as_bytes()))
}

pub(crate) const LICENSE: &str = r#"{"licensedPages":5}"#;
