//! A schema as one flat view: through references, with `allOf` merged and `oneOf` and `anyOf` united.
//!
//! A view borrows from the document and does not look into fields, so it costs what one level of the schema holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::passes::tree::{self, Object};

/// References that lead to references that lead … end here.
const LONGEST_CHAIN: usize = 16;
/// How deep composed schemas may nest in each other.
const DEEPEST: usize = 32;
/// How many parts one view may be made of.
const MOST_PARTS: usize = 4096;

/// Schemas that describe one place: all of them hold, or one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lot<'a> {
    parts: Vec<&'a Value>,
    any: bool,
}

impl<'a> Lot<'a> {
    pub(super) fn one(schema: &'a Value) -> Self {
        Self { parts: vec![schema], any: false }
    }

    fn add(&mut self, other: Self, any: bool) {
        for part in other.parts {
            if !self.parts.iter().any(|known| std::ptr::eq(*known, part)) {
                self.parts.push(part);
            }
        }
        self.any |= other.any || any;
    }

    /// What tells it from others: where its schemas stand in memory, references followed.
    pub(super) fn key(&self, document: &'a Value) -> (Vec<usize>, bool) {
        let mut all: Vec<usize> = self.parts.iter().map(|part| address(target(document, part).0)).collect();
        all.sort_unstable();
        all.dedup();
        (all, self.any)
    }

    /// The name of the component schema that it is.
    pub(super) fn name(&self, document: &'a Value) -> Option<&'a str> {
        match self.parts.as_slice() {
            [only] => target(document, only).1,
            _ => None,
        }
    }

    /// Whether `null` is a value.
    pub(super) fn is_nullable(&self, document: &'a Value) -> bool {
        // The wrapper of a reference often says it, which the reference's target does not.
        let wrapped = self.parts.iter().any(|part| part.get("nullable") == Some(&Value::Bool(true)));
        // Only what is composed, a set or a list of types says it otherwise than by the flag.
        let plain = self.parts.iter().all(|part| {
            let part = target(document, part).0;
            let composed = ["allOf", "oneOf", "anyOf", "enum"].iter().any(|key| part.get(*key).is_some());
            !composed
                && part.get("nullable") != Some(&Value::Bool(true))
                && !part.get("type").is_some_and(Value::is_array)
        });
        wrapped || (!plain && View::of(document, self).nullable)
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

/// What stands behind references, written plainly or as the only member of `allOf`, and the last name on the way.
fn target<'a>(document: &'a Value, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
    let mut current = schema;
    let mut name = None;
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = reference_of(current) else {
            break;
        };
        let Some(next) = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) else {
            break;
        };
        name = reference.strip_prefix("#/components/schemas/").or(name);
        current = next;
    }
    (current, name)
}

fn reference_of(schema: &Value) -> Option<&str> {
    let object = schema.as_object()?;
    if let Some(reference) = tree::text(object, "$ref") {
        return Some(reference);
    }
    let structural = ["properties", "type", "oneOf", "anyOf", "enum", "items", "required", "additionalProperties"];
    match object.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if !structural.iter().any(|key| object.contains_key(*key)) => {
            only.get("$ref").and_then(Value::as_str)
        }
        _ => None,
    }
}

/// What stands behind the references of a parameter, body or answer.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut current = value;
    for _ in 0..LONGEST_CHAIN {
        let reference = current.get("$ref").and_then(Value::as_str);
        match reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?)) {
            Some(next) => current = next,
            None => break,
        }
    }
    current
}

/// What a schema says of fields that it does not name.
#[derive(Clone, Debug, Default)]
pub(super) enum Further<'a> {
    #[default]
    Unsaid,
    Any,
    None,
    Of(Lot<'a>),
}

/// A schema, flat.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'a> {
    /// The types that a value may have; none: any.
    pub(super) kinds: BTreeSet<&'a str>,
    pub(super) formats: BTreeSet<&'a str>,
    pub(super) nullable: bool,
    pub(super) properties: BTreeMap<&'a str, Lot<'a>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) items: Option<Lot<'a>>,
    pub(super) further: Further<'a>,
    /// The values of a set, those that are no texts as JSON.
    pub(super) values: Option<BTreeSet<String>>,
    /// How many alternatives there are.
    pub(super) forms: usize,
    pub(super) limits: BTreeMap<&'static str, &'a Value>,
    pub(super) default: Option<&'a Value>,
    pub(super) deprecated: bool,
}

/// Limits where a larger value is the tighter one.
const LEAST: [&str; 4] = ["minItems", "minLength", "minProperties", "minimum"];
/// Limits where a smaller value is.
const MOST: [&str; 4] = ["maxItems", "maxLength", "maxProperties", "maximum"];
/// Limits that are there or not.
const SAID: [&str; 5] = ["exclusiveMaximum", "exclusiveMinimum", "multipleOf", "pattern", "uniqueItems"];

