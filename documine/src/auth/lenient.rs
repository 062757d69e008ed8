//! Lenient parsing of an identity provider's responses: each member of an object is read by itself, so that an odd one does not affect the others.
//!
//! Providers spell the same thing in many ways: `verification_uri` and `verification_url`, `3600` and `"3600.0"`, JSON and a form. A value with
//! one clear meaning is read. A value without one counts as absent, so that it never invalidates its neighbours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use documine_api::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::secret::Secret;

/// The longest plausible lifetime in seconds: 100 years.
const MAX_LIFETIME_SECONDS: f64 = 100.0 * 365.0 * 86_400.0;
/// Numbers from here on are milliseconds since 1970, not seconds: as seconds this would be the year 5138.
const MIN_MILLISECONDS: f64 = 1e11;

/// The members of a JSON object or the fields of a form, in their order.
pub(crate) struct LenientObject(Vec<(String, Value)>);

impl LenientObject {
    /// Parses a JSON object, or a form as some providers send (`access_token=…&scope=…`). `None`: the body is neither.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            return split_object(text).map(Self);
        }
        let is_form = text.contains('=') && !text.contains(|c: char| c.is_whitespace() || "<>{}\"".contains(c));
        is_form.then(|| {
            let fields = url::form_urlencoded::parse(text.as_bytes());
            Self(fields.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
        })
    }

    /// Parses the claims of a JWT (RFC 7519 section 3) without verifying its signature. `None`: the token is not a readable JWT.
    pub(crate) fn from_jwt(token: &Secret) -> Option<Self> {
        let part = token.expose().split('.').nth(1)?;
        // The standard forbids padding, but some issuers pad.
        let payload = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        split_object(std::str::from_utf8(&payload).ok()?.trim()).map(Self)
    }

    /// Returns the object that has the member: this one, or its only inner object that does (`{"data": {"access_token": …}}`).
    pub(super) fn object_with(self, name: &str) -> Self {
        if self.value(&[name]).is_some() {
            return self;
        }
        let inner = |value: &Value| Some(Self::from(value.as_object()?.clone()));
        let mut matching = self.0.iter().filter_map(|(_, value)| inner(value)).filter(|i| i.value(&[name]).is_some());
        match (matching.next(), matching.next()) {
            (Some(only), None) => only,
            _ => self,
        }
    }

    /// Returns the value of the first name that has one. Without an exact match, case, `_` and `-` are ignored.
    pub(super) fn value(&self, names: &[&str]) -> Option<&Value> {
        let exact = |name: &&str| self.unambiguous(|key| key == *name);
        let loose = |name: &&str| self.unambiguous(|key| normalized(key).eq(normalized(name)));
        names.iter().find_map(exact).or_else(|| names.iter().find_map(loose))
    }

    /// Returns the value of a key. A key that occurs twice with different values has no clear meaning and counts as absent.
    fn unambiguous(&self, matches: impl Fn(&str) -> bool) -> Option<&Value> {
        let mut values = self.0.iter().filter(|(key, value)| !value.is_null() && matches(key)).map(|(_, value)| value);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// Returns the first of the names that holds a text (or a number, as its digits), trimmed.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text_of(self.value(&[name])?))
    }

    /// Returns a secret. Only a text counts as one.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        let text = self.value(&[name])?.as_str()?.trim();
        (!text.is_empty()).then(|| Secret::new(text))
    }

    /// Returns the words of a list, or of a text that separates them with blanks or commas.
    pub(crate) fn words(&self, names: &[&str]) -> Vec<String> {
        let texts: Vec<String> = match self.value(names) {
            Some(Value::Array(items)) => items.iter().filter_map(text_of).collect(),
            Some(value) => text_of(value).into_iter().collect(),
            None => Vec::new(),
        };
        let words = texts.iter().flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ','));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Returns true if the member is `true`, as a boolean or as a text.
    pub(super) fn is_true(&self, name: &str) -> bool {
        match self.value(&[name]) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Returns a duration in seconds: the first of the names that holds a positive number, or a text that is one.
    pub(super) fn duration(&self, names: &[&str]) -> Option<Duration> {
        let duration = |name: &&str| {
            let seconds = number_of(self.value(&[name])?)?;
            let is_plausible = seconds > 0.0 && seconds <= MAX_LIFETIME_SECONDS;
            Duration::try_from_secs_f64(seconds).ok().filter(|_| is_plausible)
        };
        names.iter().find_map(duration)
    }

    /// Returns a point in time: seconds or milliseconds since 1970, or a date of RFC 3339 or RFC 9110.
    pub(crate) fn timestamp(&self, names: &[&str]) -> Option<SystemTime> {
        let timestamp = |name: &&str| {
            let value = self.value(&[name])?;
            let Some(number) = number_of(value) else {
                let text = value.as_str()?.trim();
                return httpdate::parse_http_date(text).ok().or_else(|| Timestamp::from(text).to_system_time());
            };
            let seconds = if number < MIN_MILLISECONDS { number } else { number / 1000.0 };
            UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok().filter(|since| !since.is_zero())?)
        };
        names.iter().find_map(timestamp)
    }
}

