//! The document as a tree of typed nodes, with visitors and accessors.
//!
//! Objects are visited from the outside in, keys in sorted order. A visitor gets the object and its JSON pointer and may change
//! the object; the visit continues with the changed object.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// An object of the document.
pub type Object = Map<String, Value>;

/// The kinds of objects in an OpenAPI document, named as in the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// The document itself.
    Document,
    /// The `info` object.
    Info,
    /// An entry of `tags`.
    Tag,
    /// The `components` object.
    Components,
    /// A path item.
    PathItem,
    /// An operation.
    Operation,
    /// A parameter.
    Parameter,
    /// A request body.
    RequestBody,
    /// A response.
    Response,
    /// A media type of a body.
    MediaType,
    /// A response header.
    Header,
    /// A schema.
    Schema,
}

/// The child nodes in a member of an object.
pub enum Children {
    /// A single node.
    One(NodeKind),
    /// A map from names to nodes.
    Map(NodeKind),
    /// A list of nodes.
    List(NodeKind),
}

/// The methods of a path item.
pub const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];

/// Returns the child nodes in a member of an object; `None` if the member contains no nodes.
pub fn children(node: NodeKind, key: &str) -> Option<Children> {
    use Children::{List, Map, One};
    Some(match (node, key) {
        (NodeKind::Document, "info") => One(NodeKind::Info),
        (NodeKind::Document, "tags") => List(NodeKind::Tag),
        (NodeKind::Document, "paths") | (NodeKind::Components, "pathItems") => Map(NodeKind::PathItem),
        (NodeKind::Document, "components") => One(NodeKind::Components),
        (NodeKind::Components, "schemas") | (NodeKind::Schema, "properties") => Map(NodeKind::Schema),
        (NodeKind::Components, "parameters") => Map(NodeKind::Parameter),
        (NodeKind::Components, "requestBodies") => Map(NodeKind::RequestBody),
        (NodeKind::Components | NodeKind::Operation, "responses") => Map(NodeKind::Response),
        (NodeKind::Components | NodeKind::Response, "headers") => Map(NodeKind::Header),
        (NodeKind::PathItem | NodeKind::Operation, "parameters") => List(NodeKind::Parameter),
        (NodeKind::PathItem, method) if METHODS.contains(&method) => One(NodeKind::Operation),
        (NodeKind::Operation, "requestBody") => One(NodeKind::RequestBody),
        (NodeKind::RequestBody | NodeKind::Response | NodeKind::Parameter | NodeKind::Header, "content") => {
            Map(NodeKind::MediaType)
        }
        (NodeKind::MediaType | NodeKind::Parameter | NodeKind::Header, "schema")
        | (NodeKind::Schema, "items" | "additionalProperties" | "not") => One(NodeKind::Schema),
        (NodeKind::Schema, "allOf" | "oneOf" | "anyOf") => List(NodeKind::Schema),
        _ => return None,
    })
}

/// Visits every object of the document.
pub fn visit_all(document: &mut Value, visit: &mut dyn FnMut(NodeKind, &mut Object, &str)) {
    descend(document, NodeKind::Document, "", visit);
}

/// Visits every object of one kind.
pub fn visit_kind(document: &mut Value, kind: NodeKind, visit: &mut dyn FnMut(&mut Object, &str)) {
    visit_all(document, &mut |node, object, pointer| {
        if node == kind {
            visit(object, pointer);
        }
    });
}

/// Visits a schema and all schemas inside.
pub fn visit_schemas(schema: &mut Value, visit: &mut dyn FnMut(&mut Object, &str)) {
    descend(schema, NodeKind::Schema, "", &mut |_, object, pointer| visit(object, pointer));
}

/// Visits the schemas of the direct values of an object, map or list schema.
pub(crate) fn visit_values(schema: &mut Object, visit: &mut dyn FnMut(&mut Object)) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().filter_map(Value::as_object_mut).for_each(&mut *visit);
    }
    for key in ["additionalProperties", "items"] {
        if let Some(Value::Object(value)) = schema.get_mut(key) {
            visit(value);
        }
    }
}

