//! One component's values, and one value, as serde deserializers. They read what the field's type asks for out of text.

use std::cell::Cell;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use super::entry::{Item, Shape};
use super::failure::{Failure, Found, Kind, list};
use super::text::{self, NotANumber};

/// All values of one component.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) texts: &'a [String],
    /// How they are handed over to a reader that does not say what it wants.
    pub(super) shape: Shape,
    /// What each of them is given as to such a reader.
    pub(super) items: &'a [Item],
    /// Set when there was such a reader.
    pub(super) buffered: Option<&'a Cell<bool>>,
    /// Given to such a reader instead of all values or of the one with this number.
    pub(super) mark: Option<(Option<usize>, Mark)>,
}

/// Something no document holds. Whoever complains about it can be told apart from everybody else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    Text,
    Number,
}

impl Mark {
    pub(super) const TEXT: &'static str = "\u{1}\u{2}mark\u{2}\u{1}";
    pub(super) const NUMBER: u64 = 17_293_822_569_102_704_641;

    fn give<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self {
            Self::Text => visitor.visit_str(Self::TEXT),
            Self::Number => visitor.visit_u64(Self::NUMBER),
        }
    }
}

impl<'a> Values<'a> {
    pub(super) fn new(texts: &'a [String]) -> Self {
        Self { texts, shape: Shape::Guess, items: &[], buffered: None, mark: None }
    }

    /// The only value.
    fn one(self) -> Result<Text<'a>, Failure> {
        match self.texts {
            [text] => Ok(self.text(0, text)),
            [] => Err(Failure::new(Kind::NoValue)),
            several => Err(Failure::new(Kind::Count { count: several.len(), expected: "one".to_owned() })
                .with_value(&list(several))),
        }
    }

    fn text(self, index: usize, text: &'a str) -> Text<'a> {
        let mark = self.mark.filter(|(element, _)| *element == Some(index)).map(|(_, mark)| mark);
        Text { raw: text, item: self.items.get(index).copied().unwrap_or_default(), mark }
    }

    fn elements(self) -> Elements<'a> {
        Elements { values: self, next: 0 }
    }

    fn exactly<'de, V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Failure> {
        if self.texts.len() == count {
            return visitor.visit_seq(self.elements());
        }
        let expected = count.to_string();
        Err(Failure::new(Kind::Count { count: self.texts.len(), expected }).with_value(&list(self.texts)))
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

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Failure;

    only_value! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier deserialize_map
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(buffered) = self.buffered {
            buffered.set(true);
        }
        if let Some((None, mark)) = self.mark {
            return mark.give(visitor);
        }
        match (self.shape, self.texts) {
            (Shape::Guess, [text]) if text.trim().is_empty() => visitor.visit_none(),
            (Shape::Guess, []) => visitor.visit_none(),
            (Shape::Guess | Shape::One, [_]) => self.one()?.deserialize_any(visitor),
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

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
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
        visitor.visit_unit()
    }
}

/// The values one after the other.
struct Elements<'a> {
    values: Values<'a>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let index = self.next;
        let Some(text) = self.values.texts.get(index) else { return Ok(None) };
        self.next += 1;
        let read = seed.deserialize(self.values.text(index, text));
        // A single value needs no number in an error.
        read.map(Some).map_err(|failure| if self.values.texts.len() > 1 { failure.with_index(index) } else { failure })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.texts.len() - self.next)
    }
}

/// One value.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a str,
    item: Item,
    mark: Option<Mark>,
}

impl Text<'_> {
    fn refused(self, why: NotANumber, expected: String) -> Failure {
        let kind = match why {
            NotANumber::Ambiguous => Kind::Ambiguous { expected },
            NotANumber::Malformed => Kind::Mismatch { found: Found::Text(self.raw.to_owned()), expected },
        };
        Failure::new(kind).with_value(self.raw)
    }

    fn float(self) -> Result<f64, Failure> {
        text::float(self.raw).map_err(|why| self.refused(why, "a number".to_owned()))
    }

    fn truth(self) -> Result<bool, Failure> {
        text::truth(self.raw)
            .ok_or_else(|| self.refused(NotANumber::Malformed, "true or false, yes or no, 1 or 0".to_owned()))
    }

    /// Hands over what was read and adds the text to an error of the visitor's.
    fn give<T>(self, visited: Result<T, Failure>) -> Result<T, Failure> {
        visited.map_err(|failure| failure.with_value(self.raw))
    }
}

macro_rules! whole_number {
    ($($method:ident $visit:ident $type:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let number = text::integer::<$type>(self.raw)
                .map_err(|why| self.refused(why, format!("a whole number from {} to {}", $type::MIN, $type::MAX)))?;
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

impl<'de> Deserializer<'de> for Text<'_> {
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
        if let Some(mark) = self.mark {
            return mark.give(visitor);
        }
        // A blank is nothing to whoever wants a number, and so an `Option` behind serde's buffer becomes `None`.
        let blank = self.raw.trim().is_empty();
        let visited = match self.item {
            Item::AsIs => visitor.visit_str(self.raw),
            Item::Trimmed => visitor.visit_str(self.raw.trim()),
            _ if blank => visitor.visit_none(),
            Item::Truth => visitor.visit_bool(self.truth()?),
            Item::Float => visitor.visit_f64(self.float()?),
            Item::Integer => match text::integer::<u64>(self.raw) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => return self.deserialize_i64(visitor),
            },
        };
        self.give(visited)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let truth = self.truth()?;
        self.give(visitor.visit_bool(truth))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        // Parsed as what it will be: the way over f64 would round twice.
        let expected = || "a number".to_owned();
        let plain = text::plain(self.raw, text::Notation::Evident).map_err(|why| self.refused(why, expected()))?;
        match plain.parse::<f32>() {
            Ok(number) if number.is_finite() => self.give(visitor.visit_f32(number)),
            _ => Err(self.refused(NotANumber::Malformed, expected())),
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
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_map(visitor)
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

/// Turns a failure into the error of another deserializer, which then adds the place.
pub(super) fn into_foreign<E: de::Error>(failure: &Failure) -> E {
    E::custom(failure)
}
