//! Extracts the message from an error body of any framework or gateway.
//!
//! The published body is `{timestamp, message}`. Other bodies come from web frameworks, gateways and identity providers: problem details
//! (RFC 9457), lists of violations, texts in nested objects, XML. A member of an unexpected type is skipped and never hides another member.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::http_util::is_html;

/// Members that hold the message, in order of preference, as [`normalized`] writes names.
const MESSAGE_MEMBERS: [&str; 14] = [
    "message",
    "messages",
    "detail",
    "errordescription",
    "description",
    "errormessage",
    "errormessages",
    "msg",
    "faultstring",
    "reason",
    "defaultmessage",
    "details",
    "errorsummary",
    "summary",
];
/// Objects and lists around such members.
const ENVELOPE_MEMBERS: [&str; 8] =
    ["error", "errors", "fault", "odataerror", "problem", "violations", "exception", "embedded"];
/// Members with a kind or code, used when there is no message.
const FALLBACK_MEMBERS: [&str; 8] = ["title", "hydratitle", "error", "value", "text", "fault", "exception", "cause"];
/// Members that name the invalid field beside its message.
const FIELD_MEMBERS: [&str; 10] =
    ["field", "fieldname", "property", "propertypath", "loc", "pointer", "parameter", "param", "name", "source"];
/// Members that hold the timestamp.
const TIMESTAMP_MEMBERS: [&str; 3] = ["timestamp", "time", "datetime"];

/// The limit on nesting. No framework nests its message deeper.
const MAX_DEPTH: usize = 6;
/// The limit on listed violations.
const MAX_VIOLATIONS: usize = 8;

/// The content of an error body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The message for people.
    pub(super) message: Option<String>,
    /// The violations, where the body lists them beside the message.
    pub(super) violations: Option<String>,
    /// The timestamp as written.
    pub(super) timestamp: Option<String>,
}