fn descend(value: &mut Value, node: NodeKind, pointer: &str, visit: &mut dyn FnMut(NodeKind, &mut Object, &str)) {
    let Value::Object(object) = value else {
        return;
    };
    visit(node, object, pointer);
    for key in sorted_keys(object) {
        let Some(holds) = children(node, &key) else {
            continue;
        };
        let Some(inner) = object.get_mut(&key) else {
            continue;
        };
        let here = format!("{pointer}/{}", escape(&key));
        match (holds, inner) {
            (Children::One(kind), inner) => descend(inner, kind, &here, visit),
            (Children::Map(kind), Value::Object(map)) => {
                for name in sorted_keys(map) {
                    // Schemas and properties may have names that start with `x-`.
                    if is_extension(kind, &name) {
                        continue;
                    }
                    if let Some(entry) = map.get_mut(&name) {
                        descend(entry, kind, &format!("{here}/{}", escape(&name)), visit);
                    }
                }
            }
            (Children::List(kind), Value::Array(list)) => {
                for (index, entry) in list.iter_mut().enumerate() {
                    descend(entry, kind, &format!("{here}/{index}"), visit);
                }
            }
            _ => {}
        }
    }
}

/// Returns `true` for a specification extension among nodes of this kind.
pub fn is_extension(kind: NodeKind, key: &str) -> bool {
    key.starts_with("x-")
        && match kind {
            NodeKind::PathItem | NodeKind::Response => true,
            NodeKind::MediaType => !key.contains('/'),
            _ => false,
        }
}

/// Returns the keys of `object` in sorted order.
pub fn sorted_keys(object: &Object) -> Vec<String> {
    let mut keys: Vec<String> = object.keys().cloned().collect();
    keys.sort();
    keys
}

/// Escapes a segment of a JSON pointer (RFC 6901).
pub fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// Unescapes a segment of a JSON pointer.
pub fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// Returns the unescaped segments of a JSON pointer.
pub fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(unescape).collect()
}

/// Returns the object at `key`.
pub fn object<'a>(object: &'a Object, key: &str) -> Option<&'a Object> {
    object.get(key).and_then(Value::as_object)
}

/// Returns the string at `key`.
pub fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// Returns `true` if the value at `key` is `true`.
pub fn is_true(object: &Object, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool) == Some(true)
}

/// Returns the name in a reference to a component schema.
pub fn schema_name(schema: &Object) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix("#/components/schemas/")
}

/// Returns the schemas of all request bodies.
pub fn request_bodies(document: &mut Value) -> Vec<Value> {
    let mut schemas: Vec<Value> = Vec::new();
    visit_kind(document, NodeKind::RequestBody, &mut |body, _| {
        let content = object(body, "content").into_iter().flatten();
        schemas.extend(content.filter_map(|(_, media_type)| media_type.get("schema").cloned()));
    });
    schemas
}

/// Follows references to component schemas, also wrapped ones and aliases; `None` for a cycle.
pub fn resolve_schema<'a>(schema: &'a Object, schemas: &'a Object) -> Option<&'a Object> {
    const MAX_STEPS: usize = 16;
    let mut current = schema;
    for _ in 0..MAX_STEPS {
        let wrapped = match current.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::Object(only)]) => only,
            _ => current,
        };
        match schema_name(wrapped) {
            Some(name) => current = object(schemas, name)?,
            None => return Some(current),
        }
    }
    None
}

/// Collects the names of all component schemas that `schema` refers to, directly and indirectly.
pub fn collect_references(schema: &Value, schemas: &Object, reached: &mut BTreeSet<String>) {
    let mut next: Vec<Value> = vec![schema.clone()];
    while let Some(mut schema) = next.pop() {
        visit_schemas(&mut schema, &mut |inner, _| {
            if let Some(name) = schema_name(inner)
                && reached.insert(String::from(name))
            {
                next.extend(schemas.get(name).cloned());
            }
        });
    }
}

/// Returns the map of component schemas; creates the map if missing.
pub fn schemas_mut(document: &mut Value) -> Option<&mut Object> {
    document
        .as_object_mut()?
        .entry("components")
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()?
        .entry("schemas")
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}
