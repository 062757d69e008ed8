//! Amounts in the notations of invoices.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{CODES, Money, SYMBOLS, parse};
use crate::extract::text::{NotANumber, Notation};
use crate::extract::{NamedValues, with};

fn read(text: &str) -> Result<(String, Option<String>), NotANumber> {
    parse(text, Notation::Evident)
}

#[test]
fn reads_amounts_with_leading_or_trailing_currency() {
    for (text, amount, currency, code) in [
        ("EUR 1.234,50", "1234.50", "EUR", Some("EUR")),
        ("EUR1.234,50", "1234.50", "EUR", Some("EUR")),
        ("1.234,50 EUR", "1234.50", "EUR", Some("EUR")),
        ("$1,234.50", "1234.50", "$", None),
        ("US$ 1,234.50", "1234.50", "US$", Some("USD")),
        ("$1,234.50 USD", "1234.50", "USD", Some("USD")),
        ("USD $1,234.50", "1234.50", "USD", Some("USD")),
        ("1 234,50 €", "1234.50", "€", Some("EUR")),
        ("1\u{202f}234,50\u{a0}€", "1234.50", "€", Some("EUR")),
        ("€5", "5", "€", Some("EUR")),
        ("eur 5", "5", "eur", Some("EUR")),
        ("5 Euro", "5", "Euro", Some("EUR")),
        ("£0.99", "0.99", "£", Some("GBP")),
        ("£ 0.125", "0.125", "£", Some("GBP")),
        ("CHF 1'234.50", "1234.50", "CHF", Some("CHF")),
        ("CHF 1'234.\u{2013}", "1234", "CHF", Some("CHF")),
        ("Fr. 5.-", "5", "Fr.", Some("CHF")),
        ("EUR 1.234,-", "1234", "EUR", Some("EUR")),
        ("1.234,-- €", "1234", "€", Some("EUR")),
        ("1.234,\u{2014} €", "1234", "€", Some("EUR")),
        ("100 kr.", "100", "kr.", None),
        ("99,90 zł", "99.90", "zł", Some("PLN")),
        ("1 234,50 Kč", "1234.50", "Kč", Some("CZK")),
        ("R$ 1.234.567,89", "1234567.89", "R$", Some("BRL")),
        ("\u{ff04}1,234,567", "1234567", "$", None),
        ("¥1,234,567", "1234567", "¥", None),
        ("-€1,234.50", "-1234.50", "€", Some("EUR")),
        ("- € 1,234.50", "-1234.50", "€", Some("EUR")),
        ("€-1,234.50", "-1234.50", "€", Some("EUR")),
        ("EUR \u{2212}1.234,50", "-1234.50", "EUR", Some("EUR")),
        ("EUR 1.234,50-", "-1234.50", "EUR", Some("EUR")),
        ("1.234,50- EUR", "-1234.50", "EUR", Some("EUR")),
        ("(EUR 1.234,50)", "-1234.50", "EUR", Some("EUR")),
        ("EUR (1.234,50)", "-1234.50", "EUR", Some("EUR")),
        ("(1.234,50) EUR", "-1234.50", "EUR", Some("EUR")),
        ("$(1,234.50)", "-1234.50", "$", None),
        ("+5 EUR", "5", "EUR", Some("EUR")),
        ("₹1,23,456.50", "123456.50", "₹", Some("INR")),
        ("Rs. 1,00,000.00", "100000.00", "Rs.", None),
        ("R 1,234.50", "1234.50", "R", Some("ZAR")),
        ("CAD$1,234.50", "1234.50", "CAD$", Some("CAD")),
    ] {
        assert_eq!(read(text), Ok((amount.to_owned(), Some(currency.to_owned()))), "{text:?}");
        assert_eq!(Money::new(0.0, currency).iso_code(), code, "{text:?}");
    }
    assert_eq!(read(" 1,234.50 "), Ok(("1234.50".to_owned(), None)));
}

