//! Round trips of every response example in the document, also with changes that a newer or careless service may make.

use std::collections::BTreeSet;

use documine_api::{DOCUMENT, types};
use serde_json::{Map, Value, json};

/// Deserializes JSON as the named model and serializes the model again.
pub(super) fn round_trip(model: &str, value: &Value) -> Result<Value, String> {
    macro_rules! models {
        ($($name:ident)*) => {
            match model {
                $(stringify!($name) => {
                    let read: types::$name = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
                    let written = serde_json::to_value(&read).map_err(|error| error.to_string())?;
                    let again: types::$name = serde_json::from_value(written.clone()).map_err(|error| error.to_string())?;
                    assert_eq!(again, read, "the serialized model deserializes to the same model");
                    Ok(written)
                })*
                other => panic!("this test does not list the model `{other}` of the document"),
            }
        };
    }
    models! {
        BulkDownloadRequest ComponentDetails ComponentValue Dossier DossierComponents DossierList DossierRequest
        DossierTemplate DossierTemplateList DownloadList DownloadReference DownloadRequest DownloadStatus EntityReference
        ErrorMessage FileComponents FileList FileStatus FileUploadResult License LicenseUsage MonthlyUsage User UserList
    }
}

fn document() -> Value {
    serde_json::from_str(DOCUMENT).expect("the document is JSON")
}

/// Returns every example of a request or response body with a model: JSON pointer, model, example.
fn examples() -> Vec<(String, String, Value)> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<(String, String, Value)>) {
        match value {
            Value::Object(map) => {
                let reference = value.pointer("/schema/$ref").and_then(Value::as_str);
                if let Some(model) = reference.and_then(|reference| reference.rsplit('/').next()) {
                    let one = map.get("example").map(|example| (String::from("example"), example.clone()));
                    let many = map.get("examples").and_then(Value::as_object).into_iter().flatten();
                    let many = many.map(|(name, example)| (name.clone(), example["value"].clone()));
                    for (name, example) in one.into_iter().chain(many) {
                        found.push((format!("{pointer}/{name}"), String::from(model), example));
                    }
                }
                for (key, inner) in map {
                    collect(inner, &format!("{pointer}/{}", key.replace('/', "~1")), found);
                }
            }
            Value::Array(list) => {
                for (index, inner) in list.iter().enumerate() {
                    collect(inner, &format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&document(), "", &mut found);
    found
}

/// Removes members that are `null`, an empty list or an empty map.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.iter().map(|(key, value)| (key.clone(), without_empty(value)));
            let empty = [json!(null), json!([]), json!({})];
            Value::Object(members.filter(|(_, value)| !empty.contains(value)).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_empty).collect()),
        other => other.clone(),
    }
}

/// Returns the JSON pointers of all inner values, outermost first.
fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
            }
            Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in inner {
            let here = format!("{pointer}/{key}");
            found.push(here.clone());
            collect(value, &here, found);
        }
    }
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

#[test]
fn preserves_every_example() {
    let examples = examples();
    assert!(examples.len() >= 20, "{}", examples.len());
    for (place, model, example) in examples {
        let written = round_trip(&model, &example).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(without_empty(&written), without_empty(&example), "{place}");
    }
}

#[test]
fn covers_every_model_of_the_document() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("the document has schemas");
    for (name, schema) in schemas {
        if schema.get("properties").is_some() {
            // An empty object lacks at most an id; `round_trip` panics for models that it does not list.
            let _ = round_trip(name, &json!({}));
        }
    }
}

#[test]
fn preserves_unknown_fields_at_every_level() {
    for (place, model, example) in examples() {
        let mut given = example.clone();
        for pointer in std::iter::once(String::new()).chain(pointers(&example)) {
            // Maps from labels to values have no unknown fields.
            let is_map = ["Attributes", "components", "componentDetails"].iter().any(|name| pointer.ends_with(name));
            if let Some(Value::Object(object)) = given.pointer_mut(&pointer)
                && !is_map
            {
                object.insert(String::from("x-new"), json!({"deep": [1, {"b": null, "a": 1.5}], "none": null}));
            }
        }
        let written = round_trip(&model, &given).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(without_empty(&written), without_empty(&given), "{place}");
    }
}

