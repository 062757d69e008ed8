//! Changes of a response's JSON, in the names of the contract. The order of the fields is kept.

use documine_api::IndexMap;
use serde_json::{Value, json};

use super::fault::Fault;
use crate::wire::OrderedJson;

/// Fields with one value of an enumeration.
const ENUMS: [&str; 3] = ["processingStatus", "workflowStatus", "status"];
/// Fields with a list of enumeration values.
const ENUM_LISTS: [&str; 1] = ["downloadFileTypes"];
/// Fields with objects whose keys are data.
const MAPS: [&str; 4] = ["components", "componentDetails", "dossierAttributes", "fileAttributes"];
/// A value outside every enumeration.
const UNKNOWN_VALUE: &str = "UNHEARD_OF";
/// A field outside every model.
const UNKNOWN_FIELD: &str = "xUnheardOf";

impl Fault {
    /// Returns the changed JSON of a response. `None` if the body is not JSON.
    pub(crate) fn changed_json(&self, json: &[u8]) -> Option<Vec<u8>> {
        let mut tree: OrderedJson = serde_json::from_slice(json).ok()?;
        if self.unknown_enum {
            unknown_enum(&mut tree);
        }
        if self.extra_fields {
            extra_fields(&mut tree, false);
        }
        if self.wrong_element {
            wrong_element(&mut tree);
        }
        if self.null_lists {
            null_lists(&mut tree);
        }
        serde_json::to_vec(&tree).ok()
    }
}

fn unknown_enum(tree: &mut OrderedJson) {
    let unknown = || OrderedJson::from(&Value::from(UNKNOWN_VALUE));
    match tree {
        OrderedJson::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match value {
                    OrderedJson::Other(Value::String(text)) if ENUMS.contains(&name.as_str()) => {
                        *text = UNKNOWN_VALUE.into();
                    }
                    OrderedJson::List(items) if ENUM_LISTS.contains(&name.as_str()) => items.push(unknown()),
                    other => unknown_enum(other),
                }
            }
        }
        OrderedJson::List(items) => items.iter_mut().for_each(unknown_enum),
        OrderedJson::Other(_) => {}
    }
}

fn extra_fields(tree: &mut OrderedJson, map: bool) {
    match tree {
        OrderedJson::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                extra_fields(value, !map && MAPS.contains(&name.as_str()));
            }
            if !map {
                fields.insert(UNKNOWN_FIELD.to_owned(), OrderedJson::from(&json!({"since": 2, "list": [1, null]})));
            }
        }
        OrderedJson::List(items) => items.iter_mut().for_each(|item| extra_fields(item, false)),
        OrderedJson::Other(_) => {}
    }
}

fn null_lists(tree: &mut OrderedJson) {
    match tree {
        OrderedJson::Object(fields) => {
            for value in fields.values_mut() {
                match value {
                    OrderedJson::List(_) => *value = OrderedJson::Other(Value::Null),
                    other => null_lists(other),
                }
            }
        }
        OrderedJson::List(items) => items.iter_mut().for_each(null_lists),
        OrderedJson::Other(_) => {}
    }
}

/// Changes the last item of the first list. Returns whether there was a list with an item.
fn wrong_element(tree: &mut OrderedJson) -> bool {
    match tree {
        OrderedJson::Object(fields) => fields.values_mut().any(wrong_element),
        OrderedJson::List(items) => {
            let Some(last) = items.last_mut() else { return false };
            let plain = match last {
                OrderedJson::Object(fields) => first_plain(fields),
                _ => None,
            };
            match plain {
                Some(field) => *field = OrderedJson::from(&json!({"unexpected": true})),
                None => *last = OrderedJson::from(&json!(7)),
            }
            true
        }
        OrderedJson::Other(_) => false,
    }
}

/// Returns the first field that is a string, a number or a boolean.
fn first_plain(fields: &mut IndexMap<String, OrderedJson>) -> Option<&mut OrderedJson> {
    fields.values_mut().find(|field| matches!(field, OrderedJson::Other(value) if !value.is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(fault: &Fault, json: &str) -> String {
        String::from_utf8(fault.changed_json(json.as_bytes()).expect("JSON")).expect("a text")
    }

    #[test]
    fn changes_json_as_documented() {
        let files = r#"{"files":[{"id":"1","processingStatus":"PROCESSED","workflowStatus":null},{"fileSize":3}]}"#;
        let any = Fault::on("*");
        assert_eq!(
            changed(&any.clone().unknown_enum(), files),
            r#"{"files":[{"id":"1","processingStatus":"UNHEARD_OF","workflowStatus":null},{"fileSize":3}]}"#
        );
        assert_eq!(
            changed(&any.clone().unknown_enum(), r#"{"downloadFileTypes":[]}"#),
            r#"{"downloadFileTypes":["UNHEARD_OF"]}"#
        );
        assert_eq!(changed(&any.clone().null_lists(), files), r#"{"files":null}"#);
        assert_eq!(
            changed(&any.clone().wrong_element(), files),
            r#"{"files":[{"id":"1","processingStatus":"PROCESSED","workflowStatus":null},{"fileSize":{"unexpected":true}}]}"#
        );
        assert_eq!(changed(&any.clone().wrong_element(), r#"{"a":[],"b":["x","y"]}"#), r#"{"a":[],"b":["x",7]}"#);
        assert_eq!(changed(&any.clone().wrong_element(), r#"{"a":[]}"#), r#"{"a":[]}"#);
        let extra = r#""xUnheardOf":{"list":[1,null],"since":2}"#;
        assert_eq!(
            changed(
                &any.clone().extra_fields(),
                r#"{"fileAttributes":{"a":"b"},"componentDetails":{"T":{"values":[]}}}"#
            ),
            format!(r#"{{"fileAttributes":{{"a":"b"}},"componentDetails":{{"T":{{"values":[],{extra}}}}},{extra}}}"#)
        );
        assert_eq!(any.extra_fields().changed_json(b"<html>"), None);
    }

    /// The constants use the names of the contract, which are those of the vendored document.
    #[test]
    fn lists_every_enumeration_and_map_of_the_document() {
        if !documine_api::document::IS_RECONSTRUCTION {
            return;
        }
        let document: Value = serde_json::from_str(documine_api::DOCUMENT).expect("JSON");
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let is_enum = |schema: &Value| {
            let target = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
            let target = target.and_then(|target| target.rsplit('/').next());
            target.is_some_and(|target| schemas[target]["enum"].is_array())
        };
        for (model, schema) in schemas {
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                assert_eq!(is_enum(field), ENUMS.contains(&name.as_str()), "{model}.{name}");
                assert_eq!(is_enum(&field["items"]), ENUM_LISTS.contains(&name.as_str()), "{model}.{name}");
                assert_eq!(field["additionalProperties"].is_object(), MAPS.contains(&name.as_str()), "{model}.{name}");
            }
        }
    }
}
