//! The link to the next page, in the header that RFC 8288 describes.

use http::{HeaderMap, header};
use url::Url;

use crate::error::{Error, ErrorKind, Result};

/// The target of `Link: <…>; rel="next"` (RFC 8288), seen from `url`. The transport refuses one that leaves the service's own origin.
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

/// Whether the first `rel` names the next page; further ones do not count (RFC 8288 section 3.3).
fn is_next(mut parameters: &str) -> bool {
    loop {
        let end = unquoted(parameters, ';');
        let one = &parameters[..end.unwrap_or(parameters.len())];
        if let Some((name, value)) = one.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let mut relations = value.trim().trim_matches('"').split_whitespace();
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
