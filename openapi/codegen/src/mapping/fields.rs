//! The mapping of fields: by name, by another spelling of the name, or, for a list in its envelope, by the type of the
//! elements.

use serde_json::Value;

use super::fit::{self, Direction};
use super::{FieldMapping, Mapper, SchemaMapping};
use crate::contract::{Need, SchemaSpec, Type};
use crate::tree::{self, Object, escape};

impl Mapper<'_> {
    /// Maps a schema of the contract to one of the document; returns the key of the pair.
    pub(super) fn schema(
        &mut self,
        wanted: &str,
        schema: &Value,
        pointer: &str,
        direction: Direction,
    ) -> Option<String> {
        let contract = self.contract;
        let spec = contract.schemas.get(wanted)?;
        let (at, found) = self.resolved(schema, pointer);
        if fit::reference_of(&found).is_some() || !found.is_object() {
            // The dangling reference is reported at its own position.
            return None;
        }
        if found.as_object().is_some_and(fit::is_undescribed) {
            self.note(format!("{wanted} is not described ({at}): assuming the contract's schema"));
            return None;
        }
        let Some(object) = found.as_object().filter(|object| is_object(object)) else {
            let form = match found.get("type").and_then(Value::as_str) {
                Some("array") => "a bare array, but the facade reads an object that contains the list",
                _ => "no object with fields, but the facade reads one",
            };
            self.refuse(at, format!("holds {form} ({wanted})"));
            return None;
        };
        let known = self.mapping.schemas.get(wanted).into_iter().flatten().find(|bound| bound.pointer == at);
        if let Some(known) = known {
            return Some(known.key.clone());
        }
        let name = at.strip_prefix("/components/schemas/").filter(|name| !name.contains('/')).map(tree::unescape);
        let others = self.mapping.schemas.get(wanted).map_or(0, Vec::len);
        let key = if others == 0 { wanted.to_owned() } else { format!("{wanted}@{}", others + 1) };
        let bound = SchemaMapping {
            key: key.clone(),
            name,
            pointer: at.clone(),
            description: tree::text(object, "description").map(str::to_owned),
            is_request: direction == Direction::Request,
            ..SchemaMapping::default()
        };
        // Registered before its fields, because a model may refer to itself.
        self.mapping.schemas.entry(wanted.to_owned()).or_default().push(bound);
        let (fields, taken) = self.fields(wanted, spec, object, &at, direction);
        self.check_presence(wanted, spec, &fields, &at);
        let properties = tree::object(object, "properties").cloned().unwrap_or_default();
        let required = required(object);
        let extra_fields: Vec<String> =
            tree::sorted_keys(&properties).into_iter().filter(|name| !taken.contains(name)).collect();
        for name in &extra_fields {
            if direction == Direction::Request && required.contains(name) {
                let place = format!("{at}/properties/{}", escape(name));
                self.refuse(place, format!("requires the field `{name}` in {wanted}, which the facade does not send"));
            }
        }
        if direction == Direction::Request {
            for (field, found) in &fields {
                let optional = spec.fields.get(field).is_some_and(|spec| spec.need() != Need::Always);
                if optional && found.wire.as_ref().is_some_and(|wire| required.contains(wire)) {
                    self.note(format!("{wanted}.{field} is required: the service rejects a call without it"));
                }
            }
        }
        if let Some(bound) = self.mapping.schemas.get_mut(wanted).into_iter().flatten().find(|bound| bound.key == key) {
            bound.fields = fields;
            bound.required_extra_fields =
                extra_fields.iter().filter(|name| required.contains(*name)).cloned().collect();
            bound.extra_fields = extra_fields
                .into_iter()
                .filter_map(|name| properties.get(&name).cloned().map(|it| (name, it)))
                .collect();
        }
        Some(key)
    }

    fn fields(
        &mut self,
        wanted: &str,
        spec: &SchemaSpec,
        object: &Object,
        at: &str,
        direction: Direction,
    ) -> (std::collections::BTreeMap<String, FieldMapping>, Vec<String>) {
        let contract = self.contract;
        let empty = Object::new();
        let properties = tree::object(object, "properties").unwrap_or(&empty);
        let names = tree::sorted_keys(properties);
        // Exact names take precedence over other spellings.
        let mut taken: Vec<String> = names.iter().filter(|name| spec.fields.contains_key(*name)).cloned().collect();
        let mut fields = std::collections::BTreeMap::new();
        for (field, field_spec) in &spec.fields {
            let Some(kind) = contract.kind(field_spec.is()) else {
                continue;
            };
            let wire = if properties.contains_key(field) {
                Some(field.clone())
            } else {
                let spellings = std::iter::once(field).chain(field_spec.also());
                let free = |name: &&String| !taken.contains(*name);
                let found: Vec<&String> = spellings
                    .flat_map(|spelling| names.iter().filter(move |name| same_name(name, spelling)))
                    .filter(free)
                    .collect();
                found.first().map(|name| (*name).clone()).or_else(|| self.only_list(&kind, properties, at, &taken))
            };
            let Some(wire) = wire else {
                fields.insert(field.clone(), FieldMapping::default());
                continue;
            };
            taken.push(wire.clone());
            let place = format!("{at}/properties/{}", escape(&wire));
            let schema = properties.get(&wire).cloned().unwrap_or_default();
            let mut attempt = self.clone();
            let fits = attempt.fit(&kind, &schema, &place, direction);
            let clean = attempt.findings.len() == self.findings.len();
            let depends = field_spec.need() != Need::Known;
            let mut bound = FieldMapping { wire: Some(wire.clone()), schema, ..FieldMapping::default() };
            match fits {
                Ok(target) if clean || depends => {
                    *self = attempt;
                    bound.target = target;
                }
                Err(reason) if depends => {
                    self.refuse(place, format!("{wanted}.{wire} {reason}"));
                }
                other => {
                    let reason = other.err().unwrap_or_else(|| String::from("has another type"));
                    self.note(format!("{wanted}.{wire} {reason}: the field of the model follows the document"));
                    bound.uses_document_type = true;
                }
            }
            fields.insert(field.clone(), bound);
        }
        (fields, taken)
    }

    /// Returns the only list in an envelope whose elements fit, under any name.
    fn only_list(&self, kind: &Type<'_>, properties: &Object, at: &str, taken: &[String]) -> Option<String> {
        let Type::List(inner) = kind else {
            return None;
        };
        if !matches!(**inner, Type::Schema(_)) {
            return None;
        }
        let fitting: Vec<String> = tree::sorted_keys(properties)
            .into_iter()
            .filter(|name| !taken.contains(name))
            .filter(|name| {
                let place = format!("{at}/properties/{}", escape(name));
                let mut attempt = self.clone();
                properties.get(name).is_some_and(|schema| {
                    let has_form = attempt
                        .resolved(schema, &place)
                        .1
                        .pointer("/items")
                        .is_some_and(|items| attempt.resolved(items, &place).1.get("properties").is_some());
                    has_form
                        && attempt.fit(kind, schema, &place, Direction::Response).is_ok()
                        && attempt.findings.len() == self.findings.len()
                })
            })
            .collect();
        match fitting.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    /// Checks that the document declares all fields that the facade depends on.
    fn check_presence(
        &mut self,
        wanted: &str,
        spec: &SchemaSpec,
        fields: &std::collections::BTreeMap<String, FieldMapping>,
        at: &str,
    ) {
        let is_there = |field: &str| fields.get(field).is_some_and(|found| found.wire.is_some());
        for (field, field_spec) in &spec.fields {
            if is_there(field) {
                continue;
            }
            match field_spec.need() {
                Need::Always | Need::Declared => {
                    let also = field_spec.also();
                    let also = if also.is_empty() { String::new() } else { format!(" (nor {})", also.join(", ")) };
                    self.refuse(at, format!("{wanted} has no field `{field}`{also}, but the facade depends on it"));
                }
                Need::Used | Need::Known => self.note(format!("{wanted}.{field} is not in the document")),
            }
        }
        if !spec.one_of.is_empty() && !spec.one_of.iter().any(|field| is_there(field)) {
            self.refuse(
                at,
                format!("{wanted} has none of the fields {}, but the facade needs one", spec.one_of.join(", ")),
            );
        }
    }
}

fn is_object(schema: &Object) -> bool {
    schema.contains_key("properties") || tree::text(schema, "type") == Some("object")
}

/// Returns the required names of a schema.
pub(super) fn required(schema: &Object) -> Vec<String> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns `true` if two names differ in case and separators only.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let plain =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    plain(one) == plain(other)
}
