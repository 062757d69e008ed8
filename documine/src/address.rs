//! Validation of the URLs that a client sends requests to.

use url::{Host, Url};

use crate::error::{Error, Result};

/// Parses a base URL: https (http for loopback only), without query and fragment; a trailing slash is removed.
pub(crate) fn base_url(text: &str) -> Result<Url> {
    let shown = text.trim();
    if shown.is_empty() {
        return Err(Error::config("empty base URL; expected the URL of the service, for example https://acme.example"));
    }
    let mut url = Url::parse(shown).map_err(|error| {
        // The text is not shown, because it may contain a password.
        Error::config(format!("invalid base URL: {error}; expected a URL such as https://acme.example"))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config("the base URL contains a user name or password; pass them as credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config("the base URL contains a query or fragment; remove everything from `?` or `#`"));
    }
    require_safe_scheme("base URL", &url)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Removes the server path of the document from a base URL that ends with it.
pub(crate) fn without_server_path(mut url: Url, path: &str) -> Url {
    if let Some(parent) = url.path().strip_suffix(path).filter(|_| !path.is_empty()).map(str::to_owned) {
        url.set_path(&parent);
    }
    url
}

/// Checks that tokens sent to `url` are protected: https, or http on loopback. `what` names the URL in the error.
pub(crate) fn require_safe_scheme(what: &str, url: &Url) -> Result<()> {
    match (url.scheme(), url.host()) {
        (_, None) => Err(Error::config(format!("the {what} has no host; expected a URL such as https://acme.example"))),
        ("https", _) => Ok(()),
        ("http", Some(host)) if is_loopback(&host) => Ok(()),
        ("http", Some(host)) => Err(Error::config(format!(
            "the {what} uses http://{host}, which would send tokens in plain text; use https (http is allowed for 127.0.0.1 and localhost only)"
        ))),
        (scheme, _) => Err(Error::config(format!("unsupported scheme {scheme:?} in the {what}; use https"))),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Returns whether two URLs have the same scheme, host and port (RFC 6454). A token is sent to its own origin only.
pub(crate) fn is_same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod properties;
