//! Reads texts with their origins from any deserializer, converts them, and deserializes the result.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::extract::de::read_texts;
use crate::extract::failure::{Failure, FailureKind};
use crate::extract::sourced::{EXPECTED_ORIGIN, Origin, TEXTS};

/// The treatment of values that are numbers already: in a JSON file, and in a cell of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Numbers {
    /// Not converted: a notation applies to texts only.
    Kept,
    Converted,
}

/// Converts every text except blanks with `change`, and deserializes a `T` from the results.
pub(super) fn convert<'de, D, T, F>(deserializer: D, numbers: Numbers, change: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
    F: Fn(&str) -> Result<String, &'static str>,
{
    let items = deserializer.deserialize_newtype_struct(TEXTS, TextsVisitor)?;
    let position = |index: usize| (items.len() > 1).then_some(index);
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let kept = item.text.trim().is_empty() || (item.is_number && numbers == Numbers::Kept);
        let changed = if kept { Ok(item.text.clone()) } else { change(&item.text) };
        texts.push(changed.map_err(|message| {
            let mut failure = Failure::new(FailureKind::Other(message.to_owned())).with_value(&item.text);
            failure.index = position(index);
            failure.into_other_error::<D::Error>()
        })?);
    }
    let origins: Vec<Option<Origin>> = items.iter().map(|item| item.origin.clone()).collect();
    read_texts(&texts, &origins).map_err(|mut failure| {
        let item = match items.as_slice() {
            [only] => Some(only),
            several => failure.index.and_then(|index| several.get(index)),
        };
        let Some(item) = item else { return failure.into_other_error() };
        if matches!(&failure.kind, FailureKind::InvalidType { expected, .. } if expected == EXPECTED_ORIGIN) {
            // Behind serde's buffer, the plan adapts to this error.
            return de::Error::invalid_type(Unexpected::Str(&item.text), &EXPECTED_ORIGIN);
        }
        // The error shows the text of the document.
        failure.value = Some(item.text.clone());
        failure.into_other_error()
    })
}

/// One value.
struct Item {
    text: String,
    is_number: bool,
    origin: Option<Origin>,
}

impl Item {
    fn text(text: &str) -> Self {
        Self { text: text.to_owned(), is_number: false, origin: None }
    }

    fn number(number: &impl ToString) -> Self {
        Self { text: number.to_string(), is_number: true, origin: None }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Item, E> {
        Ok(Item::text(text))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item::text(&value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Item, E> {
        Ok(Item::number(&number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Item, E> {
        Ok(Item::number(&number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Item, E> {
        Ok(Item::number(&number))
    }

    /// Accepts nothing and blanks that a list passes as nothing.
    fn visit_unit<E: de::Error>(self) -> Result<Item, E> {
        Ok(Item::text(""))
    }

    fn visit_none<E: de::Error>(self) -> Result<Item, E> {
        self.visit_unit()
    }

    /// Accepts a value with its origin: from a component, or a serialized [`Sourced`](crate::extract::Sourced).
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
        #[derive(serde::Deserialize)]
        struct WithOrigin {
            value: serde_json::Value,
            #[serde(flatten)]
            origin: Origin,
        }

        let WithOrigin { value, origin } = WithOrigin::deserialize(MapAccessDeserializer::new(map))?;
        // A serialized number may have been parsed from a text in another notation.
        let is_number = value.as_f64().is_some_and(|number| origin.raw.parse() == Ok(number));
        Ok(Item { text: origin.raw.clone(), is_number, origin: Some(origin) })
    }
}

/// Accepts nothing, one value or several. Numbers and booleans occur when a JSON file is read.
struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Vec<Item>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        ItemVisitor.visit_str(text).map(|item| vec![item])
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        ItemVisitor.visit_bool(value).map(|item| vec![item])
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        ItemVisitor.visit_i64(number).map(|item| vec![item])
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        ItemVisitor.visit_u64(number).map(|item| vec![item])
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        ItemVisitor.visit_f64(number).map(|item| vec![item])
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// Called by deserializers other than that of a component, which do not know the name.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ItemVisitor.visit_map(map).map(|item| vec![item])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}
