//! All components of a file as one serde deserializer: a struct or a map with an entry for each.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::failure::{Failure, Kind, list};
use super::plan::Plan;
use super::value::Values;

/// Reads `listed` into a `T`; as often as the plan learns from a failure, but at most a few times a component.
pub(super) fn read<T: DeserializeOwned>(listed: &[(&str, &[String])]) -> Result<T, Failure> {
    let mut plan = Plan::new(listed);
    let attempt = |plan: &Plan<'_>| {
        plan.begin();
        T::deserialize(Reader { plan })
    };
    loop {
        match attempt(&plan) {
            Ok(value) => return Ok(value),
            Err(failure) => {
                let again = |plan: &Plan<'_>| attempt(plan).err();
                if !plan.learn(&failure, &again) {
                    // The attempts of `learn` may have left other traces of what was buffered; this one leaves those of the failure.
                    return Err(match attempt(&plan) {
                        Err(same) => plan.locate(same, &again),
                        Ok(_) => failure,
                    });
                }
            }
        }
    }
}

struct Reader<'a> {
    plan: &'a Plan<'a>,
}

impl<'a> Reader<'a> {
    fn entries(&self, fields: Option<&'static [&'static str]>) -> Entries<'a> {
        Entries { plan: self.plan, fields, next: 0, current: None }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(self.entries(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_map(self.entries(Some(fields)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Failure> {
        Err(Failure::new(Kind::Other(format!("components are read into a struct or a map, and {name} is an enum"))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct map identifier
    }
}

struct Entries<'a> {
    plan: &'a Plan<'a>,
    fields: Option<&'static [&'static str]>,
    next: usize,
    current: Option<usize>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        while let Some(name) = self.plan.name(self.next) {
            let index = self.next;
            self.next += 1;
            if !self.plan.skips(index, self.fields) {
                self.current = Some(index);
                let key: StrDeserializer<'_, Failure> = name.into_deserializer();
                return seed.deserialize(key).map(Some).map_err(|failure| failure.at(name));
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((name, values)) = self.current.take().and_then(|index| self.plan.entry(index)) else {
            return Err(Failure::new(Kind::Other("a value was asked for before its name".to_owned())));
        };
        let read: Result<S::Value, Failure> = seed.deserialize(values);
        read.map_err(|failure| {
            let failure = failure.at(name);
            // A function of the caller's says what is wrong, but not with which text.
            match (&failure.kind, values.texts) {
                (Kind::Other(_), [text]) => failure.with_value(text),
                (Kind::Other(_), [_, ..]) => failure.with_value(&list(values.texts)),
                _ => failure,
            }
        })
    }
}

/// Reads texts that did not come from a file's list, for the helpers in [`super::with`].
pub(super) fn read_texts<T: DeserializeOwned>(texts: &[String]) -> Result<T, Failure> {
    T::deserialize(Values::new(texts))
}