impl From<serde_json::Map<String, Value>> for LenientObject {
    fn from(object: serde_json::Map<String, Value>) -> Self {
        Self(object.into_iter().collect())
    }
}

/// Returns a text, or the digits of a number.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Returns a finite number. A text may carry the unit `s`.
fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().trim_end_matches('s').trim_end().parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

/// The letters and digits of a name, in lower case.
fn normalized(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase())
}

/// Splits a JSON object into its members and parses each by itself. `None`: the text is not a complete JSON object.
///
/// A value that can't be parsed (an out-of-range number, half a surrogate pair, a thousand brackets) becomes `null`.
fn split_object(text: &str) -> Option<Vec<(String, Value)>> {
    let mut members = Vec::new();
    let mut rest = text.strip_prefix('{')?.trim_start();
    if let Some(after) = rest.strip_prefix('}') {
        return after.is_empty().then_some(members);
    }
    loop {
        let (name, after) = next_value(rest)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let (value, after) = next_value(value)?;
        if let Ok(name) = serde_json::from_str::<String>(name) {
            members.push((name, serde_json::from_str(value).unwrap_or_default()));
        } else if !name.starts_with('"') {
            return None;
        }
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None => return (rest == "}").then_some(members),
        }
    }
}

/// Splits off the JSON value that the text begins with.
fn next_value(text: &str) -> Option<(&str, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    text.split_at_checked(values.byte_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> LenientObject {
        LenientObject::parse(json.as_bytes()).unwrap_or(LenientObject(Vec::new()))
    }

    #[test]
    fn parses_each_member_by_itself() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let odd = ["1e999", "\"\\ud83d\"", &deep, "-0", "[1,{\"a\":\"}\\\"\"}]", "null", "\"\""];
        for odd in odd {
            let read = object(&format!("{{ \"a\" : \"x\" , \"odd\":{odd},\n\"b\":\"y\" }}"));
            assert_eq!(
                (read.text(&["a"]).as_deref(), read.text(&["b"]).as_deref()),
                (Some("x"), Some("y")),
                "{odd:.40}"
            );
        }
    }

    #[test]
    fn rejects_text_that_is_not_an_object() {
        let texts =
            ["", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{7:1}", "{'a':1}"];
        for text in texts.into_iter().chain(["{\"a\":1}{}", "[]", "null", "<a b=\"c\">", "a=b c", "x"]) {
            assert!(LenientObject::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(LenientObject::parse(b"{}").is_some_and(|read| read.0.is_empty()));
    }

    #[test]
    fn prefers_exact_names_over_normalized_names() {
        let read = object(r#"{"verificationUri":"loose","verification-url":"b","Sub":null,"sub":"c"}"#);
        assert_eq!(read.text(&["verification_uri"]).as_deref(), Some("loose"));
        assert_eq!(read.text(&["verification_url"]).as_deref(), Some("b"));
        assert_eq!(read.text(&["sub"]).as_deref(), Some("c"));
        assert_eq!(object(r#"{"a_b":"exact","aB":"loose"}"#).text(&["a_b"]).as_deref(), Some("exact"));
        assert_eq!(object(r#"{"a":"x","a":"y"}"#).text(&["a"]), None, "ambiguous");
        assert_eq!(object(r#"{"a":"x","a":"x"}"#).text(&["a"]).as_deref(), Some("x"));
    }

    #[test]
    fn parses_timestamps() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        let cases = [
            ("784111777", at(784_111_777)),
            ("784111777000", at(784_111_777)),
            ("\"784111777\"", at(784_111_777)),
            ("\"Sun, 06 Nov 1994 08:49:37 GMT\"", at(784_111_777)),
            ("\"1994-11-06T08:49:37Z\"", at(784_111_777)),
            ("\"1994-11-06T09:49:37+01:00\"", at(784_111_777)),
            ("-1", None),
            ("0", None),
            ("1e300", None),
            ("\"soon\"", None),
            ("[]", None),
        ];
        for (value, expected) in cases {
            assert_eq!(object(&format!("{{\"at\":{value}}}")).timestamp(&["at"]), expected, "{value}");
        }
    }
}
