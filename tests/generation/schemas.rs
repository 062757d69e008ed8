//! JSON schemas of the models with the feature `schemars`: ids and timestamps are strings, enums stay open.

use documine_api::types::{DossierRequest, FileComponents, FileStatus};
use schemars::schema_for;
use serde_json::{Value, json};

fn property(schema: &schemars::Schema, name: &str) -> Value {
    schema.as_value()["properties"][name].clone()
}

#[test]
fn describes_ids_timestamps_and_enums_as_strings() {
    let schema = schema_for!(FileStatus);
    assert_eq!(property(&schema, "id")["type"], "string");
    assert_eq!(property(&schema, "added")["format"], "date-time");
    assert_eq!(property(&schema, "processingStatus")["anyOf"][0], json!({"$ref": "#/$defs/ProcessingStatus"}));
    let state = &schema.as_value()["$defs"]["ProcessingStatus"];
    assert_eq!(state["type"], "string");
    assert!(state.get("enum").is_none(), "{state}");
    assert_eq!(schema.as_value()["required"], json!(["id"]));
}

#[test]
fn describes_maps_and_unknown_fields() {
    let schema = schema_for!(FileComponents);
    let values = &property(&schema, "components")["additionalProperties"];
    assert_eq!(values, &json!({"type": "array", "items": {"type": "string"}}));
    assert_eq!(schema.as_value()["additionalProperties"], json!(true));
    let request = schema_for!(DossierRequest);
    assert_eq!(request.as_value()["required"], json!(["name"]));
}
