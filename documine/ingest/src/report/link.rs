//! Links to sources.

use std::fmt::Write as _;

/// Returns the URL of a location: of an absolute path or of an address on the web. Other locations have none.
pub(crate) fn href(location: &str) -> Option<String> {
    let is_web = ["https://", "http://"].iter().any(|scheme| location.starts_with(scheme));
    if is_web {
        return Some(escaped(location, b"%:/?#[]@!$&'()*+,;=-._~"));
    }
    let bytes = location.as_bytes();
    let is_drive =
        bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'\\' | b'/');
    if is_drive {
        return Some(format!("file:///{}", escaped(&location.replace('\\', "/"), b"/:-._~")));
    }
    location.starts_with('/').then(|| format!("file://{}", escaped(location, b"/-._~")))
}

/// Returns the URL of a page, which the PDF viewers of browsers open.
pub(crate) fn with_page(href: &str, page: Option<u32>) -> String {
    match page {
        Some(page) if !href.contains('#') => format!("{href}#page={page}"),
        _ => href.to_owned(),
    }
}

fn escaped(text: &str, kept: &[u8]) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}
