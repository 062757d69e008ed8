//! Gives operations and models the names of the contract.
//!
//! Why: the facade must compile with any document that names its operations, schemas and fields differently.
//! Finds: the operations and schemas in the mapping.
//! Holds afterwards: each operation of the contract exists under the contract's name, with the document's texts, tags, wire
//! path and further optional parameters. Its models have the contract's names, fields and types, and the document's further
//! fields. `x-wire-name(s)` contains differing names of the document. Operations that the document lacks are marked
//! `x-missing`. A schema mapped to one of the contract replaces it everywhere. All paths start with the server's path.
//! Everything outside the contract keeps its name.
//! Delete when: never.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::contract::{Contract, Need, OperationSpec, Rank, ResponseKind, Type, parameters};
use crate::mapping::{Mapping, OperationLocation, OperationMapping, SchemaMapping};
use crate::media_types::{self, Family};
use crate::names;
use crate::open_enums::reference;
use crate::tree::{self, NodeKind, Object, escape};

/// Applies the contract's names to the document; returns the number of inserted operations and schemas.
pub(crate) fn apply(document: &mut Value, contract: &Contract, mapping: &Mapping) -> usize {
    let operations = operations(document, contract, mapping);
    prepend_server_path(document, &mapping.server);
    let edits = put_operations(document, mapping, operations) + put_schemas(document, contract, mapping);
    tree::visit_kind(document, NodeKind::Parameter, &mut |parameter, _| mark_id(parameter, contract));
    rename_format_collisions(document, contract);
    edits
}

/// Renames operations whose id collides with an alternative format of a contract operation (`getComponentsXml`).
fn rename_format_collisions(document: &mut Value, contract: &Contract) {
    let plain = |id: &str| names::snake(id).replace('_', "");
    let forms = contract.operations.iter().filter(|(_, spec)| spec.xml).map(|(id, _)| plain(&format!("{id}Xml")));
    let mut taken: BTreeSet<String> = forms.collect();
    tree::visit_kind(document, NodeKind::Operation, &mut |operation, _| {
        let id = tree::text(operation, "operationId").unwrap_or_default().to_owned();
        if taken.contains(&plain(&id)) && !tree::is_true(operation, "x-canonical") {
            let other = names::numbered(&id, |candidate| taken.contains(&plain(candidate)));
            taken.insert(plain(&other));
            operation.insert(String::from("operationId"), json!(other));
        }
    });
}

/// Marks a path parameter of any operation that has the name of an id parameter in the contract.
fn mark_id(parameter: &mut Object, contract: &Contract) {
    let id = contract.id_of_parameter(tree::text(parameter, "name").unwrap_or_default()).map(str::to_owned);
    let in_path = tree::text(parameter, "in") == Some("path");
    if let (Some(id), Some(Value::Object(schema))) = (id, parameter.get_mut("schema"))
        && in_path
        && tree::text(schema, "type") == Some("string")
    {
        schema.insert(String::from("x-id"), json!(id));
    }
}

/// Returns the operations of the contract: wire path, method, operation.
fn operations(document: &Value, contract: &Contract, mapping: &Mapping) -> Vec<(String, String, Object)> {
    let mut made = Vec::new();
    for (id, spec) in &contract.operations {
        let absent = OperationMapping::default();
        let mapped = mapping.operations.get(id).unwrap_or(&absent);
        let given = mapped.location.as_ref().and_then(|place| {
            document.pointer(&format!("/paths/{}/{}", escape(&place.path), place.method))?.as_object()
        });
        let path = mapped.location.as_ref().map_or_else(|| spec.path().to_owned(), |place| place.wire.clone());
        let mut operation = operation(id, spec, contract, mapped, given);
        if let Some(items) = list_field(spec, mapping) {
            let form = mapped.paging.unwrap_or("none");
            operation.insert(String::from("x-paging"), json!({"form": form, "items": items}));
        }
        made.push((path, spec.method(), operation));
    }
    made
}

/// Returns the document's name of the response field that holds the list, which the client needs for reading a list
/// incrementally.
fn list_field<'a>(spec: &'a OperationSpec, mapping: &'a Mapping) -> Option<&'a String> {
    let items = spec.items.as_ref()?;
    let ResponseKind::Json(schema) = spec.answers() else { return Some(items) };
    let sources = mapping.schemas.get(schema).map(Vec::as_slice).unwrap_or_default();
    Some(sources.iter().find_map(|bound| bound.fields.get(items)?.wire.as_ref()).unwrap_or(items))
}

