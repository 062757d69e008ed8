//! Readers for lists and maps whose elements need a conversion.
//!
//! Elements are converted one at a time, so that a list is never held twice.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a list of `R` and converts each element; an element without a result is left out. `null` is an empty list.
pub(crate) fn list<'de, D, R, T>(deserializer: D, convert: impl Fn(R) -> Option<T>) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    R: Deserialize<'de>,
{
    deserializer.deserialize_any(ListVisitor(convert, PhantomData))
}

/// Reads a map of `R` and converts each value; an entry without a result is left out. `null` is an empty map.
pub(crate) fn map<'de, D, R, T>(
    deserializer: D,
    convert: impl Fn(R) -> Option<T>,
) -> Result<IndexMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    R: Deserialize<'de>,
{
    deserializer.deserialize_any(MapVisitor(convert, PhantomData))
}

struct ListVisitor<F, R>(F, PhantomData<R>);

impl<'de, R: Deserialize<'de>, T, F: Fn(R) -> Option<T>> Visitor<'de> for ListVisitor<F, R> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = access.next_element()? {
            list.extend((self.0)(element));
        }
        Ok(list)
    }
}

struct MapVisitor<F, R>(F, PhantomData<R>);

impl<'de, R: Deserialize<'de>, T, F: Fn(R) -> Option<T>> Visitor<'de> for MapVisitor<F, R> {
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
            if let Some(value) = (self.0)(value) {
                map.insert(key, value);
            }
        }
        Ok(map)
    }
}
