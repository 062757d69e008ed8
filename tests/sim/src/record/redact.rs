//! Removes secrets from an exchange before it is written.
//!
//! Three measures, each sufficient for the usual places: headers are kept by a list of harmless names; values of secret parameters and JSON members
//! are replaced by name; and every secret value seen so far, and anything shaped like a JWT, is replaced wherever it stands in a line.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::Serializer;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;
use serde_json::Value;

use super::format::{RecordedBodies, RecordedBody, RecordedJson};
use crate::wire::OrderedJson;

/// Replaces a secret.
pub(super) const REMOVED: &str = "removed";
/// The shortest value that is replaced wherever it stands. A shorter one would be replaced within ordinary words.
const MIN_SECRET_LENGTH: usize = 6;

/// Secret members of JSON and parameters of forms and queries, without separators.
const SECRET_NAMES: [&str; 26] = [
    "accesstoken",
    "actortoken",
    "apikey",
    "assertion",
    "authorization",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "devicecode",
    "idtoken",
    "idtokenhint",
    "password",
    "refreshtoken",
    "registrationaccesstoken",
    "secret",
    "sig",
    "signature",
    "subjecttoken",
    "token",
    "usercode",
    "verificationuricomplete",
    "logintoken",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "xgoogsignature",
];
/// Parameters of forms and queries that are secret or personal. In JSON these names have other meanings.
const SECRET_PARAMETERS: [&str; 8] =
    ["code", "codechallenge", "executiontoken", "nonce", "sessioncode", "sessionstate", "state", "username"];

/// Request headers that are recorded.
const REQUEST_HEADERS: [&str; 7] =
    ["accept", "content-type", "if-match", "if-none-match", "if-range", "range", "x-tenant-id"];
/// Response headers that are recorded.
const RESPONSE_HEADERS: [&str; 14] = [
    "accept-ranges",
    "content-disposition",
    "content-encoding",
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
    "x-request-id",
    "x-correlation-id",
];

/// Removes secrets, and remembers the values it has seen.
pub(super) struct Redactor {
    bodies: RecordedBodies,
    seen: Mutex<BTreeSet<String>>,
    jwt: Option<Regex>,
}

