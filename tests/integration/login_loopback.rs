//! Login through the browser of the same machine (RFC 8252 section 7.3): the program listens and rejects unrelated connections.

use std::time::Duration;

use documine::{
    ErrorKind, Result, TimeoutPhase,
    auth::{Loopback, TokenSet},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::login::{log_in_on_page, query_field};
use crate::harness::messages::DENIED_LOGIN;
use crate::harness::test_env::{TestEnv, plain_http_client};

/// Starts a login and returns it with the URL of the login page.
async fn start_login(env: &TestEnv, loopback: Loopback) -> (JoinHandle<Result<TokenSet>>, String) {
    let login = env.login();
    let (page_response, page) = oneshot::channel();
    let login = tokio::spawn(login.browser(loopback, |page| page_response.send(page.to_owned()).unwrap()));
    (login, page.await.unwrap())
}

#[tokio::test]
async fn receives_redirect_on_loopback_server() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let (login, page) = start_login(&env, Loopback::default().path("/login/done")).await;
    let redirect_url = log_in_on_page(&page, env.sim.username(), env.sim.password()).await;
    assert!(redirect_url.starts_with("http://127.0.0.1:") && redirect_url.contains("/login/done?"), "{redirect_url}");
    let page_response = plain_http_client().get(&redirect_url).send().await.unwrap();
    assert_eq!(page_response.status(), 200);
    assert_eq!(page_response.headers()["cache-control"], "no-store");
    assert_eq!(page_response.headers()["referrer-policy"], "no-referrer");
    let text = page_response.text().await.unwrap();
    assert!(text.contains("The program has received the login."), "{text}");
    assert!(!text.contains(&query_field(&redirect_url, "code").unwrap()), "{text}");
    login.await.unwrap().unwrap();
    assert_eq!(env.request_log(), ["auth 200", "login 302", "token 200"]);
    assert!(plain_http_client().get(&redirect_url).send().await.is_err(), "the server is closed for a second tab");
}

#[tokio::test]
async fn rejects_unrelated_connections() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let (login, page) = start_login(&env, Loopback::default()).await;
    let redirect_url = log_in_on_page(&page, env.sim.username(), env.sim.password()).await;
    let address = redirect_url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let state = query_field(&page, "state").unwrap();
    let http = plain_http_client();
    let get = |target: String| http.get(format!("http://{address}{target}")).send();
    assert_eq!(get("/favicon.ico".into()).await.unwrap().status(), 404);
    assert_eq!(get("/".into()).await.unwrap().status(), 404);
    assert_eq!(get("/callback?code=stolen&state=guessed".into()).await.unwrap().status(), 400);
    assert_eq!(get("/callback?error=access_denied".into()).await.unwrap().status(), 400);
    // A page loaded from a host name that resolves to this machine (DNS rebinding).
    let rebound = http.get(format!("http://{address}/callback?code=c&state={state}")).header("host", "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), 404);
    let posted = http.post(format!("http://{address}/callback?code=c&state={state}"));
    assert_eq!(posted.send().await.unwrap().status(), 405);

    // A port scan, a silent connection and an endless header.
    let mut scan = TcpStream::connect(&address).await.unwrap();
    scan.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await.unwrap();
    drop(scan);
    let silent = TcpStream::connect(&address).await.unwrap();
    let mut endless = TcpStream::connect(&address).await.unwrap();
    endless.write_all(b"GET /callback HTTP/1.1\r\nX-Long: ").await.unwrap();
    let mut sent = 0;
    while sent < 10 << 20 && endless.write_all(&[b'x'; 4096]).await.is_ok() {
        sent += 4096;
    }
    assert!(sent < 10 << 20, "the server stops reading a long header");
    let mut received = Vec::new();
    let _ = endless.read_to_end(&mut received).await;
    assert!(!String::from_utf8_lossy(&received).contains("200 OK"));

    assert!(!login.is_finished());
    assert_eq!(http.get(&redirect_url).send().await.unwrap().status(), 200);
    login.await.unwrap().unwrap();
    drop(silent);
    assert_eq!(env.requests("token").len(), 1);
}

