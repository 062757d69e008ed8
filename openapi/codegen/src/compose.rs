//! Merges composed schemas and names inline objects.
//!
//! Why: the generator merges composed schemas incorrectly: it takes the first matching alternative and drops the rest, ignores
//! discriminators, emits empty structs for contradictions, and overflows its stack on cycles such as `Animal` = one of `Cat`, …
//! with `Cat` = `Animal` and more, which Java tools write. The generated name of an unnamed object may collide.
//! Finds: `allOf`, `oneOf`, `anyOf`, `not`, `discriminator`; objects with properties inside other schemas and in operations.
//! Holds afterwards: the only composed form is `{"allOf": [reference]}` with a description or flags. All of several objects,
//! and one of several, is one object with the properties of each, which requires what every alternative requires. A
//! discriminator is a string. Alternatives of one scalar type have that type, others are `{}`, any JSON value. Every object
//! with properties is a component schema. Schemas that contain themselves by `allOf` alone, or refer to a missing schema,
//! remain for the lint.
//! Delete when: never; the generator does not support this.

pub(crate) mod graph;
mod part;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use self::graph::SchemaGraph;
use self::part::{Part, PartType};
use crate::names;
use crate::open_enums::{InlineNames, reference};
use crate::tree::{self, Object};

/// Maximum nesting of parts within one cycle.
const MAX_DEPTH: usize = 32;
/// Members that are independent of the composition. They stay in place when a schema becomes a component.
const ANNOTATIONS: [&str; 5] = ["deprecated", "description", "nullable", "readOnly", "writeOnly"];

pub(super) fn apply(document: &mut Value) -> usize {
    let extracted = extract_components(document);
    let schemas = tree::schemas_mut(document).cloned().unwrap_or_default();
    let mut composer = Composer {
        graph: SchemaGraph::of(&schemas),
        schemas: &schemas,
        merged: BTreeMap::new(),
        bases: RefCell::default(),
    };
    let mut edits = extracted.len();
    let mut changed: Vec<(String, Object)> = Vec::new();
    for name in composer.graph.in_order() {
        let (part, normal) = composer.component(&name);
        composer.merged.insert(name.clone(), part);
        if let Some(normal) = normal {
            edits += usize::from(!extracted.contains(&name));
            changed.push((name, normal));
        }
    }
    let Some(schemas) = tree::schemas_mut(document) else {
        return edits;
    };
    for (name, normal) in changed {
        schemas.insert(name, Value::Object(normal));
    }
    inline_plain_components(document, &extracted);
    edits
}

fn is_composed(schema: &Object) -> bool {
    ["allOf", "anyOf", "discriminator", "not", "oneOf"].iter().any(|key| schema.contains_key(*key))
}

/// Returns `true` for `{"allOf": [reference]}` without further members that affect the type.
fn is_plain_reference(schema: &Object) -> bool {
    let parts = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice);
    matches!(parts, Some([Value::Object(part)]) if part.contains_key("$ref"))
        && schema.keys().all(|key| key == "allOf" || ANNOTATIONS.contains(&key.as_str()) || key.starts_with("x-"))
}

/// Moves inline composed schemas and inline objects with properties into components; returns their names.
fn extract_components(document: &mut Value) -> BTreeSet<String> {
    let owners = InlineNames::of(document);
    let mut taken: BTreeSet<String> = tree::schemas_mut(document)
        .map(|schemas| schemas.keys().map(|name| names::pascal(name)).collect())
        .unwrap_or_default();
    let mut found: VecDeque<(String, Value)> = VecDeque::new();
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    tree::visit_kind(document, tree::NodeKind::Schema, &mut |schema, pointer| {
        let segments = tree::segments(pointer);
        if may_be_component(&segments) && needs_name(schema, &segments) {
            let name = free(&mut taken, &owners.name(&segments));
            places.insert(name.clone(), String::from(pointer));
            found.push_back((name.clone(), Value::Object(take(schema, &name))));
        }
    });
    let mut made: Vec<(String, Value)> = Vec::new();
    while let Some((name, mut schema)) = found.pop_front() {
        let outer = name.clone();
        tree::visit_schemas(&mut schema, &mut |inner, pointer| {
            let mut segments: Vec<String> = vec![String::from("components"), String::from("schemas"), name.clone()];
            segments.extend(tree::segments(pointer));
            if may_be_component(&segments) && needs_name(inner, &segments) {
                let inside = format!("{}{pointer}", places.get(&outer).map_or("", String::as_str));
                let name = free(&mut taken, &owners.name(&segments));
                places.insert(name.clone(), inside);
                found.push_back((name.clone(), Value::Object(take(inner, &name))));
            }
        });
        made.push((name, schema));
    }
    let extracted = made.iter().map(|(name, _)| name.clone()).collect();
    // Findings show the pointers of the original document.
    if let Some(document) = document.as_object_mut().filter(|_| !places.is_empty()) {
        document.insert(String::from("x-places"), json!(places));
    }
    if let Some(schemas) = tree::schemas_mut(document) {
        schemas.extend(made);
    }
    extracted
}

