//! The redirect URI of a login by browser on the user's machine (RFC 8252 section 7.3): the program listens on a loopback address, to which the
//! provider redirects the browser.

mod server;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::net::TcpListener;
use url::{Host, Url};

use super::flow::code::Authorization;
use super::token::TokenSet;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, TimeoutPhase};
use crate::timeout::within;
use server::{CallbackAddress, CallbackServer, Listeners};

/// The number of random ports that are tried until one is free on both loopback addresses.
const MAX_PORT_ATTEMPTS: u32 = 16;
/// The port of a redirect URI without a port.
const DEFAULT_PORT: u16 = 80;

/// The redirect URI and the time limit of a login by browser. Default: `http://127.0.0.1` with any free port and `/callback`, five minutes.
///
/// ```
/// use documine::auth::Loopback;
/// let fixed = Loopback::default().port(8400).path("/login/done");
/// let registered = Loopback::default().redirect_uri("http://localhost:8400/login/done");
/// ```
#[derive(Debug, Clone)]
#[must_use = "pass it to `Login::browser`"]
pub struct Loopback {
    /// Host name as registered, with the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// True if the redirect URI contains the port even if it is 80.
    shows_default_port: bool,
    /// `None`: the redirect URI ends with the host.
    path: Option<String>,
    /// Includes the `?`.
    query: String,
    limit: Duration,
    /// A configured redirect URI that could not be parsed.
    invalid: Option<String>,
}

impl Default for Loopback {
    fn default() -> Self {
        Self {
            // Not `localhost`: the name may resolve to another machine, or to another address of this one (RFC 8252 section 8.3).
            host: "127.0.0.1".into(),
            port: 0,
            shows_default_port: false,
            path: Some("/callback".into()),
            query: String::new(),
            limit: Duration::from_secs(300),
            invalid: None,
        }
    }
}

impl Loopback {
    /// Sets the redirect URI as registered with the identity provider: `http://` with `localhost`, `127.0.0.1` or `[::1]`.
    ///
    /// The request to the provider has the same spelling. A URI without a port gets any free port (RFC 8252 section 7.3); for a provider that
    /// requires the registered port 80, add [`port(80)`](Self::port). For `localhost`, the login listens on 127.0.0.1 and on `::1`, if the machine
    /// has them, because browsers may connect to either. Other machines can't connect.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        let uri = uri.into();
        self.invalid = None;
        let Some((host, port, rest)) = split_url(&uri) else {
            self.invalid = Some(uri);
            return self;
        };
        (self.host, self.port, self.shows_default_port) = (host.to_owned(), port.unwrap_or(0), port.is_some());
        let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        (self.path, self.query) = (Some(path.to_owned()).filter(|path| !path.is_empty()), query.to_owned());
        self
    }

    /// Sets the port, if the redirect URI is registered with one. 0: any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the path of the redirect URI, as registered.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        (self.path, self.query) = (Some(path.into()), String::new());
        self
    }

    /// Sets the time limit for the person to log in. Default: five minutes.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts to listen.
    pub(super) async fn listen(self) -> Result<LoopbackListener> {
        let addresses = self.addresses()?;
        let (listeners, port) = bind(&addresses, self.port).await.map_err(|(address, error)| {
            let port = self.port;
            Error::config(format!(
                "can't listen on port {port} of {address}: {error}; use another port, or 0 for any free port"
            ))
        })?;
        let redirect_uri = self.uri(port);
        let url = Url::parse(&redirect_uri).map_err(|_| self.invalid_uri())?;
        let address =
            CallbackAddress { host: url.host_str().unwrap_or_default().to_owned(), port, path: url.path().to_owned() };
        Ok(LoopbackListener { listeners: Listeners(listeners), redirect_uri, address, limit: self.limit })
    }

    /// Returns the addresses of the host name, after a check of the whole redirect URI.
    fn addresses(&self) -> Result<Vec<IpAddr>> {
        let is_path =
            |path: &str| path.starts_with('/') && !path.contains(['?', '#']) && !path.contains(char::is_whitespace);
        if let Some(path) = self.path.as_ref().filter(|path| !is_path(path)) {
            let text = format!("{path:?} is not a path of a redirect URI; begin with `/`, without `?`, `#` and blanks");
            return Err(Error::config(text));
        }
        let url = match &self.invalid {
            None => Url::parse(&self.uri(DEFAULT_PORT)).map_err(|_| self.invalid_uri())?,
            Some(_) => return Err(self.invalid_uri()),
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        match url.host() {
            Some(Host::Ipv4(address)) if plain && address.is_loopback() => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) if plain && address.is_loopback() => Ok(vec![address.into()]),
            // Subdomains of `localhost` resolve to this machine too (RFC 6761 section 6.3).
            Some(Host::Domain(name)) if plain && (name == "localhost" || name.ends_with(".localhost")) => {
                Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            _ => Err(self.invalid_uri()),
        }
    }

    fn uri(&self, port: u16) -> String {
        let (host, path, query) = (&self.host, self.path.as_deref().unwrap_or_default(), &self.query);
        if port == DEFAULT_PORT && !self.shows_default_port {
            format!("http://{host}{path}{query}")
        } else {
            format!("http://{host}:{port}{path}{query}")
        }
    }

    fn invalid_uri(&self) -> Error {
        let uri = self.invalid.clone().unwrap_or_else(|| self.uri(self.port));
        Error::config(format!(
            "can't listen on the redirect URI {uri:?}; use http with localhost, 127.0.0.1 or [::1] and without a fragment, \
             for example http://localhost:8400/callback"
        ))
    }
}

