//! The types of columns, and the strict rule by which they are inferred.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use documine::extract::{self, with};
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The type of a component's values in a table. Each type but `Text` parses by the rules of [`documine::extract`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueType {
    /// The text as it is. [`infer_types`](super::Table::infer_types) leaves the component alone.
    Text,
    /// A whole number that fits 64 bits, in every unambiguous notation.
    Integer,
    /// A number in every unambiguous notation, by [`extract::number`]. A single point is a decimal point.
    Number,
    /// A number with a decimal point: `1,234.5`, by [`with::decimal_point`].
    DecimalPoint,
    /// A number with a decimal comma: `1.234,5`, by [`with::decimal_comma`].
    DecimalComma,
    /// An amount of money whose currency is dropped: `EUR 1.234,50`, by [`with::amount`].
    Amount,
    /// `true`/`false`, `yes`/`no` or `1`/`0` in any case.
    Boolean,
    /// A date in every unambiguous notation, by [`with::date`].
    Date,
    /// A date with the day before the month if both are numbers, by [`with::date_day_first`].
    DateDayFirst,
    /// A date with the month before the day if both are numbers, by [`with::date_month_first`].
    DateMonthFirst,
}

impl ValueType {
    const ALL: [Self; 10] = [
        Self::Text,
        Self::Integer,
        Self::Number,
        Self::DecimalPoint,
        Self::DecimalComma,
        Self::Amount,
        Self::Boolean,
        Self::Date,
        Self::DateDayFirst,
        Self::DateMonthFirst,
    ];

    /// Returns the word of the type, which [`FromStr`] parses: `text`, `decimal_comma`, `date_day_first`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::DecimalPoint => "decimal_point",
            Self::DecimalComma => "decimal_comma",
            Self::Amount => "amount",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateDayFirst => "date_day_first",
            Self::DateMonthFirst => "date_month_first",
        }
    }

    /// Returns the kind of the column.
    pub(super) fn kind(self) -> CellKind {
        match self {
            Self::Text => CellKind::Text,
            Self::Integer => CellKind::Integer,
            Self::Number | Self::DecimalPoint | Self::DecimalComma | Self::Amount => CellKind::Number,
            Self::Boolean => CellKind::Boolean,
            Self::Date | Self::DateDayFirst | Self::DateMonthFirst => CellKind::Date,
        }
    }

    /// Parses a value; `None` if the text has another form.
    pub(super) fn parse(self, text: &str) -> Option<Cell<'_>> {
        let number =
            |parsed: Result<f64, ValueError>| parsed.ok().filter(|number| number.is_finite()).map(Cell::Number);
        let date = |parsed: Result<String, ValueError>| {
            NaiveDate::parse_from_str(&parsed.ok()?, "%Y-%m-%d").ok().map(Cell::Date)
        };
        match self {
            Self::Text => Some(Cell::text(text)),
            Self::Integer => extract::number::<i64>(text).ok().map(Cell::Integer),
            Self::Number => extract::number::<f64>(text).ok().map(Cell::Number),
            Self::DecimalPoint => number(with::decimal_point(deserializer(text))),
            Self::DecimalComma => number(with::decimal_comma(deserializer(text))),
            Self::Amount => number(with::amount(deserializer(text))),
            Self::Boolean => parse::<bool>(text).map(Cell::Boolean),
            Self::Date => date(with::date(deserializer(text))),
            Self::DateDayFirst => date(with::date_day_first(deserializer(text))),
            Self::DateMonthFirst => date(with::date_month_first(deserializer(text))),
        }
    }
}

fn deserializer(text: &str) -> StrDeserializer<'_, ValueError> {
    text.into_deserializer()
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    with::parse(deserializer(text)).ok()
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ValueType {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::input(format!("{word:?}: unknown type of a column; use one of {known}"))
        })
    }
}

/// The kind of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
}

/// One cell of a row. A cell has the kind of its column or is empty; an integer may stand in a column of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(NaiveDate),
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(super) fn text_or_empty(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: CellKind,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: CellKind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// More digits do not survive in a spreadsheet; such numbers are identifiers more often than quantities.
pub(super) const MAX_DIGITS: usize = 15;

/// The types that all values of a component have had so far.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Inference {
    has_value: bool,
    boolean: bool,
    date: bool,
    integer: bool,
    number: bool,
}

impl Inference {
    pub(super) fn new() -> Self {
        Self { has_value: false, boolean: true, date: true, integer: true, number: true }
    }

    /// Adds a value. Blank values do not count.
    pub(super) fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.has_value = true;
        self.boolean = self.boolean && matches!(text, "true" | "false");
        self.date = self.date && is_iso_date(text);
        self.integer = self.integer && is_plain_integer(text);
        self.number = self.number && (is_plain_integer(text) || is_plain_decimal(text));
    }

    /// Returns the type that fits all values; `None` if there is none.
    pub(super) fn value_type(&self) -> Option<ValueType> {
        let types = [
            (self.boolean, ValueType::Boolean),
            (self.date, ValueType::Date),
            (self.integer, ValueType::Integer),
            (self.number, ValueType::Number),
        ];
        types.into_iter().find(|(fits, _)| *fits && self.has_value).map(|(_, value_type)| value_type)
    }
}