impl Redactor {
    pub(super) fn new(bodies: RecordedBodies) -> Self {
        let jwt = Regex::new(r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*");
        Self { bodies, seen: Mutex::default(), jwt: jwt.ok() }
    }

    /// Returns the recorded request headers, and remembers the credentials among the others.
    pub(super) fn request_headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION] {
            for value in texts(headers, &name) {
                let (scheme, value) = value.split_once(' ').unwrap_or(("", value));
                let decoded = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                match decoded.as_ref().and_then(|decoded| decoded.split_once(':')) {
                    Some((_, secret)) if scheme.eq_ignore_ascii_case("basic") => {
                        self.remember(&percent_decode_str(secret).decode_utf8_lossy());
                        self.remember(secret);
                    }
                    _ => {}
                }
                self.remember(value.trim());
            }
        }
        for value in texts(headers, &COOKIE).flat_map(|cookies| cookies.split(';')) {
            self.remember_cookie(value);
        }
        kept(headers, &REQUEST_HEADERS)
    }

    /// Returns the recorded response headers, and remembers the values of cookies.
    pub(super) fn response_headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        texts(headers, &SET_COOKIE).for_each(|cookie| self.remember_cookie(cookie));
        let mut kept = kept(headers, &RESPONSE_HEADERS);
        for (name, value) in &mut kept {
            if name == "location" || name == "link" {
                *value = self.links(value);
            }
        }
        kept
    }

    /// Returns the links of a header with the secret values of their queries and fragments removed.
    fn links(&self, value: &str) -> String {
        let (url, rest) = value
            .split_once('>')
            .map_or((value, String::new()), |(url, rest)| (url, format!(">{}", self.links_or_end(rest))));
        let (url, fragment) = url
            .split_once('#')
            .map_or((url, String::new()), |(url, fragment)| (url, format!("#{}", self.parameters(fragment))));
        let (url, query) = url
            .split_once('?')
            .map_or((url, String::new()), |(url, query)| (url, format!("?{}", self.parameters(query))));
        format!("{url}{query}{fragment}{rest}")
    }

    /// Returns the further links after the first one.
    fn links_or_end(&self, rest: &str) -> String {
        rest.split_once('<')
            .map_or_else(|| rest.to_owned(), |(between, link)| format!("{between}<{}", self.links(link)))
    }

    /// Returns a form or query with its secret values removed.
    pub(super) fn parameters(&self, text: &str) -> String {
        let mut redacted = Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let plain = plain(&name);
            let is_secret = SECRET_NAMES.contains(&plain.as_str());
            if is_secret {
                self.remember(&value);
            }
            let is_removed = is_secret || SECRET_PARAMETERS.contains(&plain.as_str());
            redacted.append_pair(&name, if is_removed { REMOVED } else { &value });
        }
        redacted.finish()
    }

    /// Returns the recorded body. `is_api` is true for an operation of the API: other bodies that cannot be searched for secrets by name, for example
    /// login pages, are left out.
    pub(super) fn body(&self, headers: &HeaderMap, bytes: &[u8], is_api: bool) -> RecordedBody {
        if bytes.is_empty() {
            return RecordedBody::Empty;
        }
        let kind = texts(headers, &CONTENT_TYPE).next().unwrap_or_default().to_ascii_lowercase();
        let omitted = RecordedBody::Omitted(bytes.len() as u64);
        let text = std::str::from_utf8(bytes).ok();
        // Secrets are remembered even if the body is left out.
        let readable = if kind.starts_with("application/x-www-form-urlencoded") {
            text.map(|text| RecordedBody::Text(self.parameters(text)))
        } else if kind.contains("json") {
            serde_json::from_slice(bytes).ok().map(|mut tree| {
                self.json(&mut tree);
                RecordedBody::Json(RecordedJson(tree))
            })
        } else {
            None
        };
        match (self.bodies, readable, text) {
            (RecordedBodies::None, ..) | (RecordedBodies::Json, None, _) => omitted,
            (_, Some(readable), _) => readable,
            (RecordedBodies::All, None, _) if !is_api => omitted,
            (RecordedBodies::All, None, Some(text)) if is_text(&kind) => RecordedBody::Text(text.to_owned()),
            (RecordedBodies::All, None, _) => RecordedBody::base64(bytes),
        }
    }

    fn json(&self, tree: &mut OrderedJson) {
        match tree {
            OrderedJson::Object(fields) => {
                for (name, value) in fields {
                    let is_secret = SECRET_NAMES.contains(&plain(name).as_str());
                    if !is_secret || *value == OrderedJson::Other(Value::Null) {
                        self.json(value);
                        continue;
                    }
                    if let OrderedJson::Other(Value::String(secret)) = value {
                        self.remember(secret);
                    }
                    *value = OrderedJson::Other(Value::from(REMOVED));
                }
            }
            OrderedJson::List(items) => items.iter_mut().for_each(|item| self.json(item)),
            OrderedJson::Other(_) => {}
        }
    }

    /// Removes everything that is known to be secret or has the form of a token from a line.
    pub(super) fn scrub(&self, mut line: String) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut secrets: Vec<&String> = seen.iter().collect();
        // A secret may be a part of another one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            let escaped = Value::from(secret.as_str()).to_string();
            let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
            let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
            for spelling in [secret.as_str(), escaped.trim_matches('"'), &encoded, &form] {
                if line.contains(spelling) {
                    line = line.replace(spelling, REMOVED);
                }
            }
        }
        match &self.jwt {
            Some(jwt) => jwt.replace_all(&line, REMOVED).into_owned(),
            None => line,
        }
    }

    fn remember_cookie(&self, cookie: &str) {
        let value = cookie.split(';').next().and_then(|pair| pair.split_once('='));
        if let Some((_, value)) = value {
            self.remember(value.trim().trim_matches('"'));
        }
    }

    fn remember(&self, secret: &str) {
        if secret.len() >= MIN_SECRET_LENGTH && secret != REMOVED {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
        }
    }
}

