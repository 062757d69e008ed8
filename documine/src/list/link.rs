//! The link to the next page in the `Link` header (RFC 8288).

use http::{HeaderMap, header};
use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// Returns the target of `Link: <…>; rel="next"` (RFC 8288), resolved against `url`.
pub(super) fn next_link(url: &Url, headers: &HeaderMap) -> Result<Option<Url>> {
    for value in headers.get_all(header::LINK) {
        // A title may contain any bytes; only targets and relations matter.
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut rest = value.as_ref();
        while let Some((target, tail)) = rest.split_once('<').and_then(|(_, tail)| tail.split_once('>')) {
            let (parameters, after) = tail.split_at(find_unquoted(tail, ',').unwrap_or(tail.len()));
            if is_next(parameters) {
                let next = url.join(target).map_err(|error| {
                    Error::new(ErrorKind::Decode, format!("invalid URL in the link to the next page: {error}"))
                })?;
                return Ok(Some(next));
            }
            rest = after;
        }
    }
    Ok(None)
}

/// Returns the URL of a linked page at the configured service: path and query of the link, with the origin and path prefix of `base`.
///
/// A service behind a proxy links its pages with its internal host, port or scheme, and with or without the path prefix of the proxy. No request is
/// sent to any other origin. `own` is the URL of the page with the link; a linked path that differs from its path only by a prefix is the same path.
pub(super) fn at_configured_origin(target: &Url, own: &Url, base: &Url) -> Result<Url> {
    if !matches!(target.scheme(), "http" | "https") {
        let text = format!("unsupported scheme {:?} in the link to the next page; expected https", target.scheme());
        return Err(Error::new(ErrorKind::Decode, text));
    }
    let (linked, own) = (target.path(), own.path());
    let prefix = base.path().trim_end_matches('/');
    let is_below = |path: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // The internal path of the service, if a proxy adds the prefix.
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

/// Returns whether the first `rel` parameter contains `next`; further ones are ignored (RFC 8288 section 3.3).
fn is_next(mut parameters: &str) -> bool {
    loop {
        let end = find_unquoted(parameters, ';');
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

/// Returns the first position of `delimiter` outside quoted strings (RFC 9110 section 5.6.4).
fn find_unquoted(text: &str, delimiter: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.find(|c| {
        let plain = !std::mem::take(&mut escaped);
        quoted ^= plain && c == '"';
        escaped = plain && quoted && c == '\\';
        c == delimiter && !quoted
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn rebases_linked_page_to_configured_origin() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let users = "https://acme.example/api/users";
        let behind = "https://gateway.example/docs/api/users";
        for (base, own, target, expected) in [
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
            let next = at_configured_origin(&own.join(target)?, &own, &base)?;
            assert_eq!(next.as_str(), expected, "{target}");
        }
        let own = Url::parse(users)?;
        for target in ["javascript:alert(1)", "file:///etc/passwd", "ftp://acme.example/api/users", "data:,x"] {
            assert!(at_configured_origin(&own.join(target)?, &own, &own).is_err(), "{target}");
        }
        Ok(())
    }

    #[test]
    fn finds_next_link_among_others() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let url = Url::parse("https://acme.example/api/users?page=1")?;
        let next = |link: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, HeaderValue::from_static(link));
            next_link(&url, &headers)
        };
        assert_eq!(next_link(&url, &HeaderMap::new())?, None);
        for (link, expected) in [
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
            assert_eq!(next(link)?.as_ref().map(Url::as_str), Some(expected));
        }
        assert!(next("<https://[>; rel=next").is_err());
        assert_eq!(next("</api/users?page=0>; rel=prev")?, None);
        Ok(())
    }
}