impl<'a> View<'a> {
    pub(super) fn of(document: &'a Value, lot: &Lot<'a>) -> Self {
        let mut reader = Reader { document, inside: Vec::new(), left: MOST_PARTS };
        let mut views = lot.parts.iter().map(|part| reader.read(part)).collect::<Vec<Self>>();
        if views.len() == 1 {
            return views.pop().unwrap_or_default();
        }
        if lot.any {
            return Self::united(views);
        }
        let mut merged = Self::default();
        for view in views {
            merged.merge(view);
        }
        merged
    }

    /// The types in words.
    pub(super) fn described(&self) -> String {
        if self.kinds.is_empty() {
            return String::from(if self.forms > 0 { "one of several forms" } else { "anything" });
        }
        let words: Vec<&str> =
            self.kinds.iter().map(|kind| if *kind == "object" && self.is_map() { "map" } else { kind }).collect();
        let formats: Vec<&str> = self.formats.iter().copied().collect();
        let formats = if formats.is_empty() { String::new() } else { format!(" ({})", formats.join(", ")) };
        format!("{}{formats}", words.join(" or "))
    }

    /// Whether it holds values under any names.
    fn is_map(&self) -> bool {
        self.properties.is_empty() && matches!(self.further, Further::Of(_))
    }

    /// What the schema itself says, without those that it is composed of.
    fn plain(object: &'a Object) -> Self {
        let mut view = Self::default();
        match object.get("type") {
            Some(Value::String(kind)) => _ = view.kinds.insert(kind),
            Some(Value::Array(kinds)) => view.kinds.extend(kinds.iter().filter_map(Value::as_str)),
            _ => {}
        }
        view.formats.extend(tree::text(object, "format"));
        view.nullable = view.kinds.remove("null") || tree::is_true(object, "nullable");
        for (name, property) in tree::object(object, "properties").into_iter().flatten() {
            view.properties.insert(name, Lot::one(property));
        }
        let required = object.get("required").and_then(Value::as_array).into_iter().flatten();
        view.required.extend(required.filter_map(Value::as_str));
        view.items = object.get("items").map(Lot::one);
        view.further = match object.get("additionalProperties") {
            None => Further::Unsaid,
            Some(Value::Bool(false)) => Further::None,
            Some(Value::Object(schema)) if !schema.is_empty() => {
                object.get("additionalProperties").map_or(Further::Any, |schema| Further::Of(Lot::one(schema)))
            }
            Some(_) => Further::Any,
        };
        if let Some(values) = object.get("enum").and_then(Value::as_array) {
            view.nullable |= values.contains(&Value::Null);
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            view.values = Some(values.iter().filter(|value| !value.is_null()).map(plain).collect());
            if view.kinds.is_empty() && values.iter().all(|value| value.is_string() || value.is_null()) {
                view.kinds.insert("string");
            }
        }
        if view.kinds.is_empty() {
            if !view.properties.is_empty() || !matches!(view.further, Further::Unsaid) {
                view.kinds.insert("object");
            } else if view.items.is_some() {
                view.kinds.insert("array");
            }
        }
        for key in LEAST.into_iter().chain(MOST).chain(SAID) {
            if let Some(limit) = object.get(key).filter(|limit| **limit != Value::Bool(false)) {
                view.limits.insert(key, limit);
            }
        }
        view.default = object.get("default");
        view.deprecated = tree::is_true(object, "deprecated");
        view
    }

    /// Both hold.
    fn merge(&mut self, other: Self) {
        if self.kinds.is_empty() {
            self.kinds = other.kinds;
        } else if !other.kinds.is_empty() {
            let both: BTreeSet<&str> = self.kinds.intersection(&other.kinds).copied().collect();
            if !both.is_empty() {
                self.kinds = both;
            }
        }
        if self.formats.is_empty() {
            self.formats = other.formats;
        }
        self.nullable |= other.nullable;
        for (name, lot) in other.properties {
            self.properties.entry(name).or_default().add(lot, false);
        }
        self.required.extend(other.required);
        match (&mut self.items, other.items) {
            (Some(items), Some(more)) => items.add(more, false),
            (items @ None, more) => *items = more,
            (Some(_), None) => {}
        }
        self.further = match (std::mem::take(&mut self.further), other.further) {
            (Further::Of(mut one), Further::Of(more)) => {
                one.add(more, false);
                Further::Of(one)
            }
            // `false` beside `allOf` is meant for the whole, whatever the specification makes of it.
            (Further::None, _) | (_, Further::None) => Further::None,
            (Further::Unsaid, said) | (said, Further::Unsaid) => said,
            (of @ Further::Of(_), Further::Any) | (Further::Any, of) => of,
        };
        self.values = match (self.values.take(), other.values) {
            (Some(one), Some(two)) => Some(one.intersection(&two).cloned().collect()),
            (one, two) => one.or(two),
        };
        self.forms = self.forms.max(other.forms);
        for (key, limit) in other.limits {
            self.limits.entry(key).or_insert(limit);
        }
        self.default = self.default.or(other.default);
        self.deprecated |= other.deprecated;
    }