fn operation(
    id: &str,
    spec: &OperationSpec,
    contract: &Contract,
    mapped: &OperationMapping,
    given: Option<&Object>,
) -> Object {
    let mut made = Object::new();
    let keep =
        ["tags", "summary", "description", "deprecated", "security", "x-provenance", "x-accept", "x-content-type"];
    for key in keep {
        if let Some(value) = given.and_then(|given| given.get(key)) {
            made.insert(key.to_owned(), value.clone());
        }
    }
    made.insert(String::from("operationId"), json!(id));
    made.insert(String::from("x-canonical"), json!(true));
    made.insert(String::from("x-needed"), json!(spec.rank == Rank::Core));
    if let Some(place) = &mapped.location {
        made.insert(String::from("x-document-id"), json!(place.id));
    } else {
        let text = "Not in the document of this build: the call fails before anything is sent.";
        made.insert(String::from("tags"), json!([spec.tag]));
        made.insert(String::from("description"), json!(text));
        made.insert(String::from("x-missing"), json!(true));
        made.insert(String::from("x-accept"), json!("application/json"));
    }
    made.insert(String::from("parameters"), Value::Array(all_parameters(spec, contract, mapped, given)));
    let described = given.and_then(|given| tree::object(given, "requestBody")?.get("description")).cloned();
    let described = described.unwrap_or_else(|| json!(""));
    if let Some(takes) = &spec.takes {
        made.insert(
            String::from("requestBody"),
            json!({
                "required": true,
                "description": described,
                "content": {"application/json": {"schema": fixed_reference(takes)}},
            }),
        );
    } else if let Some(part) = &spec.part {
        let wire = mapped.part.as_ref().unwrap_or(part);
        made.insert(String::from("x-part"), json!(wire));
        if !mapped.parts.is_empty() {
            let parts = mapped.parts.iter().map(|(name, (part, required))| {
                let default = spec.query.get(name).and_then(|query| query.default.as_ref()).filter(|_| *required);
                (name.clone(), json!({"part": part, "default": default}))
            });
            made.insert(String::from("x-parts"), Value::Object(parts.collect()));
        }
        made.insert(
            String::from("requestBody"),
            json!({
                "required": true,
                "description": described,
                "content": {"multipart/form-data": {"schema": {"type": "object"}}},
            }),
        );
    }
    answers(spec, mapped, given, &mut made);
    let documented = given.map(media_types::of_success).unwrap_or_default();
    if spec.answers() == ResponseKind::Bytes
        && !documented.is_empty()
        && documented.iter().all(|name| media_types::family(name) == Family::Json)
    {
        // Services may send the file under another media type than the declared JSON.
        made.insert(String::from("x-accept"), json!("*/*"));
    }
    let missing: BTreeMap<&String, &Option<String>> = mapped
        .query
        .iter()
        .filter(|(_, wire)| wire.is_none())
        .filter_map(|(name, _)| Some((name, &spec.query.get(name)?.default)))
        .collect();
    if !missing.is_empty() {
        made.insert(String::from("x-missing-query"), json!(missing));
    }
    made
}

