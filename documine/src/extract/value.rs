//! The values of one component, and one value, as serde deserializers that parse the requested type from text.

use std::cell::Cell;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use super::component::{Component, SourcedValue};
use super::entry::{Access, ScalarForm, Shape};
use super::failure::{Failure, FailureKind, ReceivedValue, quoted_list};
use super::sourced::{EXPECTED_ORIGIN, Origin, SOURCED, TEXTS};
use super::text::{self, NotANumber};

/// All values of one component.
#[derive(Clone, Copy)]
pub(super) struct ComponentValues<'a> {
    pub(super) texts: &'a [String],
    /// The form of the values for a visitor that accepts any type.
    pub(super) shape: Shape,
    /// The form of each value for such a visitor.
    pub(super) forms: &'a [ScalarForm],
    /// Set if each value is passed to such a visitor as an object with its origin.
    pub(super) sourced: bool,
    pub(super) origins: Origins<'a>,
    /// Records the way in which the visitor read the component.
    pub(super) access: Option<&'a Cell<Access>>,
    /// Replaces all values, or the one with this index, for such a visitor.
    pub(super) sentinel: Option<(Option<usize>, Sentinel)>,
}

/// The origins of the values.
#[derive(Clone, Copy)]
pub(super) enum Origins<'a> {
    /// Those that the service states.
    Component(Component<'a>),
    /// Those that a helper received; `None` for a text without one, which has passed through serde's buffer or another format.
    Items(&'a [Option<Origin>]),
}

impl Origins<'_> {
    fn get(self, index: usize, raw: &str) -> Option<Origin> {
        match self {
            Self::Component(component) => {
                Some(Origin::new(component.get(index).unwrap_or_else(|| SourcedValue::bare(raw))))
            }
            Self::Items(items) => items.get(index).cloned().flatten(),
        }
    }
}

/// A value that no document contains, to identify the component in a failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sentinel {
    Text,
    Number,
    /// Bytes that are not UTF-8, which no type of a component accepts.
    Bytes,
}

impl Sentinel {
    pub(super) const TEXT: &'static str = "\u{1}\u{2}sentinel\u{2}\u{1}";
    pub(super) const NUMBER: u64 = 17_293_822_569_102_704_641;

    fn give<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self {
            Self::Text => visitor.visit_str(Self::TEXT),
            Self::Number => visitor.visit_u64(Self::NUMBER),
            Self::Bytes => visitor.visit_bytes(&[0xff]),
        }
    }
}

impl<'a> ComponentValues<'a> {
    /// Creates the values of a helper.
    pub(super) fn new(texts: &'a [String], origins: &'a [Option<Origin>]) -> Self {
        let origins = Origins::Items(origins);
        Self { texts, shape: Shape::Auto, forms: &[], sourced: false, origins, access: None, sentinel: None }
    }

    /// Returns the only value.
    fn one(self) -> Result<TextValue<'a>, Failure> {
        match self.texts {
            [text] => Ok(self.text(0, text)),
            [] => Err(Failure::new(FailureKind::NoValue)),
            several => Err(Failure::new(FailureKind::Count { count: several.len(), expected: "one".to_owned() })
                .with_value(&quoted_list(several))),
        }
    }

    fn text(self, index: usize, text: &'a str) -> TextValue<'a> {
        let sentinel = self.sentinel.filter(|(element, _)| *element == Some(index)).map(|(_, sentinel)| sentinel);
        let form = self.forms.get(index).copied().unwrap_or_default();
        TextValue { raw: text, form, sentinel, sourced: self.sourced, index, origins: self.origins }
    }

    fn elements(self) -> Elements<'a> {
        Elements { values: self, next: 0 }
    }

    fn exactly<'de, V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Failure> {
        if self.texts.len() == count {
            return visitor.visit_seq(self.elements());
        }
        let expected = count.to_string();
        Err(Failure::new(FailureKind::Count { count: self.texts.len(), expected }).with_value(&quoted_list(self.texts)))
    }

    fn is_blank(self) -> bool {
        match self.texts {
            [] => true,
            [text] => text.trim().is_empty(),
            _ => false,
        }
    }
}

