//! The check of requests: path, query, headers, body.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::checker::Checker;
use super::compile::{MediaSpec, OperationSpec, ParameterLocation, ParameterSpec, RequestBodySpec};
use super::document::essence;
use super::media::{check_json, declared_media};
use super::violation::{Findings, Side, Violation};

/// The header with the workspace.
const TENANT: &str = "x-tenant-id";

impl Checker {
    /// Returns the violations of a request.
    ///
    /// `operation` is the id of the routed operation, empty without one. `body` is `None` if it was not kept, and is then not checked.
    pub fn check_request(
        &self,
        operation: &str,
        method: &Method,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Vec<Violation> {
        let mut findings = Findings::new(operation, Side::Request);
        let Some(declared) = self.operations.get(operation) else {
            findings.add("", format!("{method} {path} is no operation of the document"));
            return findings.found;
        };
        if declared.method != *method {
            findings.add("", format!("{method} instead of {}", declared.method));
        }
        check_path(declared, path, &mut findings);
        check_query(declared, query.unwrap_or_default(), &mut findings);
        check_headers(declared, headers, &mut findings);
        check_body(declared.body.as_ref(), headers, body, &mut findings);
        findings.found
    }
}

fn check_path(declared: &OperationSpec, path: &str, findings: &mut Findings<'_>) {
    let expected: Vec<&str> = declared.path.split('/').collect();
    let given: Vec<&str> = path.split('/').collect();
    let name_of = |segment: &str| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).map(str::to_owned);
    let same = |(expected, given): (&&str, &&str)| name_of(expected).is_some() || expected == given;
    if expected.len() != given.len() || !expected.iter().zip(&given).all(same) {
        findings.add("", format!("the path {path} is not of the form {}", declared.path));
        return;
    }
    for (expected, given) in expected.iter().zip(&given) {
        let Some(name) = name_of(expected) else { continue };
        let at = format!("path/{name}");
        match percent_decode_str(given).decode_utf8() {
            Ok(text) if text.is_empty() => findings.add(at, "empty"),
            Ok(text) => {
                let known = declared
                    .parameters
                    .iter()
                    .find(|known| known.location == ParameterLocation::Path && known.name == name);
                if let Some(known) = known {
                    check_value(known, &[text.as_ref()], &at, findings);
                }
            }
            Err(_) => findings.add(at, "no UTF-8"),
        }
    }
}

fn check_query(declared: &OperationSpec, query: &str, findings: &mut Findings<'_>) {
    let given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let known = || declared.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Query);
    for (at, (name, _)) in given.iter().enumerate() {
        let first = !given[..at].iter().any(|(earlier, _)| earlier == name);
        if first && !known().any(|parameter| parameter.name == *name) {
            findings.add(format!("query/{name}"), "not a parameter of this operation");
        }
    }
    for parameter in known() {
        let texts: Vec<&str> =
            given.iter().filter(|(name, _)| *name == parameter.name).map(|(_, value)| value.as_str()).collect();
        let at = format!("query/{}", parameter.name);
        match texts.len() {
            0 if parameter.required => findings.add(at, "missing"),
            0 => {}
            1 => check_value(parameter, &texts, &at, findings),
            _ if parameter.items.is_some() => check_value(parameter, &texts, &at, findings),
            _ => findings.add(at, "there more than once"),
        }
    }
}

fn check_headers(declared: &OperationSpec, headers: &HeaderMap, findings: &mut Findings<'_>) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if declared.secured {
        let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
        if !bearer.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()) {
            findings.add("header/authorization", "no bearer token");
        }
        if text(TENANT).is_none_or(str::is_empty) {
            findings.add(format!("header/{TENANT}"), "missing");
        }
    }
    for parameter in declared.parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Header) {
        // OpenAPI says to ignore these three headers here, because they are described elsewhere.
        if ["accept", "content-type", "authorization"].contains(&parameter.name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let at = format!("header/{}", parameter.name);
        match text(&parameter.name) {
            Some(value) => check_value(parameter, &[value], &at, findings),
            None if parameter.required => findings.add(at, "missing"),
            None => {}
        }
    }
}

/// Parses a parameter according to its type and validates it against its schema.
fn check_value(parameter: &ParameterSpec, texts: &[&str], at: &str, findings: &mut Findings<'_>) {
    let read = |kind: &str, text: &str| -> Value {
        match kind {
            "integer" => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            "number" => text.parse::<f64>().map_or_else(|_| text.into(), Value::from),
            "boolean" => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
            _ => text.into(),
        }
    };
    let value = match (&parameter.items, texts) {
        (Some(kind), texts) => json!(texts.iter().map(|text| read(kind, text)).collect::<Vec<_>>()),
        (None, [text, ..]) => read(&parameter.kind, text),
        (None, []) => return,
    };
    if let Some(schema) = &parameter.schema {
        schema.check(&value, at, findings);
    }
}

fn check_body(
    declared: Option<&RequestBodySpec>,
    headers: &HeaderMap,
    body: Option<&Bytes>,
    findings: &mut Findings<'_>,
) {
    let Some(declared) = declared else {
        if body.is_some_and(|body| !body.is_empty()) {
            findings.add("", "a body, where the operation takes none");
        }
        return;
    };
    if body.is_some_and(Bytes::is_empty) {
        if declared.required {
            findings.add("", "the body is missing");
        }
        return;
    }
    let Some((media, given)) = declared_media(&declared.content, headers, findings) else { return };
    let Some(body) = body else { return };
    if essence(given) == "multipart/form-data" {
        check_parts(media, given, body, findings);
    } else {
        check_json(media, given, body, findings);
    }
}

fn check_parts(media: &MediaSpec, content_type: &str, body: &Bytes, findings: &mut Findings<'_>) {
    let names = match part_names(content_type, body) {
        Ok(names) => names,
        Err(error) => return findings.add("", format!("no multipart form: {error}")),
    };
    for (name, required) in &media.parts {
        if *required && !names.contains(name) {
            findings.add(format!("/{name}"), "the part is missing");
        }
    }
    for name in names.iter().filter(|name| !media.parts.iter().any(|(known, _)| known == *name)) {
        findings.add(format!("/{name}"), "not a part of this form");
    }
}

/// Returns the names of the parts. The body is complete, so the future never pends.
fn part_names(content_type: &str, body: &Bytes) -> Result<Vec<String>, String> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| error.to_string())?;
    let whole = stream::iter([Ok::<_, std::convert::Infallible>(body.clone())]);
    let mut form = multer::Multipart::new(whole, boundary);
    let reading = async move {
        let mut names = Vec::new();
        while let Some(part) = form.next_field().await? {
            names.push(part.name().unwrap_or_default().to_owned());
        }
        Ok::<_, multer::Error>(names)
    };
    reading.now_or_never().ok_or("it does not end")?.map_err(|error| error.to_string())
}
