//! Proxies: plain requests, TLS tunnels, and the data that a proxy receives.

use std::sync::{Arc, Mutex, PoisonError};

use documine::{Client, Credentials, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Authority, LICENSE, ServerOptions, Service, license};

/// A proxy that tunnels CONNECT requests and responds to all others itself.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    if let Some(target) = target {
        let Ok(mut service) = TcpStream::connect(target).await else { return };
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut service).await;
    } else {
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{LICENSE}",
            LICENSE.len()
        );
        let _ = stream.write_all(response.as_bytes()).await;
    }
}

#[tokio::test]
async fn tunnels_tls_without_showing_token_to_proxy() {
    let authority = Authority::new();
    let service = Service::start(&authority, ServerOptions::default(), license()).await;
    let proxy = Proxy::start().await;
    let address = format!("http://robot:pr0xy-pass@{}", proxy.address);
    let builder = service.builder().add_root_certificate(authority.pem()).proxy(address.as_str());
    let shown = format!("{builder:?}");
    assert!(!shown.contains("pr0xy-pass") && shown.contains("given"), "{shown}");
    let client = builder.build().expect("valid settings");
    client.license().await.expect("a licence");
    let [head] = proxy.heads().try_into().expect("one tunnel");
    assert!(head.starts_with(&format!("CONNECT {} ", service.base.trim_start_matches("https://"))), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic cm9ib3q6chiwehktcgfzcw=="), "{head}");
    assert!(!head.contains("t0ken"), "{head}");
}

#[tokio::test]
async fn uses_proxy_for_loopback_only_when_configured() {
    let proxy = Proxy::start().await;
    let builder = Client::builder("http://127.0.0.1:9").workspace("acme").credentials(Credentials::access_token("t"));
    let proxied = builder.clone().proxy(format!("http://{}", proxy.address)).build().expect("valid settings");
    proxied.license().await.expect("the response of the proxy");
    assert!(proxy.heads()[0].starts_with("GET http://127.0.0.1:9/"), "{:?}", proxy.heads());
    let error = builder.no_proxy().build().expect("valid settings").license().await.expect_err("closed port");
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Connect, false));
}

#[test]
fn rejects_invalid_proxy_without_showing_its_password() {
    let build = |address: &str| {
        let builder = Client::builder("https://acme.example").workspace("acme");
        builder.credentials(Credentials::access_token("t0ken")).proxy(address).build().expect_err("no proxy")
    };
    for (address, line) in [
        ("robot:pr0xy-pass", "invalid proxy URL; expected a URL such as http://proxy.example:3128"),
        ("http://robot:pr0xy-pass@[", "invalid proxy URL; expected a URL such as http://proxy.example:3128"),
        (
            "socks5://robot:pr0xy-pass@proxy.example",
            "unsupported scheme \"socks5\" in the proxy URL; use http or https",
        ),
    ] {
        let error = build(address);
        assert_eq!(error.to_string(), line);
        assert!(!format!("{error:?}").contains("pr0xy-pass"));
    }
}
