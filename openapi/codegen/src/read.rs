//! Strict reading of JSON documents: a duplicate key is an error, because keeping the last one would hide a mistake; the size
//! is limited.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::read_limits::{MAX_NODES, check_size};

/// Parses `text`; `origin` is its name in errors. The JSON library limits the nesting to 128 levels.
pub fn json(text: &str, origin: &str) -> Result<Value, String> {
    check_size(text, origin)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut nodes = 0;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = StrictValue(&mut nodes).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(mut value @ Value::Object(_)) => {
            crate::normalize::apply(&mut value);
            Ok(value)
        }
        Ok(_) => Err(format!("{origin}: not an OpenAPI document: the top level is not an object")),
        Err(error) => Err(format!("{origin}: {error}")),
    }
}

/// Returns `true` if the text is JSON; everything else is read as YAML.
pub fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// Reads a document in JSON or, with the feature `yaml`, in YAML; `origin` is its name in errors.
pub fn document(text: &str, origin: &str) -> Result<Value, String> {
    if is_json(text) {
        return json(text, origin);
    }
    #[cfg(feature = "yaml")]
    let read = crate::yaml::document(text, origin);
    #[cfg(not(feature = "yaml"))]
    let read =
        Err(format!("{origin}: not JSON; enable the feature `yaml` to read YAML, or convert the document to JSON"));
    read
}

struct StrictValue<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for StrictValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.0 += 1;
        if *self.0 > MAX_NODES {
            return Err(D::Error::custom(format!("more than {MAX_NODES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(StrictValue(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{key}` in an object")));
            }
            let value = map.next_value_seed(StrictValue(self.0))?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
