//! Readers for what services send instead of leaving it out: `null` for an empty list, a blank text for nobody.
//!
//! The generated models name them in `#[serde(deserialize_with = …)]`; which of them a document needs depends on the document.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::text;

/// Reads `null` as the default.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads `null` as an empty list, and leaves out elements that are `null`.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    List::deserialize(deserializer).map(|list| list.0)
}

/// Reads `null` as an empty map, and as the default where it is a value of the map.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map<'de, D, T>(deserializer: D) -> Result<IndexMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    let values: Values<Option<T>, T> = Values(Option::unwrap_or_default, PhantomData);
    deserializer.deserialize_any(values)
}

/// Like [`map`], for values that are lists, read like [`list`].
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map_of_lists<'de, D, T>(deserializer: D) -> Result<IndexMap<String, Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let values: Values<List<T>, Vec<T>> = Values(|list| list.0, PhantomData);
    deserializer.deserialize_any(values)
}

/// Reads `null` and a blank text as nothing.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn blank_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String>,
    T::Error: std::fmt::Display,
{
    let text: Option<Word> = Option::deserialize(deserializer)?;
    text.map(|word| word.0)
        .filter(|text| !text.trim().is_empty())
        .map(|text| T::try_from(text).map_err(serde::de::Error::custom))
        .transpose()
}

/// A text as [`text::word`] reads it.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::word(deserializer).map(Self)
    }
}

/// A list as [`list`] reads it. Element by element: a list of options first would be another list as long.
struct List<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Elements(PhantomData)).map(Self)
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = access.next_element::<Option<T>>()? {
            list.extend(element);
        }
        Ok(list)
    }
}

/// A map whose values are read as `R` and kept as `T`.
struct Values<R, T>(fn(R) -> T, PhantomData<R>);

impl<'de, R: Deserialize<'de>, T> Visitor<'de> for Values<R, T> {
    type Value = IndexMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(IndexMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, value)) = access.next_entry()? {
            map.insert(key, self.0(value));
        }
        Ok(map)
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
    fn null_and_absence_are_empty() {
        let empty = read("{}").expect("reads");
        let nulls = r#"{"flag": null, "list": null, "labels": null, "values": null, "user": null}"#;
        assert_eq!(read(nulls).expect("reads"), empty);
        let blanks = r#"{"flag": false, "list": [null], "labels": {}, "values": {}, "user": " "}"#;
        assert_eq!(read(blanks).expect("reads"), empty);
    }

    #[test]
    fn null_inside_a_map_is_empty_at_its_place() {
        let read = read(r#"{"values": {"b": null, "a": ["x", null]}, "labels": {"l": null}}"#).expect("reads");
        let names: Vec<&str> = read.values.keys().map(String::as_str).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(read.values["b"], Vec::<String>::new());
        assert_eq!(read.values["a"], ["x"]);
        assert_eq!(read.labels["l"], "");
    }

    #[test]
    fn other_faults_are_still_faults() {
        read(r#"{"list": "x"}"#).expect_err("no list");
        read(r#"{"values": {"a": "x"}}"#).expect_err("no list in the map");
        read(r#"{"user": ".."}"#).expect_err("no id");
    }
}
