//! Readers for texts. A service may write a number, a truth value or a list where its document promises a text: dates as `[2024,3,12]`,
//! amounts as numbers, attributes of any type. The value is kept as the JSON it came as, and does not fail the rest of the response.
//!
//! The generated models name these functions in `#[serde(deserialize_with = …)]`.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::null;

/// Reads a text; anything but `null` has one.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn read<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String>,
{
    deserializer.deserialize_any(AnyText(PhantomData))
}

/// Reads a text, or the digits of a whole number, as an id may come.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(Word)
}

/// Reads a text, `null` as none.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
}

/// Reads a list of texts as [`null::list`] does.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(null::list::<D, Text>(deserializer)?.into_iter().map(|text| text.0).collect())
}

/// Reads a map of texts as [`null::map`] does.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, String>, D::Error> {
    Ok(null::map::<D, Text>(deserializer)?.into_iter().map(|(name, text)| (name, text.0)).collect())
}

/// Reads a map of lists of texts as [`null::map_of_lists`] does.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn map_of_lists<'de, D>(deserializer: D) -> Result<IndexMap<String, Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let lists = null::map_of_lists::<D, Text>(deserializer)?;
    Ok(lists.into_iter().map(|(name, list)| (name, list.into_iter().map(|text| text.0).collect())).collect())
}

/// A text as [`read`] reads it.
#[derive(Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Self)
    }
}

/// Makes a `T` of the text where it stands: what is a set of known values needs no copy of it.
struct AnyText<T>(PhantomData<T>);

impl<'de, T: for<'a> From<&'a str> + From<String>> Visitor<'de> for AnyText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok(T::from(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(T::from(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok(T::from(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(T::from(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        Ok(T::from(Number::from_f64(value).map_or_else(|| value.to_string(), |number| number.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(list))
            .map(|list| T::from(list.to_string()))
            .map_err(Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(|map| T::from(map.to_string())).map_err(Error::custom)
    }
}

/// Reads what [`word`] does.
struct Word;

impl Visitor<'_> for Word {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(String::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Read {
        #[serde(deserialize_with = "super::read")]
        text: String,
        #[serde(deserialize_with = "super::optional")]
        perhaps: Option<String>,
        #[serde(deserialize_with = "super::list")]
        list: Vec<String>,
        #[serde(deserialize_with = "super::map")]
        map: IndexMap<String, String>,
        #[serde(deserialize_with = "super::map_of_lists")]
        lists: IndexMap<String, Vec<String>>,
    }

    fn read(json: &str) -> Result<Read, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_any_json_as_a_text() {
        for (json, text) in [
            (r#""plain""#, "plain"),
            (r#""""#, ""),
            ("17", "17"),
            ("-3", "-3"),
            ("18446744073709551615", "18446744073709551615"),
            ("12.50", "12.5"),
            ("true", "true"),
            ("[2024,3,12]", "[2024,3,12]"),
            (r#"{"code":"A"}"#, r#"{"code":"A"}"#),
        ] {
            let one = read(&format!(
                r#"{{"text":{json},"perhaps":{json},"list":[{json}],"map":{{"a":{json}}},"lists":{{"a":[{json}]}}}}"#
            ));
            let text = String::from(text);
            let wanted = Read {
                text: text.clone(),
                perhaps: Some(text.clone()),
                list: vec![text.clone()],
                map: IndexMap::from([(String::from("a"), text.clone())]),
                lists: IndexMap::from([(String::from("a"), vec![text])]),
            };
            assert_eq!(one.expect(json), wanted, "{json}");
        }
    }

    #[test]
    fn null_is_nothing_where_nothing_is_allowed() {
        let read_nulls = read(r#"{"perhaps":null,"list":[null],"map":{"a":null},"lists":{"a":null}}"#).expect("reads");
        assert_eq!(read_nulls.perhaps, None);
        assert_eq!(read_nulls.list, Vec::<String>::new());
        assert_eq!(read_nulls.map["a"], "");
        assert_eq!(read_nulls.lists["a"], Vec::<String>::new());
        read(r#"{"text":null}"#).expect_err("a text that must be there");
    }
}
