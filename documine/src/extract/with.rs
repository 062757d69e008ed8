//! Functions for `#[serde(deserialize_with = "…")]` that accept more notations.
//!
//! Each works for a scalar, an `Option`, a list and a tuple. On an `Option` add `#[serde(default)]`, which serde no longer implies for a field with
//! such a function.

use serde::Deserializer;
use serde::de::{self, DeserializeOwned, SeqAccess, Visitor};
use std::fmt;

use super::de::read_texts;
use super::money;
use super::text::{self, Notation};
use super::value::into_other_error;

mod calendar;

use calendar::Order;

/// Parses the value by the rules of this module where serde alone would not.
///
/// That is in an untagged enum, and in an optional struct behind `#[serde(flatten)]`, where serde turns every mismatch into `None`.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Study { #[serde(flatten)] counts: Option<Counts> }
/// #[derive(serde::Deserialize)]
/// struct Counts { #[serde(deserialize_with = "with::parse")] animals: u32 }
///
/// let values = ["15".to_owned()];
/// let study: Study = NamedValues::new([("animals", &values[..])]).extract()?;
/// assert_eq!(study.counts.map(|counts| counts.animals), Some(15));
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn parse<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| Ok(text.to_owned()))
}

/// Parses numbers with a decimal point and thousands commas. `1,234` is 1234.
///
/// The negative forms of accounting are accepted: `(1,234.50)`, `1,234.50-`. A [`Money`](super::Money) accepts amounts with a currency.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Item { #[serde(deserialize_with = "with::decimal_point")] pages: u32 }
///
/// let values = ["1,850".to_owned()];
/// let item: Item = NamedValues::new([("pages", &values[..])]).extract()?;
/// assert_eq!(item.pages, 1850);
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn decimal_point<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| number(text, Notation::Point))
}

/// Parses numbers with a decimal comma and thousands points, as in most of continental Europe. `1,234` is 1.234.
///
/// The negative forms of accounting are accepted: `(1.234,50)`, `1.234,50-`. A [`Money`](super::Money) accepts amounts with a currency.
pub fn decimal_comma<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| number(text, Notation::Comma))
}

/// Converts dates in the notations of documents to `YYYY-MM-DD`, which chrono, jiff, time and `String` deserialize.
///
/// Accepted: `2024-03-12`, `2024/03/12`, `20240312`, `2024-03-12Z` and `2024-03-12+02:00` (`xs:date`), `12 March 2024`, `12. Mar 2024`, `12TH OF
/// MARCH, 2024`, `Tuesday, March 12th, 2024`, `12-MAR-2024`, `12.03.2024` (day first). A time of day and a time zone are dropped. Month names are
/// English. `03/12/2024` and `03-12-2024` are ambiguous and an error; [`date_day_first`] and [`date_month_first`] state the order. `13/03/2024` is
/// accepted.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Study {
///     #[serde(deserialize_with = "with::date")]
///     completed: String,                            // or chrono::NaiveDate, jiff::civil::Date, time::Date
///     #[serde(default, deserialize_with = "with::date")]
///     started: Option<String>,
/// }
///
/// let values = ["12 March 2024".to_owned()];
/// let study: Study = NamedValues::new([("completed", &values[..])]).extract()?;
/// assert_eq!((study.completed.as_str(), study.started), ("2024-03-12", None));
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn date<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| {
        calendar::iso(text, Order::Unknown).ok_or_else(|| match calendar::iso(text, Order::DayFirst) {
            Some(_) => {
                "ambiguous order of day and month; with::date_day_first or with::date_month_first states the order"
            }
            None => "expected a date such as 2024-03-12 or 12 March 2024",
        })
    })
}

/// Converts dates like [`date`], with the day before the month if both are numbers: `03/04/2024` is 3 April.
///
/// A date that exists in the other order only (`03/13/2024`) is read in that order.
pub fn date_day_first<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| {
        calendar::iso(text, Order::DayFirst).ok_or("expected a date such as 31/12/2024 or 31 December 2024")
    })
}

/// Converts dates like [`date`], with the month before the day if both are numbers: `03/04/2024` is 4 March.
///
/// A date that exists in the other order only (`13/03/2024`) is read in that order.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Study { #[serde(deserialize_with = "with::date_month_first")] completed: String }
///
/// let values = ["03/04/2024".to_owned()];
/// let study: Study = NamedValues::new([("completed", &values[..])]).extract()?;
/// assert_eq!(study.completed, "2024-03-04");
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn date_month_first<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| {
        calendar::iso(text, Order::MonthFirst).ok_or("expected a date such as 12/31/2024 or December 31, 2024")
    })
}

/// Parses amounts of money as plain numbers: `EUR 1.234,50` is 1234.5.
///
/// The currency is validated and dropped; [`Money`](super::Money) keeps it. Works for `f64`, `rust_decimal::Decimal` and all other types that
/// deserialize from a number in text.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Invoice { #[serde(deserialize_with = "with::amount")] total: f64 }
///
/// let values = ["1 234,50 €".to_owned()];
/// let invoice: Invoice = NamedValues::new([("total", &values[..])]).extract()?;
/// assert_eq!(invoice.total, 1234.5);
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn amount<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, |text| Ok(money::parse(text, Notation::Evident).map_err(money::expected)?.0))
}

fn number(text: &str, notation: Notation) -> Result<String, &'static str> {
    if let Ok((amount, Some(currency))) = money::parse(text, notation) {
        // Accepted by `Money` only. A plain number rejects it, so that no currency is dropped silently.
        return Ok(format!("{currency} {}", money::unambiguous(amount)));
    }
    text::plain(text, notation).map(money::unambiguous).map_err(|_| match notation {
        Notation::Comma => "expected a number such as 1.234,5",
        Notation::Point | Notation::Evident => "expected a number such as 1,234.5",
    })
}

/// Converts every text except blanks with `change`, and deserializes a `T` from the results.
fn convert<'de, D, T, F>(deserializer: D, change: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
    F: Fn(&str) -> Result<String, &'static str>,
{
    let mut texts = deserializer.deserialize_any(TextsVisitor)?;
    for text in &mut texts {
        if !text.trim().is_empty() {
            *text = change(text).map_err(de::Error::custom)?;
        }
    }
    read_texts(&texts).map_err(|failure| into_other_error(&failure))
}

/// Accepts nothing, one text or several. Numbers and booleans occur when a JSON file is read.
struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(vec![value.to_string()])
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(vec![number.to_string()])
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(vec![number.to_string()])
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(vec![number.to_string()])
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}
