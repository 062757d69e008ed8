//! The file name in a `Content-Disposition` header (RFC 6266 and RFC 8187).
//!
//! Many services violate these rules. A value with one clear meaning is still parsed. The name is not safe as a path until it is passed to
//! [`super::file_name::sanitize`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use encoding_rs::{Encoding, WINDOWS_1252};
use http::{HeaderMap, header};

/// Longest header value in bytes. No file name is as long, and the time to parse a malicious value grows with the square of its length.
const MAX_VALUE_BYTES: usize = 8 * 1024;

/// Returns the suggested name, decoded but not sanitized.
pub(crate) fn file_name(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::CONTENT_DISPOSITION).iter().map(http::HeaderValue::as_bytes);
    values.filter(|value| value.len() <= MAX_VALUE_BYTES).find_map(|value| parse(&decode_header(value)))
}

/// Decodes a header value. Non-ASCII bytes have no defined charset: most senders use UTF-8, others Latin-1.
fn decode_header(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

fn parse(text: &str) -> Option<String> {
    let parameters = parameters(text);
    let extended = ExtendedValue::of(&parameters);
    let plain = || value(&parameters, "filename").map(decode_plain);
    let is_name = |name: &String| !name.trim().is_empty();
    let name = extended.as_ref().and_then(ExtendedValue::decode).filter(is_name).or_else(plain).filter(is_name);
    // As a last resort, the raw text of a malformed extended value.
    name.or_else(|| Some(decode_header(&extended?.bytes))).filter(is_name)
}

/// Returns the first non-empty value of a parameter.
fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = parameters.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
    found.find(|value| !value.trim().is_empty())
}

/// Parses the parameters, with names in lower case. The disposition type and the semicolon after it may be missing.
fn parameters(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some(at) = rest.find(['=', ';']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        if rest[at..].starts_with(';') {
            rest = after;
            continue;
        }
        let name = before.split_whitespace().next_back().unwrap_or_default().to_ascii_lowercase();
        let after = after.trim_start();
        let (value, after) =
            ['"', '\''].iter().find_map(|quote| quoted(after, *quote)).unwrap_or_else(|| unquoted(after));
        found.push((name, value));
        rest = after;
    }
    found
}

/// Parses a quoted string (RFC 9110 section 5.6.4) and returns the remaining text. Some senders quote with apostrophes, and some do not escape
/// inner quotes, so a quote before a separator is preferred as the closing quote.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let inner = text.strip_prefix(quote)?;
    let mut ends = Vec::new();
    let mut chars = inner.char_indices();
    while let Some((at, ch)) = chars.next() {
        if ch == quote {
            ends.push(at);
        } else if ch == '\\' {
            chars.next();
        }
    }
    let is_last = |at: &&usize| matches!(inner[**at + 1..].trim_start().chars().next(), None | Some(';' | ','));
    // An apostrophe elsewhere is part of a name.
    let end = *ends.iter().find(is_last).or(ends.first().filter(|_| quote == '"'))?;
    Some((unescape(&inner[..end]), &inner[end + 1..]))
}

/// Parses an unquoted value up to the next semicolon, including spaces, because senders that do not quote do not escape. A single quote is
/// dropped.
fn unquoted(text: &str) -> (String, &str) {
    let end = text.find(';').unwrap_or(text.len());
    let value = unescape(text[..end].trim());
    (value.trim_matches('"').trim().to_owned(), &text[end..])
}

/// Resolves escapes. A backslash before a letter or digit is kept: no sender escapes these, and many send Windows paths.
fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        let escaped = chars.next_if(|next| ch == '\\' && !next.is_alphanumeric());
        value.push(escaped.unwrap_or(ch));
    }
    value
}