/// Returns a query in the form in which requests are compared: without secrets, in the order of the names.
pub(super) fn comparable_query(query: &str) -> String {
    let redacted = Redactor::new(RecordedBodies::None).parameters(query);
    let mut pairs: Vec<&str> = redacted.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind.contains("xml")
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

fn kept(headers: &HeaderMap, names: &[&str]) -> Vec<(String, String)> {
    let kept = headers.iter().filter(|(name, _)| names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_signatures_of_redirects_and_links() {
        let redactor = Redactor::new(RecordedBodies::All);
        let mut headers = HeaderMap::new();
        headers.insert(
            "location",
            "https://bucket.example/p.zip?X-Amz-Signature=abcdef12&part=1#access_token=tok-123456".parse().unwrap(),
        );
        headers.insert("link", "<https://acme.example/a?page=2&sig=abcdef99>; rel=\"next\", <https://acme.example/b?token=tok-77777>; rel=\"last\"".parse().unwrap());
        let kept = redactor.response_headers(&headers);
        let text = format!("{kept:?}");
        for secret in ["abcdef12", "tok-123456", "abcdef99", "tok-77777"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("part=1") && text.contains("page=2") && text.contains("rel=\\\"last"), "{text}");
    }

    #[test]
    fn removes_secrets_by_name_and_by_value() {
        let redactor = Redactor::new(RecordedBodies::All);
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            format!("Basic {}", STANDARD.encode("robot:s%C3%A9cret+x")).parse().expect("a header"),
        );
        headers.insert("cookie", "KC=cookie-value; b=c".parse().expect("a header"));
        headers.insert("accept", "application/json".parse().expect("a header"));
        assert_eq!(redactor.request_headers(&headers), [("accept".to_owned(), "application/json".to_owned())]);
        assert_eq!(
            redactor.parameters("grant_type=password&username=anna&password=pa%26ss+word&code=c-1"),
            "grant_type=password&username=removed&password=removed&code=removed"
        );
        headers.insert("content-type", "application/json".parse().expect("a header"));
        let body = redactor.body(
            &headers,
            br#"{"access_token":"opaque-1","code":"E17","nested":[{"refreshToken":"opaque-2"}]}"#,
            true,
        );
        let RecordedBody::Json(json) = body else { panic!("{body:?}") };
        assert_eq!(
            json.to_string(),
            r#"{"access_token":"removed","code":"E17","nested":[{"refreshToken":"removed"}]}"#
        );
        let line = "sécret+x s%C3%A9cret%2Bx cookie-value pa&ss word pa%26ss+word pa%26ss%20word opaque-1 opaque-2 \
                    eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0. rest";
        let scrubbed = redactor.scrub(line.to_owned());
        assert_eq!(scrubbed.replace("removed", "").split_whitespace().collect::<Vec<_>>(), ["rest"], "{scrubbed}");
    }

    #[test]
    fn keeps_bodies_as_configured() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/zip".parse().expect("a header"));
        let body = |bodies| Redactor::new(bodies).body(&headers, b"PK\x03\x04", true);
        assert_eq!(body(RecordedBodies::Json), RecordedBody::Omitted(4));
        assert_eq!(body(RecordedBodies::All).bytes().expect("recorded"), b"PK\x03\x04");
        headers.insert("content-type", "text/html".parse().expect("a header"));
        let page = |is_api| Redactor::new(RecordedBodies::All).body(&headers, b"<html>", is_api);
        assert_eq!((page(true), page(false)), (RecordedBody::Text("<html>".to_owned()), RecordedBody::Omitted(6)));
    }
}
