//! Types that can be extracted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;

use serde::Deserialize;

use super::given;
use crate::extract::{ExtractError, with};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Kg,
    #[serde(rename = "mg/kg")]
    Relative,
    #[serde(other)]
    Other,
}

#[derive(Debug, PartialEq, Deserialize)]
struct StudyNumber(String);

#[derive(Debug, PartialEq, Deserialize)]
struct Marker;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Everything {
    title: String,
    number: StudyNumber,
    animals: u32,
    small: i8,
    large: u128,
    least: NonZeroU32,
    weight: f64,
    ratio: f32,
    glp: bool,
    grade: char,
    unit: Unit,
    sponsor: Option<String>,
    species: Option<Unit>,
    doses: Vec<f64>,
    flags: BTreeSet<bool>,
    range: (u8, String),
    fixed: [i64; 3],
    raw: serde_json::Value,
    units: Vec<Unit>,
    gaps: Vec<Option<u8>>,
    boxed: Box<Option<u16>>,
    marker: Marker,
}

#[test]
fn reads_every_type_of_field() {
    let all = given(&[
        ("Title", &[" Two  words "]),
        ("Number", &["SVL-1"]),
        ("Animals", &[" 1 500 "]),
        ("Small", &["-128"]),
        ("Large", &["340282366920938463463374607431768211455"]),
        ("Least", &["1"]),
        ("Weight", &["1,234.5"]),
        ("Ratio", &["0,1"]),
        ("Glp", &["Yes"]),
        ("Grade", &[" A "]),
        ("Unit", &["mg/kg "]),
        ("Sponsor", &["Examplia"]),
        ("Species", &["zebra"]),
        ("Doses", &["0", "50", "2000"]),
        ("Flags", &["no"]),
        ("Range", &["1", "to"]),
        ("Fixed", &["1", "-2", "3"]),
        ("Raw", &["a", "b"]),
        ("Units", &["kg", "kg"]),
        ("Gaps", &["1", " ", "3"]),
        ("Boxed", &["7"]),
        ("Marker", &["anything", "at all"]),
        ("Unrelated", &["ignored", "too"]),
        ("Unrelated and empty", &[]),
    ]);
    let expected = Everything {
        title: " Two  words ".to_owned(),
        number: StudyNumber("SVL-1".to_owned()),
        animals: 1500,
        small: -128,
        large: u128::MAX,
        least: NonZeroU32::MIN,
        weight: 1234.5,
        ratio: 0.1,
        glp: true,
        grade: 'A',
        unit: Unit::Relative,
        sponsor: Some("Examplia".to_owned()),
        species: Some(Unit::Other),
        doses: vec![0.0, 50.0, 2000.0],
        flags: BTreeSet::from([false]),
        range: (1, "to".to_owned()),
        fixed: [1, -2, 3],
        raw: serde_json::json!(["a", "b"]),
        units: vec![Unit::Kg, Unit::Kg],
        gaps: vec![Some(1), None, Some(3)],
        boxed: Box::new(Some(7)),
        marker: Marker,
    };
    assert_eq!(all.read::<Everything>().unwrap(), expected);
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Sparse {
    option: Option<u32>,
    list: Vec<String>,
    #[serde(default)]
    count: u32,
    #[serde(default = "seven")]
    seven: u32,
    #[serde(alias = "old name")]
    text: Option<String>,
}

fn seven() -> u32 {
    7
}

#[test]
fn empty_list_is_none_or_empty_or_default() {
    let empty = given(&[("option", &[]), ("list", &[]), ("count", &[]), ("seven", &[]), ("text", &[])]);
    assert_eq!(empty.read::<Sparse>().unwrap(), Sparse { seven: 7, ..Sparse::default() });
    let absent = given(&[("list", &["one"])]);
    assert_eq!(
        absent.read::<Sparse>().unwrap(),
        Sparse { seven: 7, list: vec!["one".to_owned()], ..Sparse::default() }
    );
    let blank = given(&[("option", &[" "]), ("list", &[""]), ("text", &[""])]);
    assert_eq!(blank.read::<Sparse>().unwrap(), Sparse { seven: 7, list: vec![String::new()], ..Sparse::default() });
    let alias = given(&[("list", &[]), ("old name", &["x"])]);
    assert_eq!(alias.read::<Sparse>().unwrap().text.as_deref(), Some("x"));
}

#[test]
fn reads_maps() {
    let some = given(&[("b", &["1", "2"]), ("a", &["3"]), ("none", &[])]);
    let lists: BTreeMap<String, Vec<u8>> = some.read().unwrap();
    assert_eq!(
        lists,
        BTreeMap::from([("a".to_owned(), vec![3]), ("b".to_owned(), vec![1, 2]), ("none".to_owned(), vec![])])
    );
    let texts: HashMap<String, Vec<String>> = some.read().unwrap();
    assert_eq!(texts["b"], ["1", "2"]);
    let values: serde_json::Value = some.read().unwrap();
    assert_eq!(values, serde_json::json!({"a": "3", "b": ["1", "2"], "none": null}));

    let single = given(&[("a", &["3"]), ("none", &[])]);
    let options: BTreeMap<String, Option<u8>> = single.read().unwrap();
    assert_eq!(options, BTreeMap::from([("a".to_owned(), Some(3)), ("none".to_owned(), None)]));
    let scalars: BTreeMap<String, u8> = single.read().unwrap();
    assert_eq!(scalars, BTreeMap::from([("a".to_owned(), 3)]), "no entry without a value");
}

#[test]
fn reads_newtypes_options_and_units() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer(Sparse);

    let some = given(&[("list", &["x"])]);
    assert_eq!(some.read::<Outer>().unwrap().0.list, ["x"]);
    assert!(some.read::<Option<Sparse>>().unwrap().is_some());
    some.read::<()>().unwrap();
    some.read::<serde::de::IgnoredAny>().unwrap();
}

