//! Finds elements of a document that other variants have changed: an operation by its method and the end of its path, a schema by the operation that uses it
//! in its request or response.

use serde_json::{Map, Value};

/// An object of the document.
pub(crate) type Object = Map<String, Value>;

/// The methods of a path item.
const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
/// Longest chain of references that is followed.
const MAX_REFERENCES: usize = 16;

/// Escapes a segment of a JSON pointer.
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// Returns a path without the names of its parameters.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|it| if it.starts_with('{') && it.ends_with('}') { "{}" } else { it });
    segments.collect::<Vec<&str>>().join("/")
}

/// Returns the object at a pointer.
pub(crate) fn object_at<'a>(document: &'a mut Value, pointer: &str) -> Option<&'a mut Object> {
    document.pointer_mut(pointer)?.as_object_mut()
}

/// Sets a member of the object at a pointer, if the object exists.
pub(crate) fn set(document: &mut Value, pointer: &str, key: &str, value: Value) {
    if let Some(object) = object_at(document, pointer) {
        object.insert(key.to_owned(), value);
    }
}

/// Removes a member of the object at a pointer.
pub(crate) fn remove(document: &mut Value, pointer: &str, key: &str) {
    if let Some(object) = object_at(document, pointer) {
        object.remove(key);
    }
}

/// Appends to a list member of the object at a pointer; adds the list if necessary.
pub(crate) fn push(document: &mut Value, pointer: &str, key: &str, value: Value) {
    if let Some(object) = object_at(document, pointer)
        && let Value::Array(list) = object.entry(key).or_insert_with(|| Value::Array(Vec::new()))
    {
        list.push(value);
    }
}

/// Adds a component schema.
pub(crate) fn add_schema(document: &mut Value, name: &str, schema: Value) {
    if let Some(schemas) = schemas(document) {
        schemas.insert(name.to_owned(), schema);
    }
}

/// Returns the component schemas.
pub(crate) fn schemas(document: &mut Value) -> Option<&mut Object> {
    let components = document.as_object_mut()?.entry("components").or_insert_with(|| Value::Object(Map::new()));
    components.as_object_mut()?.entry("schemas").or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

/// Adds an operation to the document.
pub(crate) fn add_operation(document: &mut Value, method: &str, path: &str, operation: Value) {
    let Some(paths) = object_at(document, "/paths") else {
        return;
    };
    let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(item) = item {
        item.insert(method.to_owned(), operation);
    }
}

/// Returns the pointer of the operation with the method and the end of path of `line`: `GET /downloads/{}`.
pub(crate) fn operation(document: &Value, line: &str) -> Option<String> {
    let (method, end) = line.split_once(' ')?;
    let method = method.to_lowercase();
    let paths = document.get("paths")?.as_object()?;
    let mut found: Vec<&String> = paths
        .iter()
        .filter(|(path, item)| shape(path).ends_with(end) && item.get(&method).is_some_and(Value::is_object))
        .map(|(path, _)| path)
        .collect();
    found.sort();
    found.first().map(|path| format!("/paths/{}/{method}", escape(path)))
}

/// Visits every operation: path, method, operation.
pub(crate) fn operations(document: &mut Value, visit: &mut dyn FnMut(&str, &str, &mut Object)) {
    let Some(paths) = object_at(document, "/paths") else {
        return;
    };
    for (path, item) in paths {
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                visit(path, method, operation);
            }
        }
    }
}

/// Follows references, and an `allOf` of one reference, and returns the pointer of the target.
pub(crate) fn resolved(document: &Value, pointer: &str) -> String {
    let mut at = pointer.to_owned();
    for _ in 0..MAX_REFERENCES {
        let Some(value) = document.pointer(&at) else {
            break;
        };
        let only = value.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1);
        let reference = value.get("$ref").or_else(|| only?.first()?.get("$ref")).and_then(Value::as_str);
        match reference.and_then(|reference| reference.strip_prefix('#')) {
            Some(target) => target.clone_into(&mut at),
            None => break,
        }
    }
    at
}

/// Returns the pointer of the first schema of a request body or response.
fn content(document: &Value, holder: &str) -> Option<String> {
    let at = resolved(document, holder);
    let all = document.pointer(&at)?.get("content")?.as_object()?;
    let (name, media) = all.iter().find(|(_, media)| media.get("schema").is_some())?;
    media.get("schema").map(|_| resolved(document, &format!("{at}/content/{}/schema", escape(name))))
}

