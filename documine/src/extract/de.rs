//! A serde deserializer over all components of a file: a struct or a map with one entry per component.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::ExtractError;
use super::failure::{Failure, FailureKind, quoted_list};
use super::named_values::NamedValues;
use super::plan::ReadPlan;
use super::sourced::Origin;
use super::value::ComponentValues;

impl NamedValues<'_> {
    /// Deserializes the components into a `T`, as the [module](super) describes.
    ///
    /// # Errors
    /// [`ExtractError`] names the file, the component, the field and the invalid value.
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T, ExtractError> {
        read(&mut ReadPlan::new(&self.components)).map_err(|failure| ExtractError::new::<T>(failure, self))
    }
}

/// Deserializes the components into a `T`. Repeats as long as the plan adapts to the failure, at most a few times per component.
pub(super) fn read<T: DeserializeOwned>(plan: &mut ReadPlan<'_>) -> Result<T, Failure> {
    loop {
        match attempt::<T>(plan) {
            Ok(value) => return Ok(value),
            Err(failure) => {
                let again = |plan: &ReadPlan<'_>| attempt::<T>(plan).err();
                if !plan.adapt_to(&failure, &again) {
                    // The attempts of `adapt_to` may have buffered other components; this attempt restores the state of the failure.
                    return Err(match attempt::<T>(plan) {
                        Err(same) => plan.add_location(same, &again),
                        Ok(_) => failure,
                    });
                }
            }
        }
    }
}

/// Deserializes once with a plan.
pub(super) fn attempt<T: DeserializeOwned>(plan: &ReadPlan<'_>) -> Result<T, Failure> {
    plan.reset();
    T::deserialize(ComponentsDeserializer { plan })
}

/// Returns the fields of a struct, with their aliases; `None` for a map and for a struct with a `flatten`.
#[cfg(feature = "package")]
pub(crate) fn field_names<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let plan = ReadPlan::new(&[]);
    // Fails for a missing field, after the type has stated its fields.
    attempt::<T>(&plan).ok();
    plan.fields.get()
}

struct ComponentsDeserializer<'a> {
    plan: &'a ReadPlan<'a>,
}

impl<'a> ComponentsDeserializer<'a> {
    fn entries(&self, fields: Option<&'static [&'static str]>) -> ComponentsAccess<'a> {
        ComponentsAccess { plan: self.plan, fields, next: 0, current: None }
    }
}

impl<'de> Deserializer<'de> for ComponentsDeserializer<'_> {
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
        self.plan.fields.set(Some(fields));
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
        Err(Failure::new(FailureKind::Other(format!("expected a struct or map for the components, found enum {name}"))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct map identifier
    }
}

struct ComponentsAccess<'a> {
    plan: &'a ReadPlan<'a>,
    fields: Option<&'static [&'static str]>,
    next: usize,
    current: Option<usize>,
}

impl<'de> MapAccess<'de> for ComponentsAccess<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        while let Some(name) = self.plan.name(self.next) {
            let index = self.next;
            self.next += 1;
            if !self.plan.skips(index, self.fields) {
                self.current = Some(index);
                let key: StrDeserializer<'_, Failure> = name.into_deserializer();
                return seed.deserialize(key).map(Some).map_err(|failure| failure.in_component(name));
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let Some((name, values)) = self.current.take().and_then(|index| self.plan.entry(index)) else {
            return Err(Failure::new(FailureKind::Other("a value was requested before its name".to_owned())));
        };
        let read: Result<S::Value, Failure> = seed.deserialize(values);
        read.map_err(|failure| {
            let failure = failure.in_component(name);
            // An error of a custom function does not name the text.
            match (&failure.kind, values.texts) {
                (FailureKind::Other(_), [text]) => failure.with_value(text),
                (FailureKind::Other(_), [_, ..]) => failure.with_value(&quoted_list(values.texts)),
                _ => failure,
            }
        })
    }
}

/// Deserializes texts outside a component, for the helpers in [`super::with`].
pub(super) fn read_texts<T: DeserializeOwned>(texts: &[String], origins: &[Option<Origin>]) -> Result<T, Failure> {
    T::deserialize(ComponentValues::new(texts, origins))
}