/// Returns the parameters of the path, those of the contract, and further optional ones of the document.
fn all_parameters(
    spec: &OperationSpec,
    contract: &Contract,
    mapped: &OperationMapping,
    given: Option<&Object>,
) -> Vec<Value> {
    let documented: Vec<&Object> = given
        .and_then(|given| given.get("parameters"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .collect();
    let mut made: Vec<Value> = Vec::new();
    let positions: Vec<&str> =
        mapped.location.as_ref().map(|place| parameters(&place.path).collect()).unwrap_or_default();
    let wire: Vec<&str> = mapped.location.as_ref().map(|place| parameters(&place.wire).collect()).unwrap_or_default();
    for name in parameters(spec.path()) {
        let theirs = wire.iter().position(|known| *known == name).and_then(|at| positions.get(at));
        let documented = documented.iter().find(|parameter| {
            tree::text(parameter, "in") == Some("path") && tree::text(parameter, "name") == theirs.copied()
        });
        let id = contract.id_of_parameter(name).unwrap_or_default();
        let mut parameter = json!({"name": name, "in": "path", "required": true, "x-canonical": true, "schema": {"type": "string", "x-id": id}});
        describe(&mut parameter, documented.copied());
        made.push(parameter);
    }
    for (name, query) in &spec.query {
        let wire = mapped.query.get(name).cloned().flatten();
        let place = if mapped.headers.contains(name) { "header" } else { "query" };
        let documented = documented.iter().find(|parameter| {
            tree::text(parameter, "in") == Some(place) && tree::text(parameter, "name") == wire.as_deref()
        });
        let schema = contract.kind(&query.is).map(|kind| schema_of(&kind)).unwrap_or_default();
        let mut parameter = json!({"name": name, "in": place, "x-canonical": true, "schema": schema});
        describe(&mut parameter, documented.copied());
        if wire.is_none() {
            let unless = query.default.as_ref().map_or_else(String::new, |value| format!(" unless it is {value}"));
            parameter["description"] = json!(format!("Not in the document of this build: the call fails{unless}."));
        } else if wire.as_ref() != Some(name) {
            parameter["x-wire-name"] = json!(wire);
        }
        made.push(parameter);
    }
    for parameter in documented {
        let name = tree::text(parameter, "name").unwrap_or_default();
        let taken = mapped.query.values().any(|wire| wire.as_deref() == Some(name));
        match tree::text(parameter, "in") {
            Some("query" | "header") if !taken => made.push(Value::Object(parameter.clone())),
            _ => {}
        }
    }
    made
}

fn describe(made: &mut Value, documented: Option<&Object>) {
    for key in ["description", "deprecated"] {
        if let Some(value) = documented.and_then(|documented| documented.get(key)) {
            made[key] = value.clone();
        }
    }
}

fn answers(spec: &OperationSpec, mapped: &OperationMapping, given: Option<&Object>, made: &mut Object) {
    let offered: BTreeSet<String> =
        given.map(media_types::of_success).unwrap_or_default().into_iter().map(str::to_owned).collect();
    let described = given.and_then(|given| {
        let responses = tree::object(given, "responses")?;
        let keys = tree::sorted_keys(responses);
        keys.iter().find_map(|status| responses.get(status)?.get("description")).cloned()
    });
    let described = described.unwrap_or_else(|| json!(""));
    let bytes = json!({"schema": {"type": "string", "format": "binary"}});
    let answer = match spec.answers() {
        ResponseKind::Empty => json!({"description": described}),
        ResponseKind::Bytes => {
            let mut content = Map::new();
            for media_type in offered.iter().filter(|name| media_types::family(name) != Family::Json) {
                content.insert(media_type.clone(), bytes.clone());
            }
            if content.is_empty() {
                content.insert(String::from("application/octet-stream"), bytes);
            }
            json!({"description": described, "content": content})
        }
        ResponseKind::Json(schema) => {
            let mut content = Map::new();
            content.insert(String::from("application/json"), json!({"schema": fixed_reference(schema)}));
            for media_type in offered.iter().filter(|name| media_types::family(name) != Family::Json && *name != "*/*")
            {
                content.insert(media_type.clone(), json!({"schema": {"type": "string"}}));
            }
            let has_xml = offered.iter().any(|name| media_types::family(name) == Family::Xml);
            if spec.xml && !has_xml {
                content.insert(String::from("application/xml"), json!({"schema": {"type": "string"}}));
                if mapped.location.is_some() {
                    made.insert(String::from("x-missing-forms"), json!(["xml"]));
                }
            }
            json!({"description": described, "content": content})
        }
    };
    let statuses: Vec<String> = spec.success.iter().map(u16::to_string).collect();
    let responses: Object = statuses.into_iter().map(|status| (status, answer.clone())).collect();
    made.insert(String::from("responses"), Value::Object(responses));
}

/// Prepends the server's path to every path.
fn prepend_server_path(document: &mut Value, server: &str) {
    if server.is_empty() {
        return;
    }
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        let all = std::mem::take(paths);
        *paths = all
            .into_iter()
            .map(|(path, item)| if path.starts_with("x-") { (path, item) } else { (format!("{server}{path}"), item) })
            .collect();
    }
}

fn put_operations(document: &mut Value, mapping: &Mapping, operations: Vec<(String, String, Object)>) -> usize {
    let count = operations.len();
    let Some(Value::Object(paths)) = document.get_mut("paths") else {
        return 0;
    };
    let places: Vec<&OperationLocation> =
        mapping.operations.values().filter_map(|mapped| mapped.location.as_ref()).collect();
    for place in places {
        let path = format!("{}{}", mapping.server, place.path);
        if let Some(Value::Object(item)) = paths.get_mut(&path) {
            item.remove(&place.method);
            if !tree::METHODS.iter().any(|method| item.contains_key(*method)) {
                paths.remove(&path);
            }
        }
    }
    for (path, method, operation) in operations {
        let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(item) = item {
            item.insert(method, Value::Object(operation));
        }
    }
    count
}

fn put_schemas(document: &mut Value, contract: &Contract, mapping: &Mapping) -> usize {
    let replaced_schemas = replaced_schemas(mapping);
    let mut made: BTreeMap<String, Value> = BTreeMap::new();
    for (name, spec) in &contract.schemas {
        let sources = mapping.schemas.get(name).map(Vec::as_slice).unwrap_or_default();
        made.insert(name.clone(), Value::Object(model(contract, spec, sources)));
    }
    for (name, spec) in &contract.enums {
        let mut values: Vec<String> = spec.values.clone();
        for value in mapping.enums.get(name).into_iter().flatten() {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        let description = enum_description(document, name);
        made.insert(
            name.clone(),
            json!({"type": "string", "enum": values, "x-canonical": true, "description": description}),
        );
    }
    let renamed = renamed(document, &made, &replaced_schemas);
    let count = made.len();
    if let Some(schemas) = tree::schemas_mut(document) {
        for name in replaced_schemas.keys() {
            schemas.remove(name);
        }
        for (old, new) in &renamed {
            if let Some(schema) = schemas.remove(old) {
                schemas.insert(new.clone(), schema);
            }
        }
        // An enum or schema with a contract name is replaced by the contract's.
        for (name, schema) in made {
            schemas.insert(name, schema);
        }
    }
    let target = |name: &str| replaced_schemas.get(name).or_else(|| renamed.get(name));
    tree::visit_all(document, &mut |node, object, _| {
        if node != NodeKind::Schema || tree::is_true(object, "x-settled") {
            return;
        }
        if let Some(name) = tree::schema_name(object)
            && let Some(new) = target(&tree::segments(&format!("/{name}")).join("/"))
        {
            object.insert(String::from("$ref"), json!(format!("#/components/schemas/{}", escape(new))));
        }
    });
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        schema.remove("x-settled");
    });
    count
}