/// Replaces the schema by a reference and returns it.
fn take(schema: &mut Object, name: &str) -> Object {
    let merged = std::mem::take(schema);
    *schema = reference(name, None);
    for key in ANNOTATIONS {
        if let Some(value) = merged.get(key) {
            schema.insert(String::from(key), value.clone());
        }
    }
    let mut merged = merged;
    merged.retain(|key, _| key == "description" || !ANNOTATIONS.contains(&key.as_str()));
    merged
}

/// Returns `true` if a schema may become a component: not for components, parts of compositions, response headers and forms.
fn may_be_component(segments: &[String]) -> bool {
    let at = |index: usize| segments.get(index).map_or("", String::as_str);
    let is_part = segments.len() > 4
        && ["allOf", "anyOf", "oneOf"].contains(&at(segments.len() - 2))
        && at(segments.len() - 1).chars().all(|c| c.is_ascii_digit())
        // A property may have the name `oneOf`.
        && at(segments.len() - 3) != "properties";
    let is_header = at(0) == "paths" && at(5) == "headers";
    let is_form = at(3) == "requestBody" && at(5).starts_with("multipart/");
    segments.len() > 3 && !is_part && !is_header && !is_form && at(segments.len() - 1) != "not"
}

fn needs_name(schema: &Object, segments: &[String]) -> bool {
    let is_parameter = segments.len() == 6 && segments.get(3).is_some_and(|part| part == "parameters");
    let is_model = tree::object(schema, "properties").is_some_and(|properties| !properties.is_empty());
    !schema.contains_key("$ref")
        && ((is_composed(schema) && !is_plain_reference(schema)) || (is_model && !is_parameter))
}

fn free(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let wanted = names::pascal(&names::pascal(wanted));
    let name = if taken.contains(&wanted) { names::numbered(&wanted, |name| taken.contains(name)) } else { wanted };
    taken.insert(name.clone());
    name
}

/// Inlines components that turned out not to be objects.
fn inline_plain_components(document: &mut Value, extracted: &BTreeSet<String>) {
    let mut forms: BTreeMap<String, Object> = BTreeMap::new();
    if let Some(schemas) = tree::schemas_mut(document) {
        for name in extracted {
            let needless = schemas.get(name).and_then(Value::as_object).is_some_and(|schema| {
                !is_composed(schema) && !schema.contains_key("$ref") && !schema.contains_key("properties")
            });
            if needless && let Some(Value::Object(form)) = schemas.remove(name) {
                forms.insert(name.clone(), form);
            } else if let Some(Value::Object(schema)) = schemas.get(name)
                && is_plain_reference(schema)
            {
                let form = schema.clone();
                schemas.remove(name);
                forms.insert(name.clone(), form);
            }
        }
    }
    tree::visit_kind(document, tree::NodeKind::Schema, &mut |schema, _| {
        // An inlined schema may refer to another one.
        for _ in 0..MAX_DEPTH {
            let form = is_plain_reference(schema)
                .then(|| schema.get("allOf").and_then(|parts| parts.get(0)).and_then(Value::as_object))
                .flatten()
                .and_then(tree::schema_name)
                .and_then(|name| forms.get(name));
            let Some(form) = form.cloned() else {
                return;
            };
            schema.remove("allOf");
            for (key, value) in form {
                schema.entry(key).or_insert(value);
            }
        }
    });
}

struct Composer<'a> {
    schemas: &'a Object,
    graph: SchemaGraph,
    /// The merged components so far.
    merged: BTreeMap<String, Part>,
    /// The components within cycles, without their alternatives.
    bases: RefCell<BTreeMap<String, Part>>,
}

