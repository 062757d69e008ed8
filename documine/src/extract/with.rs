//! Functions for `#[serde(deserialize_with = "…")]` that accept more notations.
//!
//! Each works for a scalar, an `Option`, a list, a tuple, and a [`Sourced`](super::Sourced) in place of a scalar. On an `Option` add `#[serde(default)]`, which serde no longer implies for a field with
//! such a function.

use serde::Deserializer;
use serde::de::DeserializeOwned;

use super::money;
use super::number::{plain, reason};
use super::text::{self, Notation};

mod calendar;
mod texts;

use calendar::Order;
use texts::{Numbers, convert};

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
    convert(deserializer, Numbers::Kept, |text| Ok(text.to_owned()))
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
    convert(deserializer, Numbers::Kept, |text| stated(text, Notation::Point))
}

/// Parses numbers with a decimal comma and thousands points, as in most of continental Europe. `1,234` is 1.234.
///
/// The negative forms of accounting are accepted: `(1.234,50)`, `1.234,50-`. A [`Money`](super::Money) accepts amounts with a currency.
pub fn decimal_comma<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, Numbers::Kept, |text| stated(text, Notation::Comma))
}

/// Parses numbers of any type in every unambiguous notation: `1.234,50`, `1,234.50`, `1 234,5`, `1'234`.
///
/// Fields of Rust's number types are parsed by these rules without this function; other types (`rust_decimal::Decimal`) need it. The negative
/// forms of accounting are accepted: `(1,234.50)`, `1,234.50-`. A single dot is a decimal point: `1.234` is 1.234. A single comma before three
/// digits (`1,234`) is an error. If dots may separate thousands, use [`number_strict`] or [`decimal_comma`].
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(serde::Deserialize)]
/// struct Item { #[serde(deserialize_with = "with::number")] prices: Vec<rust_decimal::Decimal> }
///
/// let values = ["1.234,50".to_owned(), "0.10".to_owned()];
/// let item: Item = NamedValues::new([("prices", &values[..])]).extract()?;
/// assert_eq!(item.prices.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1234.50", "0.10"]);
/// # Ok::<(), documine::extract::ExtractError>(())
/// ```
pub fn number<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, Numbers::Kept, |text| {
        plain(text, Notation::Evident).map_err(|why| reason(why, Notation::Evident))
    })
}

/// Parses numbers like [`number`], but rejects every number that has two readings: `1.234` as well as `1,234`.
///
/// Documents from several countries mix notations: beside `1.234,56` a `1.234` is 1234. The error names the functions that state the notation.
///
/// ```
/// # use documine::extract::{NamedValues, with};
/// #[derive(Debug, serde::Deserialize)]
/// struct Item { #[serde(deserialize_with = "with::number_strict")] prices: Vec<f64> }
///
/// let values = ["1.234,56".to_owned(), "1.234".to_owned()];
/// let error = NamedValues::new([("prices", &values[..])]).extract::<Item>().unwrap_err();
/// assert_eq!((error.field(), error.value()), ("Item.prices[1]", Some("1.234")));
/// ```
pub fn number_strict<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    convert(deserializer, Numbers::Kept, |text| {
        plain(text, Notation::Strict).map_err(|why| reason(why, Notation::Strict))
    })
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
    convert(deserializer, Numbers::Converted, |text| {
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
    convert(deserializer, Numbers::Converted, |text| {
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
    convert(deserializer, Numbers::Converted, |text| {
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
    convert(deserializer, Numbers::Kept, |text| Ok(money::parse(text, Notation::Evident).map_err(money::expected)?.0))
}

fn stated(text: &str, notation: Notation) -> Result<String, &'static str> {
    if let Ok((amount, Some(currency))) = money::parse(text, notation) {
        // Accepted by `Money` only. A plain number rejects it, so that no currency is dropped silently.
        return Ok(format!("{currency} {}", money::unambiguous(amount)));
    }
    text::plain(text, notation).map(money::unambiguous).map_err(|_| match notation {
        Notation::Comma => "expected a number such as 1.234,5",
        Notation::Point | Notation::Evident | Notation::Strict => "expected a number such as 1,234.5",
    })
}