    /// One of them holds.
    fn united(views: Vec<Self>) -> Self {
        let nullable = views.iter().any(|view| view.nullable);
        // An alternative that is nothing but `null`.
        let mut views = views.into_iter().filter(|view| {
            let empty = view.kinds.is_empty() && view.properties.is_empty() && view.items.is_none() && view.forms == 0;
            !(view.nullable && empty && view.values.as_ref().is_none_or(BTreeSet::is_empty))
        });
        let Some(mut all) = views.next() else {
            return Self { nullable, ..Self::default() };
        };
        for view in views {
            if all.kinds.is_empty() || view.kinds.is_empty() {
                all.kinds.clear();
            } else {
                all.kinds.extend(view.kinds);
            }
            all.formats.extend(view.formats);
            for (name, lot) in view.properties {
                all.properties.entry(name).or_default().add(lot, true);
            }
            all.required = all.required.intersection(&view.required).copied().collect();
            match (&mut all.items, view.items) {
                (Some(items), Some(more)) => items.add(more, true),
                (items @ None, more) => *items = more,
                (Some(_), None) => {}
            }
            all.further = match (std::mem::take(&mut all.further), view.further) {
                (Further::Of(mut one), Further::Of(more)) => {
                    one.add(more, true);
                    Further::Of(one)
                }
                (Further::None, Further::None) => Further::None,
                (of @ Further::Of(_), _) | (_, of @ Further::Of(_)) => of,
                (Further::Any, _) | (_, Further::Any) => Further::Any,
                _ => Further::Unsaid,
            };
            all.values = match (all.values.take(), view.values) {
                (Some(mut one), Some(two)) => {
                    one.extend(two);
                    Some(one)
                }
                _ => None,
            };
            all.forms = all.forms.max(view.forms);
            all.limits.retain(|key, limit| view.limits.get(key) == Some(limit));
            all.default = all.default.filter(|default| view.default == Some(*default));
            all.deprecated &= view.deprecated;
        }
        all.nullable = nullable;
        all
    }

    /// What is tighter than in `old`, and whether anything is wider, in words.
    pub(super) fn limits_since(&self, old: &Self) -> (Vec<String>, Vec<String>) {
        let (mut tighter, mut wider) = (Vec::new(), Vec::new());
        for key in LEAST.into_iter().chain(MOST).chain(SAID) {
            let (was, is) = (old.limits.get(key), self.limits.get(key));
            if was == is {
                continue;
            }
            let number = |limit: Option<&&Value>| limit.and_then(|limit| limit.as_f64());
            let is_tighter = match (number(was), number(is)) {
                (Some(was), Some(is)) if LEAST.contains(&key) => is > was,
                (Some(was), Some(is)) if MOST.contains(&key) => is < was,
                (None, Some(is)) if LEAST.contains(&key) && key != "minimum" => is > 0.0,
                _ => is.is_some(),
            };
            let shown = |limit: Option<&&Value>| limit.map_or_else(|| String::from("none"), ToString::to_string);
            let line = format!("{key} {}, was {}", shown(is), shown(was));
            if is_tighter { &mut tighter } else { &mut wider }.push(line);
        }
        (tighter, wider)
    }
}

/// Reads composed schemas.
struct Reader<'a> {
    document: &'a Value,
    /// The schemas that are being read: one that is composed of itself ends there.
    inside: Vec<usize>,
    left: usize,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Value) -> View<'a> {
        let (schema, _) = target(self.document, schema);
        let here = address(schema);
        let Some(object) = schema.as_object() else {
            return View::default();
        };
        if self.inside.contains(&here) || self.inside.len() > DEEPEST || self.left == 0 {
            return View::default();
        }
        self.left -= 1;
        self.inside.push(here);
        let mut view = View::plain(object);
        for part in list(object, "allOf") {
            let part = self.read(part);
            view.merge(part);
        }
        for key in ["oneOf", "anyOf"] {
            let views: Vec<View<'a>> = list(object, key).map(|part| self.read(part)).collect();
            let forms = views.len();
            if forms > 0 {
                let mut united = View::united(views);
                united.forms = if forms > 1 { forms } else { united.forms };
                view.merge(united);
            }
        }
        self.inside.pop();
        view
    }
}

fn list<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}
