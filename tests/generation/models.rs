//! Properties of the models: values that the document allows and unknown fields survive a round trip; other values are at worst an error.
//!
//! A round trip drops known fields that are `null` and, in responses, known lists and maps that are empty, because both are equivalent
//! to absence.

use std::sync::LazyLock;

use documine_api::{DOCUMENT, types};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::responses::round_trip;
use crate::properties::cases;

static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(DOCUMENT).expect("the document is JSON");
    document["components"]["schemas"].as_object().cloned().expect("the document has schemas")
});

/// Fields with free text; other strings may be ids.
const FREE_TEXT_FIELDS: [&str; 17] = [
    "description",
    "email",
    "errorMessage",
    "fileName",
    "firstName",
    "lastName",
    "licensedTo",
    "message",
    "mimeType",
    "month",
    "name",
    "originalValue",
    "product",
    "type",
    "username",
    "value",
    "valueDescription",
];

/// A value and the expected result of the round trip.
type RoundTrip = (Value, Value);

/// Generates any JSON.
fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,5}", inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Returns a value that a round trip does not change.
fn unchanged(value: Value) -> RoundTrip {
    (value.clone(), value)
}

/// Generates values that `schema` allows for the field `member`.
fn allowed(schema: &Value, member: &str, request: bool) -> BoxedStrategy<RoundTrip> {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return model(name, request);
    }
    if let Some(known) = schema["enum"].as_array() {
        let known = prop::sample::select(known.clone());
        return prop_oneof![known, "[A-Z_]{0,9}".prop_map(Value::from), ".{0,5}".prop_map(Value::from)]
            .prop_map(unchanged)
            .boxed();
    }
    let least = usize::from(request);
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => any::<bool>().prop_map(Value::from).prop_map(unchanged).boxed(),
        "integer" if schema["format"] == "int32" => any::<i32>().prop_map(Value::from).prop_map(unchanged).boxed(),
        "integer" => any::<i64>().prop_map(Value::from).prop_map(unchanged).boxed(),
        "array" => vec(allowed(&schema["items"], member, request), least..3)
            .prop_map(|elements| {
                let (given, wanted): (Vec<_>, Vec<_>) = elements.into_iter().unzip();
                (given.into(), wanted.into())
            })
            .boxed(),
        "object" => btree_map(".{0,5}", allowed(&schema["additionalProperties"], "value", request), least..3)
            .prop_map(|members| {
                let parts = members.into_iter().map(|(name, (given, wanted))| ((name.clone(), given), (name, wanted)));
                let (given, wanted): (Map<_, _>, Map<_, _>) = parts.unzip();
                (given.into(), wanted.into())
            })
            .boxed(),
        _ if FREE_TEXT_FIELDS.contains(&member) || schema["format"] == "date-time" => {
            ".{0,8}".prop_map(Value::from).prop_map(unchanged).boxed()
        }
        _ => "[a-zA-Z0-9ü/ .%-]{0,6}[a-z0-9]".prop_map(Value::from).prop_map(unchanged).boxed(),
    }
}

/// Generates values of the named model with unknown fields.
fn model(name: &str, request: bool) -> BoxedStrategy<RoundTrip> {
    let schema = &SCHEMAS[name];
    let Some(properties) = schema["properties"].as_object() else { return allowed(schema, name, request) };
    let required =
        |member: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member));
    let members: Vec<BoxedStrategy<Option<(String, RoundTrip)>>> = properties
        .iter()
        .map(|(member, schema)| {
            let (name, value) = (member.clone(), allowed(schema, member, request));
            let there = value.prop_map(move |pair| Some((name.clone(), pair))).boxed();
            if required(member) {
                return there;
            }
            let null = Some((member.clone(), (Value::Null, Value::Null)));
            prop_oneof![4 => there, 1 => Just(null), 2 => Just(None)].boxed()
        })
        .collect();
    let unknown = btree_map("x-.{0,5}", any_json(), 0..3);
    let built = (members, unknown).prop_map(|(members, unknown)| {
        let (mut given, mut wanted) = (Map::new(), Map::new());
        for (name, (value, result)) in members.into_iter().flatten() {
            given.insert(name.clone(), value);
            if ![json!(null), json!([]), json!({})].contains(&result) {
                wanted.insert(name, result);
            }
        }
        given.extend(unknown.clone());
        wanted.extend(unknown);
        (Value::Object(given), Value::Object(wanted))
    });
    built.boxed()
}

/// Generates values of every model, with the name of the model.
fn any_model() -> BoxedStrategy<(String, RoundTrip)> {
    let names = SCHEMAS.iter().filter(|(_, schema)| schema.get("properties").is_some()).map(|(name, _)| name.clone());
    let each = names.map(|name| {
        let strategy = model(&name, name.ends_with("Request"));
        strategy.prop_map(move |pair| (name.clone(), pair)).boxed()
    });
    prop::strategy::Union::new(each).boxed()
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn preserves_values_that_the_document_allows((name, (given, wanted)) in any_model()) {
        let written = round_trip(&name, &given).map_err(|error| TestCaseError::fail(format!("{name}: {error}")))?;
        prop_assert_eq!(written, wanted, "{}", name);
    }

    #[test]
    fn reads_or_rejects_fields_with_any_json(
        (name, (mut given, _)) in any_model(),
        member in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let names: Vec<String> = SCHEMAS[&name]["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        given[member.get(&names).as_str()] = value;
        if let Ok(written) = round_trip(&name, &given) {
            prop_assert_eq!(round_trip(&name, &written), Ok(written));
        }
    }

    #[test]
    fn reads_or_rejects_any_json(value in any_json()) {
        for name in SCHEMAS.iter().filter(|(_, schema)| schema.get("properties").is_some()).map(|(name, _)| name) {
            if let Ok(written) = round_trip(name, &value) {
                prop_assert_eq!(round_trip(name, &written), Ok(written), "{}", name);
            }
        }
    }

    #[test]
    fn reads_or_rejects_any_bytes(bytes in vec(any::<u8>(), 0..60), cut in any::<prop::sample::Index>(), (given, _) in model("FileList", false)) {
        let _ = serde_json::from_slice::<types::FileList>(&bytes);
        // A truncated document is an error; text and parsed JSON give the same model.
        let text = given.to_string();
        prop_assert!(serde_json::from_slice::<types::FileList>(&text.as_bytes()[..cut.index(text.len())]).is_err());
        let value: Value = serde_json::from_str(&text)?;
        prop_assert_eq!(serde_json::from_str::<types::FileList>(&text)?, serde_json::from_value(value)?);
    }
}
