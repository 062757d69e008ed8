//! Other forms of schemas: inline, composed, recursive, many.

use serde_json::{Map, Value, json};

use crate::lookup::{self, Object};

/// Highest number of values that inlining copies, so that documents with many references stay small.
const MAX_COPIED_VALUES: usize = 20_000;

/// Schemas are inlined, except recursive ones.
pub fn inlined(document: &mut Value) {
    let Some(schemas) = lookup::schemas(document).cloned() else {
        return;
    };
    let mut copied = 0;
    let mut inside = |schema: &mut Value| inline(schema, &schemas, &mut Vec::new(), &mut copied);
    lookup::parameters(document, &mut |parameter| {
        if let Some(schema) = parameter.get_mut("schema") {
            inside(schema);
        }
    });
    lookup::contents(document, &mut |content, _| {
        for media in content.values_mut() {
            if let Some(schema) = media.get_mut("schema") {
                inside(schema);
            }
        }
    });
    if let Some(left) = lookup::schemas(document) {
        left.values_mut().for_each(inside);
    }
    // Removes schemas without a reference.
    let mut wanted: Vec<String> = Vec::new();
    lookup::every_object(document, &mut |object| wanted.extend(lookup::text(object, "$ref").map(str::to_owned)));
    if let Some(left) = lookup::schemas(document) {
        left.retain(|name, _| wanted.contains(&format!("#/components/schemas/{}", lookup::escape(name))));
    }
}

fn inline(schema: &mut Value, schemas: &Object, inside: &mut Vec<String>, copied: &mut usize) {
    if let Some(name) =
        schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/components/schemas/"))
    {
        let name = name.replace("~1", "/").replace("~0", "~");
        if inside.contains(&name) || *copied > MAX_COPIED_VALUES {
            return;
        }
        if let Some(target) = schemas.get(&name) {
            *copied += size(target);
            *schema = target.clone();
            inside.push(name);
            inline(schema, schemas, inside, copied);
            inside.pop();
        }
        return;
    }
    let Value::Object(object) = schema else {
        return;
    };
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = object.get_mut(key) {
            inline(inner, schemas, inside, copied);
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|inner| inline(inner, schemas, inside, copied));
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(Value::Array(parts)) = object.get_mut(key) {
            for inner in parts {
                inline(inner, schemas, inside, copied);
            }
        }
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.values().map(size).sum::<usize>(),
        Value::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// A property that refers to a schema does so by `allOf`, with a text of its own beside it.
pub fn wrapped_in_all_of(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else {
            return;
        };
        for property in properties.values_mut() {
            if property.get("$ref").is_some() {
                *property = json!({"allOf": [property.clone()], "description": "Wrapped.", "nullable": true});
            }
        }
    });
}

/// Each model is an `allOf` of a base, its own fields and its required list.
pub fn split_into_all_of(document: &mut Value) {
    let Some(schemas) = lookup::schemas(document) else {
        return;
    };
    let mut bases: Vec<(String, Value)> = Vec::new();
    for (name, schema) in schemas.iter_mut() {
        let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|all| all.len() > 1) else {
            continue;
        };
        let base: Object =
            properties.iter().take(properties.len() / 2).map(|(name, it)| (name.clone(), it.clone())).collect();
        let own: Object =
            properties.iter().skip(properties.len() / 2).map(|(name, it)| (name.clone(), it.clone())).collect();
        let required = schema.get("required").cloned().unwrap_or_else(|| json!([]));
        let base_name = format!("{name}Base");
        let mut parts = vec![
            json!({"$ref": format!("#/components/schemas/{}", lookup::escape(&base_name))}),
            json!({"type": "object", "properties": own}),
        ];
        if required.as_array().is_some_and(|required| !required.is_empty()) {
            parts.push(json!({"required": required}));
        }
        *schema = json!({"description": "Put together.", "allOf": parts});
        bases.push((base_name, json!({"type": "object", "properties": base})));
    }
    schemas.extend(bases);
}

/// Files and dossiers are class hierarchies: `oneOf` with a discriminator.
pub fn one_of_with_discriminator(document: &mut Value) {
    for (line, kinds) in
        [("GET /files/{}", ["PdfKind", "OfficeKind"]), ("GET /dossiers/{}", ["OpenKind", "ArchivedKind"])]
    {
        let Some(at) = lookup::response(document, line) else {
            continue;
        };
        let Some(schema) = document.pointer(&at).cloned() else {
            continue;
        };
        let base_name = format!("{}Common", kinds[0]);
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let mut base = schema;
        if let Some(Value::Object(properties)) = base.get_mut("properties") {
            properties.insert(String::from("kind"), json!({"type": "string"}));
        }
        for (number, kind) in kinds.iter().enumerate() {
            let own = json!({"type": "object", "properties": {format!("detail{number}"): {"type": "integer"}}});
            lookup::add_schema(document, kind, json!({"allOf": [reference(&base_name), own]}));
        }
        lookup::add_schema(document, &base_name, base);
        if let Some(place) = document.pointer_mut(&at) {
            let mapping: Map<String, Value> =
                kinds.iter().map(|kind| (kind.to_uppercase(), json!(format!("#/components/schemas/{kind}")))).collect();
            *place = json!({
                "oneOf": [reference(kinds[0]), reference(kinds[1])],
                "discriminator": {"propertyName": "kind", "mapping": mapping},
            });
        }
    }
}

