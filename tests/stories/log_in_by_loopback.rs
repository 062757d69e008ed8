//! Logging in by the browser of the same machine (RFC 8252 section 7.3): the program listens, and is not impressed by who else connects.

use std::time::Duration;

use documine::{ErrorKind, Loopback, Result, TimeoutPhase, TokenSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::log_in_by_browser::{field, visit};
use crate::world::{World, bare_http};

/// A login under way, and the page that the program has shown.
async fn begun(world: &World, place: Loopback) -> (JoinHandle<Result<TokenSet>>, String) {
    let login = world.builder().login(world.sim.client_id()).unwrap().client_secret(world.sim.client_secret());
    let (shown, page) = oneshot::channel();
    let login = tokio::spawn(login.browser(place, |page| shown.send(page.to_owned()).unwrap()));
    (login, page.await.unwrap())
}

#[tokio::test]
async fn the_program_hears_of_the_answer_by_itself() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let (login, page) = begun(&world, Loopback::default().path("/login/done")).await;
    let back = visit(&page, world.sim.username(), world.sim.password()).await;
    assert!(back.starts_with("http://127.0.0.1:") && back.contains("/login/done?"), "{back}");
    let shown = bare_http().get(&back).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["cache-control"], "no-store");
    assert_eq!(shown.headers()["referrer-policy"], "no-referrer");
    let text = shown.text().await.unwrap();
    assert!(text.contains("The program has received the login."), "{text}");
    assert!(!text.contains(&field(&back, "code").unwrap()), "{text}");
    login.await.unwrap().unwrap();
    assert_eq!(world.journal(), ["auth 200", "login 302", "token 200"]);
    assert!(bare_http().get(&back).send().await.is_err(), "a second tab finds nobody");
}

#[tokio::test]
async fn other_visitors_are_turned_away() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let (login, page) = begun(&world, Loopback::default()).await;
    let back = visit(&page, world.sim.username(), world.sim.password()).await;
    let address = back.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let state = field(&page, "state").unwrap();
    let http = bare_http();
    let get = |target: String| http.get(format!("http://{address}{target}")).send();
    assert_eq!(get("/favicon.ico".into()).await.unwrap().status(), 404);
    assert_eq!(get("/".into()).await.unwrap().status(), 404);
    assert_eq!(get("/callback?code=stolen&state=guessed".into()).await.unwrap().status(), 400);
    assert_eq!(get("/callback?error=access_denied".into()).await.unwrap().status(), 400);
    // A page that the browser loaded from a name that leads here (DNS rebinding).
    let rebound = http.get(format!("http://{address}/callback?code=c&state={state}")).header("host", "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), 404);
    let posted = http.post(format!("http://{address}/callback?code=c&state={state}"));
    assert_eq!(posted.send().await.unwrap().status(), 405);

    // A port scan, one who says nothing, and one who does not stop talking.
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
    assert!(sent < 10 << 20, "nobody reads ten megabytes of a header");
    let mut said = Vec::new();
    let _ = endless.read_to_end(&mut said).await;
    assert!(!String::from_utf8_lossy(&said).contains("200 OK"));

    assert!(!login.is_finished());
    assert_eq!(http.get(&back).send().await.unwrap().status(), 200);
    login.await.unwrap().unwrap();
    drop(silent);
    assert_eq!(world.requests("token").len(), 1);
}

/// A port that nobody uses, on both loopback addresses where there are two.
fn free_port() -> u16 {
    loop {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        if !has_ipv6() || std::net::TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
}

fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

#[tokio::test]
async fn a_registered_redirect_uri_with_another_host_name_works() {
    let port = free_port();
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
        let mut world = World::new().await;
        world.allow_bare_requests();
        let (login, page) = begun(&world, Loopback::default().redirect_uri(uri)).await;
        let callback = field(&page, "redirect_uri").unwrap();
        assert!(callback.starts_with(begin), "{uri}: {callback}");
        let back = visit(&page, world.sim.username(), world.sim.password()).await;
        // The address that the browser takes for the name is its own choice.
        let url = reqwest::Url::parse(&back).unwrap();
        let port = url.port().unwrap();
        let (name, elsewhere) = (url.host_str().unwrap().to_owned(), format!("http://evil.example:{port}/callback"));
        let mut addresses = match name.as_str() {
            "localhost" => vec!["127.0.0.1".to_owned(), "[::1]".to_owned()],
            address => vec![address.to_owned()],
        };
        addresses.retain(|address| address != "[::1]" || has_ipv6());
        for address in &addresses {
            let turned_away = request(&format!("{address}:{port}"), &elsewhere).await;
            assert!(turned_away.starts_with("HTTP/1.1 404"), "{uri}: {turned_away}");
        }
        let last = addresses.last().unwrap();
        let shown = request(&format!("{last}:{port}"), &back).await;
        assert!(shown.starts_with("HTTP/1.1 200"), "{uri}: {shown}");
        login.await.unwrap().unwrap();
    }
}

