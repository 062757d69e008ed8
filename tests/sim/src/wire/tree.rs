//! JSON whose fields keep their order: components are told apart by it.

use documine_api::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tree {
    Object(IndexMap<String, Tree>),
    List(Vec<Tree>),
    /// A text, a number, a truth value, `null`; or a made-up value, whose order means nothing.
    Other(Value),
}

impl Tree {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Other(Value::Null))
    }
}

impl From<&Value> for Tree {
    fn from(value: &Value) -> Self {
        Self::Other(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn what_was_read_is_written_again() {
        let text = r#"{"z":[1,-2,3.5,"ü",null,true],"a":{"y":{},"b":[]},"n":18446744073709551615}"#;
        let tree: Tree = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_string(&tree).expect("a text"), text);
        assert!(matches!(&tree, Tree::Object(fields) if fields.keys().eq(["z", "a", "n"])));
    }
}