impl Composer<'_> {
    /// Returns the merged form of a component, and the schema if it has to change.
    fn component(&self, name: &str) -> (Part, Option<Object>) {
        let Some(Value::Object(schema)) = self.schemas.get(name) else {
            return (Part::any(), None);
        };
        if self.graph.is_unresolvable(name) {
            return (Part::any(), None);
        }
        let part = self.merge_schema(schema, name, true, 0);
        if !is_composed(schema) || is_plain_reference(schema) {
            return (part, None);
        }
        let normal = self.as_reference(schema, name).unwrap_or_else(|| part.clone().into_schema(schema));
        (part, Some(normal))
    }

    /// Merges a schema in the component `owner`. Without `alternatives`, only alternatives that refer back to the schema
    /// contribute.
    fn merge_schema(&self, schema: &Object, owner: &str, alternatives: bool, depth: usize) -> Part {
        if let Some(target) = tree::schema_name(schema) {
            return self.merge_reference(target, owner, depth);
        }
        if depth > MAX_DEPTH {
            return Part::any();
        }
        let mut part = Part::own(schema);
        for inner in list(schema, "allOf") {
            part.merge_all(self.merge_schema(inner, owner, alternatives, depth + 1), &|schema| self.scalar(schema));
        }
        if alternatives {
            let mut seen = BTreeSet::from([String::from(owner)]);
            let mut found: Vec<Part> = Vec::new();
            self.alternatives(schema, owner, depth, &mut seen, &mut found);
            if !found.is_empty() {
                let either = Part::merge_any(found, &|schema| self.scalar(schema));
                part.merge_all(either, &|schema| self.scalar(schema));
            }
        }
        let property = tree::object(schema, "discriminator").and_then(|it| tree::text(it, "propertyName"));
        if let (Some(property), PartType::Model(model)) = (property, &mut part.shape) {
            let description = model.properties.get(property).and_then(|known| known.get("description")).cloned();
            let mut text = Object::from_iter([(String::from("type"), json!("string"))]);
            text.extend(description.map(|description| (String::from("description"), description)));
            model.properties.insert(String::from(property), Value::Object(text));
        }
        part
    }

    /// Collects the alternatives of a schema. Alternatives in the same cycle count without their own alternatives, which are
    /// collected separately.
    fn alternatives(
        &self,
        schema: &Object,
        owner: &str,
        depth: usize,
        seen: &mut BTreeSet<String>,
        found: &mut Vec<Part>,
    ) {
        for inner in list(schema, "oneOf").chain(list(schema, "anyOf")) {
            match tree::schema_name(inner) {
                Some(target) if self.graph.in_same_cycle(owner, target) => {
                    if !seen.insert(String::from(target)) {
                        continue;
                    }
                    if let Some(Value::Object(alternative)) = self.schemas.get(target) {
                        found.push(self.without_alternatives(target, depth + 1));
                        if depth < MAX_DEPTH {
                            self.alternatives(alternative, owner, depth + 1, seen, found);
                        }
                    }
                }
                _ => found.push(self.merge_schema(inner, owner, true, depth + 1)),
            }
        }
    }

    fn merge_reference(&self, target: &str, owner: &str, depth: usize) -> Part {
        if self.graph.in_same_cycle(owner, target) {
            return self.without_alternatives(target, depth);
        }
        self.merged.get(target).cloned().map_or_else(Part::any, Part::without_text)
    }

    /// Returns a component of a cycle without its alternatives.
    fn without_alternatives(&self, name: &str, depth: usize) -> Part {
        if let Some(known) = self.bases.borrow().get(name) {
            return known.clone();
        }
        let part = match self.schemas.get(name) {
            Some(Value::Object(schema)) if depth <= MAX_DEPTH && !self.graph.is_unresolvable(name) => {
                self.merge_schema(schema, name, false, depth + 1).without_text()
            }
            _ => Part::any(),
        };
        self.bases.borrow_mut().insert(String::from(name), part.clone());
        part
    }

    /// Returns a property as a scalar, after following references; `None` if it is not one.
    fn scalar(&self, property: &Object) -> Option<Object> {
        let target = tree::schema_name(property)
            .or_else(|| is_plain_reference(property).then(|| only_reference(property)).flatten());
        match target {
            None => part::scalar(property),
            Some(name) => match self.merged.get(name).map(|part| &part.shape) {
                Some(PartType::Plain(plain)) => part::scalar(plain),
                _ => None,
            },
        }
    }

    /// Returns `{"allOf": [reference]}` for a composition that is one reference and nothing else.
    fn as_reference(&self, schema: &Object, owner: &str) -> Option<Object> {
        let mut references: BTreeSet<&str> = BTreeSet::new();
        let mut nullable = tree::is_true(schema, "nullable");
        let mut description = schema.get("description").cloned();
        let all = list(schema, "allOf").map(|inner| (inner, false));
        let one = list(schema, "oneOf").chain(list(schema, "anyOf")).map(|inner| (inner, true));
        for (inner, is_alternative) in all.chain(one) {
            let own = Part::own(inner);
            match tree::schema_name(inner) {
                Some(name) => {
                    references.insert(name);
                }
                None if is_composed(inner) => return None,
                None if own.is_null() => nullable = true,
                None if !is_alternative && own.is_unspecified() => {
                    description = description.or_else(|| inner.get("description").cloned());
                    nullable |= tree::is_true(inner, "nullable");
                }
                None => return None,
            }
        }
        let (Some(target), 1) = (references.first(), references.len()) else {
            return None;
        };
        if !Part::own(schema).is_unspecified() || self.graph.in_same_cycle(owner, target) {
            return None;
        }
        let mut plain = reference(target, description);
        if nullable {
            plain.insert(String::from("nullable"), Value::Bool(true));
        }
        part::copy_annotations(schema, &mut plain);
        Some(plain)
    }
}

fn only_reference(schema: &Object) -> Option<&str> {
    schema.get("allOf")?.get(0)?.as_object().and_then(tree::schema_name)
}

fn list<'a>(schema: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}
