//! Readers for `null` where a value was expected: an empty list or map, the default, no id for a blank string.
//!
//! The generated models name these functions in `#[serde(deserialize_with = …)]`.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use crate::collections;
use crate::scalars::IdText;

/// Reads `null` as the default.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads `null` as an empty list and leaves out elements that are `null`.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    collections::list(deserializer, |element: Option<T>| element)
}

/// Reads `null` as an empty map, and a value `null` as the default.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map<'de, D, T>(deserializer: D) -> Result<IndexMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    collections::map(deserializer, |value: Option<T>| Some(value.unwrap_or_default()))
}

/// Reads a map of lists: `null` as an empty map, and each value like [`list`].
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map_of_lists<'de, D, T>(deserializer: D) -> Result<IndexMap<String, Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    collections::map(deserializer, |list: NullableList<T>| Some(list.0))
}

/// Reads `null` and a blank string as `None`.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn blank_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String>,
    T::Error: std::fmt::Display,
{
    let text: Option<IdText> = crate::scalars::read(deserializer)?;
    text.filter(|text| !text.0.trim().is_empty())
        .map(|text| T::try_from(text.0).map_err(serde::de::Error::custom))
        .transpose()
}

/// A list read by [`list`].
struct NullableList<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NullableList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        list(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde::Deserialize;

    use crate::ids::UserId;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Read {
        #[serde(default, deserialize_with = "super::as_default")]
        flag: bool,
        #[serde(default, deserialize_with = "super::list")]
        list: Vec<i64>,
        #[serde(default, deserialize_with = "super::map")]
        labels: IndexMap<String, String>,
        #[serde(default, deserialize_with = "super::map_of_lists")]
        values: IndexMap<String, Vec<String>>,
        #[serde(default, deserialize_with = "super::blank_as_none")]
        user: Option<UserId>,
    }

    fn read(json: &str) -> Result<Read, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_null_and_absence_as_empty() {
        let empty = read("{}").expect("reads");
        let nulls = r#"{"flag": null, "list": null, "labels": null, "values": null, "user": null}"#;
        assert_eq!(read(nulls).expect("reads"), empty);
        let blanks = r#"{"flag": false, "list": [null], "labels": {}, "values": {}, "user": " "}"#;
        assert_eq!(read(blanks).expect("reads"), empty);
    }

    #[test]
    fn reads_null_values_of_a_map_as_empty() {
        let read = read(r#"{"values": {"b": null, "a": ["x", null]}, "labels": {"l": null}}"#).expect("reads");
        let names: Vec<&str> = read.values.keys().map(String::as_str).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(read.values["b"], Vec::<String>::new());
        assert_eq!(read.values["a"], ["x"]);
        assert_eq!(read.labels["l"], "");
    }

    #[test]
    fn rejects_values_of_other_types() {
        read(r#"{"list": "x"}"#).expect_err("no list");
        read(r#"{"values": {"a": "x"}}"#).expect_err("no list in the map");
        read(r#"{"user": ".."}"#).expect_err("no id");
    }
}
