//! The text for people in the body of an error response, whatever framework or gateway wrote it.
//!
//! The published body is `{timestamp, message}`. Other bodies come from web frameworks, gateways and identity providers: problem details
//! (RFC 9457), lists of violations, texts in nested objects, XML. A member of an unexpected type is skipped and never hides another one.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::classify::is_html;

/// Members that hold the text for people, in the order of preference, as [`plain`] writes names.
const TEXTS: [&str; 14] = [
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
const ENVELOPES: [&str; 8] =
    ["error", "errors", "fault", "odataerror", "problem", "violations", "exception", "embedded"];
/// Members whose text says less than any of the others: kinds and codes.
const WEAK_TEXTS: [&str; 8] = ["title", "hydratitle", "error", "value", "text", "fault", "exception", "cause"];
/// Members that name the field at fault beside its text.
const FIELDS: [&str; 10] =
    ["field", "fieldname", "property", "propertypath", "loc", "pointer", "parameter", "param", "name", "source"];
/// Members that hold the time.
const TIMES: [&str; 3] = ["timestamp", "time", "datetime"];

/// The levels of a body that are read: no framework nests its text deeper.
const MAX_DEPTH: usize = 6;
/// The faults of a list that are named.
const MAX_FAULTS: usize = 8;

/// An error body's content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The text for people.
    pub(super) message: Option<String>,
    /// The single faults, where the body lists them beside its text.
    pub(super) faults: Option<String>,
    /// The time, as it is written.
    pub(super) timestamp: Option<String>,
}

