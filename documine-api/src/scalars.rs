//! Readers for numbers, strings and booleans in other JSON spellings than the document declares: `3.0` or `"3"` for an integer,
//! `"true"` for a boolean, `7` for a string.
//!
//! A value is accepted if it means exactly one value of the expected type; every other value is an error that names the value.
//! A string field accepts any JSON but `null`, because services write dates as `[2024,3,12]` and attributes of any type: a value that
//! is not a string is kept as its JSON text. Nothing is rounded: `3.5` is not an integer, and a JSON number with a fraction or an
//! exponent is one only below 2⁵³, where a parser keeps every digit. Serialization uses the document's type: `"3"` becomes `3`.
//!
//! The generated models name `read` and `or_default` in `#[serde(deserialize_with = …)]` for each field of numbers, strings or
//! booleans, at any depth of lists and maps.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::collections;

/// 2⁵³: from this number on, not every integer has an exact floating-point representation.
const INEXACT_FROM: f64 = 9_007_199_254_740_992.0;

/// Returns the integer that a JSON value means, in any exact spelling.
///
/// ```
/// use documine_api::scalars::integer;
/// use serde_json::json;
///
/// for three in [json!(3), json!(3.0), json!("3"), json!(" 3.0 "), json!("0.3e1")] {
///     assert_eq!(integer(&three), Some(3));
/// }
/// assert_eq!(integer(&json!(3.5)), None);
/// ```
pub fn integer(value: &Value) -> Option<i64> {
    i64::read(value).ok()
}

/// Returns the boolean that a JSON value means: `true`, `false`, or either as a string.
pub fn boolean(value: &Value) -> Option<bool> {
    bool::read(value).ok()
}

/// Reads a field of numbers, strings or booleans, alone or in lists and maps.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn read<'de, D: Deserializer<'de>, T: LenientRead<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Reads a field that has a default: `null` and a blank string mean the default.
#[allow(dead_code, reason = "depends on the document")]
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: LenientRead<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::read(deserializer).map(Option::unwrap_or_default)
}

/// A type that can be read from any exact spelling of its values.
pub(crate) trait LenientRead<'de>: Sized {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Reads a value; `None` for a blank string in place of a number or boolean.
    fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::read(deserializer).map(Some)
    }

    /// Returns the value of an element `null` in a list; `None` leaves the element out.
    fn null_in_list() -> Option<Self> {
        None
    }

    /// Returns the value of an entry `null` in a map; `None` leaves the entry out.
    fn null_in_map() -> Option<Self> {
        None
    }
}

/// A scalar type with the exact conversions into it.
pub(crate) trait Scalar: Sized {
    /// The name of the type in error texts.
    const EXPECTED: &'static str;
    /// `true` if a blank string means no value.
    const BLANK_IS_NONE: bool = true;

    fn from_bool(_: bool) -> Option<Self> {
        None
    }
    fn from_integer(value: i128) -> Option<Self>;
    fn from_float(_: f64) -> Option<Self> {
        None
    }
    fn from_text(text: &str) -> Option<Self>;
    fn from_string(text: String) -> Option<Self> {
        Self::from_text(&text)
    }
    /// Converts a list or an object; only strings accept these.
    fn from_json(_: &Value) -> Option<Self> {
        None
    }
}

impl Scalar for i64 {
    const EXPECTED: &'static str = "i64";

    fn from_integer(value: i128) -> Option<Self> {
        value.try_into().ok()
    }

    #[allow(clippy::cast_possible_truncation, reason = "the value is whole and in range")]
    fn from_float(value: f64) -> Option<Self> {
        (value.fract() == 0.0 && value.abs() < INEXACT_FROM).then_some(value as Self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Decimal::parse(text.trim())?.to_integer()
    }
}

impl Scalar for f64 {
    const EXPECTED: &'static str = "f64";

    #[allow(clippy::cast_precision_loss, reason = "serde converts integers to floating point the same way")]
    fn from_integer(value: i128) -> Option<Self> {
        Some(value as Self)
    }

    fn from_float(value: f64) -> Option<Self> {
        Some(value)
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        // Rust parses `inf`, `nan` and `1.` as well, which are not JSON numbers.
        Decimal::parse(text)?;
        text.parse().ok().filter(|value: &Self| value.is_finite())
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "a boolean";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn from_integer(_: i128) -> Option<Self> {
        None
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("true") { Some(true) } else { is("false").then_some(false) }
    }
}

impl Scalar for String {
    const EXPECTED: &'static str = "a string";
    const BLANK_IS_NONE: bool = false;