/// Returns the pointer of the response schema of an operation.
pub(crate) fn response(document: &Value, line: &str) -> Option<String> {
    let at = format!("{}/responses", operation(document, line)?);
    let statuses = document.pointer(&at)?.as_object()?;
    let mut success: Vec<&String> = statuses.keys().filter(|status| status.starts_with('2')).collect();
    success.sort();
    success.into_iter().find_map(|status| content(document, &format!("{at}/{status}")))
}

/// Returns the pointer of the request schema of an operation.
pub(crate) fn request(document: &Value, line: &str) -> Option<String> {
    content(document, &format!("{}/requestBody", operation(document, line)?))
}

/// Returns the pointer of the schema of a property, references followed.
pub(crate) fn field(document: &Value, schema: &str, name: &str) -> Option<String> {
    let at = format!("{schema}/properties/{}", escape(name));
    document.pointer(&at).map(|_| resolved(document, &at))
}

/// Returns the pointer of the item schema of a list property.
pub(crate) fn items(document: &Value, schema: &str, name: &str) -> Option<String> {
    let at = format!("{}/items", field(document, schema, name)?);
    document.pointer(&at).map(|_| resolved(document, &at))
}

/// Visits every parameter that is no reference.
pub(crate) fn parameters(document: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    let mut each = |parameter: &mut Value| {
        if let Value::Object(parameter) = parameter
            && parameter.contains_key("name")
        {
            visit(parameter);
        }
    };
    if let Some(shared) = object_at(document, "/components/parameters") {
        shared.values_mut().for_each(&mut each);
    }
    let Some(paths) = object_at(document, "/paths") else {
        return;
    };
    for item in paths.values_mut() {
        let methods = METHODS.iter().map(Some).chain([None]);
        for method in methods {
            let holder = match method {
                Some(method) => item.get_mut(*method),
                None => Some(&mut *item),
            };
            if let Some(Value::Array(list)) = holder.and_then(|holder| holder.get_mut("parameters")) {
                list.iter_mut().for_each(&mut each);
            }
        }
    }
}

/// Visits the content of every request body and response.
pub(crate) fn contents(document: &mut Value, visit: &mut dyn FnMut(&mut Object, Side)) {
    let mut inside = |holder: &mut Value, side: Side| {
        if let Some(Value::Object(content)) = holder.get_mut("content") {
            visit(content, side);
        }
    };
    for (section, side) in [("requestBodies", Side::Request), ("responses", Side::Shared)] {
        if let Some(shared) = object_at(document, &format!("/components/{section}")) {
            shared.values_mut().for_each(|holder| inside(holder, side));
        }
    }
    operations(document, &mut |_, _, operation| {
        if let Some(body) = operation.get_mut("requestBody") {
            inside(body, Side::Request);
        }
        if let Some(Value::Object(responses)) = operation.get_mut("responses") {
            for (status, response) in responses {
                inside(response, if status.starts_with('2') { Side::Success } else { Side::Error });
            }
        }
    });
}

/// Owner of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Success,
    Error,
    /// A shared response, which may be a success or an error.
    Shared,
}

/// Visits every schema of the document, the outer schemas first.
pub(crate) fn every_schema(document: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    if let Some(schemas) = object_at(document, "/components/schemas") {
        schemas.values_mut().for_each(|schema| schema_and_inner(schema, visit));
    }
    parameters(document, &mut |parameter| {
        if let Some(schema) = parameter.get_mut("schema") {
            schema_and_inner(schema, visit);
        }
    });
    contents(document, &mut |content, _| {
        for media in content.values_mut() {
            if let Some(schema) = media.get_mut("schema") {
                schema_and_inner(schema, visit);
            }
        }
    });
}

/// Visits a schema and its inner schemas.
pub(crate) fn schema_and_inner(schema: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    let Value::Object(schema) = schema else {
        return;
    };
    visit(schema);
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = schema.get_mut(key) {
            schema_and_inner(inner, visit);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(|inner| schema_and_inner(inner, visit));
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(Value::Array(parts)) = schema.get_mut(key) {
            for inner in parts {
                schema_and_inner(inner, visit);
            }
        }
    }
}

/// Visits every object of the document.
pub(crate) fn every_object(value: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values_mut().for_each(|inner| every_object(inner, visit));
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| every_object(inner, visit)),
        _ => {}
    }
}

/// Returns a text member.
pub(crate) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}