/// Decodes a plain value: encoded words of mail (RFC 2047), and percent encoding if the whole value is URL-encoded.
fn decode_plain(value: &str) -> String {
    let is_url = value.contains('%') && value.bytes().all(|byte| byte.is_ascii_graphic());
    let decoded = is_url.then(|| String::from_utf8(percent_decoded(value)?).ok()).flatten();
    decoded.or_else(|| decode_encoded_words(value)).unwrap_or_else(|| value.to_owned())
}

/// The bytes of `filename*` and the label of their charset.
#[derive(Default)]
struct ExtendedValue {
    charset: String,
    bytes: Vec<u8>,
    /// True if the value contains an unescaped percent sign.
    is_malformed: bool,
}

impl ExtendedValue {
    /// Reads `filename*` (RFC 8187 section 3.2), or the continuations `filename*0`, `filename*1*`, … of mail (RFC 2231 section 3).
    fn of(parameters: &[(String, String)]) -> Option<Self> {
        let mut whole = Self::default();
        if let Some(text) = value(parameters, "filename*") {
            whole.add(text, true);
            return Some(whole);
        }
        for number in 0.. {
            if let Some(text) = value(parameters, &format!("filename*{number}*")) {
                whole.add(text, number == 0);
            } else if let Some(text) = value(parameters, &format!("filename*{number}")) {
                whole.bytes.extend_from_slice(text.as_bytes());
            } else {
                break;
            }
        }
        (!whole.bytes.is_empty()).then_some(whole)
    }

    /// Adds a segment. The first segment starts with the charset.
    fn add(&mut self, mut text: &str, is_first: bool) {
        if is_first {
            (self.charset, text) = with_charset(text);
        }
        let decoded = percent_decoded(text);
        self.is_malformed |= decoded.is_none();
        self.bytes.extend(decoded.unwrap_or_else(|| text.as_bytes().to_owned()));
    }

    fn decode(&self) -> Option<String> {
        if self.is_malformed { None } else { decode(&self.charset, &self.bytes) }
    }
}

/// Splits an extended value into charset label and text, without the language. Some senders omit one or both apostrophes.
fn with_charset(text: &str) -> (String, &str) {
    match text.split_once('\'') {
        Some((charset, rest)) => match rest.split_once('\'') {
            Some((_, text)) => (charset.to_owned(), text),
            None if Encoding::for_label(charset.as_bytes()).is_some() => (charset.to_owned(), rest),
            None => (String::new(), text),
        },
        None => (String::new(), text),
    }
}

/// Decodes bytes according to a charset label, or returns `None` if they are invalid. Bytes labelled Latin-1 or with an unknown label are
/// decoded as UTF-8 if they are valid UTF-8, because valid UTF-8 is not meaningful text in Latin-1.
fn decode(charset: &str, bytes: &[u8]) -> Option<String> {
    let utf8 = || std::str::from_utf8(bytes).ok().map(str::to_owned);
    let decoded = |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    match Encoding::for_label(charset.as_bytes()) {
        None => utf8(),
        Some(encoding) if encoding == WINDOWS_1252 => utf8().or_else(|| decoded(encoding).map(Into::into)),
        Some(encoding) => decoded(encoding).map(Into::into),
    }
}

/// Resolves percent encoding. Returns `None` if a percent sign is not followed by two hexadecimal digits.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            bytes.push(hex_byte(after)?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Some(bytes)
}