/// Returns a port that is free on both loopback addresses, where both exist.
fn unused_port() -> u16 {
    loop {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if !has_ipv6() || std::net::TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
}

fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

#[tokio::test]
async fn accepts_registered_redirect_uri_with_another_host_name() {
    let port = unused_port();
    let fixed = format!("http://localhost:{port}/login/done");
    let uris = [
        ("http://localhost/callback", "http://localhost:"),
        ("http://localhost", "http://localhost:"),
        (fixed.as_str(), fixed.as_str()),
        ("http://LocalHost/callback", "http://LocalHost:"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:"),
        ("http://[::1]/callback", "http://[::1]:"),
        ("http://localhost/callback?app=1", "http://localhost:"),
    ];
    for (uri, begin) in uris {
        if uri.contains("[::1]") && !has_ipv6() {
            continue;
        }
        let mut env = TestEnv::new().await;
        env.allow_unauthenticated_requests();
        let (login, page) = start_login(&env, Loopback::default().redirect_uri(uri)).await;
        let callback = query_field(&page, "redirect_uri").unwrap();
        assert!(callback.starts_with(begin), "{uri}: {callback}");
        let redirect_url = log_in_on_page(&page, env.sim.username(), env.sim.password()).await;
        // The browser chooses the address for the host name.
        let url = reqwest::Url::parse(&redirect_url).unwrap();
        let port = url.port().unwrap();
        let (name, rebound_url) = (url.host_str().unwrap().to_owned(), format!("http://evil.example:{port}/callback"));
        let mut addresses = match name.as_str() {
            "localhost" => vec!["127.0.0.1".to_owned(), "[::1]".to_owned()],
            address => vec![address.to_owned()],
        };
        addresses.retain(|address| address != "[::1]" || has_ipv6());
        for address in &addresses {
            let rejected = request(&format!("{address}:{port}"), &rebound_url).await;
            assert!(rejected.starts_with("HTTP/1.1 404"), "{uri}: {rejected}");
        }
        let last = addresses.last().unwrap();
        let page_response = request(&format!("{last}:{port}"), &redirect_url).await;
        assert!(page_response.starts_with("HTTP/1.1 200"), "{uri}: {page_response}");
        login.await.unwrap().unwrap();
    }
}

/// Requests `url` at an address, as a browser does after resolving the host name.
async fn request(address: &str, url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).await.unwrap();
    received
}

#[tokio::test]
async fn avoids_port_in_use_on_one_loopback_address() {
    if !has_ipv6() {
        return;
    }
    let env = TestEnv::new().await;
    let port = unused_port();
    let listener = std::net::TcpListener::bind(("::1", port)).unwrap();
    let loopback = Loopback::default().redirect_uri(format!("http://localhost:{port}/callback"));
    let login = env.builder().login("laptop").unwrap().browser(loopback, |page| panic!("shown: {page}"));
    let error = login.await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't listen on port {port} of ::1: ")), "{error}");
    drop(listener);
}

#[tokio::test]
async fn idle_connections_do_not_block_browser() {
    let mut env = TestEnv::new().await;
    env.allow_unauthenticated_requests();
    let (login, page) = start_login(&env, Loopback::default()).await;
    let redirect_url = log_in_on_page(&page, env.sim.username(), env.sim.password()).await;
    let address = redirect_url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    // The server closes the oldest connection in favour of newer ones, long before its own timeout.
    let mut oldest = idle.remove(0);
    assert_eq!(oldest.read(&mut [0]).await.unwrap_or(0), 0);
    let newest = idle.last().unwrap();
    let still_open = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    assert!(newest.try_read(&mut [0]).is_err_and(still_open));
    assert_eq!(plain_http_client().get(&redirect_url).send().await.unwrap().status(), 200);
    login.await.unwrap().unwrap();
}

#[tokio::test]
async fn reports_denied_login() {
    let env = TestEnv::new().await;
    let (login, page) = start_login(&env, Loopback::default()).await;
    let (callback, state) = (query_field(&page, "redirect_uri").unwrap(), query_field(&page, "state").unwrap());
    let page_response =
        plain_http_client().get(format!("{callback}?error=access_denied&state={state}")).send().await.unwrap();
    assert!(page_response.text().await.unwrap().contains("The login failed."));
    let error = login.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), DENIED_LOGIN);
    assert!(error.needs_login());
    assert_eq!(env.request_log(), Vec::<String>::new());
}

#[tokio::test]
async fn stops_listening_at_time_limit_and_on_drop() {
    let env = TestEnv::new().await;
    let (login, _) = start_login(&env, Loopback::default().time_limit(Duration::from_secs(20))).await;
    // With the clock paused, the timeout fires as soon as the runtime is idle.
    tokio::time::pause();
    let error = login.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by browser: timed out after 20s waiting for the browser; start the login again, or set a longer `time_limit`"
    );
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Login)));

    tokio::time::resume();
    // Dropping the future also releases the port.
    let (login, page) = start_login(&env, Loopback::default()).await;
    let callback = query_field(&page, "redirect_uri").unwrap();
    login.abort();
    assert!(login.await.unwrap_err().is_cancelled());
    assert!(plain_http_client().get(&callback).send().await.is_err());
}

#[tokio::test]
async fn rejects_unusable_ports_and_paths() {
    let env = TestEnv::new().await;
    let log_in = |loopback| env.builder().login("laptop").unwrap().browser(loopback, |page| panic!("shown: {page}"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port();
    let error = log_in(Loopback::default().port(taken)).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't listen on port {taken} of 127.0.0.1: ")), "{error}");
    assert!(error.ends_with("; use another port, or 0 for any free port"), "{error}");
    drop(listener);
    for path in ["", "callback", "/a b", "/a?b", "/a#b"] {
        let error = log_in(Loopback::default().path(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("is not a path of a redirect URI"), "{error}");
    }
}