/// Returns `true` for ids and names, whose absence is an error.
fn is_required(pointer: &str) -> bool {
    let parts: Vec<&str> = pointer.split('/').collect();
    let member = parts.last().copied().unwrap_or_default();
    // The ids of entity references are not used in paths and therefore optional.
    let is_own_id = member == "id" && !pointer.contains("entityReferences");
    is_own_id || ["fileId", "downloadId", "name"].contains(&member)
}

#[test]
fn accepts_null_and_absence_of_every_optional_field() {
    let mut tried = 0;
    let answers = examples().into_iter().filter(|(place, ..)| place.contains("/responses/"));
    for (place, model, example) in answers {
        for pointer in pointers(&example) {
            if is_required(&pointer) {
                continue;
            }
            let mut given = example.clone();
            if let Some(value) = given.pointer_mut(&pointer) {
                *value = Value::Null;
            }
            round_trip(&model, &given).unwrap_or_else(|error| panic!("{place}, null at {pointer}: {error}"));
            tried += 1;

            let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
            let mut given = example.clone();
            if let Some(Value::Object(object)) = given.pointer_mut(parent) {
                object.remove(&member.replace("~1", "/").replace("~0", "~"));
            }
            round_trip(&model, &given).unwrap_or_else(|error| panic!("{place}, {pointer} removed: {error}"));
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn preserves_unknown_enum_values() {
    let document = document();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for schema in document["components"]["schemas"].as_object().into_iter().flat_map(Map::values) {
        for value in schema["enum"].as_array().into_iter().flatten() {
            known.extend(value.as_str().map(String::from));
        }
    }
    let mut changed = 0;
    for (place, model, example) in examples() {
        let mut given = example.clone();
        for pointer in pointers(&example) {
            if let Some(Value::String(text)) = given.pointer_mut(&pointer)
                && known.contains(text.as_str())
            {
                text.push_str("_OF_TOMORROW");
                changed += 1;
            }
        }
        let written = round_trip(&model, &given).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(without_empty(&written), without_empty(&given), "{place}");
    }
    assert!(changed > 20, "{changed}");
}

#[test]
fn accepts_any_timestamp_and_blank_optional_ids() {
    let file = json!({"id": "f", "added": "yesterday", "lastUpdated": "2020-01-23T04:56:07", "assignee": "", "dossierId": null});
    let read: types::FileStatus = serde_json::from_value(file).expect("reads");
    assert_eq!(read.added.map(|time| time.to_string()).as_deref(), Some("yesterday"));
    assert_eq!(read.assignee, None);
    for id in ["", "..", "."] {
        let refused = serde_json::from_value::<types::FileStatus>(json!({"id": id}));
        assert!(refused.is_err(), "invalid file id accepted: {id:?}");
    }
}

#[test]
fn preserves_the_order_of_components() {
    let text = r#"{"fileId": "f", "components": {"Z": ["1"], "A": [], "M": null, "B": ["2", "3"]}}"#;
    let read: types::FileComponents = serde_json::from_str(text).expect("reads");
    let names: Vec<&str> = read.components.keys().map(String::as_str).collect();
    assert_eq!(names, ["Z", "A", "M", "B"]);
    let written = serde_json::to_string(&read).expect("writes");
    assert!(written.contains(r#""components":{"Z":["1"],"A":[],"M":[],"B":["2","3"]}"#), "{written}");
}

#[test]
fn sends_empty_lists_and_omits_unset_fields() {
    let mut request = types::DossierRequest::default();
    request.name = String::from("Q3");
    assert_eq!(serde_json::to_value(&request).expect("writes"), json!({"name": "Q3"}));
    request.member_ids = Some(Vec::new());
    request.dossier_attributes = Some(documine_api::IndexMap::new());
    assert_eq!(
        serde_json::to_value(&request).expect("writes"),
        json!({"name": "Q3", "memberIds": [], "dossierAttributes": {}})
    );
}