/// Parses two hexadecimal digits.
fn hex_byte(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// Decodes encoded words (RFC 2047). Returns `None` if there are none or one is invalid.
fn decode_encoded_words(text: &str) -> Option<String> {
    let mut whole = String::new();
    // A character may be split between two words of one charset.
    let mut open: Option<(&str, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (charset, bytes, after) = encoded_word(&rest[at + 2..])?;
        let between = &rest[..at];
        match &mut open {
            Some((before, gathered)) if between.trim().is_empty() && before.eq_ignore_ascii_case(charset) => {
                gathered.extend(bytes);
            }
            _ => {
                let after_a_word = open.is_some();
                if let Some((charset, bytes)) = open.take() {
                    whole += &decode(charset, &bytes)?;
                }
                // Spaces between two words are separators and not part of the text.
                if !(after_a_word && between.trim().is_empty()) {
                    whole += between;
                }
                open = Some((charset, bytes));
            }
        }
        rest = after;
    }
    let (charset, bytes) = open?;
    whole += &decode(charset, &bytes)?;
    Some(whole + rest)
}

/// Parses an encoded word after its `=?`. Returns charset, bytes and the remaining text.
fn encoded_word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let (charset, rest) = text.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (word, after) = rest.split_once("?=")?;
    // RFC 2231 section 5 allows a language after the charset.
    let charset = charset.split('*').next().unwrap_or_default();
    let bytes = match encoding {
        "B" | "b" => STANDARD_NO_PAD.decode(word.trim().trim_end_matches('=')).ok()?,
        "Q" | "q" => percent_decoded(&word.replace('%', "=25").replace('_', " ").replace('=', "%"))?,
        _ => return None,
    };
    Some((charset, bytes, after))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn parses_valid_values() {
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
            ("attachment; filename=a.zip; filename=b.zip", Some("a.zip")),
            ("attachment", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn parses_invalid_values_with_one_clear_meaning() {
        for (text, name) in [
            // Without quotes.
            ("attachment; filename=Q3 filings.zip", Some("Q3 filings.zip")),
            ("attachment; filename=Q3 filings.zip; size=3", Some("Q3 filings.zip")),
            ("attachment; size=3; filename=Q3 filings.zip", Some("Q3 filings.zip")),
            ("attachment;filename=a.zip;size=3", Some("a.zip")),
            (
                "attachment; filename=Q3 (final), [v2] {x} <y> a=b @c:d?.zip",
                Some("Q3 (final), [v2] {x} <y> a=b @c:d?.zip"),
            ),
            ("attachment; filename=Prüfung 2024.zip", Some("Prüfung 2024.zip")),
            ("attachment; filename=  a.zip  ", Some("a.zip")),
            ("attachment; filename=out/Q3 filings.zip", Some("out/Q3 filings.zip")),
            // Spaces, disposition type and semicolons.
            ("attachment; filename = \"a.zip\"", Some("a.zip")),
            ("attachment ; FileName\t=\t\"a.zip\" ; size = 3", Some("a.zip")),
            ("filename=a.zip", Some("a.zip")),
            ("filename=\"Q3 filings.zip\"; size=3", Some("Q3 filings.zip")),
            ("; filename=a.zip", Some("a.zip")),
            ("attachment filename=a.zip", Some("a.zip")),
            ("attachment;; filename=a.zip;;", Some("a.zip")),
            ("attachment; size=\"1;2\"; filename=a.zip", Some("a.zip")),
            ("attachment; filename=\"a.zip\" size=3", Some("a.zip")),
            ("form-data; name=\"file\"; filename=\"a.zip\"", Some("a.zip")),
            ("attachment; filename=\"a.zip\", attachment; filename=\"b.zip\"", Some("a.zip")),
            // Quotes and backslashes.
            ("attachment; filename=\"a.zip", Some("a.zip")),
            ("attachment; filename=\"a.zip; size=3", Some("a.zip")),
            ("attachment; filename=a.zip\"", Some("a.zip")),
            ("attachment; filename='Q3 filings.zip'", Some("Q3 filings.zip")),
            ("attachment; filename=Bob's.zip", Some("Bob's.zip")),
            ("attachment; filename=\"Bob's.zip\"", Some("Bob's.zip")),
            ("attachment; filename=\"the \"final\" one.zip\"; size=3", Some("the \"final\" one.zip")),
            ("attachment; filename=\\\"a.zip\\\"", Some("a.zip")),
            ("attachment; filename=\"Q3\\ filings\\.zip\"", Some("Q3 filings.zip")),
            ("attachment; filename=\"C:\\reports\\a.zip\"", Some("C:\\reports\\a.zip")),
            ("attachment; filename=C:\\reports\\a.zip", Some("C:\\reports\\a.zip")),
            // Empty values.
            ("attachment; filename=", None),
            ("attachment; filename=; size=3", None),
            ("attachment; filename=\"  \"", None),
            ("attachment; filename=; filename=b.zip", Some("b.zip")),
            ("attachment; filename=a.zip; filename*=", Some("a.zip")),
            ("attachment; filename=a.zip; filename*=UTF-8''", Some("a.zip")),
            // Extended values with a wrong or unsupported charset.
            ("attachment; filename*=ISO-8859-1''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=us-ascii''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=UTF-8''Pr%FCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=UTF8''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=windows-1252''10%20%80.zip", Some("10 €.zip")),
            ("attachment; filename*=KOI8-R''%C1.zip", Some("а.zip")),
            ("attachment; filename*=Shift_JIS''%93%FA%96%7B.zip", Some("日本.zip")),
            ("attachment; filename*=GBK''%C1%AA%CD%A8.zip", Some("联通.zip")),
            ("attachment; filename*=x-unknown''a.zip", Some("a.zip")),
            ("attachment; filename*=''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=UTF-8'Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*=UTF-8''100%.zip", Some("100%.zip")),
            ("attachment; filename*=Bob's.zip", Some("Bob's.zip")),
            ("attachment; filename*=\"UTF-8''Q3%20filings.zip\"", Some("Q3 filings.zip")),
            ("attachment; filename*=UTF-8''Q3 filings.zip", Some("Q3 filings.zip")),
            ("attachment; filename*=UTF-8''Prüf.zip", Some("Prüf.zip")),
            ("attachment; filename*=UTF-8''Pr%C3%BCf.zip;filename=\"plain.zip\"", Some("Prüf.zip")),
            ("attachment; filename=\"plain.zip\";filename*=UTF-8''Pr%C3%BCf.zip", Some("Prüf.zip")),
            ("attachment; filename*0=\"Q3 \"; filename*1=filings.zip", Some("Q3 filings.zip")),
            ("attachment; filename*0*=UTF-8''Pr%C3; filename*1*=%BCf; filename*2=\" 5%.zip\"", Some("Prüf 5%.zip")),
            // Encoded words.
            ("attachment; filename=\"=?UTF-8?B?UHLDvGYuemlw?=\"", Some("Prüf.zip")),
            ("attachment; filename==?utf-8?b?UHLDvGYuemlw?=; size=3", Some("Prüf.zip")),
            ("attachment; filename=\"=?ISO-8859-1?Q?Pr=FCf_2024=2Ezip?=\"", Some("Prüf 2024.zip")),
            ("attachment; filename=\"=?UTF-8?Q?100%_a?= =?UTF-8?Q?b.zip?=\"", Some("100% ab.zip")),
            ("attachment; filename=\"=?UTF-8?B?UHLD?= =?UTF-8?B?vGYuemlw?=\"", Some("Prüf.zip")),
            ("attachment; filename=\"=?UTF-8*de?Q?a?= b =?KOI8-R?Q?=C1?=.zip\"", Some("a b а.zip")),
            ("attachment; filename=\"=?UTF-8?X?a?=.zip\"", Some("=?UTF-8?X?a?=.zip")),
            // Percent encoding in plain values.
            ("attachment; filename=Q3%20filings.zip", Some("Q3 filings.zip")),
            ("attachment; filename=\"Pr%C3%BCf%20%282%29.zip\"", Some("Prüf (2).zip")),
            ("attachment; filename=\"100% of 20%41.zip\"", Some("100% of 20%41.zip")),
            ("attachment; filename=100%.zip", Some("100%.zip")),
            ("attachment; filename=Pr%FCf.zip", Some("Pr%FCf.zip")),
            ("attachment; filename=Q3+filings.zip", Some("Q3+filings.zip")),
        ] {
            assert_eq!(parse(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn parses_non_ascii_bytes() {
        let of = |lines: &[&[u8]]| {
            let line = |bytes: &&[u8]| (header::CONTENT_DISPOSITION, HeaderValue::from_bytes(bytes).unwrap());
            file_name(&lines.iter().map(line).collect())
        };
        assert_eq!(of(&["attachment; filename=\"Prüf.zip\"".as_bytes()]).as_deref(), Some("Prüf.zip"));
        assert_eq!(of(&["attachment; filename=Prüf 1.zip".as_bytes()]).as_deref(), Some("Prüf 1.zip"));
        assert_eq!(of(&[b"attachment; filename=\"Pr\xfcf.zip\""]).as_deref(), Some("Prüf.zip"));
        assert_eq!(of(&[b"attachment; filename=10 \x80.zip"]).as_deref(), Some("10 €.zip"));
        let mut two = HeaderMap::new();
        two.append(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        two.append(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=a.zip"));
        assert_eq!(file_name(&two).as_deref(), Some("a.zip"));
    }

    #[test]
    fn sanitizes_malicious_names_in_every_encoding() {
        for (text, name) in [
            ("attachment; filename=../../etc/passwd", "passwd"),
            ("attachment; filename=..%2F..%2Fetc%2Fpasswd", "passwd"),
            ("attachment; filename=\"..%5C..%5Cevil.zip\"", "evil.zip"),
            ("attachment; filename=a%00b%0D%0Ac.zip", "abc.zip"),
            ("attachment; filename==?UTF-8?Q?..=2F..=2Fevil.zip?=", "evil.zip"),
            ("attachment; filename=\"=?UTF-8?B?Li4vLi4vZXZpbC56aXA=?=\"", "evil.zip"),
            ("attachment; filename*0=\"../\"; filename*1=\"../evil.zip\"", "evil.zip"),
            ("attachment; filename=\"\\\\\\\\host\\\\share\\\\a.zip\"", "a.zip"),
            ("attachment; filename=C:evil.zip", "C_evil.zip"),
            ("attachment; filename=.bashrc", "bashrc"),
            ("attachment; filename=%2Ebashrc", "bashrc"),
            ("attachment; filename=con", "_con"),
            ("attachment; filename*=UTF-8''exe%E2%80%AEpiz.zip", "exepiz.zip"),
            ("attachment; filename*=ISO-2022-JP''%1B%28B..%2Fevil.zip", "evil.zip"),
            ("attachment; filename*=UTF-16LE''.%00.%00%2F%00a%00", "a"),
        ] {
            let suggested = parse(text).unwrap();
            assert_eq!(super::super::file_name::sanitize(&suggested).as_deref(), Some(name), "{text}: {suggested:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::cases(256))]

        #[test]
        fn quoted_and_percent_encoded_names_round_trip(name in "[^\\p{C}]{0,40}[^\\p{C}\\s]") {
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            // Encoded plain values are tested above.
            if decode_plain(&name) == name {
                prop_assert_eq!(parse(&format!("attachment; filename=\"{escaped}\"; a=b")), Some(name.clone()));
            }
            let encoded = name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            prop_assert_eq!(parse(&format!("attachment; filename=x; filename*=UTF-8''{encoded}")), Some(name));
        }

        #[test]
        fn unquoted_names_round_trip(name in "[^\\p{C}\\s\"'\\\\;%=]([^\\p{C};%\"\\\\=]{0,40}[^\\p{C}\\s;%\"\\\\=])?") {
            prop_assert_eq!(parse(&format!("attachment; filename={name}")), Some(name.clone()));
            prop_assert_eq!(parse(&format!("attachment; filename={name}; size=3")), Some(name));
        }

        #[test]
        fn parses_any_text_without_panic(text in "(attachment|[;=\"\\\\ '%*a-c]){0,3}.{0,30}(; filename\\*?=)?(=\\?[a-z]\\?[bq]\\?)?.{0,30}") {
            let _ = parse(&text);
        }
    }
}
