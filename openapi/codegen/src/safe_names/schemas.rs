//! Names of component schemas.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{has_letters, plain};
use crate::names::{self, RESERVED_MODEL_TYPES};
use crate::tree::{self, NodeKind, Object};

const COMPONENTS: &str = "#/components/schemas/";

pub(super) fn apply(document: &mut Value) -> usize {
    let Some(schemas) = tree::schemas_mut(document) else {
        return 0;
    };
    let is_ours =
        |name: &str| schemas.get(name).and_then(Value::as_object).is_some_and(|it| tree::is_true(it, "x-canonical"));
    let mut order: Vec<(bool, String)> = schemas.keys().map(|name| (!is_ours(name), name.clone())).collect();
    order.sort();
    let mut types: BTreeSet<String> = RESERVED_MODEL_TYPES.iter().map(|name| String::from(*name)).collect();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for (_, name) in order {
        // The generator reads references up to the last `/`.
        let mut wanted = plain(&name).replace(['/', '~', '%', '#'], "-");
        if name.starts_with(['+', '-']) {
            // The generator spells out `+1` and `-1` in some places only.
            wanted = names::pascal(&wanted);
        }
        if !has_letters(&wanted) {
            wanted = String::from("Unnamed");
        }
        let type_name = names::pascal(&wanted);
        let taken = |name: &str| types.contains(name);
        if taken(&type_name) {
            wanted = names::numbered(&names::pascal(&type_name), |name| taken(&names::pascal(name)));
        }
        types.insert(names::pascal(&wanted));
        if wanted != name {
            renamed.insert(name, wanted);
        }
    }
    if renamed.is_empty() {
        return 0;
    }
    let old = std::mem::take(schemas);
    *schemas =
        old.into_iter().map(|(name, schema)| (renamed.get(&name).cloned().unwrap_or(name), schema)).collect::<Object>();
    tree::visit_kind(document, NodeKind::Schema, &mut |schema, _| {
        if let Some(name) = tree::schema_name(schema).and_then(|name| renamed.get(name)) {
            schema.insert(String::from("$ref"), Value::String(format!("{COMPONENTS}{name}")));
        }
    });
    renamed.len()
}