/// Returns the description of the document's enum with the same name.
fn enum_description(document: &Value, name: &str) -> Value {
    let own = document.pointer(&format!("/components/schemas/{}/description", escape(name)));
    own.cloned().unwrap_or_else(|| json!("An open enum."))
}

/// Returns the document's schemas that one contract schema replaces everywhere. A schema for both requests and responses is
/// replaced by the response schema.
fn replaced_schemas(mapping: &Mapping) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for requests in [false, true] {
        for (canonical, sources) in &mapping.schemas {
            for bound in sources.iter().filter(|bound| bound.is_request == requests) {
                if let Some(name) = &bound.name {
                    let same = name == canonical;
                    if same || !all.contains_key(name) {
                        all.insert(name.clone(), canonical.clone());
                    }
                }
            }
        }
    }
    all
}

/// Returns new names for schemas of the document whose names the contract uses.
fn renamed(
    document: &mut Value,
    made: &BTreeMap<String, Value>,
    replaced_schemas: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let Some(schemas) = tree::schemas_mut(document) else {
        return BTreeMap::new();
    };
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeSet<String> = schemas.keys().chain(made.keys()).map(|name| names::pascal(name)).collect();
    for name in tree::sorted_keys(schemas) {
        let is_set = made.get(&name).is_some_and(|made| made.get("enum").is_some())
            && schemas.get(&name).is_some_and(|schema| schema.get("enum").is_some());
        let collides = made.keys().any(|canonical| names::pascal(canonical) == names::pascal(&name));
        if collides && !is_set && !replaced_schemas.contains_key(&name) {
            let new = names::numbered(&names::pascal(&name), |candidate| taken.contains(candidate));
            taken.insert(new.clone());
            renamed.insert(name, new);
        }
    }
    renamed
}

