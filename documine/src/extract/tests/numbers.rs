//! Numbers of any type, and the strict mode.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::given;
use crate::extract::{self, with};

#[test]
fn reads_numbers_of_any_type() {
    assert_eq!(extract::number::<i64>(" 1\u{202f}234 "), Ok(1234));
    assert_eq!(extract::number::<u8>("255"), Ok(255));
    assert_eq!(extract::number::<f32>("0,1"), Ok(0.1));
    assert_eq!(extract::number::<f64>("1.234"), Ok(1.234));
    assert_eq!(extract::number::<f64>("(1.234,50)"), Ok(-1234.5));
    assert_eq!(extract::number::<f64>("12.5-"), Ok(-12.5));
    assert_eq!(extract::number::<Decimal>("1'234.50").unwrap().to_string(), "1234.50");
    assert_eq!(extract::number::<Decimal>("1.234").unwrap().to_string(), "1.234", "no digit is added");
    for text in ["", "x", "12 kg", "5%", "EUR 5", "- -5", "--5", "(-5)", "1,23,4", "(5"] {
        let error = extract::number::<f64>(text).unwrap_err();
        assert!(!error.is_ambiguous() && error.to_string().contains("expected a number"), "{text:?}: {error}");
    }
    for error in [
        extract::number::<u8>("256").unwrap_err(),
        extract::number::<i64>("1.5").unwrap_err(),
        extract::number::<f64>("1e999").unwrap_err(),
        extract::number::<f32>("1e39").unwrap_err(),
    ] {
        assert!(error.to_string().ends_with("the number does not fit the type"), "{error}");
    }
    assert!(extract::number::<f64>("1,234").unwrap_err().is_ambiguous());
}

#[test]
fn strict_mode_rejects_numbers_with_two_readings() {
    for text in ["1.234", "1,234", "-12.345", "(999.000)"] {
        let error = extract::number_strict::<f64>(text).unwrap_err();
        assert!(error.is_ambiguous(), "{text:?}: {error}");
        assert_eq!(error.text(), text);
    }
    for (text, number) in [
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("0.234", 0.234),
        ("1.2345", 1.2345),
        ("1.234.567", 1_234_567.0),
        ("1234", 1234.0),
    ] {
        assert_eq!(extract::number_strict::<f64>(text), Ok(number), "{text:?}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Lenient {
    #[serde(deserialize_with = "with::number")]
    many: Vec<Decimal>,
    #[serde(default, deserialize_with = "with::number")]
    none: Option<Decimal>,
    #[serde(deserialize_with = "with::number")]
    count: i64,
}

#[derive(Debug, Deserialize)]
struct Strict {
    #[serde(rename = "many", deserialize_with = "with::number_strict")]
    _many: Vec<Decimal>,
}

#[test]
fn helper_reads_every_shape_and_strict_helper_names_the_index() {
    let file = given(&[("many", &["1.234,56", "1.234"]), ("none", &[" "]), ("count", &["1 234"])]);
    let read: Lenient = file.read().unwrap();
    assert_eq!(read.many.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1234.56", "1.234"]);
    assert_eq!((read.none, read.count), (None, 1234));
    let error = file.read::<Strict>().unwrap_err();
    assert_eq!((error.field(), error.value()), ("Strict.many[1]", Some("1.234")));
    assert_eq!(
        error.to_string(),
        "report.pdf: component \"many\" (field Strict.many[1]): \"1.234\" was not accepted: ambiguous, since the mark may separate \
         thousands or decimals; with::decimal_point or with::decimal_comma states the notation"
    );
}

#[test]
fn numbers_of_json_are_not_read_in_another_notation() {
    #[derive(Deserialize)]
    struct Item {
        #[serde(deserialize_with = "with::decimal_comma")]
        weights: Vec<f64>,
        #[serde(deserialize_with = "with::date")]
        date: String,
    }
    let item: Item = serde_json::from_str(r#"{"weights": [1.234, "1.234", 12.5], "date": 20240312}"#).unwrap();
    assert_eq!((item.weights, item.date.as_str()), (vec![1.234, 1234.0, 12.5], "2024-03-12"));
}

#[test]
fn error_of_helper_and_custom_type_names_the_index() {
    #[derive(Debug, Deserialize)]
    struct Dates {
        #[serde(rename = "dates", deserialize_with = "with::date")]
        _dates: Vec<String>,
    }
    #[derive(Debug, Deserialize)]
    struct Counts {
        #[serde(rename = "dates", deserialize_with = "with::parse")]
        _counts: Vec<u8>,
    }
    #[derive(Debug, Deserialize)]
    struct Decimals {
        #[serde(rename = "dates")]
        _decimals: Vec<Decimal>,
    }
    let file = given(&[("dates", &["20240312", "soon"])]);
    let error = file.read::<Dates>().unwrap_err();
    assert_eq!((error.field(), error.value()), ("Dates.dates[1]", Some("soon")), "{error}");
    let error = file.read::<Counts>().unwrap_err();
    assert_eq!((error.field(), error.value()), ("Counts.dates[0]", Some("20240312")), "{error}");
    let error = file.read::<Decimals>().unwrap_err();
    assert_eq!((error.field(), error.value()), ("Decimals.dates[1]", Some("soon")), "{error}");
    assert!(
        serde_json::from_str::<Dates>(r#"{"dates": ["soon"]}"#).unwrap_err().to_string().starts_with("expected a date")
    );
}
