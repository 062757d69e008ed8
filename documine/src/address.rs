//! Which addresses a client may talk to.

use url::{Host, Url};

use crate::error::{Error, Result};

/// Reads a base URL: https (http for this machine alone), nothing behind the path, no slash at its end.
pub(crate) fn base_url(text: &str) -> Result<Url> {
    let shown = text.trim();
    if shown.is_empty() {
        return Err(Error::config(
            "the base URL is empty; give the service's address, for example https://acme.example",
        ));
    }
    let mut url = Url::parse(shown).map_err(|error| {
        // What does not parse is not shown: it may hold a password.
        Error::config(format!("the base URL is no URL ({error}); it should look like https://acme.example"))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config("the base URL holds a user name or password; give them as credentials instead"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config("the base URL holds a query or fragment; leave out what follows `?` or `#`"));
    }
    require_safe_scheme("base URL", &url)?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The address that paths beginning with `path` stand below: a base URL may or may not end with the document's server path.
pub(crate) fn above(mut url: Url, path: &str) -> Url {
    if let Some(above) = url.path().strip_suffix(path).filter(|_| !path.is_empty()).map(str::to_owned) {
        url.set_path(&above);
    }
    url
}

/// Tokens travel over https; http is for this machine alone.
pub(crate) fn require_safe_scheme(what: &str, url: &Url) -> Result<()> {
    match (url.scheme(), url.host()) {
        (_, None) => Err(Error::config(format!("the {what} names no host; it should look like https://acme.example"))),
        ("https", _) => Ok(()),
        ("http", Some(host)) if is_loopback(&host) => Ok(()),
        ("http", Some(host)) => Err(Error::config(format!(
            "the {what} is http://{host}, which would send tokens in the clear; use https (http is for 127.0.0.1 and localhost only)"
        ))),
        (scheme, _) => Err(Error::config(format!("the {what} has the scheme {scheme:?}; use https"))),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod properties;