    fn from_bool(value: bool) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_integer(value: i128) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_float(value: f64) -> Option<Self> {
        // The parser has lost digits of larger numbers already.
        let number = Some(value).filter(|value| value.abs() < INEXACT_FROM).and_then(serde_json::Number::from_f64);
        number.map(|number| number.to_string())
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_string(text: String) -> Option<Self> {
        Some(text)
    }

    fn from_json(value: &Value) -> Option<Self> {
        Some(value.to_string())
    }
}

/// A type converted from a string in place, so that a known enum value needs no copy of the string.
pub(crate) struct FromText<T>(pub(crate) T);

impl<T: for<'a> From<&'a str> + From<String>> Scalar for FromText<T> {
    const EXPECTED: &'static str = "a string";
    const BLANK_IS_NONE: bool = false;

    fn from_bool(value: bool) -> Option<Self> {
        String::from_bool(value).and_then(Self::from_string)
    }

    fn from_integer(value: i128) -> Option<Self> {
        String::from_integer(value).and_then(Self::from_string)
    }

    fn from_float(value: f64) -> Option<Self> {
        String::from_float(value).and_then(Self::from_string)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(T::from(text)))
    }

    fn from_string(text: String) -> Option<Self> {
        Some(Self(T::from(text)))
    }

    fn from_json(value: &Value) -> Option<Self> {
        String::from_json(value).and_then(Self::from_string)
    }
}

/// The text of an id: a string or an integer.
pub(crate) struct IdText(pub(crate) String);

impl Scalar for IdText {
    const EXPECTED: &'static str = "a string";
    const BLANK_IS_NONE: bool = false;

    fn from_integer(value: i128) -> Option<Self> {
        Some(Self(value.to_string()))
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn from_string(text: String) -> Option<Self> {
        Some(Self(text))
    }
}

/// Reads a scalar; `None` for a blank string that means no value.
struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> ScalarVisitor<T> {
    fn accept_text<E: Error>(self, text: &str, read: Option<T>) -> Result<Option<T>, E> {
        match read {
            None if T::BLANK_IS_NONE && text.trim().is_empty() => Ok(None),
            read => read.map(Some).ok_or_else(|| E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
}

impl<'de, T: Scalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::from_bool(value).map(Some).ok_or_else(|| E::invalid_type(Unexpected::Bool(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::from_integer(value.into()).map(Some).ok_or_else(|| E::invalid_type(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        let error = || {
            // An integer that is too large is a value error, not a type error.
            let unexpected = Unexpected::Unsigned(value);
            if T::from_integer(0).is_some() {
                E::invalid_value(unexpected, &self)
            } else {
                E::invalid_type(unexpected, &self)
            }
        };
        T::from_integer(value.into()).map(Some).ok_or_else(error)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        T::from_float(value).map(Some).ok_or_else(|| E::invalid_type(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let read = T::from_text(text);
        self.accept_text(text, read)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        if T::BLANK_IS_NONE {
            return self.visit_str(&text);
        }
        Ok(T::from_string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let read = T::from_json(&Value::deserialize(SeqAccessDeserializer::new(list)).map_err(A::Error::custom)?);
        read.map(Some).ok_or_else(|| A::Error::invalid_type(Unexpected::Seq, &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(map)).map_err(A::Error::custom)?;
        if let Value::Number(number) = &value {
            // With the feature `arbitrary_precision` of serde_json, numbers arrive as maps.
            let text = number.to_string();
            let read = T::from_text(&text);
            return self.accept_text(&text, read);
        }
        T::from_json(&value).map(Some).ok_or_else(|| A::Error::invalid_type(Unexpected::Map, &self))
    }
}

macro_rules! scalars {
    ($($scalar:ty $(where $inner:ident)? $(: $null_in_map:expr)?),*) => {$(
        impl<'de $(, $inner: for<'a> From<&'a str> + From<String>)?> LenientRead<'de> for $scalar {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::read_optional(deserializer)?
                    .ok_or_else(|| D::Error::invalid_type(Unexpected::Str(""), &<$scalar as Scalar>::EXPECTED))
            }

            fn read_optional<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                deserializer.deserialize_any(ScalarVisitor(PhantomData))
            }

            $(fn null_in_map() -> Option<Self> {
                $null_in_map
            })?
        }
    )*};
}

scalars!(bool, f64, i64, IdText, FromText<T> where T, String: Some(String::new()));

impl<'de, T: LenientRead<'de>> LenientRead<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(OptionVisitor(PhantomData))
    }

    fn null_in_list() -> Option<Self> {
        Some(None)
    }

    fn null_in_map() -> Option<Self> {
        Some(None)
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collections::list(deserializer, |NullableElement(element)| element.or_else(T::null_in_list))
    }

    fn null_in_map() -> Option<Self> {
        Some(Self::new())
    }
}

impl<'de, T: LenientRead<'de>> LenientRead<'de> for IndexMap<String, T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collections::map(deserializer, |NullableElement(value)| value.or_else(T::null_in_map))
    }