#[test]
fn rejects_invalid_and_ambiguous_amounts() {
    for text in [
        "",
        "EUR",
        "€",
        "5 kg",
        "5%",
        "5 EUR/kg",
        "EUR 5 GBP",
        "$5 EUR",
        "5 Mio. €",
        "PCS 5",
        "all 5",
        "EUR 1.23.4",
        "-(5 EUR)",
        "(-5) EUR",
        "-5- EUR",
        "5 EUR 6",
        "1e5 EUR",
        "EUR 5 to 6",
        "EUR .",
        "1,234.50 CR",
        "EUR ,5",
    ] {
        assert_eq!(read(text), Err(NotANumber::Malformed), "{text:?}");
    }
    for text in ["EUR 1,234", "EUR 1.234", "1.234", "12,345 €", "-€1,234"] {
        assert_eq!(read(text), Err(NotANumber::Ambiguous), "{text:?}");
    }
    assert_eq!(parse("EUR 1,234", Notation::Point).unwrap().0, "1234");
    assert_eq!(parse("EUR 1,234", Notation::Comma).unwrap().0, "1.234");
    assert_eq!(parse("EUR 1.234,-", Notation::Point), Err(NotANumber::Malformed));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Invoice {
    total: Money,
    exact: Money<Decimal>,
    #[serde(deserialize_with = "with::amount")]
    bare: f64,
    #[serde(deserialize_with = "with::amount")]
    decimal: Decimal,
    #[serde(deserialize_with = "with::decimal_comma")]
    stated: Money,
    #[serde(deserialize_with = "with::decimal_point")]
    negative: f64,
    #[serde(default)]
    discount: Option<Money>,
    items: Vec<Money<Decimal>>,
}

fn invoice<T: serde::de::DeserializeOwned>(change: Option<(&str, &str)>) -> Result<T, crate::extract::ExtractError> {
    let mut values: Vec<(&str, Vec<String>)> = [
        ("total", "EUR 1.234,50"),
        ("exact", "$0.10"),
        ("bare", "1 234,50 €"),
        ("decimal", "GBP 0.30"),
        ("stated", "EUR 1,234"),
        ("negative", "(1,234.50)"),
        ("discount", " "),
        ("items", "€1.00"),
    ]
    .map(|(name, text)| (name, vec![text.to_owned()]))
    .into();
    if let Some((name, text)) = change {
        values.iter_mut().find(|(known, _)| *known == name).unwrap().1 = vec![text.to_owned()];
    }
    NamedValues::new(values.iter().map(|(name, texts)| (*name, &texts[..]))).extract()
}

#[test]
fn fills_fields_of_floats_and_decimals() {
    let read: Invoice = invoice(None).unwrap();
    assert_eq!((read.total.amount, read.total.currency.as_deref()), (1234.5, Some("EUR")));
    assert_eq!(read.exact, Money::new(Decimal::from_str("0.10").unwrap(), "$"));
    assert_eq!((read.bare, read.decimal), (1234.5, Decimal::from_str("0.30").unwrap()));
    assert_eq!((read.stated.amount, read.negative, read.discount), (1.234, -1234.5, None));
    assert_eq!(read.items[0].to_string(), "€ 1.00");
}

#[test]
fn error_names_expected_amount() {
    for (field, text, expected) in [
        ("total", "five", "expected an amount such as EUR 1,234.50, found \"five\""),
        ("total", "EUR 1,234", "expected an unambiguous amount; with::decimal_point or with::decimal_comma"),
        ("bare", "5 kg", "expected an amount such as EUR 1,234.50"),
        ("negative", "EUR 5", "expected a number"),
    ] {
        let error = invoice::<Invoice>(Some((field, text))).unwrap_err();
        assert!(error.to_string().contains(expected) && error.component() == Some(field), "{error}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped {
    #[serde(flatten)]
    inner: Totals,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Totals {
    total: Money,
}

#[test]
fn works_behind_flatten_and_round_trips_json() {
    assert_eq!(invoice::<Wrapped>(None).unwrap().inner.total, Money::new(1234.5, "EUR"));
    for money in [
        Money::new(1.234, "EUR"),
        Money::new(-1234.5, "$"),
        Money::new(0.125, "€"),
        Money { amount: 1.234, currency: None },
    ] {
        let json = serde_json::to_string(&money).unwrap();
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money, "{json}");
    }
    assert_eq!(serde_json::from_str::<Money>("1.234").unwrap().amount, 1.234);
    assert_eq!(serde_json::from_str::<Money>("-5").unwrap().amount, -5.0);
}

#[test]
fn symbols_belong_to_known_currencies() {
    assert!(CODES.is_sorted());
    for (symbol, codes) in SYMBOLS {
        assert!(!codes.is_empty() && codes.iter().all(|code| CODES.contains(code)), "{symbol}");
        assert_eq!(read(&format!("{symbol} 5")), Ok(("5".to_owned(), Some(symbol.to_owned()))), "{symbol}");
    }
}