macro_rules! only_value {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.one()?.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for ComponentValues<'_> {
    type Error = Failure;

    only_value! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier deserialize_map
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(access) = self.access {
            access.set(Access::Buffered);
        }
        if let Some((None, sentinel)) = self.sentinel {
            return sentinel.give(visitor);
        }
        match (self.shape, self.texts) {
            (Shape::Auto, [text]) if text.trim().is_empty() => visitor.visit_none(),
            (Shape::Auto, []) => visitor.visit_none(),
            (Shape::Auto | Shape::One, [_]) => self.one()?.deserialize_any(visitor),
            _ => visitor.visit_seq(self.elements()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.is_blank() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        match name {
            TEXTS if self.is_blank() => visitor.visit_none(),
            TEXTS => visitor.visit_seq(Self { sourced: true, ..self }.elements()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_seq(self.elements())
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Failure> {
        self.exactly(count, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.exactly(count, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.one()?.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.one()?.deserialize_enum(name, known, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(access) = self.access {
            access.set(Access::Ignored);
        }
        visitor.visit_unit()
    }
}

/// The access to the values of a list.
struct Elements<'a> {
    values: ComponentValues<'a>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let index = self.next;
        let Some(text) = self.values.texts.get(index) else { return Ok(None) };
        self.next += 1;
        let read = seed.deserialize(self.values.text(index, text));
        read.map(Some).map_err(|failure| {
            // An error of a custom type does not name the text.
            let failure = failure.with_value(text);
            // The index is omitted for a single value.
            if self.values.texts.len() > 1 { failure.with_index(index) } else { failure }
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.texts.len() - self.next)
    }
}

/// One value.
#[derive(Clone, Copy)]
pub(super) struct TextValue<'a> {
    raw: &'a str,
    form: ScalarForm,
    sentinel: Option<Sentinel>,
    sourced: bool,
    index: usize,
    origins: Origins<'a>,
}

impl TextValue<'_> {
    /// Gives the value as an object with its origin.
    fn with_origin<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.origins.get(self.index, self.raw) {
            Some(origin) => visitor.visit_map(SourcedAccess::new(self, origin)),
            None => Err(de::Error::invalid_type(Unexpected::Str(self.raw), &EXPECTED_ORIGIN)),
        }
    }

    fn invalid(self, why: NotANumber, expected: String) -> Failure {
        let kind = match why {
            NotANumber::Ambiguous => FailureKind::Ambiguous { expected },
            NotANumber::Malformed => {
                FailureKind::InvalidType { found: ReceivedValue::Text(self.raw.to_owned()), expected }
            }
        };
        Failure::new(kind).with_value(self.raw)
    }

    fn float(self) -> Result<f64, Failure> {
        text::float(self.raw).map_err(|why| self.invalid(why, "a number".to_owned()))
    }

    fn boolean(self) -> Result<bool, Failure> {
        text::boolean(self.raw)
            .ok_or_else(|| self.invalid(NotANumber::Malformed, "true or false, yes or no, 1 or 0".to_owned()))
    }

    /// Adds the text to an error of the visitor.
    fn give<T>(self, visited: Result<T, Failure>) -> Result<T, Failure> {
        visited.map_err(|failure| failure.with_value(self.raw))
    }
}

macro_rules! whole_number {
    ($($method:ident $visit:ident $type:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let number = text::integer::<$type>(self.raw)
                .map_err(|why| self.invalid(why, format!("a whole number from {} to {}", $type::MIN, $type::MAX)))?;
            self.give(visitor.$visit(number))
        }
    )*};
}

macro_rules! as_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.give(visitor.visit_str(self.raw))
        }
    )*};
}

impl<'de> Deserializer<'de> for TextValue<'_> {
    type Error = Failure;

    whole_number! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
    }

    as_text! { deserialize_str deserialize_string deserialize_identifier deserialize_map }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.sourced {
            return self.with_origin(visitor);
        }
        if let Some(sentinel) = self.sentinel {
            return sentinel.give(visitor);
        }
        // A blank is `None` where a number is expected, so that an `Option` behind serde's buffer works.
        let blank = self.raw.trim().is_empty();
        let visited = match self.form {
            ScalarForm::Text => visitor.visit_str(self.raw),
            ScalarForm::TrimmedText => visitor.visit_str(self.raw.trim()),
            _ if blank => visitor.visit_none(),
            ScalarForm::Bool => visitor.visit_bool(self.boolean()?),
            ScalarForm::Float => visitor.visit_f64(self.float()?),
            ScalarForm::Integer => match text::integer::<u64>(self.raw) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => return self.deserialize_i64(visitor),
            },
        };
        self.give(visited)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let value = self.boolean()?;
        self.give(visitor.visit_bool(value))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        // Parsed as `f32`, because rounding to `f64` first would round twice.
        let expected = || "a number".to_owned();
        let plain = text::plain(self.raw, text::Notation::Evident).map_err(|why| self.invalid(why, expected()))?;
        match plain.parse::<f32>() {
            Ok(number) if number.is_finite() => self.give(visitor.visit_f32(number)),
            _ => Err(self.invalid(NotANumber::Malformed, expected())),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let number = self.float()?;
        self.give(visitor.visit_f64(number))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let text = if self.raw.chars().nth(1).is_some() { self.raw.trim() } else { self.raw };
        self.give(visitor.visit_str(text))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.give(visitor.visit_bytes(self.raw.as_bytes()))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.give(visitor.visit_byte_buf(self.raw.as_bytes().to_vec()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.raw.trim().is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.give(visitor.visit_str(self.raw))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if name == SOURCED { self.with_origin(visitor) } else { self.deserialize_map(visitor) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let variant: StrDeserializer<'_, Failure> = self.raw.trim().into_deserializer();
        self.give(variant.deserialize_enum(name, known, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}

/// The access to a value and the fields of its origin.
struct SourcedAccess<'a> {
    value: Option<TextValue<'a>>,
    fields: std::array::IntoIter<(&'static str, serde_json::Value), 5>,
    current: Option<serde_json::Value>,
}

impl<'a> SourcedAccess<'a> {
    fn new(value: TextValue<'a>, origin: Origin) -> Self {
        let value = TextValue { sourced: false, ..value };
        Self { value: Some(value), fields: origin.fields().into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for SourcedAccess<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let key = if self.value.is_some() {
            "value"
        } else {
            let Some((key, field)) = self.fields.next() else { return Ok(None) };
            self.current = Some(field);
            key
        };
        let key: StrDeserializer<'_, Failure> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => seed.deserialize(self.current.take().unwrap_or_default()).map_err(de::Error::custom),
        }
    }
}
