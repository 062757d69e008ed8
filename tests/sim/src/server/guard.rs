//! Keeps web pages away from `/__sim/…`: a browser on the same machine reaches loopback, too.
//!
//! A page of another site can send requests there by itself (which the `Origin` header and the content type show), or let its own host name point to
//! loopback (DNS rebinding, which the `Host` header shows). Programs send neither.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};

use super::{App, Refusal};

/// The addresses under which the simulator may be steered.
pub(crate) struct OwnHosts {
    /// The host of `--listen` in lower case, a name or an address.
    listen: String,
    bound: IpAddr,
}

impl OwnHosts {
    /// `listen` is the setting, `bound` the address that it led to.
    pub(crate) fn new(listen: &str, bound: SocketAddr) -> Self {
        let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
        Self { listen: host.to_ascii_lowercase(), bound: bound.ip() }
    }

    /// Returns whether `host` (without port) names this simulator. A name that an attacker controls never does.
    fn include(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            // Bound to all addresses, it is reached under any of them; only names can be rebound.
            let address = address.to_canonical();
            address.is_loopback() || self.bound.is_unspecified() || address == self.bound.to_canonical()
        } else {
            let name = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
            name == "localhost" || name == self.listen
        }
    }
}

/// Lets requests of programs pass.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check(&app.settings.own_hosts, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(app.now()),
    }
}

fn check(own: &OwnHosts, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let forbidden = |message: String| Err(Refusal::new(StatusCode::FORBIDDEN, message));
    let hosts = headers.get_all(HOST).iter().map(|host| host.to_str().ok().and_then(|host| host.parse().ok()));
    let hosts: Option<Vec<Authority>> = hosts.chain(uri.authority().map(|named| Some(named.clone()))).collect();
    if !hosts.is_some_and(|hosts| !hosts.is_empty() && hosts.iter().all(|host| own.include(host.host()))) {
        return forbidden(
            "/__sim/ answers under localhost, 127.0.0.1, [::1] and the address of --listen only; send one of them as Host."
                .to_owned(),
        );
    }
    if headers.contains_key(ORIGIN) {
        return forbidden("/__sim/ does not answer web pages; send the request without the header Origin.".to_owned());
    }
    // DELETE has no body; a page of another site can't send it without asking first, and nobody answers that.
    if method == Method::POST && !is_json(headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON; send it with Content-Type: application/json.",
        ));
    }
    Ok(())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_own_hosts() {
        let loopback = OwnHosts::new("127.0.0.1:0", "127.0.0.1:4000".parse().expect("an address"));
        let everywhere = OwnHosts::new("0.0.0.0:80", "0.0.0.0:80".parse().expect("an address"));
        let named = OwnHosts::new("Sim:80", "10.0.0.7:80".parse().expect("an address"));
        for host in ["127.0.0.1", "127.1.2.3", "localhost", "LocalHost", "localhost.", "[::1]", "[::ffff:127.0.0.1]"] {
            assert!([&loopback, &everywhere, &named].iter().all(|own| own.include(host)), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433", "", "[::2"] {
            assert!([&loopback, &everywhere, &named].iter().all(|own| !own.include(host)), "{host}");
        }
        assert!(!loopback.include("10.0.0.7") && everywhere.include("10.0.0.7") && named.include("10.0.0.7"));
        assert!(named.include("sim") && !loopback.include("sim"));
    }
}
