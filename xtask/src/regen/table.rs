//! The table that `regen` prints: each operation with the provenance of its elements.
//!
//! Elements of an operation are the operation itself, its parameters, and every schema and property of its body and responses. An element that several
//! operations share counts in each of them and once in the last line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value};

const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
const LEVELS: [&str; 3] = ["published", "described", "inferred"];

/// Elements by pointer, with their provenance.
type Elements = BTreeMap<String, String>;

/// Formats the table of a document with references.
pub(crate) fn operations(document: &Value) -> String {
    let mut rows: Vec<(String, [String; 4], Elements)> = Vec::new();
    let mut all = Elements::new();
    for (path, item) in entries(document.get("paths")) {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let pointer = format!("/paths/{}/{method}", escape(path));
            let elements = Elements::collect_from(document, item, operation, &pointer);
            all.extend(elements.clone());
            let word = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("-").to_owned();
            let columns = [word("operationId"), method.to_uppercase(), path.clone(), word("x-provenance")];
            rows.push((tag, columns, elements));
        }
    }
    rows.sort_by(|left, right| (&left.0, &left.1[2], &left.1[1]).cmp(&(&right.0, &right.1[2], &right.1[1])));
    let width = |column: usize| rows.iter().map(|row| row.1[column].len()).max().unwrap_or(0);
    let (id, method, path) = (width(0), width(1), width(2));

    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<id$}  {:<method$}  {:<path$}  {:<9}  {:>9} {:>9} {:>9} {:>9}",
        "operation", "", "path", "", LEVELS[0], LEVELS[1], LEVELS[2], "unmarked"
    );
    let mut last_tag = "";
    for (tag, columns, elements) in &rows {
        if tag != last_tag {
            let _ = writeln!(text, "{tag}");
            last_tag = tag;
        }
        let counts = counts(elements);
        let _ = writeln!(
            text,
            "{:<id$}  {:<method$}  {:<path$}  {:<9}  {:>9} {:>9} {:>9} {:>9}",
            columns[0], columns[1], columns[2], columns[3], counts[0], counts[1], counts[2], counts[3]
        );
    }
    let counts = counts(&all);
    let _ = writeln!(
        text,
        "{} operations, {} elements: {} published, {} described, {} inferred, {} unmarked",
        rows.len(),
        all.len(),
        counts[0],
        counts[1],
        counts[2],
        counts[3]
    );
    text
}

fn counts(elements: &Elements) -> [usize; 4] {
    let of = |level: &str| elements.values().filter(|known| *known == level).count();
    [of(LEVELS[0]), of(LEVELS[1]), of(LEVELS[2]), of("")]
}

trait Collect {
    fn collect_from(document: &Value, item: &Value, operation: &Value, pointer: &str) -> Self;
}

impl Collect for Elements {
    fn collect_from(document: &Value, item: &Value, operation: &Value, pointer: &str) -> Self {
        let mut collector = Collector { document, elements: Elements::new(), followed: BTreeSet::new() };
        collector.mark(pointer, operation);
        for parameters in [item.get("parameters"), operation.get("parameters")] {
            for (index, parameter) in parameters.and_then(Value::as_array).into_iter().flatten().enumerate() {
                let (at, parameter) = collector.follow(&format!("{pointer}/parameters/{index}"), parameter);
                collector.mark(&at, parameter);
            }
        }
        if let Some(body) = operation.get("requestBody") {
            collector.content(&format!("{pointer}/requestBody"), body);
        }
        for (status, response) in entries(operation.get("responses")) {
            if status.starts_with('2') {
                collector.content(&format!("{pointer}/responses/{status}"), response);
            }
        }
        collector.elements
    }
}

struct Collector<'a> {
    document: &'a Value,
    elements: Elements,
    followed: BTreeSet<String>,
}

impl<'a> Collector<'a> {
    fn mark(&mut self, pointer: &str, element: &Value) {
        let level = element.get("x-provenance").and_then(Value::as_str).unwrap_or_default();
        self.elements.insert(pointer.to_owned(), level.to_owned());
    }

    /// Follows a reference and returns the pointer and the value of its target.
    fn follow(&self, pointer: &str, value: &'a Value) -> (String, &'a Value) {
        let reference = value.get("$ref").and_then(Value::as_str);
        let target = reference
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|target| Some((target.to_owned(), self.document.pointer(target)?)));
        target.unwrap_or_else(|| (pointer.to_owned(), value))
    }

    fn content(&mut self, pointer: &str, holder: &'a Value) {
        let (at, holder) = self.follow(pointer, holder);
        for (media_type, entry) in entries(holder.get("content")) {
            if let Some(schema) = entry.get("schema") {
                self.schema(&format!("{at}/content/{}/schema", escape(media_type)), schema);
            }
        }
    }

    fn schema(&mut self, pointer: &str, schema: &'a Value) {
        let (at, schema) = self.follow(pointer, schema);
        if !self.followed.insert(at.clone()) {
            return;
        }
        self.mark(&at, schema);
        for (name, property) in entries(schema.get("properties")) {
            let here = format!("{at}/properties/{}", escape(name));
            self.mark(&here, property);
            self.inside(&here, property);
        }
        self.inside(&at, schema);
    }

    /// Collects the schemas that a property, list or map leads to. The element itself is counted already.
    fn inside(&mut self, pointer: &str, schema: &'a Value) {
        if schema.get("$ref").is_some() {
            self.schema(pointer, schema);
        }
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
                let here = format!("{pointer}/{key}");
                if inner.get("$ref").is_some() || inner.get("properties").is_some() {
                    self.schema(&here, inner);
                } else {
                    self.inside(&here, inner);
                }
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
            for (index, part) in parts.enumerate() {
                self.schema(&format!("{pointer}/{key}/{index}"), part);
            }
        }
    }
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