/// Nullable properties are an `anyOf` with `null`.
pub fn any_of_with_null(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else {
            return;
        };
        for property in properties.values_mut() {
            if property.get("nullable") == Some(&Value::Bool(true)) && property.get("type").is_some() {
                let mut plain = property.clone();
                if let Value::Object(plain) = &mut plain {
                    plain.remove("nullable");
                }
                *property = json!({"anyOf": [plain, {"enum": [null], "nullable": true}]});
            }
        }
    });
}

/// Schemas with circles that are legal: through a list, a map, an optional field, two of them in turn.
pub fn recursive_schemas(document: &mut Value) {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let tree = json!({
        "type": "object",
        "properties": {
            "children": {"type": "array", "items": reference("Tree")},
            "byName": {"type": "object", "additionalProperties": reference("Tree")},
            "parent": reference("Tree"),
            "leaf": reference("Leaf"),
        },
    });
    lookup::add_schema(document, "Tree", tree);
    lookup::add_schema(
        document,
        "Leaf",
        json!({"type": "object", "properties": {"tree": {"allOf": [reference("Tree")], "nullable": true}}}),
    );
    let animal = json!({"oneOf": [reference("Cat"), reference("Dog")], "discriminator": {"propertyName": "kind"}});
    lookup::add_schema(document, "Animal", animal);
    for kind in ["Cat", "Dog"] {
        let own = json!({"type": "object", "properties": {"kind": {"type": "string"}, "friend": reference("Animal")}});
        lookup::add_schema(document, kind, own);
    }
    for line in ["GET /files/{}", "GET /dossiers/{}"] {
        if let Some(at) = lookup::response(document, line)
            && let Some(schema) = document.pointer(&at).cloned()
            && schema.get("properties").is_some()
        {
            lookup::add_schema(document, "Older", schema);
            lookup::set(document, &format!("{at}/properties"), "previous", reference("Older"));
            lookup::set(document, "/components/schemas/Older/properties", "previous", reference("Older"));
            lookup::set(document, "/components/schemas/Older/properties", "animal", reference("Animal"));
        }
    }
    let answer = json!({"description": "", "content": {"application/json": {"schema": reference("Tree")}}});
    lookup::add_operation(
        document,
        "get",
        "/api/tree",
        json!({"operationId": "getTree", "responses": {"200": answer}}),
    );
}

/// A reference leads into the middle of another schema, or to one that stands below an extension.
pub fn schema_in_odd_place(document: &mut Value) {
    lookup::set(
        document,
        "",
        "x-models",
        json!({"Hidden": {"type": "object", "properties": {"value": {"type": "string"}}}}),
    );
    lookup::add_schema(
        document,
        "Outer",
        json!({"type": "object", "properties": {"inner one": {"type": "object", "properties": {"deep": {"type": "integer"}}}}}),
    );
    let answer =
        |reference: &str| json!({"description": "", "content": {"application/json": {"schema": {"$ref": reference}}}});
    for (path, reference) in [
        ("/api/odd-place/1", "#/components/schemas/Outer/properties/inner%20one"),
        ("/api/odd-place/2", "#/x-models/Hidden"),
    ] {
        lookup::add_operation(document, "get", path, json!({"responses": {"200": answer(reference)}}));
    }
}

/// The document has hundreds of schemas.
pub fn many_schemas(document: &mut Value) {
    for number in 0..300 {
        let mut fields = Map::new();
        for field in 0..12 {
            fields.insert(format!("field{field}"), json!({"type": "string", "description": "A field."}));
        }
        if number % 50 > 0 {
            fields
                .insert(String::from("next"), json!({"$ref": format!("#/components/schemas/Generated{}", number - 1)}));
        }
        lookup::add_schema(document, &format!("Generated{number}"), json!({"type": "object", "properties": fields}));
    }
    let answer = json!({"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Generated299"}}}});
    lookup::add_operation(
        document,
        "get",
        "/api/generated",
        json!({"operationId": "getGenerated", "responses": {"200": answer}}),
    );
}

/// Objects are closed by `additionalProperties: false`.
pub fn closed_objects(document: &mut Value) {
    lookup::every_schema(document, &mut |schema| {
        if schema.contains_key("properties") {
            schema.insert(String::from("additionalProperties"), json!(false));
        }
    });
}