/// Splits an http URL into host, port and the rest, without changing their spelling.
fn split_url(uri: &str) -> Option<(&str, Option<u16>, &str)> {
    const SCHEME: &str = "http://";
    let (scheme, after) = uri.split_at_checked(SCHEME.len())?;
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    if !scheme.eq_ignore_ascii_case(SCHEME) || uri.contains(['#', '@']) || uri.contains(char::is_whitespace) {
        return None;
    }
    match authority.rsplit_once(':') {
        // The last colon of `[::1]` does not begin a port.
        Some((host, port)) if !port.ends_with(']') => Some((host, Some(port.parse().ok()?), rest)),
        _ => Some((authority, None, rest)),
    }
}

/// Binds the same port of all addresses that the machine has, and returns the port. 0: any port that is free on all addresses.
async fn bind(addresses: &[IpAddr], port: u16) -> Result<(Vec<TcpListener>, u16), (IpAddr, io::Error)> {
    let mut attempts = 0;
    'attempts: loop {
        attempts += 1;
        let (mut listeners, mut chosen, mut missing) = (Vec::new(), port, None);
        for address in addresses {
            let bound = TcpListener::bind((*address, chosen)).await;
            match bound.and_then(|listener| Ok((listener.local_addr()?.port(), listener))) {
                Ok((bound_port, listener)) => {
                    chosen = bound_port;
                    listeners.push(listener);
                }
                // Another program uses the port on this address, and a browser might send the code to that program.
                Err(error) if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
                    if port == 0 && attempts < MAX_PORT_ATTEMPTS {
                        continue 'attempts;
                    }
                    return Err((*address, error));
                }
                // The machine has no IPv6, or no IPv4.
                Err(error) => missing = Some((*address, error)),
            }
        }
        return match missing {
            Some(missing) if listeners.is_empty() => Err(missing),
            _ => Ok((listeners, chosen)),
        };
    }
}

/// A loopback address that is being listened on.
pub(super) struct LoopbackListener {
    listeners: Listeners,
    redirect_uri: String,
    address: CallbackAddress,
    limit: Duration,
}

impl LoopbackListener {
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Completes the login with the first response to it. Other requests are rejected meanwhile.
    pub(super) async fn complete(self, login: Authorization, clock: &dyn Clock) -> Result<TokenSet> {
        let server = CallbackServer { address: self.address, state: login.state().clone() };
        let (limit, phase) = (self.limit, TimeoutPhase::Login);
        let response = within(Box::pin(server.receive(self.listeners, clock)), limit, phase).await.map_err(|_| {
            let text = format!(
                "timed out after {limit:?} waiting for the browser; start the login again, or set a longer `time_limit`"
            );
            Error::new(ErrorKind::Timeout, text).with_phase(phase).with_operation("login by browser")
        })?;
        login.finish_with_redirect(response.expose()).await
    }
}

#[cfg(test)]
mod tests;