/// Asks for `url` at an address, as a browser does that found it under the URL's name.
async fn request(address: &str, url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[tokio::test]
async fn a_port_that_is_taken_on_one_loopback_address_is_not_used_for_localhost() {
    if !has_ipv6() {
        return;
    }
    let world = World::new().await;
    let port = free_port();
    let held = std::net::TcpListener::bind(("::1", port)).unwrap();
    let place = Loopback::default().redirect_uri(format!("http://localhost:{port}/callback"));
    let login = world.builder().login("laptop").unwrap().browser(place, |page| panic!("shown: {page}"));
    let error = login.await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't listen on port {port} of ::1: ")), "{error}");
    drop(held);
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_browser_out() {
    let mut world = World::new().await;
    world.allow_bare_requests();
    let (login, page) = begun(&world, Loopback::default()).await;
    let back = visit(&page, world.sim.username(), world.sim.password()).await;
    let address = back.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    // The oldest is closed for the newer ones, long before its own time limit.
    let mut oldest = idle.remove(0);
    assert_eq!(oldest.read(&mut [0]).await.unwrap_or(0), 0);
    let newest = idle.last().unwrap();
    let still_open = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    assert!(newest.try_read(&mut [0]).is_err_and(still_open));
    assert_eq!(bare_http().get(&back).send().await.unwrap().status(), 200);
    login.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refusal_comes_back_the_same_way() {
    let world = World::new().await;
    let (login, page) = begun(&world, Loopback::default()).await;
    let (callback, state) = (field(&page, "redirect_uri").unwrap(), field(&page, "state").unwrap());
    let shown = bare_http().get(format!("{callback}?error=access_denied&state={state}")).send().await.unwrap();
    assert!(shown.text().await.unwrap().contains("The login failed."));
    let error = login.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "login by browser: the person refused the login");
    assert!(error.needs_login());
    assert_eq!(world.journal(), Vec::<String>::new());
}

#[tokio::test]
async fn a_login_has_an_end() {
    let world = World::new().await;
    let (login, _) = begun(&world, Loopback::default().time_limit(Duration::from_secs(20))).await;
    // The limit runs out as soon as nothing else can happen.
    tokio::time::pause();
    let error = login.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "login by browser: timed out after 20s waiting for the browser; start the login again, or set a longer `time_limit`"
    );
    assert_eq!((error.kind(), error.timeout_phase()), (ErrorKind::Timeout, Some(TimeoutPhase::Login)));

    tokio::time::resume();
    // And so it has when its future is dropped: the port is free again.
    let (login, page) = begun(&world, Loopback::default()).await;
    let callback = field(&page, "redirect_uri").unwrap();
    login.abort();
    assert!(login.await.unwrap_err().is_cancelled());
    assert!(bare_http().get(&callback).send().await.is_err());
}

#[tokio::test]
async fn places_where_nobody_can_listen() {
    let world = World::new().await;
    let log_in = |place| world.builder().login("laptop").unwrap().browser(place, |page| panic!("shown: {page}"));
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().port();
    let error = log_in(Loopback::default().port(taken)).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't listen on port {taken} of 127.0.0.1: ")), "{error}");
    assert!(error.ends_with("; use another port, or 0 for any free port"), "{error}");
    drop(held);
    for path in ["", "callback", "/a b", "/a?b", "/a#b"] {
        let error = log_in(Loopback::default().path(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("is not a path of a redirect URI"), "{error}");
    }
}
