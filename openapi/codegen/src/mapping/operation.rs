//! The check of an operation against the contract: query parameters, request body and response.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{required, same_name};
use super::fit::{Direction, is_undescribed, reference_of};
use super::{Mapper, OperationLocation, OperationMapping};
use crate::contract::{OperationSpec, ResponseKind};
use crate::media_types::{Family, family};
use crate::tree::{self, Object, escape};

impl Mapper<'_> {
    /// Maps the parts of an operation at a location.
    pub(super) fn operation(&mut self, spec: &OperationSpec, place: &OperationLocation) -> OperationMapping {
        let mut mapped = OperationMapping { location: Some(place.clone()), ..OperationMapping::default() };
        let pointer = format!("/paths/{}/{}", escape(&place.path), place.method);
        let Some(operation) = self.document.pointer(&pointer).and_then(Value::as_object).cloned() else {
            return mapped;
        };
        self.parts(spec, &operation, &pointer, &mut mapped);
        self.query(spec, &operation, &pointer, &mut mapped);
        self.body(spec, &operation, &pointer, &mut mapped);
        self.answers(spec, &operation, &pointer, &mut mapped);
        mapped
    }

    /// Maps query parameters of the contract that are form parts in the document.
    fn parts(&mut self, spec: &OperationSpec, operation: &Object, pointer: &str, mapped: &mut OperationMapping) {
        let Some((schema, at)) = form(operation, pointer).filter(|_| spec.part.is_some()) else {
            return;
        };
        let (at, schema) = self.resolved(&schema, &at);
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        let required = schema.as_object().map(required).unwrap_or_default();
        for (name, wanted) in &spec.query {
            let in_query = list(operation, "parameters").any(|parameter| {
                tree::text(parameter, "in") == Some("query") && matches_parameter(parameter, name, &wanted.also)
            });
            let names = tree::sorted_keys(properties);
            let found = names.iter().find(|given| *given == name);
            let found = found.or_else(|| names.iter().find(|given| matches_name(given, name, &wanted.also)));
            let Some(given) = found.filter(|_| !in_query) else {
                continue;
            };
            if let (Some(kind), Some(schema)) = (self.contract.kind(&wanted.is), properties.get(given)) {
                let place = format!("{at}/properties/{}", escape(given));
                // Form parts are text, so a string part can hold a boolean as well.
                let is_text = self.resolved(schema, &place).1.get("type") == Some(&Value::from("string"));
                if let Err(reason) = self.fit(&kind, schema, &place, Direction::Request)
                    && !is_text
                {
                    self.refuse(place, format!("the part `{given}` {reason}"));
                }
            }
            self.note(format!("the parameter `{name}` is the part `{given}` of the form"));
            mapped.parts.insert(name.clone(), (given.clone(), required.contains(given)));
        }
    }

    fn query(&mut self, spec: &OperationSpec, operation: &Object, pointer: &str, mapped: &mut OperationMapping) {
        let parameters: Vec<(String, &Object)> = operation
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, parameter)| Some((format!("{pointer}/parameters/{index}"), parameter.as_object()?)))
            .collect();
        let named = |place: &str| {
            parameters
                .iter()
                .filter(move |(_, parameter)| tree::text(parameter, "in") == Some(place))
                .map(|(at, parameter)| (at, *parameter, tree::text(parameter, "name").unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let (query, headers) = (named("query"), named("header"));
        for (name, wanted) in &spec.query {
            let exact = query.iter().find(|(_, _, given)| given == name);
            let found = exact.or_else(|| query.iter().find(|(_, _, given)| matches_name(given, name, &wanted.also)));
            if found.is_none() && mapped.parts.contains_key(name) {
                mapped.query.insert(name.clone(), None);
                continue;
            }
            let header = || headers.iter().find(|(_, parameter, _)| matches_parameter(parameter, name, &wanted.also));
            let found = found.or_else(|| {
                let found = header()?;
                self.note(format!("the parameter `{name}` is the header `{}`", found.2));
                mapped.headers.insert(name.clone());
                Some(found)
            });
            let Some((at, parameter, given)) = found else {
                let meaning = wanted.default.as_ref().map_or_else(String::new, |value| format!(" other than {value}"));
                self.note(format!("the query parameter `{name}` is not in the document: a value{meaning} is not sent"));
                mapped.query.insert(name.clone(), None);
                continue;
            };
            mapped.query.insert(name.clone(), Some((*given).to_owned()));
            let kind = self.contract.kind(&wanted.is);
            if let (Some(kind), Some(schema)) = (kind, parameter.get("schema"))
                && let Err(reason) = self.fit(&kind, schema, &format!("{at}/schema"), Direction::Request)
            {
                self.refuse(format!("{at}/schema"), format!("the parameter `{given}` {reason}"));
            }
        }
        let known = |given: &str| mapped.query.values().any(|wire| wire.as_deref() == Some(given));
        for place in ["query", "header"] {
            for (at, parameter, given) in named(place) {
                if tree::is_true(parameter, "required") && !known(given) {
                    self.refuse(
                        at,
                        format!("requires the {place} parameter `{given}`, which the facade does not send"),
                    );
                }
            }
        }
        mapped.paging = paging(spec, operation, &query.iter().map(|(_, _, given)| *given).collect::<Vec<_>>());
        let declared = operation.get("x-paging");
        let form = declared.and_then(|paging| paging.get("form").unwrap_or(paging).as_str());
        if let Some(form) = form
            && spec.items.is_some()
            && !spec.paging.iter().any(|known| known == form)
        {
            self.refuse(
                format!("{pointer}/x-paging"),
                format!(
                    "the list comes in a way that the facade does not follow: {form} (known: {})",
                    spec.paging.join(", ")
                ),
            );
        }
    }

    fn body(&mut self, spec: &OperationSpec, operation: &Object, pointer: &str, mapped: &mut OperationMapping) {
        let body = tree::object(operation, "requestBody");
        let content = body.and_then(|body| tree::object(body, "content"));
        let at = format!("{pointer}/requestBody");
        let schema_of = |media_type: &str| {
            let schema = content?.get(media_type)?.get("schema")?.clone();
            Some((schema, format!("{at}/content/{}/schema", escape(media_type))))
        };
        if let Some(wanted) = &spec.takes {
            match schema_of("application/json") {
                Some((schema, pointer)) => {
                    mapped.takes = self.schema(wanted, &schema, &pointer, Direction::Request);
                }
                None if body.is_none() => self.refuse(pointer, "has no request body, but the facade sends one"),
                None => self.refuse(at, "has no JSON request body, but the facade sends one"),
            }
        } else if let Some(part) = &spec.part {
            match form(operation, pointer) {
                Some((schema, pointer)) => mapped.part = self.part(part, &schema, &pointer, &mapped.parts),
                None => self.refuse(at, format!("has no form, but the facade sends one with the part `{part}`")),
            }
        } else if body.is_some_and(|body| tree::is_true(body, "required")) {
            self.refuse(at, "requires a request body, but the facade sends none");
        }
    }

    /// Returns the form part that holds the file: the one with the contract's name, or the only binary one.
    fn part(
        &mut self,
        wanted: &str,
        schema: &Value,
        pointer: &str,
        parts: &BTreeMap<String, (String, bool)>,
    ) -> Option<String> {
        let is_form = pointer.contains("/content/multipart~1");
        let (at, schema) = self.resolved(schema, pointer);
        if reference_of(&schema).is_some() {
            // The dangling reference is reported at its own position.
            return None;
        }
        let is_bare = schema.get("properties").and_then(Value::as_object).is_none_or(Object::is_empty);
        let is_file = self.is_binary(&schema);
        if is_form && is_bare && (is_file || schema.as_object().is_some_and(is_undescribed)) {
            self.note(format!("the document does not describe the form: assuming the part `{wanted}`"));
            return Some(wanted.to_owned());
        }
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let binary: Vec<String> = tree::sorted_keys(&properties)
            .into_iter()
            .filter(|name| properties.get(name).is_some_and(|property| self.is_binary(property)))
            .collect();
        let found = if binary.iter().any(|name| name == wanted) { Some(wanted.to_owned()) } else { None };
        let found = found.or_else(|| match binary.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        });
        // The part may have the type of a class without getters, such as `FilePart` of WebFlux.
        let is_open = || {
            let property = properties.get(wanted).map(|property| self.resolved(property, &at).1);
            property.is_some_and(|property| property.as_object().is_some_and(is_undescribed))
        };
        let found = found.or_else(|| (binary.is_empty() && is_open()).then(|| wanted.to_owned()));
        let Some(found) = found else {
            let what =
                if binary.is_empty() { "has no part that holds a file" } else { "has several parts that hold files" };
            self.refuse(at, format!("the form {what}; the facade sends one, `{wanted}`"));
            return None;
        };
        let is_sent = |name: &str| name == found || parts.values().any(|(part, _)| part == name);
        for name in required.iter().filter(|name| !is_sent(name)) {
            let place = format!("{at}/properties/{}", escape(name));
            self.refuse(place, format!("the form requires the part `{name}`, which the facade does not send"));
        }
        Some(found)
    }

    fn is_binary(&self, schema: &Value) -> bool {
        let (_, schema) = self.resolved(schema, "");
        let items = schema.get("items").map(|items| self.resolved(items, "").1);
        [Some(&schema), items.as_ref()]
            .into_iter()
            .flatten()
            .any(|schema| matches!(schema.get("format").and_then(Value::as_str), Some("binary" | "byte" | "base64")))
    }

    fn answers(&mut self, spec: &OperationSpec, operation: &Object, pointer: &str, mapped: &mut OperationMapping) {
        let responses = tree::object(operation, "responses").cloned().unwrap_or_default();
        let at = format!("{pointer}/responses");
        let success: Vec<String> = tree::sorted_keys(&responses)
            .into_iter()
            .filter(|status| status.starts_with('2') || status == "default")
            .collect();
        mapped.success = success.iter().filter(|status| status.starts_with('2')).cloned().collect();
        let contents: Vec<(String, Object)> = success
            .iter()
            .filter_map(|status| {
                let content = responses.get(status)?.get("content")?.as_object()?;
                (!content.is_empty()).then(|| (format!("{at}/{}/content", escape(status)), content.clone()))
            })
            .collect();
        mapped.with_content = !contents.is_empty();
        match spec.answers() {
            ResponseKind::Empty => {}
            ResponseKind::Bytes => {
                let bytes = contents
                    .iter()
                    .any(|(_, content)| content.iter().any(|(name, media)| self.holds_bytes(name, media)));
                if contents.is_empty() {
                    self.note("the document does not describe the success response: assuming bytes");
                } else if !bytes {
                    self.note("the document describes the package as JSON: assuming bytes");
                }
            }
            ResponseKind::Json(wanted) => {
                let mut schemas: Vec<(String, Value)> = Vec::new();
                for (place, content) in &contents {
                    if let Some(schema) = content.get("application/json").and_then(|media| media.get("schema")) {
                        schemas.push((format!("{place}/application~1json/schema"), schema.clone()));
                    }
                }
                if contents.is_empty() {
                    self.note("the document does not describe the success response: assuming the contract's schema");
                } else if schemas.is_empty() {
                    self.refuse(at, "no success response has a JSON schema, but the facade reads one");
                }
                for (place, schema) in schemas {
                    let found = self.schema(wanted, &schema, &place, Direction::Response);
                    mapped.answers = mapped.answers.take().or(found);
                }
            }
        }
    }

    fn holds_bytes(&self, media_type: &str, media: &Value) -> bool {
        if family(media_type) != Family::Json {
            return true;
        }
        // Some documents declare a stream as JSON with a string schema or without one.
        media.get("schema").is_none_or(|schema| {
            let (_, schema) = self.resolved(schema, "");
            schema.get("properties").is_none() && schema.get("type") != Some(&Value::from("array"))
        })
    }
}