fn is_iso_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    // chrono accepts more: signs, blanks and years of other lengths.
    let has_form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    has_form && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = digits.starts_with('0') && text != "0";
    is_number && !has_leading_zero && digits.len() <= MAX_DIGITS
}

/// Digits with one decimal mark, after optional thousands marks of the other kind: `3.5`, `12,50`, `1.234,56`.
fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit())
        || !unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        || unsigned.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS
    {
        return false;
    }
    let has_leading_zero = unsigned.starts_with('0') && !unsigned[1..].starts_with(['.', ',']);
    let count = |mark| unsigned.matches(mark).count();
    // Without a decimal mark, `1.234.567` may be a version or an identifier.
    let has_decimal_mark = count('.') == 1 || count(',') == 1;
    !has_leading_zero && has_decimal_mark && extract::number_strict::<f64>(text).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn inferred(values: &[&str]) -> Option<ValueType> {
        let mut inference = Inference::new();
        for value in values {
            inference.add(value);
        }
        inference.value_type()
    }

    #[test]
    fn infers_a_type_only_if_every_value_has_it() {
        assert_eq!(inferred(&["true", "false"]), Some(ValueType::Boolean));
        assert_eq!(inferred(&["2024-02-29", "", "2026-01-02"]), Some(ValueType::Date));
        assert_eq!(inferred(&["0", "-17", "4711"]), Some(ValueType::Integer));
        assert_eq!(inferred(&["0", "12,50", "1.234,56", "-0.5", "0.125"]), Some(ValueType::Number));
        assert_eq!(inferred(&["1", "0"]), Some(ValueType::Integer));
        assert_eq!(inferred(&["1.5", "n/a"]), None);
        assert_eq!(inferred(&["", " "]), None);
        assert_eq!(inferred(&[]), None);
    }

    #[test]
    fn infers_no_type_from_values_with_two_readings() {
        for value in [
            "1.234",
            "1,234",
            "00123",
            "-0",
            "01.5",
            "1.234.567",
            "1 234,5",
            "(12.50)",
            "1e5",
            "+5",
            "5.",
            ".5",
            "5 ",
            "1234567890123456",
            "123456789012345.6",
            "True",
            "yes",
            "2024-02-30",
            "2024-3-12",
            "12.03.2024",
            "+024-03-12",
            "NaN",
            "inf",
            "٣",
        ] {
            assert_eq!(inferred(&[value]), None, "{value}");
        }
    }

    #[test]
    fn parses_a_value_by_the_type_of_its_column() {
        let date = |text: &str| Some(Cell::Date(NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()));
        let cases = [
            (ValueType::Text, "00123", Some(Cell::text("00123"))),
            (ValueType::Integer, "1.234.567", Some(Cell::Integer(1_234_567))),
            (ValueType::Integer, "1.5", None),
            (ValueType::Integer, "99999999999999999999", None),
            (ValueType::Number, "1.234,50", Some(Cell::Number(1234.5))),
            (ValueType::Number, "1,234", None),
            (ValueType::Number, "1e999", None),
            (ValueType::DecimalPoint, "1,234", Some(Cell::Number(1234.0))),
            (ValueType::DecimalComma, "1,234", Some(Cell::Number(1.234))),
            (ValueType::DecimalComma, "(1.234,50)", Some(Cell::Number(-1234.5))),
            (ValueType::DecimalComma, "1e999", None),
            (ValueType::Amount, "EUR 1.234,50", Some(Cell::Number(1234.5))),
            (ValueType::Amount, "much", None),
            (ValueType::Boolean, "Yes", Some(Cell::Boolean(true))),
            (ValueType::Boolean, "0", Some(Cell::Boolean(false))),
            (ValueType::Boolean, "maybe", None),
            (ValueType::Date, "12 March 2024", date("2024-03-12")),
            (ValueType::Date, "03/04/2024", None),
            (ValueType::DateDayFirst, "03/04/2024", date("2024-04-03")),
            (ValueType::DateMonthFirst, "03/04/2024", date("2024-03-04")),
        ];
        for (value_type, text, cell) in cases {
            assert_eq!(value_type.parse(text), cell, "{value_type} {text}");
        }
    }

    #[test]
    fn types_have_words() {
        for value_type in ValueType::ALL {
            assert_eq!(value_type.as_str().parse::<ValueType>().unwrap(), value_type);
            assert_eq!(serde_json::to_value(value_type).unwrap(), value_type.as_str());
        }
        let error = "money".parse::<ValueType>().unwrap_err().to_string();
        assert!(error.starts_with("\"money\": unknown type of a column; use one of text, integer, number,"), "{error}");
    }
}
