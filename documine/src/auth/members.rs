//! Tolerant reading of an identity provider's answers: each member of an object is read by itself, whatever stands beside it.
//!
//! Providers spell the same thing in many ways: `verification_uri` and `verification_url`, `3600` and `"3600.0"`, JSON and a form. A value with
//! one clear meaning is read. A value without one counts as absent, so that it never costs its neighbours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use documine_api::Timestamp;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::token::Secret;

/// A longer life is no life time: 100 years, in seconds.
const LONGEST_SPAN: f64 = 100.0 * 365.0 * 86_400.0;
/// Numbers from here on count milliseconds since 1970, not seconds: as seconds this would be the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;

/// The members of an object, in their order.
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// Reads a JSON object, or a form as some providers send (`access_token=…&scope=…`). `None`: the body is neither.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            return split(text).map(Self);
        }
        let is_form = text.contains('=') && !text.contains(|c: char| c.is_whitespace() || "<>{}\"".contains(c));
        is_form.then(|| {
            let fields = url::form_urlencoded::parse(text.as_bytes());
            Self(fields.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
        })
    }

    /// Reads the claims of a JWT (RFC 7519 section 3), whose signature is not looked at. `None`: the token is no readable JWT.
    pub(crate) fn of_jwt(token: &Secret) -> Option<Self> {
        let part = token.expose().split('.').nth(1)?;
        // Without padding by the standard; some issuers pad.
        let payload = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        split(std::str::from_utf8(&payload).ok()?.trim()).map(Self)
    }

    /// Returns the object that has the member: this one, or the only one of its objects that does (`{"data": {"access_token": …}}`).
    pub(super) fn holder_of(self, name: &str) -> Self {
        if self.value(&[name]).is_some() {
            return self;
        }
        let inner = |value: &Value| Some(Self::from(value.as_object()?.clone()));
        let mut holders = self.0.iter().filter_map(|(_, value)| inner(value)).filter(|i| i.value(&[name]).is_some());
        match (holders.next(), holders.next()) {
            (Some(only), None) => only,
            _ => self,
        }
    }

    /// Returns the value under the first of the names that has one. Where none is there as it is written, case, `_` and `-` do not count.
    pub(super) fn value(&self, names: &[&str]) -> Option<&Value> {
        let exact = |name: &&str| self.only(|key| key == *name);
        let loose = |name: &&str| self.only(|key| letters(key).eq(letters(name)));
        names.iter().find_map(exact).or_else(|| names.iter().find_map(loose))
    }

    /// Returns the value under a key. One that is there twice with different values has no clear meaning.
    fn only(&self, is_it: impl Fn(&str) -> bool) -> Option<&Value> {
        let mut values = self.0.iter().filter(|(key, value)| !value.is_null() && is_it(key)).map(|(_, value)| value);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// Returns the first of the names that holds a text (or a number, as its digits), without blanks around it.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text_of(self.value(&[name])?))
    }

    /// Returns a secret, which is a text and nothing else.
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

    /// Returns whether the member is `true`, as a text too.
    pub(super) fn is_true(&self, name: &str) -> bool {
        match self.value(&[name]) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Returns a span of seconds: the first of the names that holds a positive number, or a text that is one.
    pub(super) fn span(&self, names: &[&str]) -> Option<Duration> {
        let span = |name: &&str| {
            let seconds =
                number_of(self.value(&[name])?).filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST_SPAN)?;
            Duration::try_from_secs_f64(seconds).ok()
        };
        names.iter().find_map(span)
    }

    /// Returns a point in time: seconds or milliseconds since 1970, or a date of RFC 3339 or RFC 9110.
    pub(crate) fn moment(&self, names: &[&str]) -> Option<SystemTime> {
        let moment = |name: &&str| {
            let value = self.value(&[name])?;
            let Some(number) = number_of(value) else {
                let text = value.as_str()?.trim();
                return httpdate::parse_http_date(text).ok().or_else(|| Timestamp::from(text).to_system_time());
            };
            let seconds = if number < FIRST_MILLISECONDS { number } else { number / 1000.0 };
            UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok().filter(|since| !since.is_zero())?)
        };
        names.iter().find_map(moment)
    }
}

