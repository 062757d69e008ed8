//! A small service behind TLS, with an authority of its own.

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
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What the service answers with: headers and a body.
pub(crate) type Answer = (Vec<(&'static str, &'static str)>, Bytes);

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own: OpenSSL takes a certificate with the authority's name for a self-signed one.
        params.distinguished_name.push(DnType::CommonName, "An authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    /// Its certificate, as a company would hand it out.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    /// A client's certificate and key in one text.
    pub(crate) fn identity(&self) -> String {
        let (certificate, key) = self.issue("robot.example");
        format!("{}{}", certificate.pem(), key.serialize_pem())
    }
}

/// A running service.
pub(crate) struct Service {
    pub(crate) base: String,
    pub(crate) connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<(Version, HeaderMap)>>>,
}

/// How it differs from the usual one.
#[derive(Default)]
pub(crate) struct Habits<'a> {
    /// It speaks HTTP/1.1 only.
    pub(crate) old: bool,
    /// It lets in only clients with a certificate of this authority.
    pub(crate) clients: Option<&'a Authority>,
}

impl Service {
    pub(crate) async fn start(authority: &Authority, habits: Habits<'_>, answer: Answer) -> Self {
        let (certificate, key) = authority.issue("127.0.0.1");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder();
        let builder = match habits.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().expect("a verifier");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).expect("a configuration");
        config.alpn_protocols = if habits.old { vec![] } else { vec![b"h2".to_vec(), b"http/1.1".to_vec()] };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<_>>>::default());
        let (count, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, seen, answer) = (acceptor.clone(), Arc::clone(&seen), answer.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (parts, _) = request.into_parts();
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push((parts.version, parts.headers));
                        let (headers, body) = answer.clone();
                        let mut response = Response::builder();
                        for (name, value) in headers {
                            response = response.header(name, value);
                        }
                        let response = response.body(Full::new(body)).expect("an answer");
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { base, connections, requests }
    }

    /// A client's settings, without any trust.
    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(&self.base).workspace("acme").credentials(Credentials::access_token("t0ken"))
    }

    pub(crate) fn requests(&self) -> Vec<(Version, HeaderMap)> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A licence of five pages.
pub(crate) fn license() -> Answer {
    (vec![("content-type", "application/json")], Bytes::from_static(LICENSE.as_bytes()))
}

pub(crate) const LICENSE: &str = r#"{"licensedPages":5}"#;