/// Returns the schema of an operation's form, with its pointer.
fn form(operation: &Object, pointer: &str) -> Option<(Value, String)> {
    let content = tree::object(tree::object(operation, "requestBody")?, "content")?;
    let names = tree::sorted_keys(content);
    // Some documents declare a form as JSON.
    let name = names.iter().find(|name| family(name) == Family::Multipart).or_else(|| names.first())?;
    let schema = content.get(name)?.get("schema")?.clone();
    Some((schema, format!("{pointer}/requestBody/content/{}/schema", escape(name))))
}

fn list<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Returns `true` if a name of the document corresponds to a parameter of the contract.
fn matches_name(given: &str, name: &str, also: &[String]) -> bool {
    same_name(given, name) || also.iter().any(|also| same_name(given, also))
}

/// Returns `true` if a parameter of the document corresponds to one of the contract; headers may have the prefix `X-`.
fn matches_parameter(parameter: &Object, name: &str, also: &[String]) -> bool {
    let given = tree::text(parameter, "name").unwrap_or_default();
    let bare = given.strip_prefix(['x', 'X']).and_then(|rest| rest.strip_prefix('-')).unwrap_or(given);
    matches_name(given, name, also) || matches_name(bare, name, also)
}

/// Returns the kind of paging: the declared one, or by page if the operation has the parameters `page` and `size`.
fn paging(spec: &OperationSpec, operation: &Object, query: &[&str]) -> Option<&'static str> {
    spec.items.as_ref()?;
    let declared = operation.get("x-paging");
    let form = declared.and_then(|paging| paging.get("form").unwrap_or(paging).as_str());
    Some(match form {
        Some("page") => "page",
        Some("link") => "link",
        None if query.contains(&"page") && query.contains(&"size") => "page",
        _ => "none",
    })
}
