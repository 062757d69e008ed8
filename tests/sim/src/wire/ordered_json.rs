//! JSON whose fields keep their order, which is significant for components.

use documine_api::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum OrderedJson {
    Object(IndexMap<String, OrderedJson>),
    List(Vec<OrderedJson>),
    /// A string, number, boolean or `null`; or a sample value, whose order is not significant.
    Other(Value),
}

impl OrderedJson {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Other(Value::Null))
    }
}

impl From<&Value> for OrderedJson {
    fn from(value: &Value) -> Self {
        Self::Other(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::OrderedJson;

    #[test]
    fn serializes_what_was_parsed() {
        let text = r#"{"z":[1,-2,3.5,"ü",null,true],"a":{"y":{},"b":[]},"n":18446744073709551615}"#;
        let tree: OrderedJson = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_string(&tree).expect("a text"), text);
        assert!(matches!(&tree, OrderedJson::Object(fields) if fields.keys().eq(["z", "a", "n"])));
    }
}