impl From<serde_json::Map<String, Value>> for Members {
    fn from(object: serde_json::Map<String, Value>) -> Self {
        Self(object.into_iter().collect())
    }
}

/// Reads a text; a number counts as its digits.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Reads a finite number; as a text it may have the unit `s`.
fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().trim_end_matches('s').trim_end().parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

/// The letters and digits of a name, in lower case.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase())
}

/// Splits a JSON object into its members and reads each by itself: a value that can't be read (a number beyond all bounds, half a surrogate, a
/// thousand brackets) is `null`. `None`: the text is no whole JSON object.
fn split(text: &str) -> Option<Vec<(String, Value)>> {
    let mut members = Vec::new();
    let mut rest = text.strip_prefix('{')?.trim_start();
    if let Some(behind) = rest.strip_prefix('}') {
        return behind.is_empty().then_some(members);
    }
    loop {
        let (name, behind) = next_value(rest)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        let (value, behind) = next_value(value)?;
        if let Ok(name) = serde_json::from_str::<String>(name) {
            members.push((name, serde_json::from_str(value).unwrap_or_default()));
        } else if !name.starts_with('"') {
            return None;
        }
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind.trim_start(),
            None => return (rest == "}").then_some(members),
        }
    }
}

/// Returns the text of the JSON value that the text begins with, and what stands behind it.
fn next_value(text: &str) -> Option<(&str, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    text.split_at_checked(values.byte_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Members {
        Members::read(json.as_bytes()).unwrap_or(Members(Vec::new()))
    }

    #[test]
    fn reads_each_member_by_itself() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let odd = ["1e999", "\"\\ud83d\"", &deep, "-0", "[1,{\"a\":\"}\\\"\"}]", "null", "\"\""];
        for odd in odd {
            let read = members(&format!("{{ \"a\" : \"x\" , \"odd\":{odd},\n\"b\":\"y\" }}"));
            assert_eq!(
                (read.text(&["a"]).as_deref(), read.text(&["b"]).as_deref()),
                (Some("x"), Some("y")),
                "{odd:.40}"
            );
        }
    }

    #[test]
    fn rejects_what_is_no_object() {
        let texts =
            ["", "{", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{7:1}", "{'a':1}"];
        for text in texts.into_iter().chain(["{\"a\":1}{}", "[]", "null", "<a b=\"c\">", "a=b c", "x"]) {
            assert!(Members::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Members::read(b"{}").is_some_and(|read| read.0.is_empty()));
    }

    #[test]
    fn finds_a_member_by_its_name_first_and_by_its_letters_next() {
        let read = members(r#"{"verificationUri":"loose","verification-url":"b","Sub":null,"sub":"c"}"#);
        assert_eq!(read.text(&["verification_uri"]).as_deref(), Some("loose"));
        assert_eq!(read.text(&["verification_url"]).as_deref(), Some("b"));
        assert_eq!(read.text(&["sub"]).as_deref(), Some("c"));
        assert_eq!(members(r#"{"a_b":"exact","aB":"loose"}"#).text(&["a_b"]).as_deref(), Some("exact"));
        assert_eq!(members(r#"{"a":"x","a":"y"}"#).text(&["a"]), None, "ambiguous");
        assert_eq!(members(r#"{"a":"x","a":"x"}"#).text(&["a"]).as_deref(), Some("x"));
    }

    #[test]
    fn reads_points_in_time() {
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
        for (value, moment) in cases {
            assert_eq!(members(&format!("{{\"at\":{value}}}")).moment(&["at"]), moment, "{value}");
        }
    }
}
