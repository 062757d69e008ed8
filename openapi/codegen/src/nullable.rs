//! Why: `null` and absence mean the same to a reader. The generator would wrap what is already optional, and refuse a required
//! property that is missing though it may be null.
//! Finds: properties with `nullable: true`.
//! Holds afterwards: no property is nullable, and none that was is required: it is optional, which takes null and absence.
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