#[test]
fn reads_dates_from_texts() {
    use chrono_like::Date;

    #[derive(Deserialize)]
    struct Dates {
        machine: Date,
        #[serde(deserialize_with = "with::date")]
        human: Date,
        #[serde(default, deserialize_with = "with::date")]
        none: Option<Date>,
        #[serde(deserialize_with = "with::date")]
        many: Vec<Date>,
    }

    let read: Dates = given(&[
        ("machine", &["2024-04-02"]),
        ("human", &["12 March 2024"]),
        ("none", &[]),
        ("many", &["1 May 2023", "02.05.2023"]),
    ])
    .read()
    .unwrap();
    assert_eq!((read.machine, read.human, read.none), (Date(2024, 4, 2), Date(2024, 3, 12), None));
    assert_eq!(read.many, [Date(2023, 5, 1), Date(2023, 5, 2)]);
}

#[test]
fn helpers_work_for_every_shape() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Numbers {
        #[serde(deserialize_with = "with::decimal_point")]
        pages: u32,
        #[serde(deserialize_with = "with::decimal_comma")]
        weights: Vec<f64>,
        #[serde(default, deserialize_with = "with::decimal_point")]
        total: Option<f64>,
        #[serde(deserialize_with = "with::parse")]
        pair: (u8, bool),
    }

    let read: Numbers =
        given(&[("pages", &["1,850"]), ("weights", &["1,234", "1.234"]), ("total", &[" "]), ("pair", &["1", "yes"])])
            .read()
            .unwrap();
    assert_eq!(read, Numbers { pages: 1850, weights: vec![1.234, 1234.0], total: None, pair: (1, true) });
    let json = r#"{"pages": 1850, "weights": ["1,5"], "total": null, "pair": ["1", "no"]}"#;
    let again: Numbers = serde_json::from_str(json).unwrap();
    assert_eq!((again.pages, again.weights), (1850, vec![1.5]), "the same type reads saved JSON");
}

#[test]
fn deny_unknown_fields_rejects_unknown_components() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[serde(rename = "Title")]
        _title: Option<String>,
    }

    given(&[("Title", &[])]).read::<Strict>().unwrap();
    let error: ExtractError = given(&[("Title", &["x"]), ("title", &["y"])]).read::<Strict>().unwrap_err();
    assert_eq!(error.component(), Some("title"));
    assert_eq!(
        error.to_string(),
        "report.pdf: component \"title\" (field Strict.title) is not expected; known names: \"Title\"; did you mean \"Title\"?"
    );
    let error = given(&[("Other", &[])]).read::<Strict>().unwrap_err();
    assert_eq!(error.component(), Some("Other"), "an empty list is rejected as well");
}

/// A date type like those of libraries: deserializes from `YYYY-MM-DD` only.
mod chrono_like {
    use serde::{Deserialize, Deserializer, de::Error};

    #[derive(Debug, PartialEq)]
    pub(super) struct Date(pub(super) u16, pub(super) u8, pub(super) u8);

    impl<'de> Deserialize<'de> for Date {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            let parts: Vec<&str> = text.split('-').collect();
            let [year, month, day] = parts[..] else { return Err(D::Error::custom("not a date")) };
            let wrong = |_| D::Error::custom("not a date");
            Ok(Self(year.parse().map_err(wrong)?, month.parse().map_err(wrong)?, day.parse().map_err(wrong)?))
        }
    }
}
