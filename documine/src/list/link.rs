//! The link to the next page, in the header that RFC 8288 describes.

use http::{HeaderMap, header};
use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// The target of `Link: <…>; rel="next"` (RFC 8288), seen from `url`.
pub(super) fn next_link(url: &Url, headers: &HeaderMap) -> Result<Option<Url>> {
    for value in headers.get_all(header::LINK) {
        // A title may be written in any letters; only the targets and relations matter.
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut rest = value.as_ref();
        while let Some((target, tail)) = rest.split_once('<').and_then(|(_, tail)| tail.split_once('>')) {
            let (parameters, after) = tail.split_at(unquoted(tail, ',').unwrap_or(tail.len()));
            if is_next(parameters) {
                let next = url.join(target).map_err(|error| {
                    Error::new(ErrorKind::Decode, format!("the link to the next page is no address: {error}"))
                })?;
                return Ok(Some(next));
            }
            rest = after;
        }
    }
    Ok(None)
}

/// Returns the address of a linked page at the configured service: of the link, path and query are taken, and origin and prefix are those of
/// `base`. A service behind a proxy links its pages by the host, port or scheme that it knows itself by, and without the path that the proxy
/// puts before its own, or with one that the proxy takes away. So nothing is ever asked for elsewhere.
///
/// `own` is the address of the page with the link. A path that differs from its path in a prefix alone is the same path.
pub(super) fn at_service(target: &Url, own: &Url, base: &Url) -> Result<Url> {
    if !matches!(target.scheme(), "http" | "https") {
        let why = format!("the link to the next page has the scheme {:?}, where https is expected", target.scheme());
        return Err(Error::new(ErrorKind::Decode, why));
    }
    let (linked, own) = (target.path(), own.path());
    let prefix = base.path().trim_end_matches('/');
    let is_below = |path: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // The path as the service knows it, when a proxy has put the prefix before it.
    let below = own.strip_prefix(prefix).filter(|path| path.len() > 1).unwrap_or(own);
    let path = if linked.len() > 1 && (own.ends_with(linked) || linked.ends_with(below)) {
        own.to_owned()
    } else if is_below(linked) {
        linked.to_owned()
    } else {
        format!("{prefix}{linked}")
    };
    let mut next = base.clone();
    next.set_path(&path);
    next.set_query(target.query());
    Ok(next)
}

/// Whether the first `rel` names the next page; further ones do not count (RFC 8288 section 3.3).
fn is_next(mut parameters: &str) -> bool {
    loop {
        let end = unquoted(parameters, ';');
        let one = &parameters[..end.unwrap_or(parameters.len())];
        if let Some((name, value)) = one.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let mut relations = value.trim().trim_matches(['"', '\'']).split_whitespace();
            return relations.any(|relation| relation.eq_ignore_ascii_case("next"));
        }
        let Some(end) = end else { return false };
        parameters = &parameters[end + 1..];
    }
}

/// Where `mark` first stands outside of quoted strings (RFC 9110 section 5.6.4).
fn unquoted(text: &str, mark: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.find(|c| {
        let plain = !std::mem::take(&mut escaped);
        quoted ^= plain && c == '"';
        escaped = plain && quoted && c == '\\';
        c == mark && !quoted
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_linked_page_is_at_the_configured_service() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let users = "https://acme.example/api/users";
        let behind = "https://gateway.example/docs/api/users";
        for (base, own, target, wanted) in [
            ("https://acme.example", users, "?page=2", "https://acme.example/api/users?page=2"),
            (
                "https://acme.example",
                users,
                "http://acme.example/api/users?page=2",
                "https://acme.example/api/users?page=2",
            ),
            (
                "https://acme.example",
                users,
                "https://acme.example:8443/api/users?page=2",
                "https://acme.example/api/users?page=2",
            ),
            (
                "https://acme.example",
                users,
                "http://10.0.0.7:8080/api/users?page=2",
                "https://acme.example/api/users?page=2",
            ),
            ("https://acme.example", users, "//backend/api/users?page=2", "https://acme.example/api/users?page=2"),
            (
                "https://acme.example",
                users,
                "http://u:p@backend/api/users?page=2#top",
                "https://acme.example/api/users?page=2",
            ),
            (
                "https://acme.example",
                users,
                "http://backend/documine/api/users?page=2",
                "https://acme.example/api/users?page=2",
            ),
            (
                "https://acme.example",
                users,
                "http://backend/api/users/pages/2",
                "https://acme.example/api/users/pages/2",
            ),
            ("https://acme.example", users, "/v2/users?page=2", "https://acme.example/v2/users?page=2"),
            ("https://acme.example", users, "/", "https://acme.example/"),
            ("https://acme.example:8443", users, "http://backend/api/users", "https://acme.example:8443/api/users"),
            (
                "https://gateway.example/docs",
                behind,
                "http://backend:8080/api/users?page=2",
                "https://gateway.example/docs/api/users?page=2",
            ),
            (
                "https://gateway.example/docs",
                behind,
                "/api/users?page=2",
                "https://gateway.example/docs/api/users?page=2",
            ),
            (
                "https://gateway.example/docs",
                behind,
                "/docs/api/users?page=2",
                "https://gateway.example/docs/api/users?page=2",
            ),
            (
                "https://gateway.example/docs",
                behind,
                "http://backend/api/pages/2",
                "https://gateway.example/docs/api/pages/2",
            ),
            ("https://gateway.example/docs", behind, "/docs/api/pages/2", "https://gateway.example/docs/api/pages/2"),
            (
                "https://gateway.example/docs",
                behind,
                "http://backend:8080/app/api/users?page=2",
                "https://gateway.example/docs/api/users?page=2",
            ),
            (
                "https://gateway.example/docs",
                behind,
                "../../../docsother/x",
                "https://gateway.example/docs/docsother/x",
            ),
        ] {
            let (base, own) = (Url::parse(base)?, Url::parse(own)?);
            let next = at_service(&own.join(target)?, &own, &base)?;
            assert_eq!(next.as_str(), wanted, "{target}");
        }
        let own = Url::parse(users)?;
        for target in ["javascript:alert(1)", "file:///etc/passwd", "ftp://acme.example/api/users", "data:,x"] {
            assert!(at_service(&own.join(target)?, &own, &own).is_err(), "{target}");
        }
        Ok(())
    }

    #[test]
    fn the_next_page_is_found_among_links() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let url = Url::parse("https://acme.example/api/users?page=1")?;
        let next = |link: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, HeaderValue::from_static(link));
            next_link(&url, &headers)
        };
        assert_eq!(next_link(&url, &HeaderMap::new())?, None);
        for (link, wanted) in [
            (
                r#"</api/users?page=0>; rel="first", </api/users?page=2>; rel="next""#,
                "https://acme.example/api/users?page=2",
            ),
            (
                r#"</api/users?ids=1,2&page=2>; title="a, b"; rel="next""#,
                "https://acme.example/api/users?ids=1,2&page=2",
            ),
            ("<?page=2>; rel=next", "https://acme.example/api/users?page=2"),
            (r#"<users?page=2>; rel="last next""#, "https://acme.example/api/users?page=2"),
        ] {
            assert_eq!(next(link)?.as_ref().map(Url::as_str), Some(wanted));
        }
        assert!(next("<https://[>; rel=next").is_err());
        assert_eq!(next("</api/users?page=0>; rel=prev")?, None);
        Ok(())
    }
}
