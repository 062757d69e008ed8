//! Makes nullable properties optional.
//!
//! Why: readers treat `null` and absence alike. The generator would wrap optional properties twice, and reject a response
//! without a required nullable property.
//! Finds: properties with `nullable: true`.
//! Holds afterwards: no property is nullable; those that were are optional, which accepts `null` and absence.
//! Delete when: never.

use serde_json::Value;

use crate::tree::{self, NodeKind};

pub(super) fn apply(document: &mut Value) -> usize {
    let mut edits = 0;
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else {
            return;
        };
        let mut freed: Vec<String> = Vec::new();
        for name in tree::sorted_keys(properties) {
            if let Some(Value::Object(property)) = properties.get_mut(&name)
                && property.remove("nullable") == Some(Value::Bool(true))
            {
                freed.push(name);
                edits += 1;
            }
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !freed.iter().any(|freed| name.as_str() == Some(freed)));
        }
    });
    edits
}