impl ErrorBody {
    /// Parses a body of this media type. A truncated body is parsed up to the cut.
    pub(super) fn parse(media_type: Option<&str>, body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        match body.first() {
            Some(b'{') => Self::from_object(&members(body)),
            Some(b'[' | b'"') => {
                let message = serde_json::from_slice(body).ok().and_then(|value| text(&value, MAX_DEPTH, false));
                Self { message, ..Self::default() }
            }
            Some(b'<') if !media_type.is_some_and(is_html) => Self::from_xml(&String::from_utf8_lossy(body)),
            Some(_) if media_type.is_some_and(is_plain_text) && !body.contains(&0) => {
                Self { message: Some(String::from_utf8_lossy(body).into_owned()), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let timestamp =
            timestamp(object).or_else(|| object.values().filter_map(Value::as_object).find_map(self::timestamp));
        let message = own_message(object, MAX_DEPTH);
        let lists =
            object.iter().filter(|(name, value)| (value.is_array() || value.is_object()) && lists_violations(name));
        let violations = lists.filter_map(|(_, value)| text(value, MAX_DEPTH - 1, true));
        let violations =
            violations.filter(|violations| message.as_ref() != Some(violations)).collect::<Vec<_>>().join("; ");
        let violations = Some(violations).filter(|violations| !violations.is_empty());
        if message.is_some() {
            return Self { message, violations, timestamp };
        }
        // The fields of a form with their violations, or an unknown envelope.
        let message = violations.or_else(|| nested_message(object, MAX_DEPTH)).or_else(|| fields(object, false));
        Self { message, violations: None, timestamp }
    }

    fn from_xml(body: &str) -> Self {
        let is_page = |start: &str| body.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        if is_page("<!doctype html") || is_page("<html") {
            return Self::default();
        }
        let elements = elements(body);
        let find = |names: &[&str]| {
            names.iter().find_map(|name| elements.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone()))
        };
        Self {
            message: find(&MESSAGE_MEMBERS).or_else(|| find(&FALLBACK_MEMBERS)),
            violations: None,
            timestamp: find(&TIMESTAMP_MEMBERS),
        }
    }

    /// Returns the message followed by the violations.
    pub(super) fn line(&self) -> Option<String> {
        match (&self.message, &self.violations) {
            (Some(message), Some(violations)) => {
                Some(format!("{}: {violations}", message.trim_end_matches(['.', ':', ' '])))
            }
            (message, _) => message.clone(),
        }
    }
}

/// Returns the message of an object under one of the known names.
fn own_message(object: &Map<String, Value>, depth: usize) -> Option<String> {
    let of_kind = |is_object: bool| {
        MESSAGE_MEMBERS.iter().find_map(|name| {
            text(member(object, name).filter(|value| value.is_object() == is_object)?, depth - 1, true)
        })
    };
    // Texts and lists first: an object under such a name may hold only codes.
    let direct = || of_kind(false);
    let similar_name = || {
        let is_text = |name: &str| ["message", "description", "reason"].iter().any(|end| name.ends_with(end));
        object
            .iter()
            .filter(|(name, value)| value.is_string() && is_text(&normalized(name)))
            .find_map(|(_, value)| text(value, 1, false))
    };
    let fallback = || FALLBACK_MEMBERS.iter().find_map(|name| member(object, name)?.as_str().and_then(non_blank));
    let in_envelope = || {
        ENVELOPE_MEMBERS.iter().find_map(|name| {
            let envelope = member(object, name).filter(|value| !value.is_string())?;
            text(envelope, depth - 1, true)
        })
    };
    // `title` takes precedence over a list of violations, which is shown beside it, but not over the message of an inner object.
    let title = || {
        member(object, "title")
            .and_then(Value::as_str)
            .and_then(non_blank)
            .filter(|_| member(object, "error").is_none_or(Value::is_string))
    };
    direct().or_else(similar_name).or_else(|| of_kind(true)).or_else(title).or_else(in_envelope).or_else(fallback)
}

/// Returns the message in an envelope of an unknown name.
fn nested_message(object: &Map<String, Value>, depth: usize) -> Option<String> {
    let inner = object.values().filter(|value| value.is_object());
    inner.filter_map(Value::as_object).find_map(|inner| {
        let depth = depth.checked_sub(1).filter(|depth| *depth > 1)?;
        own_message(inner, depth).or_else(|| nested_message(inner, depth))
    })
}

/// Returns the text of a value: a string, the joined texts of a list, or the message of an object with its field.
fn text(value: &Value, depth: usize, is_violation: bool) -> Option<String> {
    if depth == 0 {
        return None;
    }
    match value {
        Value::String(text) => non_blank(text),
        Value::Array(list) => {
            let mut texts: Vec<String> = list.iter().filter_map(|value| text(value, depth - 1, is_violation)).collect();
            let more = texts.len().saturating_sub(MAX_VIOLATIONS);
            texts.truncate(MAX_VIOLATIONS);
            if more > 0 {
                texts.push(format!("{more} more"));
            }
            Some(texts.join("; ")).filter(|text| !text.is_empty())
        }
        Value::Object(object) if depth > 1 => match (own_message(object, depth), field(object)) {
            (Some(text), Some(field)) if field != text => Some(format!("{field}: {text}")),
            (Some(text), _) => Some(text),
            (None, _) if is_violation => fields(object, true),
            (None, _) => None,
        },
        _ => None,
    }
}

/// Returns the violations of a form, field by field. `allow_strings` accepts a text outside a list.
fn fields(object: &Map<String, Value>, allow_strings: bool) -> Option<String> {
    let listed = object.iter().filter(|(_, value)| value.is_array() || (allow_strings && value.is_string()));
    let violations = listed.filter_map(|(name, value)| Some(format!("{name}: {}", text(value, 3, false)?)));
    let violations: Vec<String> = violations.take(MAX_VIOLATIONS).collect();
    Some(violations.join("; ")).filter(|violations| !violations.is_empty())
}

/// Returns the field of a violation.
fn field(violation: &Map<String, Value>) -> Option<String> {
    FIELD_MEMBERS.iter().find_map(|name| match member(violation, name)? {
        Value::String(field) => non_blank(field),
        Value::Array(path) => {
            let segments: Vec<String> = path
                .iter()
                .filter(|segment| segment.is_string() || segment.is_number())
                .map(|segment| segment.as_str().map_or_else(|| segment.to_string(), str::to_owned))
                .collect();
            Some(segments.join(".")).filter(|field| !field.is_empty())
        }
        Value::Object(source) => {
            ["pointer", "parameter"].iter().find_map(|name| non_blank(source.get(*name)?.as_str()?))
        }
        _ => None,
    })
}

/// Returns the timestamp of an object.
fn timestamp(object: &Map<String, Value>) -> Option<String> {
    TIMESTAMP_MEMBERS.iter().find_map(|name| match member(object, name)? {
        Value::String(text) => non_blank(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Returns whether a member lists violations.
fn lists_violations(name: &str) -> bool {
    let name = normalized(name);
    // These members hold the message itself.
    !["error", "errordescription", "errormessage", "errormessages", "detail"].contains(&name.as_str())
        && (["details", "modelstate", "embedded", "invalidparams", "issues"].contains(&name.as_str())
            || name.ends_with("errors")
            || name.ends_with("violations"))
}

/// Returns the member with this normalized name.
fn member<'a>(object: &'a Map<String, Value>, normalized_name: &str) -> Option<&'a Value> {
    object.iter().find(|(name, _)| normalized(name) == normalized_name).map(|(_, value)| value)
}

/// Returns a member's name in lower case, without word separators.
fn normalized(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn non_blank(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

fn is_plain_text(media_type: &str) -> bool {
    const PLAIN: &str = "text/plain";
    media_type.trim_start().get(..PLAIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(PLAIN))
}

/// Parses the members of an object, up to the cut if it is truncated.
fn members(body: &[u8]) -> Map<String, Value> {
    struct Members<'a>(&'a mut Map<String, Value>);

    impl<'de> DeserializeSeed<'de> for Members<'_> {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de> Visitor<'de> for Members<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
            while let Some((name, value)) = access.next_entry()? {
                self.0.insert(name, value);
            }
            Ok(())
        }
    }

    let mut found = Map::new();
    // The members before the error are kept.
    let _ = Members(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(body));
    found
}

/// Returns the elements of an XML document that hold only text, by normalized names without prefix.
fn elements(body: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some((_, tail)) = rest.split_once('<') {
        rest = tail;
        let Some((tag, content)) = tail.split_once('>') else { break };
        if tag.starts_with(['/', '?', '!']) || tag.ends_with('/') {
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        let name = normalized(name.rsplit(':').next().unwrap_or_default());
        let content = content.trim_start();
        let text = match content.strip_prefix("<![CDATA[") {
            Some(data) => data.split_once("]]>").map(|(text, _)| text.to_owned()),
            None => content.split_once('<').filter(|(_, end)| end.starts_with('/')).map(|(text, _)| unescape(text)),
        };
        if let Some(text) = text.and_then(|text| non_blank(text.trim())) {
            found.push((name, text));
        }
    }
    found
}

/// Decodes the five predefined XML entities; `&` last, so that nothing is decoded twice.
fn unescape(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests;