    fn null_in_map() -> Option<Self> {
        Some(Self::new())
    }
}

/// An element of a list or a value of a map; `None` for `null` and for a blank string that means no value.
struct NullableElement<T>(Option<T>);

impl<'de, T: LenientRead<'de>> Deserialize<'de> for NullableElement<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::read(deserializer).map(Self)
    }
}

struct OptionVisitor<T>(PhantomData<T>);

impl<'de, T: LenientRead<'de>> Visitor<'de> for OptionVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an optional value")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        T::read_optional(deserializer)
    }
}

/// The parts of a decimal number: sign, digits before and after the point, exponent.
struct Decimal<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Decimal<'a> {
    /// Parses a JSON number, also with a plus sign or leading zeros.
    fn parse(text: &'a str) -> Option<Self> {
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, is_digits(fraction).then_some(fraction)?),
            None => (mantissa, ""),
        };
        is_digits(whole).then_some(Self { is_negative, whole, fraction, exponent })
    }

    /// Returns the number if it is an integer in range.
    fn to_integer(&self) -> Option<i64> {
        let digits = format!("{}{}", self.whole, self.fraction);
        let significant = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Some(0);
        }
        let scale = i64::from(self.exponent) - i64::try_from(self.fraction.len()).ok()? + zeros;
        // An `i64` has at most 19 digits.
        let scale = u32::try_from(scale).ok().filter(|scale| significant.len() + *scale as usize <= 19)?;
        let size = significant.parse::<i128>().ok()? * 10_i128.pow(scale);
        i64::try_from(if self.is_negative { -size } else { size }).ok()
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::integer;

    #[derive(Debug, Default, Deserialize, Serialize, PartialEq)]
    struct Model {
        #[serde(default, deserialize_with = "super::or_default")]
        flag: bool,
        #[serde(default, deserialize_with = "super::read")]
        pages: Option<i64>,
        #[serde(default, deserialize_with = "super::read")]
        score: Option<f64>,
        #[serde(default, deserialize_with = "super::read")]
        name: Option<String>,
        #[serde(default, deserialize_with = "super::read")]
        numbers: Vec<i64>,
        #[serde(default, deserialize_with = "super::read")]
        gaps: Vec<Option<i64>>,
        #[serde(default, deserialize_with = "super::read")]
        counts: IndexMap<String, i64>,
        #[serde(default, deserialize_with = "super::read")]
        values: IndexMap<String, Vec<String>>,
        #[serde(default, deserialize_with = "super::read")]
        table: Vec<Vec<f64>>,
    }

    fn read(member: &str, value: &str) -> Result<Value, String> {
        let json = format!(r#"{{"{member}": {value}}}"#);
        let model: Model = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        let tree: Value = serde_json::from_str(&json).expect("is JSON");
        assert_eq!(serde_json::from_value::<Model>(tree).expect("reads from a tree"), model);
        let written = serde_json::to_value(&model).expect("writes");
        assert_eq!(serde_json::from_value::<Model>(written.clone()).expect("reads again"), model);
        Ok(written[member].clone())
    }

    #[test]
    fn reads_integers_from_every_exact_spelling() {
        for spelling in [
            "3",
            "3.0",
            "3.000",
            "3e0",
            "30e-1",
            r#""3""#,
            r#""3.0""#,
            r#"" 3 ""#,
            r#""+3""#,
            r#""003""#,
            r#""0.3E1""#,
            r#""300e-2""#,
        ] {
            assert_eq!(read("pages", spelling), Ok(json!(3)), "{spelling}");
        }
        for (spelling, number) in [
            ("-0.0", 0),
            (r#""-0""#, 0),
            (r#""0e99999""#, 0),
            ("9007199254740991.0", 9_007_199_254_740_991),
            (r#""9223372036854775807""#, i64::MAX),
            (r#""9007199254740993.0""#, 9_007_199_254_740_993),
            (r#""-9223372036854775808.00""#, i64::MIN),
            (r#""1e18""#, 1_000_000_000_000_000_000),
        ] {
            assert_eq!(read("pages", spelling), Ok(json!(number)), "{spelling}");
        }
    }

    #[test]
    fn rejects_fractions_and_never_rounds() {
        for spelling in [
            "3.5",
            "-0.1",
            "1e-1",
            "9007199254740993.0",
            "1e19",
            "18446744073709551615",
            "true",
            "[3]",
            r#"{"a":3}"#,
            r#""3.5""#,
            r#""three""#,
            r#""1,000""#,
            r#""1_000""#,
            r#""0x10""#,
            r#""3.""#,
            r#"".5""#,
            r#""1e""#,
            r#""--3""#,
            r#""3 4""#,
            r#""NaN""#,
            r#""9223372036854775808""#,
            r#""1e19""#,
            r#""1e99999999999""#,
            r#""٣""#,
        ] {
            assert!(read("pages", spelling).is_err(), "{spelling}");
        }
        let message = read("pages", "3.5").expect_err("refused");
        assert!(message.starts_with("invalid type: floating point `3.5`, expected i64"), "{message}");
        let message = read("pages", r#""many""#).expect_err("refused");
        assert!(message.starts_with("invalid type: string \"many\", expected i64"), "{message}");
    }

    #[test]
    fn reads_floats_booleans_and_strings_from_every_spelling() {
        for (member, spelling, value) in [
            ("score", "1", json!(1.0)),
            ("score", r#""0.25""#, json!(0.25)),
            ("score", r#""-2.5e-1""#, json!(-0.25)),
            ("flag", r#""true""#, json!(true)),
            ("flag", r#""FALSE""#, json!(false)),
            ("flag", r#""""#, json!(false)),
            ("flag", "null", json!(false)),
            ("name", "7", json!("7")),
            ("name", "-1.5", json!("-1.5")),
            ("name", "true", json!("true")),
            ("name", r#""""#, json!("")),
            ("name", "[2024, 3, 12]", json!("[2024,3,12]")),
            ("name", r#"{"code": "A"}"#, json!(r#"{"code":"A"}"#)),
            ("values", r#"{"a": [[1], {"b": 2.5}]}"#, json!({"a": ["[1]", r#"{"b":2.5}"#]})),
            ("pages", r#"" ""#, json!(null)),
            ("score", r#""""#, json!(null)),
            ("numbers", r#"[1, "2", 3.0, null, ""]"#, json!([1, 2, 3])),
            ("numbers", "null", json!([])),
            ("gaps", r#"["1", null, ""]"#, json!([1, null, null])),
            ("counts", r#"{"a": "1", "b": 2.0, "c": null}"#, json!({"a": 1, "b": 2})),
            ("values", r#"{"a": [1, "x", true, null], "b": null}"#, json!({"a": ["1", "x", "true"], "b": []})),
            ("table", r#"[[1, "2.5"], null, []]"#, json!([[1.0, 2.5], []])),
        ] {
            assert_eq!(read(member, spelling), Ok(value), "{member}: {spelling}");
        }
        for (member, spelling) in [
            ("score", r#""NaN""#),
            ("score", r#""inf""#),
            ("score", r#""1e999""#),
            ("score", "true"),
            ("score", r#""0,25""#),
            ("flag", "1"),
            ("flag", r#""yes""#),
            ("flag", r#""1""#),
            ("pages", "[3]"),
            ("flag", "{}"),
            ("name", "123456789012345678901234"),
            ("numbers", "3"),
            ("numbers", "[1.5]"),
            ("counts", r#"{"a": 1.5}"#),
            ("values", r#"{"a": "x"}"#),
        ] {
            assert!(read(member, spelling).is_err(), "{member}: {spelling}");
        }
    }

    #[test]
    fn integer_returns_none_for_null_and_blank() {
        assert_eq!(integer(&json!("12.0")), Some(12));
        assert_eq!(integer(&json!(null)), None);
        assert_eq!(integer(&json!("")), None);
    }
}
