//! The file name that a service suggests (`Content-Disposition`, RFC 6266 and RFC 8187). What is not written by the rules suggests nothing.

use http::{HeaderMap, header};

/// The suggested name as it was written, not yet made safe.
pub(crate) fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.as_bytes();
    // Bytes beyond ASCII are obsolete and of no known meaning; most who send them mean UTF-8, the rest Latin-1.
    match std::str::from_utf8(value) {
        Ok(text) => parse(text),
        Err(_) => parse(&value.iter().copied().map(char::from).collect::<String>()),
    }
}

fn parse(text: &str) -> Option<String> {
    let (plain, extended) = parameters(text)?;
    extended.as_deref().and_then(decode).or(plain).filter(|name| !name.is_empty())
}

/// The values of `filename` and `filename*`, each the first one of its name.
fn parameters(text: &str) -> Option<(Option<String>, Option<String>)> {
    // The type says whether a browser shows or saves it; the name is the same.
    let (_, mut rest) = token(text.trim_start())?;
    let (mut plain, mut extended) = (None, None);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some((plain, extended));
        }
        rest = rest.strip_prefix(';')?.trim_start();
        if rest.is_empty() {
            // A semicolon too many is common and hides nothing.
            return Some((plain, extended));
        }
        let (name, behind) = token(rest)?;
        let behind = behind.trim_start().strip_prefix('=')?.trim_start();
        let (value, behind) = if behind.starts_with('"') {
            quoted(behind)?
        } else {
            let (value, behind) = token(behind)?;
            (value.to_owned(), behind)
        };
        rest = behind;
        if name.eq_ignore_ascii_case("filename") {
            plain.get_or_insert(value);
        } else if name.eq_ignore_ascii_case("filename*") {
            extended.get_or_insert(value);
        }
    }
}

/// A token (RFC 9110 section 5.6.2) and what follows it. The characters beyond ASCII are no token's, but some services send them so.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_part =
        |letter: char| !letter.is_control() && !letter.is_whitespace() && !"()<>@,;:\\\"/[]?={}".contains(letter);
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A quoted string (RFC 9110 section 5.6.4) without its quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

/// An extended value: a charset, a language, and bytes with percent signs (RFC 8187 section 3.2).
fn decode(text: &str) -> Option<String> {
    let (charset, rest) = text.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut left = encoded.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || u8::try_from(char::from(left.next()?).to_digit(16)?).ok();
                digit()? * 16 + digit()?
            }
            byte if byte.is_ascii() => byte,
            _ => return None,
        });
    }
    if charset.eq_ignore_ascii_case("UTF-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("ISO-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_the_rules_write_them() {
        for (text, name) in [
            ("attachment; filename=\"Q3 filings.zip\"", Some("Q3 filings.zip")),
            ("ATTACHMENT;FILENAME=a.zip", Some("a.zip")),
            ("inline; size=5; filename = a.zip ;", Some("a.zip")),
            ("attachment; filename=\"a\\\"b\\\\c.zip\"", Some("a\"b\\c.zip")),
            ("attachment; filename=\"x;y=z.zip\"", Some("x;y=z.zip")),
            ("attachment; filename=\"plain.zip\"; filename*=UTF-8''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=utf-8'de'Pr%c3%bcf.zip; filename=plain.zip", Some("Prüf.zip")),
            ("attachment; filename*=iso-8859-1''Pr%FCf.zip", Some("Prüf.zip")),
            ("attachment; filename=plain.zip; filename*=UTF-8''%C3%28", Some("plain.zip")),
            ("attachment; filename=plain.zip; filename*=UTF-8''%4", Some("plain.zip")),
            ("attachment; filename*=KOI8-R''a.zip", None),
            ("attachment; filename=a.zip; filename=b.zip", Some("a.zip")),
            ("attachment", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename=\"a.zip", None),
            ("attachment filename=a.zip", None),
            ("attachment; filename", None),
            ("; filename=a.zip", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), name, "{text}");
        }
        let of = |bytes: &[u8]| {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            file_name(&HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value)]))
        };
        assert_eq!(of("attachment; filename=\"Prüf.zip\"".as_bytes()).as_deref(), Some("Prüf.zip"));
        assert_eq!(of(b"attachment; filename=\"Pr\xfcf.zip\"").as_deref(), Some("Prüf.zip"));
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn any_name_comes_through_quotes_and_percent_signs(name in "[^\\p{C}]{1,40}") {
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(parse(&format!("attachment; filename=\"{escaped}\"; a=b")), Some(name.clone()));
            let encoded = name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            prop_assert_eq!(parse(&format!("attachment; filename=x; filename*=UTF-8''{encoded}")), Some(name));
        }

        #[test]
        fn any_text_is_read_without_trouble(text in "(attachment|[;=\"\\\\ '%*a-c]){0,3}.{0,30}(; filename\\*?=)?.{0,30}") {
            let _ = parse(&text);
        }
    }
}