impl ErrorBody {
    /// Reads a body of this media type. One that is cut off is read as far as it goes.
    pub(super) fn read(media_type: Option<&str>, body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        match body.first() {
            Some(b'{') => Self::of_object(&members(body)),
            Some(b'[' | b'"') => {
                let message = serde_json::from_slice(body).ok().and_then(|value| text(&value, MAX_DEPTH, false));
                Self { message, ..Self::default() }
            }
            Some(b'<') if !media_type.is_some_and(is_html) => Self::of_xml(&String::from_utf8_lossy(body)),
            Some(_) if media_type.is_some_and(is_plain_text) && !body.contains(&0) => {
                Self { message: Some(String::from_utf8_lossy(body).into_owned()), ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    fn of_object(object: &Map<String, Value>) -> Self {
        let timestamp = time(object).or_else(|| object.values().filter_map(Value::as_object).find_map(time));
        let message = own_text(object, MAX_DEPTH);
        let lists = object.iter().filter(|(name, value)| (value.is_array() || value.is_object()) && lists_faults(name));
        let faults = lists.filter_map(|(_, value)| text(value, MAX_DEPTH - 1, true));
        let faults = faults.filter(|faults| message.as_ref() != Some(faults)).collect::<Vec<_>>().join("; ");
        let faults = Some(faults).filter(|faults| !faults.is_empty());
        if message.is_some() {
            return Self { message, faults, timestamp };
        }
        // A form's fields with their faults, or an envelope of another name.
        let message = faults.or_else(|| text_within(object, MAX_DEPTH)).or_else(|| fields(object, false));
        Self { message, faults: None, timestamp }
    }

    fn of_xml(body: &str) -> Self {
        let is_page = |start: &str| body.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        if is_page("<!doctype html") || is_page("<html") {
            return Self::default();
        }
        let elements = elements(body);
        let find = |names: &[&str]| {
            names.iter().find_map(|name| elements.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone()))
        };
        Self { message: find(&TEXTS).or_else(|| find(&WEAK_TEXTS)), faults: None, timestamp: find(&TIMES) }
    }

    /// The text for people with the single faults.
    pub(super) fn line(&self) -> Option<String> {
        match (&self.message, &self.faults) {
            (Some(message), Some(faults)) => Some(format!("{}: {faults}", message.trim_end_matches(['.', ':', ' ']))),
            (message, _) => message.clone(),
        }
    }
}

/// The text that an object itself holds, under one of the names that are in use.
fn own_text(object: &Map<String, Value>, depth: usize) -> Option<String> {
    let get = |wanted: &str| object.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value);
    let of_kind = |is_object: bool| {
        TEXTS.iter().find_map(|name| text(get(name).filter(|value| value.is_object() == is_object)?, depth - 1, true))
    };
    // An object under such a name holds a text, or codes beside one.
    let strong = || of_kind(false);
    let other = || {
        let is_text = |name: &str| ["message", "description", "reason"].iter().any(|end| name.ends_with(end));
        object
            .iter()
            .filter(|(name, value)| value.is_string() && is_text(&plain(name)))
            .find_map(|(_, value)| text(value, 1, false))
    };
    let weak = || WEAK_TEXTS.iter().find_map(|name| get(name)?.as_str().and_then(readable));
    let within = || {
        ENVELOPES.iter().find_map(|name| {
            let envelope = get(name).filter(|value| !value.is_string())?;
            text(envelope, depth - 1, true)
        })
    };
    // `title` goes before a list of faults, which is named beside it, and behind the text of an inner object.
    let title = || {
        get("title").and_then(Value::as_str).and_then(readable).filter(|_| get("error").is_none_or(Value::is_string))
    };
    strong().or_else(other).or_else(|| of_kind(true)).or_else(title).or_else(within).or_else(weak)
}

/// The text in an envelope of a name that is not in use.
fn text_within(object: &Map<String, Value>, depth: usize) -> Option<String> {
    let inner = object.values().filter(|value| value.is_object());
    inner.filter_map(Value::as_object).find_map(|inner| {
        let depth = depth.checked_sub(1).filter(|depth| *depth > 1)?;
        own_text(inner, depth).or_else(|| text_within(inner, depth))
    })
}

/// The text of a value: its own, those of a list one after another, or that of an object with the field it is about.
fn text(value: &Value, depth: usize, is_fault: bool) -> Option<String> {
    if depth == 0 {
        return None;
    }
    match value {
        Value::String(text) => readable(text),
        Value::Array(list) => {
            let mut texts: Vec<String> = list.iter().filter_map(|value| text(value, depth - 1, is_fault)).collect();
            let more = texts.len().saturating_sub(MAX_FAULTS);
            texts.truncate(MAX_FAULTS);
            if more > 0 {
                texts.push(format!("{more} more"));
            }
            Some(texts.join("; ")).filter(|text| !text.is_empty())
        }
        Value::Object(object) if depth > 1 => match (own_text(object, depth), field(object)) {
            (Some(text), Some(field)) if field != text => Some(format!("{field}: {text}")),
            (Some(text), _) => Some(text),
            (None, _) if is_fault => fields(object, true),
            (None, _) => None,
        },
        _ => None,
    }
}

/// The faults of a form: each field with its texts. `also_single`: a text need not be in a list.
fn fields(object: &Map<String, Value>, also_single: bool) -> Option<String> {
    let listed = object.iter().filter(|(_, value)| value.is_array() || (also_single && value.is_string()));
    let faults = listed.filter_map(|(name, value)| Some(format!("{name}: {}", text(value, 3, false)?)));
    let faults: Vec<String> = faults.take(MAX_FAULTS).collect();
    Some(faults.join("; ")).filter(|faults| !faults.is_empty())
}

/// The field that a fault is about.
fn field(fault: &Map<String, Value>) -> Option<String> {
    let named = |wanted: &str| fault.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value);
    FIELDS.iter().find_map(|name| match named(name)? {
        Value::String(field) => readable(field),
        Value::Array(path) => {
            let segments: Vec<String> = path
                .iter()
                .filter(|segment| segment.is_string() || segment.is_number())
                .map(|segment| segment.as_str().map_or_else(|| segment.to_string(), str::to_owned))
                .collect();
            Some(segments.join(".")).filter(|field| !field.is_empty())
        }
        Value::Object(source) => {
            ["pointer", "parameter"].iter().find_map(|name| readable(source.get(*name)?.as_str()?))
        }
        _ => None,
    })
}

fn time(object: &Map<String, Value>) -> Option<String> {
    let get = |wanted: &str| object.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value);
    TIMES.iter().find_map(|name| match get(name)? {
        Value::String(text) => readable(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Returns whether a member lists single faults.
fn lists_faults(name: &str) -> bool {
    let name = plain(name);
    // The text itself is read elsewhere.
    !["error", "errordescription", "errormessage", "errormessages", "detail"].contains(&name.as_str())
        && (["details", "modelstate", "embedded", "invalidparams", "issues"].contains(&name.as_str())
            || name.ends_with("errors")
            || name.ends_with("violations"))
}

/// A member's name in small letters, without what only separates words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn readable(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

fn is_plain_text(media_type: &str) -> bool {
    const PLAIN: &str = "text/plain";
    media_type.trim_start().get(..PLAIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(PLAIN))
}

/// The members of an object that may be cut off, up to the cut.
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
    // What comes before an error stays.
    let _ = Members(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(body));
    found
}

/// The elements of an XML document that hold nothing but text, by their plain names without prefix.
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
        let name = plain(name.rsplit(':').next().unwrap_or_default());
        let content = content.trim_start();
        let text = match content.strip_prefix("<![CDATA[") {
            Some(data) => data.split_once("]]>").map(|(text, _)| text.to_owned()),
            None => content.split_once('<').filter(|(_, end)| end.starts_with('/')).map(|(text, _)| unescaped(text)),
        };
        if let Some(text) = text.and_then(|text| readable(text.trim())) {
            found.push((name, text));
        }
    }
    found
}

/// XML's own five entities in a text; `&` last, so that nothing is read twice.
fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> Option<String> {
        ErrorBody::read(None, body.as_bytes()).line()
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "it is a table")]
    fn the_text_for_people_is_found_in_the_bodies_of_common_frameworks() {
        for (framework, body, wanted) in [
            (
                "the published body",
                r#"{"timestamp":"2023-09-21T12:45:00Z","message":"No such dossier."}"#,
                "No such dossier.",
            ),
            (
                "Spring Boot",
                r#"{"timestamp":1695300300000,"status":400,"error":"Bad Request","message":"Validation failed.","path":"/api/x","errors":[{"codes":["NotBlank"],"defaultMessage":"must not be blank","objectName":"dossier","field":"name","rejectedValue":""}]}"#,
                "Validation failed: name: must not be blank",
            ),
            (
                "Spring Boot without a message",
                r#"{"timestamp":"x","status":404,"error":"Not Found","message":"","path":"/api"}"#,
                "Not Found",
            ),
            (
                "RFC 9457",
                r#"{"type":"about:blank","title":"Busy","status":409,"detail":"Come later.","instance":"/x"}"#,
                "Come later.",
            ),
            (
                "RFC 9457 with parameters",
                r#"{"title":"Your request is not valid.","invalid-params":[{"name":"age","reason":"must be positive"}]}"#,
                "Your request is not valid: age: must be positive",
            ),
            (
                "ASP.NET",
                r#"{"type":"https://x","title":"One or more validation errors occurred.","status":400,"traceId":"00-1","errors":{"Name":["The Name field is required.","Too short."]}}"#,
                "One or more validation errors occurred: Name: The Name field is required.; Too short.",
            ),
            (
                "ASP.NET Web API",
                r#"{"Message":"The request is invalid.","ModelState":{"model.Name":["Required."]}}"#,
                "The request is invalid: model.Name: Required.",
            ),
            (
                "NestJS",
                r#"{"statusCode":400,"message":["name should not be empty","name must be a string"],"error":"Bad Request"}"#,
                "name should not be empty; name must be a string",
            ),
            (
                "FastAPI",
                r#"{"detail":[{"loc":["body","items",0,"name"],"msg":"field required","type":"missing"}]}"#,
                "body.items.0.name: field required",
            ),
            ("FastAPI with a text", r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                "JSON:API",
                r#"{"errors":[{"status":"422","source":{"pointer":"/data/name"},"title":"Invalid Attribute","detail":"Must contain three characters."}]}"#,
                "/data/name: Must contain three characters.",
            ),
            (
                "Google",
                r#"{"error":{"code":404,"message":"Not there.","status":"NOT_FOUND","details":[]}}"#,
                "Not there.",
            ),
            ("OAuth", r#"{"error":"invalid_token","error_description":"The token expired."}"#, "The token expired."),
            ("OAuth without a description", r#"{"error":"invalid_token"}"#, "invalid_token"),
            (
                "Quarkus",
                r#"{"details":"Error id 2f3c, java.lang.RuntimeException: boom","stack":"java…"}"#,
                "Error id 2f3c, java.lang.RuntimeException: boom",
            ),
            (
                "Quarkus violations",
                r#"{"title":"Constraint Violation","status":400,"violations":[{"field":"create.name","message":"must not be blank"}]}"#,
                "Constraint Violation: create.name: must not be blank",
            ),
            (
                "Django REST",
                r#"{"email":["Enter a valid address."],"name":["This field is required."]}"#,
                "email: Enter a valid address.; name: This field is required.",
            ),
            (
                "Laravel",
                r#"{"message":"The given data was invalid.","errors":{"email":["The email field is required."]}}"#,
                "The given data was invalid: email: The email field is required.",
            ),
            (
                "AWS",
                r#"{"__type":"AccessDeniedException","Message":"User is not authorized"}"#,
                "User is not authorized",
            ),
            (
                "Apigee",
                r#"{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}"#,
                "Invalid ApiKey",
            ),
            (
                "OData",
                r#"{"odata.error":{"code":"","message":{"lang":"en-US","value":"Resource not found."}}}"#,
                "Resource not found.",
            ),
            ("Salesforce", r#"[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]"#, "Session expired"),
            (
                "Elasticsearch",
                r#"{"error":{"root_cause":[],"type":"index_not_found","reason":"no such index"},"status":404}"#,
                "no such index",
            ),
            (
                "GraphQL",
                r#"{"errors":[{"message":"Not allowed","locations":[{"line":1}],"path":["x"]}]}"#,
                "Not allowed",
            ),
            ("Atlassian", r#"{"errorMessages":["Issue does not exist"],"errors":{}}"#, "Issue does not exist"),
            (
                "Micronaut",
                r#"{"message":"Bad Request","_embedded":{"errors":[{"message":"name: must not be blank"}]},"_links":{}}"#,
                "Bad Request: name: must not be blank",
            ),
            (
                "Symfony",
                r#"{"@type":"hydra:Error","hydra:title":"An error occurred","hydra:description":"Not Found"}"#,
                "Not Found",
            ),
            ("Rails", r#"{"errors":{"name":["can't be blank"]}}"#, "name: can't be blank"),
            ("Dropwizard", r#"{"errors":["name may not be null"]}"#, "name may not be null"),
            (
                "an envelope",
                r#"{"success":false,"response":{"status":{"code":7,"message":"Quota used up"}}}"#,
                "Quota used up",
            ),
            ("a text", r#""No such dossier.""#, "No such dossier."),
            (
                "XML",
                "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>Tom &amp; Jerry</Message></Error>",
                "Tom & Jerry",
            ),
            (
                "SOAP",
                "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang=\"en\"><![CDATA[Bad <input>]]></faultstring></s:Fault></s:Body></s:Envelope>",
                "Bad <input>",
            ),
        ] {
            assert_eq!(line(body).as_deref(), Some(wanted), "{framework}");
        }
        let plain = ErrorBody::read(Some("text/plain; charset=utf-8"), b"404 page not found\n");
        assert_eq!(plain.message.as_deref(), Some("404 page not found"));
    }

    #[test]
    fn a_member_of_an_unexpected_type_hides_no_other() {
        for odd in ["7", "true", "null", "[]", "{}", r#"" ""#, "[null,7]", r#"{"a":{"b":[]}}"#] {
            for (body, wanted) in [
                (format!(r#"{{"message":{odd},"detail":"Said here."}}"#), "Said here."),
                (format!(r#"{{"error":{odd},"message":"Said here."}}"#), "Said here."),
                (format!(r#"{{"timestamp":{odd},"title":"Said here.","detail":{odd}}}"#), "Said here."),
                (format!(r#"{{"error":{{"message":{odd},"reason":"Said here."}}}}"#), "Said here."),
                (format!(r#"{{"errors":[{odd},{{"msg":"Said here."}}]}}"#), "Said here."),
                (format!(r#"{{"status":{odd},"path":{odd},"error":"Said here."}}"#), "Said here."),
            ] {
                assert_eq!(line(&body).as_deref(), Some(wanted), "{body}");
            }
        }
    }

    #[test]
    fn the_time_is_a_text_or_a_number() {
        let time = |body: &str| ErrorBody::read(None, body.as_bytes()).timestamp;
        assert_eq!(time(r#"{"timestamp":"2023-09-21T12:45:00Z"}"#).as_deref(), Some("2023-09-21T12:45:00Z"));
        assert_eq!(time(r#"{"timestamp":1695300300000,"message":"x"}"#).as_deref(), Some("1695300300000"));
        assert_eq!(time(r#"{"error":{"timestamp":1695300300.5}}"#).as_deref(), Some("1695300300.5"));
        assert_eq!(time(r#"{"timestamp":[2023,9,21],"message":"x"}"#), None);
        assert_eq!(time("<Map><timestamp>2023</timestamp><message>x</message></Map>").as_deref(), Some("2023"));
    }

    #[test]
    fn bodies_without_a_text_say_nothing_and_long_or_deep_ones_are_bounded() {
        for body in [
            "",
            "{}",
            "[]",
            "7",
            "null",
            "nonsense",
            r#"{"code":7,"ok":false}"#,
            "<html><body>502</body></html>",
            "<!DOCTYPE html><p>x",
            "<a",
        ] {
            assert_eq!(line(body), None, "{body}");
        }
        let deep = format!("{}{}{}", r#"{"error":"#.repeat(100), r#"{"message":"deep"}"#, "}".repeat(100));
        assert_eq!(line(&deep), None);
        let many: Vec<String> = (0..1000).map(|number| format!(r#"{{"message":"fault {number}"}}"#)).collect();
        let line_of_many = line(&format!(r#"{{"errors":[{}]}}"#, many.join(","))).unwrap_or_default();
        assert!(line_of_many.ends_with("fault 7; 992 more"), "{line_of_many}");
        assert_eq!(line(r#"{"message":"Before the cut.","trace":"at x"#).as_deref(), Some("Before the cut."));
    }
}