/// Returns a model of the contract, with the further fields of the document's schemas.
fn model(contract: &Contract, spec: &crate::contract::SchemaSpec, sources: &[SchemaMapping]) -> Object {
    let mut properties = Object::new();
    let mut required: Vec<Value> = Vec::new();
    let mut wire_names = Object::new();
    let mut read_also = Object::new();
    for (field, field_spec) in &spec.fields {
        let found: Vec<_> = sources.iter().filter_map(|bound| bound.fields.get(field)).collect();
        let wires: Vec<&String> = found.iter().filter_map(|found| found.wire.as_ref()).collect();
        let uses_document_type = found.iter().find(|found| found.uses_document_type);
        let mut schema = match (uses_document_type, contract.kind(field_spec.is())) {
            (Some(found), _) => found.schema.as_object().cloned().unwrap_or_default(),
            (None, Some(kind)) => schema_of(&kind).as_object().cloned().unwrap_or_default(),
            (None, None) => Object::new(),
        };
        let documented = found.iter().find(|found| found.wire.is_some()).and_then(|found| found.schema.as_object());
        if uses_document_type.is_none() {
            let description = match documented {
                Some(documented) => tree::text(documented, "description").map(str::to_owned),
                None => Some(String::from("Not in the document of this build: always empty.")),
            };
            schema = with_description(schema, description);
            if documented.is_some_and(|documented| tree::is_true(documented, "deprecated")) {
                schema.insert(String::from("deprecated"), json!(true));
            }
        }
        properties.insert(field.clone(), Value::Object(schema));
        if field_spec.need() == Need::Always {
            required.push(json!(field));
        }
        if let Some((first, others)) = wires.split_first() {
            if *first != field {
                wire_names.insert(field.clone(), json!(first));
            }
            let others: BTreeSet<&String> = others.iter().copied().filter(|wire| wire != first).collect();
            if !others.is_empty() {
                read_also.insert(field.clone(), json!(others));
            }
        }
    }
    for bound in sources {
        for (name, schema) in &bound.extra_fields {
            // Another schema may use this name for a field of the contract.
            let is_field =
                sources.iter().flat_map(|other| other.fields.values()).any(|field| field.wire.as_ref() == Some(name));
            if !is_field && !properties.contains_key(name) {
                properties.insert(name.clone(), schema.clone());
            }
        }
    }
    let mut made = Object::new();
    made.insert(String::from("type"), json!("object"));
    made.insert(String::from("x-canonical"), json!(true));
    made.insert(String::from("x-canonical-fields"), json!(spec.fields.keys().collect::<Vec<_>>()));
    made.insert(String::from("properties"), Value::Object(properties));
    if let Some(description) = sources.iter().find_map(|bound| bound.description.as_ref()) {
        made.insert(String::from("description"), json!(description));
    }
    if !required.is_empty() {
        made.insert(String::from("required"), Value::Array(required));
    }
    for (key, names) in [("x-wire-names", wire_names), ("x-read-also", read_also)] {
        if !names.is_empty() {
            made.insert(key.to_owned(), Value::Object(names));
        }
    }
    made
}

fn with_description(mut schema: Object, description: Option<String>) -> Object {
    if let Some(description) = description {
        if schema.contains_key("$ref") {
            let name = tree::schema_name(&schema).unwrap_or_default().to_owned();
            let mut wrapped = reference(&name, Some(json!(description)));
            if let Some(Value::Array(parts)) = wrapped.get_mut("allOf") {
                for part in parts {
                    part["x-settled"] = json!(true);
                }
            }
            return wrapped;
        }
        schema.insert(String::from("description"), json!(description));
    }
    schema
}

/// Returns a reference to a contract schema, which renaming must not change.
fn fixed_reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}"), "x-settled": true})
}

/// Returns a type of the contract as a schema, with references that renaming must not change.
fn schema_of(kind: &Type<'_>) -> Value {
    match kind {
        Type::Text => json!({"type": "string"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Number => json!({"type": "number"}),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Id(id) => json!({"type": "string", "x-id": id}),
        Type::Enum(name) | Type::Schema(name) => fixed_reference(name),
        Type::List(inner) => json!({"type": "array", "items": schema_of(inner)}),
        Type::Map(inner) => json!({"type": "object", "additionalProperties": schema_of(inner)}),
    }
}
